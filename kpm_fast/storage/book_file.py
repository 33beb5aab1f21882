"""A book in one file: JSON, CSV with a title above each table, or Parquet with the market in it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np

from ..errors import InputError, brief
from ..files.atomic_files import naming_errors
from ..files.csv_text import DELIMITERS, check_decimal, check_delimiter, open_text
from ..files.input_file import is_input_file, open_input
from ..files.strict_json import stated_number
from ..files.tables import CsvTable, make_frame, write_csv
from .archive import HEADER
from .market_json import checked_settings, json_of_file

__all__ = ["SUFFIXES", "BookParts", "file_bytes", "is_clearing", "read_parts"]

#: Suffixes of paths to which a book is written as one file and not as a folder.
SUFFIXES = (".json", ".csv", ".parquet")

_TABLES = ("claims", "states", "orders")
_TITLES = {f"[{name}]": name for name in ("market", *_TABLES)}
_TITLE = re.compile(r"\s*\[[^\W\d][^][{}\":,\n]*\][\s,;|]*$", re.MULTILINE)  # known or not
_PARQUET, _ZIP = b"PAR1", b"PK"
#: How the first entry of a zip archive begins: where the length of its name stands, and its name.
_LENGTH, _NAME = slice(26, 28), 30
_METADATA = b"kpm_fast.market"  # the key of the market in a Parquet file's schema
_HELP = "docs/reference.md shows books in one file"


@dataclass
class BookParts:
    """The parts from which a book is built.

    Attributes
    ----------
    claims, states : CsvTable
    orders : CsvTable or pyarrow.Table
        None, where they were not asked for.
    settings : dict
        The content of market.json.
    source : Path
        The file that states the settings.
    decimal : str, optional
        The decimal sign of text in a pyarrow.Table.
    line : int, optional
        The line of that file on which they stand, in CSV.
    """

    claims: CsvTable
    states: CsvTable
    orders: Any
    settings: dict[str, Any]
    source: Path
    decimal: str | None = None
    line: int | None = None


def is_clearing(path: Path) -> bool:
    """Whether a path is a file that begins as a saved clearing does.

    A zip archive of something else may be a book that was compressed.
    """
    try:
        if not is_input_file(path):
            return False
    except ValueError:  # a null character, which no file's name has
        return False
    with naming_errors(path), open_input(path) as stream:
        start = stream.read(_NAME + len(HEADER))
    name = len(HEADER).to_bytes(2, "little"), HEADER.encode()
    return start.startswith(_ZIP) and (
        len(start) < _NAME + len(HEADER) or (start[_LENGTH], start[_NAME:]) == name
    )


def read_parts(
    path: Path,
    *,
    delimiter: str | None,
    decimal: str | None,
    encoding: str | None,
    with_orders: bool = True,
) -> BookParts:
    """Read the tables of a book from one file, whose first characters tell its format.

    Without ``with_orders`` only the market is read: orders may be wrong, or not there.

    Raises
    ------
    InputError
        Naming file, line or field, and value.
    OSError
        If the file cannot be read.
    """
    check_delimiter(delimiter)
    check_decimal(decimal, delimiter)
    with naming_errors(path), open_input(path) as stream:
        parquet = stream.read(4) == _PARQUET
    if parquet:
        _refuse("Parquet", delimiter=delimiter, encoding=encoding)
        parts = _parts_of_parquet(path, with_orders=with_orders)
        parts.decimal = decimal
        return parts
    with open_text(path, encoding) as text_stream:
        text = text_stream.read()
    tables = _TABLES if with_orders else _TABLES[:2]
    start = text.lstrip()[:16]
    if start.startswith(("{", "[")) and _TITLE.match(text) is None:
        _refuse("JSON", delimiter=delimiter, decimal=decimal)
        content = json_of_file(text, path)
        if not with_orders and isinstance(content, dict):
            content.pop("orders", None)
        return _parts_of_json(content, path, tables)
    return _parts_of_csv(text, path, delimiter, decimal, tables)


def _refuse(form: str, **options: str | None) -> None:
    for name, value in options.items():
        if value is not None:
            raise InputError(f"applies to CSV, and this file is {form}, got {value!r}", field=name)


# -- JSON ---------------------------------------------------------------------------------------


def _parts_of_json(content: Any, path: Path, tables: tuple[str, ...]) -> BookParts:
    if not isinstance(content, dict):
        raise InputError(f"must hold a JSON object, got {brief(content)}", file=path)
    for name in tables:
        if name not in content:
            raise InputError(
                f"has no {name!r}; a book in one file has {', '.join(tables)} ({_HELP})",
                file=path,
            )
    read = {name: _table_of_json(content.pop(name), name, path) for name in tables}
    settings = checked_settings(content, path)
    return BookParts(read["claims"], read["states"], read.get("orders"), settings, path)


def _table_of_json(value: Any, name: str, path: Path) -> CsvTable:
    """Read a table given as a list of objects, one per row, or as an object of columns."""
    if isinstance(value, dict):
        columns: dict[str, list[Any]] = value
        for field, column in columns.items():
            if not isinstance(column, list):
                raise InputError(
                    f"must be a list, got {brief(column)}",
                    field=f"{name}.{field}",
                    file=path,
                )
        lengths = {field: len(column) for field, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise InputError(f"columns differ in length: {lengths}", field=name, file=path)
        rows: list[tuple[Any, ...]] = list(zip(*columns.values(), strict=True))
        names = list(columns)
    elif isinstance(value, list):
        for row, entry in enumerate(value):
            if not isinstance(entry, dict):
                raise InputError(
                    f"must be an object, got {brief(entry)}",
                    field=name,
                    index=row,
                    file=path,
                )
        names = list(dict.fromkeys(field for entry in value for field in entry))
        rows = [tuple(entry.get(field) for field in names) for entry in value]
        if not value and name == "orders":
            names = ["claim", "side", "price", "quantity"]  # without rows there are no names
    else:
        raise InputError(
            f"must be a list of objects or an object of lists, got {brief(value)}",
            field=name,
            file=path,
        )
    texts = [
        tuple(_text(entry, field, row, path) for field, entry in zip(names, entries, strict=True))
        for row, entries in enumerate(rows)
    ]
    return CsvTable(path, [n.strip() for n in names], texts, None, title=name, header_line=None)


def _text(entry: Any, field: str, row: int, path: Path) -> str:
    """Return an entry as text, as a CSV file has it; null is an empty entry."""
    if entry is None:
        return ""
    if not isinstance(entry, str):
        raise InputError(
            f"must be a number or text, got {brief(entry)}",
            field=field,
            index=row,
            file=path,
        )
    return entry


# -- CSV ----------------------------------------------------------------------------------------


def _parts_of_csv(
    text: str, path: Path, delimiter: str | None, decimal: str | None, wanted: tuple[str, ...]
) -> BookParts:
    tables = _titled_tables(text, path, delimiter, decimal, wanted)
    for name in wanted:
        if name not in tables:
            raise InputError(
                f"has no table [{name}], which a book in one CSV file needs ({_HELP}); "
                "Orders.from_csv reads orders alone, and clear takes a folder with the market "
                "beside them",
                file=path,
            )
    settings, line = _settings_of_csv(tables["market"]) if "market" in tables else ({}, None)
    orders = tables.get("orders")
    return BookParts(tables["claims"], tables["states"], orders, settings, path, line=line)


def _titled_tables(
    text: str, path: Path, delimiter: str | None, decimal: str | None, wanted: tuple[str, ...]
) -> dict[str, CsvTable]:
    """Split a file into its tables, each of which has a title such as ``[orders]`` above it."""
    skipped = set(_TABLES) - set(wanted)
    found = delimiter or _delimiter_of(text)
    tables: dict[str, CsvTable] = {}
    title, title_line = "", 0
    names: list[str] | None = None
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    header_line = 0

    def close() -> None:
        if title and title not in skipped:
            if names is None:
                raise InputError(f"has no header below [{title}]", file=path, line=title_line)
            sign = decimal or (None if found == ";" else ".")
            tables[title] = CsvTable(
                path, names, rows, lines, sign, title=f"[{title}]", header_line=header_line
            )

    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=found)
    try:
        for row in reader:
            line = reader.line_num
            if not any(map(str.strip, row)):
                continue
            if row[0].strip() in _TITLES and not any(map(str.strip, row[1:])):
                close()
                title, title_line = _TITLES[row[0].strip()], line
                if title in tables:
                    raise InputError(f"[{title}] appears twice", file=path, line=line)
                names, rows, lines = None, [], []
            elif not title:
                folder = f"; its folder, {path.parent}, may be a book" if _of_folder(path) else ""
                raise InputError(
                    "is not a kpm-fast clearing, and a book in one CSV file begins with a title "
                    f"such as [claims] ({_HELP}), got {brief(found.join(row))}{folder}",
                    file=path,
                    line=line,
                )
            elif title in skipped:
                continue
            elif names is None:
                names, header_line = [name.strip() for name in row], line
                while not names[-1]:  # a spreadsheet makes all rows as wide as the widest
                    names.pop()
            else:
                if any(map(str.strip, row[len(names) :])) or len(row) < len(names):
                    raise InputError(
                        f"has {len(row)} entries where the header has {len(names)}",
                        file=path,
                        line=line,
                    )
                rows.append(tuple(row[: len(names)]))
                lines.append(line)
    except csv.Error as error:
        raise InputError(str(error), file=path, line=reader.line_num) from error
    close()
    return tables


def _of_folder(path: Path) -> bool:
    """Whether a file has the name of a table of a book that is a folder."""
    return path.name.partition(".")[0] in _TABLES


def _delimiter_of(text: str) -> str:
    """Return the delimiter with which a header below a title has its table's first column."""
    lines = [line.strip() for line in text.splitlines() if line.strip(" \t\r,;|")]
    for above, line in pairwise(lines):
        if _TITLES.get(above.rstrip(",;\t|")) in _TABLES:
            for delimiter in DELIMITERS:
                if {"claim", "state"} & {name.strip(' "') for name in line.split(delimiter)}:
                    return delimiter
    return DELIMITERS[0]


def _settings_of_csv(table: CsvTable) -> tuple[dict[str, Any], int | None]:
    """Return the settings, and the line on which they stand."""
    if len(table) != 1:
        raise InputError(f"must have one row, got {len(table)}", field="[market]", file=table.path)
    line = table.lines[0] if table.lines else None
    settings: dict[str, Any] = {}
    for name in table.names:
        (entry,) = table.text(name)
        if name == "maker":
            settings[name] = json_of_file(entry, table.path, field=name, line=line)
        else:
            settings[name] = float(table.numbers(name)[0])
    return checked_settings(settings, table.path, line), line


# -- Parquet ------------------------------------------------------------------------------------


def _parts_of_parquet(path: Path, *, with_orders: bool) -> BookParts:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError(f"{path}: Parquet files need the package pyarrow: {error}") from error
    # pyarrow maps a file into memory; a pipe's bytes are there.
    source = path if path.is_file() else open_input(path)
    try:
        schema = parquet.read_schema(source)
        table = parquet.read_table(source) if with_orders else None
    except UnicodeDecodeError as error:
        reason = f"has a column whose name is not UTF-8, got {brief(error.object)}"
        raise InputError(reason, file=path) from None
    except (pyarrow.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise InputError(f"is a damaged Parquet file: {error}", file=path) from error
    stated = (schema.metadata or {}).get(_METADATA)
    if stated is None:
        raise InputError(
            f"holds no market: its schema has no metadata {_METADATA.decode()!r} ({_HELP}); "
            "orders alone are read by Orders.from_frame",
            file=path,
        )
    try:
        text = stated.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 text: {error}", file=path) from error
    parts = _parts_of_json(json_of_file(text, path), path, _TABLES[:2])
    parts.orders = table
    return parts


# -- writing ------------------------------------------------------------------------------------


def file_bytes(
    suffix: str, tables: Mapping[str, Mapping[str, Any]], settings: dict[str, Any]
) -> bytes:
    """Return the bytes of one file that holds a book, in the format that a suffix names.

    Parameters
    ----------
    suffix : {".json", ".csv", ".parquet"}
    tables : mapping
        ``claims``, ``states`` and ``orders``, by column.
    settings : dict
        The content of market.json.
    """
    if suffix == ".json":
        return _json_text(tables, settings).encode("utf-8")
    if suffix == ".csv":
        return _csv_text(tables, settings).encode("utf-8")
    market = {name: tables[name] for name in _TABLES[:2]}
    frame = make_frame(tables["orders"], "pyarrow")
    frame = frame.replace_schema_metadata({_METADATA: _json_text(market, settings)})
    from pyarrow import parquet

    stream = io.BytesIO()
    parquet.write_table(frame, stream)
    return stream.getvalue()


def _json_text(tables: Mapping[str, Mapping[str, Any]], settings: dict[str, Any]) -> str:
    """Write each row of a table on a line of its own."""
    parts = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in settings.items()]
    for name, table in tables.items():
        columns = [_plain(column) for column in table.values()]
        rows = [
            json.dumps(dict(zip(table, row, strict=True)), ensure_ascii=False)
            for row in zip(*columns, strict=True)
        ]
        parts.append(f"{json.dumps(name)}: [\n" + ",\n".join(rows) + "\n]")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _plain(column: Any) -> list[Any]:
    values = column.tolist() if isinstance(column, np.ndarray) else list(column)
    return [stated_number(value) if isinstance(value, float) else value for value in values]


def _csv_text(tables: Mapping[str, Mapping[str, Any]], settings: dict[str, Any]) -> str:
    for row, state in enumerate(tables["states"]["state"]):
        if state in _TITLES and len(tables["states"]) == 1:
            raise InputError(
                f"{state!r} is the title of a table in a CSV file: write a folder or JSON",
                field="states",
                index=row,
            )
    stream = io.StringIO(newline="")
    stated = {
        name: [json.dumps(value) if name == "maker" else cast("Any", value)]
        for name, value in settings.items()
    }
    for name, table in {"market": stated, **tables}.items():
        stream.write(f"[{name}]\n")
        write_csv(stream, table)
        stream.write("\n")
    return stream.getvalue()
