"""Speed of the proof. Run with ``pytest benchmarks``; never part of the tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import kpm_fast as kpm
from benchmarks import books, prove
from benchmarks.section import Section
from benchmarks.verified import verified

BOOKS = {
    "simulation A": lambda: books.simulation_a(0.4),
    "Arrow-Debreu, 100,000 orders": lambda: books.arrow_debreu(10**5),
    "random claims": lambda: books.random_claims(20, 20, 2000, seed=0, stake=10.0),
}


@pytest.mark.parametrize("name", BOOKS)
def test_time(benchmark: BenchmarkFixture, name: str) -> None:
    market, orders = BOOKS[name]()
    result = benchmark(kpm.clear, market, orders, tolerance=prove.GAP)
    verified(result, name)


@pytest.mark.parametrize("measure", prove.SECTIONS.values(), ids=prove.SECTIONS.keys())
def test_targets(measure: Callable[[bool], Section]) -> None:
    missed = [target for target in measure(True).targets if not target.met]
    assert not missed
