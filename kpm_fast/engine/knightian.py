"""What an engine takes of a market."""

from __future__ import annotations

from ..arrays import Floats
from ..errors import InputError
from ..model.makers import KnightianMaker
from ..model.market import Market

__all__ = ["check_knightian", "core_arguments"]


def core_arguments(market: Market) -> tuple[Floats, Floats, Floats, float, float]:
    """Return what the core's engine is made of."""
    return (
        market.payoffs,
        market.prior,
        market.inventory,
        market.risk_aversion,
        market.ambiguity,
    )


def check_knightian(market: Market) -> None:
    """Refuse a market of another maker."""
    if not isinstance(market.maker, KnightianMaker):
        raise InputError(
            f"must have a Knightian maker, got {type(market.maker).__name__}", field="market"
        )
