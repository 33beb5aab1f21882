"""Where the C library is, for programs that build on it (``docs/embedding.md``)."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["get_include", "get_libraries", "get_library_dirs", "library_path", "main"]

_PACKAGE = Path(__file__).resolve().parent
_LIBRARY = {"win32": "kpm.dll", "darwin": "libkpm.dylib"}.get(sys.platform, "libkpm.so")
OPTIONS = ("--cflags", "--libs", "--cmakedir", "--pkgconfigdir")


def get_include() -> str:
    """Return the folder to pass to a C compiler with ``-I``: it holds ``kpm/kpm.h``.

    Examples
    --------
    >>> (Path(get_include()) / "kpm" / "kpm.h").is_file()
    True
    """
    return str(_PACKAGE / "include")


def get_library_dirs() -> list[str]:
    """Return the folders to pass to a linker with ``-L``, and to remember with ``-rpath``.

    Examples
    --------
    >>> [Path(folder).name for folder in get_library_dirs()]
    ['lib']
    """
    return [str(_PACKAGE / "lib")]


def get_libraries() -> list[str]:
    """Return the libraries to pass to a linker with ``-l``.

    Examples
    --------
    >>> get_libraries()
    ['kpm']
    """
    return ["kpm"]


def library_path() -> str:
    """Return the C library itself, to load it."""
    return str(_PACKAGE / "lib" / _LIBRARY)


def main(arguments: Sequence[str]) -> int:
    """Print what a build asks for, on one line: the ``python -m kpm_fast --cflags --libs`` command.

    Flags are quoted for a shell where a folder's name needs it.

    Parameters
    ----------
    arguments : sequence of str
        Any of ``--cflags``, ``--libs``, ``--cmakedir``, ``--pkgconfigdir``.
    """
    parser = argparse.ArgumentParser(
        prog="python -m kpm_fast", description="How to build on the C library of kpm."
    )
    for option, what in zip(
        OPTIONS,
        (
            "the compiler's flags",
            "the linker's flags; the program remembers where the library is",
            "the folder of kpmConfig.cmake, for kpm_DIR",
            "the folder of kpm.pc, for PKG_CONFIG_PATH",
        ),
        strict=True,
    ):
        parser.add_argument(option, action="store_true", help=what)
    asked = parser.parse_args(arguments)
    words = []
    if asked.cflags:
        words.append(f"-I{get_include()}")
    if asked.libs:
        words += [f"-L{folder}" for folder in get_library_dirs()]
        words += [f"-l{name}" for name in get_libraries()]
        if sys.platform != "win32":
            words += [f"-Wl,-rpath,{folder}" for folder in get_library_dirs()]
    words = [_quoted(word) for word in words]
    if asked.cmakedir:
        words.append(str(_PACKAGE / "lib" / "cmake" / "kpm"))
    if asked.pkgconfigdir:
        words.append(str(_PACKAGE / "lib" / "pkgconfig"))
    print(*words)
    return 0


def _quoted(word: str) -> str:
    return subprocess.list2cmdline([word]) if sys.platform == "win32" else shlex.quote(word)
