"""Many clearings at once: threads, processes, event loops, forks, interpreters that end."""

from __future__ import annotations

import asyncio
import functools
import gc
import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

import kpm_fast as kpm
from adapter import assert_same_bits, market_of, orders_of
from programs import run_program
from strategies import crowded_book, endless_book, fewer, long_book

CALLS = fewer(300, 200)  # hundreds, however few examples are asked for: the books are small
FORKS = fewer(8, 2)
Books = list[tuple[kpm.Market, kpm.Orders]]

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")


@pytest.fixture(scope="module")
def small() -> Books:
    """Books of a few nodes each."""
    made = [crowded_book(8, seed, states=6, risk_aversion=4.0) for seed in range(12)]
    return [(market_of(book), orders_of(book)) for book in made]


@pytest.fixture(scope="module")
def answers(small: Books) -> list[kpm.Result]:
    return [kpm.clear(*book, threads=1) for book in small]


@pytest.fixture(scope="module")
def crowd() -> tuple[kpm.Market, kpm.Orders]:
    """Worth a second thread."""
    book = long_book()
    return market_of(book), orders_of(book)


@pytest.fixture(scope="module")
def endless() -> tuple[kpm.Market, kpm.Orders]:
    book = endless_book()
    return market_of(book), orders_of(book)


def assert_same(results: Sequence[kpm.Result], answers: list[kpm.Result]) -> None:
    """Results are those of the books in turn, to the last bit."""
    for number, result in enumerate(results):
        assert_same_bits(answers[number % len(answers)], result)


@pytest.mark.threads
@pytest.mark.parametrize("threads", [1, 2])
def test_hundreds_of_threads_at_once(small: Books, answers: list[kpm.Result], threads: int) -> None:
    """All wait at a barrier before they clear, and share markets and orders."""
    start = threading.Barrier(CALLS)

    def clear(number: int) -> kpm.Result:
        start.wait(timeout=300)
        return kpm.clear(*small[number % len(small)], threads=threads)

    with ThreadPoolExecutor(CALLS) as pool:
        assert_same(list(pool.map(clear, range(CALLS))), answers)


@pytest.mark.threads
def test_teams_of_threads_at_once(crowd: tuple[kpm.Market, kpm.Orders]) -> None:
    """Several callers, each with worker threads of its own."""
    one = kpm.clear(*crowd, node_limit=24, threads=1)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(kpm.clear, *crowd, node_limit=24, threads=2) for _ in range(4)]
        for future in futures:
            assert_same_bits(one, future.result())


@pytest.mark.threads
def test_every_function_at_once(small: Books, answers: list[kpm.Result], tmp_path: Path) -> None:
    """Methods of one result may be called by several threads at once."""

    def use(number: int) -> tuple[str, str, int]:
        market, orders = small[number % len(small)]
        result = answers[number % len(small)]
        assert result.verify()
        assert kpm.solve_cell(market, orders, result.cell).status is kpm.Status.OPTIMAL
        path = tmp_path / f"{number % len(small)}"  # some threads write the same file
        result.save(path)
        assert kpm.load_result(path) == result
        return result.to_json(), str(result), sum(map(len, kpm.staircases(market, orders)))

    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(use, range(96)))
    for number, each in enumerate(made):
        assert each == made[number % len(small)]
    assert len(list(tmp_path.iterdir())) == len(small)


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads switch as often as they can, the collector of garbage runs and calls back often."""

    def call_back(phase: str, info: dict[str, int]) -> None:
        for _ in range(20):  # a thread may lose the lock here
            pass

    interval, threshold = sys.getswitchinterval(), gc.get_threshold()
    gc.callbacks.append(call_back)
    gc.set_threshold(3)
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*threshold)
    gc.callbacks.remove(call_back)


def test_files_are_read_in_restless_threads(
    small: Books, answers: list[kpm.Result], tmp_path: Path, restless: None
) -> None:
    """No parser that is read with has a state that all threads share, as that of ``ast`` has."""
    answers[0].save(tmp_path / "clearing.npz")
    kept = tmp_path / "finished"
    batch = kpm.clear_many([small[0]], threads=1, resume=kept)

    def read(number: int) -> None:
        assert kpm.load_result(tmp_path / "clearing.npz") == answers[0]
        again = kpm.clear_many([small[0]], threads=1, resume=kept)
        assert again.revenue[0] == batch.revenue[0]

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(read, range(120)))


@pytest.mark.threads
def test_a_loop_of_events(
    small: Books, answers: list[kpm.Result], endless: tuple[kpm.Market, kpm.Orders]
) -> None:
    """Hundreds of clearings at once, one of which ends only if the event loop keeps running.

    They have an executor with a thread for each; the loop's own has a handful, and a queue.
    """
    start = threading.Barrier(CALLS)

    def clear(number: int) -> kpm.Result:
        start.wait(timeout=300)
        return kpm.clear(*small[number % len(small)])

    async def gather() -> list[kpm.Result]:
        loop, beats, done = asyncio.get_running_loop(), 0, asyncio.Event()

        async def beat() -> None:
            nonlocal beats
            while not done.is_set():
                beats += 1
                await asyncio.sleep(0)

        def awake(progress: kpm.Progress) -> bool:
            return beats > 10

        pulse = asyncio.create_task(beat())
        calls = [functools.partial(clear, n) for n in range(CALLS)]
        calls.append(functools.partial(kpm.clear, *endless, callback=awake, time_limit=60))
        with ThreadPoolExecutor(len(calls)) as pool:
            results = await asyncio.gather(*(loop.run_in_executor(pool, call) for call in calls))
        done.set()
        await pulse
        return list(results)

    *results, last = asyncio.run(gather())
    assert_same(results, answers)
    assert last.status is kpm.Status.INTERRUPTED


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_pools_of_processes(
    small: Books, answers: list[kpm.Result], method: str, crowd: tuple[kpm.Market, kpm.Orders]
) -> None:
    """Results come back through pickle; workers may have threads of their own."""
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(3, mp_context=context) as pool:
        futures: list[Future[kpm.Result]] = [
            pool.submit(kpm.clear, *small[n % len(small)], threads=2) for n in range(CALLS)
        ]
        team = pool.submit(kpm.clear, *crowd, node_limit=24, threads=2)
        assert_same([future.result(timeout=600) for future in futures], answers)
        assert_same_bits(kpm.clear(*crowd, node_limit=24, threads=1), team.result(timeout=600))


# -- threads that are started -------------------------------------------------------------------


THREADS = Path("/proc/self/task")
EXITING = 4  # PF_EXITING in include/linux/sched.h: it may have been joined, and is still listed


def is_working(thread: Path) -> bool:
    """Whether it has not begun to end: its flags are the seventh field after its name."""
    try:
        fields = (thread / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return not int(fields[6]) & EXITING


class ThreadCount:
    """The most threads at one time that this process had inside the block and not before it.

    Threads are identified by number, since those of an earlier test may end meanwhile.
    """

    def __init__(self) -> None:
        self.most = 0
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        known = self._before | {THREADS / str(threading.get_native_id())}
        while not self._done.is_set():
            new = set(THREADS.iterdir()) - known
            self.most = max(self.most, sum(map(is_working, new)))

    def __enter__(self) -> ThreadCount:
        self._before = set(THREADS.iterdir())
        self._watcher.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._watcher.join()


@linux
def test_one_thread_is_one_thread(crowd: tuple[kpm.Market, kpm.Orders]) -> None:
    with ThreadCount() as count:
        kpm.clear(*crowd, node_limit=24, threads=1)
    assert count.most == 0


@linux
def test_small_books_start_no_thread() -> None:
    """Even where eight are allowed: no helper starts before the first thread has worked 2 ms.

    A busy machine may pause a clearing for as long, but hardly one in ten that take microseconds.
    """
    market = kpm.Market([[1.0, 0.0]], [0.5, 0.5])
    orders = kpm.Orders([0, 0], [1, -1], [0.7, 0.2], 1.0)
    threads = [kpm.clear(market, orders, threads=8).stats.threads for _ in range(200)]
    assert threads.count(1) > 180


@linux
def test_callers_share_the_processors(endless: tuple[kpm.Market, kpm.Orders]) -> None:
    """By default no caller starts a helper for a processor that another caller works on."""
    callers = 4 * len(os.sched_getaffinity(0))
    together = threading.Barrier(callers)

    def clear(_: int) -> kpm.Result:
        together.wait(timeout=60)
        return kpm.clear(*endless, time_limit=3)

    with ThreadCount() as count, ThreadPoolExecutor(callers) as pool:
        results = list(pool.map(clear, range(callers)))
    assert {result.status for result in results} == {kpm.Status.TIME_LIMIT}
    # Those that end last may start some: by then the others' threads are idle.
    assert count.most <= callers + len(os.sched_getaffinity(0)) - 1


@linux
@pytest.mark.parametrize("threads", [2, 4])
def test_no_more_threads_than_allowed(endless: tuple[kpm.Market, kpm.Orders], threads: int) -> None:
    """The search goes on until a helper has been seen."""
    with ThreadCount() as count:
        result = kpm.clear(
            *endless, threads=threads, callback=lambda progress: count.most >= 1, time_limit=600
        )
    assert result.status is kpm.Status.INTERRUPTED
    assert 1 <= count.most <= threads - 1
    assert result.stats.threads <= threads


# -- forks, interpreters -------------------------------------------------------------------------


FORKING = """
import os, signal, sys, threading
import kpm_fast as kpm
from adapter import market_of, orders_of
from strategies import crowded_book, long_book

book = long_book()
crowd = market_of(book), orders_of(book)
book = crowded_book(8, 1, states=6, risk_aversion=4.0)
small = market_of(book), orders_of(book)
expected = [kpm.clear(*small, threads=1), kpm.clear(*crowd, node_limit=9, threads=2)]
done = threading.Event()

def keep_clearing():
    while not done.is_set():
        kpm.clear(*crowd, node_limit=9, threads=2)

busy = sys.argv[1] == "busy"
workers = [threading.Thread(target=keep_clearing) for _ in range(2 * busy)]
for worker in workers:
    worker.start()
codes = []
for _ in range(int(sys.argv[2])):
    child = os.fork()
    if child == 0:
        signal.alarm(300)  # a fork inherits none
        found = [kpm.clear(*small, threads=1), kpm.clear(*crowd, node_limit=9, threads=2)]
        os._exit(0 if found == expected else 1)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
done.set()
for worker in workers:
    worker.join()
assert kpm.clear(*small, threads=1) == expected[0]
print(sum(codes), len(codes))
"""


@posix
@pytest.mark.parametrize(
    # A sanitizer's allocator, unlike the system's, may be locked for ever after such a fork.
    "parent",
    ["idle", pytest.param("busy", marks=pytest.mark.unsanitized)],
)
def test_a_forked_child_can_clear(parent: str) -> None:
    """Whatever the parent was doing: idle after a clearing, or in the middle of two."""
    assert run_program(FORKING, parent, str(FORKS)) == f"0 {FORKS}\n"


DAEMONS = """
import sys, threading, time
import kpm_fast as kpm
from adapter import market_of, orders_of
from strategies import endless_book

book = endless_book()
market, orders = market_of(book), orders_of(book)
calls = threading.Semaphore(0)

def clear():
    def report(progress):
        calls.release()
    kpm.clear(market, orders, threads=int(sys.argv[1]), time_limit=60, callback=report)

for _ in range(3):
    threading.Thread(target=clear, daemon=True).start()
for _ in range(4):
    calls.acquire()
print("the end", flush=True)
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_a_program_ends_in_the_middle_of_clearings(threads: int) -> None:
    """Daemon threads that clear while the interpreter shuts down wait for the end."""
    for _ in range(fewer(3, 1)):
        assert run_program(DAEMONS, threads) == "the end\n"


INTERPRETERS = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
if sys.argv[1] == "after":
    import kpm_fast

code = '''
try:
    import kpm_fast as kpm
except ImportError as error:
    print("refused:", *str(error).split(), flush=True)  # NumPy says no in many lines
else:
    result = kpm.clear(kpm.Market([[1.0, 0.0]], [0.5, 0.5]), kpm.Orders([0], [1], [0.7], [1.0]))
    result.verify().raise_if_failed()
    print("works", flush=True)
'''
for _ in range(3):
    one = interpreters.create()
    interpreters.run_string(one, code)
    interpreters.destroy(one)
print("alive", flush=True)
if sys.argv[1] == "after":
    kpm_fast.clear(kpm_fast.Market([[1.0]], [1.0]), kpm_fast.Orders([], [], [], []))
"""


CORE = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

code = f'''
import importlib.machinery, importlib.util
loader = importlib.machinery.ExtensionFileLoader("kpm_fast._core", {sys.argv[1]!r})
spec = importlib.util.spec_from_loader("kpm_fast._core", loader)
try:
    loader.exec_module(importlib.util.module_from_spec(spec))
except ImportError as error:
    print("refused:", error, flush=True)
else:
    print("taken", flush=True)
'''
one = interpreters.create()
interpreters.run_string(one, code)
interpreters.destroy(one)
print("alive", flush=True)
"""


def test_the_core_itself_is_refused_by_a_sub_interpreter() -> None:
    """Loaded without NumPy, which may refuse first: an ImportError, and the process goes on."""
    refused, last = run_program(CORE, kpm._core.__file__).splitlines()
    assert last == "alive"
    assert refused.startswith("refused: ")
    assert "interpreter" in refused


@pytest.mark.parametrize("main", ["before", "after"])
def test_sub_interpreters_refuse_or_work(main: str) -> None:
    """Before the main interpreter has imported the package, and after; never a hang or a crash."""
    *lines, last = run_program(INTERPRETERS, main).splitlines()
    assert last == "alive"
    assert len(lines) == 3
    assert all(line == "works" or line.startswith("refused: ") for line in lines), lines
