"""Makers in files and on the command line: a kind and its parameters, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from ..entries import number
from ..errors import InputError
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
from .market import Market

__all__ = ["KINDS", "maker_from_dict", "maker_from_text", "maker_to_dict"]

#: What each kind is called in files.
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
#: What a text may give, and what it takes from the book.
_NUMBERS = {
    "knightian": ("risk_aversion", "ambiguity"),
    "lmsr": ("liquidity",),
    "starting_orders": ("delta",),
    "worst_state": (),
    "utility": ("wealth",),
    "quadratic": ("c",),
}
_DERIVED = {"lmsr": ("risk_aversion", "ambiguity")}


def maker_to_dict(maker: Maker) -> dict[str, Any]:
    """Return a maker as plain numbers and lists that :func:`maker_from_dict` reads back."""
    kind = _NAMES[type(maker)]
    stated: dict[str, Any] = {"kind": kind}
    for item in fields(maker):  # type: ignore[arg-type]
        if item.name not in _DERIVED.get(kind, ()):
            value = getattr(maker, item.name)
            stated[item.name] = value.tolist() if isinstance(value, np.ndarray) else value
    if kind == "worst_state":
        stated["states"] = maker.states
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
        raise InputError(f"must be one of {', '.join(KINDS)}, got {kind!r}", field="kind")
    try:
        return KINDS[kind](**parameters)
    except TypeError:
        raise InputError(
            f"does not make a maker of kind {kind}: {', '.join(parameters) or 'no parameters'}",
            field="maker",
        ) from None


def maker_from_text(text: str, market: Market) -> Maker:
    """Return the maker that a text names, with the prior and the inventory of a market.

    Parameters
    ----------
    text : str
        ``knightian:risk_aversion=A,ambiguity=O``, ``lmsr:liquidity=B``,
        ``starting_orders:delta=D`` (money in all, shared like the prior), ``worst_state``,
        ``utility:wealth=M``, or ``quadratic:c=C``.
    market : Market

    Raises
    ------
    InputError
        Naming what is not understood.
    """
    kind, _, rest = text.partition(":")
    if kind not in _NUMBERS:
        raise InputError(f"must be one of {', '.join(_NUMBERS)}, got {kind!r}", field="maker")
    wanted = _NUMBERS[kind]
    given: dict[str, float] = {}
    for pair in filter(None, rest.split(",")):
        name, _, value = (part.strip() for part in pair.partition("="))
        if name not in wanted or name in given:
            raise InputError(
                f"{kind} takes {' and '.join(wanted) or 'no parameters'}, got {pair!r}",
                field="maker",
            )
        try:
            given[name] = number(value)
        except ValueError as error:
            raise InputError(f"{name} {error}", field="maker") from None
    missing = [name for name in wanted if name not in given]
    if missing:
        raise InputError(f"{kind} needs {missing[0]}=...", field="maker")
    prior, inventory = market.prior, market.inventory
    if kind == "worst_state":
        return WorstStateMaker(len(market.states), inventory)
    if kind == "starting_orders":
        return StartingOrders(given["delta"] * prior, inventory)
    parameters: dict[str, Any] = {**given, "prior": prior, "inventory": inventory}
    return KINDS[kind](**parameters)
