"""The enumeration (28): speed-up from 1 to 2 threads, cells per second, time against J.

The speed-up is measured with pruning by bound switched off, on a book all of whose cells are
feasible, so that every cell is solved; rounds of one and of two threads alternate. The one thread
runs on each core in turn, and its speed is the mean of theirs: cores of a shared machine may run at
different clocks, and a thread alone would have the faster one.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

import kpm_fast as kpm

from .rounds import cores, one_core
from .section import Section
from .verified import verified

TITLE = "The enumeration (28)"
SIZES = [4, 8, 12, 16, 24, 32, 48]  # orders
TARGET = 1.8  # times faster on two threads than on one


@dataclass(frozen=True)
class Run:
    """One clearing."""

    orders: int
    cells: int
    solved: int
    threads: int
    seconds: float
    cores: float  # kept busy: processor time over wall time; short of `threads` on a busy machine
    iterations: int

    @property
    def cells_per_second(self) -> float:
        return self.solved / self.seconds


def scaling_book(levels: int = 3, seed: int = 28) -> tuple[kpm.Market, kpm.Orders]:
    """Five of eight Arrow-Debreu claims, ``levels`` limits each: (2 levels + 1)^5 cells."""
    generator = np.random.default_rng(seed)
    claim = np.repeat(np.arange(5), levels)
    prior = generator.dirichlet(np.full(8, 8.0))
    price = prior[claim] * generator.uniform(0.6, 1.4, claim.size)
    orders = kpm.Orders(
        claim,
        generator.choice([1, -1], claim.size),
        price.round(4),
        generator.integers(1, 10, claim.size).astype(float),
    )
    return kpm.Market(np.eye(8)[:5], prior, risk_aversion=0.05, ambiguity=0.1), orders


def growing_book(orders: int, seed: int = 4) -> tuple[kpm.Market, kpm.Orders]:
    """``orders`` orders on four claims of five states, prices in cents around fair."""
    generator = np.random.default_rng(seed)
    payoffs = np.vstack([np.eye(5)[:3], [0.0, 0.0, 1.0, 1.0, 0.0]])
    prior = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
    claim = np.arange(orders) % 4
    side = generator.choice([1, -1], orders)
    price = ((payoffs @ prior)[claim] * (1 - 0.15 * side * generator.random(orders))).round(2)
    quantity = generator.integers(1, 10, orders).astype(float)
    market = kpm.Market(payoffs, prior, risk_aversion=0.5 / orders, ambiguity=0.1)
    return market, kpm.Orders(claim, side, price, quantity)


def clear(book: tuple[kpm.Market, kpm.Orders], threads: int, **options: Any) -> Run:
    start, processor = time.perf_counter(), time.process_time()
    result = kpm.clear(*book, "enumerate", threads=threads, cell_limit=10**9, **options)
    seconds = time.perf_counter() - start
    cores = (time.process_time() - processor) / seconds
    if result.status is not kpm.Status.OPTIMAL:
        raise RuntimeError(f"not solved: {result.status}")
    verified(result, "enumeration")
    stats = result.stats
    return Run(
        orders=len(result.orders),
        cells=stats.cells,
        solved=stats.solved,
        threads=threads,
        seconds=seconds,
        cores=cores,
        iterations=stats.iterations,
    )


def speed_up(levels: int, rounds: int) -> dict[str, Any]:
    """Interleaved rounds on one thread, on every core in turn, and on two threads."""
    book = scaling_book(levels)
    clear(book, 2, prune_bounds=False)
    runs = [(_on_each_core(book), clear(book, 2, prune_bounds=False)) for _ in range(rounds)]
    ratio = [two.cells_per_second / one.cells_per_second for one, two in runs]
    one, two = (
        sorted(column, key=lambda run: run.seconds)[len(runs) // 2]
        for column in zip(*runs, strict=True)
    )
    return {
        "ratio": float(np.median(ratio)),
        "best": max(ratio),
        "one": asdict(one) | {"cells_per_second": one.cells_per_second},
        "two": asdict(two) | {"cells_per_second": two.cells_per_second},
    }


def _on_each_core(book: tuple[kpm.Market, kpm.Orders]) -> Run:
    """One thread at the mean of its speeds on two cores."""
    runs = []
    choice: list[int | None] = [*cores()[:2]]
    for core in choice or [None]:
        with one_core(core):
            runs.append(clear(book, 1, prune_bounds=False))
    return replace(
        runs[0],
        seconds=len(runs) / sum(1.0 / run.seconds for run in runs),
        cores=float(np.mean([run.cores for run in runs])),
    )


def growth(sizes: list[int], rounds: int) -> list[dict[str, Any]]:
    """Time against J, pruning as by default, on one thread."""
    rows = []
    for orders in sizes:
        book = growing_book(orders)
        runs = sorted((clear(book, 1) for _ in range(rounds)), key=lambda run: run.seconds)
        rows.append(asdict(runs[rounds // 2]))
    return rows


def scaling(quick: bool) -> Section:
    """One thread against two."""
    part = Section("One thread against two, every cell solved")
    report = speed_up(1 if quick else 3, 5 if quick else 15)
    for run in (report["one"], report["two"]):
        part.rows.append(
            {
                "threads": run["threads"],
                "cells": run["cells"],
                "solved": run["solved"],
                "time": run["seconds"],
                "cells a second": run["cells_per_second"],
                "cores busy": run["cores"],
            }
        )
    part.aim(
        f"{TARGET:g} times faster on two threads",
        f"{report['ratio']:.2f} (median), {report['best']:.2f} (best)",
        report["ratio"] >= TARGET,
        f"Two threads kept {report['two']['cores']:.2f} cores busy, one "
        f"{report['one']['cores']:.2f}. What is short of 2 and 1 other processes took; what "
        "is not is the start and the end of a call, which one thread does alone.",
    )
    return part


def against_orders(quick: bool) -> Section:
    """Time against J with the default pruning."""
    part = Section("Time against the number of orders, pruned by bounds, one thread")
    for run in growth(SIZES[:2] if quick else SIZES, 3):
        part.rows.append(
            {
                "J": run["orders"],
                "cells": run["cells"],
                "solved": run["solved"],
                "iterations": run["iterations"],
                "time": run["seconds"],
            }
        )
    return part


SECTIONS = {"threads": scaling, "orders": against_orders}
