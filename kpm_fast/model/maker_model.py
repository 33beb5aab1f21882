"""A market's maker as the core reads it."""

from __future__ import annotations

from typing import Any

from ..errors import InputError
from .makers import KnightianMaker
from .market import Market

__all__ = ["check_knightian", "is_knightian", "maker_model", "maker_text"]


def is_knightian(market: Market) -> bool:
    """Whether the market's maker is Knightian, as in the short form of a market."""
    given = vars(market).get("_maker")
    return given is None or bool(given._model()["kind"] == "knightian")


def check_knightian(market: Market, purpose: str, instead: str = "") -> None:
    """Refuse another maker where only the Knightian one will do: for ``purpose``."""
    if not is_knightian(market):
        raise InputError(
            f"must have the Knightian maker, {purpose}, got {type(market.maker).__name__}{instead}",
            field="market",
        )


def maker_model(market: Market) -> dict[str, Any]:
    """Return the parameters of a market's maker, as the core reads them."""
    given = vars(market).get("_maker")
    if given is not None:
        model: dict[str, Any] = given._model()
        return model
    # The short form: the model of a KnightianMaker with these parameters, which have been checked.
    return {
        "kind": "knightian",
        "states": len(market.states),
        "prior": market.prior,
        "risk_aversion": market.risk_aversion,
        "ambiguity": market.ambiguity,
    }


def maker_text(market: Market) -> str:
    """Return the maker in words: its preferences, or what another kind is made of."""
    if type(vars(market).get("_maker")) in (type(None), KnightianMaker):
        return f"risk aversion {market.risk_aversion:g}, ambiguity {market.ambiguity:g}"
    return str(market.maker)
