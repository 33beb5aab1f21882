"""What a benchmark ran on: machine, build, versions, commit."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from kpm_fast import _core

from .rounds import cores

PACKAGES = ("kpm-fast", "numpy", "scipy", "clarabel", "ecos", "cvxpy", "pyscipopt", "piqp")


def describe() -> list[tuple[str, str]]:
    """Pairs of a label and its value, in the order in which they are printed."""
    build = _core.build_info()
    if build.get("compiler", "")[:1].isdigit():  # GCC's __VERSION__ is a number, others say who
        build = build | {"compiler": f"GCC {build['compiler']}"}
    return [
        ("machine", f"{_processor()}, {len(cores()) or os.cpu_count()} cores, {platform.system()}"),
        ("python", platform.python_version()),
        *((f"core {name}", value) for name, value in build.items()),
        ("packages", ", ".join(f"{name} {_version(name)}" for name in PACKAGES)),
        ("commit", commit()),
    ]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def commit(checkout: Path | None = None) -> str:
    """A checkout's commit, of this one by default, with "-dirty" where files differ from it."""
    root = checkout or Path(__file__).resolve().parent.parent
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return run.stdout.strip()
