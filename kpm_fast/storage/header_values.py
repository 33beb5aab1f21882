"""Values in the header of a saved clearing."""

from __future__ import annotations

from typing import Any, get_type_hints

from ..arrays import as_number
from ..errors import InputError, brief
from ..files.strict_json import NOT_FINITE
from ..model.stats import Stats

__all__ = ["number", "stat", "texts"]


def number(value: Any, field: str) -> float:
    """Read a number, or the text of one that JSON does not know."""
    if isinstance(value, str) and value in NOT_FINITE:
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"must be a number, got {brief(value)}", field=field)
    return as_number(value, field)


def stat(value: Any, name: str) -> Any:
    """Read a count (hexadecimal text, of any length), a number or numbers by name."""
    kind, field = get_type_hints(Stats)[name], f"stats.{name}"
    if kind is float:
        return number(value, field)
    if kind is int and isinstance(value, str):
        try:
            return int(value, 16)
        except ValueError:
            pass
    if kind not in (int, float) and isinstance(value, dict):
        return {key: number(entry, f"{field}.{key}") for key, entry in value.items()}
    expected = "a hexadecimal count" if kind is int else "an object of numbers"
    raise InputError(f"must be {expected}, got {brief(value)}", field=field)


def texts(value: Any, field: str) -> list[str]:
    """Read a list of strings."""
    if not isinstance(value, list):
        raise InputError(f"must be a list of strings, got {brief(value)}", field=field)
    for index, item in enumerate(value):
        if not isinstance(item, str):
            raise InputError(f"must be a string, got {brief(item)}", field=field, index=index)
    return value
