"""Time priority: which orders come first at the clearing price; nothing else depends on it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kpm_fast as kpm
from adapter import assert_same_bits, clear
from strategies import METHODS, examples, fewer, pinned_books
from transforms import order_subset, split_orders
from witness import Book

Times = list[float]


@st.composite
def queues(draw: st.DrawFn) -> Book:
    """A book that mostly has several orders at a clearing price, some of them filled in part."""
    book = draw(pinned_books())
    rows = draw(st.permutations(range(book.orders)))
    parts = [draw(st.integers(1, 3)) for _ in rows]
    return split_orders(order_subset(book, np.array(rows, dtype=int)), np.array(parts, dtype=int))[
        0
    ]


def distinct(book: Book) -> st.SearchStrategy[Times]:
    """Times, negative and fractional ones too, in any order."""
    ranks = st.permutations(range(book.orders))
    return ranks.map(lambda order: [(rank - 2) * 0.5 for rank in order])


def repeated(book: Book) -> st.SearchStrategy[Times]:
    """Three orders to a time."""
    return distinct(book).map(lambda time: [each // 1.5 for each in time])


def assert_in_turn(book: Book, time: Times, result: kpm.Result) -> None:
    """At a claim's price an order is filled only if all orders before it are filled in full.

    Before it are earlier orders, and those of the same time nearer the top of the book.
    """
    at = book.price == result.claim_prices[book.claim]
    for claim in range(book.claims):
        for side in (1, -1):
            queue = np.flatnonzero(at & (book.claim == claim) & (book.side == side))
            queue = queue[np.lexsort((queue, np.array(time)[queue]))]
            left = result.fills[queue] < book.quantity[queue]
            behind = np.logical_or.accumulate(left)[:-1]
            assert not np.any(result.fills[queue][1:][behind])


@METHODS
def test_rows_may_be_permuted_with_their_times(method: str) -> None:
    """Each order has the same fill to the last bit, wherever it stands in the book."""
    mattered = []

    @given(queues(), st.data())
    @settings(max_examples=fewer(80, 20, most=math.inf))  # the first few are too simple
    def compare(book: Book, data: st.DataObject) -> None:
        time = data.draw(distinct(book))
        rows = np.array(data.draw(st.permutations(range(book.orders))), dtype=int)
        one = clear(book, time=time, method=method, allocation="time")
        moved = order_subset(book, rows)
        other = clear(moved, time=np.array(time)[rows], method=method, allocation="time")
        assert_same_bits(one, other, fills=rows)
        assert_in_turn(book, time, one)
        mattered.append(bool(np.any(one.fills != clear(book, method=method).fills)))

    compare()
    # Where all orders at the price are filled, or none is, priority has no effect.
    assert sum(mattered) >= len(mattered) // 8


@METHODS
def test_equal_times_go_by_the_book(method: str) -> None:
    """As if the order above were earlier; with all times equal, as if there were none."""
    mattered = []

    @given(queues(), st.data())
    @settings(max_examples=fewer(80, 20, most=math.inf))
    def compare(book: Book, data: st.DataObject) -> None:
        time = data.draw(repeated(book))
        one = clear(book, time=time, method=method, allocation="time")
        assert_in_turn(book, time, one)
        rank = np.argsort(np.argsort(time, kind="stable"), kind="stable")
        assert_same_bits(one, clear(book, time=rank, method=method, allocation="time"))
        none = clear(book, method=method, allocation="book_order")
        same = [7.0] * book.orders
        assert_same_bits(none, clear(book, time=same, method=method, allocation="time"))
        mattered.append(bool(np.any(one.fills != none.fills)))

    compare()
    assert sum(mattered) >= len(mattered) // 8


@METHODS
@given(queues(), st.data())
@examples(80)
def test_an_order_may_be_split_at_its_time(method: str, book: Book, data: st.DataObject) -> None:
    """Into halves or quarters, exact in binary; what the parts have adds up to what it had.

    Others as early would come between parts that were not next to each other in the book.
    """
    time = np.array(data.draw(st.one_of(distinct(book), repeated(book))))
    parts = [data.draw(st.sampled_from([1, 2, 4])) for _ in range(book.orders)]
    shares, origin = split_orders(book, np.array(parts, dtype=int))
    one = clear(book, time=time, method=method, allocation="time")
    other = clear(shares, time=time[origin], method=method, allocation="time")
    np.testing.assert_array_equal(other.cell, one.cell)
    assert other.certainty_equivalent == pytest.approx(
        one.certainty_equivalent, abs=book.tolerance(3e-9)
    )
    total = np.bincount(origin, other.fills, book.orders)
    np.testing.assert_allclose(total, one.fills, atol=1e-8 * max(1e-9, book.quantity.sum()))
    assert_in_turn(shares, list(time[origin]), other)


@METHODS
@given(queues(), st.data())
@examples(60)
def test_times_change_nothing_else(method: str, book: Book, data: st.DataObject) -> None:
    """Pro rata looks at none, to the bit; what the sides of a claim have depends on none."""
    time = data.draw(repeated(book))
    plain, timed = clear(book, method=method), clear(book, time=time, method=method)
    assert_same_bits(plain, timed)
    queued = clear(book, time=time, method=method, allocation="time")
    assert queued.state_prices.tobytes() == plain.state_prices.tobytes()
    assert queued.net_demand.tobytes() == plain.net_demand.tobytes()
    group = 2 * book.claim + (book.side > 0)
    one, other = (np.bincount(group, each.fills, 2 * book.claims) for each in (plain, queued))
    np.testing.assert_allclose(other, one, rtol=1e-12, atol=1e-13 * book.quantity.sum())
