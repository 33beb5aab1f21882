"""Where the time goes, by instructions.

Counted by valgrind's callgrind, the same in every run, by part of the core (a folder of
``csrc/src``). What a library does (Eigen, logarithms, allocation, copying) is charged to the part
that called it. Header-only code is compiled into its callers and counted there.
"""

from __future__ import annotations

from collections import Counter

import kpm_fast as kpm

from . import callgrind, codemap
from .cases import CASES
from .section import Row, Section
from .verified import verified

TITLE = "Where the time goes"
CALLS = {"paper": 20, "race-card": 5, "dense": 1, "tree": 1, "sparse": 2}  # counted by callgrind
QUICK_CALLS = {"paper": 5}


def instructions(quick: bool) -> Section:
    """Instructions of one clearing by part, and of these by libraries."""
    section = Section("Instructions by part")
    reason = callgrind.absent()
    if reason:
        section.skipped = reason
        return section
    codes = codemap.CodeMap()
    by_part: Counter[str] = Counter()
    for name, repeats in (QUICK_CALLS if quick else CALLS).items():
        verified(kpm.clear(*CASES[name].book(), tolerance=CASES[name].tolerance), name)
        counts = callgrind.count(name, repeats)
        parts = codemap.shares(counts, codes)
        whole = sum(kinds.total() for kinds in parts.values())
        row: Row = {"clearing": CASES[name].title, "instructions": counts.total}
        for part, kinds in parts.items():
            row[f"{part} share"] = kinds.total() / whole
            by_part[part] += kinds.total()
        for kind in dict.fromkeys(kind for kinds in parts.values() for kind in kinds):
            if kind != codemap.OWN:
                row[f"of it {kind} share"] = sum(kinds[kind] for kinds in parts.values()) / whole
        section.rows.append(row)
    # Parts by their instructions, then libraries; nothing below a thousandth everywhere.
    names = [f"{part} share" for part, _ in by_part.most_common()]
    names += dict.fromkeys(name for row in section.rows for name in row if name.startswith("of it"))
    kept = [name for name in names if max(row.get(name, 0.0) for row in section.rows) >= 1e-3]
    section.rows = [
        {name: row[name] for name in ("clearing", "instructions")}
        | {name: row.get(name, 0.0) for name in kept}
        for row in section.rows
    ]
    return section


SECTIONS = {"instructions": instructions}
