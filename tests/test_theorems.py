"""The theorems of docs/theory.md on random books, against other solutions of what they state."""

import math

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

import kpm_fast as kpm
from auction_books import RULES, as_orders, random_book
from kpm_fast.paper.simulations import exponential_prior
from strategies import fewer

pytestmark = pytest.mark.cross_section


def small_book(seed):
    """A book of a few orders, and a prior."""
    rng, scale, payoffs, inventory, columns = random_book(seed)
    prior = rng.dirichlet(np.full(len(inventory), 2.0)) + 0.02
    return scale, payoffs, inventory, [column[:8] for column in columns], prior / prior.sum()


def projection(prior, sold):
    """The least KL(xi|prior) with sold @ xi >= 0, and its multipliers, by its dual."""

    def dual(multipliers):
        tilt = multipliers @ sold
        weights = prior * np.exp(tilt - tilt.max())
        total = weights.sum()
        return math.log(total) + tilt.max(), sold @ weights / total

    start, above = np.ones(len(sold)), [(0, None)] * len(sold)
    accurate = {"ftol": 1e-16, "gtol": 1e-11}
    found = minimize(dual, start, jac=True, bounds=above, method="L-BFGS-B", options=accurate)
    return -found.fun, found.x


def first_fills_book(seed):
    """Orders that do not cross and that the prior's prices leave inside their limits."""
    if seed == 0:
        return exponential_prior(), np.eye(5), np.full(5, 0.18), [2e-3, 1e-3, 1e-3, 1e-3, 1e-3]
    rng = np.random.default_rng(seed)
    n_states = int(rng.integers(3, 7))
    prior, prices = 0.9 * rng.dirichlet(np.full(n_states, 3.0), 2) + 0.1 / n_states
    payoffs = rng.normal(size=(int(rng.integers(1, n_states)), n_states))
    return prior, payoffs, payoffs @ prices, np.ones(len(payoffs))


@pytest.mark.parametrize("seed", range(fewer(24, 6)))
def test_theorem_b_first_fills_are_the_projections_multipliers(seed):
    prior, payoffs, limits, quantity = first_fills_book(seed)
    side = np.where(limits > payoffs @ prior, 1, -1) if seed else np.ones(len(limits))
    orders = as_orders((np.arange(len(limits)), side, limits, quantity))
    market = kpm.Market(payoffs, prior, risk_aversion=1.0, ambiguity=0.0)
    threshold, multipliers = projection(prior, side[:, None] * (payoffs - limits[:, None]))
    assert kpm.implied_ambiguity(market, orders) == pytest.approx(threshold, rel=1e-9)
    if seed == 0:  # as docs/theory.md has them
        wanted = [1, 0.718956, 0.437913, 0.156869, 0]
        assert multipliers / multipliers[0] == pytest.approx(wanted, abs=1e-6)
    market = market.replace(ambiguity=threshold * (1 - 1e-3))
    for rule in ("maker_optimal", *RULES):
        result = kpm.clear(market, orders, rule=rule)
        shares, wanted = result.fills / result.fills.sum(), multipliers / multipliers.sum()
        np.testing.assert_allclose(shares, wanted, atol=2e-3)
        worth = side * limits @ result.fills - market.maker.cost(result.net_demand @ payoffs)
        assert result.certainty_equivalent == pytest.approx(worth, abs=1e-7 * result.scale)


def test_theorem_c_maker_optimal_solves_the_linear_program():
    """(31): the fills' surplus and the dual's value at the prices are its optimum."""
    traded = 0
    for seed in range(fewer(100, 25)):
        scale, payoffs, _, columns, prior = small_book(seed)
        claim, side, price, quantity = columns
        if not len(claim):
            continue
        radius = -math.log(prior.min()) + 1e-12
        market = kpm.Market(payoffs, prior, risk_aversion=1 / scale, ambiguity=radius)
        result = kpm.clear(market, as_orders(columns))
        limit = side * np.clip(price, payoffs.min(axis=1)[claim], payoffs.max(axis=1)[claim])
        sold = side[:, None] * payoffs[claim]
        program = linprog(
            np.append(-limit, 1.0),
            A_ub=np.c_[sold.T, -np.ones(len(prior))],
            b_ub=np.zeros(len(prior)),
            bounds=[*zip(np.zeros(len(claim)), quantity, strict=True), (None, None)],
        )
        surplus = limit @ result.fills - (result.fills @ sold).max()
        dual = quantity @ np.maximum(limit - sold @ result.state_prices, 0)
        slack = 1e-6 * result.scale
        assert surplus == pytest.approx(-program.fun, abs=slack), seed
        assert dual == pytest.approx(-program.fun, abs=slack), seed
        traded += result.volume > 0
    assert traded > 10


@pytest.mark.parametrize("rule", ["maker_optimal", "pay_as_bid"])
def test_theorem_e_the_price_of_ambiguity_never_rises(rule):
    for seed in range(fewer(25, 8)):
        scale, payoffs, inventory, columns, prior = small_book(seed)
        results = [
            kpm.clear(
                kpm.Market(payoffs, prior, inventory, 1 / scale, radius),
                as_orders(columns),
                rule=rule,
            )
            for radius in np.linspace(0, 1.5, 13)
        ]
        slack = 1e-7 * (results[0].scale + np.abs(inventory).max() + scale)
        for name in ("certainty_equivalent", "no_trade_equivalent"):
            slopes = np.diff([getattr(result, name) for result in results])
            assert (slopes <= slack).all(), (seed, name)
            assert (np.diff(slopes) >= -slack).all(), (seed, name)


def test_theorem_e_a_lone_bidder_pays_a_competitive_maker_for_ambiguity():
    """The gain of a bid that is filled, s rho'(s) - rho(s), by the state's greatest probability."""
    shares, gains = 0.5, []
    for radius in (0.0, 0.05, 0.2, 0.4):
        maker = kpm.KnightianMaker([0.1, 0.9], 1.0, radius)
        market = kpm.Market([[1, 0]], maker=maker)
        result = kpm.clear(market, kpm.Orders([0], "buy", [0.99], [shares]), rule="competitive")
        likely = maker.quotes([[1, 0]])["ask"][0]
        growth = likely * math.expm1(shares)
        price = likely * math.exp(shares) / (1 + growth)
        gains.append(shares * price - math.log1p(growth))
        assert result.certainty_equivalent == pytest.approx(gains[-1], rel=1e-9)
        assert likely < 0.5
    assert (np.diff(gains) > 0).all()
