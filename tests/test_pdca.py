"""PDCA's fills against its linear program, and what they share with CPCAM's."""

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog

import kpm_fast as kpm
from strategies import fewer

pytestmark = pytest.mark.cross_section

ON_LIMIT = 1e-9
BOOKS = fewer(100, 20)


def open_book(seed):
    """Limits at the prices of the starting orders, so that optimal fills are mostly a face."""
    rng = np.random.default_rng(seed)
    n_states = int(rng.integers(2, 7))
    delta = rng.integers(1, 6, n_states).astype(float)
    prices = delta / delta.sum()
    groups = rng.permuted(np.arange(n_states) % rng.integers(2, n_states + 1))
    payoffs = np.array([groups == group for group in range(groups.max() + 1)], dtype=float)
    extra = (rng.random((rng.integers(0, 3), n_states)) < 0.5).astype(float)
    payoffs = np.vstack([payoffs, extra[extra.any(axis=1) & ~extra.all(axis=1)]])
    count = int(rng.integers(len(payoffs), 4 * len(payoffs)))
    claim = np.concatenate([np.arange(len(payoffs)), rng.integers(0, len(payoffs), count)])
    side = np.where(np.arange(len(claim)) < len(payoffs), 1, rng.choice([-1, 1], len(claim)))
    price = (payoffs @ prices)[claim]
    away = rng.random(len(claim)) < 0.3
    price[away] += side[away] * rng.uniform(-0.2, 0.2, np.count_nonzero(away))
    orders = kpm.Orders(claim, side, price, rng.integers(1, 20, len(claim)).astype(float))
    return payoffs, orders, delta


def greatest_payout(payoffs, orders, state_prices, delta):
    """max M subject to A x + delta / p = M and the limit order logic at p."""
    inside = orders.side * (orders.price - (payoffs @ state_prices)[orders.claim])
    low = np.where(inside > ON_LIMIT, orders.quantity, 0.0)
    high = np.where(inside < -ON_LIMIT, 0.0, orders.quantity)
    paid = (orders.side[:, None] * payoffs[orders.claim]).T
    solved = linprog(
        np.append(np.zeros(len(orders)), -1.0),
        A_eq=np.column_stack([paid, -np.ones(len(delta))]),
        b_eq=-delta / state_prices,
        bounds=[*zip(low, high, strict=True), (None, None)],
    )
    assert solved.success
    return -solved.fun


@pytest.mark.parametrize("seed", range(BOOKS))
def test_the_payout_is_that_of_the_linear_program(seed):
    payoffs, orders, delta = open_book(seed)
    market = kpm.Market(payoffs, maker=kpm.StartingOrders(delta))
    result = kpm.clear(market, orders, rule="pdca")
    cpcam = kpm.clear(market, orders, rule="competitive")
    assert result.status is kpm.Status.OPTIMAL
    assert result.verify()
    np.testing.assert_allclose(result.state_prices, cpcam.state_prices, rtol=1e-9)
    assert result.certainty_equivalent == pytest.approx(
        cpcam.certainty_equivalent, abs=1e-9 * (1 + cpcam.scale)
    )
    level = result.net_demand @ payoffs + delta / result.state_prices
    np.testing.assert_allclose(level, level[0], rtol=1e-9)
    most = greatest_payout(payoffs, orders, result.state_prices, delta)
    assert level[0] == pytest.approx(most, rel=1e-9)


def test_the_books_are_mostly_faces():
    # Otherwise the test above would not show which of the optimal fills is taken.
    more = 0
    for seed in range(BOOKS):
        payoffs, orders, delta = open_book(seed)
        market = kpm.Market(payoffs, maker=kpm.StartingOrders(delta))
        payouts = [
            (kpm.clear(market, orders, rule=rule).net_demand @ payoffs).max()
            for rule in ("pdca", "competitive")
        ]
        more += payouts[0] > payouts[1] * (1 + 1e-6) + 1e-6
    assert more >= 0.3 * BOOKS


def test_the_order_of_the_book_changes_nothing():
    payoffs, orders, delta = open_book(7)
    rng = np.random.default_rng(0)
    states, listed = rng.permutation(len(delta)), rng.permutation(len(orders))
    market = kpm.Market(payoffs, maker=kpm.StartingOrders(delta))
    permuted = kpm.Market(payoffs[:, states], maker=kpm.StartingOrders(delta[states]))
    other = kpm.Orders(
        orders.claim[listed], orders.side[listed], orders.price[listed], orders.quantity[listed]
    )
    one = kpm.clear(market, orders, rule="pdca")
    two = kpm.clear(permuted, other, rule="pdca")
    np.testing.assert_allclose(one.fills[listed], two.fills, atol=1e-9 * orders.quantity.sum())


def test_orders_inside_their_limits_keep_their_surplus(tmp_path):
    market, orders = kpm.read_book(Path(__file__).parent.parent / "examples" / "race_card")
    market = market.replace(maker=kpm.StartingOrders([2.0] * 6))
    result = kpm.clear(market, orders, rule="pdca")
    cpcam = kpm.clear(market, orders, rule="competitive")
    assert result.surplus > 0.1
    assert result.verify()
    assert result.objective == pytest.approx(cpcam.objective, rel=1e-10)
    assert result.certainty_equivalent == pytest.approx(cpcam.certainty_equivalent, rel=1e-10)
    result.save(tmp_path / "clearing.kpm")
    assert kpm.Result.load(tmp_path / "clearing.kpm") == result


def test_an_empty_book_and_one_state():
    market = kpm.Market(np.eye(2), maker=kpm.StartingOrders([50, 100]))
    nothing = kpm.clear(market, kpm.Orders([], [], [], []), rule="pdca")
    np.testing.assert_allclose(1 / nothing.state_prices, [3, 1.5])
    single = kpm.Market([[1.0]], maker=kpm.StartingOrders([2.0]))
    result = kpm.clear(single, kpm.Orders([0], ["buy"], [1.0], [3.0]), rule="pdca")
    assert result.status is kpm.Status.OPTIMAL
    assert result.verify()
