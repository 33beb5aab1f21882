"""Programs that tests run in a Python of their own, with package and tests on its path."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import kpm_fast as kpm

_FOLDERS = (str(Path(kpm.__file__).resolve().parent.parent), str(Path(__file__).resolve().parent))


def environment() -> dict[str, str]:
    """The variables of such a program."""
    path = os.pathsep.join([*_FOLDERS, os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}


def start_program(text: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
    """Start a program; its output and its errors are pipes of text."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", text, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        **options,
    )


def run_program(text: str, *arguments: object, timeout: float = 600) -> str:
    """Run a program; fail with its words unless it ends with code 0; return what it printed."""
    with start_program(text, *arguments) as program:
        try:
            out, err = program.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            program.kill()
            raise
    assert program.returncode == 0, (program.returncode, out, err[-2000:])
    return out
