"""Allocations, by a preloaded ``malloc``: counted on the hot path, and refused anywhere."""

import os
import platform
from pathlib import Path

import pytest

from programs import c_compiler, environment, run_command, run_program

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "race_card"

COUNTER = r"""
#define _GNU_SOURCE
#include <stddef.h>
#include <stdatomic.h>
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *from, size_t size);
static atomic_long calls, refused = -1;
static int refuse(void) { return atomic_fetch_add(&calls, 1) == atomic_load(&refused); }
void *malloc(size_t size) { return refuse() ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) {
    return refuse() ? NULL : __libc_calloc(count, size);
}
void *realloc(void *from, size_t size) { return refuse() ? NULL : __libc_realloc(from, size); }
long malloc_calls(void) { return atomic_load(&calls); }
void malloc_refuse(long call) { atomic_store(&refused, call); }
"""

PROGRAM = """
import ctypes, sys
import kpm_fast as kpm
count = ctypes.CDLL(None).malloc_calls
count.restype = ctypes.c_long
market, orders = kpm.read_book(sys.argv[1])
kpm.clear(market, orders, "enumerate", threads=1, prune_bounds=False)
before = count()
result = kpm.clear(market, orders, "enumerate", threads=1, prune_bounds=False)
print(result.stats.solved, count() - before)
"""


TREE = """
import ctypes
import kpm_fast as kpm
from benchmarks import books
count = ctypes.CDLL(None).malloc_calls
count.restype = ctypes.c_long
market, orders = books.random_claims(20, 40, 2000, seed=6, stake=10.0)
for nodes in (10, 100):
    settings = {"threads": 1, "tolerance": 1e-14, "node_limit": nodes}
    kpm.clear(market, orders, **settings)
    before = count()
    result = kpm.clear(market, orders, **settings)
    print(result.stats.nodes, result.stats.solved, count() - before)
"""

QUOTES = """
import ctypes
import numpy as np
from kpm_fast import _core
from auction_books import MAKERS, make_maker
count = ctypes.CDLL(None).malloc_calls
count.restype = ctypes.c_long
rng = np.random.default_rng(0)
for name in MAKERS:
    maker = make_maker(name, rng, 30.0, 30.0 * rng.normal(size=20))
    model, losses = maker._model(), -maker.inventory
    for payoffs in rng.normal(size=(600, 20)), np.round(rng.random((600, 20))):
        for sizes in 0, 1, 3:
            calls = []
            for claims in 150, 150, 600:  # NumPy keeps arrays of fewer than 128 for the next
                asked = payoffs[:claims], np.full((claims, sizes), 9.0)
                before = count()
                _core.maker_quotes(model, losses, *asked)
                calls.append(count() - before)
            print(name, sizes, *calls[1:])
"""

REFUSING = """
import ctypes, sys
import kpm_fast as kpm
from adapter import assert_same_bits, market_of, orders_of, teams_at_once
from strategies import crowded_book, long_book

libc = ctypes.CDLL(None)
libc.malloc_calls.restype = ctypes.c_long
libc.malloc_refuse.argtypes = [ctypes.c_long]
book = long_book()
tree = (market_of(book), orders_of(book)), {"node_limit": 24}
book = crowded_book(3, 0, states=3, orders=6)  # small: each allocation has its turn
cells = (market_of(book), orders_of(book)), {"method": "enumerate"}
for (market_and_orders, options), most in ((tree, 100), (cells, 1000)):
    def clear():
        with teams_at_once():
            return kpm.clear(*market_and_orders, threads=3, **options)

    expected = clear()
    assert expected.stats.threads == 3
    before = libc.malloc_calls()
    clear()
    calls = libc.malloc_calls() - before
    answers = refusals = 0
    for call in range(0, calls, -(-calls // most)):
        libc.malloc_refuse(libc.malloc_calls() + call)
        answer = None
        try:
            answer = clear()
        except MemoryError:
            refusals += 1
        libc.malloc_refuse(-1)  # at once: with fewer threads the refused call may still be to come
        if answer is not None:  # never reached, or Python did without it
            assert_same_bits(answer, expected)
            answers += 1
    assert_same_bits(clear(), expected)
    print(answers, refusals, calls)
"""

ENGINE = """
import ctypes
import itertools
import kpm_fast as kpm

libc = ctypes.CDLL(None)
libc.malloc_calls.restype = ctypes.c_long
libc.malloc_refuse.argtypes = [ctypes.c_long]
market = kpm.Market([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [0.3, 0.3, 0.4], claims=["a", "b", "c"])
other = market.replace(inventory=[3.0, 1.0, 2.0])

def filled(orders):
    engine = kpm.Engine(market)
    for n in range(orders):
        engine.add("abc"[n % 3], "buy", 0.1 + 0.01 * n, 10.0 + n, f"order {n}")
    return engine

def state(engine):
    book = engine.orders
    names = book.order_id.tolist()
    assert len(engine) == len(names) == len(set(names))
    orders = [(name, engine[name].price, engine[name].quantity) for name in names]
    inventory, fills = engine.market.inventory.tolist(), engine.clear(threads=1).fills.tolist()
    return orders, engine.state_hash, inventory, fills

def sell(engine):
    engine.market = other

saved, book = filled(30).snapshot(), filled(30).orders
events = {
    "add": lambda engine: engine.add("a", "buy", 0.3, 5.0, "new"),
    "add unnamed": lambda engine: engine.add("a", "buy", 0.3, 5.0),
    "add parsed": lambda engine: engine.add(0, 1, 1, 5, 17),
    "cancel": lambda engine: engine.cancel("order 2"),
    "cancel_all": lambda engine: engine.cancel_all(),
    "reduce": lambda engine: engine.reduce("order 2", 1.0),
    "replace": lambda engine: engine.replace("order 2", price=0.77),
    "market": sell,
    "restore": lambda engine: engine.restore(saved),
    "snapshot": lambda engine: engine.snapshot(),
    "orders": lambda engine: engine.orders,
    "state_hash": lambda engine: engine.state_hash,
    "clear": lambda engine: engine.clear(threads=1).stats,
    "certificate": lambda engine: engine.clear(threads=1, certificate=True).stats,
    "convex": lambda engine: engine.clear(rule="competitive"),
    "new": lambda engine: kpm.Engine(market, book),
    "stop": lambda engine: kpm.StopToken(),
    "cell": lambda engine: kpm.solve_cell(market, book, [0, 0, 0]),
}
for name, event in events.items():
    engine = filled(10)
    event(engine)
    before, expected = state(filled(10)), state(engine)
    refused = others = 0
    for call in itertools.count():
        engine = filled(10)  # tables that are full: the next entry moves them
        first = libc.malloc_calls()
        libc.malloc_refuse(first + call)
        error = None
        try:
            event(engine)
        except Exception as raised:
            error = raised
        try:
            libc.malloc_refuse(-1)
        except Exception:  # that call itself was refused
            libc.malloc_refuse(-1)
        calls = libc.malloc_calls() - first
        if error is None:
            assert state(engine) == expected, (name, call)
        else:
            assert state(engine) == before, (name, call)
            refused += isinstance(error, MemoryError)
            others += not isinstance(error, MemoryError)
        if error is None and calls <= call:
            break
    print(name, refused, others, call, sep="|")
"""


BATCH = """
import ctypes
import itertools
import numpy as np
import kpm_fast as kpm

libc = ctypes.CDLL(None)
libc.malloc_calls.restype = ctypes.c_long
libc.malloc_refuse.argtypes = [ctypes.c_long]
market = kpm.Market([[1, 0], [0, 1]], [0.5, 0.5])
columns = ["x", "x", "y"], np.array([0, 1, 0]), np.array([1, -1, 1]), 0.5, 1.0
books = kpm.Books(market, *columns)
orders = kpm.Orders([0, 1, 0], ["buy", "sell", "buy"], 0.5, 1.0)
picked = np.array([0, 2], dtype=np.int32)
for name, call in {
    "clear_many": lambda: kpm.clear_many(books, 1).status.tolist(),
    "side_names": lambda: orders.side_names.tolist(),
    "rows": lambda: orders[picked].side.tolist(),
}.items():
    expected = call()
    refused = 0
    for number in itertools.count():
        first = libc.malloc_calls()
        libc.malloc_refuse(first + number)
        answer = None
        try:
            answer = call()
        except Exception as error:
            refused += isinstance(error, MemoryError)
        try:
            libc.malloc_refuse(-1)
        except Exception:  # that call itself was refused
            libc.malloc_refuse(-1)
        assert answer in (None, expected), (name, number)
        if answer is not None and libc.malloc_calls() - first <= number:
            break
    print(name, refused, number)
"""


@pytest.fixture(scope="module")
def preloaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library with the malloc, where one can be built and nothing else is preloaded."""
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("the malloc calls that of the GNU C library by its other name")
    if os.environ.get("LD_PRELOAD"):
        pytest.skip("something else is preloaded")
    folder = tmp_path_factory.mktemp("malloc")
    source = folder / "counter.c"
    source.write_text(COUNTER)
    library = folder / "counter.so"
    built = run_command([c_compiler(), "-shared", "-fPIC", "-O1", "-o", library, source])
    assert built.returncode == 0, built.stderr
    return library


def run(program: str, library: Path, **variables: str) -> str:
    env = {**environment(), "LD_PRELOAD": str(library), **variables}
    return run_program(program, EXAMPLE, env=env)


def test_solving_a_cell_allocates_nothing(preloaded: Path) -> None:
    solved, allocations = (int(field) for field in run(PROGRAM, preloaded).split())
    assert solved > 30_000
    # The walk makes a workspace and some vectors for each of its thousand tasks; the cells, none.
    assert allocations < solved / 2


def test_a_node_allocates_only_what_is_kept(preloaded: Path) -> None:
    """Its box and its support, unless a pruned node has left the memory, and its clearings."""
    lines = run(TREE, preloaded).splitlines()
    few, many = ([int(field) for field in line.split()] for line in lines)
    nodes, cells, allocations = (more - less for more, less in zip(many, few, strict=True))
    assert nodes == 90
    assert allocations < 3 * nodes + 10 * cells


def test_a_quote_allocates_nothing(preloaded: Path) -> None:
    """Of the next share and of blocks: as many calls for 150 claims as for 600, set-up's."""
    lines = [line.split() for line in run(QUOTES, preloaded).splitlines()]
    assert len(lines) == 9 * 2 * 3
    for name, sizes, few, many in lines:
        assert 0 < int(few) == int(many), (name, sizes)


def test_an_allocation_that_fails_is_an_error_and_no_crash(preloaded: Path) -> None:
    """Any allocation, in any thread: a thread that could not be started once ended the process."""
    for line in run(REFUSING, preloaded).splitlines():
        answers, refusals = map(int, line.split()[:2])
        assert answers + refusals >= 50
        assert refusals >= 10


def test_an_engine_stays_whole_whichever_allocation_fails(preloaded: Path) -> None:
    """Python's objects included: an instance that could not be made once ended the process."""
    lines = run(ENGINE, preloaded, PYTHONMALLOC="malloc").splitlines()
    assert len(lines) == 18
    for name, *counts in (line.split("|") for line in lines):
        refused, others, calls = map(int, counts)
        assert 2 <= refused <= calls, name
        # Python's and NumPy's own: a lock, an error that was not set.
        assert others <= (5 if calls > 100 else 0), name


def test_a_batch_is_an_error_and_no_crash_whichever_allocation_fails(preloaded: Path) -> None:
    """Where arrays are picked from as well: in that NumPy ended the process."""
    lines = run(BATCH, preloaded, PYTHONMALLOC="malloc").splitlines()
    assert [line.split()[0] for line in lines] == ["clear_many", "side_names", "rows"]
    for name, refused, calls in map(str.split, lines):
        assert 2 <= int(refused) <= int(calls), name
