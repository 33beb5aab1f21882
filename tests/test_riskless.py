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
