"""The maker in market.json: the two parameters of the Knightian one, or another one whole."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from ..arrays import as_number
from ..errors import InputError, brief
from ..files.strict_json import parse_json, stated_number

__all__ = ["checked_settings", "json_of_file", "settings_of"]

_SETTINGS = ("risk_aversion", "ambiguity")


def settings_of(market: Any, stated: dict[str, Any] | None) -> dict[str, Any]:
    """Return the settings to write for a market; ``stated`` describes a maker in long form."""
    if stated is not None:
        return {"maker": stated}
    return {name: stated_number(getattr(market, name)) for name in _SETTINGS}


def json_of_file(text: str, path: Path, **options: Any) -> Any:
    """Parse the JSON text of a file; an error names the file."""
    try:
        return parse_json(text, **options)
    except json.JSONDecodeError as error:
        raise InputError(f"is not JSON: {error.msg}", file=path, line=error.lineno) from error
    except InputError as error:
        raise error.located(path) from None
    except (ValueError, RecursionError) as error:  # thousands of digits, or of brackets
        raise InputError(f"cannot be read: {error}", file=path) from error


def checked_settings(settings: Any, path: Path) -> dict[str, Any]:
    """Return the parameters that a file states, as numbers, or the ``maker`` that it states."""
    if not isinstance(settings, dict):
        raise InputError(f"must hold a JSON object, got {brief(settings)}", file=path)
    for name in settings:
        if name == "maker" and len(settings) == 1:
            return settings
        if name == "maker":
            others = ", ".join(repr(other) for other in settings if other != name)
            raise InputError(
                f"must be the only setting, got {others} beside it", field=name, file=path
            )
        if name not in _SETTINGS:
            raise InputError(
                f"is unknown (known: {', '.join((*_SETTINGS, 'maker'))})", field=name, file=path
            )
    try:
        return {name: _number(value, name) for name, value in settings.items()}
    except InputError as error:
        raise error.located(path) from None


def _number(value: Any, field: str) -> float:
    return math.inf if value == "Infinity" else as_number(value, field)
