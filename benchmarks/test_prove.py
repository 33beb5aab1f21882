"""Speed of the proof. Run with ``pytest benchmarks``; never part of the tests."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import kpm_fast as kpm
from benchmarks.cases import CASES
from benchmarks.verified import verified


@pytest.mark.parametrize("name", CASES)
def test_time(benchmark: BenchmarkFixture, name: str) -> None:
    case = CASES[name]
    result = benchmark(kpm.clear, *case.book(), tolerance=case.tolerance, threads=1)
    verified(result, name)
