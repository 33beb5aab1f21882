"""Checks what a source distribution and a wheel contain: ``contents.py SDIST WHEEL``."""

import re
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

ALLOWED_IN_WHEEL = re.compile(
    r"kpm_fast/([a-z]+/)?[a-z_]+\.py"
    r"|kpm_fast/include/kpm/kpm\.h"
    r"|kpm_fast/lib/(libkpm\.so|libkpm\.dylib|kpm\.dll|kpm\.lib|pkgconfig/kpm\.pc)"
    r"|kpm_fast/lib/cmake/kpm/kpmConfig(|Version|-\w+)\.cmake"
    r"|kpm_fast/(kpm\.pxd|_core\.pyi|py\.typed|_core\.[\w.-]+\.(so|pyd))"
    r"|kpm_fast-[\w.]+\.dist-info/(METADATA|RECORD|WHEEL|entry_points\.txt|top_level\.txt)"
    r"|kpm_fast-[\w.]+\.dist-info/licenses/LICENSE"
)
REQUIRED_IN_WHEEL = {
    "kpm_fast/__init__.py",
    "kpm_fast/_core.pyi",
    "kpm_fast/include/kpm/kpm.h",
    "kpm_fast/kpm.pxd",
    "kpm_fast/lib/cmake/kpm/kpmConfig.cmake",
    "kpm_fast/lib/pkgconfig/kpm.pc",
    "kpm_fast/py.typed",
}
MOST_BYTES_OF_WHEEL = 2 << 20
REQUIRED_IN_SDIST = {
    ".ci/run",
    "LICENSE",
    "README.md",
    "csrc/CMakeLists.txt",
    "csrc/c/exported.map",
    "csrc/c/kpm.pc.in",
    "csrc/include/kpm/kpm.h",
    "csrc/python/module.cpp",
    "csrc/tests/CMakeLists.txt",
    "docs/architecture.md",
    "setup.py",
    "tests/conftest.py",
}
FORBIDDEN_IN_SDIST = re.compile(r"\.(so|pyd|pyc|o|gcda|gcno)$|__pycache__|(^|/)build/")


def wheel_faults(path: Path, sources: set[str]) -> list[str]:
    """What is wrong with a wheel that was built from these files."""
    with zipfile.ZipFile(path) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    faults = [f"unexpected: {name}" for name in names if not ALLOWED_IN_WHEEL.fullmatch(name)]
    modules, packed = (
        {name for name in files if re.fullmatch(r"kpm_fast/.*\.pyi?", name)}
        for files in (sources, names)
    )
    faults += [f"no longer among the sources: {name}" for name in packed - modules]
    faults += [f"missing: {name}" for name in (REQUIRED_IN_WHEEL | modules) - names]
    if not any(
        name.startswith("kpm_fast/_core.") and name.endswith((".so", ".pyd")) for name in names
    ):
        faults.append("missing: the compiled core")
    if not any(re.fullmatch(r"kpm_fast/lib/(lib)?kpm\.(so|dylib|dll)", name) for name in names):
        faults.append("missing: the library for C")
    if path.stat().st_size > MOST_BYTES_OF_WHEEL:
        faults.append(f"larger than {MOST_BYTES_OF_WHEEL} bytes: {path.stat().st_size}")
    return faults


def sdist_names(path: Path) -> set[str]:
    with tarfile.open(path) as archive:
        return {member.name.partition("/")[2] for member in archive if member.isfile()}


def sdist_faults(names: set[str]) -> list[str]:
    faults = [f"unexpected: {name}" for name in names if FORBIDDEN_IN_SDIST.search(name)]
    core = {path.relative_to(ROOT).as_posix() for path in (ROOT / "csrc").rglob("*.[ch]pp")}
    faults += [f"missing: {name}" for name in (REQUIRED_IN_SDIST | core) - names]
    if not any(name.startswith("examples/") for name in names):
        faults.append("missing: examples/")
    return faults


def main() -> int:
    sdist, wheel = map(Path, sys.argv[1:3])
    names = sdist_names(sdist)
    faults = [(sdist, fault) for fault in sorted(sdist_faults(names))]
    faults += [(wheel, fault) for fault in sorted(wheel_faults(wheel, names))]
    for path, fault in faults:
        print(f"{path.name}: {fault}")
    if not faults:
        print(f"{sdist.name} and {wheel.name}: nothing missing, nothing extra")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
