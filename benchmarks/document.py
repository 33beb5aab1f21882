"""The report as Markdown, and its figures, from the data alone."""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

from kpm_fast.plots import style as plotstyle

from . import chapters, overview
from .entry import Data, Entry
from .load import IDLE
from .section import Figure, Row, Section, cell_text, columns_of

IMAGES = "images"  # beside the page


def write(
    data: Data, path: Path, modules: Sequence[ModuleType]
) -> tuple[list[Path], dict[str, str]]:
    """Write the page and draw its figures beside it.

    Returns every file written, the page first, and the figures that could not be drawn with the
    reason: the page says so in their place.
    """
    sections = [entry.section for entry in data.entries if entry.section is not None]
    front = overview.overview([ratio for section in sections for ratio in section.ratios])
    written, faults = [path], {}
    for figure in [figure for section in (front, *sections) for figure in section.figures]:
        files, fault = draw(figure, path.parent / IMAGES)
        written += files
        if fault:
            faults[figure.slug] = fault
    own_of = {
        module: [e for e in data.entries if e.name.partition(".")[0] == chapters.name_of(module)]
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


def draw(figure: Figure, folder: Path) -> tuple[list[Path], str]:
    """Draw a figure: its files, or why there are none."""
    try:
        drawing = pkgutil.resolve_name(figure.draw)(figure.data)
        return plotstyle.save(drawing, folder / f"bench-{figure.slug}"), ""
    except Exception as error:  # whatever it is, the measurements must not be lost for it
        return [], f"{type(error).__name__}: {error}"


def prose_of(module: ModuleType) -> str:
    """A module's docstring as Markdown, a paragraph a line."""
    text = re.sub(r"``(.+?)``", r"`\1`", inspect.getdoc(module) or "", flags=re.DOTALL)
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text)


def _head(data: Data) -> list[str]:
    command = f"python -m benchmarks report{' --quick' if data.quick else ''}"
    lines = [
        "# Benchmarks",
        "",
        f"Written by `{command}`; every number on this page comes from that command's data, "
        "`benchmarks.json` beside this page. Nothing is timed before its answer was verified. "
        "Rounds are interleaved, every section ran in a process of its own, one after the other, "
        "linear algebra on one thread.",
    ]
    if data.quick:
        lines += ["", "**A quick run**: few and small instances. It shows that all parts work."]
    for entry in data.failed:
        lines += ["", f"**{entry.name} failed** and has no numbers below."]
    lines += ["", "| | |", "|---|---|"]
    lines += [f"| {_plain(label)} | {_plain(value)} |" for label, value in data.machine.items()]
    lines.append(f"| measured | {_span(sorted(entry.date for entry in data.entries))} |")
    commits = list(dict.fromkeys(entry.commit for entry in data.entries))
    lines.append(f"| commit | {_plain(', '.join(commits))} |")
    lines.append(f"| other processes | {_idleness(data.entries)} |")
    lines.append(f"| time | {sum(entry.seconds for entry in data.entries) / 60:.1f} minutes |")
    return lines


def _span(dates: list[str]) -> str:
    if not dates:
        return "never"
    return dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"


def _idleness(entries: Sequence[Entry]) -> str:
    known = [entry for entry in entries if entry.others is not None]
    if not known:
        return "unknown: the system does not say what else ran"
    busy = [entry for entry in known if entry.others is not None and entry.others > IDLE]
    if not busy:
        return f"less than {IDLE:g} cores in every section: the machine was idle"
    worst = max(busy, key=lambda entry: entry.others or 0.0)
    return (
        f"**the machine was not idle**: others kept more than {IDLE:g} cores busy during "
        f"{len(busy)} of {len(known)} sections, {worst.others:.2f} during {worst.name}"
    )


def _entry(entry: Entry, faults: Mapping[str, str]) -> list[str]:
    if entry.section is None:
        title = f"### {entry.name}"
        return [title, "", "**Failed:**", "", "```text", entry.error, "```"]
    return _section(entry.section, 3, faults)


def _section(section: Section, level: int, faults: Mapping[str, str]) -> list[str]:
    lines = [f"{'#' * level} {section.title}"]
    if section.skipped:
        lines += ["", f"**Skipped:** {section.skipped}."]
    if section.rows:
        lines += ["", *table(section.rows)]
    for note in section.notes:
        lines += ["", f"{note[0].upper()}{note[1:]}"]
    for figure in section.figures:
        if figure.slug in faults:
            lines += ["", f"**Not drawn:** {figure.caption} ({faults[figure.slug]})"]
            continue
        lines += ["", f"![{figure.caption}]({IMAGES}/bench-{figure.slug}.svg)"]
    return lines


def table(rows: Sequence[Row]) -> list[str]:
    """Rows as a Markdown table; text to the left, numbers to the right."""
    columns = columns_of(rows)
    lines = [
        _line([_heading(name) for name, _ in columns]),
        _line(["---" if left else "--:" for _, left in columns]),
    ]
    return lines + [
        _line([_plain(cell_text(name, row.get(name))) for name, _ in columns]) for row in rows
    ]


def _heading(name: str) -> str:
    """A column's name without the word that only says how to write its numbers."""
    words = name.split()
    if len(words) > 1 and words[-1] in ("times", "time", "share"):
        words = words[:-1]
    return _plain(" ".join(words))


def _targets(own_of: Mapping[ModuleType, Sequence[Entry]]) -> list[str]:
    """All targets of the report in one table, each with a link to its chapter."""
    rows: list[Row] = [
        {
            "chapter": f"[{module.TITLE}](#{anchor(module.TITLE)})",
            "target": target.text,
            "measured": target.measured,
            "met, or why not": "met" if target.met else f"**missed**: {target.reason}",
        }
        for module, own in own_of.items()
        for entry in own
        if entry.section is not None
        for target in entry.section.targets
    ]
    met = sum(row["met, or why not"] == "met" for row in rows)
    return [
        "## Targets",
        "",
        f"{met} of {len(rows)} are met.",
        *(["", *table(rows)] if rows else []),
    ]


def anchor(heading: str) -> str:
    """What a link to a heading says."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
