"""A clearing stopped at any of its polls of the limits, not at moments chosen by a clock.

Polls are counted, however short the work between them, and from a chosen one on the clearing is
told to stop, in the search and in the selection: the same on every machine, under any load.
"""

from __future__ import annotations

import signal
import sys

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import kpm_fast as kpm
from adapter import assert_same_bits, market_of, orders_of, stopped
from strategies import METHODS, books, crowded_book, examples, fewer, long_book
from witness import Book


def check(book: Book, best: kpm.Result, cut: kpm.Result, unit: float = 0.0) -> None:
    """What a clearing guarantees, whatever stopped it. Ties are told in the ``unit`` searched."""
    assert cut.status in {kpm.Status.INTERRUPTED, best.status}
    verification = cut.verify()  # the fills obey the rules, the figures are those of the fills
    assert verification, str(verification)
    slack = book.tolerance(1e-9)
    assert cut.certainty_equivalent >= cut.no_trade_equivalent - slack - 1e-11 * unit
    assert cut.certainty_equivalent <= best.upper_bound + slack
    assert cut.upper_bound >= best.certainty_equivalent - slack
    if cut.status is kpm.Status.OPTIMAL:
        assert cut.gap <= max(cut.tolerance * cut.scale, book.rounding)


@METHODS
@given(books(), st.data())
@examples(100)
@pytest.mark.cross_section
def test_stopped_at_any_poll(method: str, book: Book, data: st.DataObject) -> None:
    market, orders = market_of(book), orders_of(book)
    best, polls = stopped(market, orders, -1, method=method)
    assert_same_bits(best, kpm.clear(market, orders, method, threads=1))  # counting changes nothing
    for _ in range(8):
        poll = data.draw(st.integers(0, polls.count), label="poll")
        cut, _ = stopped(market, orders, poll, method=method)
        check(book, best, cut)
    again, _ = stopped(market, orders, polls.count, method=method)
    assert_same_bits(best, again)  # one poll too late


def beside_giants(market: kpm.Market, orders: kpm.Orders, size: float) -> tuple[kpm.Orders, float]:
    """The orders with giants far from the prices on every claim, and all that could trade."""
    low, high = market.payoffs.min(axis=1), market.payoffs.max(axis=1)
    claims = np.arange(len(market.claims))
    claim = np.r_[orders.claim_index(market), claims, claims]
    far = 1e-3 * (high - low)
    both = kpm.Orders(
        claim,
        np.r_[orders.side, np.ones(len(claims)), -np.ones(len(claims))].astype(int),
        np.r_[orders.price, low + far, high - far],
        np.r_[orders.quantity, np.full(2 * len(claims), size)],
    )
    return both, float(both.quantity @ (high - low)[claim])


@METHODS
@given(books(), st.sampled_from([1e4, 1e8, 1e11]), st.data())
@examples(60)
@pytest.mark.cross_section
def test_stopped_at_any_poll_in_any_unit(
    method: str, book: Book, size: float, data: st.DataObject
) -> None:
    """Giants far from the prices: their unit hides what trades, which finer ones resolve."""
    market, orders = market_of(book), orders_of(book)
    both, unit = beside_giants(market, orders, size)
    best, polls = stopped(market, both, -1, method=method)
    assume(not best.fills[len(orders) :].any())
    for _ in range(6):
        poll = data.draw(st.integers(0, polls.count), label="poll")
        cut, _ = stopped(market, both, poll, method=method)
        check(book, best, cut, unit)


@METHODS
@pytest.mark.parametrize("sold", [[1.0, 0.0], [-1.0, 0.0]])
def test_stopped_before_the_unit_of_what_trades(method: str, sold: list[float]) -> None:
    """No trade took the support of another clearing; and 2.4e-7, lost, is a tie beside giants."""
    payoffs = np.array([[1.0, 0.0], [1.0, 0.0], sold])
    market = kpm.Market(payoffs, [0.5, 0.5], risk_aversion=5e-6, ambiguity=1e-6)
    claim, price = ([0, 0], [0.0, 1.0]) if sold[0] > 0 else ([0, 2], [0.125, 0.0])
    both, unit = beside_giants(market, kpm.Orders(claim, ["buy"] * 2, price, [1.0, 1.0]), 1e4)
    best, polls = stopped(market, both, -1, method=method)
    assert best.status is kpm.Status.OPTIMAL
    for poll in range(0, polls.count, 3):
        cut, _ = stopped(market, both, poll, method=method)
        cut.verify().raise_if_failed()
        assert cut.status in {kpm.Status.INTERRUPTED, kpm.Status.OPTIMAL}
        assert cut.gain >= -1e-11 * unit
        assert cut.upper_bound >= best.certainty_equivalent - 1e-9


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is not raised like that")
def test_ctrl_c_at_any_poll_of_the_selection() -> None:
    """It takes effect at the very poll it comes at; what the search proved or found is kept."""
    market, orders = wide_book(12, 24)
    best, polls = stopped(market, orders, -1)
    assert polls.search < polls.count
    worth = best.certainty_equivalent - best.tolerance * best.scale
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # may be ignored: nohup
    try:
        for poll in np.unique(np.linspace(polls.search, polls.count - 1, 12).astype(int)).tolist():
            cut, seen = stopped(market, orders, poll, raising=signal.SIGINT)
            assert cut.status is kpm.Status.INTERRUPTED
            assert seen.search == polls.search
            assert_same_bits(cut, stopped(market, orders, poll)[0])
            cut.verify().raise_if_failed()
            assert cut.upper_bound == best.upper_bound
            assert cut.certainty_equivalent >= worth
    finally:
        signal.signal(signal.SIGINT, handler)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is not raised like that")
def test_ctrl_c_within_a_node() -> None:
    """A node of many claims takes seconds; the signal does not wait for it to end."""
    market, orders = wide_book(20, 40)
    _, polls = stopped(market, orders, -1, node_limit=1)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        cut, seen = stopped(market, orders, polls.search // 2, raising=signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert cut.status is kpm.Status.INTERRUPTED
    assert (cut.stats.nodes, cut.stats.relaxations) == (1, 0)
    assert seen.count <= polls.search // 2 + 5
    cut.verify().raise_if_failed()


def test_a_later_stop_never_gives_less() -> None:
    """Of a search with hundreds of polls, some on a geometric scale."""
    book = long_book()
    market, orders = market_of(book), orders_of(book)
    best, polls = stopped(market, orders, -1, node_limit=16)
    worth, bound = -np.inf, np.inf
    slack = best.tolerance * best.scale
    for poll in np.unique(np.geomspace(1, polls.count, 60).astype(int) - 1).tolist():
        cut, _ = stopped(market, orders, poll, node_limit=16)
        verification = cut.verify()
        assert verification, str(verification)
        assert cut.certainty_equivalent >= worth - slack, poll
        assert cut.upper_bound <= bound + slack, poll
        worth, bound = cut.certainty_equivalent, cut.upper_bound


def wide_book(states: int, claims: int) -> tuple[kpm.Market, kpm.Orders]:
    """Claims with random payoffs in every state, and limits on both sides of their prior values."""
    draw = np.random.default_rng(claims)
    payoffs, prior = draw.uniform(0, 1, (claims, states)), draw.dirichlet(np.ones(states))
    market = kpm.Market(payoffs, prior, risk_aversion=1e-3, ambiguity=0.01)
    claim, side = np.repeat(np.arange(claims), 4), np.tile([1, 1, -1, -1], claims)
    price = (payoffs @ prior)[claim] + draw.normal(0, 0.03, len(claim)) - 0.01 * side
    return market, kpm.Orders(claim, side, price, draw.uniform(1, 100, len(claim)))


def test_work_between_polls_is_no_more_than_a_step_of_the_method() -> None:
    """At most an iteration of the interior-point method; longer steps must poll on the way."""
    for states, claims in [(20, 40), (40, 80), (80, 160)]:
        _, polls = stopped(*wide_book(states, claims), -1, node_limit=2)
        assert polls.longest <= 2.0 * (states + 3 * claims) ** 3


def assert_stops_soon(market: kpm.Market, orders: kpm.Orders, poll: int) -> kpm.Result:
    """Told to stop at a poll, a clearing takes a few more, none of them far from the next."""
    cut, polls = stopped(market, orders, poll)
    assert cut.status is kpm.Status.INTERRUPTED
    assert poll < polls.count <= poll + 5
    states, claims = len(market.states), len(market.claims)
    assert polls.longest <= 0.5 * (states + 3 * claims) ** 3
    cut.verify().raise_if_failed()
    assert cut.certainty_equivalent >= cut.no_trade_equivalent
    assert np.isfinite(cut.upper_bound)
    return cut


@pytest.mark.parametrize("poll", [0, 1, 100])
def test_a_large_book_stops_at_the_next_poll(poll: int) -> None:
    assert_stops_soon(*wide_book(500, 1000), poll)


@pytest.mark.parametrize("poll", [0, 5, 500])
def test_a_vast_book_stops_at_the_next_poll(poll: int) -> None:
    """From the compilation of the book to publication; it once took 80 s and lost money."""
    size = fewer(1000, 300)
    book = crowded_book(size, seed=0, orders=5 * size, states=size // 2, noise=0.3)
    market, orders = market_of(book), orders_of(book)
    cut = assert_stops_soon(market, orders, poll)
    span = np.ptp(market.payoffs, axis=1)
    in_the_book = float(span[orders.claim_index(market)] @ orders.quantity)
    assert cut.upper_bound < 0.05 * in_the_book


@pytest.mark.parametrize("risk_aversion", [1e3, 1e5])
def test_a_first_clearing_takes_one_convex_program(risk_aversion: float) -> None:
    """Where all orders cross: an equilibrium found step by step took many times as long."""
    size = fewer(400, 200)
    book = crowded_book(size, seed=1, states=size // 2, noise=0.1, risk_aversion=risk_aversion)
    market, orders = market_of(book), orders_of(book)
    assert_stops_soon(market, orders, 0)
    fair = kpm.clear(market, orders, rule="competitive")
    assert fair.certainty_equivalent >= fair.no_trade_equivalent  # theorem A
