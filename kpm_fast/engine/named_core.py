"""The core's engine with the table of its orders' names."""

from __future__ import annotations

from typing import Any

from .. import _core
from ..arrays import Floats
from ..errors import InputError, brief
from ..model.faults import error_of
from ..model.maker_model import maker_model
from ..model.market import Market
from .order_names import OrderNames

__all__ = ["core_arguments", "refusal", "with_names"]


def with_names(market: Market, names: OrderNames, orders: int) -> tuple[_core.Engine, OrderNames]:
    """Return an engine of the core, with room for orders, that keeps a table of names; and that."""
    return _core.Engine(*core_arguments(market), orders, *names.tables), names


def core_arguments(market: Market) -> tuple[dict[str, Any], Floats, Floats]:
    """Return the maker, the payoffs and the inventory, which the core's engine copies."""
    return maker_model(market), market.payoffs, market.inventory


def refusal(fault: _core.Fault, name: str) -> InputError:
    """Return the error for a fault of an order, which has a name for its caller, and no number."""
    error = error_of(fault)
    if error.field != "order_id":
        return error
    reason, _, _ = error.reason.rpartition(", got ")
    return InputError(f"{reason}, got {brief(name)}", field="order_id")
