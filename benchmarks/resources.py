"""Memory and threads that a clearing takes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import kpm_fast as kpm
from stress.figures import differences

from . import books, memory
from .rounds import cores_busy, interleave, ratio
from .section import Row, Section, bytes_text, range_text, short_text
from .verified import verified

GAP = 1e-6  # relative to the notional
SINGLE, DOUBLE = "1 thread", "2 threads"


def memory_use(quick: bool) -> Section:
    """Growth of the peak of resident memory while clearing, in a process of its own each."""
    section = Section("Memory: growth of the peak of resident memory during one clearing")
    cases: list[dict[str, Any]] = [
        {"kind": "arrow_debreu", "orders": orders}
        for orders in ((10**4, 10**5) if quick else (10**4, 10**5, 10**6))
    ]
    cases += [
        {"kind": "arrow_debreu", "orders": 2000, "states": states}
        for states in ((20, 50) if quick else (20, 50, 100))
    ]
    if not quick:
        tree = {"kind": "random_claims", "states": 50, "claims": 50, "orders": 5000}
        tree |= {"seed": 0, "stake": 1.0}  # does not end before the limits
        cases += [
            tree | {"options": {"tolerance": 1e-14, "node_limit": limit}} for limit in (32, 320)
        ]
    wide = []  # where claims dominate, and the tree is one node
    for case in cases:
        options = {"tolerance": 1e-9, "node_limit": 1, "time_limit": 20.0}
        options |= case.pop("options", {})
        section.rows.append(memory.measure(options=options, **case))
        if case["kind"] == "arrow_debreu" and "states" in case:
            wide.append(section.rows[-1])
    if any(not row.pop("exact") for row in section.rows):
        section.notes.append("the high-water mark cannot be set back here: growth is a lower bound")
    large = max(section.rows, key=lambda row: row["orders"])
    section.notes.append(
        "result memory: the arrays that the result holds, included in the growth of the peak"
    )
    section.quote("prove.memory-entry", bytes_text(_slope(wide, _entries)))
    if not quick:
        section.quote("prove.memory-node", bytes_text(_slope(section.rows[-2:], _nodes)))
    section.quote("prove.memory-largest", bytes_text(large["memory"]))
    section.quote("prove.memory-result", bytes_text(large["result memory"]))
    section.quote("prove.memory-corner", f"{large['per corner memory']:.0f}")
    section.aim(
        "O(corners) where corners dominate: at most 200 bytes per corner",
        f"{large['per corner memory']:.0f} bytes per corner with {large['corners']:,} of them",
        large["per corner memory"] <= 200,
        f"The result's own arrays are {bytes_text(large['result memory'])} of "
        f"{bytes_text(large['memory'])}.",
    )
    return section


def _slope(rows: list[Row], size: Callable[[Row], int]) -> float:
    """Bytes that one more of what ``size`` counts costs, between the two last rows."""
    less, more = rows[-2:]
    return float((more["memory"] - less["memory"]) / (size(more) - size(less)))


def _entries(row: Row) -> int:
    return int(row["states"] * row["claims"])


def _nodes(row: Row) -> int:
    return int(row["nodes"])


def threads(quick: bool) -> Section:
    """One thread against two on books with hundreds of nodes: ratio and bits."""
    section = Section("Threads: one against two")
    for seed in (4,) if quick else (3, 4, 5):
        book = books.random_claims(20, 20, 2000, seed, 10.0)
        answers: dict[str, kpm.Result] = {}

        def clear(
            name: str,
            count: int,
            book: books.Book = book,
            answers: dict[str, kpm.Result] = answers,
        ) -> None:
            answers[name] = kpm.clear(*book, tolerance=GAP, threads=count)

        seconds = interleave(
            {
                SINGLE: functools.partial(clear, SINGLE, 1),
                DOUBLE: functools.partial(clear, DOUBLE, 2),
            },
            2 if quick else 5,
        )
        one, two = verified(answers[SINGLE], f"seed {seed}"), answers[DOUBLE]
        section.rows.append(
            {
                "N": 20,
                "J": 2000,
                "seed": seed,
                "nodes": one.stats.nodes,
                "1 thread time": float(np.median(seconds[SINGLE])),
                "2 threads time": float(np.median(seconds[DOUBLE])),
                "cores busy with 1": cores_busy(functools.partial(clear, SINGLE, 1)),
                "with 2": cores_busy(functools.partial(clear, DOUBLE, 2)),
                "faster times": ratio(seconds, SINGLE, DOUBLE),
                "same bits": not differences(one, two),
            }
        )
    section.quote(
        "prove.threads", range_text([row["faster times"] for row in section.rows], short_text)
    )
    section.quote(
        "prove.threads-nodes", range_text([r["nodes"] for r in section.rows], "{:,}".format)
    )
    same = all(row["same bits"] for row in section.rows)
    section.aim(
        "same bits for one and two threads",
        "yes" if same else "no",
        same,
        "This is a defect: nodes of a round must not see each other.",
    )
    return section
