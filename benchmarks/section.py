"""A section of the report: a table, its notes, figures, targets, and whether they were met.

A benchmark module, a *chapter* (``chapters.py`` lists them), has a ``TITLE``, a docstring, which is
the text below that heading, and ``SECTIONS``, functions of ``quick`` that each return a section of
plain data. One that raises has failed; one that cannot be measured here says why in ``skipped``; a
target that is missed is no failure, but has a reason.

Columns are written by the words in their names: "... time" is in seconds, "... times" a ratio,
"... gap" an exponent, "... share" a fraction. Notes hold no number typed by hand. Figures are drawn
later, by the named function, from their data alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from rich.console import Console
from rich.markdown import Markdown

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
    ratios: list[Ratio] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)  # what the table leaves out; in the JSON
    skipped: str = ""  # why nothing was measured

    def aim(self, text: str, measured: str, met: bool, reason: str) -> None:
        self.targets.append(Target(text, measured, bool(met), "" if met else reason))

    def draw(self, function: Callable[[Any], Drawing], slug: str, caption: str, data: Any) -> None:
        """Have ``function(data)`` drawn below the table as ``bench-<slug>``."""
        name = f"{function.__module__}:{function.__qualname__}"
        self.figures.append(Figure(slug, caption, name, data))

    def against(self, group: str, peer: str, ratios: ArrayLike, *, at_least: bool = False) -> None:
        """Put a peer into the overview: how many times as long it takes, by instance."""
        values = np.asarray(ratios, dtype=float)
        low, median, high = (float(value) for value in np.quantile(values, (0.25, 0.5, 0.75)))
        self.ratios.append(Ratio(group, peer, median, low, high, at_least))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Section:
        """What ``as_dict`` made, after a way through JSON."""
        kinds: dict[str, Any] = {"targets": Target, "figures": Figure, "ratios": Ratio}
        made = {name: [kind(**one) for one in values[name]] for name, kind in kinds.items()}
        return cls(**(values | made))


def time_text(seconds: float) -> str:
    """In the unit that leaves one to three digits before the point."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    if 0.0 < abs(seconds) < 1e-6:
        return f"{seconds * 1e9:.3g} ns"
    return f"{seconds * 1e6:.3g} µs"


def range_text(values: Sequence[float], text: Callable[[float], str]) -> str:
    """Least to most; once where both read alike."""
    least, most = text(min(values)), text(max(values))
    return least if least == most else f"{least} to {most}"


def times_text(ratio: float) -> str:
    """With as many digits as are significant."""
    return f"{ratio:,.2f}x" if abs(ratio) < 100 else f"{ratio:,.0f}x"


def cell_text(column: str, value: Any) -> str:
    """A value as a table shows it; the column's name says what it is."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, str):
        return value
    formats: dict[str, Callable[[Any], str]] = {
        "time": time_text,
        "gap": "{:.1e}".format,
        "share": "{:.1%}".format,
        "times": times_text,
    }
    for word, text in formats.items():
        if word in column.split():
            return text(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def show(lines: Sequence[str]) -> None:
    """Print Markdown."""
    console = Console(width=None if Console().is_terminal else 160)
    console.print(Markdown("\n".join(lines)))


def table(rows: Sequence[Row]) -> list[str]:
    """Rows as a Markdown table; text to the left, numbers to the right."""
    names = dict.fromkeys(name for row in rows for name in row)
    left = [any(isinstance(row.get(name), str) for row in rows) for name in names]
    return [
        _line([_heading(name) for name in names]),
        _line(["---" if text else "--:" for text in left]),
        *(_line([plain(cell_text(name, row.get(name))) for name in names]) for row in rows),
    ]


def verdicts(targets: Sequence[Target]) -> list[Row]:
    """A row for each target."""
    return [
        {
            "target": target.text,
            "measured": target.measured,
            "met, or why not": "met" if target.met else f"**missed**: {target.reason}",
        }
        for target in targets
    ]


def _heading(name: str) -> str:
    """A column's name without the word that only says how to write its numbers."""
    return plain(re.sub(r" (times|time|share)$", "", name))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def plain(text: str) -> str:
    """A text that may stand in a table."""
    return text.replace("|", "\\|").replace("\n", " ")
