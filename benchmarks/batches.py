"""The overhead of an executor: 10,000 books by ``clear_many`` here and over one worker of each.

Processor time is compared, of this process and the worker together, because on a busy machine wall
time measures the other programs. Even so a shared cache makes runs differ: each run with the
executor stands between two without it, the ratio is to their mean, and the median of the ratios
counts. Dask's scheduler is in this process, so its work counts, too.
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
            cluster_of(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
            client_of(cluster) as client,
            # Dask would recognise the same work and return an earlier answer, of the clock too.
            client.get_executor(pure=False) as executor,
        ):
            threads = list(client.nthreads().values())
            assert threads == [1], f"one worker with one thread was asked for, not {threads}"
            yield executor
    elif kind == "loky":
        from joblib.externals.loky import ProcessPoolExecutor as Loky

        with Loky(1) as executor:
            yield executor
    else:
        with ProcessPoolExecutor(1) as executor:
            yield executor


def measure(kind: str, books: kpm.Books, rounds: int) -> tuple[list[float], list[float]]:
    """Return processor seconds without the executor (one more) and with it, taken in turns."""
    seconds: tuple[list[float], list[float]] = ([], [])
    with opened(kind) as executor:
        first = kpm.clear_many(books, executor=executor)  # the worker is started
        for turn in range(2 * rounds + 1):
            with_it = turn % 2
            option: dict[str, Any] = {"executor": executor} if with_it else {"threads": 1}
            started = time.process_time() + executor.submit(time.process_time).result()
            batch = kpm.clear_many(books, **option)
            ended = time.process_time() + executor.submit(time.process_time).result()
            seconds[with_it].append(ended - started)
            assert batch == first
    return seconds


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
        without, with_it = measure(kind, books, rounds)
        here = np.array(without)
        ratios = np.array(with_it) / (0.5 * (here[1:] + here[:-1]))
        overhead = float(np.median(ratios)) - 1
        dear |= overhead > ALLOWED
        print(
            f"{kind}: overhead {100 * overhead:.1f} % ({100 * (ratios.min() - 1):.1f} to "
            f"{100 * (ratios.max() - 1):.1f} in {rounds} rounds); at best {here.min():.3f} s of a "
            f"processor without, {min(with_it):.3f} s with it, {count / min(with_it):,.0f} books a "
            "second",
            flush=True,
        )
    return int(dear and not options.quick)
