"""Whole books: this package against the paper's enumeration with other solvers, and against SCIP.

Each solver has a process of its own and one thread, all of them on the same core, and goes to a
gap of 1e-6 of the notional. ``kpm_fast.clear`` is timed before and after every turn of a peer, and
in turns with its own enumeration.
Every answer of this package passes ``result.verify()``. The peers:

- Enumeration solves the cells that state prices reach. Clarabel and CVXPY are told which these are,
  and Clarabel's matrices are built before the timer starts. A cell's time counts if
  its answer is within 1e-6 of the notional. CVXPY re-solves one problem with parameters (DPP).
- SCIP gets the mixed-integer program of ``scip_book``: convex hulls of the staircases, gradient
  cuts for the risk, and a rounding heuristic of its own. Its clearing is recomputed by
  ``kpm_fast.verification.reference``; if it claims to have finished, it has to be within 3e-6 of
  ours.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import kpm_fast as kpm
from kpm_fast import sample
from kpm_fast.plots.style import BLUE, GREEN, INK, ORANGE, PALE, PINK, house_style, new_figure

from . import books
from .cell_sweep import ACCURACY, PEERS, Cells, Sweep, reachable_cells, sweep_in_turns
from .distribution import shifted_geometric_mean
from .rounds import interleave_timed, one_core, ratio, warmed
from .scip_book import ROBUST, ScipAnswer
from .section import Row, Section, time_text
from .solver_process import SolverProcess
from .verified import NotVerifiedError, verified

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Whole books"
GAP = 1e-6  # what is proved: of the notional that trades, by SCIP of all that is offered
SAMPLE = 200  # cells
ROUNDS = 5  # in each, peers solve a part of the cells
ALL = 1000  # cells: books with fewer reachable ones have all of them solved
QUICK_ALL = 300
LISTED = 100_000  # cells: books with fewer have their reachable ones listed
QUICK_LISTED = 20_000  # listing takes a while
CELL_LIMIT = 1_000_000  # of this package's enumeration
AGREEMENT = 3e-6  # of all that is offered: SCIP's gap and its tolerances
SHIFT = 1e-3  # seconds, of geometric means
MOST_CLAIMS = 10  # of the books whose cells are sampled: beyond, nothing new is learnt


@dataclass(frozen=True)
class Instance:
    """A book and the set that it belongs to."""

    family: str
    name: str
    book: books.Book


def instances(quick: bool) -> list[Instance]:
    """Fixed seeds, and recorded books where they are present."""
    found = [
        Instance("paper", f"simulation A, Omega {omega:g}", books.simulation_a(omega))
        for omega in ((0.4,) if quick else (0.2, 0.4, 1.0))
    ]
    found.append(Instance("example", "race card", sample.example_race_card()))
    found += [
        Instance("Arrow-Debreu", f"{orders} orders", books.arrow_debreu(orders))
        for orders in ((15,) if quick else (15, 20, 100, 500))
    ]
    shapes = [(5, 15)] if quick else [(5, 15), (5, 25), (10, 100), (20, 200)]
    for size, orders in shapes:
        for seed in range(1 if quick else 2):
            book = books.random_claims(size, size, orders, seed, stake=1.0)
            name = f"{size} x {size}, {orders} orders, seed {seed}"
            found.append(Instance("0/1 claims", name, book))
    folder = books.data_folder()
    if folder is not None:
        cases = books.recorded(folder, every=40)
        if quick:
            cases = itertools.islice(cases, 1)
        found += [Instance("recorded", case.name, case.book) for case in cases]
    return found


def _cleared(instance: Instance) -> kpm.Result:
    result = verified(kpm.clear(*instance.book, tolerance=GAP, threads=1), instance.name)
    if result.status is not kpm.Status.OPTIMAL:
        raise NotVerifiedError(f"{instance.name}: {result.status}")
    return result


def _clear_timer(instance: Instance, calls: int) -> Callable[[], float]:
    """The median of some clearings on one thread, timed when asked for."""
    timer = warmed(functools.partial(kpm.clear, *instance.book, tolerance=GAP, threads=1))
    return lambda: float(np.median([timer() for _ in range(calls)]))


def _shape(instance: Instance, result: kpm.Result) -> Row:
    claims, states = instance.book[0].payoffs.shape
    return {
        "set": instance.family,
        "book": instance.name,
        "N": states,
        "K": claims,
        "J": len(instance.book[1]),
        "cells": _count(result.stats.cells),
    }


def enumeration(quick: bool) -> Section:
    """All reachable cells, by this package, Clarabel and CVXPY."""
    part = Section("The paper's enumeration")
    with one_core(), ExitStack() as stack:
        peers = {peer: stack.enter_context(SolverProcess(place)) for peer, place in PEERS.items()}
        for instance in instances(quick):
            result = _cleared(instance)
            if quick and result.stats.cells > QUICK_LISTED:
                continue
            if instance.book[0].payoffs.shape[0] <= MOST_CLAIMS:
                part.rows.append(_enumeration_row(instance, result, peers, quick))
    listed = [row for row in part.rows if row.pop("listed")]
    part.unlisted = [f"{peer} time" for peer in ("own", *PEERS)]
    sampled = any(row["measured"].startswith("sample") for row in listed)
    for peer in ("own", *PEERS):
        ratios = {_label(row): row[f"{peer} / clear times"] for row in listed}
        values = [ratio for ratio in ratios.values() if ratio is not None]
        part.against(
            f"A book of up to {LISTED:,} cells",
            "enumeration, kpm_fast" if peer == "own" else f"enumeration, {peer}",
            values,
            estimated=sampled and peer != "own",
        )
    part.won(
        {
            "own enumeration" if peer == "own" else peer: {
                _label(row): row[f"{peer} / clear times"] for row in part.rows
            }
            for peer in ("own", *PEERS)
        },
        "Where a book has only a few cells, solving them all is less work than a tree's bounds.",
    )
    part.notes += [
        "Multiples of kpm_fast.clear, timed beside each part of the cells. Own: "
        "its own enumeration, which prunes by bounds as well and refuses more than "
        f"{CELL_LIMIT:,} cells. Reachable: cells that state prices reach. Where "
        f"there are at most {QUICK_ALL if quick else ALL:,}, all are solved. Elsewhere the times "
        "of the others are EXTRAPOLATED from a random sample: uniform, or, where the cells "
        "are too many to list, drawn claim by claim (Knuth's estimate; the number of reachable "
        "cells is then estimated too). Error: the larger of the two relative standard errors.",
        f"Solved: share of the cells on which both are within {ACCURACY:g} of the notional. On the "
        "race card, risk aversion times notional is about a thousand: exponentials of losses span "
        "more digits than a double has.",
    ]
    return part


def _enumeration_row(
    instance: Instance, result: kpm.Result, peers: dict[str, SolverProcess], quick: bool
) -> Row:
    """One book's cells by all solvers; "listed" says whether the reachable ones are known."""
    count, most = (40, QUICK_ALL) if quick else (SAMPLE, ALL)
    cells = reachable_cells(instance.book, count, most, LISTED)
    clear = _clear_timer(instance, 3 if quick else 9)
    seen: list[float] = []

    def base() -> float:
        seen.append(clear())
        return seen[-1]

    rounds = 2 if quick else ROUNDS
    own, own_multiple = _enumerated(instance, result, base, rounds)
    sweeps = sweep_in_turns(cells, peers, base, rounds)
    solved = {peer: found for peer, found in sweeps.items() if found.solved}
    times = {"own": own} | {peer: found.seconds for peer, found in solved.items()}
    multiples = {"own": own_multiple} | {peer: found.multiple for peer, found in solved.items()}
    row: Row = {
        "set": instance.family,
        "book": instance.name,
        "cells": _count(result.stats.cells),
        "reachable": _count(round(cells.reachable)),
    }
    for peer in ("own", *peers):
        row[f"{peer} / clear times"] = multiples.get(peer)
    how = "all" if cells.complete else "sample of" if cells.listed else "drawn"
    row["measured"] = f"{how} {len(cells.cells)}"
    row["error share"] = max(
        (found.deviation / found.seconds for found in solved.values()),
        default=None,
    )
    row["solved share"] = min(found.solved for found in sweeps.values())
    row["clear time"] = float(np.median(seen))
    row |= {f"{peer} time": times.get(peer) for peer in ("own", *peers)}
    for peer, found in sweeps.items():
        _check_best(instance, result, cells, found, peer)
    return row | {"listed": cells.listed}


def _label(row: Row) -> str:
    return f"{row['set']}: {row['book']}"


def _enumerated(
    instance: Instance, result: kpm.Result, clear: Callable[[], float], rounds: int
) -> tuple[float, float] | tuple[None, None]:
    """Seconds of this package's enumeration on one thread, and in clearings timed in turns with it.

    Neither where it refuses.
    """
    if result.stats.cells > CELL_LIMIT:
        return None, None
    options: dict[str, Any] = {"tolerance": GAP, "threads": 1, "cell_limit": CELL_LIMIT}
    enumerate_cells = functools.partial(kpm.clear, *instance.book, "enumerate", **options)
    other = enumerate_cells()
    name = f"{instance.name}, enumerated"
    if abs(other.certainty_equivalent - result.certainty_equivalent) > 2 * GAP * result.scale:
        raise NotVerifiedError(f"{name}: a certainty equivalent of {other.certainty_equivalent}")
    verified(other, name)
    seconds = interleave_timed({"own": warmed(enumerate_cells), "clear": clear}, rounds)
    return float(np.median(seconds["own"])), ratio(seconds, "own", "clear")


def _count(cells: int) -> int | str:
    return cells if cells <= CELL_LIMIT else f"{cells:.1e}"


def _check_best(
    instance: Instance, result: kpm.Result, cells: Cells, found: Sweep, peer: str
) -> None:
    """The best cell of a complete sweep is the clearing; no cell is better than its bound."""
    excess = (found.best - result.certainty_equivalent) / books.offered(*instance.book)
    if excess > 2 * ACCURACY or (cells.complete and found.solved == 1 and excess < -2 * ACCURACY):
        raise NotVerifiedError(f"{instance.name}: {peer}'s best cell differs by {excess:g}")


def scip(quick: bool) -> Section:
    """SCIP on the same books, with a time limit."""
    limit = 3.0 if quick else 30.0
    part = Section(f"SCIP, at most {limit:g} s a book")
    pairs = []
    tuned: list[float] = []  # multiples, of the books that both settings prove
    with one_core(), SolverProcess("scip_book:ScipProcess", books.simulation_a(0.4)) as process:
        for instance in instances(quick):
            result = _cleared(instance)
            clear = _clear_timer(instance, 3 if quick else 15)
            answer, outcome, own = _scip_run(instance, result, process, clear, limit, lean=False)
            lean, lean_outcome, beside = _scip_run(
                instance, result, process, clear, limit, lean=True
            )
            short = _short(instance, result, answer)
            row = _shape(instance, result)
            row["SCIP / clear times"] = answer.seconds / own
            row["SCIP, tuned / clear times"] = lean.seconds / beside
            row |= {
                "outcome": outcome,
                "tuned": lean_outcome,
                "clear time": own,
                "SCIP time": answer.seconds,
                "SCIP, tuned time": lean.seconds,
                "own gap": result.relative_gap,
                "SCIP's gap": _finite(answer.bound - answer.value),
                "SCIP short by, gap": _finite(max(short, 0.0)),
                "own nodes": result.stats.nodes,
                "SCIP's nodes": answer.nodes,
                "cuts": answer.cuts,
            }
            part.rows.append(row)
            pairs.append((outcome, own, answer.seconds))
            if outcome == lean_outcome == PROVED:
                tuned.append(lean.seconds / beside)
    part.unlisted = ["SCIP time", "SCIP, tuned time", "own nodes", "SCIP's nodes", "cuts"]
    counted = [(own, other) for outcome, own, other in pairs if outcome in (PROVED, LIMIT)]
    part.against(
        "A whole book",
        "SCIP",
        [other / own for own, other in counted],
        at_least=len(counted) > sum(outcome == PROVED for outcome, _, _ in pairs),
    )
    proved = [(own, other) for outcome, own, other in pairs if outcome == PROVED]
    part.won(
        {
            peer: {
                _label(row): row[f"{peer} / clear times"] if row[outcome] == PROVED else None
                for row in part.rows
            }
            for peer, outcome in (("SCIP", "outcome"), ("SCIP, tuned", "tuned"))
        },
        "SCIP presolves such a book to a linear program.",
    )
    part.quote("books.scip", f"{np.median([other / own for own, other in proved]):,.0f}")
    part.quote("books.scip.tuned", f"{np.median(tuned):,.0f}")
    part.quote("books.scip.limit", f"{limit:g} s")
    part.quote("books.scip.proved", f"{len(proved)} of {len(pairs)}")
    means = [shifted_geometric_mean(column, SHIFT) for column in zip(*proved, strict=True)]
    part.notes += [
        f"SCIP proves {len(proved)} of {len(pairs)} books, this package all. Geometric means over "
        f"the books that both prove, shifted by {time_text(SHIFT)}: {time_text(means[0])} and "
        f"{time_text(means[1])}.",
        "SCIP's time is that of building its model, set-up and solve. Where the time limit comes "
        "first, the multiple is a lower bound. Where its linear programs break down numerically "
        "it is run again with settings that avoid that, and only the second run's time counts. "
        "Tuned: presolve, propagation, conflict analysis and SCIP's own heuristics off, which cost "
        f"more than they save here; the median over the {len(tuned)} books that it proves both "
        f"ways is {np.median(tuned):,.0f} times the time of clear.",
    ]
    part.draw(
        draw_scip,
        "books-scip",
        f"Time to clear each book to a proven gap of {GAP:g} of the notional, on one thread.",
        [
            {
                "book": _label(row),
                "clear": row["clear time"],
                "scip": row["SCIP time"],
                "outcome": row["outcome"],
            }
            for row in part.rows
        ],
    )
    return part


def _scip_run(
    instance: Instance,
    result: kpm.Result,
    process: SolverProcess,
    clear: Callable[[], float],
    limit: float,
    *,
    lean: bool,
) -> tuple[ScipAnswer, str, float]:
    """SCIP's answer, what came of it, and seconds of ``clear`` beside it."""
    for settings in ({}, ROBUST):
        before = clear()
        answer = process.ask("solve", instance.book, GAP, limit, settings, lean)
        own = (before + clear()) / 2
        outcome = judged(answer, _short(instance, result, answer))
        if outcome in (PROVED, LIMIT):
            break
    return answer, outcome, own


def _short(instance: Instance, result: kpm.Result, answer: ScipAnswer) -> float:
    """How much less than ours SCIP's clearing is worth, as a share of all that is offered."""
    return result.certainty_equivalent / books.offered(*instance.book) - answer.value


PROVED, LIMIT, FAILED, WRONG = "proved", "time limit", "LP failure", "wrong"


def judged(answer: ScipAnswer, short: float) -> str:
    """What has come of SCIP's run, whose clearing is ``short`` of ours, of the notional."""
    if short < -AGREEMENT:
        raise NotVerifiedError(f"SCIP has a clearing that is better by {-short:g} of the notional")
    if answer.finished:
        return PROVED if short <= AGREEMENT else WRONG
    return LIMIT if answer.status == "timelimit" else FAILED


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def draw_scip(data: Any) -> Figure:
    """One row per book, this package and SCIP, on a logarithmic axis of time."""
    colours = {PROVED: ORANGE, LIMIT: PINK, FAILED: GREEN, WRONG: GREEN}
    with house_style():
        figure, (axes,) = new_figure(8.2, 1.7 + 0.3 * len(data))
        axes.set_xscale("log")
        for place, row in enumerate(data):
            axes.plot([row["clear"], row["scip"]], [place, place], color=PALE, zorder=1)
            axes.plot(row["clear"], place, "o", color=BLUE, markersize=7, zorder=3)
            mark = "o" if row["outcome"] == PROVED else ">" if row["outcome"] == LIMIT else "x"
            colour = colours[row["outcome"]]
            axes.plot(row["scip"], place, mark, color=colour, markersize=7, zorder=3)
            multiple = f"{float(format(row['scip'] / row['clear'], '.2g')):,.0f}×"
            if row["outcome"] in (PROVED, LIMIT):
                axes.annotate(
                    f"{'at least ' if row['outcome'] == LIMIT else ''}{multiple}",
                    (row["scip"], place),
                    xytext=(9, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=9,
                    color=INK,
                )
        axes.plot([], [], "o", color=BLUE, markersize=7, label="kpm_fast.clear")
        for outcome, mark in ((PROVED, "o"), (LIMIT, ">"), (FAILED, "x"), (WRONG, "x")):
            if any(row["outcome"] == outcome for row in data):
                label = f"SCIP, {outcome}"
                axes.plot([], [], mark, color=colours[outcome], markersize=7, label=label)
        axes.set_yticks(range(len(data)), [row["book"] for row in data])
        axes.set_ylim(len(data) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        least, most = axes.get_xlim()
        axes.set_xlim(least, most * 15)
        axes.xaxis.set_major_formatter(lambda value, _: time_text(value))
        axes.set_xlabel("time")
        axes.set_title("Whole books: kpm_fast and SCIP")
        figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return figure


SECTIONS = {"enumeration": enumeration, "scip": scip}
