"""
A systems engineer's day: ten thousand books over an executor
=============================================================

Books go as columns, in tasks of 0.2 to 1 s, to any executor of ``concurrent.futures``: processes of
this machine, joblib's loky, or a Dask cluster. Each worker clears its tasks with one thread. No bit
depends on the executor or on the tasks, and with ``--resume FILE`` a run that was stopped continues
where it was.
"""

# sphinx_gallery_thumbnail_path = "images/bench-overview.png"

import argparse
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

import kpm_fast as kpm


def draw_books(count: int) -> kpm.Books:
    """Draw books of 36 orders on a race of six, as columns."""
    rng = np.random.default_rng(1)
    prior = np.array([0.3, 0.25, 0.2, 0.12, 0.08, 0.05])
    claim = rng.integers(0, 6, 36 * count)
    limits = prior[claim] * np.exp(0.3 * rng.normal(size=len(claim)))
    return kpm.Books(
        kpm.Market(np.eye(6), prior, risk_aversion=0.01, ambiguity=0.005),
        book=np.repeat(np.arange(count), 36),
        claim=claim,
        side=rng.choice([1, -1], len(claim)),
        price=limits.round(3).clip(0.001, 0.999),
        quantity=rng.integers(1, 50, len(claim)),
    )


@contextmanager
def open_executor(kind: str, workers: int) -> Iterator[Executor]:
    """Open an executor by name; what is not in the standard library is imported here."""
    if kind == "dask":
        from distributed import Client, LocalCluster

        with (
            LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=None
            ) as cluster,
            Client(cluster) as client,
            client.get_executor(pure=False) as executor,
        ):
            threads = list(client.nthreads().values())  # of every worker
            assert threads == [1] * workers, threads
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
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--executor", choices=["processes", "threads", "loky", "dask"], default="processes"
    )
    parser.add_argument("--resume", help="a file that keeps finished tasks")
    options = parser.parse_args()

    books = draw_books(options.books)
    with open_executor(options.executor, options.workers) as executor:
        started = time.perf_counter()
        batch = kpm.clear_many(books, executor=executor, resume=options.resume)
        seconds = time.perf_counter() - started

    optimal = int(np.count_nonzero(batch.status == "optimal"))
    print(f"{options.books:,} books by {options.executor}: {optimal:,} optimal")
    print(f"{options.books / seconds:,.0f} books a second, starting the workers included")
    print(batch.to_frame()[["book", "status", "gain", "volume"]].head(3).to_string(index=False))

    few = kpm.Books(
        books.market,
        book=np.repeat(np.arange(3), 36),
        claim=books.claim[:108],
        side=books.side[:108],
        price=books.price[:108],
        quantity=books.quantity[:108],
    )
    assert batch.fills[:108].tobytes() == kpm.clear_many(few).fills.tobytes()
    print("The first three books have the same bits in this process.")


if __name__ == "__main__":  # processes are started anew and must not start others
    main()
