"""The report as Markdown, and its figures, from the data alone."""

from __future__ import annotations

import inspect
import pkgutil
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

from kpm_fast.plots import style as plotstyle

from . import overview
from .entry import Data, Entry
from .load import IDLE
from .section import Figure, Row, Section, plain, table, verdicts

IMAGES = "images"  # beside the page
WIDTH = 120  # of a line of prose


def write(
    data: Data, path: Path, modules: Sequence[ModuleType]
) -> tuple[list[Path], dict[str, str]]:
    """Write the page and draw its figures beside it.

    Returns every file written, the page first, and the figures that could not be drawn with the
    reason: the page says so in their place.
    """
    front = overview.overview([ratio for section in data.sections for ratio in section.ratios])
    written, faults = [path], {}
    for figure in [figure for section in (front, *data.sections) for figure in section.figures]:
        files, fault = draw(figure, path.parent / IMAGES)
        written += files
        if fault:
            faults[figure.slug] = fault
    own_of = {
        module: [e for e in data.entries if module.__name__.endswith(f".{e.name.split('.')[0]}")]
        for module in modules
    }
    parts = [*_head(data), "", *_targets(own_of), "", *_section(front, 2, faults)]
    for module, own in own_of.items():
        if own:
            parts += ["", f"## {module.TITLE}", "", prose_of(module)]
            for entry in own:
                parts += ["", *_entry(entry, faults)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts).rstrip() + "\n", encoding="utf-8")
    return written, faults


def text_of(section: Section) -> list[str]:
    """A section and its targets."""
    lines = _section(section, 3, {})
    return lines + (["", *table(verdicts(section.targets))] if section.targets else [])


def draw(figure: Figure, folder: Path) -> tuple[list[Path], str]:
    """Draw a figure: its files, or why there are none."""
    try:
        drawing = pkgutil.resolve_name(figure.draw)(figure.data)
        return plotstyle.save(drawing, folder / f"bench-{figure.slug}"), ""
    except Exception as error:  # whatever it is, the measurements must not be lost for it
        return [], f"{type(error).__name__}: {error}"


def prose_of(module: ModuleType) -> str:
    """A module's docstring as Markdown."""
    text = re.sub(r"``(.+?)``", r"`\1`", inspect.getdoc(module) or "", flags=re.DOTALL)
    return "\n\n".join(map(wrapped, text.split("\n\n")))


def wrapped(text: str, hanging: str = "") -> str:
    """A paragraph in lines as short as the prose of other pages."""
    return textwrap.fill(
        text, WIDTH, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )


def _head(data: Data) -> list[str]:
    command = f"python -m benchmarks report{' --quick' if data.quick else ''}"
    lines = [
        "# Benchmarks",
        "",
        wrapped(
            f"Written by `{command}`; every number on this page comes from that command's data, "
            "`benchmarks.json` beside this page. Nothing is timed before its answer was verified. "
            "Rounds are interleaved, every section ran in a process of its own, one after the "
            "other, linear algebra on one thread."
        ),
    ]
    if data.quick:
        lines += ["", "**A quick run**: few and small instances. It shows that all parts work."]
    for entry in data.failed:
        lines += ["", f"**{entry.name} failed** and has no numbers below."]
    dates = sorted(entry.date for entry in data.entries)
    facts = data.machine | {
        "measured": " to ".join(dict.fromkeys([*dates[:1], *dates[-1:]])),
        "commit": ", ".join(dict.fromkeys(entry.commit for entry in data.entries)),
        "other processes": _idleness(data.entries),
        "time": f"{sum(entry.seconds for entry in data.entries) / 60:.1f} minutes",
    }
    lines += ["", "| | |", "|---|---|"]
    return lines + [f"| {plain(label)} | {plain(value)} |" for label, value in facts.items()]


def _idleness(entries: Sequence[Entry]) -> str:
    known = {entry.name: entry.others for entry in entries if entry.others is not None}
    if not known:
        return "unknown: the system does not say what else ran"
    busy = [name for name, others in known.items() if others > IDLE]
    if not busy:
        return f"less than {IDLE:g} cores in every section: the machine was idle"
    worst = max(busy, key=lambda name: known[name])
    return (
        f"**the machine was not idle**: others kept more than {IDLE:g} cores busy during "
        f"{len(busy)} of {len(known)} sections, {known[worst]:.2f} during {worst}"
    )


def _entry(entry: Entry, faults: Mapping[str, str]) -> list[str]:
    if entry.section is None:
        return [f"### {entry.name}", "", "**Failed:**", "", "```text", entry.error, "```"]
    return _section(entry.section, 3, faults)


def _section(section: Section, level: int, faults: Mapping[str, str]) -> list[str]:
    lines = [f"{'#' * level} {section.title}"]
    if section.skipped:
        lines += ["", f"**Skipped:** {section.skipped}."]
    if section.rows:
        lines += ["", *table(section.rows)]
    for note in section.notes:
        lines += ["", wrapped(note)]
    for figure in section.figures:
        if figure.slug in faults:
            lines += ["", f"**Not drawn:** {figure.caption} ({faults[figure.slug]})"]
        else:
            lines += ["", f"![{figure.caption}]({IMAGES}/bench-{figure.slug}.svg)"]
    return lines


def _targets(own_of: Mapping[ModuleType, Sequence[Entry]]) -> list[str]:
    """All targets of the report in one table, each with a link to its chapter."""
    rows: list[Row] = [
        {"chapter": f"[{module.TITLE}](#{anchor(module.TITLE)})", **row}
        for module, own in own_of.items()
        for entry in own
        if entry.section is not None
        for row in verdicts(entry.section.targets)
    ]
    met = sum(row["met, or why not"] == "met" for row in rows)
    lines = ["## Targets", "", f"{met} of {len(rows)} are met."]
    return lines + (["", *table(rows)] if rows else [])


def anchor(heading: str) -> str:
    """What a link to a heading says."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
