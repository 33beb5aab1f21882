"""Tables in and out: CSV files and the data frames of pandas, polars and pyarrow.

A table is a mapping from column name to a sequence. None of the data frame packages is
imported unless a frame of that package is asked for.
"""

from __future__ import annotations

import csv
import difflib
import importlib
import os
import reprlib
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from ..arrays import EXACT_INTEGERS, Floats, as_path, inexact_time
from ..errors import InputError

__all__ = [
    "BACKENDS",
    "CsvTable",
    "check_text",
    "columns_of",
    "make_frame",
    "read_csv",
    "write_csv",
]

#: Data frame packages that :func:`make_frame` can build for.
BACKENDS = ("pandas", "polars", "pyarrow")


class CsvTable:
    """A CSV file as columns of text that remember the line of each row.

    Attributes
    ----------
    path : Path
    names : list of str
        The header, in file order.
    lines : list of int
        The line each row ends on, from 1.
    """

    def __init__(
        self, path: Path, names: list[str], rows: list[tuple[str, ...]], lines: list[int]
    ) -> None:
        self.path = path
        self.names = names
        self.lines = lines
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        self._columns = dict(zip(names, columns, strict=True))

    def __len__(self) -> int:
        return len(self.lines)

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def text(self, name: str) -> list[str]:
        """Return a column as text, without surrounding white space."""
        return list(map(str.strip, self._columns[name]))

    def numbers(self, name: str) -> Floats:
        """Return a column as floats; an entry that is no number is an error with its line."""
        column = self._columns[name]
        try:
            return np.array(list(map(float, column)), dtype=np.float64)
        except ValueError:
            pass
        row = next(row for row, entry in enumerate(column) if not _is_number(entry))
        raise self.error(row, name, f"not a number: {column[row]!r}")

    def times(self, name: str) -> Floats:
        """Return a column of times: large integers must be doubles, or distinct ones would tie."""
        values = self.numbers(name)
        for row in np.flatnonzero(np.isfinite(values) & (np.abs(values) >= EXACT_INTEGERS)):
            entry = self._columns[name][row].strip()
            # Other spellings, as of a float of such size, are somebody's choice of digits.
            if entry.lstrip("+-").isdigit() and int(entry) != int(values[row]):
                raise self.error(int(row), name, inexact_time(entry))
        return values

    def error(self, row: int, name: str, reason: str) -> InputError:
        """Build the error for one entry."""
        return InputError(reason, field=name, index=row, file=self.path, line=self.lines[row])

    def locate(self, error: InputError) -> InputError:
        """Point an error about a row of this table at its file and line."""
        if isinstance(error.index, int) and 0 <= error.index < len(self.lines):
            return error.located(self.path, self.lines[error.index])
        return error.located(self.path)


def _is_number(entry: str) -> bool:
    try:
        float(entry)
    except ValueError:
        return False
    return True


def read_csv(
    path: str | os.PathLike[str], required: Collection[str], optional: Collection[str] = ()
) -> CsvTable:
    """Read a CSV file with a header.

    Blank lines are skipped; a byte order mark is tolerated; white space around entries does
    not count. Other columns than the named ones are kept for the caller to use or ignore.

    Raises
    ------
    InputError
        If the file is empty or not UTF-8, lacks a required column, names a column twice, has
        a row of another length than its header, or a column that looks like a misspelling of
        a missing optional one.
    OSError
        If the file cannot be read.
    """
    path = as_path(path)
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    names: list[str] | None = None
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.reader(stream, strict=True)
        try:
            for row in reader:
                if not row:
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
                    rows.append(tuple(row))  # unlike lists, no work for the garbage collector
                    lines.append(reader.line_num)
        except MemoryError:
            # Before "with" ends: without a byte left, CPython goes round for ever there.
            rows.clear()
            lines.clear()
            raise
        except csv.Error as error:
            raise InputError(str(error), file=path, line=reader.line_num) from error
        except UnicodeDecodeError as error:
            raise InputError(f"not UTF-8 text: {error}", file=path) from error
    if names is None:
        raise InputError("the file is empty, a header was expected", file=path)
    try:
        check_names(names, required, optional)
    except InputError as error:
        raise error.located(path, 1) from None
    return CsvTable(path, names, rows, lines)


def check_names(names: Sequence[str], required: Collection[str], optional: Collection[str]) -> None:
    """Check a header: required names present, none twice, no optional name misspelled."""
    if len(set(names)) != len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise InputError(f"column {twice!r} appears twice")
    for name in required:
        if name not in names:
            raise InputError(f"no column {name!r} (found: {', '.join(names) or 'none'})")
    unknown = [name for name in names if name not in required and name not in optional]
    for name in optional:
        if name in names:
            continue
        # An unknown column is ignored, but not one that was surely meant to be read.
        plain = {other.casefold().replace(" ", "_").replace("-", "_"): other for other in unknown}
        close = difflib.get_close_matches(name, plain, n=1, cutoff=0.85)
        if close:
            raise InputError(f"unknown column {plain[close[0]]!r}: did you mean {name!r}?")


def write_csv(stream: TextIO, table: Mapping[str, Any]) -> None:
    """Write a table as CSV; floats in the shortest form that reads back to the same bits."""
    for name, column in table.items():
        if _is_text(column):
            check_text(column, name)
    # Up to Python 3.12 only a line break that is in the line terminator is quoted in an entry.
    writer = csv.writer(_ShortLineEnds(stream), lineterminator="\r\n")
    writer.writerow(table)
    writer.writerows(zip(*map(_csv_column, table.values()), strict=True))


class _ShortLineEnds:
    """Where a CSV writer, which writes row by row, writes rows that end in both line breaks."""

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
            reason = "half a surrogate pair cannot be written"
        elif read_back and text != text.strip():
            reason = "white space around it would be lost in a CSV file"
        elif read_back and "\0" in text and sys.version_info < (3, 11):
            reason = "Python 3.10 cannot read a null character from a CSV file"
        elif read_back and len(text) > limit:
            reason = f"of more than {limit:,} characters, which cannot be read from a CSV file"
        if reason is not None:
            raise InputError(f"{reason}, got {reprlib.repr(text)}", field=field, index=position)


def _csv_column(column: Any) -> list[Any]:
    values = column.tolist() if isinstance(column, np.ndarray) else list(column)
    return [_number_text(value) if isinstance(value, float) else value for value in values]


def _number_text(value: float) -> str:
    text = repr(value)
    return text[:-2] if text.endswith(".0") else text


def columns_of(
    frame: Any, required: Collection[str], optional: Collection[str] = ()
) -> dict[str, Any]:
    """Return the named columns of a data frame as NumPy arrays.

    ``frame`` may be a pandas or polars data frame, a pyarrow table, or a mapping from names to
    sequences. Other columns are ignored, as in :func:`read_csv`.
    """
    names = getattr(frame, "column_names", None)  # pyarrow: ``columns`` are its data
    if names is None:
        names = getattr(frame, "columns", None)
    if names is None and isinstance(frame, Mapping):
        names = frame.keys()
    if names is None:
        raise InputError(
            "must be a pandas or polars data frame, a pyarrow table or a mapping of columns, "
            f"got {type(frame).__name__}",
            field="frame",
        )
    names = list(map(str, names))
    try:
        check_names(names, required, optional)
    except InputError as error:
        raise InputError(error.reason, field="frame") from None
    wanted = [name for name in names if name in required or name in optional]
    return {name: _column_data(frame[name]) for name in wanted}


def _column_data(column: Any) -> Any:
    to_numpy = getattr(column, "to_numpy", None)
    return to_numpy() if to_numpy is not None else column


def make_frame(table: Mapping[str, Any], backend: str) -> Any:
    """Build a data frame of the package named by ``backend`` from a table."""
    if backend not in BACKENDS:
        raise InputError(f"must be one of {', '.join(BACKENDS)}, got {backend!r}", field="backend")
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
