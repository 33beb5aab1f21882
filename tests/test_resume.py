"""Chunks of many books: the same bits by any executor and chunk size; what is done is kept."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from cut_short import CutShort
from executors import dask, loky
from kpm_fast.clearing import chunks
from kpm_fast.clearing.stop_token import flag_of
from kpm_fast.storage import finished as finished_tasks
from kpm_fast.storage.finished import Finished, content_hash
from programs import start_program

PRIOR = [0.3, 0.25, 0.2, 0.12, 0.08, 0.05]
MARKET = kpm.Market(np.eye(6), PRIOR, risk_aversion=0.01, ambiguity=0.005)


def columns(count: int, orders: int = 12) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    claim = rng.integers(0, 6, orders * count)
    limits = np.array(PRIOR)[claim] * np.exp(0.3 * rng.normal(size=len(claim)))
    return {
        "book": np.repeat(np.arange(count), orders),
        "claim": claim,
        "side": rng.choice([1, -1], len(claim)),
        "price": limits.round(3).clip(0.001, 0.999),
        "quantity": rng.integers(1, 50, len(claim)),
        "time": rng.integers(0, 5, len(claim)),
    }


class Counting(Executor):
    """Clears at once in this process, and counts the books; dies after some tasks."""

    def __init__(self, dies_after: int | None = None) -> None:
        self.books = 0
        self.tasks = 0
        self.threads: set[Any] = set()
        self._dies_after = dies_after

    def submit(self, function: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if self.tasks == self._dies_after:
            future.set_exception(KeyboardInterrupt())
            return future
        self.tasks += 1
        self.books += len(given[0]["first"]) - 1
        self.threads.add(given[1]["threads"])
        future.set_result(function(*given, **named))
        return future


@pytest.mark.parametrize(
    "kind",
    [
        ThreadPoolExecutor,
        ProcessPoolExecutor,
        pytest.param(loky, marks=pytest.mark.unsanitized),
        pytest.param(dask, marks=pytest.mark.unsanitized),
    ],
)
def test_bits_do_not_depend_on_the_executor(kind: Callable[[int], Any]) -> None:
    books = kpm.Books(MARKET, **columns(400))
    with kind(2) as executor:
        there = kpm.clear_many(books, executor=executor, allocation="time")
    assert there == kpm.clear_many(books, allocation="time")


@pytest.mark.parametrize("seconds", [(1e-9, 1e-9), (1e-4, 1e-3), (10.0, 10.0)])
def test_bits_do_not_depend_on_the_cuts(
    seconds: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "_SECONDS", seconds)
    monkeypatch.setattr(chunks, "_TASKS", 10**9)
    given = columns(300)
    given["price"][[13, 2000]] = np.nan  # of books 1 and 166
    books = kpm.Books(MARKET, **given)
    executor = Counting()
    cut = kpm.clear_many(books, executor=executor)
    whole = kpm.clear_many(books)
    assert cut == whole
    assert {n: str(error) for n, error in cut.errors.items()} == {
        n: str(error) for n, error in whole.errors.items()
    }
    assert sorted(cut.errors) == [1, 166]
    assert executor.threads == {1}
    if seconds == (1e-9, 1e-9):
        assert executor.tasks == 300 - 64


class OwnFuture:
    """What an executor with a class of its own may return: a result, and no more."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def result(self) -> Any:
        return self._value


class OwnExecutor:
    def submit(self, function: Callable[..., Any], /, *given: Any, **named: Any) -> OwnFuture:
        return OwnFuture(function(*given, **named))


def test_futures_need_no_more_than_a_result() -> None:
    books = kpm.Books(MARKET, **columns(100))
    cut = kpm.clear_many(books, executor=OwnExecutor())  # type: ignore[arg-type]
    assert cut == kpm.clear_many(books)


def test_pairs_with_markets_of_their_own_and_faults_of_the_core() -> None:
    pairs: list[Any] = []
    for number in range(150):
        market = kpm.Market(np.eye(2), [0.4, 0.6], risk_aversion=0.01 + number / 1000)
        pairs.append((market, kpm.Orders([0], "buy", [0.5], [1 + number])))
    pairs[77] = None
    executor = Counting()
    cut, whole = kpm.clear_many(pairs, executor=executor), kpm.clear_many(pairs)
    assert cut == whole
    assert str(cut.errors[77]) == str(whole.errors[77])
    assert executor.books > 0
    assert kpm.clear_many([], executor=executor) == kpm.clear_many([])


def test_a_run_that_was_stopped_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "_SECONDS", (1e-9, 1e-9))
    path = tmp_path / "finished"
    given = columns(100)
    books = kpm.Books(MARKET, **given)
    expected = kpm.clear_many(books)
    with pytest.raises(KeyboardInterrupt):
        kpm.clear_many(books, executor=Counting(dies_after=20), resume=path)
    # Finished chunks are found although the clock would now cut them otherwise.
    monkeypatch.setattr(chunks, "_SECONDS", (10.0, 10.0))
    executor = Counting()
    assert kpm.clear_many(books, executor=executor, resume=path) == expected
    assert executor.books == 100 - 64 - 20
    again = Counting()
    assert kpm.clear_many(books, executor=again, resume=path) == expected
    assert kpm.clear_many(books, resume=path) == expected
    assert again.books == 0
    # More books behind: only these.
    rest = Counting()
    first_hundred = {name: np.r_[given[name], columns(103)[name][1200:]] for name in given}
    more = kpm.Books(MARKET, **first_hundred)
    assert kpm.clear_many(more, executor=rest, resume=path) == kpm.clear_many(more)
    assert rest.books == 3


@pytest.mark.parametrize("change", ["tolerance", "ambiguity", "price", "allocation", "claim"])
def test_the_hash_covers_everything_that_decides_the_clearing(change: str, tmp_path: Path) -> None:
    path = tmp_path / "finished"
    given = columns(80)
    kpm.clear_many(kpm.Books(MARKET, **given), executor=Counting(), resume=path)
    market = MARKET
    options: dict[str, Any] = {}
    if change in ("tolerance", "allocation"):
        options[change] = {"tolerance": 1e-6, "allocation": "time"}[change]
    elif change == "ambiguity":
        market = market.replace(ambiguity=0.0)
    else:
        given[change] = given[change].copy()
        given[change][-1] = {"price": 0.011, "claim": 5 - given["claim"][-1]}[change]
    books = kpm.Books(market, **given)
    executor = Counting()
    found = kpm.clear_many(books, executor=executor, resume=path, **options)
    assert executor.books > 0
    assert found == kpm.clear_many(books, **options)


def test_ctrl_c_between_two_chunks_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any line: what is finished is kept, and what is not reached is interrupted."""
    monkeypatch.setattr(chunks, "_SECONDS", (1e-9, 1e-9))
    monkeypatch.setattr(chunks, "_SAMPLE_BOOKS", 2)
    books = kpm.Books(MARKET, **columns(5))
    expected = kpm.clear_many(books)
    cleared: set[int] = set()
    found: list[kpm.Batch] = []

    def run(path: Path) -> None:
        found.append(kpm.clear_many(books, resume=path))

    line = 1
    while True:
        path, before = tmp_path / str(line), len(found)
        cut = CutShort(line, chunks, finished_tasks)
        raised = cut.run(run, path)
        if cut.left > 0:
            break
        if not raised:  # else before the first chunk or after the last
            (part,) = found[before:]
            count = int((part.status == "optimal").sum())
            assert part.status.tolist() == ["optimal"] * count + ["interrupted"] * (5 - count)
            assert part.gain[:count].tolist() == expected.gain[:count].tolist()
            assert np.isnan(part.gain[count:]).all()
            cleared.add(count)
            with Finished(path) as finished:
                query = "SELECT content FROM finished"
                kept = [row[0] for row in finished._database.execute(query)]
            kept_books = [len(b) for b in map(chunks._unpacked, kept) if b is not None]
            assert count <= sum(kept_books) <= count + 2  # one may be kept and not returned
        assert kpm.clear_many(books, resume=path) == expected
        line += 1 + line // 12
    assert cleared >= {0, 2, 3, 4}
    assert found[-1] == expected


ENDLESS = """
import sys
import kpm_fast as kpm
from adapter import market_of, orders_of
from strategies import endless_book
from kpm_fast.clearing import chunks

chunks._SECONDS, chunks._SAMPLE_BOOKS = (1e-9, 1e-9), 2
short = kpm.Market([[1.0, 0.0]], [0.5, 0.5]), kpm.Orders([0, 0], [1, -1], [0.7, 0.2], 1.0)
endless = market_of(endless_book()), orders_of(endless_book())
clear = chunks._done_here

def said(task, columns, bounds, *rest):
    print(*bounds, flush=True)
    return clear(task, columns, bounds, *rest)

chunks._done_here = said
batch = kpm.clear_many([short, short, endless, endless, short], resume=sys.argv[1], time_limit=300)
print(*batch.status)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_within_a_chunk_ends_the_run(tmp_path: Path) -> None:
    """The core takes the signal, and the next chunk, which has no end either, is not begun."""
    with start_program(ENDLESS, tmp_path / "finished") as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "0 2\n"
        assert program.stdout.readline() == "2 3\n"
        time.sleep(0.3)
        program.send_signal(signal.SIGINT)
        out, err = program.communicate()
    assert (program.returncode, err) == (0, "")
    assert out == "optimal optimal interrupted interrupted interrupted\n"
    with Finished(tmp_path / "finished") as finished:
        rows = finished._database.execute("SELECT content FROM finished").fetchall()
    (batch,) = [found for (row,) in rows if (found := chunks._unpacked(row)) is not None]
    assert batch.status.tolist() == ["optimal", "optimal"]


def test_ctrl_c_in_the_first_chunk_of_an_executor_s_run_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is cleared here, and the core takes the signal: the rest must not begin."""
    books, executor, sample = kpm.Books(MARKET, **columns(80)), Counting(), chunks._sample

    def stopped(*given: Any) -> Any:
        raised = kpm.StopToken()
        raised.cancel()
        return sample(*given[:-1], flag_of(raised))

    with monkeypatch.context() as patch:
        patch.setattr(chunks, "_sample", stopped)
        with pytest.raises(KeyboardInterrupt):
            kpm.clear_many(books, executor=executor, resume=tmp_path / "finished")
        assert executor.books == 0
    assert kpm.clear_many(books, resume=tmp_path / "finished") == kpm.clear_many(books)


def test_books_stopped_by_a_time_limit_are_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "finished"
    books = kpm.Books(MARKET, **columns(70, orders=200))
    stopped = kpm.clear_many(books, time_limit=1e-9, resume=path)
    assert "time_limit" in stopped.status
    with Finished(path) as finished:
        kept = finished._database.execute("SELECT content FROM finished").fetchall()
    assert all(content.isdigit() for (content,) in kept)  # sizes of chunks only


def test_damaged_entries_are_done_again_and_other_files_refused(tmp_path: Path) -> None:
    path = tmp_path / "finished"
    books = kpm.Books(MARKET, **columns(80))
    expected = kpm.clear_many(books, resume=path)
    with Finished(path) as finished:
        finished._database.execute("UPDATE finished SET content = x'0102'")
    assert kpm.clear_many(books, resume=path) == expected
    with Finished(path) as finished:
        finished._database.execute("UPDATE finished SET content = 'text'")
    assert kpm.clear_many(books, resume=path) == expected
    with Finished(path) as finished:
        finished._database.execute("UPDATE finished SET content = 12")
    assert kpm.clear_many(books, resume=path) == expected
    path.write_text("a letter to the auditor, and no database at all" * 50)
    before = path.read_bytes()
    for call in (
        lambda: kpm.clear_many(books, resume=path),
        lambda: kpm.sweep(MARKET, kpm.Orders([0], "buy", [0.5], [1]), resume=path),
    ):
        with pytest.raises(kpm.InputError, match=r"finished: resume: cannot be used"):
            call()
    assert path.read_bytes() == before


def test_a_sweep_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kpm_fast.analysis import sweep as module

    path = tmp_path / "finished"
    orders = kpm.Orders([0, 1], ["buy", "sell"], [0.35, 0.2], [10, 5])
    cleared: list[float] = []
    clear = module.clear

    def counted(market: kpm.Market, *given: Any, **named: Any) -> kpm.Result:
        cleared.append(market.ambiguity)
        return clear(market, *given, **named)

    monkeypatch.setattr(module, "clear", counted)
    first = kpm.sweep(MARKET, orders, ambiguity=[0.0, 0.01], resume=path)
    with ThreadPoolExecutor(2) as executor:
        more = kpm.sweep(
            MARKET, orders, ambiguity=[0.0, 0.005, 0.01, 0.02], resume=path, executor=executor
        )
    assert sorted(cleared) == [0.0, 0.005, 0.01, 0.02]
    assert more["gain"][::2] == first["gain"]
    assert more["seconds"][0] == first["seconds"][0]  # not cleared again
    plain = kpm.sweep(MARKET, orders, ambiguity=[0.0, 0.005, 0.01, 0.02])
    assert more["certainty_equivalent"] == plain["certainty_equivalent"]
    kpm.sweep(MARKET, orders[:1], ambiguity=0.0, resume=path)
    assert len(cleared) == 9


def test_the_hash_tells_neighbouring_parts_apart() -> None:
    hashes = {
        content_hash(parts)
        for parts in (
            [np.array([1.0, 2.0])],
            [np.array([1.0]), np.array([2.0])],
            [np.array([[1.0, 2.0]])],
            [np.array([1.0, 2.0]).view(np.int64)],
            ["ab", "c"],
            ["a", "bc"],
        )
    }
    assert len(hashes) == 6
