"""Builds the C++ target: with libFuzzer, or with a driver that replays inputs."""

from __future__ import annotations

import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
    headers = max(path.stat().st_mtime for path in _headers())
    program = folder / "core"

    def compiled(source: Path) -> Path:
        target = folder / source.relative_to(ROOT).with_suffix(".o")
        fresh = target.exists() and target.stat().st_mtime > max(headers, source.stat().st_mtime)
        if not fresh:
            target.parent.mkdir(parents=True, exist_ok=True)
            _run([flavour.compiler, *_flags(flavour), "-c", str(source), "-o", str(target)])
        return target

    jobs = int(os.environ.get("KPM_BUILD_JOBS", "0")) or os.cpu_count()
    with ThreadPoolExecutor(jobs) as pool:
        objects = list(pool.map(compiled, sources))
    if not program.exists() or program.stat().st_mtime < max(o.stat().st_mtime for o in objects):
        link = [flavour.compiler, "-pthread", *flavour.link_flags, "-o", str(program)]
        _run([*link, *map(str, objects)])
    return program


def _headers() -> list[Path]:
    return [*(ROOT / "csrc").rglob("*.hpp"), *_HARNESS.glob("*.hpp")]


def _flags(flavour: Flavour) -> list[str]:
    from setup import eigen_include

    include = [ROOT / "csrc" / "include", ROOT / "csrc" / "src", _HARNESS]
    return [
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
