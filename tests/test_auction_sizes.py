"""The convex rules on books of one to 300 states and claims, with every kind of degeneracy."""

from __future__ import annotations

import numpy as np
import pytest

import kpm_fast as kpm
from auction_books import MAKERS, RULES, as_orders, in_numbers, make_maker
from benchmarks import books
from strategies import fewer


def wide_book(seed, name, most=300):
    """Equal, complementary and constant claims, ties, market orders; one state, or no order."""
    rng = np.random.default_rng([seed, MAKERS.index(name)])
    n_states, n_claims = np.ceil(most ** rng.random(2)).astype(int)
    count = int(rng.choice([0, n_claims, 3 * n_claims, 300]))
    style = rng.integers(4)
    if style == 0:
        payoffs = np.eye(n_states)[rng.integers(0, n_states, n_claims)]
    elif style == 1:
        payoffs = (rng.random((n_claims, n_states)) < rng.random()).astype(float)
    elif style == 2:  # calls
        strikes = rng.integers(0, n_states, n_claims)
        payoffs = np.maximum(np.arange(n_states) - strikes[:, None], 0.0)
    else:
        payoffs = rng.normal(size=(n_claims, n_states))
    for k in range(1, n_claims):  # some claims are others, or all that these leave
        if rng.random() < 0.2:
            other = payoffs[rng.integers(0, k)]
            payoffs[k] = other if rng.integers(2) else other.max() - other
    scale = 10 ** rng.uniform(-2, 2)
    inventory = rng.integers(2) * scale * rng.normal(size=n_states)
    claim = rng.integers(0, n_claims, count)
    low, high = payoffs.min(axis=1)[claim], payoffs.max(axis=1)[claim]
    share = np.round(20 * rng.random(count)) / 20 if rng.integers(2) else rng.random(count)
    side = rng.choice([-1, 1], count)
    price = np.where(rng.random(count) < 0.1, side * np.inf, low + (high - low) * share)
    quantity = scale * np.round(10 * rng.exponential(size=count) + 0.1) / 10
    maker = make_maker(name, rng, scale, inventory)
    return kpm.Market(payoffs, maker=maker), as_orders((claim, side, price, quantity))


@pytest.mark.parametrize("name", MAKERS)
def test_books_of_any_size_are_cleared_with_a_bound_that_holds(name):
    proven = 0
    seeds = range(fewer(16, 4))
    for seed in seeds:
        market, orders = wide_book(seed, name)
        rules = (*RULES, "pdca") if name == "orders" else RULES
        for rule in rules:
            proven += in_numbers(market, orders, rule).status is kpm.Status.OPTIMAL
    assert proven == len(seeds) * len(rules)


@pytest.mark.parametrize("risk_aversion", [1.0, 0.0])
@pytest.mark.parametrize("seed", [7, 14, 22, 24])
def test_claims_on_limits_are_told_from_those_between_them_in_a_large_book(seed, risk_aversion):
    # 6,000 limits a claim, ever closer: prices and demands are both found to less than they differ
    # by, and a kink with a claim too many on its limit has no prices.
    market, orders = books.arrow_debreu(30_000, seed=seed)
    others = np.random.default_rng(17).dirichlet(np.full(5, 3.0), 3)
    maker = kpm.PolytopeMaker([market.prior, *others], risk_aversion * market.risk_aversion)
    result = kpm.clear(market.replace(maker=maker), orders, rule="competitive")
    assert result.status is kpm.Status.OPTIMAL
    assert result.relative_gap <= 1e-15
    assert result.stats.iterations < 100
    result.verify().raise_if_failed()


def test_prices_of_a_million_orders_are_found_in_one_unit_of_money():
    # Its steps are worth less than the accuracy that is enough for other books. The rest of each
    # clearing takes many times as long as its iterations, as long as there are no more.
    market, orders = books.arrow_debreu(1_000_000)
    others = np.random.default_rng(17).dirichlet(np.full(5, 3.0), 3)
    polytope = kpm.PolytopeMaker([market.prior, *others], market.risk_aversion)
    for maker in (polytope, kpm.WorstStateMaker(5)):
        result = kpm.clear(market.replace(maker=maker), orders, rule="competitive")
        assert result.status is kpm.Status.OPTIMAL
        assert result.relative_gap <= 1e-15
        assert result.stats.iterations < 80
