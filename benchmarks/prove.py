"""The proof of the optimum: every size that the tree should reach, and whether it does.

The recorded books (KPM_SHARED_DATA) under many makers; random claims. An answer's time counts only
if the answer passes ``result.verify()`` and the proof of the same clearing passes
``check_certificate``; otherwise the benchmark stops.
"""

from __future__ import annotations

import functools
import math

import numpy as np

import kpm_fast as kpm

from . import books
from .rounds import interleave
from .section import Row, Section, time_text
from .verified import examined, root_gap, verified

TITLE = "The proof of the optimum"
GAP = 1e-6  # relative to the notional that trades, unless said
TARGET_RANDOM = 1.0
SHOWN = 4  # of each kind, the slowest
LARGE = 50  # states and claims, of books that a search takes seconds for


def recorded(quick: bool) -> Section:
    """The recorded books under 18 makers each: how many are proved, how fast, which are slowest."""
    section = Section("Recorded books: 3 ambiguities x 3 priors x 2 stakes each, the slowest")
    folder = books.data_folder()
    if folder is None:
        section.skipped = "the recorded books are not here (KPM_SHARED_DATA)"
        return section
    cases = books.recorded(folder, every=11 if quick else 1)
    rows = [_cleared(case, 1 if quick else 3) for case in cases]
    # Where no order trades one cell is the proof: so it is in most clearings, and would flatter the
    # others.
    trading = [row for row in rows if row["trades"]]
    idle = float(np.median([row["time"] for row in rows if not row["trades"]] or [math.nan]))
    section.rows = [
        {name: value for name, value in row.items() if name != "trades"}
        for row in sorted(rows, key=lambda row: -row["time"])[:SHOWN]
    ]
    section.data = {"clearings": rows}
    section.notes.append(_sum_up(rows, trading, idle))
    open_ = [row for row in rows if not row["proved"]]
    section.aim(
        "every recorded clearing proved",
        f"{len(rows) - len(open_)} of {len(rows)}",
        not open_,
        "Not proved: "
        + ", ".join(
            f"{row['book']} (Omega = {row['Omega']:g}, {row['prior']}, stake {row['stake']:g}: gap "
            f"{row['gap']:.1e}, {row['nodes']} nodes)"
            for row in open_
        )
        + ". Double precision has no bound any closer there.",
    )
    return section


def _cleared(case: books.Recorded, rounds: int) -> Row:
    """A recorded book to the proof."""
    result = examined(case.book, case.name, GAP)
    clear = functools.partial(kpm.clear, *case.book, tolerance=GAP)
    claims, states = case.book[0].payoffs.shape
    return {
        "book": case.name,
        "N": states,
        "K": claims,
        "J": len(case.book[1]),
        "Omega": case.ambiguity,
        "prior": case.opinion,
        "stake": case.stake,
        "time": float(np.median(interleave({"clear": clear}, rounds)["clear"])),
        "nodes": result.stats.nodes,
        "iterations": result.stats.iterations,
        "root gap": root_gap(result),
        "gap": result.relative_gap,
        "proved": result.status is kpm.Status.OPTIMAL,
        "trades": bool(result.fills.any()),
    }


def _sum_up(rows: list[Row], trading: list[Row], idle: float) -> str:
    """What the table leaves out."""
    times = np.quantile([row["time"] for row in trading], (0.5, 0.9, 1.0))
    nodes = np.array([row["nodes"] for row in trading])
    roots = sorted(row["root gap"] for row in trading if row["nodes"] > 1)
    middle, most, largest = map(time_text, times.tolist())
    return (
        f"{len(rows)} clearings of {len({row['book'] for row in rows})} books. In {len(trading)} "
        f"orders trade: median {middle}, p90 {most}, largest {largest}; nodes: median "
        f"{np.median(nodes):g}, p90 {np.quantile(nodes, 0.9):g}, most {nodes.max()}, one in "
        f"{(nodes == 1).sum()}; where more are needed, the first bound is too high by "
        f"{np.median(roots or [0.0]):.0e} of the notional at the median, at most "
        f"{max(roots, default=0.0):.1g}. In the others none does: median {time_text(idle)}, one "
        "node."
    )


def random_claims(quick: bool) -> Section:
    """Random 0/1 claims on 20 states and on 50, to the proof."""
    section = Section("Random 0/1 claims")
    limit = 2.0 if quick else 15.0
    seeds = range(2 if quick else 40)
    small = [_proved(20, 2000, seed, stake, 5.0) for stake in (0.1, 10.0) for seed in seeds]
    large = [_proved(LARGE, 5000, seed, 1.0, limit) for seed in range(1 if quick else 3)]
    times = [row["time"] for row in small]
    middle, most = (time_text(float(np.quantile(times, rank))) for rank in (0.5, 0.9))
    within = sum(row["status"] == "optimal" and row["time"] <= TARGET_RANDOM for row in small)
    proved = sum(row["status"] == "optimal" for row in small)
    section.aim(
        "N = K = 20, J = 2,000: proved within 1 s",
        f"{within} of {len(small)}; {proved} within 5 s; median {middle}, p90 {most}",
        within == len(small),
        "Trees: a split puts one claim right, and up to N - 1 are off their staircases at once "
        "([what limits it](branch-and-bound.md#what-limits-it)).",
    )
    section.rows = sorted(small, key=lambda row: -row["time"])[:SHOWN] + large
    section.notes.append(
        f"Of {len(small)} books with 20 states the slowest are shown. With {LARGE} the limit is "
        f"{time_text(limit)}."
    )
    return section


def _proved(states: int, orders: int, seed: int, stake: float, limit: float) -> Row:
    """As many claims as states. The certified run is the one timed: what it says was checked."""
    book = books.random_claims(states, states, orders, seed, stake)
    result = verified(
        kpm.clear(*book, tolerance=GAP, certificate=True, time_limit=limit),
        f"N = {states}, seed {seed}, stake {stake:g}",
    )
    return {
        "N = K": states,
        "J": orders,
        "seed": seed,
        "stake": stake,
        "time": result.stats.seconds["total"],
        "nodes": result.stats.nodes,
        "solved": result.stats.solved,
        "root gap": root_gap(result),
        "gap": result.relative_gap,
        "status": str(result.status),
    }


SECTIONS = {"recorded": recorded, "random": random_claims}
