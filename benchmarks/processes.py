"""Where a benchmark's own processes run, and in which environment."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def one_thread() -> dict[str, str]:
    """One thread of linear algebra in every process: solvers are compared one against one."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return os.environ | dict.fromkeys(names, "1")
