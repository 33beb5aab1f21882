"""Properties of the convex rules with every maker: equivalent books, and limits of parameters."""

from __future__ import annotations

import math

import numpy as np
import pytest

import kpm_fast as kpm
from auction_books import (
    KINDS,
    MAKERS,
    as_orders,
    book_of_mixed_sizes,
    make_maker,
    random_book,
)
from makers import in_money
from strategies import fewer

pytestmark = pytest.mark.cross_section

BOOKS = fewer(60, 12)
every_maker = pytest.mark.parametrize(("name", "rule"), KINDS)


def cleared(payoffs, maker, columns, rule="competitive"):
    """An optimal clearing; under limit prices the fills are the competitive ones, bit for bit."""
    market, orders = kpm.Market(payoffs, maker=maker), as_orders(columns)
    result = kpm.clear(market, orders, rule=rule)
    assert result.status is kpm.Status.OPTIMAL
    assert result.verify()
    if rule == "competitive":
        by_limit = kpm.clear(market, orders, rule="pay_as_bid")
        assert by_limit.fills.tobytes() == result.fills.tobytes()
        paid = orders.side * result.limits * result.fills
        assert by_limit.revenue == pytest.approx(math.fsum(paid), abs=1e-12 * np.abs(paid).sum())
    return result


def close_shares(actual, expected, first, size=None):
    """Shares equal to 1e-7 of the largest fill of the first clearing, or of a given size."""
    size = max(float(np.abs(first.fills).max(initial=0)), 1e-300) if size is None else size
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-7 * size)


def same(first, second, fills=None, size=None, money=1.0):
    """The same state prices, and money and fills up to a unit."""
    np.testing.assert_allclose(second.state_prices, first.state_prices, rtol=0, atol=1e-8)
    if fills is not None:
        close_shares(fills, first.fills, first, size)
    slack = 1e-9 * (first.scale + float(np.abs(first.market.inventory).max(initial=0)))
    # Gains: CPCAM's cost of owing nothing is a logarithm of the unit.
    figures = [
        (r.objective - r.no_trade_equivalent, r.gain, r.revenue, r.surplus) for r in (first, second)
    ]
    assert np.array(figures[1]) / money == pytest.approx(figures[0], abs=slack)


@pytest.mark.parametrize(("name", "rule"), [*KINDS, *((name, "pay_as_bid") for name in MAKERS)])
def test_money_and_shares_have_no_unit(name, rule):
    for seed in range(BOOKS):
        rng, scale, payoffs, inventory, columns = random_book(seed)
        if not len(columns[0]):
            continue  # a book without orders has no unit of its own
        maker = make_maker(name, rng, scale, inventory)
        first = cleared(payoffs, maker, columns, rule)
        claim, side, price, quantity = columns
        for unit in (2.0**-30, 1e7):
            shares = cleared(
                payoffs, in_money(maker, unit), (claim, side, price, quantity * unit), rule
            )
            same(first, shares, shares.fills / unit, money=unit)
            money = cleared(
                payoffs * unit, in_money(maker, unit), (claim, side, price * unit, quantity), rule
            )
            same(first, money, money.fills, money=unit)


@pytest.mark.parametrize(
    ("name", "seed"),
    [*[("utility", seed) for seed in (26, 93, 218, 361)], ("orders", 616), ("polytope", 566)],
)
def test_limits_that_leave_other_states_hardly_a_price_decide_the_same_in_any_unit(name, seed):
    """Limits add up to one while states of 1e-12 to 1e-9 have the rest: some cannot be the price.

    Which, those states' prices say. What rounding left of the others decided it, a third of an
    order's fill, and the gap hid it: it was 1e-11 of the book.
    """
    rng, scale, payoffs, inventory, columns = book_of_mixed_sizes(seed, 1e6)
    maker = make_maker(name, rng, scale, inventory)
    first = cleared(payoffs, maker, columns)
    assert first.gap <= 1e-15 * columns[3].sum()
    claim, side, price, quantity = columns
    for unit in (2.0**-30, 1e-5, 1 / 3, 1e7):
        shares = cleared(payoffs, in_money(maker, unit), (claim, side, price, quantity * unit))
        money = cleared(
            payoffs * unit, in_money(maker, unit), (claim, side, price * unit, quantity)
        )
        close_shares(shares.fills / unit, first.fills, first)
        close_shares(money.fills, first.fills, first)


@every_maker
def test_orders_may_be_split_into_any_parts(name, rule):
    for seed in range(BOOKS):
        rng, scale, payoffs, inventory, columns = random_book(seed)
        maker = make_maker(name, rng, scale, inventory)
        first = cleared(payoffs, maker, columns, rule)
        parts = rng.integers(1, 5, len(columns[0]))
        origin = np.repeat(np.arange(len(parts)), parts)
        claim, side, price, quantity = (column[origin] for column in columns)
        split = cleared(payoffs, maker, (claim, side, price, quantity / parts[origin]), rule)
        joined = np.bincount(origin, split.fills, len(parts))
        same(first, split, joined)


@every_maker
def test_claims_may_be_turned_and_shifted(name, rule):
    """A claim replaced by its complement: buying one is selling the other."""
    for seed in range(BOOKS):
        rng, scale, payoffs, inventory, columns = random_book(seed)
        maker = make_maker(name, rng, scale, inventory)
        first = cleared(payoffs, maker, columns, rule)
        k = int(rng.integers(len(payoffs)))
        constant = float(payoffs[k].max() + payoffs[k].min())
        claim, side, price, quantity = columns
        own = claim == k
        other = payoffs.copy()
        other[k] = constant - other[k]
        turned = cleared(
            other,
            maker,
            (claim, np.where(own, -side, side), np.where(own, constant - price, price), quantity),
            rule,
        )
        np.testing.assert_allclose(turned.state_prices, first.state_prices, rtol=0, atol=1e-8)
        close_shares(turned.fills, first.fills, first)


@every_maker
def test_a_claim_may_be_listed_twice(name, rule):
    """Orders for one claim, divided between two copies of it, trade as much as for one."""
    for seed in range(BOOKS):
        rng, scale, payoffs, inventory, columns = random_book(seed)
        maker = make_maker(name, rng, scale, inventory)
        first = cleared(payoffs, maker, columns, rule)
        claim, *others = columns
        there = rng.integers(0, 2, len(claim))
        both = cleared(
            np.vstack([payoffs, payoffs]), maker, (claim + there * len(payoffs), *others), rule
        )
        np.testing.assert_allclose(both.state_prices, first.state_prices, rtol=0, atol=1e-8)
        demand = both.net_demand.reshape(2, -1).sum(axis=0)
        close_shares(demand, first.net_demand, first)


@pytest.mark.parametrize(("name", "rule"), [kind for kind in KINDS if kind[0] != "quadratic"])
def test_a_state_may_be_split_in_two(name, rule):
    """Two states in which all payoffs are equal count as one: prices and fills stay the same.

    Not for the quadratic maker: its cost depends on how finely states are divided.
    """
    # At a kink the worst-state maker's prices depend on how many states stand for an outcome.
    prices = name != "worst"
    for seed in range(BOOKS):
        rng, scale, payoffs, inventory, columns = random_book(seed)
        maker = make_maker(name, rng, scale, inventory)
        first = cleared(payoffs, maker, columns, rule)
        n = len(inventory)
        i, share = int(rng.integers(n)), rng.uniform(0.2, 0.8)
        into = np.append(np.arange(n), i)
        weight = np.ones(n + 1)
        weight[i], weight[n] = share, 1 - share
        if name == "worst":
            finer = kpm.WorstStateMaker(n + 1, inventory[into])
        else:
            changes = {
                key: getattr(maker, key)[..., into] * weight
                for key in ("prior", "priors", "delta")
                if hasattr(maker, key)
            }
            for key in ("prior", "priors"):
                if key in changes:
                    changes[key] /= changes[key].sum(axis=-1, keepdims=True)
            finer = maker.replace(inventory=inventory[into], **changes)
        told = cleared(payoffs[:, into], finer, columns, rule)
        joined = np.bincount(into, told.state_prices, n)
        if prices:
            np.testing.assert_allclose(joined, first.state_prices, rtol=0, atol=1e-8)
        close_shares(told.fills, first.fills, first)


@every_maker
def test_a_better_limit_never_lowers_its_orders_fill(name, rule):
    """b -> x(b) is the gradient of a convex function: monotone."""
    for seed in range(BOOKS):
        rng, scale, payoffs, inventory, columns = random_book(seed)
        if not len(columns[0]):
            continue
        maker = make_maker(name, rng, scale, inventory)
        first = cleared(payoffs, maker, columns, rule)
        claim, side, price, quantity = columns
        j = int(rng.integers(len(claim)))
        better = price.copy()
        better[j] += side[j] * rng.uniform(0.01, 0.5) * max(np.ptp(payoffs[claim[j]]), 1e-3)
        second = cleared(payoffs, maker, (claim, side, better, quantity), rule)
        size = max(float(quantity.max()), 1e-300)
        assert second.fills[j] >= first.fills[j] - 1e-7 * size, seed
        # No other order's limit got worse.
        assert second.objective >= first.objective - 1e-9 * first.scale


def test_makers_meet_at_the_limits_of_their_parameters():
    for seed in range(BOOKS):
        rng, scale, payoffs, inventory, columns = random_book(seed)
        n = len(inventory)
        prior = rng.dirichlet(np.full(n, 2.0)) * 0.9 + 0.1 / n
        b = scale * 10 ** rng.uniform(-1, 1)
        size = scale + float(np.abs(inventory).max()) + float(columns[3].sum())

        def near(maker, other, within, prices=True, columns=columns, payoffs=payoffs, size=size):
            own, its = cleared(payoffs, maker, columns), cleared(payoffs, other, columns)
            assert own.objective - own.no_trade_equivalent == pytest.approx(
                its.objective - its.no_trade_equivalent, abs=within * size
            )
            if prices:
                at = math.sqrt(within)
                np.testing.assert_allclose(own.state_prices, its.state_prices, rtol=0, atol=at)

        lmsr = kpm.LMSR(b, prior, inventory)
        worst = kpm.WorstStateMaker(n, inventory)
        enough = -math.log(prior.min())
        # Without ambiguity, or with a polytope of one prior: LMSR.
        near(kpm.KnightianMaker(prior, 1 / b, 0.0, inventory), lmsr, 1e-12)
        near(kpm.KnightianMaker(prior, 1 / b, 1e-16, inventory), lmsr, 1e-6)
        near(kpm.PolytopeMaker([prior], 1 / b, inventory), lmsr, 1e-9)
        # All priors: the worst state, for the ball from a finite radius on.
        for omega in (enough, enough + 1.0, math.inf):
            near(kpm.KnightianMaker(prior, 1 / b, omega, inventory), worst, 1e-9, prices=False)
        near(kpm.PolytopeMaker(np.eye(n), 1 / b, inventory), worst, 1e-9, prices=False)
        near(kpm.PolytopeMaker(np.eye(n), 0.0, inventory), worst, 1e-9, prices=False)
        # As risk aversion grows without bound, costs tend to max L.
        tiny = 1e-7 * scale
        for timid in (
            kpm.LMSR(tiny, prior, inventory),
            kpm.KnightianMaker(prior, 1e-2 / tiny, 0.1, inventory),
            kpm.StartingOrders(tiny * prior, inventory),
            kpm.QuadraticMaker(prior, 1e2 * tiny, inventory),
        ):
            near(timid, worst, 1e-5, prices=False)
        # With almost no risk aversion every maker prices at the prior's expectation,
        huge = 1e7 * size
        neutral = kpm.PolytopeMaker([prior], 0.0, inventory)
        for bold in (
            kpm.LMSR(huge, prior, inventory),
            kpm.KnightianMaker(prior, 1 / huge, 0.0, inventory),
            kpm.UtilityMaker(prior, huge, inventory),
            kpm.QuadraticMaker(prior, huge, inventory),
        ):
            near(bold, neutral, 1e-5)
        # and a Knightian one at the worst expectation over its ball.
        near(
            kpm.KnightianMaker(prior, 1 / huge, 0.1, inventory),
            kpm.KnightianMaker(prior, 1e-3 / huge, 0.1, inventory),
            1e-5,
        )


def test_theorem_2_as_starting_orders_vanish():
    """CPCAM's surplus lies below the linear program's by at most the sum of its starting orders."""
    for seed in range(BOOKS):
        rng, scale, payoffs, inventory, columns = random_book(seed)
        n = len(inventory)
        theta = rng.uniform(0.5, 1.5, n)
        worst = kpm.WorstStateMaker(n, inventory)
        most = cleared(payoffs, worst, columns, "pay_as_bid")
        size = most.scale + float(np.abs(inventory).max())
        for share in (1e-1, 1e-3, 1e-5, 1e-7):
            delta = share * scale * theta / theta.sum()
            result = cleared(payoffs, kpm.StartingOrders(delta, inventory), columns, "pay_as_bid")
            owed = (result.net_demand @ payoffs - inventory).max()
            surplus = math.fsum(result.orders.side * result.limits * result.fills) - owed
            short = most.objective - surplus
            assert -1e-9 * size <= short <= share * scale + 1e-9 * size, (seed, share)


@every_maker
@pytest.mark.parametrize("wealth", [0.0, 1e-9, 1.0, 1e9])
def test_a_book_without_orders_is_cleared_beside_any_wealth(name, rule, wealth):
    for seed in range(8):
        rng = np.random.default_rng(seed)
        inventory = wealth * rng.normal(size=4)
        maker = make_maker(name, rng, max(wealth, 1.0), inventory)
        result = cleared(np.eye(4), maker, np.empty((4, 0)), rule)
        assert result.gap == 0
        assert result.gain == 0


def test_state_prices_may_reach_a_kink_that_the_worst_case_does_not():
    """At this risk aversion the worst states carry all of the price, but not all of p."""
    payoffs = np.array([[1.0, 0, 0], [0, 1, 0]])
    maker = kpm.KnightianMaker([0.3, 0.3, 0.4], 1e6, 0.1)
    orders = np.array([0, 1]), np.array([1, 1]), [0.6, 0.7], [1.0, 1.0]
    result = cleared(payoffs, maker, orders)
    assert result.worst_case[2] > 0.1
    assert result.state_prices[2] < 1e-6


def test_two_limits_that_leave_a_third_state_no_price():
    """Limits of 0.4 and 0.6 are both prices only if no other state has one; CPCAM's always do."""
    rng, scale, payoffs, inventory, columns = random_book(16)
    theta = rng.uniform(0.5, 1.5, len(inventory))
    for share in (1e-3, 1e-5, 1e-7):
        maker = kpm.StartingOrders(share * scale * theta / theta.sum(), inventory)
        result = cleared(payoffs, maker, columns)
        assert (result.state_prices > 0).all()


def of_stake(name, money, prior, inventory):
    """The maker whose prices change where so much money is at stake."""
    n = len(prior)
    if name == "lmsr":
        return kpm.LMSR(money, prior, inventory)
    if name == "ball":
        return kpm.KnightianMaker(prior, 1 / money, 0.1, inventory)
    if name == "orders":
        return kpm.StartingOrders(money * prior, inventory)
    if name == "polytope":
        priors = np.array([prior, np.roll(prior, 1), np.full(n, 1 / n)])
        return kpm.PolytopeMaker(priors, 1 / money, inventory)
    if name == "utility":
        return kpm.UtilityMaker(prior, money, inventory)
    return kpm.QuadraticMaker(prior, money, inventory)


def test_next_to_no_wealth_has_a_cost_beside_large_losses():
    """Once its losses are alike to the last bit the slack of a maker is lost in their rounding."""
    rng, scale, payoffs, inventory, columns = random_book(498)
    prior = rng.dirichlet(np.ones(len(inventory)))
    for wealth in 10.0 ** np.arange(-15.0, -8.0):
        maker = kpm.UtilityMaker(prior, wealth * scale, inventory)
        assert np.isfinite(cleared(payoffs, maker, columns).certainty_equivalent)


@pytest.mark.parametrize("name", ["lmsr", "ball", "orders", "polytope", "utility", "quadratic"])
def test_makers_of_any_aversion_are_cleared(name):
    """The most averse makers' prices swing from nothing to one within the rounding of demand."""
    for seed in range(BOOKS):
        rng, scale, payoffs, inventory, columns = random_book(seed)
        n = len(inventory)
        prior = np.maximum(rng.dirichlet(np.ones(n)), 1e-4)
        prior /= prior.sum()
        size = scale + float(np.abs(inventory).max()) + float(columns[3].sum())
        for power in (-12, -10, -9, -8, -7, -6, -4, -2, 0, 2, 6):
            money = scale * 10.0**power
            maker = of_stake(name, money, prior, inventory)
            result = cleared(payoffs, maker, columns)
            # Theorem A, to ten times the gap that polishing is content with.
            assert result.gain >= -1e-11 * (size + money), (seed, power)
