"""Which of several optimal answers is given: the one closest to the prior, never by accident."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

import kpm_fast as kpm
from adapter import clear
from strategies import METHODS, books, examples
from test_cells import pieces_of
from witness import Book

FLOOR = 1e-12  # state prices below it count as zero


def divergence_gap(book: Book, result: kpm.Result) -> float:
    """How far xi may be from the least KL(xi|q) among the optimal prices of its cell.

    KL is convex, so its linearisation at xi bounds what any other point gains: a linear programme.
    """
    payoffs, xi = book.payoffs, result.state_prices
    pieces = pieces_of(book, result.cell)
    revenue = np.zeros(book.states)
    equal, target, below, bound = [np.ones(book.states)], [1.0], [], []
    for payoff, piece in zip(payoffs, pieces, strict=True):
        if piece.is_step:
            equal.append(payoff)
            target.append(float(payoff @ xi))  # the limit, but for rounding
            continue
        revenue += piece.demand_low * payoff
        low, high = max(piece.price_low, payoff.min()), min(piece.price_high, payoff.max())
        below += [payoff, -payoff]
        bound += [max(high, float(payoff @ xi)), -min(low, float(payoff @ xi))]
    below.append(-revenue)
    bound.append(-float(revenue @ xi))
    size = np.abs(np.array(below)).max(axis=1)
    size[size == 0] = 1.0
    slope = np.log(np.maximum(xi, FLOOR) / book.prior)
    solution = linprog(
        slope,
        A_ub=np.array(below) / size[:, None],
        b_ub=np.array(bound) / size,
        A_eq=np.array(equal),
        b_eq=np.array(target),
        bounds=(0, 1),
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    assert solution.status in (0, 2), solution.message
    return 0.0 if solution.status == 2 else float(slope @ xi - solution.fun)


@given(books())
@examples(150)
def test_state_prices_are_the_closest_to_the_prior(book):
    result = clear(book)
    assert divergence_gap(book, result) <= 1e-6


@given(books(max_orders=3))
@examples(60)
def test_repeating_a_clearing_repeats_every_bit(book):
    first, second = clear(book), clear(book)
    assert first.state_prices.tobytes() == second.state_prices.tobytes()
    assert first.fills.tobytes() == second.fills.tobytes()


@pytest.mark.parametrize("ambiguity", [0.0, 0.1, np.inf])
def test_without_orders_prices_are_the_prior(ambiguity):
    prior = np.array([0.2, 0.3, 0.5])
    market = kpm.Market(np.eye(3), prior, ambiguity=ambiguity)
    result = kpm.clear(market, kpm.Orders([], [], [], []), threads=1)
    np.testing.assert_allclose(result.state_prices, prior, rtol=1e-9)
    assert result.verify()


def test_symmetric_orders_get_symmetric_answers():
    """Two states and two mirror-image bids: neither is favoured."""
    market = kpm.Market(np.eye(2), [0.5, 0.5], ambiguity=0.1)
    orders = kpm.Orders([0, 1], 1, 0.4, 1.0)
    result = kpm.clear(market, orders, threads=1)
    np.testing.assert_allclose(result.state_prices, [0.5, 0.5], atol=1e-9)
    np.testing.assert_array_equal(result.fills, [0.0, 0.0])
    assert result.verify()


@pytest.mark.parametrize("away", [0.0, 1e-14, 1e-12, 1e-11, 1e-9, 1e-7, 1e-5, 1e-3])
def test_a_limit_next_to_the_least_payoff(away):
    """State prices are left a sliver: the first claim's price is within ``away`` of its limit."""
    market = kpm.Market(
        [[4, 3, 2, 1, 0], [-2, -2, -1, -1, -1]], np.full(5, 0.2), risk_aversion=0.5, ambiguity=0
    )
    orders = kpm.Orders([1, 0], [-1, -1], [-2 + away, 3], [1.0, 1.0])
    result = kpm.clear(market, orders, threads=1)
    verification = result.verify()
    assert verification, str(verification)
    # What the last three states may have together; the first makes up for it in the first claim.
    np.testing.assert_allclose(result.state_prices[2:].sum(), away, atol=1e-12)
    assert result.state_prices[0] == pytest.approx(3 * away, rel=0.02, abs=1e-12)


@given(books(max_orders=5), st.data())
@examples(200)
def test_limits_next_to_the_ends_of_payoffs(book, data):
    """Every clearing is verified: prices, fills, and how near the prior the state prices are."""
    price = book.price.copy()
    for order, claim in enumerate(book.claim):
        low, high = book.payoffs[claim].min(), book.payoffs[claim].max()
        away = data.draw(st.sampled_from([1e-13, 1e-11, 1e-9, 1e-6])) * (high - low)
        price[order] = data.draw(st.sampled_from([low + away, high - away, price[order]]))
    clear(book.with_(price=price))


@pytest.mark.parametrize("method", ["auto", "enumerate"])
def test_a_hedge_small_next_to_its_order_is_kept(method):
    """An order for forty million hedges half a unit of money: half a share is not nothing."""
    market = kpm.Market(
        np.eye(2), [0.5, 0.5], inventory=[0.5, 0.0], risk_aversion=1e-7 / 4.5, ambiguity=1.0
    )
    orders = kpm.Orders([1, 0], [-1, 1], [0.0625, 0.0], [4e7, 5e6])
    result = kpm.clear(market, orders, method, threads=1)
    assert result.status is kpm.Status.OPTIMAL
    assert result.verify()
    # The worst state alone counts: half a share for 0.0625 a share makes both states alike.
    assert result.certainty_equivalent == pytest.approx(0.46875, rel=1e-4)
    assert result.net_demand[1] == pytest.approx(-0.5, rel=1e-3)


@METHODS
@pytest.mark.parametrize("presolve", [True, False])
@pytest.mark.parametrize(
    ("first", "other", "expected"),
    [(14, 28, [1 / 3, 1, 2 / 3]), (13, 28, [13 / 41, 1, 28 / 41])],
)
def test_equal_claims_share_as_one_book_would(method, presolve, first, other, expected):
    """The search for the least regret went round in circles: 1.3, 100 and 98 per cent."""
    market = kpm.Market([[1, 0], [0, 1], [1, 0]], [0.5, 0.5], risk_aversion=1.0, ambiguity=0.0)
    orders = kpm.Orders([0, 1, 2], "buy", 0.5, [first, 1, other])
    result = kpm.clear(market, orders, method, presolve=presolve)
    np.testing.assert_allclose(result.fills, expected, atol=1e-9)


@METHODS
def test_a_state_that_hardly_counts_holds_nobody(method):
    """Its losses move like another's, but for rounding."""
    market = kpm.Market([[1, 1, 0], [0, 0, 1], [1, 1, 0]], [1 / 3] * 3, [40, 0, 0], 1.0, 0.0)
    result = kpm.clear(market, kpm.Orders([0, 1, 2], "buy", 0.5, [1, 3, 1]), method)
    np.testing.assert_allclose(result.fills, [1, 2, 1], atol=1e-9)


@pytest.mark.parametrize("wealth", [1e3, 1e5, 1e6, 1e8])
def test_room_that_cannot_bind_changes_nothing(wealth):
    """States far richer than the worst: the search for the least regret never left its start."""
    market = kpm.Market(
        [[1, 0, 1, 0], [1, 0, 0, 1], [1, 0, 0, 0]],
        [0.4, 0.4, 0.1, 0.1],
        [0, 0, wealth, 2 * wealth],
        1e-3,
        math.inf,
    )
    orders = kpm.Orders([0, 1, 2], ["buy", "buy", "sell"], 0.4, [10, 5, 6])
    result = kpm.clear(market, orders, "enumerate")
    np.testing.assert_allclose(result.fills, [4, 2, 6], atol=1e-6)
