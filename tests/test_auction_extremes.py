"""The convex rules on books whose numbers are powers of ten apart: every figure is a number."""

from __future__ import annotations

import numpy as np
import pytest

import kpm_fast as kpm
from auction_books import (
    MAKERS,
    RULES,
    as_orders,
    extreme_book,
    in_numbers,
    make_maker,
    prices_agree,
    random_book,
)
from strategies import fewer


@pytest.mark.parametrize("span", [9, 13, 15])
@pytest.mark.parametrize("name", MAKERS)
def test_whatever_the_sizes_every_figure_is_a_number(name, span):
    for seed in range(fewer(200, 20)):
        market, orders = extreme_book(seed, name, span)
        for rule in RULES:
            in_numbers(market, orders, rule)


def cleared_extreme_book(seed):
    market, orders = extreme_book(seed, MAKERS[seed % len(MAKERS)], 3 + seed % 5)
    result = kpm.clear(market, orders, rule="competitive")
    result.verify().raise_if_failed()
    return result


@pytest.mark.parametrize("seed", [1167, 6314, 7934, 9627, 9743])
def test_the_mixture_of_vertices_that_hardly_differ_is_found(seed):
    assert cleared_extreme_book(seed).status is kpm.Status.OPTIMAL


def test_nearly_all_extreme_books_are_optimal():
    """Orders of one book, of a span of 1e7, are filled to some digits only."""
    seeds = range(fewer(400, 60))
    proven = [cleared_extreme_book(seed).status is kpm.Status.OPTIMAL for seed in seeds]
    assert sum(proven) >= len(proven) - 1


@pytest.mark.parametrize("rule", RULES)
def test_a_choice_of_demand_that_overflows_is_not_taken(rule):
    """Orders from 1e-17 to 1e4 of the notional that trades, on a step that two claims share."""
    unit = 9.999999999999999e-06
    payoffs = unit * np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0], [1, 1, 1]])
    inventory = [-122966744001.37033, 962427554003.8824, 1371548397443.2004]
    priors = [
        [0.29654688831568643, 0.4399266012362338, 0.2635265104480798],
        [2.8586871659811683e-26, 1.0, 1.1933974236766057e-28],
        [0.9999999999851624, 2.0309544143631108e-15, 1.4835605149836394e-11],
        [0.17093799738555052, 0.5119150108617427, 0.31714699175270666],
    ]
    market = kpm.Market(payoffs, maker=kpm.PolytopeMaker(priors, 1e11, inventory))
    orders = kpm.Orders(
        [3, 3, 0, 0, 1, 3, 2, 1, 0, 2, 0],
        [1, 1, 1, 1, -1, -1, 1, -1, -1, 1, 1],
        [
            unit,
            unit,
            6.999999999999999e-06,
            2e-6,
            1e-6,
            unit,
            0,
            4e-6,
            2.9999999999999997e-6,
            0,
            8e-6,
        ],
        [
            *(5.9999999999999995e-12, 430.0, 0.348, 1.5499999999999998e-11, 2.3899999999999996e-06),
            *(4e9, 969999.9999999999, 348000.0, 122000.0, 1.48e10, 2.7000000000000004e-08),
        ],
    )
    in_numbers(market, orders, rule)


def is_proven(result):
    """What ``OPTIMAL`` says, of the published figures."""
    return result.gap <= result.tolerance * result.scale and prices_agree(result)


@pytest.mark.parametrize("name", MAKERS)
def test_the_status_speaks_of_the_gap_and_of_prices_that_agree(name):
    for seed in range(fewer(400, 40)):
        rng, scale, payoffs, inventory, columns = random_book(seed)
        market = kpm.Market(payoffs, maker=make_maker(name, rng, scale, inventory))
        for tolerance in (1e-8, 1e-11):
            result = kpm.clear(market, as_orders(columns), rule="pay_as_bid", tolerance=tolerance)
            assert (result.status is kpm.Status.OPTIMAL) == is_proven(result), seed
        market, orders = extreme_book(seed, name, 6)
        result = kpm.clear(market, orders, rule="competitive")
        assert result.status is not kpm.Status.OPTIMAL or is_proven(result), seed
        spans = np.ptp(market.payoffs, axis=1)
        traded = float(spans[orders.claim] @ result.fills)
        assert traded == 0 or result.scale == pytest.approx(traded, rel=1e-9)


@pytest.mark.parametrize("name", MAKERS)
def test_an_order_that_stands_aside_loosens_no_clearing(name):
    rng, scale, payoffs, inventory, columns = random_book(3)
    market = kpm.Market(payoffs, maker=make_maker(name, rng, scale, inventory))
    low, high = payoffs[0].min(), payoffs[0].max()
    for rule in RULES:
        alone = kpm.clear(market, as_orders(columns), rule=rule)
        aside = low + 1e-3 * (alone.claim_prices[0] - low)
        extra = as_orders(
            [np.append(c, x) for c, x in zip(columns, (0, 1, aside, 1e6 * scale), strict=True)]
        )
        beside = kpm.clear(market, extra, rule=rule)
        assert low < aside < high
        assert beside.fills[-1] == 0
        assert beside.scale == pytest.approx(alone.scale, rel=1e-9)
        assert beside.status is kpm.Status.OPTIMAL
        assert beside.verify()


@pytest.mark.parametrize(
    ("name", "span", "seed"),
    [
        ("worst", 3, 876),
        ("worst", 6, 31),
        ("polytope", 6, 31),
        ("polytope", 6, 657),
        ("polytope", 6, 881),
        ("utility", 6, 285),
        ("lmsr", 6, 369),
    ],
)
def test_units_too_fine_for_what_trades_are_made_coarser(name, span, seed):
    """Orders that would trade were cut, and the solution in the coarsest units stayed."""
    market, orders = extreme_book(seed, name, span)
    result = kpm.clear(market, orders, rule="competitive")
    assert result.status is kpm.Status.OPTIMAL
    result.verify().raise_if_failed()


@pytest.mark.parametrize("seed", [184, 815, 840, 896, 1031])
def test_a_utility_maker_with_little_wealth_left_takes_few_iterations(seed):
    """Its wealth is part of Newton's step: by itself it converged linearly, and 625 were taken."""
    rng, scale, payoffs, inventory, columns = random_book(seed)
    market = kpm.Market(payoffs, maker=make_maker("utility", rng, scale, inventory))
    result = kpm.clear(market, as_orders(columns), rule="competitive")
    assert result.status is kpm.Status.OPTIMAL
    assert result.stats.iterations <= 40


def test_verify_takes_a_utility_maker_whose_wealth_is_lost_in_its_inventory():
    """1e-7 beside 4.6e12: its cost is the worst loss less that wealth."""
    market, orders = extreme_book(628, "utility", 13)
    result = kpm.clear(market, orders, rule="competitive")
    assert result.status is kpm.Status.OPTIMAL
    result.verify().raise_if_failed()


@pytest.mark.parametrize(
    ("name", "span", "seed"),
    [
        *[("polytope", 6, seed) for seed in (395, 487, 515, 516)],
        *[("polytope", 13, seed) for seed in (208, 5075, 5147, 5167, 5248, 5249)],
        *[("hull", 6, 51), ("hull", 13, 31)],
    ],
)
def test_verify_finds_the_mixture_of_vertices(name, span, seed):
    """Vertices that hardly differ, or whose rare states have large prices."""
    market, orders = extreme_book(seed, name, span)
    result = kpm.clear(market, orders, rule="competitive")
    assert result.status is kpm.Status.OPTIMAL
    result.verify().raise_if_failed()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("wealth", [1e6, 1e9, 1e12])
@pytest.mark.parametrize("name", ["simplex", "worst", "hull"])
def test_beside_an_inventory_that_dwarfs_the_book_the_worst_state_has_all_of_the_price(
    name, wealth, rule
):
    """The program sees nothing of the book beside it: the prices without trade are the solution."""
    inventory = [wealth, -wealth, 0.5 * wealth]
    maker = {
        "simplex": kpm.KnightianMaker([0.2, 0.3, 0.5], 10.0, np.inf, inventory),
        "worst": kpm.WorstStateMaker(3, inventory),
        "hull": kpm.PolytopeMaker([[0, 1, 0], [0.5, 0, 0.5]], 0.0, inventory),
    }[name]
    unit = 1e-6
    market = kpm.Market([[0, unit, 0], [0, 2 * unit, unit], [unit, 0, 0]], maker=maker)
    claim, limit = [0, 0, 1, 1, 2, 2], unit * np.array([0.2, 0.9, 0.6, 1.9, 0.3, 0.8])
    sides = ["sell", "buy", "sell", "sell", "buy", "sell"]
    result = kpm.clear(
        market, kpm.Orders(claim, sides, limit, [1e-3, 2e-3, 4e-3, 1e-3, 5e-3, 1e-3]), rule=rule
    )
    assert result.status is kpm.Status.OPTIMAL
    result.verify().raise_if_failed()
    np.testing.assert_allclose(result.state_prices, [0, 1, 0], atol=1e-15)
    assert result.fills.tolist() == [1e-3, 0, 4e-3, 1e-3, 5e-3, 0]
    if rule == "competitive":
        assert result.gain >= -1e-13 * result.scale


@pytest.mark.parametrize(
    ("span", "seed"),
    [*[(3, seed) for seed in (572, 1110)], *[(6, seed) for seed in (671, 800, 1133, 1617, 1879)]],
)
def test_short_steps_from_a_poor_start_are_no_stall(span, seed):
    """Very averse makers: steps of 1e-5 grew five times each, and were given up after five."""
    market, orders = extreme_book(seed, "polytope", span)
    result = kpm.clear(market, orders, rule="competitive")
    assert result.status is kpm.Status.OPTIMAL
    result.verify().raise_if_failed()


@pytest.mark.parametrize("name", ["worst", "simplex"])
def test_states_that_are_all_the_worst_cost_no_square_of_their_number(name):
    """All 20,000 tie where traders meet each other: two matrices of their square are 6.4 GB."""
    count = 20_000
    maker = {
        "worst": kpm.WorstStateMaker(count),
        "simplex": kpm.KnightianMaker(np.full(count, 1 / count), 1.0, np.inf),
    }[name]
    payoffs = np.zeros((1, count))
    payoffs[0, ::2] = 1.0
    orders = kpm.Orders([0, 0, 0], ["buy", "sell", "buy"], [0.7, 0.4, 0.2], [4.0, 10.0, 5.0])
    result = kpm.clear(kpm.Market(payoffs, maker=maker), orders, rule="competitive")
    assert result.status is kpm.Status.OPTIMAL
    np.testing.assert_allclose(result.fills, [4.0, 4.0, 0.0])
    assert result.claim_prices[0] == pytest.approx(0.4, abs=1e-12)
    result.verify().raise_if_failed()
