"""Executors of other packages: joblib's loky, and a real Dask cluster of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

import pytest

__all__ = ["dask", "loky"]


@contextmanager
def loky(workers: int) -> Iterator[Executor]:
    pytest.importorskip("joblib")
    from joblib.externals.loky import ProcessPoolExecutor as Loky

    with Loky(workers) as executor:
        yield executor


@contextmanager
def dask(workers: int) -> Iterator[Executor]:
    """A real cluster, of this machine: workers are processes that talk over sockets."""
    distributed = pytest.importorskip("distributed")
    options = {"threads_per_worker": 1, "dashboard_address": None}
    with (
        distributed.LocalCluster(n_workers=workers, **options) as cluster,
        distributed.Client(cluster) as client,
        client.get_executor() as executor,
    ):
        # A number given by position would be LocalCluster's name: the count is checked here.
        client.wait_for_workers(workers, timeout=60)
        assert list(client.nthreads().values()) == [1] * workers
        yield executor
