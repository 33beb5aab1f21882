"""Verification passes right results and fails those that have been tampered with."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from kpm_fast.verification import reference
from proofs import MARKET
from stress import figures
from tampering import nudged, with_each_entry_changed


def solved_by_hand() -> kpm.Result:
    """One bid for a claim that the maker thinks worth 1/2, without ambiguity.

    On the step at 0.6 the maker sells y with 0.6 = e^y / (e^y + 1), so y = ln 1.5.
    """
    y = math.log(1.5)
    revenue = 0.6 * y
    value = revenue - math.log(0.5 * 1.5 + 0.5)
    return kpm.Result(
        status=kpm.Status.OPTIMAL,
        fills=np.array([y]),
        state_prices=np.array([0.6, 0.4]),
        claim_prices=np.array([0.6]),
        net_demand=np.array([y]),
        revenue=revenue,
        payoff=np.array([revenue - y, revenue]),
        certainty_equivalent=value,
        no_trade_equivalent=0.0,
        upper_bound=value,
        worst_case=np.array([0.5, 0.5]),
        marginal_state_prices=np.array([0.6, 0.4]),
        ambiguity_price=math.inf,
        multipliers=np.array([0.0]),
        cell=np.array([1]),
        scale=y,  # what is filled of a claim that pays one or nothing
        tolerance=1e-9,
        allocation="pro_rata",
        market=kpm.Market([[1, 0]], [0.5, 0.5], ambiguity=0.0),
        orders=kpm.Orders([0], "buy", 0.6, 1.0),
        stats=kpm.Stats(3, 0, 0, 3, 0, 0, 0, math.inf, 20, 1, {"total": 0.1}),
    )


ORDERS = kpm.Orders(
    [0, 1, 0, 1, 2, 2, 1, 1, 0],
    ["buy", "buy", "sell", "buy", "sell", "buy", "buy", "sell", "buy"],
    [0.6, 0.4, 0.5, 0.4, 0.3, 0.2, 0.4, 0.4, -1.0],
    [1, 1, 0.5, 2, 1.5, 1, 0, 0.25, 4],
    time=[3, 3, 1, 2, 5, 6, 7, 8, 9],
)


@pytest.fixture(scope="module", params=["branch-and-bound", "enumerate"])
def cleared(request: pytest.FixtureRequest) -> kpm.Result:
    return kpm.clear(MARKET, ORDERS, request.param, tolerance=1e-9)


def test_hand_made_result_passes() -> None:
    verification = solved_by_hand().verify()
    assert verification, str(verification)
    assert verification.failed == ()
    verification.raise_if_failed()


@pytest.mark.parametrize("allocation", ["pro_rata", "time"])
def test_cleared_result_passes(allocation: str) -> None:
    verification = kpm.clear(MARKET, ORDERS, allocation=allocation).verify()
    assert verification, str(verification)


def test_prints_a_table() -> None:
    verification = solved_by_hand().verify()
    lines = str(verification).splitlines()
    assert len(lines) == len(verification.checks) + 2
    assert lines[-1] == f"{len(verification.checks)} of {len(verification.checks)} checks passed"
    assert all(line.endswith("ok") for line in lines[1:-1])
    wrong = dataclasses.replace(solved_by_hand(), revenue=1.0).verify()
    assert "FAILED" in str(wrong)
    with pytest.raises(kpm.VerificationError, match=r"revenue = claim prices @ net demand.* > "):
        wrong.raise_if_failed()


ARRAYS = [name for name in figures.ARRAYS if name != "multipliers"]  # those are not unique


@pytest.mark.parametrize("by", [1e-4, -1e-4, 1.0, -1.0, math.nan, math.inf, 1e300])
@pytest.mark.parametrize("name", ARRAYS)
def test_a_change_of_any_entry_is_found(cleared: kpm.Result, name: str, by: float) -> None:
    for position, wrong in with_each_entry_changed(cleared, name, by):
        assert not wrong.verify(), position


@pytest.mark.parametrize("by", [1e-6, -1e-6, 1.0, -1.0, math.nan, -math.inf, -1e300])
@pytest.mark.parametrize("name", figures.NUMBERS)
def test_a_change_of_any_number_is_found(cleared: kpm.Result, name: str, by: float) -> None:
    wrong = dataclasses.replace(cleared, **{name: getattr(cleared, name) + by})
    assert not wrong.verify()


@pytest.mark.parametrize("name", ARRAYS)
def test_wrong_shapes_are_found(cleared: kpm.Result, name: str) -> None:
    for wrong in (getattr(cleared, name)[:-1], getattr(cleared, name)[:, None], np.zeros(0)):
        assert not dataclasses.replace(cleared, **{name: wrong}).verify()


def test_changes_that_keep_a_vector_s_sum_are_found(cleared: kpm.Result) -> None:
    for name in ("state_prices", "worst_case", "marginal_state_prices"):
        array = getattr(cleared, name)
        for other in (np.roll(array, 1), MARKET.prior, array + np.array([1e-4, -1e-4, 0])):
            assert not dataclasses.replace(cleared, **{name: other}).verify(), name


def test_wrong_multipliers_are_found() -> None:
    # Both prices are free within their pieces, so that revenue pins the multipliers.
    market = kpm.Market(np.eye(3)[:2], [0.2, 0.2, 0.6], ambiguity=0.05)
    result = kpm.clear(market, kpm.Orders([0, 1], "buy", [0.6, 0.7], 1.0))
    assert result.verify(), str(result.verify())
    for position in range(2):
        for by in (1e-3, -1e-3, 1e6):
            wrong = nudged(result.multipliers, position, by)
            if not dataclasses.replace(result, multipliers=wrong).verify():
                break
        else:
            pytest.fail(f"multiplier {position} does not count")


def test_wrong_allocations_at_the_clearing_price_are_found() -> None:
    market = solved_by_hand().market
    orders = kpm.Orders([0, 0], "buy", 0.6, [0.5, 1.5], time=[2, 1])
    shared = kpm.clear(market, orders)
    queued = kpm.clear(market, orders, allocation="time")
    np.testing.assert_allclose(shared.fills, math.log(1.5) * orders.quantity / 2, rtol=1e-4)
    np.testing.assert_allclose(queued.fills, [0, math.log(1.5)], rtol=1e-4)
    for right, other in ((shared, "time"), (queued, "pro_rata")):
        assert right.verify(), str(right.verify())
        moved = nudged(nudged(right.fills, 0, 1e-6), 1, -1e-6)
        assert not dataclasses.replace(right, fills=moved).verify()
        assert not dataclasses.replace(right, allocation=other).verify()


STATS: dict[str, Callable[[Any], Any]] = {
    "cells": lambda value: value + 1,
    "pruned_infeasible": lambda value: value + 1,
    "pruned_bound": lambda value: value - 1,
    "solved": lambda value: -1,
    "nodes": lambda value: -1,
    "relaxations": lambda value: 10**9,  # more than nodes
    "columns": lambda value: -1,
    "iterations": lambda value: -1,
    "threads": lambda value: 0,
    "seconds": lambda value: {**value, "search": value["total"] + 1},
}


@pytest.mark.parametrize("name", STATS)
def test_wrong_statistics_are_found(cleared: kpm.Result, name: str) -> None:
    changed = STATS[name](getattr(cleared.stats, name))
    stats = dataclasses.replace(cleared.stats, **{name: changed})
    assert not dataclasses.replace(cleared, stats=stats).verify()


@pytest.mark.parametrize("name", ["state_prices", "worst_case", "marginal_state_prices"])
@pytest.mark.parametrize("entry", [1e308, -1e308])
def test_probabilities_whose_sum_overflows_fail(
    cleared: kpm.Result, name: str, entry: float
) -> None:
    huge = np.full_like(getattr(cleared, name), entry)
    verification = dataclasses.replace(cleared, **{name: huge}).verify()
    figures = [c.figure for c in verification.failed if c.name.endswith("a probability vector")]
    assert figures == [math.inf]


def test_cells_of_an_enumeration_add_up() -> None:
    result = kpm.clear(MARKET, ORDERS, "enumerate")
    stats = dataclasses.replace(result.stats, solved=result.stats.solved - 1)
    assert not dataclasses.replace(result, stats=stats).verify()


#: They claim less than ``optimal``. Time and Ctrl-C may come after the proof, in the selection.
LESS = {"inaccurate", "time_limit", "interrupted"}


@pytest.mark.parametrize("status", sorted(set(kpm.Status) - {"optimal"}))
def test_only_a_status_that_claims_less_passes(cleared: kpm.Result, status: kpm.Status) -> None:
    assert bool(dataclasses.replace(cleared, status=status).verify()) == (status.value in LESS)


@pytest.mark.parametrize("status", sorted(kpm.Status))
def test_no_status_loosens_a_price(status: kpm.Status) -> None:
    """A price 5e-6 off is money for somebody, whatever the result says of its bound."""
    proven = kpm.clear(MARKET, ORDERS, certificate=True)
    off = nudged(proven.claim_prices, 0, 5e-6)
    forged = dataclasses.replace(proven, claim_prices=off, status=status)
    assert not forged.verify()
    assert not kpm.check_certificate(MARKET, ORDERS, forged)


@pytest.mark.parametrize(
    "changes",
    [
        {"risk_aversion": 0.81},
        {"ambiguity": 0.11},
        {"ambiguity": 0.0},
        {"ambiguity": math.inf},
        {"inventory": [0.5, 0.0, -0.25001]},
        {"prior": [0.3001, 0.2999, 0.4]},
        {"payoffs": [[1, 0, 0], [0, 1, 0], [2, -1, 0.6]]},
    ],
)
def test_another_market_is_found(cleared: kpm.Result, changes: dict[str, Any]) -> None:
    assert not dataclasses.replace(cleared, market=MARKET.replace(**changes)).verify()


def test_other_orders_are_found(cleared: kpm.Result) -> None:
    columns = ORDERS.columns()
    for name, other in (("price", ORDERS.price + 0.01), ("quantity", ORDERS.quantity * 1.01)):
        orders = kpm.Orders(**{**columns, name: other})
        assert not dataclasses.replace(cleared, orders=orders).verify()
    assert not dataclasses.replace(cleared, orders=ORDERS[:-1]).verify()


def test_impossible_settings_are_found(cleared: kpm.Result) -> None:
    for changes in ({"tolerance": 0.0}, {"tolerance": math.nan}, {"allocation": "lottery"}):
        assert not dataclasses.replace(cleared, **changes).verify()


def test_a_worse_clearing_of_the_same_cell_is_found() -> None:
    """Everything is consistent, but the net demand is not the best of its cell."""
    right = solved_by_hand()
    y = float(right.net_demand[0]) + 0.01
    payoff = np.array([0.6 * y - y, 0.6 * y])
    value = -math.log(0.5 * np.exp(-payoff).sum())
    wrong = dataclasses.replace(
        right,
        fills=np.array([y]),
        net_demand=np.array([y]),
        revenue=0.6 * y,
        payoff=payoff,
        certainty_equivalent=value,
        upper_bound=value,
        scale=y,
        marginal_state_prices=np.exp(-payoff) / np.exp(-payoff).sum(),
    )
    assert [check.name for check in wrong.verify().failed] == [
        "bound of the winning cell at most its value, in money"
    ]


# -- the mathematics behind the checks --------------------------------------------------------


def brute_force_risk(loss: np.ndarray, prior: np.ndarray, alpha: float, omega: float) -> float:
    """Minimise the dual (25) over mu in long double, on ever finer grids."""
    shifted = alpha * (loss - loss.max()).astype(np.longdouble)
    utility = np.exp(shifted)

    def dual(mu: np.ndarray) -> np.ndarray:
        exponents = (utility - 1) / mu[:, None]
        return 1 + mu * (omega + np.log(np.exp(exponents) @ prior.astype(np.longdouble)))

    low, high = np.longdouble(1e-12), np.longdouble(1e12)
    for _ in range(40):
        grid = np.geomspace(low, high, 41, dtype=np.longdouble)
        best = int(np.argmin(dual(grid)))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, 40)]
    return float(loss.max() + np.log(dual(np.array([low, high])).min()) / alpha)


@pytest.mark.parametrize("omega", [1e-6, 0.01, 0.3, 1.0])
@pytest.mark.parametrize("alpha", [0.01, 1.0, 30.0])
def test_risk_agrees_with_the_dual(alpha: float, omega: float) -> None:
    rng = np.random.default_rng(5)
    loss, prior = rng.normal(size=6), rng.dirichlet(np.ones(6))
    rho, _ = reference.worst_case_risk(loss, prior, alpha, omega)
    assert rho == pytest.approx(brute_force_risk(loss, prior, alpha, omega), abs=1e-11)


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("power", [-12, -6, 0, 3])
def test_risk_does_not_depend_on_the_unit_of_money(power: int, size: float) -> None:
    rng = np.random.default_rng(6)
    loss, prior = rng.normal(size=5), rng.dirichlet(np.ones(5))
    for omega in (0.0, 1e-12, 0.2, 0.9, math.inf):
        base = reference.worst_case_risk(loss, prior, 10.0**power, omega)
        scaled = reference.worst_case_risk(loss * size, prior, 10.0**power / size, omega)
        np.testing.assert_allclose(np.array(scaled) / size, base, rtol=1e-9, atol=1e-12)


def test_risk_of_a_nearly_risk_neutral_maker_is_the_worst_mean() -> None:
    prior = np.array([0.5, 0.5])
    rho, slope = reference.worst_case_risk(np.array([1.0, 0.0]), prior, 1e-12, 1e-8)
    assert rho == pytest.approx(0.5 + math.sqrt(1e-8 / 2), abs=1e-12)
    assert slope == pytest.approx(0.5 / math.sqrt(2e-8), rel=1e-6)


@pytest.mark.parametrize("omega", [1e-300, 1e-250, 1e-210])
def test_risk_where_all_but_the_worst_state_is_next_to_impossible(omega: float) -> None:
    """The prior's sum over the worst states rounds to one, which is not the end of the ball."""
    prior = np.array([2.6e-200, 1.0])
    rho, slope = reference.worst_case_risk(np.array([-2.0, 0.0]), prior, 1.0, omega)
    assert rho == pytest.approx(0.0, abs=1e-15)
    small = -math.expm1(-2.0) * math.sqrt(2.6e-200 / 2 / omega)  # to first order in the ball's size
    assert slope == pytest.approx(small, rel=1e-3)
    assert reference.worst_case_risk(np.array([-2.0, 0.0]), prior, 1.0, 2.7e-200) == (0.0, 0.0)


def test_risk_at_the_edges() -> None:
    loss, prior = np.array([3.0, 1.0, 3.0]), np.array([0.2, 0.5, 0.3])
    assert reference.worst_case_risk(loss, prior, 2.0, math.inf) == (3.0, 0.0)
    assert reference.worst_case_risk(loss, prior, 2.0, math.log(2.0)) == (3.0, 0.0)
    assert reference.worst_case_risk(np.full(3, 7.0), prior, 2.0, 0.1) == (7.0, 0.0)
    rho, slope = reference.worst_case_risk(loss, prior, 2.0, 0.0)
    assert rho == pytest.approx(math.log(0.5 * math.exp(6) + 0.5 * math.exp(2)) / 2, rel=1e-14)
    assert math.isinf(slope)
    far = reference.worst_case_risk(np.array([1e6, -1e6, 0.0]), prior, 50.0, 0.1)[0]
    assert far == pytest.approx(1e6, rel=1e-6)


@pytest.mark.parametrize("omega", [0.01, 0.3])
def test_slope_is_the_derivative(omega: float) -> None:
    loss, prior = np.array([1.0, -0.5, 0.25]), np.array([0.2, 0.5, 0.3])
    _, slope = reference.worst_case_risk(loss, prior, 1.5, omega)
    step = 1e-6
    above, below = (
        reference.worst_case_risk(loss, prior, 1.5, omega + sign * step)[0] for sign in (1, -1)
    )
    assert slope == pytest.approx((above - below) / (2 * step), rel=1e-6)


def test_divergence() -> None:
    p, q = np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.5, 0.25])
    assert reference.divergence(p, q) == pytest.approx(0.5 * math.log(2), rel=1e-15)
    assert reference.divergence(q, p) == math.inf
    assert reference.divergence(q, q) == 0
    tiny = np.array([0.5 + 1e-12, 0.5 - 1e-12])
    assert reference.divergence(tiny, np.array([0.5, 0.5])) == pytest.approx(2e-24, rel=1e-3)


def test_staircase_of_every_kind_of_order() -> None:
    side = np.array([1, 1, -1, -1, 1, -1, 1], dtype=np.int8)
    price = np.array([2.0, 0.5, -1.0, 0.5, 1.0, 0.0, 0.7])
    quantity = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 0.0])
    steps = reference.staircase(np.array([1.0, 0.0, 0.5]), side, price, quantity)
    # Offers at or below the least payoff, and bids at or above the greatest, trade at any price.
    assert steps.tolist() == [[0, 0.5, -17, -17], [0.5, 0.5, -27, -17], [0.5, 1, -27, -27]]
    sides = np.array([1, -1, 1, -1], dtype=np.int8)
    ends = reference.staircase(
        np.array([1.0, 0.0]), sides, np.array([0.0, 0.0, 1.0, 1.0]), np.array([1.0, 2.0, 4.0, 8.0])
    )
    assert ends.tolist() == [[0, 1, 2, 2]]
    constant = reference.staircase(np.ones(2), sides, np.ones(4), np.array([1.0, 2.0, 4.0, 8.0]))
    assert constant.tolist() == [[1, 1, 5, 5], [1, 1, -10, 5], [1, 1, -10, -10]]


def test_staircases_agree_with_the_core() -> None:
    rng = np.random.default_rng(7)
    payoffs = np.array([[1, 0, 0], [2, -1, 0.5], [1, 1, 1], [0, 1e6, 1e6 + 1]])
    market = kpm.Market(payoffs, [0.2, 0.3, 0.5])
    claim = rng.integers(0, 4, 60)
    grid = np.linspace(-0.25, 1.25, 7)
    low, span = payoffs.min(axis=1)[claim], np.maximum(np.ptp(payoffs, axis=1), 1)[claim]
    orders = kpm.Orders(
        claim,
        rng.choice([-1, 1], 60),
        low + span * rng.choice(grid, 60),
        rng.choice([0.0, 1.0, 2.5], 60),
    )
    for k, steps in enumerate(kpm.staircases(market, orders)):
        rows = claim == k
        expected = reference.staircase(
            payoffs[k], orders.side[rows], orders.price[rows], orders.quantity[rows]
        )
        np.testing.assert_allclose(steps, expected, rtol=0, atol=1e-12)


def test_vast_multipliers_prove_nothing() -> None:
    """An allowance for rounding that grew with them without limit once let any fills pass."""
    market = kpm.Market([[1, 0], [0, 1]], [0.6, 0.4], risk_aversion=1.0, ambiguity=0.0)
    result = kpm.clear(market, kpm.Orders([0, 1], "buy", [0.6, 0.4], [10, 10]))
    demand = np.array([10.0, 0.0])
    payoff = result.claim_prices @ demand - demand @ market.payoffs
    marginal = market.prior * np.exp(-payoff)
    value = -math.log(marginal.sum())
    forged = dataclasses.replace(
        result,
        fills=demand,
        net_demand=demand,
        revenue=float(result.claim_prices @ demand),
        payoff=payoff,
        certainty_equivalent=value,
        upper_bound=value,
        scale=10.0,
        worst_case=market.prior.copy(),
        marginal_state_prices=marginal / marginal.sum(),
        multipliers=np.full(2, 1e17),
        cell=np.array([1, 1]),
        ambiguity_price=math.inf,
    )
    failed = [check.name for check in forged.verify().failed]
    assert failed == ["bound of the winning cell at most its value, in money"]


#: Makers so averse that rounding hides the best point of a cell, whose search is stopped:
#: payoffs, prior, risk aversion, ambiguity, columns of orders.
AVERSE = {
    "an equilibrium in a cell that no multipliers prove": (
        [
            [0.000125, 0.00427, 1.1, 14700, 75300],
            [0, 0, 0.206, 14700, 75300],
            [0, 0, 1.09, 14700, 75300],
            [0, 0, 0, 14700, 75300],
            [0, 0, 0, 0, 53100],
        ],
        [0.11, 0.15, 0.63, 0.05, 0.06],
        100.0,
        0.01,
        (
            [2, 2, 1, 0, 2, 4, 0, 3],
            ["buy", "buy", "sell", "sell", "buy", "sell", "buy", "buy"],
            [3000, 3000, 2000, 3000, 3000, 700, 2000, 3000],
            [13, 34, 0.34, 61, 9, 4.6, 0.48, 11],
        ),
    ),
    "a bound that the best of a cell cannot attain": (
        [
            [0, 6e5, 0, 2e4],
            [0, 3e5, 0, 0],
            [-5e5, 2e5, -5e5, -4e5],
            [6e-7, 6e5, 0.002, 2e4],
            [0.002, 2e5, 1e-7, 2e4],
            [0, 6e5, 0, 2e4],
            [0.001, 6e5, 0, 2e4],
            [0.001, 6e5, 0, 2e4],
        ],
        [0.1, 0.4, 0.3, 0.2],
        200.0,
        0.0,
        (
            [0, 2, 3, 5, 6, 7, 4, 1],
            ["buy", "sell", "sell", "buy", "sell", "buy", "sell", "sell"],
            [167600, -389400, 118100, 175600, 32020, 170000, 49250, 78720],
            [41, 2.9, 52, 6.6, 29, 48, 14, 3.6],
        ),
    ),
}


def averse(name: str) -> tuple[kpm.Market, kpm.Orders]:
    payoffs, prior, risk_aversion, ambiguity, columns = AVERSE[name]
    market = kpm.Market(payoffs, prior, risk_aversion=risk_aversion, ambiguity=ambiguity)
    return market, kpm.Orders(*columns)


@pytest.mark.parametrize("nodes", [1, 7, 40])
@pytest.mark.parametrize("name", AVERSE)
def test_a_clearing_that_a_limit_stops_promises_no_best_of_its_cell(name: str, nodes: int) -> None:
    market, orders = averse(name)
    result = kpm.clear(market, orders, node_limit=nodes)
    result.verify().raise_if_failed()
    assert result.certainty_equivalent >= result.no_trade_equivalent
    if result.status is not kpm.Status.OPTIMAL:  # what the others promise is checked there
        assert not dataclasses.replace(result, status=kpm.Status.OPTIMAL).verify()


def test_a_limit_does_not_hide_that_more_nodes_would_change_nothing() -> None:
    """The bound is as close as asked, the point's own support is not: no limit is the reason."""
    market, orders = averse("a bound that the best of a cell cannot attain")
    result = kpm.clear(market, orders, node_limit=9)
    assert result.gap <= result.tolerance * result.scale
    assert result.status is kpm.Status.INACCURATE
