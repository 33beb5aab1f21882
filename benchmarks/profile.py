"""Where the time goes: by phase, and by instructions.

Phases are the clearing's own, ``result.stats.seconds``: compiling the book, searching, selecting
the published answer. What Python does around it, and little else, makes up the whole call.
Instructions are counted by valgrind's callgrind, the same in every run: first by part of the
core (a folder of ``csrc/src``), then by function. What a library does (Eigen, logarithms,
allocation, copying) is charged to the part that called it. Header-only code is compiled into its
callers and counted there.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

import kpm_fast as kpm
from kpm_fast.plots.style import BLUE, GREEN, GREY, INK, ORANGE, PINK, house_style, new_figure

from . import books, callgrind, codemap
from .cases import CASES
from .section import Row, Section
from .verified import verified

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

TITLE = "Where the time goes"
PHASES = ("compile", "search", "select", "Python and the rest")
COLOURS = (GREEN, BLUE, ORANGE, PINK)
CALLS = {"paper": 20, "race-card": 5, "dense": 1, "tree": 1, "sparse": 2}  # counted by callgrind
QUICK_CALLS = {"paper": 5}
LARGEST = 12  # items shown
DISCUSSED = 3


def phases(quick: bool) -> Section:
    """Seconds by phase over instance sets, as shares of the Python call."""
    section = Section("Phases of a clearing, as shares of the Python call")
    for name, cases in _instance_sets(quick).items():
        runs = [_phases_of(book, tolerance) for book, tolerance in cases]
        total = np.array([sum(run.values()) for run in runs])
        row: Row = {"instances": name, "clearings": len(runs)}
        for phase in PHASES:
            row[f"{phase} share"] = float(
                np.mean([run[phase] / whole for run, whole in zip(runs, total, strict=True)])
            )
        section.rows.append(row | {"median time": float(np.median(total))})
    section.notes.append(
        "Shares: the mean over the clearings of a set; one thread, the fastest of five calls."
    )
    section.draw(
        draw_phases,
        "phases",
        "Where the wall-clock time of a Python call goes, by set of instances.",
        section.rows,
    )
    return section


def _instance_sets(quick: bool) -> dict[str, list[tuple[books.Book, float]]]:
    seeds = range(2 if quick else 10)
    sets = {
        "the paper's five bids": [
            (books.simulation_a(ambiguity), 1e-9) for ambiguity in (0.0, 0.2, 0.4, 1.0, 2.0)
        ],
        "5 claims, 100,000 orders": [
            (books.arrow_debreu(10**5, seed=seed), 1e-6) for seed in seeds
        ],
        "20 random claims, 2,000 orders": [
            (books.random_claims(20, 20, 2000, seed, 1.0), 1e-6) for seed in seeds
        ],
    }
    folder = books.data_folder()
    if folder is not None:
        chosen = books.recorded(folder, every=29 if quick else 5)
        sets["recorded books"] = [(case.book, 1e-6) for case in chosen]
    return sets


def _phases_of(book: books.Book, tolerance: float) -> dict[str, float]:
    fastest: dict[str, float] = {}
    for _ in range(5):
        start = time.perf_counter()
        result = kpm.clear(*book, tolerance=tolerance, threads=1, time_limit=5.0)
        whole = time.perf_counter() - start
        if fastest and whole >= sum(fastest.values()):
            continue
        spent = dict(result.stats.seconds)
        spent.pop("total")
        fastest = spent | {"Python and the rest": max(0.0, whole - sum(spent.values()))}
    verified(result, "profile")
    return fastest


def instructions(quick: bool) -> Section:
    """Instructions of one clearing by part and by function."""
    section = Section("Instructions by part and by function")
    reason = callgrind.absent()
    if reason:
        section.skipped = reason
        return section
    codes = codemap.CodeMap()
    by_function: Counter[str] = Counter()
    by_part: Counter[str] = Counter()
    calls = QUICK_CALLS if quick else CALLS
    for name, repeats in calls.items():
        verified(kpm.clear(*CASES[name].book(), tolerance=CASES[name].tolerance), name)
        counts = callgrind.count(name, repeats)
        parts = codemap.shares(counts, codes)
        whole = sum(kinds.total() for kinds in parts.values())
        row: Row = {"clearing": CASES[name].title, "instructions": counts.total}
        order = sorted(parts, key=lambda part: -parts[part].total())
        for part in order:
            row[f"{part} share"] = parts[part].total() / whole
            by_part[part] += parts[part].total() / whole / len(calls)  # type: ignore[assignment]
        for kind in dict.fromkeys(kind for kinds in parts.values() for kind in kinds):
            if kind != codemap.OWN:
                row[f"of it {kind} share"] = sum(kinds[kind] for kinds in parts.values()) / whole
        section.rows.append(row)
        for function, cost in counts.own.items():
            label = item(function, codes)
            by_function[label] += cost / counts.total / len(calls)  # type: ignore[assignment]
    _order_columns(section, by_part)
    largest = by_function.most_common(LARGEST)
    section.data = {"functions": dict(largest), "parts": dict(by_part)}
    section.prose.append(_discussion(by_function, by_part, len(calls), codes))
    section.draw(
        draw_functions,
        "functions",
        f"The {LARGEST} largest items: functions by themselves, library work by kind, as shares "
        "of a clearing's instructions; the mean over the clearings of the table.",
        largest,
    )
    return section


def _order_columns(section: Section, by_part: Counter[str]) -> None:
    """Parts by their mean share, then libraries; nothing below a thousandth everywhere."""
    names = list(dict.fromkeys(name for row in section.rows for name in row))
    fixed = ("clearing", "instructions")
    parts = [f"{part} share" for part, _ in by_part.most_common()]
    kinds = [name for name in names if name.startswith("of it ")]
    kept = [
        name for name in (*parts, *kinds) if max(row.get(name, 0.0) for row in section.rows) >= 1e-3
    ]
    section.rows = [
        {name: row[name] for name in fixed} | {name: row.get(name, 0.0) for name in kept}
        for row in section.rows
    ]


def _discussion(
    by_function: Counter[str], by_part: Counter[str], clearings: int, codes: codemap.CodeMap
) -> str:
    """The largest items in words; the numbers are the ones just counted."""
    part, share = by_part.most_common(1)[0]
    what = f"the {clearings} clearings" if clearings > 1 else "the clearing"
    lines = [
        f"On average over {what} below, {share:.0%} of the instructions are spent in `{part}` or "
        f"on its behalf. The {DISCUSSED} largest items, functions by themselves and library work "
        "by kind:",
        "",
    ]
    for place, (name, cost) in enumerate(by_function.most_common(DISCUSSED), start=1):
        lines.append(f"{place}. {name}, {cost:.1%}: {_source(name, codes)}")
    return "\n".join(lines)


def _source(name: str, codes: codemap.CodeMap) -> str:
    """What the sources say of a function, or of its class."""
    owner, _, method = name.rpartition("::")
    for known in (owner.rpartition("::")[2] or method, method):
        comment = codes.comment(known)
        if comment:
            return f"`{known}` in the sources: {comment}."
    return "library or generated code that the sources do not name."


def item(function: callgrind.Function, codes: codemap.CodeMap) -> str:
    """A function of the core by its name; library work by its kind; Python as one."""
    part = codes.part(function)
    if part == codemap.PYTHON:
        return part
    if part is None:
        return codes.library(function) or "other libraries"
    return short(function.name)


def short(name: str) -> str:
    """A function's name as a reader wants it: class and function, no types."""
    name = re.sub(r"\[abi:\w+\]", "", name).replace("(anonymous namespace)::", "")
    while True:  # arguments of templates, inside first
        plain = re.sub(r"<[^<>]*>", "", name)
        if plain == name:
            break
        name = plain
    name = name.partition("(")[0].strip() or name
    words = name.split()
    name = words[-1] if words and not name.startswith("operator") else name
    return name.removeprefix("kpm::").replace("Eigen::internal::", "Eigen::")


SECTIONS = {"phases": phases, "instructions": instructions}


def draw_phases(data: Any) -> Drawing:
    """One stacked bar per set of instances."""
    with house_style():
        figure, (axes,) = new_figure(8.6, 1.6 + 0.5 * len(data))
        left = np.zeros(len(data))
        places = np.arange(len(data))
        for phase, colour in zip(PHASES, COLOURS, strict=True):
            share = np.array([row[f"{phase} share"] for row in data])
            axes.barh(places, share, left=left, color=colour, label=phase, height=0.6)
            for place, start, width in zip(places, left, share, strict=True):
                if width >= 0.06:
                    axes.annotate(
                        f"{width:.0%}",
                        (start + width / 2, place),
                        ha="center",
                        va="center",
                        color="white",
                        fontweight="bold",
                        fontsize=9,
                    )
            left += share
        axes.set_yticks(places, [row["instances"] for row in data])
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("share of the Python call")
        axes.set_title("Where the time goes, by phase")
        figure.legend(
            *axes.get_legend_handles_labels(),
            frameon=False,
            ncols=len(PHASES),
            loc="outside lower center",
        )
    return figure


def draw_functions(data: Any) -> Drawing:
    """One bar per function, the largest on top."""
    with house_style():
        figure, (axes,) = new_figure(8.6, 1.2 + 0.3 * len(data))
        places = np.arange(len(data))
        shares = [share for _, share in data]
        colours = [BLUE] * DISCUSSED + [GREY] * (len(data) - DISCUSSED)
        axes.barh(places, shares, color=colours, height=0.65)
        for place, share in zip(places, shares, strict=True):
            axes.annotate(
                f"{share:.1%}",
                (share, place),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                color=INK,
                fontsize=9,
            )
        axes.set_yticks(places, [name for name, _ in data])
        axes.invert_yaxis()
        axes.set_xlim(0, max(shares) * 1.12)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("share of a clearing's instructions")
        axes.set_title("What a clearing's instructions are spent on")
    return figure
