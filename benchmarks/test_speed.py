"""Times of a few cases and cells, to compare: ``pytest benchmarks``, never part of the tests."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.cases import CASES
from benchmarks.cells import benchmark_cells
from benchmarks.conic_solvers import ClarabelCell
from benchmarks.own_cell import CoreCell, PythonCell
from benchmarks.verified import verified


@pytest.mark.parametrize("name", CASES)
def test_clear(benchmark: BenchmarkFixture, name: str) -> None:
    verified(benchmark(CASES[name].task()), name)


@pytest.mark.parametrize("kind", [CoreCell, PythonCell, ClarabelCell])
def test_cell(
    benchmark: BenchmarkFixture, kind: type[CoreCell | PythonCell | ClarabelCell]
) -> None:
    tasks = [kind(data, 1e-8) for data in benchmark_cells(2)]
    benchmark(lambda: [task.solve() for task in tasks])
