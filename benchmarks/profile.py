"""Where the time goes, by instructions.

Counted by valgrind's callgrind, the same in every run, by part of the core (a folder of
``csrc/src``). What a library does (Eigen, logarithms, allocation, copying) is charged to the part
that called it. Header-only code is compiled into its callers and counted there. Of the largest
books, which take seconds, the first nodes are counted.
"""

from __future__ import annotations

import sys

from . import callgrind, codemap, marked
from .cases import CASES, LARGE
from .processes import ROOT
from .section import Row, Section
from .verified import verified

TITLE = "Where the time goes"
COUNTED = CASES | LARGE
CALLS = {"paper": 20, "race-card": 5, "sparse": 2}  # that are counted; of others one
NAMES = ("paper", "race-card", "dense", "tree", "sparse", *LARGE)
LIBRARIES = "in libraries"


def instructions(quick: bool) -> Section:
    """Instructions of one clearing by part, and of these by libraries."""
    section = Section("Instructions by part")
    section.skipped = marked.absent()
    if section.skipped:
        return section
    codes = codemap.CodeMap()
    columns: dict[str, dict[str, float]] = {}
    totals: Row = {"part": "instructions"}
    names = NAMES[:1] if quick else NAMES
    for name, text in marked.dumps(ROOT, __name__, *names, only=()).items():
        verified(COUNTED[name].task()(), name)
        counts = callgrind.parse(text)
        parts = codemap.shares(counts, codes)
        whole = sum(kinds.total() for kinds in parts.values())
        title = COUNTED[name].title
        totals[title] = counts.total // CALLS.get(name, 1)
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

if __name__ == "__main__":  # what runs under callgrind
    marked.call_all({name: COUNTED[name].task() for name in sys.argv[1:]}, CALLS)
