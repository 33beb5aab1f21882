"""The enumeration of cells against a witness of the paper's (28) in plain Python, book by book."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import adapter
import kpm_fast as kpm
import witness
from misprint import MISPRINT
from strategies import books, examples
from witness import Book
from witness.book import demand_at, staircase

RELATIVE = 1e-8  # of the notional


def clear(book: Book, **options: Any) -> kpm.Result:
    options = {"method": "enumerate", "tolerance": 1e-9, **options}
    return adapter.clear(book, **options)


def assert_optimal(book: Book, result: kpm.Result) -> None:
    """The figures agree with the witness's own enumeration."""
    expected = witness.clear(book)
    tolerance = book.tolerance(RELATIVE)
    assert result.certainty_equivalent == pytest.approx(
        expected.certainty_equivalent, abs=tolerance
    )
    assert result.upper_bound >= expected.certainty_equivalent - book.tolerance(1e-9)
    assert result.gap <= book.tolerance(2e-9)
    assert result.stats.cells == expected.cells


def assert_obeys_limits(book: Book, result: kpm.Result) -> None:
    """Exact fills: all strictly inside a limit, none strictly outside; prices are payoffs @ xi."""
    prices = result.claim_prices[book.claim]
    inside = np.where(book.side > 0, book.price > prices, book.price < prices)
    outside = np.where(book.side > 0, book.price < prices, book.price > prices)
    np.testing.assert_array_equal(result.fills[inside], book.quantity[inside])
    np.testing.assert_array_equal(result.fills[outside], 0.0)
    assert np.all((result.fills >= 0) & (result.fills <= book.quantity))
    np.testing.assert_allclose(
        book.payoffs @ result.state_prices,
        result.claim_prices,
        rtol=0,
        atol=1e-12 * max(1.0, float(np.abs(book.payoffs).max())),
    )


@given(books())
@examples(250)
@pytest.mark.cross_section
def test_random_books(book):
    result = clear(book)
    assert_optimal(book, result)
    assert_obeys_limits(book, result)


@given(st.data())
@examples(150)
def test_one_claim_has_the_same_bits_by_the_tree(data: st.DataObject) -> None:
    """Where the maker trades next to nothing, what searches in ever smaller units is the same."""
    states = data.draw(st.integers(2, 4))
    payoff = [1.0, 0.0, *data.draw(st.lists(st.sampled_from([0.0, 1.0]), max_size=states - 2))]
    weights = data.draw(st.lists(st.integers(1, 9), min_size=len(payoff), max_size=len(payoff)))
    market = kpm.Market(
        [payoff],
        np.array(weights) / sum(weights),
        risk_aversion=0.5,
        ambiguity=data.draw(st.sampled_from([0.0, 0.1, 0.3])),
    )
    row = st.tuples(st.sampled_from([1, -1]), st.integers(1, 7), st.integers(1, 3))
    rows = data.draw(st.lists(row, min_size=1, max_size=6))
    side, price, quantity = map(np.array, zip(*rows, strict=True))
    orders = kpm.Orders(np.zeros(len(rows), int), side, price / 8, quantity)
    by_cells, by_tree = (
        kpm.clear(market, orders, method) for method in ("enumerate", "branch-and-bound")
    )
    for figure in (
        "fills",
        "claim_prices",
        "state_prices",
        "worst_case",
        "marginal_state_prices",
        "multipliers",
        "payoff",
    ):
        assert getattr(by_cells, figure).tobytes() == getattr(by_tree, figure).tobytes(), figure
    assert by_cells.certainty_equivalent == by_tree.certainty_equivalent


def test_a_bid_and_an_offer_at_one_limit_have_the_same_bits_by_the_tree() -> None:
    market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.5, ambiguity=0.3)
    orders = kpm.Orders([0, 0], [1, -1], 0.375, 1)
    by_cells, by_tree = (
        kpm.clear(market, orders, method) for method in ("enumerate", "branch-and-bound")
    )
    assert by_cells.worst_case.tolist() == by_tree.worst_case.tolist()


@pytest.mark.parametrize(
    "seed",
    # The stake that the next unit of money comes from differed in its last digits or, where claims
    # were merged, by a factor; or one of the two searches alone had a gap too large for its unit.
    [358, 605, 764, 966, 1219, 1577, 1591, 1635, 1681, 1775, 1823, 2177, 2463, 2890, 3514, 3643],
)
def test_beside_orders_of_a_million_shares_both_searches_have_the_same_bits(seed: int) -> None:
    """Claims may be equal, scaled or complementary, and are merged by the tree alone."""
    rng = np.random.default_rng(seed)
    states, rows = int(rng.integers(2, 5)), []
    for _ in range(int(rng.integers(1, 3))):
        row = rng.choice([0, 0.25, 0.5, 1, 0.3, 0.7], states)
        for _ in range(int(rng.integers(1, 4))):
            turn = rng.choice([1.0, 2.0, 0.1]) * rng.choice([1.0, -1.0])
            rows.append(turn * row + rng.choice([0, 1, 0.3, -5.0]))
    payoffs = np.array([rows[k] for k in rng.permutation(len(rows))])
    count = int(rng.integers(1, 11))
    claim = rng.integers(0, len(rows), count)
    share = rng.choice([0.25, 0.5, 0.75, 0.3, 0.7, 0.1, 0.9, 0, 1, -0.5, 1.5], count)
    price = payoffs.min(axis=1)[claim] + np.ptp(payoffs, axis=1)[claim] * share
    for _ in range(int(rng.integers(0, 3))):
        order = int(rng.integers(count))
        price[order] = np.nextafter(price[order], rng.choice([-np.inf, np.inf]))
    side = rng.choice([1, -1], count)
    quantity = rng.choice([1.0, 1.0, 0.5, 2.0, 0.0, 1e6], count)
    weight = rng.integers(1, 200, states)
    prior = weight / weight.sum()
    ambiguity = rng.choice([0, 1e-6, 0.01, 0.1, 1.0, np.inf])
    if rng.random() < 0.2:
        ambiguity = -np.log(prior.min())
    inventory = None if rng.random() < 0.5 else np.arange(states) / 4
    averse = 10.0 ** rng.integers(-2, 2)
    market = kpm.Market(
        payoffs, prior, inventory=inventory, risk_aversion=averse, ambiguity=float(ambiguity)
    )
    orders = kpm.Orders(claim, side, price, quantity)
    by_tree = kpm.clear(market, orders, "branch-and-bound", threads=1)
    by_cells = kpm.clear(market, orders, "enumerate", threads=1)
    adapter.assert_same_bits(by_tree, by_cells, bound=False)


@given(books(max_states=4, max_claims=2, max_orders=9))
@examples(120)
def test_books_with_many_orders_a_claim(book):
    result = clear(book)
    assert_optimal(book, result)
    assert_obeys_limits(book, result)


@given(books(max_states=5, max_claims=4, max_orders=4, log_alpha=(0, 3)))
@examples(80)
def test_large_risk_aversion(book):
    assert_optimal(book, clear(book))


@given(books(log_alpha=(-12, -6)))
@examples(80)
def test_risk_neutral_limit(book):
    assert_optimal(book, clear(book))


@given(books())
@examples(100)
def test_as_much_volume_as_possible_is_matched_at_the_clearing_price(book):
    """Buys and sells of a claim at its price never wait for one another: one side is filled."""
    result = clear(book)
    for k in range(book.claims):
        at = (book.claim == k) & (book.price == result.claim_prices[k])
        unfilled = book.quantity - result.fills
        slack = 1e-9 * max(1.0, float(book.quantity.sum()))
        buys = float(unfilled[at & (book.side > 0)].sum())
        sells = float(unfilled[at & (book.side < 0)].sum())
        assert min(buys, sells) <= slack
        low, high = demand_at(book, k, float(result.claim_prices[k]))
        assert low - slack <= result.net_demand[k] <= high + slack


@given(books())
@examples(80)
def test_pro_rata_and_time_share_the_same_total(book):
    pro_rata, by_time = clear(book), clear(book, allocation="book_order")
    np.testing.assert_array_equal(pro_rata.net_demand, by_time.net_demand)
    np.testing.assert_array_equal(pro_rata.claim_prices, by_time.claim_prices)
    for k in range(book.claims):
        for side in (1, -1):
            group = (book.claim == k) & (book.side == side)
            at = np.flatnonzero(group & (book.price == pro_rata.claim_prices[k]))
            total = book.quantity[at].sum()
            if total == 0:
                continue
            share = pro_rata.fills[at].sum() / total
            np.testing.assert_allclose(pro_rata.fills[at], share * book.quantity[at], rtol=1e-9)
            assert by_time.fills[at].sum() == pytest.approx(pro_rata.fills[at].sum(), rel=1e-9)
            # In book order every order but one is filled whole or not at all.
            partly = (by_time.fills[at] > 0) & (by_time.fills[at] < book.quantity[at])
            assert partly.sum() <= 1


@pytest.mark.cross_section
def test_earlier_orders_come_first():
    market = kpm.Market([[1.0, 0.0]], [0.5, 0.5], ambiguity=0.0)
    orders = kpm.Orders(0, [1, 1, 1, -1], 0.5, [1.0, 1.0, 1.0, 1.5], time=[3.0, 1.0, 2.0, 9.0])
    result = kpm.clear(market, orders, "enumerate", allocation="time", threads=1)
    assert result.verify()
    np.testing.assert_allclose(result.fills[3], 1.5)
    np.testing.assert_allclose(result.fills[:3], [0.0, 1.0, 0.5], atol=1e-9)


@given(books())
@examples(60)
def test_counts_add_up(book):
    stats = clear(book).stats
    cells = 1
    for k in range(book.claims):
        cells *= len(staircase(book, k))
    assert stats.cells == cells
    assert stats.pruned_infeasible + stats.pruned_bound + stats.solved == cells


@given(books())
@examples(60)
def test_without_bounds_every_feasible_cell_is_solved(book):
    result = clear(book, prune_bounds=False)
    if book.spans.min() > 0:  # cells that differ in constant claims only are solved once
        assert result.stats.pruned_bound == 0
    assert result.stats.solved >= 1
    assert_optimal(book, result)


@pytest.mark.cross_section
@pytest.mark.parametrize("ambiguity", [0.0, 0.1, 1.0, np.inf])
def test_degenerate_books(ambiguity):
    """One state, one claim, constant claims, no orders, zero quantities, market orders."""
    books_ = [
        ([[1.0]], [1.0], [], [], [], []),
        ([[1.0]], [1.0], [0, 0], [1, -1], [1.0, 1.0], [1.0, 2.0]),
        ([[0.5, 0.5]], [0.5, 0.5], [0, 0], [1, -1], [0.7, 0.3], [1.0, 1.0]),
        ([[1.0, 0.0]], [0.5, 0.5], [0], [1], [0.4], [0.0]),
        ([[1.0, 0.0]], [0.5, 0.5], [0, 0], [1, -1], [np.inf, -np.inf], [1.0, 1.0]),
        ([[1.0, 0.0]], [0.5, 0.5], [0, 0], [1, -1], [-np.inf, np.inf], [1.0, 1.0]),
        ([[1.0, 0.0], [0.0, 1.0]], [0.5, 0.5], [0, 1], [1, 1], [1.0, 1.0], [1.0, 1.0]),
        ([[-3.0, 2.0, 0.0]], [0.2, 0.3, 0.5], [0, 0], [1, -1], [-3.0, 2.0], [1.0, 1.0]),
    ]
    for payoffs, prior, claim, side, price, quantity in books_:
        book = Book(
            payoffs=np.array(payoffs),
            prior=np.array(prior),
            inventory=np.zeros(len(prior)),
            risk_aversion=2.0,
            ambiguity=ambiguity,
            claim=np.array(claim, dtype=np.int64),
            side=np.array(side, dtype=np.int64),
            price=np.array(price, dtype=float),
            quantity=np.array(quantity, dtype=float),
        )
        result = clear(book)
        assert_optimal(book, result)
        assert_obeys_limits(book, result)


@pytest.mark.cross_section
@pytest.mark.threads
def test_misprint_example_is_cleared():
    result = clear(MISPRINT, threads=2)
    assert_optimal(MISPRINT, result)
    np.testing.assert_array_equal(result.fills[:2], [1.0, 1.0])


def test_too_many_cells_are_refused_by_default():
    generator = np.random.default_rng(0)
    claim = np.repeat(np.arange(6), 20)
    orders = kpm.Orders(claim, 1, np.round(generator.uniform(0.01, 0.99, claim.size), 6), 1.0)
    market = kpm.Market(np.eye(6), np.full(6, 1 / 6))
    with pytest.raises(kpm.TooManyCellsError, match=r"4,750,104,241"):
        kpm.clear(market, orders, "enumerate")


def test_a_walk_of_many_rounds_ends() -> None:
    """16,001 cells of one claim are as many tasks, given out in rounds that double to a limit."""
    draw = np.random.default_rng(0)
    count = 8000
    market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=1e-4, ambiguity=0.1)
    orders = kpm.Orders([0] * count, [1] * count, draw.uniform(0.3, 0.7, count), [1.0] * count)
    walked = kpm.clear(market, orders, "enumerate", prune_bounds=False, time_limit=60)
    assert walked.status is kpm.Status.OPTIMAL
    assert walked.stats.solved + walked.stats.pruned_infeasible == 2 * count + 1
    assert walked.certainty_equivalent == pytest.approx(
        kpm.clear(market, orders).certainty_equivalent, abs=1e-8 * walked.scale
    )
