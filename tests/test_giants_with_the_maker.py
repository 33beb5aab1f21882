"""Giants that trade with the maker himself, after which some states have no price.

Bids for all parts of a complete set leave him more than he can use in the states of the smaller
ones. What he trades beside them is decided by the other states alone, whatever the giants' size.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import kpm_fast as kpm
from strategies import examples

pytestmark = pytest.mark.cross_section

LARGE = 1e5  # shares: giants beside orders of 10 for a maker with an aversion of .01 or more


def setting(seed: int) -> tuple[kpm.Market, Callable[[float], kpm.Orders]]:
    """A random book with bids for a complete set, each in a proportion of its own."""
    rng = np.random.default_rng([15, seed])
    states = int(rng.integers(3, 6))
    owner = np.concatenate([np.arange(3), rng.integers(3, size=states - 3)])
    parts = (owner == np.arange(3)[:, None]).astype(float)
    share = rng.choice([1.0, 2.0, 3.0], 3)
    others = np.floor(5 * rng.random((int(rng.integers(1, 3)), states))) / 4
    others[:, 0] = np.where(np.ptp(others, axis=1) > 0.1, others[:, 0], 2.0)
    payoffs = np.vstack([parts * share[:, None], others])
    market = kpm.Market(
        payoffs,
        rng.dirichlet(np.full(states, 3.0)),
        inventory=rng.choice([0, 1]) * rng.normal(0, 3, states),
        risk_aversion=10.0 ** rng.uniform(-2, 0),
        ambiguity=float(rng.choice([0, 0.01, 0.1])),
    )
    low, high = payoffs.min(axis=1), payoffs.max(axis=1)
    count = int(rng.integers(6, 12))
    claim = rng.integers(len(payoffs), size=count)
    side = rng.choice([1, -1], count)
    price = low[claim] + rng.uniform(0.1, 0.9, count).round(2) * (high - low)[claim]
    quantity = rng.uniform(1, 10, count).round(1)
    value = rng.dirichlet(np.full(3, 5.0))
    limit = share * (value + rng.uniform(0.0, 0.5, 3)).clip(0.01, 0.99).round(3)
    more = rng.uniform(0.5, 2, 3).round(1)

    def book(giant: float) -> kpm.Orders:
        return kpm.Orders(
            [*claim, 0, 1, 2],
            [*side, 1, 1, 1],
            [*price, *limit],
            [*quantity, *(giant * more / share)],
        )

    return market, book


@given(st.integers(0, 2**32 - 1), st.sampled_from([10.0 ** (half / 2) for half in range(12, 27)]))
@examples(400)
@example(24, 1e11)  # -.5 where no trade is 0
@example(24, 1e13)
@example(34, 1e12)  # the right cell, at prices that were not
@example(51, 1e12)  # another cell
def test_any_size_leaves_the_maker_what_a_smaller_one_does(seed: int, size: float) -> None:
    market, book = setting(seed)
    right = kpm.clear(market, book(LARGE), threads=1)
    orders = book(size)
    result = kpm.clear(market, orders, threads=1, certificate=True)
    rounding = 1e-14 * size  # of the fills
    assert result.certainty_equivalent >= right.certainty_equivalent - 1e-6 - rounding
    assert result.certainty_equivalent >= result.no_trade_equivalent - 1e-9 - rounding
    result.verify().raise_if_failed()
    kpm.check_certificate(market, orders, result).raise_if_failed()
