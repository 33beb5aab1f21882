"""Interruptions of any kind at any moment: a defined outcome, and the next clearing is right."""

from __future__ import annotations

import asyncio
import functools
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpm_fast as kpm
from adapter import assert_same_bits, market_of, orders_of
from programs import run_program, start_program
from strategies import METHODS, books, endless_book, endless_walk, examples, fewer, long_book
from witness import Book

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and limits")


# -- limits --------------------------------------------------------------------------------------

STOPPED = {"time_limit": kpm.Status.TIME_LIMIT, "node_limit": kpm.Status.NODE_LIMIT}
LIMITS: list[dict[str, Any]] = [
    {"time_limit": 0},
    {"time_limit": 1e-9},
    {"time_limit": 1e-4},
    {"node_limit": 1},
    {"node_limit": 2},
    {"callback": lambda progress: True},
]


@METHODS
@given(books(), st.sampled_from(LIMITS))
@examples(100)
@pytest.mark.cross_section
def test_any_limit_on_any_book(method: str, book: Book, limit: dict[str, Any]) -> None:
    """The status says what stopped it; the clearing obeys every rule; the bound holds."""
    market, orders = market_of(book), orders_of(book)
    best = kpm.clear(market, orders, method, threads=1)
    if method == "enumerate" and "node_limit" in limit:
        with pytest.raises(kpm.InputError, match="node_limit: is not available"):
            kpm.clear(market, orders, method, **limit)
        return
    cut = kpm.clear(market, orders, method, threads=1, **limit)
    stopped = next((STOPPED[name] for name in limit if name in STOPPED), kpm.Status.INTERRUPTED)
    assert cut.status in {best.status, stopped}
    slack = book.tolerance(1e-10)
    for one in (best, cut):  # theorem A: no clearing is below no trade
        assert one.certainty_equivalent >= one.no_trade_equivalent - slack
    if cut.status is kpm.Status.OPTIMAL:
        assert cut.gap <= max(cut.tolerance * cut.scale, book.rounding)
    verification = cut.verify()
    assert verification, str(verification)
    slack = book.tolerance(1e-9)
    assert cut.certainty_equivalent <= best.upper_bound + slack
    assert cut.upper_bound >= best.certainty_equivalent - slack
    assert_same_bits(best, kpm.clear(market, orders, method, threads=1))


# -- callbacks -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crowd() -> tuple[kpm.Market, kpm.Orders]:
    """Work for more than sixteen nodes."""
    book = long_book()
    return market_of(book), orders_of(book)


@pytest.fixture(scope="module")
def best(crowd: tuple[kpm.Market, kpm.Orders]) -> kpm.Result:
    return kpm.clear(*crowd, threads=1, node_limit=16)


class Odd:
    def __bool__(self) -> bool:
        raise LookupError("neither true nor false")


def raising(error: BaseException) -> Callable[[], object]:
    def act() -> object:
        raise error

    return act


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (raising(LookupError("from the callback")), LookupError),
        (raising(SystemExit(7)), SystemExit),
        (raising(GeneratorExit()), GeneratorExit),
        (raising(MemoryError()), MemoryError),
        (Odd, LookupError),
    ],
    ids=["exception", "exit", "generator", "memory", "odd"],
)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_callback_that_raises_at_each_call(
    crowd: tuple[kpm.Market, kpm.Orders],
    best: kpm.Result,
    act: Callable[[], object],
    error: type[BaseException],
    threads: int,
) -> None:
    for index in range(1, 6):
        calls = 0

        def report(progress: kpm.Progress) -> Any:
            nonlocal calls
            calls += 1
            return act() if calls == index else False  # noqa: B023

        try:
            result = kpm.clear(*crowd, threads=threads, node_limit=16, callback=report)
        except error:
            assert calls == index
        else:
            assert 0 < calls < index  # there were fewer, but not none
            assert_same_bits(best, result)
    assert_same_bits(best, kpm.clear(*crowd, threads=threads, node_limit=16))


@pytest.mark.threads
def test_a_callback_that_clears(crowd: tuple[kpm.Market, kpm.Orders], best: kpm.Result) -> None:
    """A clearing inside a clearing: neither affects the other."""
    inner: list[kpm.Result] = []

    def report(progress: kpm.Progress) -> bool:
        inner.append(kpm.clear(*crowd, threads=2, node_limit=2))
        return False

    assert_same_bits(best, kpm.clear(*crowd, threads=2, node_limit=16, callback=report))
    assert inner
    for result in inner:
        assert result.status is kpm.Status.NODE_LIMIT
        assert result == inner[0]


# -- signals -------------------------------------------------------------------------------------

SIGNALS = """
import sys
import kpm_fast as kpm
from adapter import market_of, orders_of
from strategies import endless_book, endless_walk

method, threads, signals = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
options = dict(method=method, threads=threads, prune_bounds=False, cell_limit=10**9)
short = kpm.Market([[1.0, 0.0]], [0.5, 0.5]), kpm.Orders([0, 0], [1, -1], [0.7, 0.2], 1.0)
book = endless_walk() if method == "enumerate" else endless_book()
endless = market_of(book), orders_of(book)
whole = kpm.clear(*short, **options)
best = kpm.clear(*endless, threads=1, node_limit=8)
caught, interrupted, told = 0, 0, -1

def look(result, best):
    result.verify().raise_if_failed()
    assert result.certainty_equivalent <= best.upper_bound + 1e-9 * best.scale
    assert result.upper_bound >= best.certainty_equivalent - 1e-9 * best.scale

def inside(progress):
    if not shown:
        shown.append(True)
        print("inside", flush=True)

def clear_until_told():
    global interrupted, told, shown
    while told < signals:
        if told < caught + interrupted:  # here, where a signal is caught, for the next one
            told = caught + interrupted
            shown = []
            print(told, flush=True)
        if told % 2 == 0:
            result = kpm.clear(*short, **options)
            if result.status is not kpm.Status.INTERRUPTED:
                assert result == whole
                continue
            look(result, whole)
        else:
            result = kpm.clear(*endless, **options, time_limit=60, callback=inside)
            assert result.status is kpm.Status.INTERRUPTED, result.status
            look(result, best)
        interrupted += 1

while told < signals:
    try:
        clear_until_told()  # a call: CPython 3.11 does not catch what is raised at a continue here
    except KeyboardInterrupt:
        caught += 1
print(caught, interrupted)
"""


@posix
@pytest.mark.parametrize("threads", [1, 2])
@METHODS
def test_ctrl_c_at_random_moments(method: str, threads: int) -> None:
    """Each signal ends a clearing with its best point, or is raised outside of one.

    Every other signal comes at any place of a loop that clears a small book; the rest come once
    the program has said that it is inside a search that does not end.
    """
    moments, count = random.Random(threads), fewer(40, 16)
    with start_program(SIGNALS, method, threads, count) as program:
        assert program.stdout is not None
        for signals in range(count):
            assert program.stdout.readline() == f"{signals}\n"
            if signals % 2:
                assert program.stdout.readline() == "inside\n"
            time.sleep(moments.uniform(0.001, 0.03))
            program.send_signal(signal.SIGINT)
        out, err = program.communicate()
    assert (program.returncode, err) == (0, "")
    caught, interrupted = map(int, out.split()[-2:])
    assert caught + interrupted == count
    assert interrupted >= count // 2
    assert caught > 0


# -- memory --------------------------------------------------------------------------------------

MEMORY = """
import ctypes, resource, sys
import numpy as np
import kpm_fast as kpm
from adapter import market_of, orders_of
from strategies import long_book

trim = getattr(ctypes.CDLL(None), "malloc_trim", None)

def limit(more):
    if trim is not None:
        trim(0)  # memory that earlier calls freed would be used again
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    soft = resource.RLIM_INFINITY if more is None else used + more
    resource.setrlimit(resource.RLIMIT_AS, (soft, resource.RLIM_INFINITY))

book = long_book()
market, orders = market_of(book), orders_of(book)
root = kpm.clear(market, orders, threads=1, node_limit=1)
outcomes = []
for kilobytes in map(int, sys.argv[1].split(",")):
    limit(1024 * kilobytes)
    try:
        result = kpm.clear(market, orders, threads=1, node_limit=8, certificate=True)
        outcomes.append(result.status.value)
    except MemoryError:
        result = None
        outcomes.append("memory")
    limit(None)
    if result is not None:
        result.verify().raise_if_failed()
        kpm.check_certificate(market, orders, result).raise_if_failed()
        del result
    assert kpm.clear(market, orders, threads=1, node_limit=1) == root
print(*outcomes)
"""


@pytest.mark.unsanitized  # a shadow memory of terabytes is address space, too
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="RLIMIT_AS and /proc")
def test_less_and_less_memory() -> None:
    """An error or an answer, never a crash; with memory again, the same answer as before."""
    limits = [200_000, *(2**n for n in range(14, -1, -1)), *range(3500, 0, -200)]
    outcomes = run_program(MEMORY, ",".join(map(str, limits))).split()
    assert len(outcomes) == len(limits)
    assert set(outcomes) == {"node_limit", "memory"}
    assert outcomes[0] == "node_limit"


# -- stop tokens ---------------------------------------------------------------------------------


def endless_call(method: str) -> Callable[..., kpm.Result]:
    """A search that does not end; its time limit bounds what a fault may take."""
    book = endless_walk() if method == "enumerate" else endless_book()
    limits = {"cell_limit": 10**9, "prune_bounds": False, "time_limit": 300}
    return functools.partial(kpm.clear, market_of(book), orders_of(book), method, **limits)


@pytest.mark.threads
@pytest.mark.parametrize("threads", [1, 2])
@METHODS
def test_another_thread_stops_a_clearing(method: str, threads: int) -> None:
    """Neither of the two is the main thread, where Python handles signals."""
    stop, searching = kpm.StopToken(), threading.Event()
    call = functools.partial(
        endless_call(method), threads=threads, stop=stop, callback=lambda progress: searching.set()
    )
    with ThreadPoolExecutor(2) as pool:
        result = pool.submit(call)
        canceller = pool.submit(lambda: searching.wait(300) and stop.cancel())
        canceller.result()
        assert result.result().status is kpm.Status.INTERRUPTED
    result.result().verify().raise_if_failed()
    assert stop.cancelled


@pytest.mark.threads
def test_a_token_stops_all_that_have_it_and_no_other(
    crowd: tuple[kpm.Market, kpm.Orders], best: kpm.Result
) -> None:
    stop, searching = kpm.StopToken(), threading.Barrier(4, timeout=300)
    met = threading.local()

    def meet(progress: kpm.Progress) -> None:
        if not hasattr(met, "already"):
            met.already = True
            searching.wait()

    call = functools.partial(endless_call("branch-and-bound"), threads=1, stop=stop, callback=meet)
    with ThreadPoolExecutor(3) as pool:
        results = [pool.submit(call) for _ in range(3)]
        searching.wait()
        stop.cancel()
        assert {result.result().status for result in results} == {kpm.Status.INTERRUPTED}
    assert_same_bits(best, kpm.clear(*crowd, threads=1, node_limit=16, stop=kpm.StopToken()))


def test_an_event_loop_stops_a_clearing_in_its_executor() -> None:
    """The best clearing so far is still there to be awaited."""

    async def cancel_soon() -> kpm.Result:
        stop, searching = kpm.StopToken(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def report(progress: kpm.Progress) -> None:
            loop.call_soon_threadsafe(searching.set)

        call = functools.partial(endless_call("branch-and-bound"), stop=stop, callback=report)
        clearing = loop.run_in_executor(None, call)
        await searching.wait()
        stop.cancel()
        return await clearing

    assert asyncio.run(cancel_soon()).status is kpm.Status.INTERRUPTED


ASYNCIO = """
import asyncio, re, signal, sys, threading
import kpm_fast as kpm
from adapter import market_of, orders_of
from strategies import endless_book

page = open(sys.argv[1], encoding="utf-8").read()
blocks = re.findall(r"^```python\\n(.*?)^```$", page, re.M | re.S)
(example,) = [block for block in blocks if "StopToken" in block]
exec(example)
book = endless_book()

async def main():
    task = asyncio.create_task(clear(market_of(book), orders_of(book)))
    while threading.active_count() == 1:  # until its executor has the clearing
        await asyncio.sleep(0.001)
    print("searching", flush=True)
    if sys.argv[2] == "Ctrl-C elsewhere":  # another thread takes it: nothing wakes the loop
        take = lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        threading.Timer(0.2, take).start()
    await task

if sys.argv[2] == "timeout":
    try:
        asyncio.run(asyncio.wait_for(main(), 1))
    except asyncio.TimeoutError:
        print("timeout", flush=True)
else:
    asyncio.run(main())
"""


@posix
@pytest.mark.parametrize("end", ["timeout", "Ctrl-C", "Ctrl-C elsewhere"])
def test_the_example_for_asyncio(end: str) -> None:
    """asyncio.run waits for the clearing in its executor, which has no limit here."""
    page = Path(__file__).resolve().parent.parent / "docs" / "reference.md"
    with start_program(ASYNCIO, page, end, timeout=120) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "searching\n"
        if end == "Ctrl-C":
            program.send_signal(signal.SIGINT)
        out, err = program.communicate()
    if end == "timeout":
        assert (program.returncode, out, err) == (0, "timeout\n", "")
    else:
        assert program.returncode != 0
        assert err.endswith("KeyboardInterrupt\n")


@METHODS
def test_a_token_cancelled_before(method: str) -> None:
    """As with no time at all: a first clearing is made, and the bound holds."""
    stop = kpm.StopToken()
    stop.cancel()
    result = endless_call(method)(stop=stop)
    assert result.status is kpm.Status.INTERRUPTED
    assert result.upper_bound < float("inf")
    result.verify().raise_if_failed()
    proven = kpm.clear(kpm.Market([[1.0]], [1.0]), kpm.Orders([], [], [], []), stop=stop)
    assert proven.status is kpm.Status.OPTIMAL


@pytest.mark.parametrize("stop", [True, threading.Event(), kpm.StopToken])
def test_other_objects_are_no_stop_tokens(stop: Any) -> None:
    with pytest.raises(kpm.InputError, match="stop: must be a StopToken"):
        kpm.clear(kpm.Market([[1.0]], [1.0]), kpm.Orders([], [], [], []), stop=stop)


SIGNAL_HANDLER = """
import signal, threading
import kpm_fast as kpm
from adapter import market_of, orders_of
from strategies import endless_book

book, stop = endless_book(), kpm.StopToken()
signal.signal(signal.SIGTERM, lambda number, frame: stop.cancel())
seen, results = [], []

def report(progress):
    if not seen:
        seen.append(progress)
        print("searching", flush=True)

def clear():
    call = dict(stop=stop, callback=report, time_limit=300)
    results.append(kpm.clear(market_of(book), orders_of(book), **call))

worker = threading.Thread(target=clear)
worker.start()
worker.join()
print(results[0].status.value)
"""


@posix
def test_a_signal_handler_stops_a_clearing_in_another_thread() -> None:
    with start_program(SIGNAL_HANDLER) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "searching\n"
        program.send_signal(signal.SIGTERM)
        out, err = program.communicate()
    assert (program.returncode, out, err) == (0, "interrupted\n", "")
