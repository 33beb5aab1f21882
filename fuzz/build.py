"""Builds the C++ targets with csrc/CMakeLists.txt: for libFuzzer, or with a driver that replays."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: What is built, and what a run finds; not in the repository.
OUTPUT = ROOT / "build" / "fuzz"
_CHECKS = "address,undefined,float-cast-overflow"


@dataclass(frozen=True)
class Flavour:
    """A way to build the target.

    Attributes
    ----------
    name : str
        The folder it is built in.
    compiler : str
    driver : {"libfuzzer", "replay"}
    sanitizers : str
        Empty for none; assertions are live all the same.
    """

    name: str
    compiler: str
    driver: str
    sanitizers: str = _CHECKS

    def options(self) -> dict[str, str]:
        """What CMake is told."""
        from setup import eigen_include

        return {
            "KPM_BUILD_FUZZ": self.driver,
            "KPM_BUILD_TESTS": "OFF",
            "KPM_SANITIZE": self.sanitizers,
            "KPM_ASSERTIONS": "ON",
            "KPM_EIGEN": eigen_include(),
        }


FUZZER = Flavour("libfuzzer", os.environ.get("KPM_FUZZ_CXX", "clang++"), "libfuzzer")
REPLAY = Flavour("replay", os.environ.get("CXX", "g++"), "replay")
#: Without sanitizers, which valgrind cannot look through.
PLAIN = Flavour("plain", os.environ.get("CXX", "g++"), "replay", sanitizers="")


def can_fuzz() -> bool:
    """Whether the compiler and its libFuzzer are there."""
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "empty.cpp"
        source.write_text(
            "#include <cstddef>\n#include <cstdint>\n"
            'extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t*, std::size_t) {\n'
            "  return 0;\n}\n"
        )
        checks = f"-fsanitize=fuzzer,{FUZZER.sanitizers}"
        command = [FUZZER.compiler, checks, str(source), "-o", f"{scratch}/empty"]
        try:
            return subprocess.run(command, capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            return False


def build(flavour: Flavour, target: str = "core") -> Path:
    """Compile what is out of date and link; return the program of a target, core or engine.

    The folder that KPM_PROGRAMS names has, by flavour, what was built before.
    """
    from setup import cmake

    built = Path(os.environ.get("KPM_PROGRAMS", os.devnull), flavour.name)
    if built.is_dir():
        return _program(built, target)
    folder = OUTPUT / flavour.name / _compiler_key(flavour)
    options, compiler = flavour.options(), flavour.compiler
    cmake(ROOT / "csrc", folder, options, f"kpm_fuzz_{target}", compiler=compiler, quiet=True)
    return _program(folder, target)


def _program(folder: Path, target: str) -> Path:
    found = [folder / f"kpm_fuzz_{target}{suffix}" for suffix in ("", ".exe")]
    return next(path for path in found if path.is_file())


def _compiler_key(flavour: Flavour) -> str:
    """Name a folder for each compiler: CMake would keep the objects of another version."""
    command = [*flavour.compiler.split(), "--version"]
    stated = subprocess.run(command, capture_output=True, check=False).stdout
    return hashlib.sha256(flavour.compiler.encode() + stated).hexdigest()[:12]
