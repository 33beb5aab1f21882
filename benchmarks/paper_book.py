"""The paper's book against one quadratic program, and against its cells with Clarabel."""

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
from .verified import examined, root_gap

GAP = 1e-9  # of the notional that trades
TARGET_QP = 2.0
TARGET_BAND = 1.5  # PIQP quadratic programs, set up before
TARGET_CLARABEL = 2000.0
TARGET_TUNED = 1500.0
RISK_AVERSIONS = (1.0, 100.0, 1e4)
_BESIDE = 25  # calls timed after each of Clarabel's sweeps


def paper_book(quick: bool) -> Section:
    """Simulation A, the whole Python call, against PIQP and against Clarabel on all cells."""
    section = Section("The paper's book (simulation A), proved to 1e-9 of its notional")
    rounds, sweeps = (30, 1) if quick else (400, 9)
    with (
        one_core(),
        SolverProcess("quadratic:Portfolio") as piqp,
        SolverProcess(PEERS["Clarabel"]) as clarabel,
        SolverProcess(PEERS["Clarabel, tuned"]) as tuned,
    ):
        section.rows = [
            _row(ambiguity, piqp, clarabel, tuned, rounds, sweeps)
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
        _why_not_so_much_faster(rows, "Clarabel", TARGET_CLARABEL),
    )
    section.notes.append(
        "Core: the share of the call that the core takes; the rest is Python and NumPy. Clarabel: "
        "set-up and solve of every cell, its matrices built beforehand; it has to find out which "
        "cells no state prices reach. Clarabel, feasible: the same for the feasible cells alone. "
        "Tuned: the feasible cells, with every feature they do not need switched off, set up "
        f"before the timer starts. A cell counts as solved where its answer is within {ACCURACY:g} "
        "of the notional; one that is not, or is infeasible and not refused, counts with the mean "
        "time of the others. Clear is the call with an existing Market and Orders; the column with "
        "them includes making both from the arrays of the book."
    )
    over_tuned = [row["Clarabel, tuned / clear times"] for row in rows]
    section.aim(
        f"{TARGET_TUNED:,.0f} times faster than its feasible cells with Clarabel tuned and kept",
        range_text(over_tuned, "{:,.0f}".format),
        min(over_tuned) >= TARGET_TUNED,
        _why_not_so_much_faster(rows, "Clarabel, tuned", TARGET_TUNED),
    )
    section.quote("prove.paper-tuned", range_text(over_tuned, short_text))
    whole = [row["with Market and Orders time"] for row in rows]
    section.quote("prove.paper-whole", range_text(whole, time_text))
    section.quote("prove.paper-time", range_text([row["clear time"] for row in rows], time_text))
    programs = [row["relaxations and cells"] for row in rows]
    section.quote("prove.paper-programs", range_text(programs, "{:g}".format))
    section.quote("prove.paper-qp", range_text(over_qp, short_text))
    section.quote("prove.paper-clarabel", range_text(over_cells, short_text))
    over_feasible = [row["Clarabel, feasible / clear times"] for row in rows]
    section.quote("prove.paper-clarabel-feasible", range_text(over_feasible, short_text))
    return section


def band(quick: bool) -> Section:
    """The same book for makers that see its curvature, against a quadratic program set up before.

    Between the ambiguities of the paper's table, and for makers more averse to risk, more than one
    cell is worth nearly as much as the best.
    """
    section = Section("The paper's book under other makers, against one PIQP program")
    steps, rounds = (0.2, 10) if quick else (0.05, 60)
    ambiguities = np.round(np.arange(0.0, 1.0 + steps / 2, steps), 2)
    with one_core(), SolverProcess("quadratic:KeptPortfolio") as piqp:
        for risk_aversion in RISK_AVERSIONS:
            rows = []
            for ambiguity in ambiguities.tolist():
                book = books.simulation_a(ambiguity, risk_aversion)
                result = examined(book, f"alpha {risk_aversion:g}, Omega {ambiguity:g}", GAP)
                own = warmed(functools.partial(kpm.clear, *book, tolerance=GAP))
                timers: dict[str, Callable[[], float]]
                timers = {"clear": own, "PIQP": functools.partial(piqp.ask, "seconds")}
                seconds = interleave_timed(timers, rounds)
                rows.append(
                    {
                        "Omega": ambiguity,
                        "clear": float(np.median(seconds["clear"])),
                        "PIQP": float(np.median(seconds["PIQP"])),
                        "times": ratio(seconds, "clear", "PIQP"),
                        "programs": result.stats.relaxations + result.stats.solved,
                    }
                )
            worst = max(rows, key=lambda row: row["times"])
            section.rows.append(
                {
                    "alpha": risk_aversion,
                    "makers": len(rows),
                    "worst clear / PIQP times": worst["times"],
                    "median clear / PIQP times": float(np.median([row["times"] for row in rows])),
                    "worst Omega": worst["Omega"],
                    "worst clear time": worst["clear"],
                    "its relaxations and cells": worst["programs"],
                    "PIQP time": worst["PIQP"],
                }
            )
    over = [row["worst clear / PIQP times"] for row in section.rows]
    most = max(section.rows, key=lambda row: float(row["worst clear / PIQP times"]))
    section.aim(
        f"at most {TARGET_BAND:g} PIQP updates and solves of {SIZE} variables and {SIZE} rows",
        range_text(over, "{:.1f}".format),
        max(over) <= TARGET_BAND,
        f"At alpha = {most['alpha']:g}, Omega = {most['worst Omega']:g} a clearing solves "
        f"{most['its relaxations and cells']} relaxations and cells, each a program of its own: "
        f"the first bound is {_first_gap(most):.0e} of the notional above the best clearing, and "
        "the search goes on until nothing is left that may be better by 1e-11, for the one answer "
        "that is published; PIQP solves one, without logarithms, in memory that was set up before.",
    )
    section.notes.append(
        f"Omega from 0 to 1 in steps of {steps:g}; clear is the whole Python call, PIQP "
        "an update of the costs and a solve."
    )
    section.quote("prove.paper-band", range_text(over, short_text))
    return section


def _first_gap(row: Row) -> float:
    """How far a maker's first bound is above the best clearing, as a share of the notional."""
    return root_gap(kpm.clear(*books.simulation_a(row["worst Omega"], row["alpha"]), tolerance=GAP))


def _row(
    ambiguity: float,
    piqp: SolverProcess,
    clarabel: SolverProcess,
    tuned: SolverProcess,
    rounds: int,
    sweeps: int,
) -> Row:
    book = books.simulation_a(ambiguity)
    result = examined(book, f"Omega {ambiguity:g}", GAP)
    count = result.stats.cells
    clear = functools.partial(kpm.clear, *book, tolerance=GAP)
    timers: dict[str, Callable[[], float]]
    own = warmed(clear)
    timers = {
        "clear": own,
        "whole": warmed(functools.partial(_from_arrays, *book)),
        "PIQP": functools.partial(piqp.ask, "seconds"),
    }
    seconds = interleave_timed(timers, rounds)
    inside = float(np.median([clear().stats.seconds["total"] for _ in range(rounds)]))
    cells = reachable_cells(book, count, all_limit=count, list_limit=count)
    others = unreachable_cells(book)
    runs, tuned_runs, refusals, beside = [], [], [], []
    for _ in range(sweeps):
        runs.append(sweep(cells, clarabel))
        tuned_runs.append(sweep(cells, tuned))
        refusal, share = refused(others, clarabel)
        refusals.append(refusal)
        beside.append(float(np.median([own() for _ in range(_BESIDE)])))
    feasible = np.array([run.seconds for run in runs])
    whole = {
        "all": feasible + refusals,
        "feasible": feasible,
        "tuned": np.array([run.seconds for run in tuned_runs]),
        "clear": np.array(beside),
    }
    return {
        "Omega": ambiguity,
        "clear / PIQP times": ratio(seconds, "clear", "PIQP"),
        "Clarabel / clear times": ratio(whole, "all", "clear"),
        "Clarabel, feasible / clear times": ratio(whole, "feasible", "clear"),
        "Clarabel, tuned / clear times": ratio(whole, "tuned", "clear"),
        "clear time": float(np.median(seconds["clear"])),
        "with Market and Orders time": float(np.median(seconds["whole"])),
        "core share": min(1.0, inside / float(np.median(seconds["clear"]))),
        "PIQP time": float(np.median(seconds["PIQP"])),
        "Clarabel time": float(np.median(whole["all"])),
        "Clarabel, tuned time": float(np.median(whole["tuned"])),
        "nodes": result.stats.nodes,
        "relaxations and cells": result.stats.relaxations + result.stats.solved,
        "gap": result.relative_gap,
        "cells": count,
        "feasible": len(cells.cells),
        "solved by Clarabel share": runs[0].solved,
        "solved, tuned share": tuned_runs[0].solved,
        "refused by Clarabel share": share,
    }


def _from_arrays(market: kpm.Market, orders: kpm.Orders) -> kpm.Result:
    """Build market and orders from arrays, and clear them."""
    return kpm.clear(
        kpm.Market(
            market.payoffs,
            market.prior,
            risk_aversion=market.risk_aversion,
            ambiguity=market.ambiguity,
        ),
        kpm.Orders(orders.claim, orders.side, orders.price, orders.quantity),
        tolerance=GAP,
    )


def _why_more_than_two(rows: list[Row]) -> str:
    """A clearing is several programs, and Python besides."""
    python = [1 - row["core share"] for row in rows]
    programs = [row["relaxations and cells"] for row in rows]
    each = [
        row["clear / PIQP times"] * row["core share"] / row["relaxations and cells"] for row in rows
    ]
    return (
        f"PIQP solves one program without logarithms; a clearing solves "
        f"{range_text(programs, '{:g}'.format)}, cells and relaxations with exponentials, and "
        "then finds the state prices nearest to the prior and the fills. All of that included, "
        f"each of them takes {range_text(each, short_text)} times a PIQP call. And "
        f"{range_text(python, '{:.0%}'.format)} of the call is Python and NumPy, which validate "
        "the arguments and make the result."
    )


def _why_not_so_much_faster(rows: list[Row], peer: str, target: float) -> str:
    """Clarabel's time for all cells, divided by the target, is what the call would have to take."""
    worst = min(rows, key=lambda row: float(row[f"{peer} / clear times"]))
    whole = worst[f"{peer} time"]
    count = worst["cells" if peer == "Clarabel" else "feasible"]
    reason = (
        f"At Omega = {worst['Omega']:g} {peer} takes {time_text(whole / count)} for each of "
        f"{count} cells, so the whole Python call would have to take "
        f"{time_text(whole / target)}; Python and NumPy alone take "
        f"{time_text(worst['clear time'] * (1 - worst['core share']))} of it, and the core solves "
        f"{worst['relaxations and cells']} cells and relaxations in the rest."
    )
    if worst["Omega"] == 0:
        reason += " Without ambiguity its programs have half as many cones, and are faster."
    return reason
