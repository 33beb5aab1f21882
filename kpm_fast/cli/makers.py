"""The makers that the command line offers, made of a book's own prior and inventory."""

from __future__ import annotations

from ..errors import InputError
from ..model.makers import LMSR, QuadraticMaker, StartingOrders, UtilityMaker, WorstStateMaker
from ..model.market import Market

__all__ = ["MAKERS", "with_maker"]

MAKERS = ("knightian", "lmsr", "starting-orders", "worst-state", "utility", "quadratic")
_SIZED = ("lmsr", "starting-orders", "utility", "quadratic")


def with_maker(market: Market, name: str, size: float | None) -> Market:
    """Return the market with another maker, who has its prior and inventory."""
    if name not in _SIZED and size is not None:
        raise InputError(f"{name} has none", field="--size")
    if name in _SIZED and size is None:
        raise InputError(f"{name} needs one, in money", field="--size")
    if name == "knightian":
        return market
    prior, inventory = market.prior, market.inventory
    if size is None:
        return market.replace(maker=WorstStateMaker(len(prior), inventory))
    if name == "lmsr":
        return market.replace(maker=LMSR(size, prior, inventory))
    if name == "starting-orders":
        return market.replace(maker=StartingOrders(size * prior, inventory))
    if name == "utility":
        return market.replace(maker=UtilityMaker(prior, size, inventory))
    return market.replace(maker=QuadraticMaker(prior, size, inventory))
