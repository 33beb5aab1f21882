"""Positions that are riskless at the optimum are so to the last digit, with exact fills."""

from __future__ import annotations

import math

import numpy as np
import pytest

import kpm_fast as kpm
from strategies import fewer

AMBIGUITIES = (0.3, 3.0, math.inf)


def race(draw: np.random.Generator, ambiguity: float) -> tuple[kpm.Market, kpm.Orders]:
    """Bids around each runner's prior: a maker this averse sells as much of every runner."""
    runners = int(draw.integers(2, 9))
    prior = draw.dirichlet(np.full(runners, 3.0))
    market = kpm.Market(np.eye(runners), prior, risk_aversion=0.01, ambiguity=ambiguity)
    claim = np.repeat(np.arange(runners), 3)
    limit = np.minimum(prior[claim] * draw.choice([0.9, 1.0, 1.1, 1.3], len(claim)), 0.95)
    return market, kpm.Orders(claim, 1, limit.round(3), draw.integers(1, 50_000, len(claim)) / 100)


@pytest.mark.parametrize("ambiguity", AMBIGUITIES)
def test_a_riskless_position_has_no_noise(ambiguity: float) -> None:
    draw = np.random.default_rng([15, int(min(10 * ambiguity, 99))])
    riskless = 0
    for _ in range(fewer(300, 60)):
        result = kpm.clear(*race(draw, ambiguity), threads=1)
        assert result.certainty_equivalent >= result.no_trade_equivalent == 0
        assert result.gain >= 0
        if np.any(result.fills) and np.ptp(result.payoff) < 1e-6 * result.scale:
            riskless += 1
            np.testing.assert_array_equal(result.payoff, 0.0)
            assert result.certainty_equivalent == result.gain == 0
            # One of each runner is riskless: equally many are sold of all of them, as many as are
            # wanted of the least wanted runner, in hundredths of a share.
            shares = result.net_demand
            np.testing.assert_allclose(shares, shares[0], rtol=1e-14)
            np.testing.assert_allclose(shares[0], round(100 * shares[0]) / 100, rtol=1e-14)
        assert result.verify()
    assert riskless >= fewer(60, 12)


@pytest.mark.parametrize("rule", ["competitive", "pay_as_bid"])
def test_convex_rules_have_none_either(rule: str) -> None:
    draw = np.random.default_rng(16)
    riskless = 0
    for _ in range(fewer(60, 15)):
        result = kpm.clear(*race(draw, 3.0), rule=rule, threads=1)
        if np.any(result.fills) and np.ptp(result.payoff) < 1e-6 * result.scale:
            riskless += 1
            assert np.ptp(result.payoff) <= 1e-13 * result.scale
            np.testing.assert_allclose(result.net_demand, result.net_demand[0], rtol=1e-12)
    assert riskless >= fewer(30, 8)


def riskless_makers(prior: np.ndarray) -> list[kpm.Maker]:
    """One of each kind whose price of every runner is its prior, if it sells as much of each."""
    wealth = 1e3
    return [
        kpm.KnightianMaker(prior, 0.1, 0.1),
        kpm.KnightianMaker(prior, 0.1, math.inf),
        kpm.LMSR(10.0, prior),
        kpm.StartingOrders(wealth * prior),
        kpm.WorstStateMaker(len(prior)),
        kpm.PolytopeMaker([prior, np.roll(prior, 1)], 0.1),
        kpm.UtilityMaker(prior, wealth),
        kpm.QuadraticMaker(prior, wealth),
    ]


@pytest.mark.parametrize("size", [1e-3, 3.0, 1e6])
def test_equal_bids_for_a_complete_set_are_filled(size: float) -> None:
    """At limits that add up to what the set pays it costs nobody anything: all of it trades."""
    draw = np.random.default_rng(18)
    for _ in range(fewer(40, 8)):
        runners = int(draw.integers(2, 6))
        prior = draw.integers(1, 6, runners).astype(float)
        prior /= prior.sum()
        claim = np.repeat(np.arange(runners), 2)
        quantity = size * np.tile(draw.dirichlet([1.0, 1.0]), runners)
        orders = kpm.Orders(claim, 1, prior[claim], quantity)
        for maker in riskless_makers(prior):
            result = kpm.clear(kpm.Market(np.eye(runners), maker=maker), orders, rule="competitive")
            np.testing.assert_array_equal(result.fills, quantity, err_msg=str(maker))
            np.testing.assert_array_equal(result.cell, 0)


def test_rules_agree_where_trade_is_riskless() -> None:
    """Two complete sets whose sizes are nine decades apart: each fills up to its shorter side."""
    payoffs = [[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]]
    prior = np.full(4, 0.25)
    for large, small in ((3.0, 3.0), (1e3, 1.0), (3e6, 3.0), (1e9, 1.0)):
        filled = np.array([large, large, small, small])
        orders = kpm.Orders([0, 1, 2, 3], 1, 0.5, filled)
        for maker in riskless_makers(prior):
            rules = ["competitive", "maker_optimal"]
            for rule in rules if isinstance(maker, kpm.KnightianMaker) else rules[:1]:
                result = kpm.clear(kpm.Market(payoffs, maker=maker), orders, rule=rule)
                np.testing.assert_array_equal(result.fills, filled)


def test_demand_short_of_its_steps_end_stays_short() -> None:
    """Of a set only as much is riskless as is wanted of the part that is wanted least."""
    for short in (1e-6, 1e-3):
        orders = kpm.Orders([0, 1], 1, 0.5, [3.0, 3.0 + short])
        for maker in riskless_makers(np.array([0.5, 0.5])):
            if isinstance(maker, kpm.PolytopeMaker):
                continue  # its two priors are one here: it takes no risk for a risk
            result = kpm.clear(kpm.Market(np.eye(2), maker=maker), orders, rule="competitive")
            assert result.fills[0] == 3.0
            np.testing.assert_allclose(result.fills[1], 3.0, rtol=1e-11)


def test_what_costs_the_maker_nothing_is_filled() -> None:
    """A maker of one prior and no aversion is indifferent at it: traders are not."""
    maker = kpm.PolytopeMaker([[0.5, 0.5]], 0.0)
    orders = kpm.Orders([0], 1, 0.5, [100.0])
    result = kpm.clear(kpm.Market(np.eye(2), maker=maker), orders, rule="competitive")
    assert result.fills == 100.0


def test_the_worst_states_lose_the_same() -> None:
    """Where only the worst state counts, all states with a price are worst, to rounding."""
    draw = np.random.default_rng(17)
    ties = 0
    for _ in range(fewer(200, 40)):
        states = int(draw.integers(3, 7))
        payoffs = draw.integers(0, 4, (4, states)).astype(float)
        prior = draw.dirichlet(np.full(states, 4.0))
        market = kpm.Market(
            payoffs, prior, inventory=draw.integers(0, 50, states), ambiguity=math.inf
        )
        claim = draw.integers(4, size=10)
        low, high = payoffs.min(axis=1)[claim], payoffs.max(axis=1)[claim]
        limit = (low + draw.uniform(0.1, 0.9, 10) * (high - low)).round(2)
        orders = kpm.Orders(claim, draw.choice([-1, 1], 10), limit, draw.integers(1, 30, 10))
        result = kpm.clear(market, orders, threads=1)
        priced = result.payoff[result.marginal_state_prices > 1e-9]
        if len(priced) > 1 and np.any(result.fills):
            ties += 1
            apart = np.ptp(priced)
            assert apart <= 1e-13 * (result.scale + market.inventory.max()), apart
    assert ties >= fewer(100, 20)
