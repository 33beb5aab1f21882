"""A market from two tables of text: what the claims pay, and the states with the maker's prior."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ..entries import composed, repeated
from ..errors import InputError
from ..files.tables import CsvTable
from .maker import Maker

__all__ = ["market_of_tables"]

_Market = TypeVar("_Market")


def market_of_tables(
    build: Callable[..., _Market],
    payoff_table: CsvTable,
    state_table: CsvTable,
    maker: Maker | None,
    keywords: dict[str, Any],
) -> _Market:
    """Return the market of a table of claims and one of states.

    Parameters
    ----------
    build : type of Market
    payoff_table, state_table : CsvTable
        With a column ``claim`` and a column ``state``, respectively.
    maker : Maker or None
        Instead of the columns ``prior``, which must be there otherwise, and ``inventory``.
    keywords : dict
        Other arguments of :class:`kpm_fast.Market`, which take precedence.

    Raises
    ------
    InputError
        Naming file and line where the tables have these.
    """
    payoff_table.check(["claim"])
    state_table.check(["state", *(["prior"] if maker is None else [])], ["inventory"])
    states = _unique_column(state_table, "state")
    claims = _unique_column(payoff_table, "claim")
    named = [name for name in payoff_table.names if name != "claim"]
    _check_same_states(named, states, payoff_table, state_table)
    column = {composed(name): name for name in named}
    columns: dict[str, Any] = {
        "payoffs": np.array([payoff_table.numbers(column[composed(s)]) for s in states]).T,
    }
    if maker is not None:
        keywords["maker"] = maker
    else:
        columns["prior"] = state_table.numbers("prior")
    if maker is None and "inventory" in state_table and keywords.get("inventory") is None:
        keywords.pop("inventory", None)
        columns["inventory"] = state_table.numbers("inventory")
    try:
        return build(**columns, **keywords, claims=claims, states=states)
    except InputError as error:
        if error.field not in columns:  # a keyword's error, which is not the files'
            raise
        by_claim = error.field == "payoffs"
        table, labels = (payoff_table, claims) if by_claim else (state_table, states)
        label = error.index[0] if isinstance(error.index, tuple) else error.index
        row = labels.index(label) if isinstance(label, str) else None
        raise table.located(error, row) from None


def _unique_column(table: CsvTable, name: str) -> list[str]:
    labels = table.text(name)
    if not labels:
        raise InputError(
            f"must have at least one row, got none in {table.title}", field=name, file=table.path
        )
    if "" in labels:
        raise table.error(labels.index(""), name, "must not be empty, got ''")
    again = repeated(labels)
    if again is not None:
        row, before, spelling = again
        raise table.error(
            row,
            name,
            f"must be distinct, got {labels[row]!r}, which is {table.place(before)} too{spelling}",
        )
    return labels


def _check_same_states(
    columns: list[str], states: list[str], claims: CsvTable, others: CsvTable
) -> None:
    again = repeated(columns)
    if again is not None:
        raise InputError(
            f"state {columns[again[0]]!r} has two columns in {claims.title}{again[2]}",
            file=claims.path,
        )
    for names, others_names, here, there in (
        (columns, states, claims, others),
        (states, columns, others, claims),
    ):
        known = set(map(composed, others_names))
        missing = [name for name in names if composed(name) not in known]
        if missing:
            raise InputError(
                f"state {missing[0]!r} of {here.title} is not in {there.title}: "
                f"both {'files' if here.path != there.path else 'tables'} must have the same "
                "states",
                file=here.path,
            )
