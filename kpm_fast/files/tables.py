"""Tables in and out: CSV files and the data frames of pandas, polars and pyarrow.

A table is a mapping from column name to a sequence. None of the data frame packages is
imported unless a frame of that package is asked for.
"""

from __future__ import annotations

import csv
import difflib
import importlib
import os
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from ..arrays import Floats, as_path, check_choice
from ..entries import is_a, number, table_columns
from ..errors import InputError, brief, suggestion
from .csv_text import (
    check_decimal,
    check_delimiter,
    find_delimiter,
    open_text,
    stated_delimiter,
)
from .decimal_comma import is_comma_number, is_point_number, with_points

__all__ = [
    "BACKENDS",
    "CsvTable",
    "check_names",
    "check_text",
    "columns_of",
    "make_frame",
    "read_csv",
    "write_csv",
]

_NUMBERS = (float, np.generic)  # whose text is not what csv writes
#: Data frame packages that :func:`make_frame` can build for.
BACKENDS = ("pandas", "polars", "pyarrow")


class CsvTable:
    """A table read from a file: columns of text, and the line of each row.

    Attributes
    ----------
    path : Path
    names : list of str
        The header, in file order.
    lines : list of int or None
        The line each row ends on, from 1; None where lines of the file mean nothing.
    title : str
        What the table is called in messages: its path, unless the file holds several.
    decimal : {".", ",", None}
        The decimal sign; None: a comma in columns of numbers that have commas and no points.
    """

    def __init__(
        self,
        path: Path,
        names: list[str],
        rows: list[tuple[str, ...]],
        lines: list[int] | None,
        decimal: str | None = ".",
        *,
        title: str | None = None,
        header_line: int | None = 1,
    ) -> None:
        self.path = path
        self.title = str(path) if title is None else title
        self._header_line = header_line
        self._length = len(rows)
        self._decimal = decimal
        self._with_commas: str | None = None  # a column whose numbers have decimal commas
        self._with_points: tuple[int, str] | None = None  # the first entry that has a point
        self.names = names
        self.lines = lines
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        self._columns = dict(zip(names, columns, strict=True))

    def __len__(self) -> int:
        return self._length

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def text(self, name: str) -> list[str]:
        """Return a column as text, without surrounding white space."""
        return list(map(str.strip, self._columns[name]))

    def numbers(self, name: str, *, missing: bool = False) -> Floats:
        """Return a column as floats; an entry that is no number is an error with its line.

        With ``missing``, an entry without text is NaN.
        """
        column = self._pointed(name)
        if self._decimal is None:
            self._check_one_sign(name)
        if missing:
            column = [entry if entry.strip() else "nan" for entry in column]
        text = "".join(column)
        if text.isascii() and "_" not in text:
            try:
                values = np.array(list(map(float, column)), dtype=np.float64)
            except ValueError:
                values = np.full(len(column), np.inf)  # parse each entry below
        else:
            values = np.full(len(column), np.inf)
        for row in np.flatnonzero((values == 0) | np.isinf(values)).tolist():
            if column[row] == "0":
                continue
            try:
                values[row] = number(column[row])
            except ValueError as error:
                reason = str(error).replace("must be numbers, got", "not a number:")
                if is_comma_number(column[row]):
                    reason += (
                        f"; decimal=',' (--decimal ,) reads {column[row].strip().replace(',', '.')}"
                    )
                raise self.error(row, name, reason) from None
        return values

    def _check_one_sign(self, name: str) -> None:
        """Refuse points where another column of numbers has decimal commas.

        A file has one decimal sign, so 1.000 beside 0,5 is probably a thousand.
        """
        column = self._columns[name]
        point = next((row for row, entry in enumerate(column) if "." in entry), None)
        if point is not None:
            self._with_points = self._with_points or (point, name)
        elif any(map(is_comma_number, column)):
            self._with_commas = name
        if self._with_points is not None and self._with_commas is not None:
            row, where = self._with_points
            raise self.error(
                row,
                where,
                f"{self._columns[where][row].strip()!r} has a point where column "
                f"{self._with_commas!r} has decimal commas: thousands separators are not read",
            )

    def times(self, name: str) -> list[str]:
        """Return a column of times as text, with points for decimal commas."""
        return list(map(str.strip, self._pointed(name)))

    def _pointed(self, name: str) -> Sequence[str]:
        """Return a column with points for decimal commas, if it has any."""
        column = self._columns[name]
        if self._decimal == ".":
            return column
        if self._decimal is None and any("." in entry for entry in column):
            return column
        if self._decimal == ",":
            for row, entry in enumerate(column):
                if is_point_number(entry):
                    raise self.error(
                        row, name, f"has a point in a number with decimal commas: {entry!r}"
                    )
        return with_points(column)

    def check(
        self,
        required: Collection[str],
        optional: Collection[str] = (),
        renamable: Collection[str] = (),
    ) -> None:
        """Check the header as :func:`check_names` does; an error names its line."""
        try:
            check_names(self.names, required, optional, renamable)
        except InputError as error:
            if self.title != str(self.path):  # one of several tables in a file
                error = InputError(f"{self.title}: {error.reason}")
            raise error.located(self.path, self._header_line) from None

    def place(self, row: int) -> str:
        """Say where a row is: ``on line 3``, or ``in row 1`` where there are no lines."""
        return f"in row {row}" if self.lines is None else f"on line {self.lines[row]}"

    def error(self, row: int, name: str, reason: str) -> InputError:
        """Build the error for one entry."""
        line = None if self.lines is None else self.lines[row]
        return InputError(reason, field=name, index=row, file=self.path, line=line)

    def located(self, error: InputError, row: int | None) -> InputError:
        """Point an error at the file and, where it is about a row, at the line of that."""
        known = row is not None and self.lines is not None
        return error.located(self.path, self.lines[row] if known else None)  # type: ignore[index]

    def locate(self, error: InputError) -> InputError:
        """Point an error whose index is a row of this table at its file and line."""
        inside = isinstance(error.index, int) and 0 <= error.index < len(self)
        return self.located(error, error.index if inside else None)  # type: ignore[arg-type]


def read_csv(
    path: str | os.PathLike[str],
    required: Collection[str],
    optional: Collection[str] = (),
    *,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    renamable: Collection[str] = (),
) -> CsvTable:
    """Read a CSV file with a header.

    Blank lines are skipped; a byte order mark is tolerated; white space around entries is
    ignored, and so is what a spreadsheet adds: a first line ``sep=;``, columns at the right end
    that have neither a name nor an entry, rows without entries. Columns that are neither required
    nor optional are kept for the caller to use or ignore.

    Parameters
    ----------
    path : path
    required, optional : names of columns
    delimiter : str, optional
        Default: the comma, semicolon, tab or bar with which the header has the required columns.
    decimal : {".", ","}, optional
        Default: the point; where semicolons delimit, the comma in columns without points.
    encoding : str, optional
        Default: UTF-8, or UTF-16 or UTF-32 with its mark.
    renamable : names of columns
        Columns for which an error suggests that ``columns=`` name another.

    Raises
    ------
    InputError
        If the file is empty or not text in the encoding, lacks a required column, names a column
        twice, has a row whose length differs from the header's, or a column that looks like a
        misspelling of a missing optional one.
    OSError
        If the file cannot be read.
    """
    path = as_path(path)
    check_delimiter(delimiter)
    check_decimal(decimal, delimiter)
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    names: list[str] | None = None
    with open_text(path, encoding) as stream:
        begin: list[str] = []
        stated: str | None = None
        for line in stream:
            if stated is None and not any(map(str.strip, begin)):
                stated = stated_delimiter(line)
                if stated is not None:
                    begin.append("\n")  # still a line of the file
                    continue
            begin.append(line)
            if line.strip():
                break
        found = delimiter or stated or find_delimiter(begin[-1] if begin else "", required)
        check_delimiter(found)
        reader = csv.reader(chain(begin, stream), strict=True, delimiter=found)
        try:
            for row in reader:
                if not row or (len(row) > 1 and not any(map(str.strip, row))):
                    continue
                if names is None:
                    names = [name.strip() for name in row]
                elif len(row) != len(names):
                    raise InputError(
                        f"has {len(row)} entries where the header has {len(names)}",
                        file=path,
                        line=reader.line_num,
                    )
                else:
                    rows.append(tuple(row))  # tuples of text spare the garbage collector work
                    lines.append(reader.line_num)
        except MemoryError:
            # Free memory before "with" ends: CPython loops there for ever if none is left.
            rows.clear()
            lines.clear()
            raise
        except csv.Error as error:
            raise InputError(str(error), file=path, line=reader.line_num) from error
    if names is None:
        raise InputError("is empty, and a header was expected", file=path)
    sign = decimal or (None if found == ";" else ".")
    names, rows = _without_margin(names, rows)
    table = CsvTable(path, names, rows, lines, sign)
    table.check(required, optional, renamable)
    return table


def _without_margin(
    names: list[str], rows: list[tuple[str, ...]]
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Leave out the columns at the right end that have neither a name nor an entry."""
    width = len(names)
    while width > 1 and not names[width - 1] and not any(row[width - 1].strip() for row in rows):
        width -= 1
    if width == len(names):
        return names, rows
    return names[:width], [row[:width] for row in rows]


def check_names(
    names: Sequence[str],
    required: Collection[str],
    optional: Collection[str],
    renamable: Collection[str] = (),
) -> None:
    """Check a header: required names present, none twice, no optional name misspelled."""
    if len(set(names)) != len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise InputError(f"column {twice!r} appears twice")
    for name in required:
        if name not in names:
            others = [other for other in names if other not in required]
            raise InputError(
                f"no column {name!r} (found: {', '.join(names) or 'none'})"
                f"{suggestion(name, others)}{_how_to_name(name) if name in renamable else ''}"
            )
    unknown = [name for name in names if name not in required and name not in optional]
    for name in optional:
        if name in names:
            continue
        # An unknown column is ignored, unless its name is close to one that would be read.
        plain = {other.casefold().replace(" ", "_").replace("-", "_"): other for other in unknown}
        close = difflib.get_close_matches(name, plain, n=1, cutoff=0.85)
        if close:
            raise InputError(f"unknown column {plain[close[0]]!r}: did you mean {name!r}?")


def _how_to_name(field: str) -> str:
    signed = (
        ", or sell='negative quantity' (--sell negative-quantity) that quantities to sell are "
        "negative"
        if field == "side"
        else ""
    )
    return f"; columns={{{field!r}: ...}} (--columns {field}=...) says what it is called{signed}"


def write_csv(stream: TextIO, table: Mapping[str, Any]) -> None:
    """Write a table as CSV; floats in the shortest form that reads back to the same bits."""
    for name, column in table.items():
        if _is_text(column):
            check_text(column, name)
    # Up to Python 3.12 an entry is quoted only for a line break that the line terminator contains.
    writer = csv.writer(_ShortLineEnds(stream), lineterminator="\r\n")
    writer.writerow(table)
    writer.writerows(zip(*map(_csv_column, table.values()), strict=True))


class _ShortLineEnds:
    """A stream for a CSV writer, which writes row by row: ends rows in one line break, not two."""

    def __init__(self, stream: TextIO) -> None:
        self._write = stream.write

    def write(self, row: str) -> None:
        self._write(f"{row[:-2]}\n")


def check_text(column: Iterable[str], field: str, *, read_back: bool = False) -> None:
    """Refuse text that UTF-8 cannot hold or, if wanted, that :func:`read_csv` would not return.

    Raises
    ------
    InputError
        Naming field, position and value.
    """
    limit = csv.field_size_limit()
    for position, text in enumerate(column):
        reason = None
        if not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text):
            reason = "must not contain half a surrogate pair, which UTF-8 cannot hold"
        elif read_back and text != text.strip():
            reason = "must not have white space around it, which a CSV file would lose"
        elif read_back and "\0" in text and sys.version_info < (3, 11):
            reason = "must not contain a null character, which Python 3.10 cannot read from CSV"
        elif read_back and len(text) > limit:
            reason = f"must have at most {limit:,} characters to be read back from a CSV file"
        if reason is not None:
            raise InputError(f"{reason}, got {brief(text)}", field=field, index=position)


def _csv_column(column: Any) -> list[Any]:
    values = column.tolist() if isinstance(column, np.ndarray) else list(column)
    return [_number_text(value) if isinstance(value, _NUMBERS) else value for value in values]


def _number_text(value: Any) -> Any:
    if isinstance(value, np.generic):  # whose repr names its type
        value = float(value) if isinstance(value, np.floating) else value.item()
    if not isinstance(value, float):
        return value
    text = repr(value)
    return text[:-2] if text.endswith(".0") else text


def columns_of(
    frame: Any,
    required: Collection[str],
    optional: Collection[str] = (),
    renamable: Collection[str] = (),
) -> dict[str, Any]:
    """Return the columns of a data frame by name, checked as :func:`read_csv` checks a header.

    ``frame`` may be a pandas or polars data frame, a pyarrow table or batch, or a mapping from
    names to sequences.
    """
    columns = table_columns(frame)
    if is_a(frame, "pandas", "DataFrame"):  # an index that is named like a column is that column
        levels = {name: place for place, name in enumerate(frame.index.names)}
        for name in (*required, *optional):
            if name in levels and name not in columns:
                columns[name] = frame.index.get_level_values(levels[name])
    try:
        check_names(list(columns), required, optional, renamable)
    except InputError as error:
        raise InputError(error.reason, field="frame") from None
    return columns


def make_frame(table: Mapping[str, Any], backend: str) -> Any:
    """Build a data frame of the package named by ``backend`` from a table."""
    check_choice(backend, BACKENDS, "backend")
    try:
        module = importlib.import_module(backend)
    except ImportError as error:
        raise ImportError(f"backend={backend!r} needs the package {backend}: {error}") from error
    columns = {
        name: column.tolist() if _is_text(column) else column for name, column in table.items()
    }
    try:
        return module.table(columns) if backend == "pyarrow" else module.DataFrame(columns)
    except UnicodeEncodeError:
        for name, column in table.items():
            if _is_text(column):
                check_text(column, name)
        raise


def _is_text(column: Any) -> bool:
    return isinstance(column, np.ndarray) and column.dtype.kind == "O"
