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

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> order = kpm.Orders(["home"], "buy", [0.6], [10], order_id=["o17"])[0]
    >>> order.side, order.price, order.order_id
    ('buy', 0.6, 'o17')
    """

    claim: str | int
    side: str
    price: float
    quantity: float
    order_id: str
    time: float | str | None
