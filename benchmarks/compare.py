"""The guard against regressions: a fixed set of cases against a stored baseline.

Times are ratios to a reference kernel of the interpreter (exponentials and a sum) that is timed
beside each case in the same interleaved rounds, so that a slower or busier machine slows both. A
case has moved when its median ratio differs from the baseline's by more than the noise of both, the
bootstrap intervals over rounds, and by more than 5 %. The exit status is 1 when a case got slower
or is gone. With --instructions callgrind counts as well: repeatable to a fraction of a per cent on
one machine.
"""

from __future__ import annotations

import argparse
import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

import kpm_fast as kpm

from . import callgrind, guard
from .cases import CASES
from .cells import benchmark_cells
from .machine import describe
from .profile import CALLS
from .rounds import interleave
from .section import Section, print_sections
from .verified import verified

BASELINE = Path(__file__).resolve().parent / "baseline.json"
CELLS = "cells"
_SIZE = 20_000  # of the reference kernel: about a millisecond
_LEAST = 3e-3  # seconds: calls are repeated until one timing takes so long


def reference() -> Callable[[], float]:
    """Exponentials and an exact sum of fixed size, by libm and the interpreter alone.

    NumPy's kernels change with its version and with the processor, so ratios to them would, too.
    """
    values = np.random.default_rng(0).standard_normal(_SIZE).tolist()

    def kernel() -> float:
        return math.fsum(map(math.exp, values))

    return kernel


def tasks() -> dict[str, Callable[[], Any]]:
    """What is timed; every answer has been verified."""
    found: dict[str, Callable[[], Any]] = {}
    for name, case in CASES.items():
        clear = functools.partial(kpm.clear, *case.book(), tolerance=case.tolerance, threads=1)
        verified(clear(), name)
        found[name] = clear
    cells = benchmark_cells(4)

    def solve_cells() -> None:
        for data in cells:
            kpm.solve_cell(data.market, data.orders, data.cell)

    for data in cells:
        if kpm.solve_cell(data.market, data.orders, data.cell).status is not kpm.Status.OPTIMAL:
            raise RuntimeError(f"{data.label}: not solved")
    return found | {CELLS: solve_cells}


def measure(rounds: int, instructions: bool) -> dict[str, guard.Measured]:
    """Every case against the reference kernel right beside it, in the same rounds."""
    kernel = _repeated(reference())
    timed: dict[str, tuple[Callable[[], Any], int]] = {}
    for name, task in tasks().items():
        timed |= {name: _repeated(task), _beside(name): kernel}
    seconds = interleave({name: task for name, (task, _) in timed.items()}, rounds)
    each = {name: seconds[name] / repeats for name, (_, repeats) in timed.items()}
    found = {}
    for name in (*CASES, CELLS):
        count = None
        if instructions and name in CALLS:
            count = callgrind.count(name, CALLS[name]).total
        found[name] = guard.Measured.of(each[name] / each[_beside(name)], count)
    return found


def _beside(name: str) -> str:
    return f"reference kernel beside {name}"


def _repeated(task: Callable[[], Any]) -> tuple[Callable[[], Any], int]:
    """The task so often in a row that it can be timed, and how often that is."""
    task()
    seconds = min(float(interleave({"task": task}, 3)["task"].min()), _LEAST)
    repeats = max(1, round(_LEAST / max(seconds, 1e-9)))

    def run() -> None:
        for _ in range(repeats):
            task()

    return run, repeats


def section(changes: list[guard.Change], now: dict[str, guard.Measured]) -> Section:
    part = Section("Cases against the baseline")
    for change in changes:
        measured = now.get(change.case)
        row: dict[str, Any] = {
            "case": change.case,
            "verdict": change.verdict,
            "over the baseline times": change.times,
            "allowance share": change.allowance,
            "over the reference times": measured.ratio if measured else None,
        }
        if any(other.instructions for other in now.values()):
            row["instructions"] = measured.instructions if measured else None
            row["over the baseline's times"] = change.instructions
        part.rows.append(row)
    slower = [change.case for change in changes if change.bad]
    reason = "The table says which, and by how much more than noise allows."
    part.aim("no case slower or gone", ", ".join(slower) or "none", not slower, reason)
    return part


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--baseline", type=Path, default=BASELINE, metavar="FILE.json")
    parser.add_argument("--save", action="store_true", help="store this run as the baseline")
    parser.add_argument("--rounds", type=int, default=40, help="interleaved rounds (40)")
    parser.add_argument("--instructions", action="store_true", help="also count with callgrind")


def run(options: argparse.Namespace) -> int:
    console = Console(width=None if Console().is_terminal else 140)
    reason = callgrind.absent() if options.instructions else ""
    machine: dict[str, str] = {}
    baseline: dict[str, guard.Measured] = {}
    try:
        if reason:
            raise ValueError(f"--instructions: {reason}")
        if options.rounds < 5:
            raise ValueError("--rounds: an interval needs 5 rounds or more")
        if not options.save:
            machine, baseline = guard.load(options.baseline)
    except (OSError, ValueError) as error:
        console.print(f"error: {error}", highlight=False, markup=False)
        return 2
    now = measure(options.rounds, options.instructions)
    here = dict(describe())
    if options.save:
        guard.save(options.baseline, here, now)
        console.print(f"saved: {options.baseline}", highlight=False, soft_wrap=True)
        return 0
    for label in ("machine", "core compiler", "core flags"):
        if machine.get(label) != here.get(label):
            console.print(
                f"note: the baseline's {label} is {machine.get(label)}, here it is "
                f"{here.get(label)}: ratios may differ for that reason",
                highlight=False,
                soft_wrap=True,
            )
    changes = guard.changes(baseline, now)
    print_sections(console, [section(changes, now)])
    return 1 if any(change.bad for change in changes) else 0
