"""The convex rules on books whose numbers are powers of ten apart: every figure is a number."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

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
from benchmarks import books
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


@pytest.mark.parametrize("seed", [49, 3614, 5818, 8033])
def test_what_was_the_last_to_be_proven_stays_proven(seed):
    """Of 10,000 books of spans from 1e3 to 1e7 the four that were not."""
    assert cleared_extreme_book(seed).status is kpm.Status.OPTIMAL


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


@pytest.mark.parametrize("digits", [1, 4, 16])
def test_a_limit_that_is_the_idle_price_to_rounding_asks_for_no_finer_unit(digits):
    """Nothing trades in any: eight units were tried, 46 iterations for 6."""
    maker = kpm.KnightianMaker([0.1, 0.2, 0.7], 1.0, 0.1)
    market = kpm.Market([[1, 1, 0], [0, 1, 1]], maker=maker)
    limit = 0.3 + digits * np.spacing(0.3)
    orders = kpm.Orders([0, 1], ["buy", "sell"], [limit, 0.95], [1.0, 2.0])
    result = kpm.clear(market, orders, rule="competitive")
    assert result.status is kpm.Status.OPTIMAL
    assert result.stats.iterations <= 12
    assert result.volume == 0


SIZES = [(1e3, 1e3), (1e5, 1e4), (1e5, 1e7), (1e7, 1e7), (1e9, 1e10), (1e11, 1e13), (1e15, 1e6)]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("sizes", SIZES)
def test_what_trades_may_be_any_part_of_what_stands_in_the_book(sizes, rule):
    """The maker's inventory limits the demand: nothing was filled beside 1e5 and 1e7 shares."""
    market = kpm.Market([[2, 1, 0], [0, 0, 1]], maker=kpm.WorstStateMaker(3, [0, -2, 0]))
    orders = kpm.Orders([0, 1], ["buy", "buy"], [0.885, 0.54], sizes)
    result = kpm.clear(market, orders, rule=rule)
    assert result.status is kpm.Status.OPTIMAL
    np.testing.assert_allclose(result.fills, [2, 4], rtol=1e-9)
    np.testing.assert_allclose(result.state_prices, [0.425, 0.035, 0.54], atol=1e-12)
    assert result.objective == pytest.approx(-0.07, abs=1e-9)
    result.verify().raise_if_failed()


def worth_of_linear_program(costs, idle, limit, orders):
    """(31), and its like for a hull of priors: max b.x - max over them of costs x - idle."""
    found = linprog(
        np.append(-limit, 1.0),
        A_ub=np.column_stack([costs, -np.ones(len(costs))]),
        b_ub=idle,
        bounds=[*((0, most) for most in orders.quantity), (None, None)],
    )
    assert found.status == 0
    return -found.fun


@pytest.mark.parametrize("name", MAKERS)
def test_bids_larger_than_the_maker_can_meet_are_as_good_as_any(name):
    """Bids that no prices of the maker's cross: what trades is for the maker alone to say."""
    kept = 0
    for seed in range(fewer(60, 12)):
        rng = np.random.default_rng(seed)
        states, claims = int(rng.integers(2, 5)), int(rng.integers(1, 4))
        payoffs = rng.integers(0, 4, (claims, states)).astype(float)
        payoffs[:, 0], payoffs[:, 1] = 0.0, 1.0
        inventory = rng.integers(-3, 4, states).astype(float)
        claim = np.repeat(np.arange(claims), 2)
        fair = rng.dirichlet(np.ones(states) + 1.0)
        limit = (payoffs @ fair)[claim] * rng.choice([1.0, 0.5], 2 * claims)
        market = kpm.Market(payoffs, maker=make_maker(name, rng, 1.0, inventory))
        small = 1e3 * rng.integers(1, 10, 2 * claims)
        at_first = kpm.Orders(claim, ["buy"] * 2 * claims, limit, small)
        first = kpm.clear(market, at_first, rule="competitive")
        assert first.status is kpm.Status.OPTIMAL, seed
        if np.any(first.fills > 0.5 * small):
            continue  # an order is as large as it may be
        kept += 1
        for size in (1e1, 1e3, 1e5):
            large = small * size * 10.0 ** rng.integers(0, 4, 2 * claims)
            orders = kpm.Orders(claim, ["buy"] * 2 * claims, limit, large)
            result = kpm.clear(market, orders, rule="competitive")
            assert result.status is kpm.Status.OPTIMAL, (seed, size)
            assert result.objective == pytest.approx(first.objective, abs=2e-8 * first.scale)
            result.verify().raise_if_failed()
        if name in ("worst", "simplex", "hull"):
            priors = market.maker.priors if name == "hull" else np.eye(states)
            costs = priors @ payoffs[claim].T
            worth = worth_of_linear_program(costs, priors @ inventory, limit, at_first)
            assert first.objective == pytest.approx(worth, abs=1e-8 * (1 + first.scale))
    assert kept > 3


@pytest.mark.parametrize(
    ("name", "count", "seed"),
    [
        *[("worst", 300, 6), ("worst", 1000, 0), ("worst", 3000, 7), ("simplex", 1000, 44)],
        *[("hull", 300, 45), ("hull", 300, 58), ("hull", 1000, 3), ("ball", 1000, 13)],
    ],
)
def test_many_small_orders_are_filled_as_exact_prices_say(name, count, seed):
    """The steps of a claim are so short that the program's demand does not say on which it is."""
    market, orders = books.arrow_debreu(count, seed=seed)
    prior = market.prior
    states = len(prior)
    priors = 0.8 * prior + 0.2 * np.eye(states) if name == "hull" else np.eye(states)
    maker = {
        "worst": kpm.WorstStateMaker(states),
        "hull": kpm.PolytopeMaker(priors, 0.0),
        "simplex": kpm.KnightianMaker(prior, 1.0, np.inf),
        "ball": market.maker,
    }[name]
    result = kpm.clear(market.replace(maker=maker), orders, rule="competitive")
    assert result.status is kpm.Status.OPTIMAL
    assert result.gain >= -1e-8 * result.scale
    result.verify().raise_if_failed()
    if name != "ball":
        side, claim = orders.side, orders.claim_index(market)
        costs = priors @ (side[:, None] * market.payoffs[claim]).T
        worth = worth_of_linear_program(costs, np.zeros(len(priors)), side * orders.price, orders)
        assert result.objective == pytest.approx(worth, abs=1e-8 * result.scale)


@pytest.mark.parametrize(
    ("seed", "span"),
    [
        *[(669, 7), (989, 7), (1664, 7), (1739, 7), (1747, 5)],
        *[(7833, 6), (9908, 6), (16825, 3)],
    ],
)
def test_polytopes_whose_rare_states_and_vertices_count_are_proven(seed, span):
    """Prices that rise by powers of ten, vertices that seem to tie, limits that add up to one."""
    market, orders = extreme_book(seed, "polytope", span)
    result = kpm.clear(market, orders, rule="competitive")
    assert result.status is kpm.Status.OPTIMAL
    result.verify().raise_if_failed()


@pytest.mark.parametrize(
    ("name", "span", "seed"),
    [
        *[("polytope", 7, 10954), ("polytope", 10, 975), ("utility", 8, 5659)],
        *[("quadratic", 10, 975), ("quadratic", 9, 2767)],
    ],
)
def test_a_maker_whose_prices_the_last_digit_of_a_loss_moves_is_as_good_as_its_limit(
    name, span, seed
):
    """Its risk tolerance is nothing of what could trade: the worst of the states that may be."""
    market, orders = extreme_book(seed, name, span)
    result = kpm.clear(market, orders, rule="competitive")
    assert result.status is kpm.Status.OPTIMAL
    result.verify().raise_if_failed()
    side, claim = orders.side, orders.claim_index(market)
    unit = np.ptp(market.payoffs, axis=1)[claim] / result.scale  # of an order's share, in trades
    may_be = (market.maker.priors > 0).any(axis=0) if name == "polytope" else slice(None)
    worth = worth_of_linear_program(
        ((side / unit)[:, None] * market.payoffs[claim]).T[may_be] / result.scale,
        market.inventory[may_be] / result.scale,
        side * orders.price / unit / result.scale,
        kpm.Orders(orders.claim, orders.side, orders.price, orders.quantity * unit),
    )
    bears = market.maker.wealth if name == "utility" else 0.0
    assert result.objective == pytest.approx(worth * result.scale, abs=1e-8 * result.scale + bears)


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("size", [1.0, 1e3])
@pytest.mark.parametrize("rare", [1e-11, 1e-10, 1e-9, 1e-8, 1e-6])
def test_at_a_kink_limits_that_add_up_to_one_end_the_step_that_prices_ask_for(rare, size, swap):
    """Bids of 0.7 and 0.3 while a third state has a price: the smaller one is above its own.

    The larger one is filled until the vertices tie, where (1 - rare) x is what the other pays.
    """
    priors = np.array([[rare, 1 - rare, 0], [0, 0, 1]])
    payoffs = np.array([[0, 1, 0], [0, 0, 1]])
    claim, price, quantity = np.array([0, 1]), np.array([0.7, 0.3]), np.array([100.0, 1.0])
    if swap:
        payoffs, claim = payoffs[::-1], 1 - claim
    market = kpm.Market(payoffs, maker=kpm.PolytopeMaker(priors, 1e-6 / size))
    orders = kpm.Orders(claim, ["buy"] * 2, price, size * quantity)
    result = kpm.clear(market, orders, rule="competitive")
    assert result.status is kpm.Status.OPTIMAL
    assert result.fills[1] == size
    assert result.fills[0] / size - 1 == pytest.approx(rare, rel=1e-5, abs=1e-15)
    below = 0.3 - result.claim_prices[claim[1]]
    assert below == pytest.approx(0.7 * rare, rel=1e-5, abs=1e-15)
    assert result.stats.iterations <= 12


def test_a_giant_beside_orders_of_nothing_holds_the_price_of_a_worst_state_maker():
    """Nothing else holds the price but its bid for 1e7 shares at 0.04, where it comes to lie."""
    market, orders = extreme_book(5818, "worst", 6)
    result = kpm.clear(market, orders, rule="competitive")
    np.testing.assert_allclose(result.state_prices, [0.4, 0.6, 0, 0], atol=1e-12)
    side, claim = orders.side, orders.claim_index(market)
    costs = (side[:, None] * market.payoffs[claim]).T
    worth = worth_of_linear_program(costs, market.inventory, side * orders.price, orders)
    assert result.objective == pytest.approx(worth, abs=1e-8 * result.scale)
    assert result.stats.iterations <= 500
