"""Rule 2 of the selection on faces of the convex rules' optima."""

from __future__ import annotations

import numpy as np
import pytest

import kpm_fast as kpm


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
