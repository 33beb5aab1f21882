"""What must not matter, and what must matter in a known way."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter import assert_same_bits, clear
from strategies import books, examples
from witness import Book

METHODS = pytest.mark.parametrize("method", ["branch-and-bound", "enumerate"])


def same_value(book: Book, one: float, other: float) -> None:
    assert one == pytest.approx(other, abs=book.tolerance(3e-9))


def order_subset(book: Book, rows: np.ndarray) -> Book:
    return book.with_(
        claim=book.claim[rows],
        side=book.side[rows],
        price=book.price[rows],
        quantity=book.quantity[rows],
    )


def with_orders(book: Book, **extra: list[float]) -> Book:
    columns = {name: np.append(getattr(book, name), extra[name]) for name in extra}
    columns["claim"] = columns["claim"].astype(np.int64)
    columns["side"] = columns["side"].astype(np.int64)
    return book.with_(**columns)


@METHODS
@given(books(), st.randoms(use_true_random=False))
@examples(100)
@pytest.mark.sanitize
def test_the_order_of_the_book_does_not_matter(method, book, random):
    rows = np.array(random.sample(range(book.orders), book.orders), dtype=int)
    one, other = clear(book, method=method), clear(order_subset(book, rows), method=method)
    assert_same_bits(one, other, fills=rows)


@METHODS
@given(books())
@examples(40)
@pytest.mark.sanitize
@pytest.mark.threads
def test_the_number_of_threads_does_not_matter(method, book):
    one, other = (clear(book, method=method, threads=threads) for threads in (1, 2))
    assert_same_bits(one, other)


@METHODS
@pytest.mark.threads
@pytest.mark.parametrize("seed", range(4))
def test_the_number_of_threads_does_not_matter_for_larger_books(seed, method):
    generator = np.random.default_rng(seed)
    claim = np.repeat(np.arange(4), 4)
    book = Book(
        payoffs=np.vstack([np.eye(4)[:3], [1.0, 1.0, 0.0, 0.0]]),
        prior=np.full(4, 0.25),
        inventory=np.zeros(4),
        risk_aversion=0.5,
        ambiguity=[0.0, 0.1, 0.5, math.inf][seed],
        claim=claim,
        side=generator.choice([1, -1], claim.size),
        price=generator.uniform(0.1, 0.5, claim.size).round(2),
        quantity=generator.choice([1.0, 2.0, 5.0], claim.size),
    )
    results = [clear(book, method=method, threads=threads) for threads in (1, 2, 3, 2)]
    for other in results[1:]:
        assert_same_bits(results[0], other)


@given(books())
@examples(80)
def test_pruning_by_bound_does_not_change_the_answer(book):
    one, other = (
        clear(book, method="enumerate", prune_bounds=prune, tolerance=1e-9)
        for prune in (True, False)
    )
    same_value(book, one.certainty_equivalent, other.certainty_equivalent)
    np.testing.assert_array_equal(one.cell, other.cell)
    np.testing.assert_allclose(one.state_prices, other.state_prices, atol=1e-9)
    np.testing.assert_allclose(one.fills, other.fills, atol=1e-9 * max(1e-9, book.quantity.sum()))


@given(books(), st.data())
@examples(80)
def test_an_order_may_be_split(book, data):
    if book.orders == 0:
        return
    j = data.draw(st.integers(0, book.orders - 1))
    quantity = book.quantity.copy()
    quantity[j] /= 2  # exact in binary
    halves = with_orders(
        book.with_(quantity=quantity),
        claim=[book.claim[j]],
        side=[book.side[j]],
        price=[book.price[j]],
        quantity=[quantity[j]],
    )
    one, other = clear(book), clear(halves)
    same_value(book, one.certainty_equivalent, other.certainty_equivalent)
    np.testing.assert_allclose(
        one.claim_prices, other.claim_prices, atol=1e-9 * (1 + book.spans.max())
    )
    total = other.fills[:-1].copy()
    total[j] += other.fills[-1]
    np.testing.assert_allclose(total, one.fills, atol=1e-8 * max(1e-9, book.quantity.sum()))


@given(books(), st.randoms(use_true_random=False))
@examples(60)
def test_states_and_claims_may_be_renamed(book, random):
    states = np.array(random.sample(range(book.states), book.states))
    claims = np.array(random.sample(range(book.claims), book.claims))
    renamed = book.with_(
        payoffs=book.payoffs[np.ix_(claims, states)],
        prior=book.prior[states],
        inventory=book.inventory[states],
        claim=np.argsort(claims)[book.claim],
    )
    one, other = clear(book), clear(renamed)
    same_value(book, one.certainty_equivalent, other.certainty_equivalent)


@given(books(), st.sampled_from([2.0**-20, 0.01, 3.0, 1e6]))
@examples(60)
def test_the_unit_of_money_does_not_matter(book, unit):
    other = book.with_(
        payoffs=book.payoffs * unit,
        price=book.price * unit,
        inventory=book.inventory * unit,
        risk_aversion=book.risk_aversion / unit,
    )
    one, scaled = clear(book), clear(other)
    same_value(book, one.certainty_equivalent, scaled.certainty_equivalent / unit)


@given(books(), st.sampled_from([2.0**-20, 0.01, 3.0, 1e6]))
@examples(60)
def test_the_size_of_a_share_does_not_matter(book, unit):
    other = book.with_(
        quantity=book.quantity * unit,
        inventory=book.inventory * unit,
        risk_aversion=book.risk_aversion / unit,
    )
    one, scaled = clear(book), clear(other)
    same_value(book, one.certainty_equivalent, scaled.certainty_equivalent / unit)


@given(books(), st.sampled_from([-5.0, 0.25, 300.0]))
@examples(60)
def test_cash_adds_to_the_certainty_equivalent(book, cash):
    one, other = clear(book), clear(book.with_(inventory=book.inventory + cash))
    moved = book.with_(inventory=book.inventory + abs(cash))
    same_value(moved, one.certainty_equivalent + cash, other.certainty_equivalent)
    same_value(moved, one.no_trade_equivalent + cash, other.no_trade_equivalent)


@given(books(), st.data())
@examples(80)
def test_a_claim_may_be_turned_around(book, data):
    """Selling a claim at b is buying its negative at -b."""
    k = data.draw(st.integers(0, book.claims - 1))
    turned = book.claim == k
    payoffs = book.payoffs.copy()
    payoffs[k] = -payoffs[k]
    other = book.with_(
        payoffs=payoffs,
        side=np.where(turned, -book.side, book.side),
        price=np.where(turned, -book.price, book.price),
    )
    one, mirrored = clear(book), clear(other)
    same_value(book, one.certainty_equivalent, mirrored.certainty_equivalent)


@given(books())
@examples(80)
def test_dead_orders_do_not_matter(book):
    """Nothing of zero quantity, and nothing that asks for more than a claim can ever pay."""
    low, high = float(book.payoffs[0].min()), float(book.payoffs[0].max())
    dead = with_orders(
        book,
        claim=[0, 0, 0],
        side=[1, -1, 1],
        price=[low - 1, high + 1, (low + high) / 2],
        quantity=[3.0, 2.0, 0.0],
    )
    one, other = clear(book), clear(dead)
    same_value(dead, one.certainty_equivalent, other.certainty_equivalent)
    np.testing.assert_array_equal(other.fills[-3:], 0.0)


@given(books(log_alpha=(-3, 1)))
@examples(60)
def test_little_ambiguity_is_almost_none(book):
    """By Pinsker's inequality p is within sqrt(2 Omega) of q in total, which bounds the cost."""
    none, little = clear(book.with_(ambiguity=0.0)), clear(book.with_(ambiguity=1e-12))
    spread = float(np.ptp(book.inventory)) + book.notional
    exponent = book.risk_aversion * spread
    bound = math.sqrt(2e-12) * math.expm1(min(exponent, 60.0)) / book.risk_aversion
    difference = none.certainty_equivalent - little.certainty_equivalent
    assert -book.tolerance(3e-9) <= difference <= bound + book.tolerance(3e-9)


@given(books())
@examples(60)
def test_beyond_the_rarest_state_ambiguity_changes_nothing(book):
    enough = -math.log(book.prior.min()) + 1e-6
    one, other = clear(book.with_(ambiguity=enough)), clear(book.with_(ambiguity=math.inf))
    same_value(book, one.certainty_equivalent, other.certainty_equivalent)


@given(books())
@examples(80)
def test_unlimited_ambiguity_is_pari_mutuel(book):
    """Corollary 1: without inventory the maker cannot lose in any state."""
    empty_handed = book.with_(ambiguity=math.inf, inventory=np.zeros(book.states))
    result = clear(empty_handed)
    assert result.payoff.min() >= -book.tolerance(3e-9)


@given(books())
@examples(60)
def test_more_ambiguity_is_never_welcome(book):
    values = [
        clear(book.with_(ambiguity=omega)).certainty_equivalent for omega in (0.0, 0.05, 0.6, 4.0)
    ]
    assert all(a >= b - book.tolerance(3e-9) for a, b in itertools.pairwise(values))


@METHODS
@pytest.mark.parametrize("below", [0.0, 1e-16, 1e-12, 1e-9, 1e-6, 1e-3])
def test_the_ambiguity_price_next_to_a_kink(below, method):
    """Exact, and checked as exactly as rounding of the ambiguity allows."""
    book = Book(
        payoffs=np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),
        prior=np.array([0.5, 0.5]),
        inventory=np.zeros(2),
        risk_aversion=0.5,
        ambiguity=math.log(2.0) * (1.0 - below),
        claim=np.array([0, 2]),
        side=np.array([1, 1]),
        price=np.array([0.0, 1.0]),
        quantity=np.array([1.0, 1.0]),
    )
    result = clear(book, method=method)  # verified there
    assert (result.ambiguity_price > 0.0) == (below > 0.0)
