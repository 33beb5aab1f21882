"""The picture of claims' net demand against their price, and where they cleared."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..model.extract import ClaimResult, claim_position, claim_result
from ..model.outcome import Outcome
from .panels import amount, claim_panels, draw_each, one_panel, shortened, shown_claims
from .style import BLUE, GREY, INK, ORANGE, PALE, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_staircase", "draw_staircases", "draw_staircases_on"]

_NOTHING = 1e-9  # of what trades: a smaller net demand is rounding
_SMALL = 0.5  # of a claim's payoff range
_NAME = 15  # letters of a claim in the title of a small panel
_AROUND = 3.0  # times what trades: demands further away than that are not shown
_MANY = 60  # limits: with more, flats and steps have one colour


def draw_staircase(outcome: Outcome, claim: str | int, axes: Any = None) -> Axes:
    """Draw the flats and steps of a claim's net demand, and the clearing point."""
    k = claim_position(outcome, claim)
    with one_panel(axes, 7.2, 4.4) as panel:
        steps = _draw_steps(outcome, panel, k)
        bottom, top = panel.get_ylim()
        if bottom < 0.0 < top:
            _name_sides(panel, crossed=steps.crossed)
        part = steps.part
        panel.set_title(f"{shortened(part.claim, 24)} at {part.price:,.4g}: {_position(part)}")
        panel.set_xlabel(f"price of the claim (money per share{steps.pays})")
        panel.set_ylabel("net demand (shares)\nbids above the price less offers below it")
    return panel


def draw_staircases(outcome: Outcome, claims: Sequence[str | int] | None = None) -> Figure:
    """Draw the staircases of several claims in small panels, one each."""
    shown = shown_claims(outcome, claims)
    columns = min(len(shown), 3)
    rows = math.ceil(len(shown) / columns)
    with house_style():
        figure, panels = new_figure(max(3.0 * columns, 8.6), 2.7 * rows + 0.5, rows, columns)
        draw_each(shown, panels, partial(_draw_small, outcome))
        figure.set_layout_engine("constrained", h_pad=0.12, w_pad=0.08)
        figure.supylabel("net demand (shares): bids less offers", fontsize=10, color=INK)
        figure.supxlabel(
            "price (money per share); in the grey the maker buys", fontsize=10, color=INK
        )
        count = len(outcome.market.claims)
        of_all = f" ({len(shown)} of {count} claims)" if len(shown) < count else ""
        figure.suptitle(
            f"Bids less offers at every price, and where they cleared{of_all}",
            x=0.005,
            ha="left",
            weight="bold",
            fontsize=12,
        )
    return figure


def draw_staircases_on(
    outcome: Outcome, claims: Sequence[str | int] | None, axes: Any
) -> NDArray[np.object_]:
    """Draw staircases on the caller's axes, one claim each; further axes are hidden."""
    shown, panels = claim_panels(outcome, claims, axes)
    with house_style():
        draw_each(shown, panels, partial(_draw_small, outcome))
    return np.array(panels, dtype=object)


def _draw_small(outcome: Outcome, panel: Axes, k: int) -> None:
    steps = _draw_steps(outcome, panel, k, small=True)
    title = f"{shortened(steps.part.claim, _NAME)} at {steps.part.price:,.4g}"
    panel.set_title(title, fontsize=10, pad=18)
    panel.locator_params(axis="both", nbins=4)
    panel.yaxis.set_major_formatter(lambda value, _: amount(value))
    panel.annotate(
        _position(steps.part).replace("the maker", "maker"),
        (0.0, 1.0),
        xycoords="axes fraction",
        xytext=(0, 4),
        textcoords="offset points",
        color=GREY,
        fontsize=9,
    )


@dataclass(frozen=True)
class _Steps:
    """What was drawn in a panel, for its title and labels."""

    part: ClaimResult
    pays: str  # the claim's payoff range, if not all of it is shown
    crossed: bool  # the line from the price down runs through the right quarter


def _draw_steps(outcome: Outcome, panel: Axes, k: int, *, small: bool = False) -> _Steps:
    """Draw a claim's flats and steps on axes, and the clearing point."""
    part = claim_result(outcome, outcome.market.claims[k])
    payoffs = outcome.market.payoffs[k]
    low, high = float(payoffs.min()), float(payoffs.max())
    if low == high:  # the claim has one price
        low, high = low - 0.5, high + 0.5
    corners = _corners(part.orders.side * part.orders.quantity, part.orders.price, low, high)
    prices, demands = corners.T
    bottom, top = _reach(part, demands)
    shown = prices[(demands >= bottom) & (demands <= top)]
    left, right = _window(shown, part.price, low, high)
    if len(corners) <= 2 * _MANY:
        for start, end in itertools.pairwise(corners):
            panel.plot(
                *zip(start, end, strict=True),
                color=ORANGE if start[0] == end[0] else BLUE,
                linewidth=1.8 if small else 2.4,
                zorder=3,
            )
    else:
        panel.plot(prices, demands, color=BLUE, linewidth=1.6, zorder=3)
    guide: dict[str, Any] = {"color": INK, "linewidth": 1.0, "linestyle": (0, (3, 3))}
    point = (part.price, part.net_demand)
    panel.plot([point[0], point[0], left], [bottom, point[1], point[1]], zorder=2, **guide)
    panel.plot(*point, "o", color=INK, markersize=5 if small else 8, zorder=6)
    panel.set_xlim(left, right)
    panel.set_ylim(bottom, top)
    if bottom < 0.0 < top:
        panel.axhspan(bottom, 0.0, color=PALE, alpha=0.35, linewidth=0, zorder=0)
    return _Steps(
        part,
        "" if (left, right) == (low, high) else f"; it pays {low:.6g} to {high:.6g}",
        part.price > left + 0.75 * (right - left),
    )


def _reach(part: ClaimResult, demands: Floats) -> tuple[float, float]:
    """Return the demands to show: all, unless what trades would be lost among them."""
    bottom, top = float(demands.min()), float(demands.max())
    traded = max(part.bought, part.sold)
    if traded == 0.0 and len(part.orders):  # the median order instead
        traded = float(np.median(part.orders.quantity))
    reach = _AROUND * traded if traded else math.inf
    lowest, highest = min(0.0, part.net_demand) - reach, max(0.0, part.net_demand) + reach
    margin = 0.08 * (min(top, highest) - max(bottom, lowest)) or 1.0
    return max(bottom - margin, lowest), min(top + margin, highest)


def _name_sides(panel: Axes, *, crossed: bool) -> None:
    """Say where the maker sells and where it buys.

    At the right, unless the vertical line at the price would run through the words (``crossed``);
    the horizontal line at the demand is hidden behind them.
    """
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


def _window(limits: Floats, price: float, low: float, high: float) -> tuple[float, float]:
    """Return the prices to show: all, unless the steps in reach stand close together."""
    inside = [*limits[(limits > low) & (limits < high)], price]
    first, last = float(min(inside)), float(max(inside))
    margin = max(0.2 * (last - first), 0.02 * (high - low))
    left, right = max(low, first - margin), min(high, last + margin)
    return (left, right) if right - left < _SMALL * (high - low) else (low, high)


def _position(part: ClaimResult) -> str:
    if abs(part.net_demand) <= _NOTHING * max(part.bought, part.sold):
        return "the maker takes no side"
    return f"the maker {'sells' if part.net_demand > 0 else 'buys'} {abs(part.net_demand):,.4g}"


def _corners(signed: Floats, limits: Floats, low: float, high: float) -> Floats:
    """Corner points (price, net demand) from the least to the greatest price, each a row."""
    at = np.clip(limits, low, high)  # limits beyond the payoff range count as its ends
    steps = np.unique(at[(at > low) & (at < high)])
    demand = signed[(signed > 0) & (at > low)].sum() + signed[(signed < 0) & (at <= low)].sum()
    points = [(low, demand)]
    for limit in steps:
        points.append((limit, demand))
        demand -= np.abs(signed[at == limit]).sum()
        points.append((limit, demand))
    points.append((high, demand))
    return np.array(points)
