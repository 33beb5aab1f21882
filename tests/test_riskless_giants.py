"""Giants on several claims that trade with each other, in which the maker takes no part.

Complements, a complete set, or a claim against its parts pay the same in every state. A vast trade
of that kind must not cost what trades beside it its digits.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import kpm_fast as kpm
from adapter import assert_same_bits
from complete_sets import Setting, draw_complete_set
from readme_book import FILLS, README, VALUE, orders_with
from strategies import METHODS, examples

pytestmark = pytest.mark.cross_section

# (claim, side, limit, relative quantity): limits that cross at any state prices.
TRADES = {
    "complement": [("home or draw", "buy", 0.8, 1), ("away", "buy", 0.3, 1)],
    "complement offered": [("home or draw", "sell", 0.7, 1), ("away", "sell", 0.2, 1)],
    "one is left over": [("home or draw", "buy", 0.8, 1), ("away", "buy", 0.24, 2)],
    "complete set": [("home", "buy", 0.6, 1), ("draw", "buy", 0.35, 1), ("away", "buy", 0.25, 1)],
    "set offered": [("home", "sell", 0.5, 1), ("draw", "sell", 0.15, 1), ("away", "sell", 0.15, 1)],
    "parts": [("home", "buy", 0.6, 1), ("draw", "buy", 0.35, 1), ("home or draw", "sell", 0.7, 1)],
}


@METHODS
@pytest.mark.parametrize("size", [1e6, 1e9, 1e12, 1e13])
@pytest.mark.parametrize("trade", TRADES)
def test_the_book_of_the_readme(trade: str, size: float, method: str) -> None:
    """At 1e9 shares the maker's trade was once 1 % off; at 1e12 there was none."""
    giants = [(claim, side, limit, size * share) for claim, side, limit, share in TRADES[trade]]
    orders = orders_with(*giants)
    result = kpm.clear(README, orders, method, certificate=method != "enumerate")
    assert result.status is kpm.Status.OPTIMAL
    assert result.gap < 1e-8
    assert result.certainty_equivalent == pytest.approx(VALUE, abs=1e-9)
    if trade != "one is left over":  # on the limit that is the price
        np.testing.assert_allclose(result.fills[:5], FILLS, rtol=0, atol=1e-5)
    result.verify().raise_if_failed()
    if result.certificate is not None:
        kpm.check_certificate(README, orders, result).raise_if_failed()


def setting(seed: int) -> Setting:
    """A random book with giants on a complete set, of a size to be chosen."""
    rng = np.random.default_rng(seed)
    drawn = draw_complete_set(rng)
    direction = int(rng.choice([1, -1]))
    value = rng.dirichlet(np.full(3, 5.0))
    edge = direction * rng.uniform(0.01, 0.1, 3)
    limit = drawn.share * (value + edge).clip(0.01, 0.99).round(3)
    return drawn.with_giants(direction, limit, rng.choice([1.0, 1.0, 1.5], 3))


def small_clearing(market: kpm.Market, book: Callable[[float], kpm.Orders]) -> kpm.Result:
    """The clearing with giants just large enough, if the maker takes no large part in it."""
    small = kpm.clear(market, book(3e4), threads=1)
    assume(np.abs(small.payoff - market.inventory).max() < 1e3)
    return small


@given(st.integers(0, 2**32 - 1), st.sampled_from([10.0 ** (half / 2) for half in range(9, 25)]))
@examples(400)
@example(145, 1e9)  # limits that add up to nearly the set's worth
@example(993, 1e11)
def test_any_book_with_giants_that_trade_riskless(seed: int, size: float) -> None:
    market, book = setting(seed)
    right = small_clearing(market, book).certainty_equivalent
    orders = book(size)
    result = kpm.clear(market, orders, threads=1, certificate=True)
    assert_same_bits(kpm.clear(market, orders, threads=1), result, bound=False)
    rounding = (
        4 * np.finfo(float).eps * size
    )  # what the proof, in figures of the whole, leaves open
    assert result.status is kpm.Status.OPTIMAL or result.gap <= rounding
    result.verify().raise_if_failed()
    kpm.check_certificate(market, orders, result).raise_if_failed()
    slack = 1e-6 + 1e-14 * size  # of quantities beside the giants', on the same limit
    assert result.certainty_equivalent == pytest.approx(right, abs=slack)


@METHODS
@pytest.mark.parametrize("presolve", [True, False])
def test_what_is_bought_and_sold_back_leaves_no_rounding(method: str, presolve: bool) -> None:
    """A riskless trade that is undone was published as a revenue of 2e-16, and failed `verify`."""
    market = kpm.Market(
        [[2, 1], [-4, -5]], [4 / 11, 7 / 11], risk_aversion=10.0, ambiguity=1.0, inventory=[0.5, 0]
    )
    orders = kpm.Orders(
        [1, 0, 0, 0, 1, 1, 1],
        [-1, -1, 1, 1, -1, -1, -1],
        [-4.1, 2.0, 0.5000000000000001, 1.2500000000000002, -4.0, -3.5, -4.75],
        [1e6, 0.5, 1.0, 1.0, 2.0, 0.5, 0.5],
    )
    kpm.clear(market, orders, method, presolve=presolve, threads=1).verify().raise_if_failed()
    market = market.replace(inventory=[0.0, 0.0])
    result = kpm.clear(market, orders, method, presolve=presolve, threads=1)
    assert not result.net_demand.any()
    assert result.revenue == 0.0
    assert result.payoff.tolist() == [0.0, 0.0]
    result.verify().raise_if_failed()
