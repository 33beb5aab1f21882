"""The limits of input are those of the core, in Python and in what the core says of a fault."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from kpm_fast import _core, bounds

pytestmark = pytest.mark.unsanitized

CSRC = Path(__file__).resolve().parent.parent / "csrc"
HEADER = CSRC / "include" / "kpm" / "validation.hpp"
EVEN = [0.5, 0.5]


def test_python_has_the_limits_of_the_core() -> None:
    stated = re.findall(r"^constexpr \w+ k(\w+) = ([\d.e+-]+);", HEADER.read_text("utf-8"), re.M)
    core = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper(): float(text) for name, text in stated}
    assert {name: core[name] for name in bounds.__all__} == {
        name: getattr(bounds, name) for name in bounds.__all__
    }


def rule_of(
    payoff: float = 1.0, prior: list[float] = EVEN, money: float = 0.0, aversion: float = 1.0
) -> str:
    """What the core says of a market of one claim."""
    table = np.array([[0.0, payoff]])
    fault = _core.market_fault(table, np.array(prior), np.array([money, 0.0]), aversion, 0.0)
    assert fault is not None
    return fault[1]


def test_faults_state_the_limits_they_apply() -> None:
    largest, smallest, least = bounds.LARGEST, bounds.SMALLEST, bounds.LEAST_PRIOR
    magnitude = f"must be between {-largest:g} and {largest:g}"
    assert rule_of(payoff=2 * largest) == magnitude
    assert rule_of(money=-2 * largest) == magnitude
    for aversion in (smallest / 2, 2 * largest):
        assert rule_of(aversion=aversion) == f"must be between {smallest:g} and {largest:g}"
    assert rule_of(prior=[1.0, least / 2]) == f"must be at least {least:g}"
    off = 2 * bounds.PRIOR_TOLERANCE
    assert rule_of(prior=[0.5, 0.5 + off]) == f"must sum to 1 within {bounds.PRIOR_TOLERANCE:g}"
    fault = _core.quantity_fault(np.array([2 * largest]))
    assert fault is not None
    assert fault[1] == f"must be 0 or between {smallest:g} and {largest:g}"


def test_the_text_on_threads_states_their_limit() -> None:
    """No door of Python's reaches it: settings are checked before."""
    text = (CSRC / "src" / "validate" / "fault_text.cpp").read_text("utf-8")
    assert f'return "must be between 0 and {bounds.MOST_THREADS}";' in text
