"""Where the time goes, by instructions.

Counted by valgrind's callgrind, the same in every run, by part of the core (a folder of
``csrc/src``). What a library does (Eigen, logarithms, allocation, copying) is charged to the part
that called it. Header-only code is compiled into its callers and counted there.
"""

from __future__ import annotations

import kpm_fast as kpm

from . import callgrind, codemap
from .cases import CASES
from .section import Row, Section
from .verified import verified

TITLE = "Where the time goes"
CALLS = {"paper": 20, "race-card": 5, "dense": 1, "tree": 1, "sparse": 2}  # counted by callgrind
QUICK_CALLS = {"paper": 5}
LIBRARIES = "in libraries"


def instructions(quick: bool) -> Section:
    """Instructions of one clearing by part, and of these by libraries."""
    section = Section("Instructions by part")
    reason = callgrind.absent()
    if reason:
        section.skipped = reason
        return section
    codes = codemap.CodeMap()
    columns: dict[str, dict[str, float]] = {}
    totals: Row = {"part": "instructions"}
    for name, repeats in (QUICK_CALLS if quick else CALLS).items():
        verified(kpm.clear(*CASES[name].book(), tolerance=CASES[name].tolerance), name)
        counts = callgrind.count(name, repeats)
        parts = codemap.shares(counts, codes)
        whole = sum(kinds.total() for kinds in parts.values())
        title = CASES[name].title
        totals[title] = counts.total
        found = {part: kinds.total() / whole for part, kinds in parts.items()}
        for kind in dict.fromkeys(kind for kinds in parts.values() for kind in kinds):
            if kind != codemap.OWN:
                of_kind = sum(kinds[kind] for kinds in parts.values())
                found[f"{LIBRARIES}: {kind}"] = of_kind / whole
        columns[title] = found
    # Parts by their largest share, then libraries; nothing below a fiftieth everywhere.
    largest = {
        name: max(found.get(name, 0.0) for found in columns.values())
        for name in dict.fromkeys(name for found in columns.values() for name in found)
    }
    order = sorted(largest, key=lambda name: (name.startswith(LIBRARIES), -largest[name]))
    section.rows = [totals]
    for name in order:
        if largest[name] >= 0.02:
            shares = {title: f"{found.get(name, 0.0):.1%}" for title, found in columns.items()}
            section.rows.append({"part": name, **shares})
    return section


SECTIONS = {"instructions": instructions}
