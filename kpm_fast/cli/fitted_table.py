"""Tables for terminals of any width: columns are left out rather than digits."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

__all__ = ["print_table", "print_whole"]

_LEAST_LABEL = 8  # columns of the terminal: longer labels are folded before a column goes
_ANY_WIDTH = 1_000_000

Cell = str | Text


def print_table(
    console: Console,
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    labels: Collection[str] = (),
    expendable: Sequence[str] = (),
) -> None:
    """Print a table; if it is too wide, leave out columns and say which.

    Parameters
    ----------
    console : rich.console.Console
    title : str
    columns : sequence of str
        The header.
    rows : sequence of sequences of str or Text
        A cell for each column.
    labels : collection of str
        Columns of text, left-aligned, whose cells may be folded. The others hold numbers, which
        are never broken.
    expendable : sequence of str
        Columns that may be left out, in this order. If that is not enough the lines are wider than
        the terminal.
    """
    left_out = 0
    while True:
        kept = [name for name in columns if name not in expendable[:left_out]]
        table = _table(title, columns, rows, kept, labels)
        if _widths(console, table)[0] <= console.width or left_out == len(expendable):
            break
        left_out += 1
    print_whole(console, table)
    if left_out:
        names = ", ".join(name for name in columns if name not in kept)
        note = f"(no room for: {names})\n"
        console.print(Text(note), soft_wrap=True)


def print_whole(console: Console, table: Table) -> None:
    """Print a table at least as wide as its columns' least widths, in any terminal."""
    needed, wanted = _widths(console, table)
    if needed > console.width:
        table.width = needed
    if wanted > console.width:
        # rich narrows the widest columns first and then restores what numbers need: headers of
        # several words would stay on one line, and the table would be too wide.
        for column in table.columns:
            if column.justify == "right":
                column.width = column.min_width
    console.print(table, crop=False)


def _table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    kept: Sequence[str],
    labels: Collection[str],
) -> Table:
    table = Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    places = [columns.index(name) for name in kept]
    for name, place in zip(kept, places, strict=True):
        longest = max((Text(str(row[place])).cell_len for row in rows), default=0)
        words = max((len(word) for word in name.split()), default=0)
        if name in labels:
            table.add_column(
                name, overflow="fold", min_width=max(words, min(longest, _LEAST_LABEL))
            )
        else:
            table.add_column(name, justify="right", min_width=max(words, longest))
    for row in rows:
        table.add_row(*(row[place] for place in places))
    return table


def _widths(console: Console, table: Table) -> tuple[int, int]:
    """Return the least width, headers and labels folded, and the one that folds nothing."""
    measured = Measurement.get(console, console.options.update(width=_ANY_WIDTH), table)
    return measured.minimum, measured.maximum
