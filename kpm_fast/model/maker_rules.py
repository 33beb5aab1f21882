"""The rules that a market's maker has."""

from __future__ import annotations

from ..errors import InputError
from .maker_model import is_knightian, maker_model
from .market import Market
from .rules import RULES

__all__ = ["check_maker", "rules_of"]

_OF_ONE_MAKER = {"maker_optimal": "knightian", "pdca": "starting_orders"}


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
        owner = "StartingOrders" if rule == "pdca" else "the Knightian maker"
        raise InputError(
            f"must be one of {', '.join(rules)} for {type(market.maker).__name__}, got {rule!r}, "
            f"which is for {owner}",
            field="rule",
        )
