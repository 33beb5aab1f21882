"""Many books under every rule, maker and option of a clearing, equal and stopped batches."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpm_fast as kpm
from adapter import market_of, orders_of
from auction_books import MAKERS, as_orders, make_maker, random_book
from batches import FIGURES, MARKET, assert_row, columns
from kpm_fast.clearing import chunks
from kpm_fast.model.rules import RULES
from programs import run_program
from strategies import books, endless_book, examples, fewer
from witness import Book

CONVEX = RULES[1:]


def pair(seed: int, name: str) -> tuple[kpm.Market, kpm.Orders]:
    rng, scale, payoffs, inventory, orders = random_book(seed)
    maker = make_maker(name, rng, scale, inventory)
    return kpm.Market(payoffs, maker=maker), as_orders(orders)


def assert_same_as_alone(batch: kpm.Batch, number: int, *book: Any, **options: Any) -> None:
    """Either both clear, with the same bits, or both refuse in the same words."""
    refused = batch.errors.get(number)
    if refused is not None:
        with pytest.raises((kpm.InputError, kpm.TooManyCellsError)) as caught:
            kpm.clear(*book, threads=1, **options)
        assert str(refused) == f"books[{number}]: {caught.value}"
        return
    alone = kpm.clear(*book, threads=1, **options)
    assert_row(batch, number, alone)
    assert batch.objective[number] == alone.objective


@pytest.mark.cross_section
@pytest.mark.threads
@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(MAKERS)), min_size=1, max_size=6),
    st.sampled_from(RULES),
    st.sampled_from([1, 2, 3]),
    st.sampled_from(["pro_rata", "book_order"]),
)
@examples(100)
def test_rows_have_the_bits_of_the_loop_under_every_rule(
    drawn: list[tuple[int, str]], rule: str, threads: int, allocation: str
) -> None:
    pairs = [pair(seed, name) for seed, name in drawn]
    options = {"rule": rule, "allocation": allocation}
    batch = kpm.clear_many(pairs, threads, **options)
    assert batch.rule == rule
    for number, book in enumerate(pairs):
        assert_same_as_alone(batch, number, *book, **options)
    assert pickle.loads(pickle.dumps(batch)) == batch


@pytest.mark.parametrize("rule", CONVEX)
def test_columns_of_a_maker_of_starting_orders(rule: str) -> None:
    market = kpm.Market(np.eye(3), maker=kpm.StartingOrders([1.0, 2.0, 3.0]))
    given_ = columns(3, 30)
    given_["price"][17] = np.nan
    many = kpm.Books(market, **given_)
    batch = kpm.clear_many(many, 2, rule=rule)
    bad = batch.names.index(given_["book"][17])
    assert list(batch.errors) == [bad]
    for number, name in enumerate(batch.names):
        mine = given_["book"] == name
        own = {key: given_[key][mine] for key in given_ if key != "book"}
        if number != bad:
            assert_same_as_alone(batch, number, market, kpm.Orders(**own), rule=rule)
    with pytest.raises(kpm.InputError, match=r"rule: must be one of competitive, pay_as_bid, pdca"):
        kpm.clear_many(many)


def test_what_stands_for_a_bad_book_is_not_its_error() -> None:
    """It is a book of another maker, which does not have every rule."""
    market = kpm.Market(np.eye(2), maker=kpm.StartingOrders([1.0, 1.0]))
    good = market, kpm.Orders([0], "buy", [0.7], [1.0])
    batch = kpm.clear_many([good, None], rule="pdca")
    assert str(batch.errors[1]) == "books[1]: must be a market with its orders, got None"
    assert batch.status.tolist() == ["optimal", "refused"]


@given(
    st.lists(books(), min_size=1, max_size=3),
    st.fixed_dictionaries(
        {},
        optional={
            "method": st.sampled_from(["enumerate", "branch-and-bound"]),
            "cell_limit": st.sampled_from([1, 40, 10**6]),
            "prune_bounds": st.booleans(),
            "presolve": st.booleans(),
        },
    ),
)
@examples(100)
def test_options_of_a_search_are_those_of_clear(drawn: list[Book], options: Any) -> None:
    pairs = [(market_of(book), orders_of(book)) for book in drawn]
    batch = kpm.clear_many(pairs, 1, **options)
    for number, book in enumerate(pairs):
        assert_same_as_alone(batch, number, *book, **options)


def test_columns_with_more_cells_than_may_be_enumerated() -> None:
    given_ = columns(4, 12)
    given_["price"][0] = np.nan
    many = kpm.Books(MARKET, **given_)
    free = kpm.clear_many(many, method="enumerate")
    tight = kpm.clear_many(many, method="enumerate", cell_limit=60)
    assert set(free.errors) < set(tight.errors)
    for number in range(len(many)):
        if number not in tight.errors:
            name = free.names[number]
            assert tight.fills_of(name).tobytes() == free.fills_of(name).tobytes()
        elif number not in free.errors:
            assert "more than the limit of 60" in str(tight.errors[number])


@pytest.mark.parametrize("rule", CONVEX)
def test_options_that_a_rule_lacks_are_refused_before_any_work(rule: str) -> None:
    for option in ({"node_limit": 1}, {"method": "enumerate"}):
        with pytest.raises(kpm.InputError, match="is not available with rule="):
            kpm.clear_many([], rule=rule, **option)
    with pytest.raises(kpm.InputError, match="stop: must be a StopToken"):
        kpm.clear_many([], rule=rule, stop=threading.Event())  # type: ignore[arg-type]


# -- equal batches --------------------------------------------------------------------------------


@pytest.mark.cross_section
@given(st.lists(books(), min_size=2, max_size=5), st.data())
@examples(60)
def test_a_book_knows_nothing_of_the_others(drawn: list[Book], data: st.DataObject) -> None:
    """In another order, in two batches, and where another book gets an order that idles."""
    pairs = [(market_of(book), orders_of(book)) for book in drawn]
    whole = kpm.clear_many(pairs, 2)
    order = data.draw(st.permutations(range(len(pairs))))
    moved = kpm.clear_many([pairs[number] for number in order], 2)
    for place, number in enumerate(order):
        assert_same_rows(moved, place, whole, number)
    half = data.draw(st.integers(0, len(pairs)))
    parts = [kpm.clear_many(part, 2) for part in (pairs[:half], pairs[half:])]
    for number in range(len(pairs)):
        part, place = (parts[0], number) if number < half else (parts[1], number - half)
        assert_same_rows(part, place, whole, number)
    changed = data.draw(st.integers(0, len(pairs) - 1))
    market, orders = pairs[changed]
    claim = np.append(orders.claim_index(market), 0)
    idle = market.payoffs[0].min() - 1.0
    pairs[changed] = (
        market,
        kpm.Orders(
            claim,
            np.append(orders.side, 1),
            np.append(orders.price, idle),
            np.append(orders.quantity, 1.0),
        ),
    )
    beside = kpm.clear_many(pairs, 2)
    for number in range(len(pairs)):
        if number != changed:
            assert_same_rows(beside, number, whole, number)


def assert_same_rows(one: kpm.Batch, mine: int, other: kpm.Batch, theirs: int) -> None:
    assert one.status[mine] == other.status[theirs]
    for name in FIGURES:
        assert getattr(one, name)[mine] == getattr(other, name)[theirs], name
    for part in ("fills_of", "claim_prices", "state_prices", "payoff"):
        own, its = getattr(one, part)(one.names[mine]), getattr(other, part)(other.names[theirs])
        assert own.tobytes() == its.tobytes(), part


@pytest.mark.parametrize("rule", ["maker_optimal", "competitive"])
def test_names_and_order_of_books_in_columns_say_nothing(rule: str) -> None:
    """The same rows under other names, and the books' rows among each other in another order."""
    given_ = columns(8, 30)
    first = kpm.clear_many(kpm.Books(MARKET, **given_), rule=rule)
    rng = np.random.default_rng(0)
    names = rng.permutation(1000)[:30]
    rank = np.empty(len(given_["book"]))  # rows of a book stay in their order
    for book in range(30):
        mine = np.flatnonzero(given_["book"] == book)
        rank[mine] = np.sort(rng.random(len(mine)))
    rows = np.argsort(rank)
    moved = {name: column[rows] for name, column in given_.items()}
    moved["book"] = names[moved["book"]]
    second = kpm.clear_many(kpm.Books(MARKET, **moved), rule=rule)
    for number, name in enumerate(first.names):
        assert_same_rows(second, second.names.index(int(names[name])), first, number)


# -- batches that are stopped --------------------------------------------------------------------


@pytest.mark.threads
@pytest.mark.parametrize("threads", [1, 2])
def test_another_thread_stops_a_batch(threads: int) -> None:
    """The search of its book does not end; a stop that comes before it began comes later next."""
    endless = market_of(endless_book()), orders_of(endless_book())
    for wait in (0.01 * 2**n for n in range(16)):
        stop = kpm.StopToken()
        with ThreadPoolExecutor(1) as pool:
            batch = pool.submit(kpm.clear_many, [endless] * 5, threads, time_limit=900, stop=stop)
            threading.Event().wait(wait)
            stop.cancel()
        assert set(batch.result().status) == {"interrupted"}
        begun = ~np.isnan(batch.result().upper_bound)
        assert (batch.result().upper_bound[begun] < np.inf).all()
        if begun.any():
            break
    assert 1 <= begun.sum() <= threads


class Stopping(Executor):
    """Works at once in this process, and cancels a token when it is given a certain task."""

    def __init__(self, stop: kpm.StopToken, task: int) -> None:
        self.tasks = 0
        self._stop, self._task = stop, task

    def submit(self, function: Callable[..., Any], /, *given_: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.tasks += 1
        if self.tasks == self._task:
            self._stop.cancel()
        if self.tasks < self._task:
            future.set_result(function(*given_, **named))
        return future  # one that no worker has begun


def test_a_batch_is_stopped_in_an_executor_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "_SECONDS", (1e-9, 1e-9))
    many = kpm.Books(MARKET, **columns(5, 100))
    whole = kpm.clear_many(many, rule="competitive")
    stop = kpm.StopToken()
    executor = Stopping(stop, 4)
    options: dict[str, Any] = {"rule": "competitive", "resume": tmp_path / "finished"}
    part = kpm.clear_many(many, executor=executor, stop=stop, **options)
    assert executor.tasks == 4
    assert part.status.tolist() == ["optimal"] * 67 + ["interrupted"] * 33
    for name in part.names[:67]:
        assert part.fills_of(name).tobytes() == whole.fills_of(name).tobytes()
    assert np.isnan(part.fills_of(part.names[67])).all()
    assert kpm.clear_many(many, stop=stop, **options) == part
    assert kpm.clear_many(many, stop=kpm.StopToken(), **options) == whole


def test_a_batch_stopped_before_its_first_chunk_leaves_nothing_to_go_on_from(
    tmp_path: Path,
) -> None:
    """No number of books by task either: it took no time."""
    many = kpm.Books(MARKET, **columns(6, 70))
    stop = kpm.StopToken()
    stop.cancel()
    resume = tmp_path / "finished"
    for executor in (None, Stopping(stop, 1)):
        batch = kpm.clear_many(many, stop=stop, executor=executor, resume=resume)
        assert set(batch.status) == {"interrupted"}
        assert np.isnan(batch.upper_bound).all()
    with chunks.Finished(resume) as finished:
        assert finished._database.execute("SELECT content FROM finished").fetchall() == []


def test_a_token_that_nobody_cancels_changes_nothing() -> None:
    many = kpm.Books(MARKET, **columns(7, 80))
    with ThreadPoolExecutor(2) as executor:
        there = kpm.clear_many(many, executor=executor, stop=kpm.StopToken())
    assert there == kpm.clear_many(many, stop=kpm.StopToken()) == kpm.clear_many(many)


EVERY_SIGNAL = """
import random, signal, sys, threading
import kpm_fast as kpm

signal.signal(signal.SIGINT, signal.default_int_handler)
moments = random.Random(1)
book = kpm.sample.race_card(runners=6, levels=3, seed=1, crossed=0.5)
told = 0
while told < int(sys.argv[1]):
    raising = [signal.SIGINT]
    timer = threading.Timer(moments.uniform(0.0, 0.02), signal.raise_signal, raising)
    try:
        timer.start()
        while "interrupted" not in kpm.clear_many([book] * moments.randint(1, 20), 2).status:
            pass
    except KeyboardInterrupt:
        pass
    told += 1
print("all told")
"""


@pytest.mark.unsanitized
def test_no_ctrl_c_is_lost_in_a_batch() -> None:
    """Not even one that comes with the last books: this ends when every one has been told."""
    assert "all told" in run_program(EVERY_SIGNAL, fewer(60, 20))
