"""A great many clearings of changing books in one process: same answers, flat memory.

The books are cleared with one thread, then the same ones again with two; all figures of all answers
go into one hash each time, and the two must be equal. A second run of the command prints the same
hash. A team of threads starts only after some milliseconds of work, so one book in some hundred is
large enough for that; how often it happened is counted, because otherwise equal hashes would mean
nothing. Resident memory is read a hundred times in each half; after the first tenth of a half it
must stay where it is.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.random import Generator

import kpm_fast as kpm
from kpm_fast.arrays import Ints

from . import families, figures

_BLOCK = 100  # clearings of related books
_LARGE = 2_000  # one book in so many is of the survey's largest
_CROWDED = 400  # one book in so many, the first among them, is work for a team
_SAMPLES = 100
# Bytes that memory may grow by after the first tenth of a pass, and a clearing by the median slope:
# the least that malloc gives out is 32, so one such piece lost in sixteen clearings is too much. In
# few clearings pages hide that; they made up to 160 KiB in ten halves of 10,000, and 264 KiB beside
# other work, so 512 KiB pass.
_FLAT = 2**20
_SLOPE = 2.0
_PAGES = 2**19


@dataclass
class Pass:
    """What came of one half.

    Attributes
    ----------
    threads, clearings : int
        As asked for.
    teams : int
        Clearings that more than one thread worked at.
    digest : str
        The hash of all answers.
    seconds : float
    samples : array of shape (samples, 2)
        Clearings so far, and the bytes of memory in use after them.
    """

    threads: int
    clearings: int
    teams: int = 0
    digest: str = ""
    seconds: float = 0.0
    samples: Ints = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))

    def __str__(self) -> str:
        return (
            f"{self.clearings:,} clearings, threads={self.threads}: {self.seconds:.0f} s, "
            f"{1e6 * self.seconds / self.clearings:.0f} microseconds each with making and hashing, "
            f"{self.teams:,} by a team, hash {self.digest}"
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clearings", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)


def run(options: argparse.Namespace) -> int:
    halves = []
    for threads in (1, 2):
        halves.append(one_pass(options.clearings // 2, options.seed, threads))
        print(halves[-1], flush=True)
    for half in halves:
        slope, grown = growth(half.samples)
        print(
            f"memory, threads={half.threads}: {half.samples[-1][1] / 2**20:.1f} MiB, "
            f"{grown / 2**10:+.0f} KiB since the first tenth, slope {slope:+.3f} bytes per clearing"
        )
    found = faults(halves)
    print(*(found or ["answers: the same bits; memory: flat"]), sep="\n")
    return 1 if found else 0


def faults(halves: list[Pass]) -> list[str]:
    """Say what is wrong with the two halves of a soak: with one thread, and with two."""
    one, two = halves
    found = []
    if one.digest != two.digest:
        found.append("answers: DIFFERENT")
    if one.teams or not two.teams:
        found.append(f"teams: {one.teams} with one thread, {two.teams} with two: NOT COMPARED")
    for half in halves:
        slope, grown = growth(half.samples)
        if grown > _FLAT or slope > max(_SLOPE, _PAGES / half.clearings):
            found.append(f"memory, threads={half.threads}: GROWING")
    return found


def one_pass(clearings: int, seed: int, threads: int) -> Pass:
    """Clear the books of a seed, and hash all answers."""
    draw = np.random.default_rng(seed)
    digest = hashlib.sha256()
    every = -(-clearings // _SAMPLES)
    # As an array, because a list that grows would be found in the memory it records.
    done = Pass(threads, clearings, samples=np.ones((clearings // every, 2), dtype=np.int64))
    start = time.perf_counter()
    base = _fresh(draw)
    for index in range(clearings):
        if index % _BLOCK == 0:
            base = _fresh(draw)
        result = kpm.clear(*_book(index, base, draw), threads=threads, node_limit=64)
        _hash(digest, result)
        done.teams += result.stats.threads > 1
        if (index + 1) % every == 0:
            gc.collect()
            done.samples[index // every] = index + 1, resident()
    done.seconds = time.perf_counter() - start
    done.digest = digest.hexdigest()[:16]
    return done


def _book(index: int, base: families.Draft, draw: Generator) -> families.Book:
    if index % _CROWDED == 0:
        return families.crowded(draw)
    if index % _LARGE == _LARGE - 1:
        return families.larger(draw)
    return _changed(base, draw)


def _fresh(draw: Generator) -> families.Draft:
    return families.ordinary(draw)


def _changed(base: families.Draft, draw: Generator) -> families.Book:
    """The book a moment later: other quantities and limits, another radius."""
    shift = 0.02 * draw.standard_normal(len(base.price))
    return replace(
        base,
        price=base.price + shift,
        quantity=base.quantity * draw.integers(1, 4, len(base.quantity)),
        ambiguity=float(draw.choice([0.0, 0.05, 0.3])),
    ).book()


def _hash(digest: hashlib._Hash, result: kpm.Result) -> None:
    for name in figures.FIGURES:
        digest.update(figures.bits(getattr(result, name)))
    digest.update(result.status.value.encode())


def growth(samples: Ints) -> tuple[float, int]:
    """Return bytes per clearing, and bytes in all, after the first tenth.

    The slope is the median of those between any two samples (Theil and Sen): a rare book that needs
    more memory than any before it, for 32 digits say, makes one step, which malloc keeps, and
    moves few of them; a leak goes on, and moves all.
    """
    later = samples[len(samples) // 10 :]
    counts, sizes = later.T.astype(float)
    first, second = np.triu_indices(len(later), 1)
    slopes = (sizes[second] - sizes[first]) / (counts[second] - counts[first])
    slope = float(np.median(slopes)) if slopes.size else 0.0
    return slope, int(later[-1, 1] - later[0, 1])


def resident() -> int:
    """Return the resident memory of this process in bytes (Linux)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return 1024 * int(line.split()[1])
    raise RuntimeError("/proc/self/status has no VmRSS")
