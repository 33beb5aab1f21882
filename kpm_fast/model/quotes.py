"""Quotes of a maker, and a single trade with it, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Floats
from ..errors import InputError, brief
from ..files.tables import make_frame
from .immutable import Value, array_of

__all__ = ["Quotes", "Trade"]

_PAYOFF = {"payoff": ("<f8", "N")}


@dataclass(frozen=True, eq=False, repr=False)
class Quotes(Value):
    """Bids and asks of a maker, in money per share. Immutable.

    Attributes
    ----------
    claims : tuple of str
        Labels; row numbers for payoffs without labels.
    quantities : ndarray of shape (K,) or (K, S), or None
        Shares of the blocks that are quoted; None: the next share.
    bid, ask : ndarray of shape (K,) or (K, S)
        What the maker pays and what it charges. ``quotes["bid"]`` is the same as ``quotes.bid``.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> quotes = kpm.LMSR(100.0, [0.5, 0.5]).quotes({"home": [1, 0]}, 10)
    >>> quotes.claims, quotes.bid.round(4).tolist(), quotes["ask"].round(4).tolist()
    (('home',), [0.4875], [0.5125])
    """

    claims: tuple[str, ...]
    quantities: Floats | None
    bid: Floats
    ask: Floats

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if not isinstance(self.claims, tuple):
            raise InputError(f"must be a tuple, got {brief(self.claims)}", field="claims")
        axes = "K" if np.ndim(self.bid) == 1 else "KS"
        sizes = {"K": len(self.claims)}
        names = ("bid", "ask") if self.quantities is None else ("bid", "ask", "quantities")
        for name in names:
            self.__dict__[name] = array_of(getattr(self, name), "<f8", axes, sizes, name)

    @property
    def spread(self) -> Floats:
        """Ask minus bid, in money per share; of shape (K,) or (K, S)."""
        return np.asarray(self.ask - self.bid)

    def __getitem__(self, name: str) -> Floats:
        if name not in ("bid", "ask", "spread"):
            raise KeyError(name)
        value: Floats = getattr(self, name)
        return value

    def table(self) -> dict[str, Any]:
        """Return the quotes as columns: claim, bid and ask, and quantity for blocks.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> quotes = kpm.LMSR(100.0, [0.5, 0.5]).quotes([[1, 0]])
        >>> quotes.table()["claim"]
        ['0']
        """
        sizes = self.bid.shape[1] if self.bid.ndim == 2 else 1
        columns: dict[str, Any] = {"claim": [claim for claim in self.claims for _ in range(sizes)]}
        if self.quantities is not None:
            columns["quantity"] = self.quantities.ravel()
        return {**columns, "bid": self.bid.ravel(), "ask": self.ask.ravel()}

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return the quotes as a data frame, a row for each claim and quantity.

        Parameters
        ----------
        backend : {"pandas", "polars", "pyarrow"}
            The library, which must be installed.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> quotes = kpm.LMSR(100.0, [0.5, 0.5]).quotes([[1, 0]])
        >>> quotes.to_frame()["ask"].tolist()
        [0.5]
        """
        return make_frame(self.table(), backend)

    def __repr__(self) -> str:
        sizes = self.bid.shape[1] if self.bid.ndim == 2 else 1
        if self.quantities is None:
            what = "the next share"
        else:
            what = "a block" if sizes == 1 else f"{sizes} blocks"
        return f"Quotes({len(self.claims)} claims, {what} each)"


@dataclass(frozen=True, eq=False)
class Trade(Value):
    """The trade of a single order with a maker. Immutable.

    Attributes
    ----------
    payoff : ndarray of shape (N,)
        Money that one share pays in each state.
    side : {"buy", "sell"}
    limit : float
        Of the order, in money per share.
    quantity : float
        Shares filled.
    payment : float
        Money to the maker; negative where the maker pays.
    price : float
        Money per share; if nothing was filled, what the next share would have cost.
    rule : {"cost", "final", "limit"}
        The rule of the payment; see :meth:`kpm_fast.Maker.trade`.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> trade, maker = kpm.LMSR(100.0, [0.5, 0.5]).trade([1, 0], "buy", 0.6, 10)
    >>> trade.quantity, round(trade.payment, 4), round(trade.price, 4)
    (10.0, 5.1249, 0.5125)
    """

    _arrays = _PAYOFF

    payoff: Floats
    side: str
    limit: float
    quantity: float
    payment: float
    price: float
    rule: str

    def __hash__(self) -> int:  # type: ignore[override]  # of a value that has none
        return self._hash()
