"""The paper's book (simulation A): against its cells with Clarabel, and one quadratic program.

Every answer passes ``result.verify()``, and the proof of the same clearing ``check_certificate``.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np

import kpm_fast as kpm
from kpm_fast.arrays import Floats
from kpm_fast.paper import simulations as paper

from . import books
from .cell_sweep import ACCURACY, reachable_cells, sweep
from .quadratic import SIZE
from .rounds import interleave_timed, one_core, ratio, warmed
from .section import Row, Section, range_text, time_text
from .solver_process import SolverProcess
from .verified import examined, root_gap

TITLE = "The book of the paper"
GAP = 1e-9  # of the notional that trades
TARGET_BAND = 1.5  # PIQP quadratic programs, set up before
TARGET_TUNED = 1500.0
PIQP, TUNED = "PIQP", "PIQP, tuned"
RISK_AVERSIONS = (1.0, 100.0, 1e4)
_BESIDE = 25  # calls timed after each of Clarabel's sweeps


def cells(quick: bool) -> Section:
    """Simulation A, the whole Python call, against Clarabel on all feasible cells."""
    section = Section("Proved to 1e-9 of its notional, against all cells")
    rounds, sweeps = (30, 1) if quick else (400, 9)
    with (
        one_core(),
        SolverProcess("cell_sweep:ClarabelSweep") as clarabel,
        SolverProcess("cell_sweep:KeptClarabelSweep") as tuned,
    ):
        rows = section.rows = [
            _row(ambiguity, clarabel, tuned, rounds, sweeps)
            for ambiguity in (paper.AMBIGUITIES_A[::2] if quick else paper.AMBIGUITIES_A)
        ]
    section.notes.append(
        "Core: the share of the call that the core takes; the rest is Python and NumPy. Clarabel: "
        "set-up and solve of every feasible cell, its matrices built beforehand. Tuned: with every "
        "feature they do not need switched off, set up before the timer starts. A cell counts as "
        f"solved where its answer is within {ACCURACY:g} of the notional; another counts with the "
        "mean time of the others. Clear is the call with an existing Market and Orders; the column "
        "with them includes making both from the arrays of the book."
    )
    over_tuned = [row["Clarabel, tuned / clear times"] for row in rows]
    section.aim(
        f"{TARGET_TUNED:,.0f} times faster than its feasible cells with Clarabel tuned and kept",
        range_text(over_tuned, "{:,.0f}".format),
        min(over_tuned) >= TARGET_TUNED,
        _why_not_so_much_faster(rows),
    )
    return section


def band(quick: bool) -> Section:
    """The same book for makers that see its curvature, against a quadratic program set up before.

    Between the ambiguities of the paper's table, and for makers more averse to risk, more than one
    cell is worth nearly as much as the best.
    """
    section = Section("Under other makers, against one PIQP program")
    steps, rounds = (0.2, 10) if quick else (0.05, 60)
    ambiguities = np.round(np.arange(0.0, 1.0 + steps / 2, steps), 2)
    with (
        one_core(),
        SolverProcess("quadratic:Portfolio", False) as default,
        SolverProcess("quadratic:Portfolio", True) as tuned,
    ):
        peers = {PIQP: default, TUNED: tuned}
        section.rows = [
            _worst_maker(risk_aversion, ambiguities, peers, rounds)
            for risk_aversion in RISK_AVERSIONS
        ]
    over = [row[f"worst clear / {TUNED} times"] for row in section.rows]
    most = farthest(section.rows)
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
        "an update of the costs and a solve; tuned, without its preconditioner."
    )
    return section


def farthest(rows: list[Row]) -> Row:
    """The row whose worst maker takes most of the peer's programs."""
    return max(rows, key=lambda row: float(row[f"worst clear / {TUNED} times"]))


def _worst_maker(
    risk_aversion: float, ambiguities: Floats, peers: Mapping[str, SolverProcess], rounds: int
) -> Row:
    """Of the makers of a risk aversion the one whose clearing takes the most of PIQP's programs."""
    rows: list[Row] = []
    for ambiguity in ambiguities.tolist():
        book = books.simulation_a(ambiguity, risk_aversion)
        result = examined(book, f"alpha {risk_aversion:g}, Omega {ambiguity:g}", GAP)
        timers = {"clear": warmed(functools.partial(kpm.clear, *book, tolerance=GAP))}
        timers |= {name: functools.partial(peer.ask, "seconds") for name, peer in peers.items()}
        seconds = interleave_timed(timers, rounds)
        row: Row = {name: float(np.median(took)) for name, took in seconds.items()}
        row |= {f"over {name}": ratio(seconds, "clear", name) for name in peers}
        row |= {"Omega": ambiguity, "programs": result.stats.relaxations + result.stats.solved}
        rows.append(row)
    worst = max(rows, key=lambda row: float(row[f"over {TUNED}"]))
    return {
        "alpha": risk_aversion,
        "makers": len(rows),
        **{f"worst clear / {name} times": worst[f"over {name}"] for name in (TUNED, PIQP)},
        f"median clear / {TUNED} times": float(np.median([row[f"over {TUNED}"] for row in rows])),
        "worst Omega": worst["Omega"],
        "worst clear time": worst["clear"],
        "its relaxations and cells": worst["programs"],
        f"{TUNED} time": worst[TUNED],
    }


def _first_gap(row: Row) -> float:
    """How far a maker's first bound is above the best clearing, as a share of the notional."""
    return root_gap(kpm.clear(*books.simulation_a(row["worst Omega"], row["alpha"]), tolerance=GAP))


def _row(
    ambiguity: float, clarabel: SolverProcess, tuned: SolverProcess, rounds: int, sweeps: int
) -> Row:
    book = books.simulation_a(ambiguity)
    result = examined(book, f"Omega {ambiguity:g}", GAP)
    clear = functools.partial(kpm.clear, *book, tolerance=GAP)
    own = warmed(clear)
    seconds = interleave_timed(
        {"clear": own, "whole": warmed(functools.partial(_from_arrays, *book))}, rounds
    )
    call = float(np.median(seconds["clear"]))
    inside = float(np.median([clear().stats.seconds["total"] for _ in range(rounds)]))
    reached = reachable_cells(book)
    plain, lean, beside = [], [], []
    for _ in range(sweeps):
        plain.append(sweep(reached, clarabel))
        lean.append(sweep(reached, tuned))
        beside.append(float(np.median([own() for _ in range(_BESIDE)])))
    whole = {
        "plain": np.array([run.seconds for run in plain]),
        "tuned": np.array([run.seconds for run in lean]),
        "clear": np.array(beside),
    }
    return {
        "Omega": ambiguity,
        "Clarabel / clear times": ratio(whole, "plain", "clear"),
        "Clarabel, tuned / clear times": ratio(whole, "tuned", "clear"),
        "clear time": call,
        "with Market and Orders time": float(np.median(seconds["whole"])),
        "core share": min(1.0, inside / call),
        "Clarabel, tuned time": float(np.median(whole["tuned"])),
        "nodes": result.stats.nodes,
        "relaxations and cells": result.stats.relaxations + result.stats.solved,
        "gap": result.relative_gap,
        "cells": result.stats.cells,
        "feasible": len(reached),
        "solved by Clarabel share": plain[0].solved,
        "solved, tuned share": lean[0].solved,
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


def _why_not_so_much_faster(rows: list[Row]) -> str:
    """Clarabel's time for all cells, divided by the target, is what the call would have to take."""
    peer = "Clarabel, tuned"
    worst = min(rows, key=lambda row: float(row[f"{peer} / clear times"]))
    whole = worst[f"{peer} time"]
    return (
        f"At Omega = {worst['Omega']:g} {peer} takes {time_text(whole / worst['feasible'])} for "
        f"each of {worst['feasible']} cells, so the whole Python call would have to take "
        f"{time_text(whole / TARGET_TUNED)}; Python and NumPy alone take "
        f"{time_text(worst['clear time'] * (1 - worst['core share']))} of it, and the core solves "
        f"{worst['relaxations and cells']} cells and relaxations in the rest."
    )


SECTIONS = {"cells": cells, "band": band}
