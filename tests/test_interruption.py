"""Whatever cuts a clearing short, and whenever: a clear outcome, and the next one is right."""

from __future__ import annotations

import random
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpm_fast as kpm
from adapter import assert_same_bits, market_of, orders_of
from programs import run_program, start_program
from strategies import METHODS, books, examples, fewer, long_book
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
    cut = kpm.clear(market, orders, method, threads=1, **limit)
    stopped = next((STOPPED[name] for name in limit if name in STOPPED), kpm.Status.INTERRUPTED)
    assert cut.status in {best.status, stopped}
    if cut.status is kpm.Status.OPTIMAL:
        assert cut.gap <= max(cut.tolerance * cut.scale, book.rounding)
    verification = cut.verify()
    assert verification, str(verification)
    slack = book.tolerance(1e-9)
    assert cut.certainty_equivalent <= best.upper_bound + slack
    assert cut.upper_bound >= best.certainty_equivalent - slack
    assert_same_bits(best, kpm.clear(market, orders, method, threads=1))


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"node_limit": 0}, "node_limit"),
        ({"node_limit": -1}, "node_limit"),
        ({"node_limit": 2**63}, "node_limit"),
        ({"time_limit": -1e-9}, "time_limit"),
        ({"time_limit": float("nan")}, "time_limit"),
        ({"threads": 0}, "threads"),
        ({"threads": 2**31}, "threads"),
    ],
)
def test_limits_that_are_none(options: dict[str, Any], word: str) -> None:
    with pytest.raises(kpm.InputError, match=word):
        kpm.clear(kpm.Market([[1.0]], [1.0]), kpm.Orders([], [], [], []), **options)


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
            assert calls < index  # it was quicker
            assert_same_bits(best, result)
    assert_same_bits(best, kpm.clear(*crowd, threads=threads, node_limit=16))


@pytest.mark.threads
def test_a_callback_that_clears(crowd: tuple[kpm.Market, kpm.Orders], best: kpm.Result) -> None:
    """A clearing inside a clearing: they know nothing of each other."""
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
    """Each ends a clearing with its best point, or is raised outside of one.

    Every other one meets a program that clears a small book again and again, at any place; the
    rest one that says when it is inside a search that no machine finishes.
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


WITHIN_A_NODE = """
import kpm_fast as kpm
from adapter import market_of, orders_of
from strategies import heavy_book

book = heavy_book()
market, orders = market_of(book), orders_of(book)
kpm.clear(market, orders, time_limit=0)  # warm
print("inside", flush=True)
result = kpm.clear(market, orders, time_limit=300)
result.verify().raise_if_failed()
print(result.status.value, result.stats.nodes, result.stats.relaxations)
"""


@posix
def test_ctrl_c_within_a_node() -> None:
    """A node of many claims takes seconds; nobody waits for it to end."""
    with start_program(WITHIN_A_NODE) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "inside\n"
        time.sleep(0.2)
        program.send_signal(signal.SIGINT)
        out, err = program.communicate()
    assert (program.returncode, err) == (0, "")
    assert out == "interrupted 1 0\n"


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
        trim(0)  # what earlier calls have freed would do for this one, too
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
