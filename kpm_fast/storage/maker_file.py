"""The maker of a book that is a folder: market.json, and its prior and wealth in states.csv."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..errors import InputError, brief, index_text
from ..files.strict_json import stated_number
from ..files.tables import CsvTable
from ..model.labels import align
from ..model.maker import Maker
from ..model.maker_form import KINDS, maker_from_dict, maker_to_dict
from ..model.market import Market
from ..model.priors import BY_NORMALIZE, checked_prior

__all__ = ["maker_statement", "read_maker"]

_COLUMNS = ("prior", "inventory")  # of states.csv
_TABLES = ("priors",)
_BY_STATE = ("delta", *_TABLES)


def maker_statement(market: Market) -> dict[str, Any] | None:
    """Return the maker as market.json states it; None for the Knightian one in short form.

    Numbers by state stand under the states' labels.
    """
    maker = vars(market).get("_maker")
    if maker is None:
        return None
    stated = maker_to_dict(maker)
    for name in ("states", "labels", *_COLUMNS):
        stated.pop(name, None)
    for name, value in stated.items():
        if name in _TABLES:
            stated[name] = [dict(zip(market.states, row, strict=True)) for row in value]
        elif name in _BY_STATE:
            stated[name] = dict(zip(market.states, value, strict=True))
        elif isinstance(value, float):
            stated[name] = stated_number(value)
    return stated


def read_maker(
    stated: Any,
    source: Path,
    table: CsvTable,
    keywords: Mapping[str, Any],
    line: int | None = None,
) -> Maker:
    """Return the maker that ``source`` states, with the columns of the table of states.

    Parameters
    ----------
    stated : object
        ``kind`` and parameters; a number by state as an object by label, or a list in the order
        of states.csv.
    table : CsvTable
        With a column ``state``.
    keywords : mapping
        ``inventory``, which takes precedence, and ``normalize``; others are the maker's own.
    line : int, optional
        The line of ``source`` on which the maker stands.
    """
    kind = stated.get("kind") if isinstance(stated, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError(
            f"must be an object whose kind is one of {', '.join(KINDS)}, got {brief(stated)}",
            field="maker",
            file=source,
            line=line,
        )
    if "labels" in stated:  # which makers elsewhere have
        reason = "is no parameter: the states have theirs"
        raise InputError(reason, field="labels", file=source, line=line)
    for name in _COLUMNS:
        if name in stated and (name != "prior" or _has_prior(kind)):
            raise InputError(
                f"belongs in a column of {Path(table.title).name}, got {brief(stated[name])}",
                field=name,
                file=source,
                line=line,
            )
    for name in ("risk_aversion", "ambiguity"):
        if keywords.get(name) is not None:
            raise InputError(
                f"is set by the {kind!r} maker in {source.name}, got {brief(keywords[name])}",
                field=name,
            )
    table.check(["state"], _COLUMNS)
    prior_sum = None
    states = tuple(table.text("state"))
    try:
        if kind == "worst_state":
            _check_states(stated.get("states", len(states)), states, table)
        parameters = {name: _value(name, value, states) for name, value in stated.items()}
        if "prior" in table and _has_prior(kind):
            prior = table.numbers("prior")
            normalize = bool(keywords.get("normalize"))
            parameters["prior"], prior_sum = checked_prior(
                prior, states, normalize=normalize, remedy=BY_NORMALIZE
            )
        if keywords.get("inventory") is not None:
            parameters["inventory"] = align(keywords["inventory"], states, "inventory")
        elif "inventory" in table:
            parameters["inventory"] = table.numbers("inventory")
        if kind == "worst_state":
            parameters["states"] = states
        maker = maker_from_dict({**parameters, "labels": states})
        return maker if prior_sum is None else maker._of_prior_sum(prior_sum)
    except InputError as error:
        if error.file is not None or error.field in keywords:
            raise
        if error.field not in _COLUMNS:
            # All of a maker is on one line, which does not say where in a parameter.
            field = f"{error.field}{index_text(error.index)}" if line else error.field
            raise InputError(
                error.reason, field=field, index=error.index, file=source, line=line
            ) from None
        row = states.index(error.index) if error.index in states else error.index
        raise table.located(error, row if isinstance(row, int) else None) from None


def _check_states(stated: Any, states: tuple[str, ...], table: CsvTable) -> None:
    """Refuse another number of states, or other labels, than the table has."""
    if isinstance(stated, bool) or stated not in (len(states), [*states]):
        raise InputError(
            f"must be {len(states)}, as many as {Path(table.title).name} has, got {brief(stated)}",
            field="states",
        )


def _has_prior(kind: str) -> bool:
    return any(item.name == "prior" for item in fields(KINDS[kind]))  # type: ignore[arg-type]


def _value(name: str, value: Any, states: tuple[str, ...]) -> Any:
    """Return a parameter as makers take it, values by state in the order of the states."""
    if name in _TABLES and isinstance(value, list):
        return [_vector(name, row, states) for row in value]
    if name in _BY_STATE:
        return _vector(name, value, states)
    return math.inf if value == "Infinity" else value


def _vector(name: str, value: Any, states: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return align(value, states, name)
    if isinstance(value, list) and len(value) == len(states):
        return value
    raise InputError(
        f"must be an object or a list of {len(states)} numbers, one for each state, "
        f"got {brief(value)}",
        field=name,
    )
