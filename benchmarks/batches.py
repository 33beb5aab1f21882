"""Many books in one call: books a second, and what an executor adds.

Processor time of this process and its worker together is compared with executors, because on a
busy machine wall time measures the other programs. Even so a shared cache makes runs differ: each
run with the executor stands between two without it, the ratio is to their mean, and the median of
the ratios counts. Dask's scheduler is in this process, so its work counts, too.
"""

from __future__ import annotations

import functools
import importlib.util
import math
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np

import kpm_fast as kpm
from kpm_fast.arrays import Floats

from .rounds import interleave, one_core
from .section import Section, range_text

TITLE = "Many books"
PRIOR = np.array([0.3, 0.25, 0.2, 0.12, 0.08, 0.05])
BILLION = 1e9 / 86_400  # books a second, of a billion a day
MOST_ADDED = 0.05  # of the time without an executor
THREADS = (1, 2)
EXECUTORS = {"processes": "os", "loky": "joblib", "dask": "distributed"}  # and what each needs


def cards(count: int) -> kpm.Books:
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


def pairs(count: int) -> kpm.Books:
    """A bid and an offer each, for an event and against it."""
    rng = np.random.default_rng(2)
    return kpm.Books(
        kpm.Market(np.eye(2), [0.5, 0.5], risk_aversion=0.01, ambiguity=0.005),
        np.repeat(np.arange(count), 2),
        rng.integers(0, 2, 2 * count),
        np.tile([1, -1], count),
        rng.uniform(0.3, 0.7, 2 * count).round(3),
        rng.integers(1, 50, 2 * count),
    )


def throughput(quick: bool) -> Section:
    """Books a second of ``clear_many``, by kind of book and threads."""
    part = Section("Books a second in one call of clear_many")
    count, rounds = (500, 3) if quick else (10_000, 5)
    for what, name, books in (
        ("two orders, two claims", "pair", pairs(3 * count)),
        ("36 orders, six claims", "card", cards(count)),
    ):
        optimal = kpm.clear_many(books, threads=1).status == kpm.Status.OPTIMAL
        part.aim(
            f"every book of {what} proved",
            f"{np.sum(optimal):,} of {len(books):,}",
            bool(np.all(optimal)),
            "The others stopped short.",
        )
        calls = {
            str(threads): functools.partial(kpm.clear_many, books, threads=threads)
            for threads in THREADS
        }
        seconds = interleave(calls, rounds)
        for threads in THREADS:
            own = seconds[str(threads)]
            rate = len(books) / float(np.median(own))
            ratio = float(np.median(seconds["1"] / own))
            part.rows.append(
                {
                    "books": what,
                    "threads": threads,
                    "faster times": ratio,
                    "books a second": round(rate),
                }
            )
            part.quote(f"batches.{name}.{threads}", f"{float(f'{rate:.2g}'):,.0f}")
            if threads == 1:
                cores = math.ceil(BILLION / rate)
                part.quote(f"batches.{name}.cores", f"{cores}")
                part.quote(f"batches.{name}.twice", f"{2 * cores}")
    part.notes.append(f"{rounds} interleaved rounds, medians.")
    return part


def executors(quick: bool) -> Section:
    """What one worker of each executor adds to the processor time of a call."""
    count, rounds = (500, 1) if quick else (10_000, 5)
    part = Section(f"One worker of an executor, {count:,} books of 36 orders")
    books = cards(count)
    for kind, module in EXECUTORS.items():
        if importlib.util.find_spec(module) is None:
            part.notes.append(f"Without {kind}: {module} is not installed.")
            continue
        with one_core():  # a worker on the other one would differ by what cores differ
            without, with_it = _in_turn(kind, books, rounds)
        added = with_it / (0.5 * (without[1:] + without[:-1])) - 1.0
        part.rows.append(
            {
                "executor": kind,
                "added share": float(np.median(added)),
                "least added share": float(added.min()),
                "most added share": float(added.max()),
                "without time": float(np.median(without)),
                "with time": float(np.median(with_it)),
            }
        )
    shares = [row["added share"] for row in part.rows]
    part.quote("batches.added", range_text(shares, "{:.1%}".format))
    part.aim(
        f"an executor adds at most {MOST_ADDED:.0%}",
        range_text(shares, "{:.1%}".format),
        max(shares) <= MOST_ADDED,
        "Books are hashed, pickled, split and joined; Dask samples its worker's stack a hundred "
        "times a second.",
    )
    return part


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


def _in_turn(kind: str, books: kpm.Books, rounds: int) -> tuple[Floats, Floats]:
    """Processor seconds without the executor (one more) and with it, taken in turns."""
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
            if batch != first:
                raise RuntimeError(f"{kind} has other answers")
    return np.array(seconds[0]), np.array(seconds[1])


SECTIONS = {"throughput": throughput, "executors": executors}
