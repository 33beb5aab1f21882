"""No clearing is worth less than no trade, at the ends of the range of numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import kpm_fast as kpm
from strategies import examples
from stress import families

TIE = 1e-11  # of the scale: clearings that differ by less are equally good


@pytest.mark.parametrize("method", ["branch-and-bound", "enumerate"])
@given(seed=st.integers(0, 2**32 - 1))
@examples(300)
@example(seed=334)  # each was worth less than no trade
@example(seed=452)
@example(seed=597)
@example(seed=266)
def test_books_that_need_no_maker(seed: int, method: str) -> None:
    market, orders = families.ends(np.random.default_rng(seed))
    result = kpm.clear(market, orders, method, threads=1)
    assert result.no_trade_equivalent - result.certainty_equivalent <= TIE * result.scale
    if not result.net_demand.any():
        result.verify().raise_if_failed()
