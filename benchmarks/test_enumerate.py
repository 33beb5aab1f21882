"""Speed of the enumeration. Run with ``pytest benchmarks``; never part of the tests."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks import enumerate


@pytest.mark.parametrize("orders", [8, 16])
def test_time(benchmark: BenchmarkFixture, orders: int) -> None:
    book = enumerate.growing_book(orders)
    benchmark(enumerate.clear, book, 1)
