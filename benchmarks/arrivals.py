"""An open loop: requests arrive when they arrive, whether the server is ready or not.

A closed loop, which sends the next request when the last is answered, never sees the queue behind a
slow answer (coordinated omission). Here a request's latency counts from its scheduled arrival.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from kpm_fast.arrays import Floats

_AWAKE = 1e-3  # seconds before an arrival from which on the server waits without sleeping


def poisson(count: int, rate: float, seed: int) -> Floats:
    """Arrival times of a Poisson process of ``rate`` a second, in seconds from the start."""
    return np.cumsum(np.random.default_rng(seed).exponential(1 / rate, count))


def latencies(
    arrivals: Floats,
    tasks: Sequence[Callable[[], object]],
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> Floats:
    """Seconds from each arrival to its answer, one server, first come first served.

    Request i is ``tasks[i % len(tasks)]``.
    """
    found = np.empty(len(arrivals))
    start = clock()
    for number, arrival in enumerate(arrivals):
        due = start + float(arrival)
        while (early := due - clock()) > 0:
            if early > _AWAKE:
                sleep(early - _AWAKE)
        tasks[number % len(tasks)]()
        found[number] = clock() - due
    return found
