"""A market's maker: as the core reads it, in words, and the rules that it has."""

from __future__ import annotations

from typing import Any

from ..errors import InputError
from .makers import KnightianMaker
from .market import Market
from .rules import RULES

__all__ = [
    "check_knightian",
    "check_maker",
    "is_knightian",
    "maker_model",
    "maker_text",
    "rules_of",
]

_OF_ONE_MAKER = {"maker_optimal": "knightian", "pdca": "starting_orders"}


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


def rules_of(market: Market) -> tuple[str, ...]:
    """Return the rules that apply to the market's maker."""
    kind = "knightian" if is_knightian(market) else maker_model(market)["kind"]
    return tuple(rule for rule in RULES if _OF_ONE_MAKER.get(rule, kind) == kind)


def check_maker(rule: str, market: Market) -> None:
    """Refuse a rule that does not apply to the market's maker."""
    wanted = _OF_ONE_MAKER.get(rule)
    if wanted is None or (wanted == "knightian" and is_knightian(market)):
        return
    rules = rules_of(market)
    if rule not in rules:
        owner = "StartingOrders" if rule == "pdca" else "the Knightian maker or LMSR"
        raise InputError(
            f"must be one of {', '.join(rules)} for {type(market.maker).__name__}, got {rule!r}, "
            f"which is for {owner}",
            field="rule",
        )
