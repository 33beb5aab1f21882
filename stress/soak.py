"""A great many clearings of changing books in one process: same answers, flat memory.

The books are cleared with one thread, then the same ones again with two; all figures of all answers
go into one hash each time, and the two must be equal. A second run of the command prints the same
hash. Resident memory is read a hundred times; after the first tenth it must stay where it is.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.random import Generator

import kpm_fast as kpm

from . import families

_BLOCK = 100  # clearings of related books
_LARGE = 2_000  # one book in so many is large enough for a second thread
_SAMPLES = 100
_FLAT = 2 * 2**20  # bytes that memory may grow by after the first tenth: pages, not leaks


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clearings", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)


def run(options: argparse.Namespace) -> int:
    each = options.clearings // 2
    samples: list[tuple[int, int]] = []
    hashes = []
    for threads in (1, 2):
        start = time.perf_counter()
        digest = one_pass(each, options.seed, threads, samples)
        seconds = time.perf_counter() - start
        hashes.append(digest)
        print(
            f"{each:,} clearings, threads={threads}: {seconds:.0f} s, "
            f"{1e6 * seconds / each:.0f} microseconds each with making and hashing, hash {digest}",
            flush=True,
        )
    slope, grown = growth(samples)
    same, flat = hashes[0] == hashes[1], grown <= _FLAT
    print(f"answers: {'the same bits' if same else 'DIFFERENT'}")
    print(
        f"memory: {samples[-1][1] / 2**20:.1f} MiB, {'flat' if flat else 'GROWING'}: "
        f"{grown / 2**10:+.0f} KiB since the first tenth, slope {slope:+.3f} bytes a clearing"
    )
    return 0 if same and flat else 1


def one_pass(clearings: int, seed: int, threads: int, samples: list[tuple[int, int]]) -> str:
    """Clear the books of a seed; return the hash of all answers, and append to ``samples``."""
    draw = np.random.default_rng(seed)
    digest = hashlib.sha256()
    before = samples[-1][0] if samples else 0
    every = max(2 * clearings // _SAMPLES, 1)
    base = _fresh(draw)
    for index in range(clearings):
        if index % _BLOCK == 0:
            base = _fresh(draw)
        book = families.larger(draw) if index % _LARGE == _LARGE - 1 else _changed(base, draw)
        result = kpm.clear(*book, threads=threads, node_limit=64)
        _hash(digest, result)
        if (index + 1) % every == 0:
            gc.collect()
            samples.append((before + index + 1, resident()))
    return digest.hexdigest()[:16]


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
    for array in (
        result.fills,
        result.state_prices,
        result.claim_prices,
        result.net_demand,
        result.payoff,
        result.worst_case,
        result.multipliers,
        result.cell,
        np.array([result.certainty_equivalent, result.upper_bound, result.ambiguity_price]),
    ):
        digest.update(array.tobytes())
    digest.update(result.status.value.encode())


def growth(samples: list[tuple[int, int]]) -> tuple[float, int]:
    """Return bytes a clearing, by least squares, and bytes in all, after the first tenth."""
    later = samples[len(samples) // 10 :]
    counts, sizes = (np.array(column, dtype=float) for column in zip(*later, strict=True))
    slope = float(np.polyfit(counts, sizes, 1)[0]) if len(later) > 1 else 0.0
    return slope, later[-1][1] - later[0][1]


def resident() -> int:
    """Return the resident memory of this process in bytes (Linux)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return 1024 * int(line.split()[1])
    raise RuntimeError("/proc/self/status has no VmRSS")
