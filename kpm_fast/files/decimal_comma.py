"""Numbers with a decimal comma, in columns of text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..entries import entries_of
from ..errors import InputError

__all__ = ["is_comma_number", "is_point_number", "pointed_column", "with_points"]

_COMMA_NUMBER = re.compile(r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*", re.ASCII)
_NUMBER = re.compile(r"\s*[+-]?\d*,?\d+(?:[eE][+-]?\d+)?\s*", re.ASCII)


def is_comma_number(entry: object) -> bool:
    """Whether an entry is text that writes a number with a decimal comma."""
    return isinstance(entry, str) and _COMMA_NUMBER.fullmatch(entry) is not None


def is_point_number(entry: object) -> bool:
    """Whether an entry is text that writes a number with points: of decimals, or of thousands."""
    if not isinstance(entry, str) or "." not in entry:
        return False
    return _NUMBER.fullmatch(entry.replace(".", "")) is not None


def with_points(column: Iterable[Any]) -> list[Any]:
    """Return a column with points for the decimal commas of its numbers."""
    return [entry.replace(",", ".") if is_comma_number(entry) else entry for entry in column]


def pointed_column(column: Any, field: str) -> Any:
    """Return a frame's column with points for the decimal commas of text; numbers stay as is.

    Raises
    ------
    InputError
        If text writes a number with a point, naming ``field`` and row.
    """
    entries = entries_of(column)
    if isinstance(entries, str):  # for all rows
        entries = np.array(entries)
    if isinstance(entries, np.ndarray):
        if entries.dtype.kind not in "OUT":
            return column
        if entries.ndim == 0:
            return pointed_column([entries.item()], field)[0]
        entries = entries.tolist()
    if not isinstance(entries, list | tuple):
        return column
    for row, entry in enumerate(entries):
        if is_point_number(entry):
            raise InputError(
                f"has a point in a number with decimal commas: {entry!r}", field=field, index=row
            )
    return with_points(entries)
