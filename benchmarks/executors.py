"""What an executor costs: ten thousand books by ``clear_many`` here and over one worker of each.

Compared is the time of processors, of this process and of the worker together, because on a busy
machine the clock measures the others. The runs alternate, and the least of each counts. Dask's
scheduler is in this process, so its work counts, too.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np

import kpm_fast as kpm

__all__ = ["add_arguments", "run"]

PRIOR = np.array([0.3, 0.25, 0.2, 0.12, 0.08, 0.05])
ALLOWED = 0.05  # of the time without an executor


def draw_books(count: int) -> kpm.Books:
    """Race cards of six runners and 36 orders."""
    rng = np.random.default_rng(1)
    claim = rng.integers(0, 6, 36 * count)
    limits = PRIOR[claim] * np.exp(0.3 * rng.normal(size=len(claim)))
    return kpm.Books(
        kpm.Market(np.eye(6), PRIOR, risk_aversion=0.01, ambiguity=0.005),
        np.repeat(np.arange(count), 36),
        claim,
        rng.choice([1, -1], len(claim)),
        limits.round(3).clip(0.001, 0.999),
        rng.integers(1, 50, len(claim)),
    )


@contextmanager
def opened(kind: str) -> Iterator[Executor]:
    """One worker of an executor."""
    if kind == "dask":
        from distributed import Client, LocalCluster

        cluster_of: Any = LocalCluster
        client_of: Any = Client
        with (
            cluster_of(1, threads_per_worker=1, dashboard_address=None) as cluster,
            client_of(cluster) as client,
            client.get_executor() as executor,
        ):
            yield executor
    elif kind == "loky":
        from joblib.externals.loky import ProcessPoolExecutor as Loky

        with Loky(1) as executor:
            yield executor
    else:
        with ProcessPoolExecutor(1) as executor:
            yield executor


def measure(kind: str, books: kpm.Books, rounds: int) -> tuple[float, float]:
    """Return the least processor seconds without and with the executor, taken in turns."""
    best = [np.inf, np.inf]
    with opened(kind) as executor:
        options: list[dict[str, Any]] = [{"threads": 1}, {"executor": executor}]
        kpm.clear_many(books, executor=executor)  # the worker is started
        batches = []
        for _ in range(rounds):
            for place, option in enumerate(options):
                started = time.process_time() + executor.submit(time.process_time).result()
                batches.append(kpm.clear_many(books, **option))
                ended = time.process_time() + executor.submit(time.process_time).result()
                best[place] = min(best[place], ended - started)
        assert all(batch == batches[0] for batch in batches)
    return best[0], best[1]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the benchmark."""
    parser.add_argument("--books", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one round of 500 books")


def run(options: argparse.Namespace) -> int:
    """Measure and print; exit code 1 where an executor costs more than it may."""
    count, rounds = (500, 1) if options.quick else (options.books, options.rounds)
    books = draw_books(count)
    dear = False
    print(f"{count:,} books of 36 orders")
    for kind, module in (("processes", "os"), ("loky", "joblib"), ("dask", "distributed")):
        if importlib.util.find_spec(module) is None:
            print(f"{kind}: skipped, no {module}")
            continue
        here, there = measure(kind, books, rounds)
        dear |= there > (1 + ALLOWED) * here
        print(
            f"{kind}: {here:.3f} s of a processor without, {there:.3f} s with it, overhead "
            f"{100 * (there / here - 1):.1f} %, {count / there:,.0f} books a second"
        )
    return int(dear and not options.quick)
