"""Branch and bound against the enumeration, and under changes that must not matter."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpm_fast as kpm
from adapter import assert_same_bits, clear, market_of, orders_of
from strategies import books, crowded_book, examples, related_books
from ties import TIE, assert_same_clearing
from transforms import in_units, order_subset, renamed, split_orders
from witness import Book

FEW_UNDECIDED = 0.5  # at least this share of the drawn books leaves no doubt about the answer


def certified(book: Book, **options: Any) -> kpm.Result:
    """Clear with a certificate, and check it."""
    result = clear(book, certificate=True, **options)
    kpm.check_certificate(result.market, result.orders, result).raise_if_failed()
    return result


def mostly(decided: list[bool]) -> None:
    """Bits are compared for decided books only: most of them, but for chance, must be decided."""
    assert np.mean(decided) > FEW_UNDECIDED - 0.5 / np.sqrt(len(decided))


# -- the same answer ---------------------------------------------------------------------------


@pytest.mark.cross_section
@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"max_states": 4, "max_claims": 2, "max_orders": 9},
        {"log_alpha": (0, 3)},
        {"log_alpha": (-12, -6)},
    ],
    ids=["any", "many-orders", "risk-averse", "risk-neutral"],
)
def test_same_answer_as_the_enumeration(shape: dict[str, Any]) -> None:
    decided = []

    @given(books(**shape))
    @examples(120)
    def compare(book: Book) -> None:
        tree, cells = clear(book), clear(book, method="enumerate")
        assert tree.upper_bound >= cells.certainty_equivalent - book.tolerance(1e-12)
        decided.append(assert_same_clearing(book, tree, cells))

    compare()
    mostly(decided)


@pytest.mark.cross_section
def test_a_certificate_changes_nothing() -> None:
    """The search is the same, bit for bit; without presolve, at least the clearing is."""
    decided = []

    @given(books())
    @examples(150)
    def compare(book: Book) -> None:
        proof, merged, apart = certified(book), clear(book), clear(book, presolve=False)
        assert_same_bits(proof, merged, bound=False)
        assert proof.upper_bound == pytest.approx(merged.upper_bound, abs=book.tolerance(1e-9))
        decided.append(assert_same_clearing(book, proof, apart))

    compare()
    mostly(decided)


@pytest.mark.cross_section
def test_presolve_changes_nothing() -> None:
    """On books with equal, scaled and complementary claims."""
    decided = []

    @given(related_books())
    @examples(150)
    def compare(book: Book) -> None:
        merged, apart = clear(book), clear(book, presolve=False)
        decided.append(assert_same_clearing(book, merged, apart))

    compare()
    mostly(decided)


def test_presolve_makes_one_staircase_of_related_claims() -> None:
    """Six names for one claim are searched as one."""
    one = crowded_book(1, seed=3, orders=60, states=2)
    member = np.arange(one.orders) % 6
    turned = member % 2 == 1
    scale = np.array([1.0, 1.0, 2.0, 0.5, 4.0, 8.0])[member]  # exact in binary
    row = one.payoffs[0]
    many = one.with_(
        payoffs=np.array(
            [s * (1 - row if k % 2 else row) for k, s in enumerate((1.0, 1.0, 2.0, 0.5, 4.0, 8.0))]
        ),
        claim=member,
        side=np.where(turned, -one.side, one.side),
        price=scale * np.where(turned, 1 - one.price, one.price),
        quantity=one.quantity / scale,
    )
    single, merged, apart = clear(one), clear(many), clear(many, presolve=False)
    np.testing.assert_allclose(merged.fills * scale, single.fills, atol=1e-9 * one.quantity.sum())
    np.testing.assert_allclose(apart.fills, merged.fills, atol=1e-9 * one.quantity.sum())
    assert merged.certainty_equivalent == pytest.approx(
        single.certainty_equivalent, abs=one.tolerance(2 * TIE)
    )
    assert merged.stats.nodes <= apart.stats.nodes
    assert merged.stats.root_bound <= apart.stats.root_bound + one.tolerance(1e-9)


# -- threads -----------------------------------------------------------------------------------


@pytest.mark.threads
@pytest.mark.parametrize(
    ("size", "options"),
    [
        (24, {"seed": 13, "states": 24, "orders": 2400, "risk_aversion": 10.0}),
        (30, {"seed": 4, "states": 30, "orders": 300}),
    ],
)
def test_the_number_of_threads_does_not_matter(size: int, options: dict[str, Any]) -> None:
    book = crowded_book(size, **options)
    one = certified(book, threads=1)
    assert one.stats.nodes > 100
    assert one.stats.threads == 1
    for threads in (2, 8, None):
        other = certified(book, threads=threads)
        assert other == one  # the certificate included
        assert_same_bits(one, other)
        if threads is not None:
            assert other.stats.threads == threads
        elif hasattr(os, "sched_getaffinity"):  # so many nodes at work, at most
            assert other.stats.threads == min(len(os.sched_getaffinity(0)), 8)
        counts = ("nodes", "relaxations", "columns", "solved", "iterations", "root_bound")
        assert [getattr(other.stats, name) for name in counts] == [
            getattr(one.stats, name) for name in counts
        ]


# -- units, labels, the order of the book --------------------------------------------------------


@pytest.mark.parametrize("unit", [1e6, 1e-6])
@pytest.mark.parametrize("what", ["money", "share"])
def test_units_change_nothing_but_units(what: str, unit: float) -> None:
    """Status, tree and answer of a book of hundreds of nodes, to rounding."""
    book = crowded_book(16, seed=0, risk_aversion=10.0)
    money, share = (unit, 1.0) if what == "money" else (1.0, unit)
    one, other = certified(book), certified(in_units(book, money, share))
    np.testing.assert_array_equal(other.cell, one.cell)
    np.testing.assert_allclose(other.fills, one.fills * share, atol=1e-9 * share)
    np.testing.assert_allclose(other.state_prices, one.state_prices, atol=1e-11)
    relative = book.tolerance(2 * TIE)
    for name in ("certainty_equivalent", "upper_bound"):
        figure = getattr(other, name) / (money * share)
        assert figure == pytest.approx(getattr(one, name), abs=relative), name
    assert other.scale == pytest.approx(one.scale * money * share, rel=1e-12)


@pytest.mark.cross_section
@given(st.randoms(use_true_random=False))
@examples(8)
def test_the_order_of_a_crowded_book_does_not_matter(random: Any) -> None:
    book = crowded_book(16, seed=1, risk_aversion=100.0)
    rows = np.array(random.sample(range(book.orders), book.orders))
    one, other = clear(book), clear(order_subset(book, rows))
    assert_same_bits(one, other, fills=rows)
    assert one.stats == other.stats


@given(st.randoms(use_true_random=False))
@examples(8)
def test_states_and_claims_of_a_crowded_book_may_be_renamed(random: Any) -> None:
    book = crowded_book(16, seed=1, risk_aversion=100.0)
    states = np.array(random.sample(range(book.states), book.states))
    claims = np.array(random.sample(range(book.claims), book.claims))
    one, other = clear(book), certified(renamed(book, states, claims))
    assert other.certainty_equivalent == pytest.approx(
        one.certainty_equivalent, abs=book.tolerance(2 * TIE)
    )
    np.testing.assert_array_equal(other.cell, one.cell[claims])
    np.testing.assert_allclose(other.state_prices, one.state_prices[states], atol=1e-9)
    np.testing.assert_allclose(other.fills, one.fills, atol=1e-8)


def test_orders_of_a_crowded_book_may_be_split() -> None:
    book = crowded_book(16, seed=1, risk_aversion=100.0)
    halves, _ = split_orders(book, np.full(book.orders, 2))
    one, other = clear(book), certified(halves)
    np.testing.assert_array_equal(other.cell, one.cell)
    np.testing.assert_allclose(other.fills.reshape(-1, 2).sum(axis=1), one.fills, rtol=1e-12)
    assert other.stats.nodes == one.stats.nodes


# -- the end of the search -----------------------------------------------------------------------

PROOFS = {1e-4: [0, 5, 8, 13], 1e-6: [7, 10, 22, 39]}  # seeds of books that go on after those gaps


@pytest.mark.parametrize(
    ("gap", "seed"), [(gap, s) for gap, seeds in PROOFS.items() for s in seeds]
)
def test_a_coarse_gap_ends_with_its_proof(gap: float, seed: int) -> None:
    """Asked for 1e-6 or more there is no node after the proof: one fewer proves less."""
    book = crowded_book(12, seed, 400, states=12)
    coarse, fine = clear(book, tolerance=gap, threads=1), clear(book, tolerance=9e-7, threads=1)
    assert coarse.status is fine.status is kpm.Status.OPTIMAL
    assert coarse.relative_gap <= gap
    assert 1 < coarse.stats.nodes <= 6 < fine.stats.nodes  # taken one at a time
    limits: Any = {"threads": 1, "node_limit": coarse.stats.nodes - 1}
    before = kpm.clear(market_of(book), orders_of(book), tolerance=gap, **limits)
    assert before.status is kpm.Status.NODE_LIMIT
    assert before.relative_gap > gap


# -- the ends of the model -----------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1])
def test_ambiguity_from_none_to_unlimited(seed: int) -> None:
    """More ambiguity is never better; a tiny radius acts like none, a large one like no limit."""
    book = crowded_book(12, seed, risk_aversion=3.0)
    omegas = [0.0, 1e-14, 1e-6, 0.01, 0.3, 3.0, 50.0, math.inf]
    found = [certified(book.with_(ambiguity=omega)) for omega in omegas]
    values = np.array([result.certainty_equivalent for result in found])
    slack = book.tolerance(3 * TIE)
    assert np.all(np.diff(values) <= slack)
    # By Pinsker's inequality p is within sqrt(2 Omega) of q in total.
    cost = math.sqrt(2e-14) * math.expm1(3.0) / book.risk_aversion
    assert values[0] - values[1] <= cost + slack
    assert abs(values[-1] - values[-2]) <= slack
    assert found[-1].payoff.min() >= -book.tolerance(1e-8)  # Corollary 1


@pytest.mark.parametrize("alpha", [1e-12, 1e-6, 1.0, 1e3])
@pytest.mark.parametrize("ambiguity", [0.0, 0.2, math.inf])
def test_risk_aversion_from_next_to_none_to_extreme(alpha: float, ambiguity: float) -> None:
    for seed in range(3):
        book = crowded_book(8, seed, risk_aversion=alpha).with_(ambiguity=ambiguity)
        certified(book)


@pytest.mark.parametrize("power", [3, 6, 9])
def test_huge_inventory(power: int) -> None:
    """Wealth of up to 1e9 notionals costs the answer digits, but never the proof its validity."""
    book = crowded_book(8, seed=5)
    wealth = 10.0**power * book.notional * np.linspace(-1.0, 1.0, book.states)
    for alpha in (1e-3, 1e3):
        book = book.with_(inventory=wealth, risk_aversion=alpha / float(np.abs(wealth).max()))
        tree = clear(book)
        proof = certified(book)
        assert proof.certainty_equivalent == pytest.approx(
            tree.certainty_equivalent, abs=book.tolerance(2 * TIE)
        )


def one_book(payoffs: Any, claim: Any, side: Any, price: Any, **other: Any) -> Book:
    table = np.atleast_2d(np.array(payoffs, dtype=float))
    states = table.shape[1]
    count = len(np.atleast_1d(claim))
    fields: dict[str, Any] = {
        "prior": np.full(states, 1 / states),
        "inventory": np.zeros(states),
        "risk_aversion": 0.7,
        "ambiguity": 0.1,
        "quantity": np.arange(1.0, count + 1),
        **other,
    }
    return Book(
        payoffs=table,
        claim=np.array(claim, dtype=np.int64).reshape(count),
        side=np.array(np.broadcast_to(side, count), dtype=np.int64),
        price=np.array(np.broadcast_to(price, count), dtype=float),
        **fields,
    )


DEGENERATE = {
    "no orders": one_book(np.eye(3), [], [], []),
    "no orders, one state": one_book([[1.0]], [], [], []),
    "one state": one_book([[1.0], [2.0]], [0, 1, 1], [1, -1, 1], [1.0, 2.0, 3.0]),
    "one claim": one_book([1.0, 0.0, 0.25], [0] * 4, [1, 1, -1, -1], [0.6, 0.3, 0.5, 0.2]),
    "one claim, one order": one_book([1.0, 0.0], [0], 1, 0.7),
    "constant claims": one_book(
        [[0.5, 0.5], [0.0, 0.0], [-2.0, -2.0]], [0, 0, 1, 2, 2], [1, -1, 1, 1, -1], 0.5
    ),
    "a constant claim beside another": one_book(
        [[0.5, 0.5], [1.0, 0.0]], [0, 0, 1, 1], [1, -1, 1, -1], [0.5, 0.5, 0.7, 0.4]
    ),
    "limits at the bounds": one_book(
        np.eye(3), [0, 0, 1, 1, 2, 2], [1, -1] * 3, [0.0, 1.0, 1.0, 0.0, 1.0, 1.0]
    ),
    "only market orders": one_book(
        np.eye(3), [0, 1, 2, 0], [1, 1, 1, -1], [np.inf, np.inf, np.inf, -np.inf]
    ),
    "only market orders, one side": one_book(np.eye(3), [0, 1, 2], 1, np.inf),
    "only dead orders": one_book(np.eye(3), [0, 1, 2], [1, -1, 1], [-1.0, 2.0, -np.inf]),
    "nothing wanted": one_book(np.eye(2), [0, 1], 1, 0.7, quantity=np.zeros(2)),
    "one limit for all": one_book(np.eye(4), np.arange(40) % 4, np.arange(40) % 3 - 1 | 1, 0.25),
    "one limit, one side": one_book(np.eye(4), np.arange(40) % 4, 1, 0.25),
    "equal orders": one_book(np.eye(5), np.arange(30) % 5, 1, 0.21, quantity=np.ones(30)),
    "more claims than states": one_book(
        [[1, 0], [0, 1], [1, 1], [2, -1], [0.5, 0.25], [3, 3], [-1, 0]],
        np.arange(21) % 7,
        np.arange(21) % 2 * 2 - 1,
        np.linspace(0.05, 0.95, 21),
    ),
    "equal claims": one_book(
        np.tile([1.0, 0.0, 0.5], (6, 1)), np.arange(24) % 6, np.arange(24) % 2 * 2 - 1, 0.5
    ),
    "limits a rounding apart": one_book(
        np.eye(2), [0, 0, 0, 1], [1, 1, -1, 1], [0.5, np.nextafter(0.5, 1), 0.5, 0.5]
    ),
    "an extreme prior": one_book(
        np.eye(3),
        np.arange(9) % 3,
        [1, -1, 1] * 3,
        np.linspace(0.1, 0.9, 9),
        prior=np.array([1e-12, 1e-6, 1 - 1e-6 - 1e-12]),
    ),
}


@pytest.mark.cross_section
@pytest.mark.parametrize("ambiguity", [0.0, 0.1, math.inf])
@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_books(name: str, ambiguity: float) -> None:
    book = DEGENERATE[name].with_(ambiguity=ambiguity)
    proof, tree = certified(book), clear(book)
    assert proof.status is tree.status is kpm.Status.OPTIMAL
    assert proof.gap <= book.tolerance(1e-8)
    cells = math.prod(len(steps) for steps in kpm.staircases(market_of(book), orders_of(book)))
    if cells <= 10_000:
        counted = clear(book, method="enumerate")
        assert_same_clearing(book, tree, counted)
        assert_same_clearing(book, proof, counted)
    assert tree.certainty_equivalent == pytest.approx(
        proof.certainty_equivalent, abs=book.tolerance(2 * TIE)
    )


def test_random_books_beyond_enumeration() -> None:
    """A thousand orders: proved, or stopped with a small gap that anyone can check."""

    @given(st.integers(0, 10**6), st.sampled_from([5, 8, 12]), st.sampled_from([0.1, 3.0, 100.0]))
    @examples(12)
    def prove(seed: int, size: int, alpha: float) -> None:
        book = crowded_book(size, seed, 100 * size, states=size, risk_aversion=alpha)
        market, orders = market_of(book), orders_of(book)
        result = kpm.clear(market, orders, certificate=True, threads=1, node_limit=200)
        result.verify().raise_if_failed()
        kpm.check_certificate(market, orders, result).raise_if_failed()
        limited = kpm.Status.NODE_LIMIT if result.stats.nodes >= 200 else kpm.Status.OPTIMAL
        assert result.status in (kpm.Status.OPTIMAL, limited)
        assert result.gap <= book.tolerance(1e-4)

    prove()
