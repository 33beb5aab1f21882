"""Implied ambiguity and the prior's projection on quotes, against theorem B and SciPy."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import minimize

import kpm_fast as kpm
from kpm_fast.paper import simulations as paper

pytestmark = pytest.mark.cross_section

SIMULATION_A = 0.66082913848379764  # KL((.18, .18, .18, .18, .28) | q), q_i ~ e^i


def uncrossed(seed: int) -> tuple[kpm.Market, kpm.Orders]:
    """A random book in which some state prices fill no order at all."""
    random = np.random.default_rng(seed)
    states, claims = int(random.integers(2, 6)), int(random.integers(1, 6))
    payoffs = random.integers(0, 3, size=(claims, states)).astype(float)
    prior = random.dirichlet(np.full(states, 3.0))
    market = kpm.Market(payoffs, prior / prior.sum(), risk_aversion=0.02)
    prices = payoffs @ random.dirichlet(np.full(states, 3.0))
    claim = random.integers(claims, size=12)
    side = random.choice([-1, 1], size=12)
    limit = prices[claim] - side * random.uniform(0.0, 0.3, size=12)
    return market, kpm.Orders(claim, side, limit, random.uniform(1.0, 20.0, size=12))


def test_simulation_a_has_the_papers_threshold() -> None:
    market = kpm.Market(np.eye(5), paper.exponential_prior())
    orders = kpm.Orders([0, 1, 2, 3, 4], 1, [0.18] * 5, [0.002, 0.001, 0.001, 0.001, 0.001])
    assert kpm.implied_ambiguity(market, orders) == pytest.approx(SIMULATION_A, rel=1e-12)


@given(st.integers(0, 10**6))
def test_trade_stops_at_the_implied_ambiguity(seed: int) -> None:
    """Theorem B: something trades below it, nothing above it, whatever the risk aversion is."""
    market, orders = uncrossed(seed)
    radius = kpm.implied_ambiguity(market, orders)
    assert 0.0 <= radius < math.inf
    for alpha in (1e-3, 1.0):
        wary = market.replace(risk_aversion=alpha, ambiguity=1.01 * radius + 1e-9)
        # Nothing is gained above it; orders exactly at their limits may still be matched.
        result = kpm.clear(wary, orders)
        assert result.certainty_equivalent == pytest.approx(0.0, abs=1e-9 * result.scale)
    assume(radius > 1e-3)
    eager = kpm.clear(market.replace(ambiguity=0.5 * radius), orders)
    assert eager.certainty_equivalent > 0.0
    assert eager.fills.sum() > 0.0


def test_the_projection_is_the_nearest() -> None:
    """Against SciPy's SLSQP on the same problem, where that succeeds: mostly."""
    solved = []

    @given(st.integers(0, 10**6))
    def compare(seed: int) -> None:
        market, orders = uncrossed(seed)
        radius = kpm.implied_ambiguity(market, orders)
        claim, q = orders.claim_index(market), market.prior
        rows = orders.side[:, None] * market.payoffs[claim]
        limits = orders.side * orders.price
        answer = minimize(
            lambda x: float(np.sum(x * np.log(np.maximum(x, 1e-300) / q))),
            q,
            jac=lambda x: np.log(np.maximum(x, 1e-300) / q) + 1.0,
            bounds=[(0.0, 1.0)] * len(q),
            constraints=[
                {"type": "eq", "fun": lambda x: x.sum() - 1.0},
                {"type": "ineq", "fun": lambda x: rows @ x - limits},
            ],
            options={"ftol": 1e-14, "maxiter": 500},
        )
        solved.append(answer.success and (rows @ answer.x - limits).min() > -1e-9)
        if solved[-1]:
            assert radius <= answer.fun + 1e-7
            assert radius == pytest.approx(answer.fun, abs=1e-5)

    compare()
    assert sum(solved) > len(solved) // 2


def test_crossed_orders_trade_at_any_ambiguity() -> None:
    market = kpm.Market(np.eye(2), [0.5, 0.5])
    same_claim = kpm.Orders([0, 0], ["buy", "sell"], [0.6, 0.4], [1.0, 1.0])
    two_claims = kpm.Orders([0, 1], "buy", [0.6, 0.5], [1.0, 1.0])
    two_at_any_price = kpm.Orders([0, 1], "buy", [math.inf, math.inf], [1.0, 1.0])
    for orders in (same_claim, two_claims, two_at_any_price):
        assert kpm.implied_ambiguity(market, orders) == math.inf


@pytest.mark.parametrize(
    ("side", "limits"), [("buy", (1, 1.5, math.inf)), ("sell", (0, -9, -math.inf))]
)
def test_a_limit_beyond_the_payoffs_counts_as_their_end(
    side: str, limits: tuple[float, ...]
) -> None:
    """Also a market order stops being worth anything: where the maker fears that state alone."""
    market = kpm.Market([[1, 0]], [0.25, 0.75], risk_aversion=0.01)
    stop = -math.log(0.25 if side == "buy" else 0.75)
    for limit in limits:
        orders = kpm.Orders([0], side, [limit], [10])
        assert kpm.implied_ambiguity(market, orders) == pytest.approx(stop, rel=1e-12)
        for share, gains in ((0.9, True), (1.0, False), (2.0, False)):
            result = kpm.clear(market.replace(ambiguity=share * stop), orders)
            assert (result.gain > 1e-9 * result.scale) is gains


@given(st.integers(0, 10**6), st.floats(0.0, 3.0))
def test_how_far_limits_lie_beyond_the_payoffs_does_not_matter(seed: int, far: float) -> None:
    random = np.random.default_rng(seed)
    market, orders = uncrossed(seed)
    row = random.integers(len(orders))
    low, high = market.payoffs.min(axis=1), market.payoffs.max(axis=1)
    claim = orders.claim_index(market)
    end = np.where(orders.side > 0, high[claim], low[claim])
    raised = []
    for beyond in (0.0, far, math.inf):
        price = orders.price.copy()
        price[row] = end[row] + orders.side[row] * beyond
        raised.append(kpm.Orders(orders.claim, orders.side, price, orders.quantity))
    radii = {kpm.implied_ambiguity(market, each) for each in raised}
    assert len(radii) == 1


def orders_with(orders: kpm.Orders, market: kpm.Market, **changes: Any) -> kpm.Orders:
    """The orders with some of their columns replaced; claims are numbers."""
    columns = {
        "claim": orders.claim_index(market),
        "side": orders.side,
        "price": orders.price,
        "quantity": orders.quantity,
    }
    return kpm.Orders(**(columns | changes))


@given(st.integers(0, 10**6), st.data())
def test_equal_books_imply_one_ambiguity(seed: int, data: st.DataObject) -> None:
    market, orders = uncrossed(seed)
    random = np.random.default_rng([seed, 1])
    radius = kpm.implied_ambiguity(market, orders)
    claim = orders.claim_index(market)

    # States, claims and orders in another order.
    states, claims = random.permutation(len(market.states)), random.permutation(len(market.claims))
    moved = kpm.Market(
        market.payoffs[np.ix_(claims, states)], market.prior[states], risk_aversion=0.02
    )
    rows = random.permutation(len(orders))
    shuffled = orders_with(orders[rows], market, claim=np.argsort(claims)[claim[rows]])
    assert kpm.implied_ambiguity(moved, shuffled) == pytest.approx(radius, rel=1e-9, abs=1e-12)

    # In other units, with parts for orders, and beside orders that no bid or offer is worse than.
    bits = float(2 ** data.draw(st.integers(-30, 30)))
    scaled = market.replace(payoffs=market.payoffs * bits)
    dear = orders_with(orders, market, price=orders.price * bits)
    assert kpm.implied_ambiguity(scaled, dear) == radius
    for unit in (1e-6, 1e6):
        scaled = market.replace(payoffs=market.payoffs * unit)
        dear = orders_with(orders, market, price=orders.price * unit)
        assert kpm.implied_ambiguity(scaled, dear) == pytest.approx(radius, rel=1e-9, abs=1e-12)
    twice = np.repeat(np.arange(len(orders)), 2)
    parts = orders_with(orders[twice], market, quantity=orders.quantity[twice] / 3)
    assert kpm.implied_ambiguity(market, parts) == radius
    worse = orders_with(orders, market, price=orders.price - orders.side * random.exponential(1.0))
    beside = kpm.Orders(
        np.append(claim, claim),
        np.append(orders.side, worse.side),
        np.append(orders.price, worse.price),
        np.append(orders.quantity, worse.quantity),
    )
    assert kpm.implied_ambiguity(market, beside) == radius


def test_orders_of_no_quantity_do_not_count() -> None:
    market = kpm.Market(np.eye(2), [0.5, 0.5])
    orders = kpm.Orders([0, 0], "buy", [0.6, 0.9], [1.0, 0.0])
    expected = 0.6 * math.log(1.2) + 0.4 * math.log(0.8)
    assert kpm.implied_ambiguity(market, orders) == pytest.approx(expected, rel=1e-12)
    assert kpm.implied_ambiguity(market, orders[:0]) == 0.0


def test_wealth_must_be_the_same_in_every_state() -> None:
    market = kpm.Market(np.eye(2), [0.5, 0.5], [3.0, 4.0], states=["up", "down"])
    orders = kpm.Orders([0], "buy", [0.6], [1.0])
    with pytest.raises(kpm.InputError, match=r"inventory.*down.*3\.0 and 4\.0"):
        kpm.implied_ambiguity(market, orders)
    nearly = market.replace(inventory=[0.1 + 0.2, 0.3])
    with pytest.raises(kpm.InputError, match=r"got 0\.30000000000000004 and 0\.3$"):
        kpm.implied_ambiguity(nearly, orders)
    constant = market.replace(inventory=[3.0, 3.0])
    assert kpm.implied_ambiguity(constant, orders) > 0.0


def test_a_prior_from_quotes_meets_them() -> None:
    payoffs = [[1, 0, 0], [0, 1, 0], [0, 1, 2]]
    low, high = [0.2, 0.3, -math.inf], [0.25, 0.3, 1.5]
    prior = kpm.prior_from_quotes(payoffs, low, high)
    prices = np.array(payoffs) @ prior
    assert prior.sum() == pytest.approx(1.0, abs=1e-15)
    assert not prior.flags.writeable
    assert np.all(prices >= np.array(low) - 1e-15)
    assert np.all(prices <= np.array(high) + 1e-15)
    assert kpm.Market(payoffs, prior).prior == pytest.approx(prior)


@given(st.integers(0, 10**6), st.integers(-30, 30))
def test_equal_quotes_have_one_prior(seed: int, power: int) -> None:
    """In another order, in other units, and beside quotes that bind nothing."""
    random = np.random.default_rng(seed)
    states, claims = int(random.integers(2, 7)), int(random.integers(1, 6))
    payoffs = random.integers(0, 3, size=(claims, states)).astype(float)
    fair = payoffs @ random.dirichlet(np.full(states, 1.0))
    bid, ask = fair - random.uniform(0, 0.1, claims), fair + random.uniform(0, 0.1, claims)
    prior = kpm.prior_from_quotes(payoffs, bid, ask)
    state, claim = random.permutation(states), random.permutation(claims)
    moved = kpm.prior_from_quotes(payoffs[np.ix_(claim, state)], bid[claim], ask[claim])
    assert moved == pytest.approx(prior[state], abs=1e-9)
    unit = 2.0**power
    assert (
        kpm.prior_from_quotes(payoffs * unit, bid * unit, ask * unit).tobytes() == prior.tobytes()
    )
    dear = kpm.prior_from_quotes(payoffs * 1e6, bid * 1e6, ask * 1e6)
    assert dear == pytest.approx(prior, abs=1e-9)
    more = np.vstack([payoffs, payoffs])
    wider = random.exponential(1.0, claims)
    for low, high in ((bid - wider, ask + wider), (np.full(claims, -np.inf), wider + np.inf)):
        beside = kpm.prior_from_quotes(more, np.append(bid, low), np.append(ask, high))
        assert beside == pytest.approx(prior, abs=1e-9)


@pytest.mark.parametrize(
    ("bid", "ask", "message"),
    [
        ([0.5, 0.6], [0.4, 0.7], r"bid.*'0'.*0\.5 above 0\.4"),
        ([0.1 + 0.2, 0.6], [0.3, 0.7], r"got 0\.30000000000000004 above 0\.3$"),
        ([0.6, 0.6], [0.7, 0.7], r"bid, ask.*no probabilities"),
        ([math.nan, 0.6], [0.7, 0.7], r"bid.*-inf where there is no quote.*nan"),
        ([0.1, 0.6], [0.7, math.nan], r"ask.*\(inf where there is no quote.*nan"),
        ([5.0, 0.6], [5.0, 0.7], r"within their quotes$"),
        ([0.6], [0.7], r"bid.*2 claims"),
    ],
)
def test_quotes_that_cannot_be_met_are_refused(
    bid: list[float], ask: list[float], message: str
) -> None:
    with pytest.raises(kpm.InputError, match=message):
        kpm.prior_from_quotes(np.eye(2), bid, ask)


@given(st.lists(st.floats(0.05, 1.0), min_size=2, max_size=6), st.floats(1.02, 1.6), st.booleans())
def test_the_message_says_how_much_wider_quotes_must_be(
    weights: list[float], over: float, scaled: bool
) -> None:
    """For mid prices of exclusive claims that add up to more than one."""
    count = len(weights)
    span = 100.0 if scaled else 1.0
    mid = np.array(weights) / sum(weights) * over
    low, high = 0.0, 1.0  # of the least t with sum of max(mid - t, 0) <= 1
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if np.maximum(mid - middle, 0).sum() <= 1 else (middle, high)
    assume(mid.max() < 1.0 + high)
    payoffs = span * np.eye(count)
    said = r"all would if wider by (\S+) % of the claim's payoff range on either side"
    with pytest.raises(kpm.InputError, match=said) as caught:
        kpm.prior_from_quotes(payoffs, span * mid, span * mid)
    (percent,) = re.findall(said, str(caught.value))
    share = float(percent) / 100.0
    assert high - 1e-6 <= share <= 1.11 * high
    bid, ask = span * (mid - share - 1e-6), span * (mid + share + 1e-6)
    assert kpm.prior_from_quotes(payoffs, bid, ask).sum() == pytest.approx(1.0, abs=1e-12)
