"""The check that a market is a :class:`Market` and orders are :class:`Orders`."""

from __future__ import annotations

from ..errors import InputError
from .market import Market
from .orders import Orders

__all__ = ["check_book", "check_market"]


def check_market(market: Market) -> None:
    """Refuse anything in the place of a market."""
    if not isinstance(market, Market):
        raise InputError(f"must be a Market, got {type(market).__name__}", field="market")


def check_book(market: Market, orders: Orders) -> None:
    """Refuse anything but a market and orders."""
    check_market(market)
    if not isinstance(orders, Orders):
        raise InputError(
            f"must be Orders (Orders.from_frame makes them), got {type(orders).__name__}",
            field="orders",
        )
