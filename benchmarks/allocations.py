"""Allocations of a solve, counted by a ``malloc`` that is preloaded into a process of its own.

Everything that asks the C library for memory is counted: ``new``, NumPy's arrays, Python where its
own pools run dry. An iteration of the interior-point method allocates nothing, and neither does a
cell of the enumeration by itself. Allocations come from the tasks into which cells are divided,
from the call (staircases, workspaces, the answer's arrays) and from nodes of the tree. Counted on
Linux with glibc.
"""

from __future__ import annotations

import ctypes
import functools
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

import kpm_fast as kpm
from kpm_fast import sample

from . import books
from .processes import ROOT
from .section import Row, Section

TITLE = "Allocations"
COUNTER = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
static atomic_long calls, bytes;
static void count(size_t size) { atomic_fetch_add(&calls, 1); atomic_fetch_add(&bytes, size); }
void *malloc(size_t size) { count(size); return __libc_malloc(size); }
void *calloc(size_t n, size_t size) { count(n * size); return __libc_calloc(n, size); }
void *realloc(void *old, size_t size) { count(size); return __libc_realloc(old, size); }
void *memalign(size_t alignment, size_t size) {
  count(size);
  return __libc_memalign(alignment, size);
}
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **to, size_t alignment, size_t size) {
  void *block = memalign(alignment, size);
  if (!block) return ENOMEM;
  *to = block;
  return 0;
}
long counted_calls(void) { return atomic_load(&calls); }
long counted_bytes(void) { return atomic_load(&bytes); }
"""


class NoCounterError(RuntimeError):
    """Allocations cannot be counted here."""


def counted() -> list[Row]:
    """The rows of :func:`count_all`, from a process with the counter preloaded."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if platform.libc_ver()[0] != "glibc" or compiler is None:
        raise NoCounterError("needs the GNU C library, whose names it takes, and a C compiler")
    if os.environ.get("LD_PRELOAD"):
        raise NoCounterError("something else is preloaded")
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "counter.c"), Path(folder, "counter.so")
        source.write_text(COUNTER, encoding="ascii")
        command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source)]
        subprocess.run(command, check=True)
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            env=os.environ | {"LD_PRELOAD": str(library)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    rows: list[Row] = json.loads(done.stdout)
    return rows


def flat_book(claims: int, limits: int = 3, seed: int = 28) -> books.Book:
    """Some of eight Arrow-Debreu claims with a few limits each: all of their cells are reachable.

    The orders for a claim are the same whatever the number of claims.
    """
    generator = np.random.default_rng(seed)
    prior = generator.dirichlet(np.full(8, 8.0))
    factor = generator.uniform(0.6, 1.2, (8, limits))
    side = generator.choice([1, -1], (8, limits))
    claim = np.repeat(np.arange(claims), limits)
    price = (prior[:, None] * factor)[:claims].ravel().round(4)
    orders = kpm.Orders(claim, side[:claims].ravel(), price, 5.0)
    return kpm.Market(np.eye(8)[:claims], prior, risk_aversion=0.05, ambiguity=0.1), orders


class Counter:
    """The preloaded counter."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        self._calls, self._bytes = library.counted_calls, library.counted_bytes
        self._calls.restype = self._bytes.restype = ctypes.c_long

    def count(self, task: Callable[[], Any]) -> tuple[int, int, Any]:
        """Calls and bytes of a task's second run, and its answer: the first one warms up."""
        task()
        calls, size = self._calls(), self._bytes()
        answer = task()
        return self._calls() - calls, self._bytes() - size, answer


def count_all() -> list[Row]:
    """One row per task: the unit that it is counted in, how many there are, and its allocations."""
    counter = Counter()
    rows: list[Row] = []

    def add(task: str, unit: str, solve: Callable[[], Any], units: Callable[[Any], int]) -> None:
        calls, size, answer = counter.count(solve)
        rows.append(
            {
                "task": task,
                "counted by": unit,
                "units": units(answer),
                "allocations": calls,
                "allocated memory": size,
            }
        )

    card = sample.example_race_card()
    cell = kpm.clear(*card).cell
    for tolerance in (1e-2, 1e-10):
        solve = functools.partial(kpm.solve_cell, *card, cell, tolerance=tolerance)
        add(f"solve_cell, to {tolerance:g}", "iterations", solve, attrgetter("iterations"))
    plain: dict[str, Any] = {"threads": 1, "prune_bounds": False}
    for claims in (5, 6):  # cut into the same number of tasks
        search = functools.partial(kpm.clear, *flat_book(claims), "enumerate", **plain)
        add(f"enumeration, {claims} claims", "cells", search, attrgetter("stats.solved"))
    deep = books.random_claims(20, 20, 2000, seed=4, stake=10.0)
    for limit in (10, 100):
        options: dict[str, Any] = {"threads": 1, "tolerance": 1e-14, "node_limit": limit}
        tree = functools.partial(kpm.clear, *deep, **options)
        task = f"clear, 20 random 0/1 claims, {limit} nodes"
        add(task, "nodes", tree, attrgetter("stats.nodes"))
    for name, book in (("the paper's book", books.simulation_a(0.4)), ("the race card", card)):
        clear = functools.partial(kpm.clear, *book, threads=1)
        add(f"clear, {name}", "clearings", clear, lambda _: 1)
    return rows


def per_unit(rows: list[Row], unit: str) -> float:
    """Allocations that one more unit costs, between the smallest and the largest task."""
    of_unit = sorted(
        (row for row in rows if row["counted by"] == unit), key=lambda row: int(row["units"])
    )
    first, last = of_unit[0], of_unit[-1]
    more = last["units"] - first["units"]
    if more <= 0:
        raise RuntimeError(f"the tasks have the same number of {unit}")
    return float((last["allocations"] - first["allocations"]) / more)


def allocations(quick: bool) -> Section:
    """Calls of the allocator, in full, and what one more iteration, cell or node costs."""
    part = Section("Allocations of one call")
    try:
        part.rows = counted()
    except NoCounterError as error:
        part.skipped = str(error)
        return part
    iteration, cell = per_unit(part.rows, "iterations"), per_unit(part.rows, "cells")
    node = per_unit(part.rows, "nodes")
    defect = "This is a defect: solvers allocate in their constructors, and a thread makes one set."
    part.aim("none in an iteration", f"{iteration:g}", iteration == 0, defect)
    part.aim("fewer than one in ten cells", f"{cell:.3f} a cell", cell < 0.1, defect)
    growth = "Nodes take the memory of pruned ones: what is left is what a growing tree keeps."
    part.aim("fewer than six a node", f"{node:.1f} a node", node < 6, growth)
    part.notes.append(
        f"One more iteration costs {iteration:g} allocations, one more cell of the enumeration "
        f"{cell:.2g} (a task of many cells makes its own workspace), one more node of the tree "
        f"{node:.0f}."
    )
    part.quote("allocations.iteration", f"{iteration:g}")
    return part


SECTIONS = {"counted": allocations}

if __name__ == "__main__":
    json.dump(count_all(), sys.stdout)
