"""Builds the C++ target: with libFuzzer, or with a driver that replays inputs."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: What is built, and what a run finds; not in the repository.
OUTPUT = ROOT / "build" / "fuzz"
_HARNESS = ROOT / "fuzz" / "core"
_COMMON = ("-std=c++17", "-ffp-contract=off", "-pthread", "-g", "-fno-omit-frame-pointer")
_DEFINES = ("-UNDEBUG", "-DEIGEN_MPL2_ONLY", "-DEIGEN_INITIALIZE_MATRICES_BY_NAN")
_CHECKS = "address,undefined"


@dataclass(frozen=True)
class Flavour:
    """A way to build the target.

    Attributes
    ----------
    name : str
        The folder it is built in.
    compiler : str
    compile_flags, link_flags : tuple of str
    drivers : tuple of str
        Sources of the harness besides the target.
    """

    name: str
    compiler: str
    compile_flags: tuple[str, ...] = ()
    link_flags: tuple[str, ...] = ()
    drivers: tuple[str, ...] = ()


FUZZER = Flavour(
    "libfuzzer",
    os.environ.get("KPM_FUZZ_CXX", "clang++"),
    (f"-fsanitize=fuzzer-no-link,{_CHECKS},float-cast-overflow", "-fno-sanitize-recover=all"),
    (f"-fsanitize=fuzzer,{_CHECKS}",),
)
REPLAY = Flavour(
    "replay",
    os.environ.get("CXX", "g++"),
    (f"-fsanitize={_CHECKS},float-cast-overflow", "-fno-sanitize-recover=all"),
    (f"-fsanitize={_CHECKS}",),
    ("replay.cpp",),
)
#: Without sanitizers, which valgrind cannot look through.
PLAIN = Flavour("plain", os.environ.get("CXX", "g++"), drivers=("replay.cpp",))


def can_fuzz() -> bool:
    """Whether the compiler and its libFuzzer are there."""
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "empty.cpp"
        source.write_text(
            "#include <cstddef>\n#include <cstdint>\n"
            'extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t*, std::size_t) {\n'
            "  return 0;\n}\n"
        )
        command = [FUZZER.compiler, *FUZZER.link_flags, str(source), "-o", f"{scratch}/empty"]
        try:
            return subprocess.run(command, capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            return False


def build(flavour: Flavour) -> Path:
    """Compile what is out of date and link; return the program."""
    folder = OUTPUT / flavour.name
    drivers = {"replay.cpp"} - set(flavour.drivers)
    harness = [path for path in _HARNESS.glob("*.cpp") if path.name not in drivers]
    sources = sorted([*(ROOT / "csrc" / "src").rglob("*.cpp"), *harness])
    command = _compile_command(flavour)
    common = _digest(_tools(flavour), *(path.read_bytes() for path in _headers()))

    def compiled(source: Path) -> Path:
        target = folder / source.relative_to(ROOT).with_suffix(".o")
        target.parent.mkdir(parents=True, exist_ok=True)
        _make(target, [*command, "-c", str(source)], common, source.read_bytes())
        return target

    jobs = int(os.environ.get("KPM_BUILD_JOBS", "0")) or os.cpu_count()
    with ThreadPoolExecutor(jobs) as pool:
        objects = list(pool.map(compiled, sources))
    program = folder / "core"
    link = [flavour.compiler, "-pthread", *flavour.link_flags, *map(str, objects)]
    _make(program, link, *(_stamp(target).read_bytes() for target in objects))
    return program


def _make(target: Path, command: list[str], *inputs: bytes) -> None:
    """Run a command for its target, unless the last one that made it was the same.

    By content, not by time: a flag, a compiler or a version may change, and a source vanish,
    without a file that is newer than the target.
    """
    stamp, digest = _stamp(target), _digest(*map(str.encode, command), *inputs)
    if target.exists() and stamp.exists() and stamp.read_bytes() == digest:
        return
    stamp.unlink(missing_ok=True)
    _run([*command, "-o", str(target)])
    stamp.write_bytes(digest)


def _stamp(target: Path) -> Path:
    return target.with_name(f"{target.name}.made")


def _digest(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()


def _tools(flavour: Flavour) -> bytes:
    """Versions of what the objects are made with."""
    command = [flavour.compiler, "--version"]
    stated = subprocess.run(command, capture_output=True, check=False).stdout
    return stated + version("cmeel-eigen").encode()


def _headers() -> list[Path]:
    return sorted([*(ROOT / "csrc").rglob("*.hpp"), *_HARNESS.glob("*.hpp")])


def _compile_command(flavour: Flavour) -> list[str]:
    from setup import eigen_include

    include = [ROOT / "csrc" / "include", ROOT / "csrc" / "src", _HARNESS]
    return [
        flavour.compiler,
        *_COMMON,
        "-O2" if flavour.compile_flags else "-O1",
        *_DEFINES,
        *flavour.compile_flags,
        *(f"-I{folder}" for folder in include),
        "-isystem",
        eigen_include(),
    ]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")
