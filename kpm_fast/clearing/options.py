"""Options of a clearing: checked before any work."""

from __future__ import annotations

import math
from typing import Any

from .. import _core
from ..arrays import Floats, Ints, as_integer, as_number
from ..errors import InputError, TooManyCellsError, brief
from ..model.market import Market
from ..model.orders import Orders

__all__ = [
    "MOST_ITERATIONS",
    "MOST_NODES",
    "check_cells",
    "checked_count",
    "checked_time_limit",
    "checked_tolerance",
    "without_times",
]

MOST_NODES, MOST_ITERATIONS = 2**63 - 1, 2**31 - 1  # the ranges of the core's counters


def checked_tolerance(value: Any) -> float:
    """Return a tolerance between 0 and 1."""
    number = as_number(value, "tolerance")
    if not 0 < number < 1:
        raise InputError(f"must be between 0 and 1, got {brief(value)}", field="tolerance")
    return number


def checked_time_limit(value: Any) -> float:
    """Return a number of seconds, zero or more."""
    number = as_number(value, "time_limit")
    if not number >= 0:
        raise InputError(
            f"must be a number of seconds >= 0, got {brief(value)}", field="time_limit"
        )
    return number


def checked_count(value: Any, field: str, least: int, most: int | None = None) -> int:
    """Return an integer within its limits."""
    number = as_integer(value, field)
    if number < least:
        raise InputError(f"must be at least {least}, got {brief(value)}", field=field)
    if most is not None and number > most:
        raise InputError(f"must be at most {most}, got {brief(value)}", field=field)
    return number


def check_cells(
    market: Market, claim: Ints, side: Any, price: Floats, quantity: Floats, most: float
) -> int:
    """Return the number of cells of a book; refuse more than may be enumerated."""
    pieces = _core.count_pieces(market.payoffs, claim, side, price, quantity)
    cells = math.prod(pieces)
    if cells > most:
        raise TooManyCellsError(cells, pieces, int(most), market.claims)
    return cells


def without_times(orders: Orders) -> str:
    """Report that orders have no times, and which column may hold them."""
    ignored = orders.ignored_columns
    return (
        "'time' needs times, which the orders do not have"
        + (f" (columns not read: {', '.join(ignored)})" if ignored else "")
        + f"; name their column, as columns={{'time': {ignored[0] if ignored else 'timestamp'!r}}}"
        " (--columns time=...), or fill by their order in the book with 'book_order'"
    )
