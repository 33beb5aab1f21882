"""The text of a CSV file, whatever its compression, encoding and delimiter."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from ..errors import InputError, brief
from .atomic_files import naming_errors
from .input_file import open_input
from .zstandard import open_zstandard

__all__ = [
    "DELIMITERS",
    "check_decimal",
    "check_delimiter",
    "find_delimiter",
    "open_text",
    "stated_delimiter",
]

#: Characters that may delimit a file's columns, in the order they are tried.
DELIMITERS = (",", ";", "\t", "|")

_COMPRESSED: tuple[tuple[bytes, str, Any], ...] = (
    (b"\x1f\x8b", "gzip", gzip.open),
    (b"BZh", "bzip2", bz2.open),
    (b"\xfd7zXZ\x00", "xz", lzma.open),
    (b"\x28\xb5\x2f\xfd", "Zstandard", open_zstandard),
)
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"  # workbooks of Excel, new and old
_PARQUET = b"PAR1"
#: Marks of encodings; that of UTF-32 begins like one of UTF-16.
_MARKS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


@contextmanager
def open_text(
    path: Path,
    encoding: str | None,
    remedy: str = " (encoding= or --encoding names another, such as cp1252)",
) -> Iterator[IO[str]]:
    """Open a file as text, line breaks as they are.

    Compression by gzip, bzip2, xz, Zstandard and zip (of one file) is found by the first bytes.
    Text is UTF-8, with or without its mark, or UTF-16 or UTF-32 with its mark, unless an encoding
    is given.
    ``remedy`` is what the error about another says.

    Raises
    ------
    InputError
        If it is no regular file, is not text in that encoding, or is compressed in another way, or
        damaged.
    """
    if encoding is not None and (not isinstance(encoding, str) or "\0" in encoding):
        raise InputError(f"is unknown, got {brief(encoding)}", field="encoding")
    with naming_errors(path), open_input(path) as raw:
        try:
            with _plain_bytes(path, raw) as stream:
                found = encoding or _encoding(path, stream.peek(4)[:4], remedy)
                try:
                    text = io.TextIOWrapper(stream, encoding=found, newline="")
                except LookupError as error:
                    raise InputError(
                        f"is unknown, got {brief(encoding)}", field="encoding"
                    ) from error
                yield text
        except UnicodeError as error:
            name = encoding or "UTF-8"
            raise InputError(f"is not {name} text: {error}{remedy}", file=path) from error
        except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
            # Errors of the system have a number, those of gzip and bzip2 have none.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise InputError(f"is a damaged compressed file: {error}", file=path) from error


def _encoding(path: Path, start: bytes, remedy: str) -> str:
    """Return the encoding that the first bytes of a text show."""
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    if b"\0" in start:
        raise InputError(
            "is not UTF-8 text: it begins with null characters, like UTF-16 or UTF-32 without its "
            f"mark{remedy}",
            file=path,
        )
    return "utf-8-sig"


@contextmanager
def _plain_bytes(path: Path, raw: io.BufferedReader) -> Iterator[io.BufferedReader]:
    start = raw.peek(6)[:6]
    if start.startswith(_OLE):
        raise InputError("is a workbook, which is not read: save it as CSV", file=path)
    if start.startswith(_PARQUET):
        raise InputError(
            "is a Parquet file, not text: read it into a data frame (from_frame)", file=path
        )
    if start.startswith(_ZIP):
        with _only_member(path, raw) as stream:
            yield stream
        return
    for magic, _, opened in _COMPRESSED:
        if start.startswith(magic):
            with opened(raw, "rb") as stream:
                yield io.BufferedReader(cast("io.RawIOBase", stream))
            return
    yield raw


@contextmanager
def _only_member(path: Path, raw: io.BufferedReader) -> Iterator[io.BufferedReader]:
    """Open the only file in a zip archive."""
    try:
        with zipfile.ZipFile(raw) as archive:
            names = [item.filename for item in archive.infolist() if not item.is_dir()]
            if "[Content_Types].xml" in names:
                raise InputError("is a workbook, which is not read: save it as CSV", file=path)
            names = [name for name in names if not name.startswith("__MACOSX/")]
            if len(names) != 1:
                raise InputError(
                    f"is a zip archive of {len(names)} files, and only one of one file is read: "
                    "unpack it",
                    file=path,
                )
            try:
                stream = archive.open(names[0])
            except (RuntimeError, NotImplementedError) as error:  # a password, a rare method
                raise InputError(
                    f"is a zip archive that cannot be read: {error}", file=path
                ) from error
            with stream:
                yield io.BufferedReader(cast("io.RawIOBase", stream))
    except zipfile.BadZipFile as error:
        raise InputError(f"is a damaged zip archive: {error}", file=path) from error


def find_delimiter(header: str, required: Collection[str]) -> str:
    """Return the delimiter with which a header has the required columns.

    If there is none, return the one that gives the most columns, which the error then lists.
    """
    best, most = DELIMITERS[0], 1
    for delimiter in DELIMITERS:
        try:
            names = next(csv.reader([header], delimiter=delimiter, strict=True), [])
        except csv.Error:  # an entry in quotes that continues on the next line
            continue
        if set(required) <= {name.strip() for name in names}:
            return delimiter
        if len(names) > most:
            best, most = delimiter, len(names)
    return best


def stated_delimiter(line: str) -> str | None:
    """Return the delimiter that a line such as Excel's ``sep=;`` above the header states."""
    stated = line.strip("\r\n").strip('"')
    return stated[4] if len(stated) == 5 and stated[:4].lower() == "sep=" else None


def check_delimiter(delimiter: str | None) -> None:
    """Refuse what cannot delimit columns."""
    if delimiter is not None and (
        not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n\0'
    ):
        raise InputError(f"must be one character, got {brief(delimiter)}", field="delimiter")


def check_decimal(decimal: str | None, delimiter: str | None) -> None:
    """Refuse what cannot be a decimal sign."""
    if decimal is not None and not (isinstance(decimal, str) and decimal in (".", ",")):
        raise InputError(f"must be '.' or ',', got {brief(decimal)}", field="decimal")
    if decimal is not None and decimal == delimiter:
        raise InputError(f"{decimal!r} already delimits the columns", field="decimal")
