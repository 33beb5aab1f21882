"""The maker in market.json: the two parameters of the Knightian one, or another one whole."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from ..arrays import as_number
from ..entries import number
from ..errors import InputError, brief
from ..files.strict_json import Digits, parse_json, stated_number

__all__ = ["checked_settings", "json_of_file", "settings_of"]

_SETTINGS = ("risk_aversion", "ambiguity")


def settings_of(market: Any, stated: dict[str, Any] | None) -> dict[str, Any]:
    """Return the settings to write for a market; ``stated`` describes a maker in long form."""
    if stated is not None:
        return {"maker": stated}
    return {name: stated_number(getattr(market, name)) for name in _SETTINGS}


def json_of_file(
    text: str, path: Path, *, field: str | None = None, line: int | None = None
) -> Any:
    """Parse the JSON text of a file, or of an entry on a line of it; numbers stay digits.

    An error names the file, the line and the field of the entry.
    """
    try:
        return parse_json(text, numbers=Digits)
    except json.JSONDecodeError as error:
        reason = f"is not JSON: {error.msg}"
        if line is None:  # a file may be one long line
            reason, line = f"{reason} at column {error.colno}", error.lineno
        raise InputError(reason, field=field, file=path, line=line) from error
    except InputError as error:
        raise error.located(path, line) from None
    except (ValueError, RecursionError) as error:  # thousands of digits, or of brackets
        reason = f"cannot be read: {error}"
        raise InputError(reason, field=field, file=path, line=line) from error


def checked_settings(settings: Any, path: Path, line: int | None = None) -> dict[str, Any]:
    """Return the parameters that a file states, as numbers, or the ``maker`` that it states."""
    if not isinstance(settings, dict):
        raise InputError(f"must hold a JSON object, got {brief(settings)}", file=path)
    try:
        for name in settings:
            if name == "maker" and len(settings) == 1:
                return {name: _numbers(settings[name], name)}
            if name == "maker":
                others = ", ".join(repr(other) for other in settings if other != name)
                raise InputError(f"must be the only setting, got {others} beside it", field=name)
            if name not in _SETTINGS:
                raise InputError(
                    f"is unknown (known: {', '.join((*_SETTINGS, 'maker'))})", field=name
                )
        return {name: _number(_numbers(value, name), name) for name, value in settings.items()}
    except InputError as error:
        raise error.located(path, line) from None


def _numbers(value: Any, field: str) -> Any:
    """Return parsed JSON with numbers for digits; an error names the innermost member."""
    if isinstance(value, Digits):
        try:
            rounded = number(str(value))
            return int(value) if len(value) < 16 and value.lstrip("-").isdigit() else rounded
        except ValueError as error:
            raise InputError(str(error), field=field) from None
    if isinstance(value, dict):
        return {name: _numbers(entry, name) for name, entry in value.items()}
    return [_numbers(entry, field) for entry in value] if isinstance(value, list) else value


def _number(value: Any, field: str) -> float:
    return math.inf if value == "Infinity" else as_number(value, field)
