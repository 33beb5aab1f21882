"""JSON from files, read strictly, and the numbers that it lacks."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

from ..arrays import as_number
from ..errors import InputError, brief

__all__ = ["NOT_FINITE", "Digits", "number", "parse_json", "stated_number", "texts"]

#: How infinities and NaN are written; ``float`` reads them back.
NOT_FINITE = ("Infinity", "-Infinity", "NaN")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?Infinity|NaN', re.DOTALL)


class Digits(str):
    """The digits of a number in JSON, kept as text so that a table loses none of them."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def parse_json(text: str, *, numbers: Callable[[str], Any] | None = None) -> Any:
    """Parse a JSON text in which no object has a name twice.

    Parameters
    ----------
    text : str
    numbers : callable, optional
        Converts the digits of a number. Default: to an integer or a float.

    Raises
    ------
    InputError
        Naming a name that appears twice in an object; JSON readers silently take the last one.
    ValueError, RecursionError
        As :func:`json.loads`, and for Python's ``NaN`` and ``Infinity``, which JSON lacks.
    """

    def refuse(constant: str) -> None:
        written = ': write "Infinity"' if constant == "Infinity" else ""
        raise json.JSONDecodeError(f"it has no {constant}{written}", text, _first_constant(text))

    return json.loads(
        text,
        object_pairs_hook=_object,
        parse_constant=refuse,
        parse_int=numbers,
        parse_float=numbers,
    )


def stated_number(value: float) -> float | str:
    """Return a number as JSON can hold it: an infinity or NaN as text."""
    return value if math.isfinite(value) else json.dumps(float(value))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise InputError("appears twice", field=name)
        values[name] = value
    return values


def _first_constant(text: str) -> int:
    """Return where the first number that JSON lacks begins, outside of text."""
    tokens = _TOKEN.finditer(text)
    return next((token.start() for token in tokens if token.group()[0] != '"'), 0)


def number(value: Any, field: str) -> float:
    """Read a number, or the text of one that JSON does not know."""
    if isinstance(value, str) and value in NOT_FINITE:
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"must be a number, got {brief(value)}", field=field)
    return as_number(value, field)


def texts(value: Any, field: str) -> list[str]:
    """Read a list of strings."""
    if not isinstance(value, list):
        raise InputError(f"must be a list of strings, got {brief(value)}", field=field)
    for index, item in enumerate(value):
        if not isinstance(item, str):
            raise InputError(f"must be a string, got {brief(item)}", field=field, index=index)
    return value
