"""The paper's book against one quadratic programme, and against its cells with Clarabel."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

import kpm_fast as kpm
from kpm_fast.paper import simulations as paper

from . import books
from .cell_sweep import ACCURACY, PEERS, reachable_cells, refused, sweep, unreachable_cells
from .quadratic import SIZE
from .rounds import interleave_timed, one_core, ratio, warmed
from .section import Row, Section, range_text, short_text, time_text
from .solver_process import SolverProcess
from .verified import examined

GAP = 1e-9  # of the notional
TARGET_QP = 2.0
TARGET_CLARABEL = 2000.0
_BESIDE = 25  # calls timed after each of Clarabel's sweeps


def paper_book(quick: bool) -> Section:
    """Simulation A, the whole Python call, against PIQP and against Clarabel on all cells."""
    section = Section("The paper's book (simulation A), proved to 1e-9 of its notional")
    rounds, sweeps = (30, 1) if quick else (400, 9)
    with (
        one_core(),
        SolverProcess("quadratic:Portfolio") as piqp,
        SolverProcess(PEERS["Clarabel"]) as clarabel,
    ):
        section.rows = [
            _row(ambiguity, piqp, clarabel, rounds, sweeps)
            for ambiguity in (paper.AMBIGUITIES_A[::2] if quick else paper.AMBIGUITIES_A)
        ]
    rows = section.rows
    nodes, gap = max(row["nodes"] for row in rows), max(row["gap"] for row in rows)
    over_qp = [row["clear / PIQP times"] for row in rows]
    over_cells = [row["Clarabel / clear times"] for row in rows]
    tied = "At a kink of the risk several cells tie to the last digits, and nodes hold them apart."
    section.aim("one node or two", f"at most {nodes}", nodes <= 2, tied)
    section.aim(f"gap {GAP:g}", f"at most {gap:.1e}", gap <= GAP, tied)
    section.aim(
        f"no slower than {TARGET_QP:g} PIQP QPs of {SIZE} variables",
        range_text(over_qp, "{:.2f}".format),
        max(over_qp) <= TARGET_QP,
        _why_more_than_two(rows),
    )
    section.aim(
        f"{TARGET_CLARABEL:,.0f} times faster than all its cells, reachable or not, with Clarabel",
        range_text(over_cells, "{:,.0f}".format),
        min(over_cells) >= TARGET_CLARABEL,
        _why_not_so_much_faster(rows),
    )
    section.notes.append(
        "Core: the share of the call that the core takes; the rest is Python and NumPy. Clarabel: "
        "set-up and solve of every cell, its matrices built beforehand; that state prices do not "
        "reach a cell it has to find out. Clarabel, feasible: what is left of that for whoever is "
        f"told. A cell counts as solved where its answer is within {ACCURACY:g} of the notional; "
        "one that is not, or is not refused where it should be, counts like the others' mean."
    )
    section.quote("prove.paper-time", range_text([row["clear time"] for row in rows], time_text))
    programmes = [row["relaxations and cells"] for row in rows]
    section.quote("prove.paper-programmes", range_text(programmes, "{:g}".format))
    section.quote("prove.paper-qp", range_text(over_qp, short_text))
    section.quote("prove.paper-clarabel", range_text(over_cells, short_text))
    over_feasible = [row["Clarabel, feasible / clear times"] for row in rows]
    section.quote("prove.paper-clarabel-feasible", range_text(over_feasible, short_text))
    return section


def _row(
    ambiguity: float, piqp: SolverProcess, clarabel: SolverProcess, rounds: int, sweeps: int
) -> Row:
    book = books.simulation_a(ambiguity)
    result = examined(book, f"Omega {ambiguity:g}", GAP)
    count = result.stats.cells
    clear = functools.partial(kpm.clear, *book, tolerance=GAP)
    timers: dict[str, Callable[[], float]]
    own = warmed(clear)
    timers = {"clear": own, "PIQP": functools.partial(piqp.ask, "seconds")}
    seconds = interleave_timed(timers, rounds)
    inside = float(np.median([clear().stats.seconds["total"] for _ in range(rounds)]))
    cells = reachable_cells(book, count, all_limit=count, list_limit=count)
    others = unreachable_cells(book)
    runs, refusals, beside = [], [], []
    for _ in range(sweeps):
        runs.append(sweep(cells, clarabel))
        refusal, share = refused(others, clarabel)
        refusals.append(refusal)
        beside.append(float(np.median([own() for _ in range(_BESIDE)])))
    feasible = np.array([run.seconds for run in runs])
    whole = {"all": feasible + refusals, "feasible": feasible, "clear": np.array(beside)}
    return {
        "Omega": ambiguity,
        "clear / PIQP times": ratio(seconds, "clear", "PIQP"),
        "Clarabel / clear times": ratio(whole, "all", "clear"),
        "Clarabel, feasible / clear times": ratio(whole, "feasible", "clear"),
        "clear time": float(np.median(seconds["clear"])),
        "core share": min(1.0, inside / float(np.median(seconds["clear"]))),
        "PIQP time": float(np.median(seconds["PIQP"])),
        "Clarabel time": float(np.median(whole["all"])),
        "nodes": result.stats.nodes,
        "relaxations and cells": result.stats.relaxations + result.stats.solved,
        "gap": result.gap / books.notional(result.market, result.orders),
        "cells": count,
        "feasible": len(cells.cells),
        "solved by Clarabel share": runs[0].solved,
        "refused by Clarabel share": share,
    }


def _why_more_than_two(rows: list[Row]) -> str:
    """A clearing is several programmes, and Python besides."""
    python = [1 - row["core share"] for row in rows]
    programmes = [row["relaxations and cells"] for row in rows]
    each = [
        row["clear / PIQP times"] * row["core share"] / row["relaxations and cells"] for row in rows
    ]
    return (
        f"PIQP solves one programme without logarithms; a clearing solves "
        f"{range_text(programmes, '{:g}'.format)}, cells and relaxations with exponentials, and "
        "then finds the state prices nearest to the prior and the fills. With all of that in, each "
        f"of them takes {range_text(each, short_text)} times a PIQP call. And "
        f"{range_text(python, '{:.0%}'.format)} of the call is Python and NumPy, which validate "
        "the arguments and make the result."
    )


def _why_not_so_much_faster(rows: list[Row]) -> str:
    """What Clarabel takes for all cells over the target is what the call would have to take."""
    worst = min(rows, key=lambda row: float(row["Clarabel / clear times"]))
    whole, count = worst["Clarabel time"], worst["cells"]
    reason = (
        f"At Omega = {worst['Omega']:g} Clarabel takes {time_text(whole / count)} for each of "
        f"{count} cells, so the whole Python call would have to take "
        f"{time_text(whole / TARGET_CLARABEL)}; Python and NumPy alone take "
        f"{time_text(worst['clear time'] * (1 - worst['core share']))} of it, and the core solves "
        f"{worst['relaxations and cells']} cells and relaxations in the rest."
    )
    if worst["Omega"] == 0:
        reason += " Without ambiguity its programmes have half as many cones, and are faster."
    return reason
