"""The picture of one claim's net demand against its price, and where it cleared."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Floats
from ..model.extract import claim_result
from ..model.outcome import Outcome
from .panels import one_panel, shortened
from .style import BLUE, GREY, INK, ORANGE, PALE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_staircase"]

_NOTHING = 1e-9  # of what trades: what rounding leaves of no position
_SMALL = 0.5  # of a claim's payoff range
_MANY = 60  # limits, from which flats and steps are no longer told apart


def draw_staircase(outcome: Outcome, claim: str | int, axes: Any = None) -> Axes:
    """Draw the flats and steps of a claim's net demand, and the clearing point."""
    part = claim_result(outcome, claim)
    payoffs = outcome.market.payoffs[outcome.market.claims.index(part.claim)]
    low, high = float(payoffs.min()), float(payoffs.max())
    if low == high:  # the claim has one price
        low, high = low - 0.5, high + 0.5
    corners = _corners(part.orders.side * part.orders.quantity, part.orders.price, low, high)
    left, right = _window(part.orders.price, part.price, low, high)
    with one_panel(axes, 7.2, 4.4) as panel:
        prices, demands = corners.T
        if len(corners) <= 2 * _MANY:
            for start, end in itertools.pairwise(corners):
                colour = ORANGE if start[0] == end[0] else BLUE
                panel.plot(*zip(start, end, strict=True), color=colour, linewidth=2.4, zorder=3)
        else:
            panel.plot(prices, demands, color=BLUE, linewidth=1.6, zorder=3)
        bottom, top = float(demands.min()), float(demands.max())
        margin = 0.08 * (top - bottom) or 1.0
        guide: dict[str, Any] = {"color": INK, "linewidth": 1.0, "linestyle": (0, (3, 3))}
        point = (part.price, part.net_demand)
        panel.plot(
            [point[0], point[0], left], [bottom - margin, point[1], point[1]], zorder=2, **guide
        )
        panel.plot(*point, "o", color=INK, markersize=8, zorder=6)
        panel.set_xlim(left, right)
        panel.set_ylim(bottom - margin, top + margin)
        if bottom - margin < 0.0 < top + margin:
            panel.axhspan(bottom - margin, 0.0, color=PALE, alpha=0.35, linewidth=0, zorder=0)
            # At the right, unless the line from the price down would run through the words; the one
            # to the demand, which is level, pauses for them.
            crossed = part.price > left + 0.75 * (right - left)
            for text, height, anchor in (("sells", 2, "bottom"), ("buys", -3, "top")):
                panel.annotate(
                    f"maker {text}",
                    (0.0 if crossed else 1.0, 0.0),
                    xycoords=("axes fraction", "data"),
                    xytext=(3 if crossed else -3, height),
                    textcoords="offset points",
                    color=GREY,
                    ha="left" if crossed else "right",
                    va=anchor,
                    clip_on=True,
                    zorder=2.5,
                    bbox={"facecolor": panel.get_facecolor(), "linewidth": 0, "pad": 0.5}
                    if text == "sells"
                    else None,
                )
        position = _position(part.net_demand, max(part.bought, part.sold))
        panel.set_title(f"{shortened(part.claim, 24)} at {part.price:,.4g}: {position}")
        pays = "" if (left, right) == (low, high) else f"; it pays {low:.6g} to {high:.6g}"
        panel.set_xlabel(f"price of the claim (money per share{pays})")
        panel.set_ylabel("net demand (shares)\nbids above the price less offers below it")
    return panel


def _window(limits: Floats, price: float, low: float, high: float) -> tuple[float, float]:
    """Return the prices to show: all, unless the steps stand close together in a small part."""
    inside = [*limits[(limits > low) & (limits < high)], price]
    first, last = float(min(inside)), float(max(inside))
    margin = max(0.2 * (last - first), 0.02 * (high - low))
    left, right = max(low, first - margin), min(high, last + margin)
    return (left, right) if right - left < _SMALL * (high - low) else (low, high)


def _position(demand: float, traded: float) -> str:
    if abs(demand) <= _NOTHING * traded:
        return "the maker takes no side"
    return f"the maker {'sells' if demand > 0 else 'buys'} {abs(demand):,.4g}"


def _corners(signed: Floats, limits: Floats, low: float, high: float) -> Floats:
    """Corner points (price, net demand) from the least to the greatest price, each a row."""
    at = np.clip(limits, low, high)  # beyond what the claim can pay, limits are all alike
    steps = np.unique(at[(at > low) & (at < high)])
    demand = signed[(signed > 0) & (at > low)].sum() + signed[(signed < 0) & (at <= low)].sum()
    points = [(low, demand)]
    for limit in steps:
        points.append((limit, demand))
        demand -= np.abs(signed[at == limit]).sum()
        points.append((limit, demand))
    points.append((high, demand))
    return np.array(points)
