"""One limit order."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Order"]


class Order(NamedTuple):
    """One limit order, as :class:`Orders` hands it out.

    Attributes
    ----------
    claim : str or int
        Label, or index if the book was given with indices.
    side : str
        ``"buy"`` or ``"sell"``.
    price : float
        Limit, money per share.
    quantity : float
        Shares.
    order_id : str
    time : float, str or None
        Text where a double does not hold every digit.
    """

    claim: str | int
    side: str
    price: float
    quantity: float
    order_id: str
    time: float | str | None
