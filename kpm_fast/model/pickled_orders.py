"""Books of orders as pickles bring them: perhaps damaged, or in memory that is somebody else's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..arrays import first
from ..errors import InputError
from .order_columns import parse_claims

__all__ = ["restored"]

_Orders = TypeVar("_Orders")  # of the module above


def restored(
    kind: Callable[..., _Orders],
    codes: Any,
    labels: tuple[str, ...] | None,
    side: Any,
    price: Any,
    quantity: Any,
    order_id: Any,
    time: Any,
    priority: Any = None,
) -> _Orders:
    """Return a book of unpickled columns, which the constructor validates and copies.

    ``priority`` follows from the times: only earlier releases state it.
    """
    book: Any = kind(codes, side, price, quantity, order_id, time)
    if labels is not None:
        beyond = first(book._codes >= len(labels))
        if beyond is not None or (labels and parse_claims(labels, len(labels))[1] != labels):
            raise InputError("is damaged: has labels that are not of these orders", field="claim")
        book._labels = labels
    made: _Orders = book
    return made
