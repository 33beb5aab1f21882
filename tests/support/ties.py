"""Which books leave no doubt about the clearing that the selection rule publishes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import kpm_fast as kpm
from adapter import assert_same_bits, market_of, orders_of
from witness import Book

TIE = 1e-11  # of the notional: clearings so close count as equally good
SAME, APART = TIE / 5, TIE * 10


def is_decided(book: Book) -> bool:
    """Whether every cell clearly ties with the best or is clearly worse.

    Every cell is solved on its own, without pruning. One whose value lies near the edge of what
    counts as a tie is in or out by rounding, which may change volume and state prices; so is every
    cell of a book whose wealth leaves its orders too few digits.
    """
    if not book.resolves(SAME):
        return False
    market, orders = market_of(book), orders_of(book)
    pieces = [range(len(steps)) for steps in kpm.staircases(market, orders)]
    found = [
        kpm.solve_cell(market, orders, np.array(cell), tolerance=1e-13)
        for cell in itertools.product(*pieces)
    ]
    values = np.array([one.certainty_equivalent for one in found])
    worse = (values.max() - values) / book.notional
    return not np.any((worse > SAME) & (worse < APART))


def assert_same_clearing(book: Book, one: kpm.Result, other: kpm.Result) -> bool:
    """Equal in value to within a tie; where the book is decided, the same bits.

    Where the maker is nearly indifferent to how far a step is filled, one search may stop a hair
    before its end while the other publishes the flat piece beyond it. Prices still agree, and the
    demands of other claims differ by what that hair implies.

    Returns whether the bits were compared, so that a test can require it of most books.
    """
    apart = abs(one.certainty_equivalent - other.certainty_equivalent)
    assert apart <= book.tolerance(2 * TIE)
    if not is_decided(book):
        return False
    beside = one.cell != other.cell
    if np.abs(one.cell - other.cell).max() == 1:
        assert apart <= TIE / 10 * book.notional + book.rounding
        np.testing.assert_allclose(one.claim_prices, other.claim_prices, atol=1e-11)
        hair = 1e-5 * np.bincount(book.claim, book.quantity, book.claims)
        assert np.all(
            np.abs(one.net_demand - other.net_demand) <= np.where(beside, hair, 1e-3 * hair)
        )
        return False
    assert_same_bits(one, other, bound=False)
    return True


def same_value(book: Book, one: float, other: float) -> None:
    assert one == pytest.approx(other, abs=book.tolerance(3e-9))
