"""The example of all mechanisms runs, says what it promises, and draws."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_the_example_runs_and_draws(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    figure = tmp_path / "figure.png"
    done = subprocess.run(
        [sys.executable, "examples/mechanisms.py", str(figure)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert sum("maker_optimal" in line for line in lines) == 2
    assert sum("competitive" in line for line in lines) == 7
    assert sum("pay_as_bid" in line for line in lines) == 7
    assert sum("not the favourite" in line for line in lines) == 7
    assert sum("trades paid" in line for line in lines) == 7
    assert figure.stat().st_size > 10_000
