"""``advise``: what an operator needs to know about a book before choosing the maker's ambiguity."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..clearing.implied import where_trade_stops
from ..errors import InputError
from ..model.book_types import check_book
from ..model.maker_model import is_knightian
from ..model.market import Market
from ..model.orders import Orders
from .sweep import Sweep, shown, sweep

__all__ = ["Advice", "advise", "telling_ambiguities"]

_SHARES = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)  # of the implied ambiguity
_RADII = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)  # nats, where there is none


@dataclass(frozen=True)
class Advice:
    """What a book says about the choice of ambiguity. Prints as text.

    Attributes
    ----------
    implied_ambiguity : float
        From where on trade is no gain, nats; infinite if orders cross, NaN if wealth differs
        between states.
    loss_bound : float
        The most that any state can take from the market's inventory, in this auction and all that
        follow with carried inventory, at the market's ambiguity; money (theorem D).
    frontier : Sweep
        The book at ambiguities up to the implied one, by ``maker_optimal``; its ``status`` says
        which rows a time limit stopped.
    ambiguity : float
        The market's.
    """

    implied_ambiguity: float
    loss_bound: float
    frontier: Sweep
    ambiguity: float

    __hash__ = None  # type: ignore[assignment]  # equal by tables, which have no hash

    def __str__(self) -> str:
        return "\n".join([*self._verdict(), *self._table()])

    def _verdict(self) -> list[str]:
        stop, own = self.implied_ambiguity, self.ambiguity
        lines = []
        if math.isnan(stop):
            lines.append("Wealth differs between states: trade does not stop at one ambiguity.")
        elif math.isinf(stop):
            lines.append("Orders cross: they trade with each other at any ambiguity.")
        elif stop == 0.0:
            lines.append("No order is worth filling at the prior: trade is a gain at no ambiguity.")
        else:
            lines.append(f"Trade stops at an ambiguity of {stop:.4g} nats.")
            if own >= stop:
                lines.append(
                    f"The market's, {own:g}, is not less: nothing is gained. Choose less than "
                    f"{stop:.2g}."
                )
            else:
                lines.append(f"The market's, {own:g}, is {100 * own / stop:.0f} % of that.")
        lines.append(
            "At the market's ambiguity no state can cost the maker more than "
            f"{self.loss_bound:.6g}, however many auctions follow."
        )
        return lines

    def _table(self) -> list[str]:
        head = ("ambiguity", "gain", "expected", "worst state", "volume", "status")
        columns = ("ambiguity", "gain", "expected_payoff", "worst_payoff", "volume", "status")
        rows = [
            "".join(f"{entry:>13}" for entry in row)
            for row in zip(*(shown(self.frontier, name, 5) for name in columns), strict=True)
        ]
        return ["", "".join(f"{name:>13}" for name in head), *rows]


def advise(market: Market, orders: Orders, *, time_limit: float | None = None) -> Advice:
    """Report where trade stops, what the maker can lose, and its gain at ambiguities below.

    Parameters
    ----------
    market : Market
    orders : Orders
    time_limit : float, optional
        Seconds, of each clearing. Default: none.

    Returns
    -------
    Advice

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, ambiguity=0.1)
    >>> orders = kpm.Orders([0], "buy", [0.6], [10])
    >>> print(str(kpm.advise(market, orders)).splitlines()[1])
    The market's, 0.1, is not less: nothing is gained. Choose less than 0.02.
    """
    check_book(market, orders)
    if not is_knightian(market):
        raise InputError(
            f"must have the Knightian maker, on whose ambiguity this advises, got "
            f"{type(market.maker).__name__}",
            field="market",
        )
    stop = where_trade_stops(market, orders)
    frontier = sweep(market, orders, ambiguity=_radii(stop), time_limit=time_limit)
    return Advice(stop, market.maker.loss_bound(), frontier, market.ambiguity)


def telling_ambiguities(market: Market, orders: Orders) -> list[float]:
    """Return ambiguities that show how a clearing changes: up to where trade stops, if it does."""
    return _radii(where_trade_stops(market, orders))


def _radii(stop: float) -> list[float]:
    return [share * stop for share in _SHARES] if 0.0 < stop < math.inf else list(_RADII)
