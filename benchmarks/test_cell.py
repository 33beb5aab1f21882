"""Speed of one cell. Run with ``pytest benchmarks``; never part of the tests."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks import cell
from benchmarks.cells import benchmark_cells
from benchmarks.conic_solvers import ClarabelCell
from benchmarks.contest import Contest, hold
from benchmarks.own_cell import CoreCell, PythonCell


@pytest.fixture(scope="module")
def contest() -> Contest:
    return hold(benchmark_cells(2), 5)


@pytest.mark.parametrize("kind", [CoreCell, PythonCell, ClarabelCell])
def test_time(
    benchmark: BenchmarkFixture, kind: type[CoreCell | PythonCell | ClarabelCell]
) -> None:
    tasks = [kind(data, 1e-8) for data in benchmark_cells(2)]
    benchmark(lambda: [task.solve() for task in tasks])


def test_every_cell_is_solved(contest: Contest) -> None:
    assert contest.reached(cell.CORE).all()
