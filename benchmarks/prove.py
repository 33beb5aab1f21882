"""The proof of the optimum: every size that the tree should reach, and whether it does.

The paper's book against its cells with Clarabel and against one quadratic program; the recorded
books (KPM_SHARED_DATA) under many makers; random claims. An answer's time counts only if the answer
passes ``result.verify()`` and the proof of the same clearing passes ``check_certificate``;
otherwise the benchmark stops.
"""

from __future__ import annotations

import functools
import math

import numpy as np

import kpm_fast as kpm

from . import books
from .paper_book import band, paper_book
from .rounds import interleave
from .section import Row, Section, range_text, time_text
from .verified import examined, root_gap, verified

TITLE = "The proof of the optimum"
GAP = 1e-6  # relative to the notional that trades, unless said
TARGET_RANDOM = 1.0


def recorded(quick: bool) -> Section:
    """The recorded books under 18 makers each: how many are proved, how fast, which are slowest."""
    section = Section("Recorded books: 3 ambiguities x 3 priors x 2 stakes each, the slowest")
    folder = books.data_folder()
    if folder is None:
        section.skipped = "the recorded books are not here (KPM_SHARED_DATA)"
        return section
    rows = []
    for case in books.recorded(folder, every=11 if quick else 1):
        result = examined(case.book, case.name, GAP)
        seconds = interleave(
            {"clear": functools.partial(kpm.clear, *case.book, tolerance=GAP)}, 1 if quick else 3
        )
        claims, states = case.book[0].payoffs.shape
        rows.append(
            {
                "book": case.name,
                "N": states,
                "K": claims,
                "J": len(case.book[1]),
                "Omega": case.ambiguity,
                "prior": case.opinion,
                "stake": case.stake,
                "nodes": result.stats.nodes,
                "solved": result.stats.solved,
                "iterations": result.stats.iterations,
                "root gap": root_gap(result),
                "gap": result.relative_gap,
                "proved": result.status is kpm.Status.OPTIMAL,
                "trades": bool(result.fills.any()),
                "time": float(np.median(seconds["clear"])),
            }
        )
    # Where no order trades one cell is the proof: so it is in most clearings, and would flatter the
    # others.
    trading = [row for row in rows if row["trades"]]
    times = np.array([row["time"] for row in trading])
    nodes = np.array([row["nodes"] for row in trading])
    idle = float(np.median([row["time"] for row in rows if not row["trades"]] or [math.nan]))
    proved = sum(row["proved"] for row in rows)
    count = len({row["book"] for row in rows})
    section.rows = sorted(rows, key=lambda row: -row["time"])[:10]
    section.notes.append(
        f"{len(rows)} clearings of {count} books. In {len(trading)} orders trade: "
        f"median {time_text(float(np.median(times)))}, "
        f"p90 {time_text(float(np.quantile(times, 0.9)))}, largest {time_text(times.max())}; "
        f"nodes: median {np.median(nodes):g}, p90 {np.quantile(nodes, 0.9):g}, most {nodes.max()}. "
        f"In the others none does: median {time_text(idle)}, one node."
    )
    section.data = {"clearings": rows}
    quantiles = np.quantile(times, (0.5, 0.9, 1.0))
    for name, value in zip(("median", "p90", "max"), quantiles, strict=True):
        section.quote(f"prove.recorded-{name}", time_text(float(value)))
    for name, rank in (("median", 0.5), ("p90", 0.9), ("max", 1.0)):
        section.quote(f"prove.recorded-nodes-{name}", f"{np.quantile(nodes, rank):.0f}")
    slowest = section.rows[0]
    section.quote("prove.slowest-book", str(slowest["book"]))
    section.quote("prove.slowest-what", _maker(slowest))
    section.quote(
        "prove.slowest-tree",
        f"{slowest['nodes']:,} nodes, {slowest['solved']:,} cells, "
        f"{slowest['iterations']:,} iterations, {time_text(slowest['time'])}",
    )
    section.quote("prove.slowest-root", f"{slowest['root gap']:.0e}")
    section.quote("prove.recorded-books", f"{count}")
    section.quote("prove.recorded-clearings", f"{len(rows)}")
    section.quote("prove.recorded-proved", f"{proved} of {len(rows)}")
    section.quote("prove.recorded-trading", f"{len(trading)}")
    section.quote("prove.recorded-idle", time_text(idle))
    section.quote("prove.recorded-one-node", f"{(nodes == 1).sum()} of {len(trading)}")
    roots = sorted(row["root gap"] for row in trading if row["nodes"] > 1)
    section.quote("prove.recorded-root-gap", f"{np.median(roots or [0.0]):.0e}")
    section.quote("prove.recorded-root-most", f"{max(roots, default=0.0):.1g}")
    section.aim(
        "every clearing proved",
        f"{proved} of {len(rows)}",
        proved == len(rows),
        "Not proved: "
        + ", ".join(
            f"{row['book']} ({_maker(row)}: gap {row['gap']:.1e}, {row['nodes']} nodes)"
            for row in rows
            if not row["proved"]
        )
        + ". Double precision has no bound any closer there.",
    )
    return section


def _maker(row: Row) -> str:
    """A recorded book's size, and who clears it."""
    return (
        f"N = {row['N']}, K = {row['K']}, J = {row['J']:,}, Omega = {row['Omega']:g}, "
        f"{row['prior']}, stake {row['stake']:g}"
    )


def random_claims(quick: bool) -> Section:
    """Random 0/1 claims on 20 states and on 50, to the proof."""
    section = Section("Random 0/1 claims")
    limit = 2.0 if quick else 15.0
    small = [(20, 2000, seed, stake) for stake in (0.1, 10.0) for seed in range(2 if quick else 40)]
    large = [(50, 5000, seed, 1.0) for seed in range(1 if quick else 3)]
    for states, orders, seed, stake in small + large:
        book = books.random_claims(states, states, orders, seed, stake)
        # The certified run is the one timed: what it says is what was checked.
        result = verified(
            kpm.clear(
                *book,
                tolerance=GAP,
                certificate=True,
                time_limit=5.0 if states == 20 else limit,
            ),
            f"N = {states}, seed {seed}, stake {stake:g}",
        )
        section.rows.append(
            {
                "N": states,
                "K": states,
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
        )
    twenty, fifty = ([row for row in section.rows if row["N"] == states] for states in (20, 50))
    times = np.array([row["time"] for row in twenty])
    within = sum(row["status"] == "optimal" and row["time"] <= TARGET_RANDOM for row in twenty)
    proved = sum(row["status"] == "optimal" for row in twenty)
    section.aim(
        "N = K = 20, J = 2,000: proved within 1 s",
        f"{within} of {len(twenty)}; {proved} within 5 s; "
        f"median {time_text(float(np.median(times)))}, "
        f"p90 {time_text(float(np.quantile(times, 0.9)))}",
        within == len(twenty),
        "Trees: a split puts one claim right, and up to N - 1 are off their staircases at once "
        "([what limits it](branch-and-bound.md#what-limits-it)).",
    )
    section.quote("prove.random-count", f"{len(twenty)}")
    section.quote("prove.random-within", f"{within}")
    section.quote("prove.random-proved", f"{proved}")
    section.quote("prove.random-median", time_text(float(np.median(times))))
    section.quote("prove.random-p90", time_text(float(np.quantile(times, 0.9))))
    done = sum(row["status"] == "optimal" for row in fifty)
    section.quote("prove.fifty-proved", f"{done} of {len(fifty)}")
    section.quote("prove.fifty-limit", f"{limit:g} s")
    section.quote("prove.fifty-root", f"{max(row['root gap'] for row in fifty):.0e}")
    section.quote(
        "prove.fifty-full-nodes", range_text([row["nodes"] for row in fifty], "{:,}".format)
    )
    section.rows = sorted(twenty, key=lambda row: -row["time"])[:8] + fifty
    section.notes.append(f"of {len(twenty)} books with 20 states the slowest are shown")
    return section


SECTIONS = {
    "paper": paper_book,
    "band": band,
    "recorded": recorded,
    "random": random_claims,
}
