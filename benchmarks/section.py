"""A section of the report: prose, a table, figures, targets, and whether they were met.

The contract of a benchmark module, a *chapter* of the report, listed in ``chapters.py``:

``TITLE``
    its heading in the report. The module's docstring is the text below the heading, so it says
    what is measured and how; double backticks are code.
``SECTIONS: dict[str, Callable[[bool], Section]]``
    what it measures. Called with ``quick``; ``python -m benchmarks report`` runs each in a process
    of its own, on a machine that it keeps otherwise idle, and reads the section back from JSON: a
    section is pure data, of str, int, float, bool, None, lists and dicts with string keys.

``report --only cell prove.paper`` picks chapters or sections. A function that raises has failed:
the report says so in its place and the command's exit status is 1. What cannot run here (a package,
a tool or the recorded books are absent) returns a section whose ``skipped`` says why. A section
that meets its targets only on an idle machine still reports them: missed targets are shown, and
are no failure. But each says why it may be missed: ``aim`` takes the ``reason``, which the report
shows where it is.

Times count after the answer passed ``result.verify()``; see ``verified.py``. Instances have fixed
seeds. ``rounds.interleave`` times, ``distribution.py`` sums up: p50, p99, p99.9, max, shifted
geometric means. Ratios come before absolute times, so columns of ratios come first in rows.

Columns of ``rows`` are formatted by the words in their names: "... time" in seconds, "... times" a
ratio, "... gap" an exponent, "... share" a fraction; other numbers as they
are. ``notes`` stand below the table. They hold no number typed by hand: format them from what was
measured.

A figure is drawn after the measurement, in another process, from the data in the JSON alone::

    def draw_ratios(data: Any) -> matplotlib.figure.Figure: ...   # in the house style

    section.draw(draw_ratios, "cell-ratios", "What the figure shows.", data)

It becomes ``docs/images/bench-cell-ratios.png`` and ``.svg``.

``section.quote("cell.clarabel", "22")`` gives README and docs a text to quote: they hold
``<!-- bench:cell.clarabel -->22<!-- /bench -->``, and the report command rewrites what is between
the marks (``spans.py``). ``section.against("One cell", "Clarabel", ratios)`` puts a peer into the
overview: the report's table of peers, and the figure of limits.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

Row = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """What was to be reached, what was measured, and whether that is enough."""

    text: str
    measured: str
    met: bool
    reason: str = ""  # why it is missed, where it is; a sentence or more


@dataclass(frozen=True)
class Figure:
    """What a figure is drawn from: ``draw`` names the function, ``module:function``."""

    slug: str
    caption: str
    draw: str
    data: Any


@dataclass(frozen=True)
class Ratio:
    """A peer's time divided by this package's, for the same answers."""

    group: str  # what was solved: "One cell", "The paper's book"
    peer: str
    median: float
    low: float  # quartiles over the instances
    high: float
    at_least: bool = False  # some were cut short by a time limit: quartiles of lower bounds


@dataclass
class Section:
    """A table with its text, figures and targets. Rows are data: times in seconds."""

    title: str
    rows: list[Row] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    quotes: dict[str, str] = field(default_factory=dict)
    ratios: list[Ratio] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)  # what the table leaves out; in the JSON
    skipped: str = ""  # why nothing was measured

    def aim(self, text: str, measured: str, met: bool, reason: str) -> None:
        self.targets.append(Target(text, measured, bool(met), "" if met else reason))

    def draw(self, function: Callable[[Any], Drawing], slug: str, caption: str, data: Any) -> None:
        """Have ``function(data)`` drawn below the table as ``bench-<slug>``."""
        name = f"{function.__module__}:{function.__qualname__}"
        self.figures.append(Figure(slug, caption, name, data))

    def against(
        self,
        group: str,
        peer: str,
        ratios: ArrayLike,
        *,
        at_least: bool = False,
    ) -> None:
        """Put a peer into the overview: how many times as long it takes, by instance."""
        values = np.asarray(ratios, dtype=float)
        low, median, high = (float(value) for value in np.quantile(values, (0.25, 0.5, 0.75)))
        self.ratios.append(Ratio(group, peer, median, low, high, at_least))

    def quote(self, key: str, text: str) -> None:
        """Offer a text to README and docs under a key."""
        if key in self.quotes:
            raise ValueError(f"{self.title}: {key} is quoted twice")
        self.quotes[key] = text

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Section:
        """What ``as_dict`` made, after a way through JSON."""
        values = dict(values)
        values["targets"] = [Target(**target) for target in values["targets"]]
        values["figures"] = [Figure(**figure) for figure in values["figures"]]
        values["ratios"] = [Ratio(**ratio) for ratio in values["ratios"]]
        return cls(**values)


def slug_of(text: str) -> str:
    """A text as part of a key or a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def time_text(seconds: float) -> str:
    """In the unit that leaves one to three digits before the point."""
    for unit, size in (("years", 31_557_600.0), ("days", 86_400.0), ("h", 3600.0)):
        if seconds >= size:
            return f"{seconds / size:.2g} {unit}"
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def ticks(text: Callable[[float], str]) -> Callable[[float, object], str]:
    """A formatter of an axis."""
    return lambda value, _: text(value)


def short_text(value: float) -> str:
    """A plain number with two significant digits, or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}"


def range_text(values: Sequence[float], text: Callable[[float], str]) -> str:
    """Least to most; once where both read alike."""
    least, most = text(min(values)), text(max(values))
    return least if least == most else f"{least} to {most}"


def times_text(ratio: float) -> str:
    """With as many digits as are significant."""
    if abs(ratio) >= 1e7:
        return f"{ratio:.1e}x"
    return f"{ratio:,.2f}x" if abs(ratio) < 100 else f"{ratio:,.0f}x"


def cell_text(column: str, value: Any) -> str:
    """A value as a table shows it; the column's name says what it is."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, str):
        return value
    formats: Sequence[tuple[str, Callable[[Any], str]]] = (
        ("time", time_text),
        ("gap", lambda x: f"{x:.1e}"),
        ("share", lambda x: f"{x:.1%}"),
        ("times", times_text),
    )
    for word, text in formats:
        if word in column.split():
            return text(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def print_sections(console: Console, sections: Sequence[Section]) -> None:
    """The tables with their targets, then the targets that were missed."""
    for section in sections:
        console.print(f"\n[bold]{section.title}[/]", highlight=False)
        if section.skipped:
            console.print(f"  skipped: {section.skipped}", highlight=False, soft_wrap=True)
        if section.rows:
            console.print(_table(section.rows))
        for note in section.notes:
            console.print(f"  {note}", highlight=False, soft_wrap=True)
        for target in section.targets:
            style, verdict = ("green", "met") if target.met else ("bold red", "MISSED")
            console.print(
                f"  [{style}]{verdict:<6}[/] {target.text}: {target.measured}",
                highlight=False,
                soft_wrap=True,
            )
            if not target.met and target.reason:
                text = f"         {target.reason}"
                console.print(text, highlight=False, soft_wrap=True, markup=False)
    targets = [target for section in sections for target in section.targets]
    met = sum(target.met for target in targets)
    console.print(f"\n{met} of {len(targets)} targets met", highlight=False)


def columns_of(rows: Sequence[Row]) -> list[tuple[str, bool]]:
    """The columns of a table in order, and whether each holds text."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [(name, any(isinstance(row.get(name), str) for row in rows)) for name in names]


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    columns = columns_of(rows)
    for name, left in columns:
        table.add_column(name, justify="left" if left else "right", no_wrap=left)
    for row in rows:
        table.add_row(*(cell_text(name, row.get(name)) for name, _ in columns))
    return table
