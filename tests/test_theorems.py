"""The theorems of docs/theory.md on random books, against other solutions of what they state."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq, linprog, minimize

import kpm_fast as kpm
from adapter import market_of, orders_of
from auction_books import MAKERS, RULES, as_orders, make_maker, random_book, random_columns
from kpm_fast.paper.simulations import exponential_prior
from makers import DRAWN, in_money
from strategies import books, examples, fewer, payoff_tables, sizes

pytestmark = pytest.mark.cross_section

EVERY_RULE = ("maker_optimal", *RULES)


def small_book(seed):
    """A book of a few orders, and a prior."""
    rng, scale, payoffs, inventory, columns = random_book(seed)
    prior = rng.dirichlet(np.full(len(inventory), 2.0)) + 0.02
    return scale, payoffs, inventory, [column[:8] for column in columns], prior / prior.sum()


def ranked(market, orders):
    """Clear by all rules; the certainty equivalents must be ranked as by theorem A."""
    results = {rule: kpm.clear(market, orders, rule=rule) for rule in EVERY_RULE}
    best, competitive, by_limit = results.values()
    # Each is known to its own gap; the largest wealth is rounded.
    size = float(np.abs(market.inventory).max()) + best.scale
    slack = sum(result.gap for result in results.values()) + 1e-12 * size
    assert by_limit.certainty_equivalent >= best.certainty_equivalent - slack
    assert best.certainty_equivalent >= competitive.certainty_equivalent - slack
    assert competitive.certainty_equivalent >= competitive.no_trade_equivalent - slack
    np.testing.assert_array_equal(by_limit.fills, competitive.fills)
    return results


@given(books(max_claims=5, max_orders=12))
@examples(150)
def test_theorem_a_ranks_the_three_rules_above_no_trade(book):
    ranked(market_of(book), orders_of(book))


def test_theorem_a_where_many_orders_trade():
    """The ranking is strict somewhere: no two of the rules are one."""
    apart = dict.fromkeys(EVERY_RULE, 0)
    for seed in range(fewer(60, 12)):
        rng, scale, payoffs, inventory, columns = random_book(seed)
        prior = rng.dirichlet(np.full(len(inventory), 2.0)) + 0.02
        market = kpm.Market(
            payoffs, prior / prior.sum(), inventory, 1 / scale, 10 ** rng.uniform(-2, 0)
        )
        results = ranked(market, as_orders(tuple(column[:16] for column in columns)))
        worth = [results[rule].certainty_equivalent for rule in ("competitive", *EVERY_RULE[::2])]
        steps = np.diff([results["competitive"].no_trade_equivalent, *worth])
        for rule, step in zip(("competitive", *EVERY_RULE[::2]), steps, strict=True):
            apart[rule] += step > 1e-3 * scale
    assert min(apart.values()) >= 3


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
    for rule in EVERY_RULE:
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


def auctions(market, rng, scale, rule):
    """The market after each of several auctions, which carry its wealth on."""
    for _ in range(6):
        columns = random_columns(rng, market.payoffs, scale, int(rng.integers(1, 9)))
        result = kpm.clear(market, as_orders(columns), rule=rule)
        market = market.replace(inventory=result.payoff)
        yield market, result


def greatest_probability(q, radius):
    """The upper root of KL(Bernoulli p | Bernoulli q) = radius, 1 from -ln q on."""

    def over(p):
        other = (1 - p) * math.log((1 - p) / (1 - q)) if p < 1 else 0.0
        return p * math.log(p / q) + other - radius

    return 1.0 if over(1.0) <= 0 else brentq(over, q, 1.0, xtol=1e-15)


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_theorem_d_no_sequence_of_auctions_passes_the_bound(rule):
    """In any state, on any claims; and some sequences come near it."""
    nearest = math.inf
    for seed in range(fewer(60, 15)):
        scale, payoffs, inventory, _, prior = small_book(seed)
        if len(prior) == 1:
            continue
        rng = np.random.default_rng([seed, 1])
        alpha, radius = 10 ** rng.uniform(-1, 1) / scale, rng.choice([0.0, 0.02, 0.3, 3.0])
        market = kpm.Market(payoffs, prior, inventory, alpha, radius)
        start = -market.maker.cost(-inventory)
        most = np.array([greatest_probability(q, radius) for q in prior])
        floor = start + np.log(most) / alpha
        for after, result in auctions(market, rng, scale, rule):
            size = result.scale + float(np.abs(inventory).max())
            assert (after.inventory >= floor - 1e-7 * size).all(), seed
            nearest = min(nearest, float(((after.inventory - floor) * alpha).min()))
    assert nearest < 0.1  # of 1/alpha


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", MAKERS)
def test_theorem_d_holds_for_every_maker_with_its_own_conjugate(name, rule):
    """wealth_i >= -C(-w) - C*(e_i), as -C(-wealth) never falls."""
    bounded = 0
    for seed in range(fewer(30, 8)):
        rng, scale, payoffs, inventory, _ = random_book(seed)
        maker = make_maker(name, rng, scale, inventory)
        start, each = -maker.cost(-inventory), np.eye(len(inventory))
        floor = np.array([start - maker.conjugate(state) for state in each])
        for after, result in auctions(kpm.Market(payoffs, maker=maker), rng, scale, rule):
            size = result.scale + float(np.abs(inventory).max()) + scale
            assert result.certainty_equivalent >= start - 1e-7 * size, seed
            assert (after.inventory >= floor - 1e-7 * size).all(), seed
            bounded += result.volume > 0 and np.isfinite(floor).any()
    assert bounded > 5 or name in ("orders", "hull")  # which have no bound


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


@given(st.data())
@examples(100)
def test_theorem_g_a_ball_round_a_uniform_prior_treats_all_states_alike(data):
    """Whatever the lottery, radius and risk aversion: names of states change no price."""
    states = data.draw(sizes(1, 6))
    lotteries = data.draw(payoff_tables(states, 2))
    radius = data.draw(st.sampled_from([0.0, 1e-3, 0.1, 0.7, math.log(states), 3.0, math.inf]))
    maker = kpm.KnightianMaker(
        np.full(states, 1 / states), 10 ** data.draw(st.floats(-2, 1)), radius
    )
    other = data.draw(st.permutations(range(states)))
    size = np.abs(lotteries).max() + 1
    close = {"rel": 1e-11, "abs": 1e-11 * size}
    assert maker.cost(lotteries[:, other]) == pytest.approx(maker.cost(lotteries), **close)
    here, there = maker.quotes(lotteries), maker.quotes(lotteries[:, other])
    for side in ("bid", "ask"):
        assert there[side] == pytest.approx(here[side], **close)
    one = maker.quotes(np.eye(states))  # R ~ B ~ G
    assert one["bid"] == pytest.approx(np.full(states, one["bid"][0]), **close)
    assert one["ask"] == pytest.approx(np.full(states, one["ask"][0]), **close)


def charge(maker, losses):
    """What a maker who owes nothing asks for taking on losses."""
    return maker.cost(losses) - maker.cost(np.zeros(maker.states))


@pytest.mark.parametrize("kind", DRAWN)
def test_theorem_h_two_makers_together_need_no_more_than_apart(kind):
    """With their capital together, for any losses; as much where both have the same."""
    saved = 0
    for seed in range(fewer(60, 12)):
        rng = np.random.default_rng(seed)
        maker = DRAWN[kind](rng, int(rng.integers(2, 7)))
        both = in_money(maker, 2.0)
        one, other = 10 ** rng.uniform(-1, 1, (2, 1)) * rng.normal(size=(2, maker.states))
        size = np.abs([one, other]).max() + abs(both.cost(np.zeros(maker.states)))
        apart = charge(maker, one) + charge(maker, other)
        assert charge(both, one + other) <= apart + 1e-10 * size, seed
        alike = charge(both, 2 * one)
        assert alike == pytest.approx(2 * charge(maker, one), abs=1e-9 * size), seed
        saved += charge(both, one + other) < apart - 1e-3 * size
    assert saved >= 5


@pytest.mark.parametrize("kind", DRAWN)
def test_theorem_h_calls_and_puts_on_one_strike_bear_no_risk(kind):
    """Of one maker, however little its capital, as they offset each other. Where losses add up it
    asks for more than two makers would."""
    saved = 0
    for seed in range(fewer(60, 12)):
        rng = np.random.default_rng(seed)
        maker, shares = DRAWN[kind](rng, int(rng.integers(2, 7))), 10 ** rng.uniform(-1, 1)
        calls = shares * rng.normal(size=maker.states)
        puts = shares - calls
        size = np.abs(calls).max() + shares + abs(maker.cost(np.zeros(maker.states)))
        assert charge(maker, calls + puts) == pytest.approx(shares, abs=1e-10 * size), seed
        apart = charge(maker, calls) + charge(maker, puts)
        assert apart >= shares - 1e-10 * size, seed
        assert charge(maker, 2 * calls) >= 2 * charge(maker, calls) - 1e-10 * size, seed
        saved += apart > shares + 1e-3 * size
    assert saved >= 5
