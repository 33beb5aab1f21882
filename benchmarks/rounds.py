"""Timing: interleaved rounds, which the machine's other work affects alike, and their summaries."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from kpm_fast.arrays import Floats

Answer = TypeVar("Answer")

WARM_UP = 1e-3  # seconds of untimed calls before one that counts
BRIEF = 5e-3  # seconds: a call that takes longer needs no warming


def cores() -> list[int]:
    """The cores this process may choose among; none where it may not."""
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []


@contextmanager
def one_core(core: int | None = None) -> Iterator[None]:
    """Keep this process, and those it starts meanwhile, on one and the same core.

    For processes that take turns, one thread each: two cores of a shared machine may run at
    different clock rates, so a solver that gets the slower core for a while would seem slower. Only
    Linux lets a process choose; elsewhere this does nothing.
    """
    allowed = cores()
    if not allowed:
        yield
        return
    os.sched_setaffinity(0, {allowed[-1] if core is None else core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def interleave(tasks: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, Floats]:
    """Seconds of each task in each round; the order rotates, the first round is not counted.

    A task of less than a millisecond runs for a millisecond before the call that counts: otherwise
    the caches hold what the task before left there, which costs the fast ones most. No garbage is
    collected.
    """
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        return interleave_timed({name: warmed(task) for name, task in tasks.items()}, rounds)
    finally:
        if collecting:
            gc.enable()


def answered(task: Callable[[], Answer]) -> tuple[Answer, float]:
    """What one call returns, and its seconds."""
    start = time.perf_counter()
    answer = task()
    return answer, time.perf_counter() - start


def timed(task: Callable[[], Any]) -> float:
    """Seconds of one call."""
    return answered(task)[1]


def warm_up(task: Callable[[], Any]) -> float:
    """Call a task for a millisecond, or once if that is not brief; the last call's seconds."""
    spent = 0.0
    while spent < WARM_UP:
        took = timed(task)
        if took >= BRIEF:
            break
        spent += took
    return took


def interleave_timed(timers: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Floats]:
    """The same of what is timed elsewhere, in a process of its own: each call gives its seconds."""
    names = list(timers)
    seconds = {name: np.empty(rounds) for name in names}
    for turn in range(-1, rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            elapsed = timers[name]()
            if turn >= 0:
                seconds[name][turn] = elapsed
    return seconds


def warmed(task: Callable[[], Any]) -> Callable[[], float]:
    """A timer of one call, after a millisecond of them if it is brief."""

    def seconds() -> float:
        took = warm_up(task)
        return took if took >= BRIEF else timed(task)

    return seconds


def ratio(seconds: Mapping[str, Floats], task: str, base: str) -> float:
    """A task's time divided by that of ``base``: the median of the rounds' ratios."""
    return float(np.median(seconds[task] / seconds[base]))


def percentiles(seconds: ArrayLike) -> dict[str, float]:
    """p50, p99, p99.9 and the largest of times, named as columns of times are."""
    values = np.asarray(seconds, dtype=float)
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError("percentiles need finite times, at least one")
    columns = {f"p{rank:g} time": float(np.percentile(values, rank)) for rank in (50.0, 99.0, 99.9)}
    return columns | {"max time": float(values.max())}


def shifted_geometric_mean(values: ArrayLike, shift: float) -> float:
    """Of values plus a shift, less it: small times and a few large ones do not decide it."""
    return float(np.exp(np.log(np.asarray(values, dtype=float) + shift).mean()) - shift)
