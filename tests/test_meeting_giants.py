"""Giants that trade with each other: what the maker trades is the same as if they were small.

A vast bid and a vast offer of one claim, on one limit or crossed, net to nearly nothing. The
difference of the two must not cost what trades beside them its digits.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

import kpm_fast as kpm
from adapter import assert_same_bits
from complete_sets import draw_market, draw_rows
from readme_book import FILLS, README, VALUE, orders_with
from strategies import METHODS, examples

pytestmark = pytest.mark.cross_section

SIZES = st.sampled_from([10.0 ** (half / 2) for half in range(2, 25)])
LARGE = 3e4  # enough for them to meet, unless the maker takes a large part


@METHODS
@pytest.mark.parametrize("size", [1e3, 1e6, 1e9, 1e12])
@pytest.mark.parametrize(("bid", "offer"), [(0.6, 0.5), (0.57, 0.55), (0.99, 0.01)])
def test_crossed_giants_leave_the_clearing_of_the_readme(bid, offer, size: float, method) -> None:
    orders = orders_with(("home", "buy", bid, size), ("home", "sell", offer, size))
    result = kpm.clear(README, orders, method)
    assert result.status is kpm.Status.OPTIMAL
    np.testing.assert_allclose(result.fills[:5], FILLS, rtol=0, atol=1e-9)
    np.testing.assert_allclose(result.fills[5:], size, rtol=1e-15)
    assert result.certainty_equivalent == pytest.approx(VALUE, abs=1e-12)
    result.verify().raise_if_failed()


@METHODS
@pytest.mark.parametrize("size", [1e3, 1e6, 1e9, 1e12])
def test_giants_on_the_limit_that_is_the_price(size: float, method: str) -> None:
    """The limit .56 is the price anyway: only who trades there changes."""
    orders = orders_with(("home", "buy", 0.56, size), ("home", "sell", 0.56, size))
    result = kpm.clear(README, orders, method)
    assert result.status is kpm.Status.OPTIMAL
    np.testing.assert_allclose(result.fills[1:5], FILLS[1:], rtol=0, atol=1e-9)
    assert result.net_demand[0] == pytest.approx(FILLS[0], abs=1e-9)
    assert result.certainty_equivalent == pytest.approx(VALUE, abs=1e-12)
    result.verify().raise_if_failed()


def worth(net: float, price: float, inventory: float, averse: float) -> float:
    """Return the certainty equivalent of selling `net` shares that pay in one state of five."""
    utility = np.array([inventory - net, inventory, inventory, inventory, 0.0]) + price * net
    return -np.log(np.mean(np.exp(-averse * utility))) / averse


@METHODS
@pytest.mark.parametrize("size", [1e3, 1e6, 1e9, 1e12])
@pytest.mark.parametrize("price", [0.05, 0.1, 0.3])
def test_giants_alone_in_their_book(price: float, size: float, method: str) -> None:
    """The unit of money can come from nothing but the maker's own trade."""
    market = kpm.Market(
        [[1, 0, 0, 0, 0]],
        [0.2] * 5,
        inventory=[-1, -1, -1, -1, 0],
        risk_aversion=0.5,
        ambiguity=0,
    )
    orders = kpm.Orders([0, 0], ["buy", "sell"], [price, price], [size, size])
    result = kpm.clear(market, orders, method, threads=1)
    # The first-order condition: e^(a net) (1 - price) = price (what the other states weigh).
    rest = 3 + np.exp(-0.5)
    net = np.log(price / (1 - price) * rest) / 0.5
    right = worth(net, price, -1.0, 0.5)
    best = minimize_scalar(lambda y: -worth(y, price, -1.0, 0.5), bracket=(-5, 5))
    assert right == pytest.approx(-best.fun, abs=1e-12)
    assert result.status is kpm.Status.OPTIMAL
    assert result.net_demand[0] == pytest.approx(net, abs=1e-3)
    assert result.certainty_equivalent == pytest.approx(right, abs=1e-6)
    result.verify().raise_if_failed()


def proven(market: kpm.Market, orders: kpm.Orders) -> kpm.Result:
    """The optimal clearing, its figures and its proof checked."""
    result = kpm.clear(market, orders, threads=1, certificate=True)
    assert_same_bits(kpm.clear(market, orders, threads=1), result, bound=False)
    assert result.status is kpm.Status.OPTIMAL
    assert result.certainty_equivalent >= result.no_trade_equivalent - 1e-10
    result.verify().raise_if_failed()
    kpm.check_certificate(market, orders, result).raise_if_failed()
    return result


@given(st.integers(0, 2**32 - 1), SIZES)
@examples(400)
@example(5711525, 1e4)  # was worth less than no trade
@example(466, 3e4)
def test_any_book_with_giants_that_meet(seed: int, size: float) -> None:
    """Against the same book with bids and offers that are just large enough to meet."""
    rng = np.random.default_rng(seed)
    states, claims = int(rng.integers(3, 6)), int(rng.integers(1, 4))
    payoffs = rng.random((claims, states))
    if rng.random() < 0.5:
        payoffs = np.floor(5 * payoffs) / 4
    assume((np.ptp(payoffs, axis=1) > 0.1).all())
    market = draw_market(rng, payoffs)
    rows = draw_rows(rng, payoffs)
    low, high = payoffs.min(axis=1), payoffs.max(axis=1)
    of = int(rng.integers(claims))
    where = np.sort(low[of] + rng.uniform(0.2, 0.8, 2).round(2) * (high - low)[of])
    bid, offer = where[1], where[rng.integers(2)]
    more = [1.0, float(rng.choice([1.0, 1.0, 2.0]))]

    def book(giant: float) -> kpm.Orders:
        return kpm.Orders(
            [*rows.claim, of, of],
            [*rows.side, 1, -1],
            [*rows.price, bid, offer],
            [*rows.quantity, giant * more[0], giant * more[1]],
        )

    result = proven(market, book(size))
    small = kpm.clear(market, book(LARGE), threads=1)
    assume(size >= LARGE and np.abs(small.net_demand).max() < 1e3)
    rounding = 2e-15 * size  # of quantities beside the giants', on the same limit
    assert result.certainty_equivalent == pytest.approx(
        small.certainty_equivalent, abs=1e-8 + rounding
    )
    np.testing.assert_allclose(result.net_demand, small.net_demand, rtol=0, atol=1e-3 + rounding)


@METHODS
@pytest.mark.parametrize("size", [1e12, 1e20, 1e29])
def test_a_loss_is_no_rounding_of_the_giants(size: float, method: str) -> None:
    """Crossed complements set the unit of money: a loss below its last digit is still a loss."""
    market = kpm.Market([[1.0, 0.0], [0.0, 1.0]], [0.5, 0.5], risk_aversion=0.25, ambiguity=0.0)
    orders = kpm.Orders(
        [1, 1, 0, 0], ["sell", "buy", "buy", "buy"], [0.0, 0.9, 0.0, 0.1], [1.0, size, size, size]
    )
    kpm.clear(market, orders, method, threads=1).verify().raise_if_failed()


@given(st.integers(0, 2**32 - 1), SIZES)
@examples(400)
@example(43, 1e8)  # was worth less than no trade
@example(1484, 1e10)
def test_any_two_giants_alone_in_their_book(seed: int, size: float) -> None:
    """Crossed or on one limit: the maker's aversion and inventory are all that says what counts."""
    rng = np.random.default_rng(seed)
    payoffs = rng.random((1, int(rng.integers(2, 6)))).round(2)
    if rng.random() < 0.5:
        payoffs = (np.arange(payoffs.size) < rng.integers(1, payoffs.size))[None].astype(float)
    assume(np.ptp(payoffs) > 0.1)
    states = payoffs.size
    market = kpm.Market(
        payoffs,
        rng.dirichlet(np.full(states, 3.0)),
        inventory=rng.normal(0, 3, states),
        risk_aversion=10.0 ** rng.uniform(-2, 0),
        ambiguity=float(rng.choice([0, 0.01, 0.1])),
    )
    offer, bid = np.sort(payoffs.min() + rng.uniform(0.05, 0.95, 2) * np.ptp(payoffs))
    offer = rng.choice([offer, bid])
    more = float(rng.choice([1.0, 1.5, 0.7]))

    def book(giant: float) -> kpm.Orders:
        return kpm.Orders([0, 0], ["buy", "sell"], [bid, offer], [giant, giant * more])

    result = proven(market, book(size))
    small = kpm.clear(market, book(LARGE), threads=1)
    assume(size >= LARGE and np.abs(small.net_demand).max() < 2e3)
    assert result.certainty_equivalent == pytest.approx(small.certainty_equivalent, abs=1e-6)


@pytest.mark.parametrize("giant", [1.611e7, 3e11, 7e15])
def test_a_giant_that_stays_unfilled_costs_a_bid_at_its_limit_no_digit(giant: float) -> None:
    """The bid was counted as the step less the offer: 14.02 to the digits of a giant."""
    market = kpm.Market([[-2e5, -8e4], [5e3, -3e3]], [0.4, 0.6], risk_aversion=30, ambiguity=0.01)
    orders = kpm.Orders(
        [1, 0, 1], ["buy", "buy", "sell"], [500, 20000, 500], [14.02, 1208.0, giant]
    )
    result = kpm.clear(market, orders)
    assert result.fills.tolist() == [14.02, 1208.0, 0.0]
    assert result.net_demand.tolist() == [1208.0, 14.02]
    result.verify().raise_if_failed()
