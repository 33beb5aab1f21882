"""Rule 2 of the selection on faces of the convex rules' optima."""

from __future__ import annotations

import numpy as np
import pytest

import kpm_fast as kpm
from auction_books import MAKERS, make_maker
from strategies import fewer

UNITS = [1.0, 1e-6, 1e6, 7.0]


def complemented(payoffs, orders, which):
    """Claims written as what they leave of the sum of their extremes: bids become offers."""
    claim, side, price, quantity = orders
    ends = payoffs.min(axis=1) + payoffs.max(axis=1)
    on = which[claim]
    return (
        np.where(which[:, None], ends[:, None] - payoffs, payoffs),
        (claim, np.where(on, -side, side), np.where(on, ends[claim] - price, price), quantity),
    )


def fills(payoffs, orders, maker, unit):
    claim, side, price, quantity = orders
    market = kpm.Market(payoffs * unit, maker=maker)
    result = kpm.clear(market, kpm.Orders(claim, side, price * unit, quantity), rule="competitive")
    assert result.status == "optimal"
    result.verify().raise_if_failed()
    return result.fills


#: Claims 0 and 1 pay alike but for a share, unless state 0 happens, whose price is some 1e-17.
SUBSTITUTES = np.array([[0, 0, 1, 2, 3], [0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [0, 0, 1, 2, 3.0]])
BOOK = (
    np.array([2, 0, 2, 2, 0, 0, 1, 2, 1, 1, 1, 2, 0, 3, 0, 0, 3]),
    np.array([1, 1, -1, -1, -1, 1, 1, 1, -1, -1, 1, -1, 1, 1, -1, 1, -1]),
    np.array([0.9, 0.6, 2.9, 1.5, 1.2, 0.9, 2.5, 2, 2.3, 2.4, 3.6, 2.1, 2.3, 0.8, 1.8, 1.3, -0.1]),
    np.full(17, 10.0),
)
PRIORS = np.array(
    [
        [0.1851574538706812, 0.18217227268704028, 0.15194519625556127, 0.2456530826806734],
        [0.09191166962149755, 0.7432755324127999, 0.002785496669838897, 0.05726239476131851],
        [0.08940678511767437, 0.15605651228500803, 0.3501143469349943, 0.09942198980600478],
        [0.010495782929896247, 0.3671004466553665, 0.39960566761765604, 0.014561077813177016],
    ]
)
PRIORS = np.column_stack([PRIORS, 1.0 - PRIORS.sum(axis=1)])


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("other", [[], [0], [1], [0, 1]])
@pytest.mark.parametrize("unit", UNITS)
def test_a_state_may_lose_more_while_its_price_stays_nothing(unit, other, split):
    """What is offered of claim 1 at 2.3 and bid for claim 0 at 1.3 adds up: both are filled on."""
    payoffs, orders = complemented(SUBSTITUTES, BOOK, np.isin(np.arange(4), other))
    priors = PRIORS
    if split:
        payoffs = np.column_stack([payoffs, payoffs[:, 0]])
        priors = np.column_stack([0.625 * priors[:, :1], priors[:, 1:], 0.375 * priors[:, :1]])
    maker = kpm.PolytopeMaker(priors, 3.395721202775003 / unit)
    filled = fills(payoffs, orders, maker, unit)
    assert filled[8] == 10.0
    assert filled[15] == pytest.approx(0.04521994, abs=2e-8)


@pytest.mark.parametrize("unit", UNITS)
def test_a_price_of_nothing_is_nothing_to_a_utility_maker_too(unit):
    """Two bids at one price: state 2, which could tell the claims apart, costs 1e-25."""
    payoffs = np.array([[0.0, 3, 3], [0, 3, 0], [0, 3, 2]])
    orders = (
        np.array([0, 0, 0, 0, 0, 1, 2, 2]),
        np.array([-1, 1, 1, 1, -1, 1, -1, 1]),
        np.array([1.7, 1.7, 2.1, 2.6, 2.7, 0.6, 2.1, 2.1]),
        np.full(8, 10.0),
    )
    prior = np.array([0.04668869, 0.01727605, 0.93603526])
    inventory = unit * np.array([2.15620668, -2.32230258, 15.32877477])
    maker = kpm.UtilityMaker(prior, unit / 3.36129411103337, inventory)
    filled = fills(payoffs, orders, maker, unit)
    assert filled[2] == pytest.approx(filled[7], rel=1e-9)
    assert filled[2] == pytest.approx(4.25358179, abs=1e-7)


def twins(draw, copies):
    """A book, and the same with the orders of each claim spread over so many equal ones."""
    n_states, n_claims, n_orders = draw.integers([2, 1, 3], [7, 4, 18])
    payoffs = draw.integers(0, 4, (n_claims, n_states)).astype(float)
    payoffs[:, 0], payoffs[:, 1] = 0.0, 3.0
    claim = draw.integers(n_claims, size=n_orders)
    price = draw.integers(1, 30, n_orders) / 10
    quantity = 10.0 ** draw.uniform(-1, draw.choice([1, 3, 5]), n_orders)
    orders = claim, draw.choice([-1, 1], n_orders), price, quantity
    spread = claim * copies + draw.integers(copies, size=n_orders), *orders[1:]
    return (payoffs, orders), complemented(
        np.repeat(payoffs, copies, axis=0), spread, draw.random(n_claims * copies) < 0.5
    )


@pytest.mark.parametrize("copies", [2, 3])
@pytest.mark.parametrize("name", MAKERS)
def test_equal_claims_and_complements_share_as_one_book_does(name, copies):
    """Whatever the last bit of a limit, and however much of an order no maker could fill."""
    for seed in range(fewer(60, 12)):
        draw = np.random.default_rng([seed, copies])
        (payoffs, orders), (spread, (claim, side, price, quantity)) = twins(draw, copies)
        unit = draw.choice(UNITS)
        bit = draw.integers(-1, 2, len(price))
        nearby = np.where(bit == 0, price, np.nextafter(price, price + bit))
        at = [seed, copies, 1]
        size = quantity.sum()
        n_states = payoffs.shape[1]
        one = make_maker(name, np.random.default_rng(at), size, np.zeros(n_states))
        several = make_maker(name, np.random.default_rng(at), unit * size, np.zeros(n_states))
        if name == "simplex":
            several = one
        np.testing.assert_allclose(
            fills(spread, (claim, side, nearby, quantity), several, unit),
            fills(payoffs, orders, one, 1.0),
            rtol=1e-6,
            atol=1e-6 * quantity.max(),
        )


@pytest.mark.parametrize("complement", [False, True])
def test_what_is_cut_short_of_an_order_counts_in_what_it_misses(complement):
    """What the maker trades is lost beside it: it is solved in units that no such order fits in."""
    payoffs = np.array([[0, 0, 1, 2.0], [0, 0, 1, 2]])
    orders = (
        np.array([1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1]),
        np.array([1, -1, -1, -1, 1, -1, -1, -1, 1, -1, 1, -1, -1, 1, -1]),
        np.array([19, 7, 1, -16, 11, 16, 8, 7, 18, 8, 1, 12, 26, -19, 8]) / 10,
        np.array([2.7, 895, 0.1, 20, 34, 237, 55, 3.2, 0.3, 477, 6, 66, 0.7, 6, 7.5]),
    )
    which = np.array([False, complement])
    inventory = [2.5449976636456055, 5.388547853555119, 9.592221055567874, -2.7478953152448553]
    maker = kpm.LMSR(1 / 0.041291631620695504, np.full(4, 0.25), inventory)
    filled = fills(*complemented(payoffs, orders, which), maker, 1.0)
    assert filled[1] / 895 == pytest.approx(filled[7] / 3.2, rel=1e-8)
    in_one_book = fills(payoffs[:1], (0 * orders[0], *orders[1:]), maker, 1.0)
    np.testing.assert_allclose(filled, in_one_book, rtol=0, atol=1e-9)
