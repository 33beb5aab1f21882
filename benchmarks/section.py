"""A report's parts: a table, what it was to reach, and whether it did; in a terminal or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

Row = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """What was to be reached, what was measured, and whether that is enough."""

    text: str
    measured: str
    met: bool


@dataclass
class Section:
    """A table with its targets. Rows are data: times in seconds, memory in bytes."""

    title: str
    rows: list[Row] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def aim(self, text: str, measured: str, met: bool) -> None:
        self.targets.append(Target(text, measured, bool(met)))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def time_text(seconds: float) -> str:
    """In the unit that leaves one to three digits before the point."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def bytes_text(size: float) -> str:
    for unit, scale in (("MiB", 2**20), ("KiB", 2**10)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size:.0f} B"


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
        ("memory", bytes_text),
        ("gap", lambda x: f"{x:.1e}"),
        ("times", lambda x: f"{x:,.2f}x" if abs(x) < 100 else f"{x:,.0f}x"),
    )
    for word, text in formats:
        if word in column.split():
            return text(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def print_sections(console: Console, sections: Sequence[Section]) -> None:
    """The tables with their targets, then the targets that were missed."""
    for section in sections:
        console.print(f"\n[bold]{section.title}[/]", highlight=False)
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
    targets = [target for section in sections for target in section.targets]
    met = sum(target.met for target in targets)
    console.print(f"\n{met} of {len(targets)} targets met", highlight=False)


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    columns = list(dict.fromkeys(name for row in rows for name in row))
    for name in columns:
        left = any(isinstance(row.get(name), str) for row in rows)
        table.add_column(name, justify="left" if left else "right", no_wrap=left)
    for row in rows:
        table.add_row(*(cell_text(name, row.get(name)) for name in columns))
    return table
