"""Speed of one cell. Run with ``pytest benchmarks``; never part of the tests."""

from __future__ import annotations

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks import cell
from benchmarks.cells import benchmark_cells


@pytest.fixture(scope="module")
def entries() -> list[cell.Contest]:
    found, left_out = cell.measure(per_family=5, rounds=7)
    assert left_out <= len(found) // 4
    return found


@pytest.mark.parametrize("solver", [cell.CORE, cell.PYTHON, cell.CLARABEL])
def test_time(benchmark: BenchmarkFixture, solver: str) -> None:
    entries = [cell.contest(data) for data in benchmark_cells(2)]
    benchmark(lambda: [entry.solve[solver]() for entry in entries])


@pytest.mark.parametrize("solver", list(cell.TARGETS))
def test_speed_up(entries: list[cell.Contest], solver: str) -> None:
    assert np.median(cell.ratios(entries, solver)) >= cell.TARGETS[solver]
