"""States and claims that nothing tells apart are put in order in time linear in their number."""

from __future__ import annotations

import numpy as np
import pytest

import kpm_fast as kpm

MANY = 400_000  # ten minutes where each is compared with each


@pytest.mark.parametrize("shape", [(2, MANY), (MANY, 2)], ids=["states", "claims"])
def test_many_alike_take_no_longer_than_their_number(shape: tuple[int, int]) -> None:
    states = shape[1]
    market = kpm.Market(np.eye(*shape), np.full(states, 1 / states), risk_aversion=0.01)
    result = kpm.clear(market, kpm.Orders([0], "buy", 0.6, 1.0))
    assert result.status is kpm.Status.OPTIMAL
    assert result.fills.tolist() == [1.0]
    assert result.claim_prices[0] == pytest.approx(0.6, abs=1e-9)
