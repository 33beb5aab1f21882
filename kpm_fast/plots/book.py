"""The picture of a cleared book: bids and offers of its claims, what was filled, and the prices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats, Ints
from ..model.outcome import Outcome
from .panels import claim_panels, draw_each, shortened, shown_claims
from .style import BLUE, GREY, INK, ORANGE, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_book", "draw_book_on"]

_NOTHING = 1e-6  # of a quantity: a smaller fill is a solver's rounding of zero
_PAD = 0.12  # inches around each panel
_NAME = 15  # letters of a claim in a title


@dataclass(frozen=True)
class _Side:
    """One side of a claim's book, best order first."""

    price: Floats
    quantity: Floats
    fill: Floats


def draw_book(
    outcome: Outcome, claims: Sequence[str | int] | None = None, title: str | None = None
) -> Figure:
    """Draw bids and offers of every claim against its price, fills highlighted.

    Quantities accumulate from the best order on. Where the filled bids reach further than the
    filled offers the maker sells the difference.
    """
    shown = shown_claims(outcome, claims)
    columns = min(len(shown), 3)
    rows = math.ceil(len(shown) / columns)
    with house_style():
        figure, panels = new_figure(max(3.0 * columns, 8.6), 2.7 * rows + 0.5, rows, columns)
        draw_each(shown, panels, partial(_draw_claim, outcome))
        figure.set_layout_engine("constrained", h_pad=_PAD, w_pad=0.08)
        figure.supylabel("price (money per share)", fontsize=10, color=INK)
        figure.supxlabel("shares, best order first", fontsize=10, color=INK)
        figure.suptitle(
            title or _headline(outcome, len(shown)), x=0.005, ha="left", weight="bold", fontsize=12
        )
        _key(figure)
    return figure


def draw_book_on(
    outcome: Outcome, claims: Sequence[str | int] | None, axes: Any
) -> NDArray[np.object_]:
    """Draw claims on the caller's axes, one each; further axes are hidden."""
    shown, panels = claim_panels(outcome, claims, axes)
    with house_style():
        draw_each(shown, panels, partial(_draw_claim, outcome))
    return np.array(panels, dtype=object)


def _headline(outcome: Outcome, shown: int) -> str:
    filled = int((outcome.fills > _NOTHING * outcome.orders.quantity).sum())
    claims = len(outcome.market.claims)
    if shown < claims:
        return f"{filled} of {len(outcome.fills)} orders filled; {shown} of {claims} claims"
    return f"{filled} of {len(outcome.fills)} orders filled, one price for each claim"


def _key(figure: Figure) -> None:
    """Write the meaning of colours and lines in the upper right corner."""
    entries = [("dashed: clearing price", INK), ("bold: filled", INK)]
    entries += [("offers", ORANGE), ("bids", BLUE)]
    line = _PAD + 0.085  # inches from the upper edge to the middle of the title
    place: Any = (0.995, 1.0 - line / figure.get_figheight())
    anchor: Any = "figure fraction"
    for text, colour in entries:
        label = figure.axes[0].annotate(
            text,
            place,
            xycoords=anchor,
            xytext=(-14.0 if anchor != "figure fraction" else 0.0, 0.0),
            textcoords="offset points",
            ha="right",
            va="center",
            color=colour,
            weight="bold" if colour != INK else "normal",
            annotation_clip=False,
        )
        label.set_in_layout(False)
        place, anchor = (0.0, 0.5), label


def _draw_claim(outcome: Outcome, axes: Axes, k: int) -> None:
    market, orders = outcome.market, outcome.orders
    on_claim = orders.claim_index(market) == k
    bids = _side(outcome, on_claim & (orders.side > 0), -1.0)
    offers = _side(outcome, on_claim & (orders.side < 0), +1.0)
    clearing_price = float(outcome.claim_prices[k])
    sides = ((bids, BLUE), (offers, ORANGE))
    right = _right_edge(bids, offers)
    shown = [clearing_price]
    for side, colour in sides:
        ends = np.concatenate([[0.0], np.cumsum(side.quantity)])
        filled = float(side.fill.sum())
        for price, start, end in zip(side.price, ends[:-1], ends[1:], strict=True):
            if start >= right:
                break
            shown.append(float(price))
            _level(axes, price, start, min(end, right), colour, filled=False)
            if filled - start > _NOTHING * (end - start):
                _level(axes, price, start, min(end, filled, right), colour, filled=True)
        axes.vlines(
            ends[1:-1],
            side.price[:-1],
            side.price[1:],
            color=colour,
            alpha=0.4,
            linewidth=1.0,
            zorder=2,
        )
    axes.axhline(clearing_price, color=INK, linewidth=1.0, ls=(0, (4, 3)), zorder=1)
    low, high = min(shown), max(shown)
    margin = 0.12 * (high - low) or 0.1 * abs(clearing_price) or 1.0
    axes.set_ylim(low - 2.2 * margin, high + margin)  # room for the line of text below
    axes.set_xlim(0.0, right)
    name = shortened(market.claims[k], _NAME)
    axes.set_title(f"{name} at {clearing_price:.4f}", fontsize=10, pad=6)
    axes.locator_params(axis="both", nbins=4)
    traded = max(bids.fill.sum(), offers.fill.sum())
    axes.annotate(
        _position_text(float(outcome.net_demand[k]), _NOTHING * float(traded)),
        (0.98, 0.02),
        xycoords="axes fraction",
        ha="right",
        va="bottom",
        color=GREY,
        fontsize=9,
    )


def _side(outcome: Outcome, mask: NDArray[np.bool_], sign: float) -> _Side:
    rows: Ints = np.flatnonzero(mask)
    rows = rows[np.argsort(sign * outcome.orders.price[rows], kind="stable")]
    limits = outcome.limits[rows]  # a market order has an end of the claim's payoff range
    return _Side(limits, outcome.orders.quantity[rows], outcome.fills[rows])


def _right_edge(bids: _Side, offers: _Side) -> float:
    """Return how many shares to show: half as many again as trade, or as the best order has."""
    traded = max(bids.fill.sum(), offers.fill.sum())
    if traded > 0.0:
        return float(1.5 * traded)
    best = [float(side.quantity[0]) for side in (bids, offers) if side.quantity.size]
    return 1.5 * max([*best, 1.0])


def _level(
    axes: Axes, price: float, start: float, end: float, colour: str, *, filled: bool
) -> None:
    """One order as a bar at its price; bids sit on the price, offers hang from it."""
    from matplotlib.transforms import ScaledTranslation

    width = 5.0 if filled else 2.0
    points = 0.5 * width if colour == BLUE else -0.5 * width
    lift = ScaledTranslation(0.0, points / 72.0, axes.figure.dpi_scale_trans)
    axes.plot(
        [start, end],
        [price, price],
        color=colour,
        alpha=1.0 if filled else 0.4,
        linewidth=width,
        solid_capstyle="butt",
        transform=axes.transData + lift,
        zorder=3,
    )


def _position_text(net_demand: float, nothing: float) -> str:
    if abs(net_demand) <= nothing:
        return "maker: no position"
    return f"maker {'sells' if net_demand > 0.0 else 'buys'} {abs(net_demand):,.4g} shares"
