"""Limits and interruptions return the best clearing found, a valid bound and a status."""

from __future__ import annotations

import itertools
import json
import math
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from adapter import market_of, orders_of
from programs import start_program
from strategies import crowded_book, endless_book, endless_walk, fewer, heavy_book

CASES = Path(__file__).resolve().parent / "cases"
EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "race_card"
TREE: dict[str, Any] = {"certificate": True}
ENUMERATION: dict[str, Any] = {"method": "enumerate", "prune_bounds": False}

Race = tuple[kpm.Market, kpm.Orders]


@pytest.fixture(scope="module")
def race() -> Race:
    """Much work for the enumeration, little for the tree."""
    return kpm.read_book(EXAMPLE)


@pytest.fixture(scope="module")
def crowd() -> Race:
    """Hundreds of nodes of the tree."""
    book = crowded_book(24, seed=13, orders=2400, states=24)
    return market_of(book), orders_of(book)


@pytest.fixture(scope="module")
def best_of_crowd(crowd: Race) -> kpm.Result:
    result = kpm.clear(*crowd)
    assert result.status is kpm.Status.OPTIMAL
    assert result.stats.nodes > 80
    return result


@pytest.fixture(scope="module")
def best(race: Race) -> kpm.Result:
    return kpm.clear(*race)


def assert_valid(result: kpm.Result, best: kpm.Result) -> None:
    """A clearing that obeys the rules, and a bound that another clearing of the book respects."""
    result.verify().raise_if_failed()
    slack = 1e-9 * result.scale
    assert result.certainty_equivalent <= best.upper_bound + slack
    assert result.upper_bound >= best.certainty_equivalent - slack
    assert result.gap >= 0
    if result.certificate is not None:
        assert result.upper_bound < float("inf")
        kpm.check_certificate(result.market, result.orders, result).raise_if_failed()


@pytest.mark.cross_section
def test_no_time_at_all(crowd: Race, best_of_crowd: kpm.Result) -> None:
    """One node is always taken, and gives a bound; the open ones are part of the proof."""
    result = kpm.clear(*crowd, **TREE, time_limit=0)
    assert result.status is kpm.Status.TIME_LIMIT
    assert result.stats.nodes == 1
    assert_valid(result, best_of_crowd)


def test_no_time_at_all_to_enumerate(race: Race, best: kpm.Result) -> None:
    result = kpm.clear(*race, **ENUMERATION, time_limit=0)
    assert result.status is kpm.Status.TIME_LIMIT
    assert_valid(result, best)


@pytest.mark.cross_section
@pytest.mark.parametrize("orders", [kpm.Orders([], [], [], []), kpm.Orders([0], [1], [0.4], [1.0])])
def test_a_proven_clearing_is_optimal_under_any_limit(orders: kpm.Orders) -> None:
    """Nothing is left to do for a limit that strikes after the proof."""
    market = kpm.Market([[1.0, 0.0]], [0.5, 0.5])
    for options in ({"time_limit": 0}, {"node_limit": 1}, {"callback": lambda progress: True}):
        result = kpm.clear(market, orders, **TREE, **options)
        assert result.status is kpm.Status.OPTIMAL, options
        assert_valid(result, result)


@pytest.mark.threads
@pytest.mark.parametrize("limit", [1, 2, 7, 30, 75])
def test_node_limit(crowd: Race, best_of_crowd: kpm.Result, limit: int) -> None:
    """Kept to the node, though rounds have eight, and the same for any number of threads."""
    result = kpm.clear(*crowd, **TREE, threads=1, node_limit=limit)
    assert result.status is kpm.Status.NODE_LIMIT
    assert result.stats.nodes == limit
    assert_valid(result, best_of_crowd)
    assert kpm.clear(*crowd, **TREE, threads=2, node_limit=limit) == result


def test_a_limit_strikes_within_a_node() -> None:
    book = heavy_book(fewer(200, 120))
    heavy = market_of(book), orders_of(book)
    result = kpm.clear(*heavy, threads=2, time_limit=0)
    assert result.status is kpm.Status.TIME_LIMIT
    assert (result.stats.nodes, result.stats.relaxations) == (1, 0)
    whole_node = kpm.clear(*heavy, threads=2, node_limit=1)
    # It once took hours, in pivots that cycled.
    assert whole_node.stats.relaxations == 1
    assert_valid(result, whole_node)
    assert whole_node.upper_bound <= result.upper_bound < math.inf


def test_more_nodes_never_make_it_worse(crowd: Race) -> None:
    results = [kpm.clear(*crowd, node_limit=limit) for limit in (1, 4, 16, 64)]
    slack = 1e-11 * results[0].scale
    for less, more in itertools.pairwise(results):
        assert more.certainty_equivalent >= less.certainty_equivalent - slack
        assert more.upper_bound <= less.upper_bound + slack


def test_a_limit_beyond_the_tree_changes_nothing(crowd: Race, best_of_crowd: kpm.Result) -> None:
    assert kpm.clear(*crowd, node_limit=10**9, time_limit=1e9) == best_of_crowd


@pytest.mark.parametrize("threads", [1, 2])
def test_a_callback_stops_an_enumeration(threads: int) -> None:
    book = endless_walk()  # it cannot end before the second report
    walk = market_of(book), orders_of(book)
    seen: list[kpm.Progress] = []

    def stop(progress: kpm.Progress) -> bool:
        seen.append(progress)
        return len(seen) == 2

    options = {**ENUMERATION, "threads": threads, "cell_limit": 10**9, "time_limit": 300}
    result = kpm.clear(*walk, **options, callback=stop)
    assert result.status is kpm.Status.INTERRUPTED
    assert len(seen) == 2
    assert seen[0].elapsed <= seen[1].elapsed
    assert_valid(result, kpm.clear(*walk))


@pytest.mark.threads
@pytest.mark.parametrize("threads", [1, 2])
def test_a_callback_stops_a_tree(threads: int) -> None:
    book = endless_book()
    tree = market_of(book), orders_of(book)
    seen: list[kpm.Progress] = []

    def stop(progress: kpm.Progress) -> bool:
        seen.append(progress)
        return len(seen) == 2

    result = kpm.clear(*tree, **TREE, threads=threads, callback=stop, time_limit=300)
    assert result.status is kpm.Status.INTERRUPTED
    one, other = seen
    assert one.elapsed <= other.elapsed
    assert (one.nodes, one.open) != (0, 0)
    assert other.nodes > one.nodes
    assert other.upper_bound <= one.upper_bound
    assert other.certainty_equivalent >= one.certainty_equivalent
    assert 0 <= result.stats.nodes - other.nodes < threads  # the other threads' are still taken
    assert_valid(result, kpm.clear(*tree, threads=1, node_limit=1))


def test_an_exception_in_the_callback_of_an_enumeration_is_raised(race: Race) -> None:
    def fail(progress: kpm.Progress) -> bool:
        raise LookupError("from the callback")

    with pytest.raises(LookupError, match="from the callback"):
        kpm.clear(*race, **ENUMERATION, threads=2, callback=fail)


@pytest.mark.parametrize("options", [TREE, ENUMERATION])
def test_ctrl_c_in_a_callback_is_ctrl_c(crowd: Race, race: Race, options: dict[str, Any]) -> None:
    """The signal may arrive while the log is being printed."""

    def interrupt(progress: kpm.Progress) -> bool:
        raise KeyboardInterrupt

    result = kpm.clear(*(crowd if options is TREE else race), **options, callback=interrupt)
    assert result.status is kpm.Status.INTERRUPTED
    result.verify().raise_if_failed()


def test_a_proof_that_a_better_clearing_undoes_is_done_again() -> None:
    """Less trades in the better clearing, so that the gap proven before is too wide for it.

    The nodes allowed for polishing after a proof were once used up, and no other was taken.
    """
    path = CASES / "less_at_stake_after_the_proof.json"
    book = {name: np.array(value) for name, value in json.loads(path.read_text("utf-8")).items()}
    maker = {name: float(book[name]) for name in ("risk_aversion", "ambiguity")}
    market = kpm.Market(book["payoffs"], book["prior"], book["inventory"], **maker)
    orders = kpm.Orders(book["claim"], book["side"], book["price"], book["quantity"])
    result = kpm.clear(market, orders, threads=1, presolve=False, time_limit=60)
    assert result.status is kpm.Status.OPTIMAL
    assert result.gap <= 1e-8 * result.scale
    result.verify().raise_if_failed()


PROGRAM = """
import kpm_fast as kpm
from adapter import market_of, orders_of
from strategies import endless_book

# A search that does not end: the signal arrives within it, not in what comes after.
book = endless_book()
seen = []

def report(progress):
    if not seen:
        print("searching", flush=True)
    seen.append(progress)

market, orders = market_of(book), orders_of(book)
result = kpm.clear(market, orders, certificate=True, callback=report, time_limit=60)
result.verify().raise_if_failed()
kpm.check_certificate(market, orders, result).raise_if_failed()
print(result.status.value, result.stats.nodes, result.gap > 0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are POSIX")
def test_ctrl_c_in_a_program() -> None:
    """The program goes on with the best clearing found, and its unfinished proof holds."""
    with start_program(PROGRAM) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "searching\n"
        program.send_signal(signal.SIGINT)
        out, err = program.communicate()
    assert program.returncode == 0, err
    status, nodes, has_gap = out.split()
    assert (status, has_gap) == ("interrupted", "True")
    assert int(nodes) >= 1


@pytest.mark.parametrize("options", [TREE, ENUMERATION])
def test_the_gil_is_released(options: dict[str, Any]) -> None:
    """Another thread runs while a clearing is under way.

    Python forces no thread to release the lock here: the other one runs only if the core does.
    """
    book = endless_book() if options is TREE else endless_walk()
    done = threading.Event()
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(0)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)  # seconds
    worker = threading.Thread(target=tick)
    worker.start()
    try:
        result = kpm.clear(
            market_of(book),
            orders_of(book),
            **options,
            cell_limit=10**9,
            threads=1,
            callback=lambda progress: ticks > 1000,
            time_limit=60,
        )
    finally:
        sys.setswitchinterval(interval)
        done.set()
        worker.join()
    assert result.status is kpm.Status.INTERRUPTED


def test_price_feasibility_comes_to_an_end() -> None:
    """Fifty claims on fifty states need more simplex pivots than one tableau is kept for."""
    generator = np.random.default_rng([0, 50, 50, 250])
    payoffs = (generator.random((50, 50)) < 0.5).astype(float)
    prior, crowd = generator.dirichlet(np.full(50, 4.0), size=2)
    claim = generator.integers(0, 50, 250)
    price = (payoffs @ crowd)[claim] * np.exp(0.3 * generator.standard_normal(250))
    quantity = np.ceil(np.exp(generator.normal(2.5, 1.0, 250)))
    market = kpm.Market(payoffs, prior, risk_aversion=1 / quantity.sum())
    orders = kpm.Orders(
        claim, generator.choice([1, -1], 250), price.clip(0.005, 0.995).round(3), quantity
    )
    result = kpm.clear(market, orders, node_limit=2)
    assert result.status is kpm.Status.NODE_LIMIT
    assert result.stats.nodes == 2
    result.verify().raise_if_failed()
