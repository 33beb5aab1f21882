"""``advise``: what an operator needs to know about a book before choosing the maker's ambiguity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..arrays import check_choice
from ..clearing.implied import where_trade_stops
from ..model.book_types import check_book
from ..model.maker_model import check_knightian, check_maker, rules_of
from ..model.market import Market
from ..model.orders import Orders
from ..model.rules import RULES
from .sweep import Sweep, check_options, shown, sweep

__all__ = ["Advice", "advise", "telling_ambiguities", "verdict"]

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
        The book at ambiguities up to the implied one, by ``rule``; its ``status`` says which rows a
        limit stopped.
    ambiguity : float
        The market's.
    rule : str
        By which the book was cleared.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, ambiguity=0.1)
    >>> advice = kpm.advise(market, kpm.Orders([0], "buy", [0.6], [10]))
    >>> round(advice.implied_ambiguity, 4), round(advice.loss_bound, 2)
    (0.0201, 32.88)
    """

    implied_ambiguity: float
    loss_bound: float
    frontier: Sweep
    ambiguity: float
    rule: str

    __hash__ = None  # type: ignore[assignment]  # equal by tables, which have no hash

    def __str__(self) -> str:
        return "\n".join([*self._verdict(), *self._table()])

    def _verdict(self) -> list[str]:
        return [
            *verdict(self.implied_ambiguity, self.ambiguity),
            "At the market's ambiguity no state can cost the maker more than "
            f"{self.loss_bound:.6g}, however many auctions follow.",
            *([] if self.rule == RULES[0] else [f"The clearings below are by {self.rule}."]),
        ]

    def _table(self) -> list[str]:
        head = ("ambiguity", "gain", "expected", "worst state", "volume", "status")
        columns = ("ambiguity", "gain", "expected_payoff", "worst_payoff", "volume", "status")
        rows = [
            "".join(f"{entry:>13}" for entry in row)
            for row in zip(*(shown(self.frontier, name, 5) for name in columns), strict=True)
        ]
        return ["", "".join(f"{name:>13}" for name in head), *rows]


def verdict(stop: float, own: float) -> list[str]:
    """Say where trade stops, and how far from there a market's own ambiguity is, as sentences."""
    if math.isnan(stop):
        return ["Wealth differs between states: trade does not stop at one ambiguity."]
    if math.isinf(stop):
        return ["Orders cross: they trade with each other at any ambiguity."]
    if stop == 0.0:
        return ["No order is worth filling at the prior: trade is a gain at no ambiguity."]
    if own >= stop:
        there = f"is not less: nothing is gained. Choose less than {stop:.2g}."
    else:
        there = f"is {100 * own / stop:.0f} % of that."
    return [f"Trade stops at an ambiguity of {stop:.4g} nats.", f"The market's, {own:g}, {there}"]


def advise(
    market: Market, orders: Orders, *, rule: str = "maker_optimal", **options: Any
) -> Advice:
    """Report where trade stops, what the maker can lose, and its gain at ambiguities below.

    Parameters
    ----------
    market : Market
        With the Knightian maker: others have no ambiguity to choose.
    orders : Orders
    rule : {"maker_optimal", "competitive", "pay_as_bid"}
        As for :func:`kpm_fast.clear`. Where trade stops and the loss bound are the same under each.
    **options
        Passed on to :func:`kpm_fast.clear`: ``time_limit`` (of each clearing), ``tolerance``, ...

    Returns
    -------
    Advice

    Raises
    ------
    InputError
        If the maker is not Knightian, or does not have the rule: naming those that it has.
    TypeError
        If an option is not one of those of :func:`kpm_fast.clear`.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, ambiguity=0.1)
    >>> orders = kpm.Orders([0], "buy", [0.6], [10])
    >>> print(str(kpm.advise(market, orders)).splitlines()[1])
    The market's, 0.1, is not less: nothing is gained. Choose less than 0.02.
    """
    check_book(market, orders)
    check_options(advise, options)
    check_choice(rule, RULES, "rule")
    rules = f" (sweep clears by each of its rules, {', '.join(rules_of(market))})"
    check_knightian(market, "on whose ambiguity this advises", rules)
    check_maker(rule, market)
    stop = where_trade_stops(market, orders)
    frontier = sweep(market, orders, ambiguity=_radii(stop), rule=rule, **options)
    return Advice(stop, market.maker.loss_bound(), frontier, market.ambiguity, rule)


def telling_ambiguities(market: Market, orders: Orders) -> list[float]:
    """Return ambiguities that show how a clearing changes: up to where trade stops, if it does."""
    return _radii(where_trade_stops(market, orders))


def _radii(stop: float) -> list[float]:
    return [share * stop for share in _SHARES] if 0.0 < stop < math.inf else list(_RADII)
