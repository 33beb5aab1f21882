"""
A systems engineer's day: ten thousand books over an executor
=============================================================

Books are sent in chunks of about half a second, as columns, to any executor of
``concurrent.futures``: processes of this machine, joblib's loky, or a Dask cluster. Each worker
clears its chunk with one thread. Bits depend neither on the executor nor on the chunks.
"""

import argparse
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np

import kpm_fast as kpm


def draw_books(count: int) -> dict[str, Any]:
    """Draw books of 36 orders on a race of six, as columns."""
    rng = np.random.default_rng(1)
    rows = 36 * count
    claim = rng.integers(0, 6, rows)
    prior = np.array([0.3, 0.25, 0.2, 0.12, 0.08, 0.05])
    limits = prior[claim] * np.exp(0.3 * rng.normal(size=rows))
    return {
        "book": np.repeat(np.arange(count), 36),
        "claim": claim,
        "side": rng.choice([1, -1], rows),
        "price": limits.round(3).clip(0.001, 0.999),
        "quantity": rng.integers(1, 50, rows),
    }


def clear_chunk(columns: dict[str, Any]) -> kpm.Batch:
    """Clear some books on one thread: what a worker does."""
    prior = [0.3, 0.25, 0.2, 0.12, 0.08, 0.05]
    market = kpm.Market(np.eye(6), prior, risk_aversion=0.01, ambiguity=0.005)
    return kpm.clear_many(kpm.Books(market, **columns), threads=1)


@contextmanager
def open_executor(kind: str, workers: int) -> Iterator[Executor]:
    """Open an executor by name; what is not in the standard library is imported here."""
    if kind == "dask":
        from distributed import Client, LocalCluster

        with (
            LocalCluster(workers, threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster) as client,
            client.get_executor() as executor,
        ):
            yield executor
    elif kind == "loky":
        from joblib.externals.loky import ProcessPoolExecutor as Loky

        with Loky(workers) as executor:
            yield executor
    else:
        pool = ThreadPoolExecutor if kind == "threads" else ProcessPoolExecutor
        with pool(workers) as executor:
            yield executor


def main() -> None:
    parser = argparse.ArgumentParser(description="Clear many books over an executor.")
    parser.add_argument("--books", type=int, default=10_000)
    parser.add_argument("--chunk", type=int, default=2_000, help="books of a task")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--executor", choices=["processes", "threads", "loky", "dask"], default="processes"
    )
    options = parser.parse_args()

    columns = draw_books(options.books)
    chunks = []
    for first in range(0, options.books, options.chunk):
        rows = slice(36 * first, 36 * (first + options.chunk))
        chunks.append({name: column[rows] for name, column in columns.items()})
    with open_executor(options.executor, options.workers) as executor:
        list(executor.map(clear_chunk, [chunks[0]] * options.workers))  # workers are started
        started = time.perf_counter()
        batches = list(executor.map(clear_chunk, chunks))
        seconds = time.perf_counter() - started

    fills = np.concatenate([batch.fills for batch in batches])
    optimal = sum(int(np.count_nonzero(batch.status == "optimal")) for batch in batches)
    print(f"{options.books:,} books by {options.executor}: {optimal:,} optimal")
    print(f"{options.books / seconds:,.0f} books a second")

    first = clear_chunk(chunks[0])
    assert fills[: len(first.fills)].tobytes() == first.fills.tobytes()
    print("The first chunk has the same bits in this process.")


if __name__ == "__main__":  # processes are started anew and must not start others
    main()
