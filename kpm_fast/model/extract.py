"""The part of a clearing that concerns one claim, one order or one state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Floats, Ints, exact_sum, frozen
from ..entries import composed, identifier
from ..errors import InputError, brief, suggestion
from ..files.tables import make_frame
from .immutable import Value
from .labels import unknown_label
from .orders import Orders
from .outcome import Outcome

__all__ = [
    "ClaimResult",
    "OrderResult",
    "Settlement",
    "claim_position",
    "claim_result",
    "order_result",
    "settlement",
]

_BY_ORDER = {"fills": ("<f8", "J"), "paid_prices": ("<f8", "J")}
_SETTLED = {
    "order_id": ("|O", "J"),
    **dict.fromkeys(("premium", "payout", "net"), ("<f8", "J")),
}
_AT_LIMIT = 1e-9  # of a claim's payoff range: a published price so near to a limit is at it


@dataclass(frozen=True, eq=False, repr=False)
class ClaimResult(Value):
    """One claim of a cleared book. Immutable; equal by value.

    Attributes
    ----------
    claim : str
    price : float
        Clearing price, money per share.
    net_demand : float
        Shares bought less shares sold by the orders: what the maker sells.
    bought, sold : float
        Shares.
    orders : Orders
        The orders for this claim, in the order of the book; n of them.
    fills : ndarray, shape (n,)
        Shares filled of each.
    paid_prices : ndarray, shape (n,)
        Money per share that each pays: the clearing price, or its limit under ``"pay_as_bid"``.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, claims=["home"])
    >>> orders = kpm.Orders(["home"], "buy", [0.6], [10], order_id=["o17"])
    >>> home = kpm.clear(market, orders)["home"]
    >>> print(round(home.price, 4), home.net_demand, home.orders.order_id.tolist())
    0.6 10.0 ['o17']
    """

    _arrays = _BY_ORDER

    claim: str
    price: float
    net_demand: float
    bought: float
    sold: float
    orders: Orders
    fills: Floats
    paid_prices: Floats

    def _sizes(self) -> dict[str, int]:
        if not isinstance(self.orders, Orders):
            raise InputError(f"must be Orders, got {brief(self.orders)}", field="orders")
        return {"J": len(self.orders)}

    def table(self) -> dict[str, Any]:
        """Return columns by order: order_id, side, price (its limit), quantity, fill, paid.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, claims=["home"])
        >>> orders = kpm.Orders(["home"], "buy", [0.6], [10])
        >>> kpm.clear(market, orders)["home"].table()["fill"].tolist()
        [10.0]
        """
        return {
            "order_id": self.orders.order_id,
            "side": self.orders.side_names,
            "price": self.orders.price,
            "quantity": self.orders.quantity,
            "fill": self.fills,
            "paid": self.paid_prices,
        }

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return :meth:`table` as a data frame of pandas, polars or pyarrow."""
        return make_frame(self.table(), backend)

    def __repr__(self) -> str:
        return (
            f"ClaimResult({self.claim!r}, price={self.price:.6g}, "
            f"net_demand={self.net_demand:.6g}, {len(self.orders)} orders)"
        )


@dataclass(frozen=True)
class OrderResult:
    """The outcome of one order. Prints as a sentence.

    Attributes
    ----------
    order_id, claim : str
    side : {"buy", "sell"}
    limit : float
        Money per share.
    quantity, fill : float
        Shares ordered and shares filled.
    clearing_price, paid : float
        Money per share: of the claim, and what this order pays (a sale: receives).
    payment : float
        Money to the maker: ``paid`` times ``fill``, negative for sales.
    reason : str
        Why it was filled in full, in part or not at all, in words.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, claims=["home"])
    >>> orders = kpm.Orders(["home"], "buy", [0.6], [10], order_id=["o17"])
    >>> order = kpm.clear(market, orders).order("o17")
    >>> order.fill, round(order.paid, 6), round(order.payment, 6)
    (10.0, 0.6, 6.0)
    """

    order_id: str
    claim: str
    side: str
    limit: float
    quantity: float
    fill: float
    clearing_price: float
    paid: float
    payment: float
    reason: str

    def __str__(self) -> str:
        done = "bought" if self.side == "buy" else "sold"
        return (
            f"{self.order_id}: {done} {self.fill:.6g} of {self.quantity:.6g} {self.claim!r} "
            f"at {self.paid:.6g}; {self.reason}"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Settlement(Value):
    """Who gets what once a state has occurred. Immutable; equal by value.

    J orders; money as traders see it: negative is what they owe.

    Attributes
    ----------
    state : str
    order_id : ndarray of str, shape (J,)
    premium : ndarray, shape (J,)
        What each order paid at the clearing; negative for sales, which received it.
    payout : ndarray, shape (J,)
        What its shares are worth in this state; negative for sales.
    net : ndarray, shape (J,)
        ``payout - premium``.
    maker : float
        The maker's wealth: inventory, plus premiums, less payouts.
    maker_net : float
        The same without the inventory. It and all of ``net`` add up to zero.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, states=["won", "lost"])
    >>> result = kpm.clear(market, kpm.Orders([0], "buy", [0.6], [10]))
    >>> settled = result.settle("won")
    >>> settled.payout.tolist(), settled.premium.round(6).tolist(), round(settled.maker_net, 6)
    ([10.0], [6.0], -4.0)
    """

    _arrays = _SETTLED

    state: str
    order_id: Any
    premium: Floats
    payout: Floats
    net: Floats
    maker: float
    maker_net: float

    def table(self) -> dict[str, Any]:
        """Return columns by order: order_id, premium, payout, net."""
        return {
            "order_id": self.order_id,
            "premium": self.premium,
            "payout": self.payout,
            "net": self.net,
        }

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return :meth:`table` as a data frame of pandas, polars or pyarrow."""
        return make_frame(self.table(), backend)

    def __repr__(self) -> str:
        return (
            f"Settlement({self.state!r}, {len(self.net)} orders, maker={self.maker:.6g}, "
            f"maker_net={self.maker_net:.6g})"
        )


def claim_result(outcome: Outcome, claim: str | int) -> ClaimResult:
    """Return one claim of a cleared book; see :meth:`kpm_fast.Result.__getitem__`."""
    market = outcome.market
    k = claim_position(outcome, claim)
    rows = np.flatnonzero(outcome.orders.claim_index(market) == k)
    buys = outcome.orders.side[rows] > 0
    fills = frozen(outcome.fills[rows])
    return ClaimResult(
        claim=market.claims[k],
        price=_plain(outcome.claim_prices[k]),
        net_demand=_plain(outcome.net_demand[k]),
        bought=float(fills[buys].sum()),
        sold=float(fills[~buys].sum()),
        orders=_picked(outcome.orders, rows),
        fills=fills,
        paid_prices=frozen(outcome.paid_prices[rows]),
    )


def claim_position(outcome: Outcome, claim: str | int) -> int:
    """Return the position of a claim, given its label."""
    return _position(claim, outcome.market.claims, "claim")


def order_result(outcome: Outcome, order_id: str | int) -> OrderResult:
    """Return the outcome of one order; see :meth:`kpm_fast.Result.order`."""
    ids = outcome.orders.order_id
    wanted = _label(order_id, "order_id")
    found = np.flatnonzero(ids == wanted)
    if not len(found):
        near = suggestion(wanted, [str(name) for name in ids[:_NAMES_COMPARED]])
        raise InputError(f"the book has no order {brief(wanted)}{near}", field="order_id")
    row = int(found[0])
    order = outcome.orders[row]
    k = int(outcome.orders.claim_index(outcome.market)[row])
    fill, price = float(outcome.fills[row]), _plain(outcome.claim_prices[k])
    paid = _plain(outcome.paid_prices[row])
    sign = 1.0 if order.side == "buy" else -1.0
    return OrderResult(
        order_id=wanted,
        claim=outcome.market.claims[k],
        side=order.side,
        limit=order.price,
        quantity=order.quantity,
        fill=fill,
        clearing_price=price,
        paid=paid,
        payment=_plain(sign * fill * paid),
        reason=_reason(outcome, row, k, sign),
    )


def settlement(outcome: Outcome, state: str | int) -> Settlement:
    """Return who gets what in a state; see :meth:`kpm_fast.Result.settle`."""
    market, orders = outcome.market, outcome.orders
    i = _position(state, market.states, "state")
    signed = orders.side * outcome.fills
    premium = signed * outcome.paid_prices + 0.0
    payout = signed * market.payoffs[orders.claim_index(market), i] + 0.0
    net = payout - premium
    return Settlement(
        state=market.states[i],
        order_id=orders.order_id,
        premium=frozen(premium),
        payout=frozen(payout),
        net=frozen(net),
        maker=_plain(outcome.payoff[i]),
        maker_net=_plain(-exact_sum(net)),
    )


_NAMES_COMPARED = 10_000  # identifiers: comparing takes microseconds each


def _reason(outcome: Outcome, row: int, k: int, sign: float) -> str:
    """Say why an order is filled in full, in part or not at all."""
    price = float(outcome.claim_prices[k])
    quantity = float(outcome.orders.quantity[row])
    if quantity == 0.0:
        return "it asks for no shares"
    payoffs = outcome.market.payoffs[k]
    slack = _AT_LIMIT * float(np.ptp(payoffs) or abs(payoffs[0]) or 1.0)
    better = sign * (float(outcome.orders.price[row]) - price)
    if better > slack:
        return "its limit is better than the clearing price, so it is filled in full"
    if better < -slack:
        return "its limit is worse than the clearing price, so it is not filled"
    share = float(outcome.fills[row]) / quantity
    far = "in full" if share >= 1.0 else "not at all" if share <= 0.0 else "in part"
    shared = {"pro_rata": "in proportion to quantity", "time": "by time"}.get(
        outcome.allocation, "by place in the book"
    )
    return (
        f"its limit is the clearing price, where any part may be filled and orders share {shared}: "
        f"{far}"
    )


def _picked(orders: Orders, rows: Ints) -> Orders:
    """Return rows of a book with the identifiers they have in it, default ones included."""
    part = orders[rows]
    if orders.has_order_id:
        return part
    return Orders(
        part.claim, part.side, part.price, part.quantity, orders.order_id[rows], part.time
    )


def _position(value: str | int, labels: Sequence[str], axis: str) -> int:
    label = _label(value, axis)
    if label in labels:
        return labels.index(label)
    keys = list(map(composed, labels))
    if composed(label) not in keys:
        raise InputError(unknown_label(label, labels, axis), field=axis)
    return keys.index(composed(label))


def _label(value: Any, field: str) -> str:
    """Return a label; integers are labels by their digits, as everywhere in the package."""
    if isinstance(value, bool) or not isinstance(value, str | int | np.integer):
        raise InputError(f"must be a label, got {brief(value)}", field=field)
    try:
        return identifier(value, field, 0)
    except InputError as error:  # which has no index here
        raise InputError(error.reason, field=field) from None


def _plain(value: float) -> float:
    return float(value) + 0.0  # no negative zero
