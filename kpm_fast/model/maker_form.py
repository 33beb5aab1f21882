"""Makers in files and on the command line: a kind and its parameters, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np

from ..entries import number
from ..errors import InputError, brief, suggestion
from ..files.tables import read_csv
from .labels import reordering
from .maker import Maker
from .makers import (
    LMSR,
    KnightianMaker,
    PolytopeMaker,
    QuadraticMaker,
    StartingOrders,
    UtilityMaker,
    WorstStateMaker,
)
from .market import DEFAULT_AMBIGUITY, Market

__all__ = ["KINDS", "files_of_text", "maker_from_dict", "maker_from_text", "maker_to_dict"]

#: The name of each kind in files.
KINDS: dict[str, type[Maker]] = {
    "knightian": KnightianMaker,
    "lmsr": LMSR,
    "starting_orders": StartingOrders,
    "worst_state": WorstStateMaker,
    "polytope": PolytopeMaker,
    "utility": UtilityMaker,
    "quadratic": QuadraticMaker,
}
_NAMES = {maker: name for name, maker in KINDS.items()}
#: The numbers that a text may give; other parameters are those of the book.
_NUMBERS = {
    "knightian": ("risk_aversion", "ambiguity"),
    "lmsr": ("liquidity",),
    "starting_orders": ("delta",),
    "worst_state": (),
    "polytope": ("risk_aversion",),
    "utility": ("wealth",),
    "quadratic": ("c",),
}
#: Parameters taken from the book's maker if it has them, with a market's defaults.
_DEFAULTS: dict[str, dict[str, float]] = {
    "knightian": {"risk_aversion": 1.0, "ambiguity": DEFAULT_AMBIGUITY},
    "polytope": {"risk_aversion": 1.0},
}
_DERIVED = {"lmsr": ("risk_aversion", "ambiguity")}


def maker_to_dict(maker: Maker) -> dict[str, Any]:
    """Return a maker as plain numbers and lists that :func:`maker_from_dict` reads back.

    Raises
    ------
    InputError
        If it is of a class of the caller's own, which no file can describe.
    """
    kind = _NAMES.get(type(maker))
    if kind is None:
        raise InputError(
            f"cannot be written: {type(maker).__name__} is none of the makers of kpm_fast",
            field="maker",
        )
    stated: dict[str, Any] = {"kind": kind}
    for item in fields(maker):  # type: ignore[arg-type]
        if item.name not in _DERIVED.get(kind, ()):
            value = getattr(maker, item.name)
            stated[item.name] = value.tolist() if isinstance(value, np.ndarray) else value
    if kind == "worst_state":
        stated["states"] = maker.states
    if "_labels" in vars(maker):
        stated["labels"] = list(maker.labels)
    return stated


def maker_from_dict(stated: Mapping[str, Any]) -> Maker:
    """Return the maker that :func:`maker_to_dict` stated.

    Raises
    ------
    InputError
        Naming the kind or parameter at fault.
    """
    parameters = dict(stated)
    kind = parameters.pop("kind", None)
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError(f"must be one of {', '.join(KINDS)}, got {brief(kind)}", field="kind")
    labels = parameters.pop("labels", None)
    known = list(signature(KINDS[kind]).parameters.values())
    names = [item.name for item in known]
    for name in parameters:
        if name not in names:
            hint = suggestion(name, names) or f" (parameters: {', '.join(names)})"
            raise InputError(f"is no parameter of a maker of kind {kind!r}{hint}", field=name)
    for item in known:
        if item.default is item.empty and item.name not in parameters:
            raise InputError(f"is missing, which a maker of kind {kind!r} needs", field=item.name)
    maker = KINDS[kind](**parameters)
    return maker if labels is None else maker._named(labels)


def maker_from_text(text: str, market: Market) -> Maker:
    """Return the maker that a text names, with the prior and the inventory of a market.

    Parameters
    ----------
    text : str
        ``knightian:risk_aversion=A,ambiguity=O`` (without one, the market's), ``lmsr:liquidity=B``,
        ``starting_orders:delta=D`` (money in all, shared like the prior), ``worst_state``,
        ``polytope:risk_aversion=A,priors=FILE`` (a table with a column ``state`` and one for each
        prior; without ``priors``, the hull of the market's polytope), ``utility:wealth=M``, or
        ``quadratic:c=C``.
    market : Market

    Raises
    ------
    InputError
        Naming the kind or the parameter at fault.
    """
    kind, _, rest = text.partition(":")
    if kind not in _NUMBERS:
        raise InputError(f"must be one of {', '.join(_NUMBERS)}, got {brief(kind)}", field="maker")
    given = _parameters(kind, rest)
    owner = market.maker
    for name, value in _DEFAULTS.get(kind, {}).items():
        given.setdefault(name, getattr(owner, name, value))
    missing = [name for name in _NUMBERS[kind] if name not in given]
    if missing:
        raise InputError(f"{kind} needs {missing[0]}=...", field="maker")
    if kind == "worst_state":
        return WorstStateMaker(market.states, owner.inventory)
    if kind == "polytope":
        priors = given.pop("priors", None)
        if priors is not None:
            return _polytope(Path(priors), market, given)
        if isinstance(owner, PolytopeMaker):
            return _made(kind, {**given, "priors": owner.priors, "inventory": owner.inventory})
        raise InputError("polytope needs priors=FILE", field="maker")
    if kind == "starting_orders":
        return _starting_orders(given["delta"], market)
    return _made(kind, {**given, "prior": market.prior, "inventory": owner.inventory})


def _made(kind: str, parameters: dict[str, Any]) -> Maker:
    try:
        return KINDS[kind](**parameters)
    except InputError as error:
        if error.field not in _NUMBERS[kind]:
            raise
        raise InputError(f"{error.field} {error.reason}", field="maker") from None


def _starting_orders(money: float, market: Market) -> StartingOrders:
    """Share money like the prior; an error is about the money, not the share of a state."""
    if not 0 < money < math.inf:
        raise InputError(f"delta must be a finite number > 0, got {money}", field="maker")
    try:
        return StartingOrders(money * market.prior, market.maker.inventory)
    except InputError as error:
        if error.field != "delta":
            raise
        reason = f"delta={money!r}, shared like the prior, {error.reason}"
        raise InputError(reason, field="maker") from None


def files_of_text(text: str) -> list[Path]:
    """Return the files that :func:`maker_from_text` reads for this text."""
    kind, _, rest = text.partition(":")
    given = _parameters(kind, rest) if kind == "polytope" else {}
    return [Path(given["priors"])] if "priors" in given else []


def _parameters(kind: str, text: str) -> dict[str, Any]:
    """Return ``NAME=VALUE,...`` as numbers, and the path of a table of priors."""
    names = (*_NUMBERS[kind], *(("priors",) if kind == "polytope" else ()))
    given: dict[str, Any] = {}
    for pair in filter(None, text.split(",")):
        name, _, value = (part.strip() for part in pair.partition("="))
        if name in given:
            raise InputError(f"{name} is given twice, got {brief(text)}", field="maker")
        if name not in names:
            raise InputError(
                f"{kind} takes {' and '.join(names) or 'no parameters'}, got {brief(pair)}",
                field="maker",
            )
        try:
            given[name] = value if name == "priors" else number(value)
        except ValueError as error:
            raise InputError(f"{name} {error}", field="maker") from None
    return given


def _polytope(path: Path, market: Market, given: dict[str, Any]) -> Maker:
    """Return the maker of a table with a column for each prior; what is refused has a place there.

    ``given`` are its other parameters.
    """
    table = read_csv(path, ["state"])
    order = reordering(table.text("state"), market.states, "state", "state")
    names = [name for name in table.names if name != "state"]
    if not names:
        raise InputError(
            "must have a column for each prior beside 'state', got none", field="priors", file=path
        )
    priors = np.array([table.numbers(name)[order] for name in names])
    inventory = market.maker.inventory
    try:
        return _made("polytope", {**given, "priors": priors, "inventory": inventory})
    except InputError as error:
        if error.field != "priors" or error.index is None:
            raise
        if isinstance(error.index, tuple):
            prior, state = map(int, error.index)
            raise table.error(order[state], names[prior], error.reason) from None
        raise InputError(error.reason, field=names[int(error.index)], file=path) from None
