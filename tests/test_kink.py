"""Kinks of the ambiguity: the worst case that proves no trade optimal, and clearings at them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

import kpm_fast as kpm
from adapter import clear
from kpm_fast.paper import simulations as paper
from strategies import books, examples
from ties import assert_same_clearing
from witness import Book


def simulation_a(ambiguity: float) -> tuple[kpm.Market, kpm.Orders]:
    """The paper's five bids, 0.18 each, under the exponential prior."""
    market = kpm.Market(
        np.eye(paper.STATES),
        paper.exponential_prior(),
        risk_aversion=paper.RISK_AVERSION,
        ambiguity=ambiguity,
    )
    return market, kpm.Orders(np.arange(paper.STATES), 1, paper.LIMIT, paper.LOT)


def divergence(p: np.ndarray, q: np.ndarray) -> float:
    return float(np.sum(p * np.log(p / q)))


@pytest.mark.parametrize("ambiguity", [1.0, 2.0])
def test_no_trade_proves_itself(ambiguity: float) -> None:
    """One cell, no relaxation: under the worst case every claim is worth more than its bid."""
    market, orders = simulation_a(ambiguity)
    result = kpm.clear(market, orders, tolerance=1e-9, threads=1, certificate=True)
    assert (result.stats.nodes, result.stats.solved, result.stats.relaxations) == (1, 1, 0)
    np.testing.assert_array_equal(result.fills, 0.0)
    assert np.all(result.worst_case > paper.LIMIT)
    assert divergence(result.worst_case, market.prior) <= ambiguity
    assert result.verify()
    kpm.check_certificate(market, orders, result).raise_if_failed()


@pytest.mark.parametrize("ambiguity", [0.0, 0.2, 0.4, 0.5, 0.55, 0.6, 0.65])
def test_little_traded_near_a_kink_is_found_at_the_first_node(ambiguity: float) -> None:
    """A maker averse enough to trade next to nothing: no multiplier tells a bid that fills in part
    from one that does not, but the curvature of the risk, or its kink, does. Nor does it climb from
    the first cells, whose multipliers promise more than the curvature leaves."""
    market = simulation_a(ambiguity)[0].replace(risk_aversion=1e4)
    orders = kpm.Orders(
        np.arange(paper.STATES), 1, paper.LIMIT, [bid.quantity for bid in paper.TABLE_3]
    )
    result = kpm.clear(market, orders, threads=1)
    assert (result.stats.nodes, result.stats.relaxations, result.stats.solved) == (1, 1, 3)
    assert np.all(result.fills[:-1] > 0.0)
    assert result.verify()
    np.testing.assert_allclose(
        result.fills, kpm.clear(market, orders, method="enumerate").fills, rtol=1e-6, atol=1e-18
    )


@pytest.mark.parametrize("ambiguity", [0.5, 1.0, math.inf])
@pytest.mark.parametrize("spread", [0.02, 1e-3])
@pytest.mark.parametrize("agrees", [True, False])
def test_no_trade_is_one_cell(ambiguity: float, spread: float, agrees: bool) -> None:
    """Places of horses, quoted around a crowd's prices: nothing beside no trade has to be solved,
    whether or not the maker's own prices are between the quotes, and its proof is exact."""
    draw = np.random.default_rng(18)
    pairs = [(a, b) for a in range(9) for b in range(a)]
    placed = np.array([[float(horse in pair) for pair in pairs] for horse in range(8)])
    prior, crowd = draw.dirichlet(np.full(36, 5.0), size=2)
    market = kpm.Market(placed, prior, risk_aversion=0.1, ambiguity=ambiguity)
    claim = np.tile(np.arange(8), 6)
    side = np.repeat([1, -1, 1, -1, 1, -1], 8)
    away = np.repeat([0.5, 0.5, 2.0, 2.0, 3.0, 3.0], 8) * spread
    middle = placed @ (prior if agrees else crowd)
    orders = kpm.Orders(claim, side, middle[claim] - side * away, draw.uniform(1.0, 30.0, 48))
    result = kpm.clear(market, orders, threads=1)
    assert (result.stats.solved, result.stats.relaxations, result.stats.iterations) == (1, 0, 0)
    assert result.certainty_equivalent == result.upper_bound == 0.0
    np.testing.assert_array_equal(result.fills, 0.0)
    np.testing.assert_array_equal(result.multipliers, 0.0)
    result.verify().raise_if_failed()


def test_the_worst_case_exists_up_to_its_ambiguity() -> None:
    """The least Omega at which nobody trades is the distance of the prior to the bids.

    Found independently by SciPy: min KL(p|q) with every p_i at least the limit.
    """
    market, _ = simulation_a(1.0)
    nearest = minimize(
        lambda p: divergence(p, market.prior),
        np.full(paper.STATES, 1 / paper.STATES),
        jac=lambda p: np.log(p / market.prior) + 1,
        bounds=[(paper.LIMIT, 1.0)] * paper.STATES,
        constraints={"type": "eq", "fun": lambda p: p.sum() - 1, "jac": np.ones_like},
        method="SLSQP",
        options={"ftol": 1e-15},
    )
    for share, trades in [(0.999, True), (1.001, False)]:
        market, orders = simulation_a(share * float(nearest.fun))
        result = kpm.clear(market, orders, threads=1)
        assert bool(result.fills.any()) is trades
        assert result.verify()
    np.testing.assert_allclose(result.state_prices, nearest.x, atol=1e-6)


@pytest.mark.cross_section
@given(books(max_claims=3), st.booleans(), st.sampled_from([0.3, 1.0, 3.0, math.inf]))
@examples(150)
def test_makers_without_inventory(book: Book, worst_only: bool, ambiguity: float) -> None:
    """At kinks, next to them, and where orders are filled whatever the price: as enumeration."""
    inventory = np.zeros(book.states)
    if worst_only and book.states > 1:
        inventory[0] = book.notional
    book = book.with_(inventory=inventory, ambiguity=ambiguity)
    tree, cells = clear(book, certificate=True), clear(book, method="enumerate")
    kpm.check_certificate(tree.market, tree.orders, tree).raise_if_failed()
    assert_same_clearing(book, tree, cells)


def test_an_ambiguity_at_the_kink() -> None:
    """Where only the worst state counts: two ways to its mass differ in the last digit."""
    for rest in (1e-3, 1e-2, 0.05, 1e-6):
        prior = np.array([1.0, rest]) / (1 + rest)
        ambiguity = -float(np.log(prior[0]))
        for side in (1, 1 + 4e-16, 1 - 4e-16):
            market = kpm.Market(np.eye(2), prior, risk_aversion=0.5, ambiguity=ambiguity * side)
            result = kpm.clear(market, kpm.Orders([1, 0], [-1, 1], 0.0, 1.0))
            assert result.fills.tolist() == [1.0, 0.0]
            result.verify().raise_if_failed()


def test_an_ambiguity_at_the_kink_of_states_that_all_but_tie() -> None:
    """Four states lose alike but for 5e-9, beside 10,000 in the fifth: prices from 0.03 to 282.

    From one end of the rounding of Omega to the other, that is, by the root in 50 digits.
    """
    states = 5
    market = kpm.Market(
        np.eye(states)[1:3],
        np.full(states, 1 / states),
        inventory=[1e4, 0, 0, 0, 0],
        risk_aversion=3.1746031746031745e-09,
        ambiguity=0.2231435513142097,
    )
    claim = [0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 1]
    side = [-1, -1, -1, 1, 1, -1, -1, 1, 1, -1, 1]
    price = np.array([2, 3, 1, 3, 2, 2, 1, 3, 1, 2, 0]) / 8
    quantity = [30.0, 15, 30, 15, 15, 30, 15, 45, 45, 30, 45]
    result = kpm.clear(market, kpm.Orders(claim, side, price, quantity))
    assert result.status is kpm.Status.OPTIMAL
    assert 0 <= result.ambiguity_price <= 290
    result.verify().raise_if_failed()
    wrong = dataclasses.replace(result, ambiguity_price=300.0)
    assert [check.name for check in wrong.verify().failed] == [
        "ambiguity price = -d(certainty equivalent)/d(Omega)"
    ]
