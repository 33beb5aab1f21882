"""Many books in one call: books a second."""

from __future__ import annotations

import functools
import math

import numpy as np

import kpm_fast as kpm

from .rounds import interleave, ratio
from .section import Section

TITLE = "Many books"
BILLION = 1e9 / 86_400  # books a second, of a billion a day
PRIOR = np.array([0.3, 0.25, 0.2, 0.12, 0.08, 0.05])
THREADS = (1, 2)


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
    for what, books in (
        ("two orders, two claims", pairs(3 * count)),
        ("36 orders, six claims", cards(count)),
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
            rate = len(books) / float(np.median(seconds[str(threads)]))
            part.rows.append(
                {
                    "books": what,
                    "threads": threads,
                    "faster times": ratio(seconds, "1", str(threads)),
                    "books a second": round(rate),
                    "cores for a billion a day": math.ceil(threads * BILLION / rate),
                }
            )
    part.notes.append(f"{rounds} interleaved rounds, medians.")
    return part


SECTIONS = {"throughput": throughput}
