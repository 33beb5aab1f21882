"""Speed of the proof. Run with ``pytest benchmarks``; never part of the tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import kpm_fast as kpm
from benchmarks import prove
from benchmarks.cases import CASES
from benchmarks.section import Section
from benchmarks.verified import verified


@pytest.mark.parametrize("name", CASES)
def test_time(benchmark: BenchmarkFixture, name: str) -> None:
    case = CASES[name]
    result = benchmark(kpm.clear, *case.book(), tolerance=case.tolerance, threads=1)
    verified(result, name)


@pytest.mark.parametrize("measure", prove.SECTIONS.values(), ids=prove.SECTIONS.keys())
def test_targets(measure: Callable[[bool], Section]) -> None:
    missed = [target for target in measure(True).targets if not target.met]
    assert not missed
