"""Speed of the enumeration. Run with ``pytest benchmarks``; never part of the tests."""

from __future__ import annotations

import os

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks import enumerate


@pytest.mark.parametrize("orders", [8, 16])
def test_time(benchmark: BenchmarkFixture, orders: int) -> None:
    book = enumerate.growing_book(orders)
    benchmark(enumerate.clear, book, 1)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two cores")
def test_speed_up() -> None:
    report = enumerate.speed_up(levels=3, rounds=3)
    assert report["one"]["solved"] >= 10_000
    assert report["best"] >= enumerate.TARGET
