"""Pictures that explain the clearing: one claim's staircase, and a cleared book."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kpm_fast.model.market import Market
from kpm_fast.model.orders import Orders
from kpm_fast.plots.style import BLUE, GREY, INK, ORANGE, PALE, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kpm_fast.result import Result

Floats = NDArray[np.float64]

__all__ = ["clearing", "staircase"]

# The book of the staircase picture: (limit, shares), and where it clears.
_BIDS = ((0.62, 3.0), (0.55, 4.0), (0.46, 3.0), (0.36, 4.0), (0.22, 3.0))
_OFFERS = ((0.30, 2.0), (0.40, 4.0), (0.51, 3.0), (0.66, 4.0), (0.78, 3.0))
_CLEARING = (0.46, 2.0)
_NOTHING = 1e-6  # of a quantity: less than this is what a solver leaves of zero
_PAD = 0.12  # inches around each panel of a cleared book
_NOTES = (  # text, what it is about, where it stands, colour
    (
        "the clearing: the price is 0.46,\nthe bid there is filled in part",
        _CLEARING,
        (0.53, 7.5),
        INK,
    ),
    ("flat: price free, demand fixed", (0.17, 17.0), (0.27, 18.3), BLUE),
    ("step: price fixed at a limit, demand free", (0.36, 10.6), (0.43, 13.0), ORANGE),
)


def staircase() -> Figure:
    """One claim's net demand against its price: flats, steps and the clearing point."""
    corners = _corners(_BIDS, _OFFERS)
    with house_style():
        figure, (axes,) = new_figure(8.2, 4.8)
        for piece, (start, end) in enumerate(itertools.pairwise(corners)):
            _draw_piece(axes, piece, start, end)
        price, demand = _CLEARING
        bottom, top = corners[:, 1].min() - 1.5, corners[:, 1].max() + 3.0
        guide: dict[str, Any] = {"color": INK, "linewidth": 1.0, "linestyle": (0, (3, 3))}
        axes.plot([price, price, 0.0], [bottom, demand, demand], zorder=2, **guide)
        axes.plot([price], [demand], "o", color=INK, markersize=8, zorder=6)
        for text, point, place, colour in _NOTES:
            _note(axes, text, point, place, colour)
        axes.axhspan(bottom, 0.0, color=PALE, alpha=0.35, linewidth=0, zorder=0)
        for text, height, anchor in (("sells", 0.4, "bottom"), ("buys", -0.5, "top")):
            axes.annotate(f"maker {text}", (0.99, height), color=GREY, ha="right", va=anchor)
        axes.set_title("Every order for a claim enters through one staircase")
        axes.set_xlabel("price of the claim (money per share)")
        axes.set_ylabel("net demand (shares)\nbids above the price less offers below it")
        axes.set_xlim(0.0, 1.0)
        axes.set_ylim(bottom, top)
    return figure


def _draw_piece(axes: Axes, piece: int, start: Floats, end: Floats) -> None:
    """One piece with its number: even ones are flats, odd ones steps."""
    is_step = piece % 2 == 1
    colour = ORANGE if is_step else BLUE
    axes.plot([start[0], end[0]], [start[1], end[1]], color=colour, linewidth=2.6, zorder=3)
    axes.annotate(
        str(piece),
        (0.5 * (start[0] + end[0]), 0.5 * (start[1] + end[1])),
        xytext=(-4.0, 0.0) if is_step else (0.0, 3.0),
        textcoords="offset points",
        ha="right" if is_step else "center",
        va="center" if is_step else "bottom",
        color=colour,
        fontsize=8,
    )


def _note(
    axes: Axes, text: str, point: tuple[float, float], place: tuple[float, float], colour: str
) -> None:
    """Text whose left edge is at `place`, with a thin line to `point`; both in data units."""
    axes.annotate(
        text,
        point,
        xytext=place,
        color=colour,
        va="center",
        arrowprops={
            "arrowstyle": "-",
            "color": colour,
            "linewidth": 0.8,
            "shrinkA": 2,
            "shrinkB": 5,
            "relpos": (0.0 if point[0] < place[0] else 1.0, 0.5),
        },
        zorder=7,
    )


def _corners(bids: Sequence[tuple[float, float]], offers: Sequence[tuple[float, float]]) -> Floats:
    """Corner points (price, net demand) of the staircase over prices from 0 to 1."""
    limits = sorted({limit for limit, _ in (*bids, *offers)})
    demand = sum(quantity for _, quantity in bids)
    points = [(0.0, demand)]
    for limit in limits:
        points.append((limit, demand))
        demand -= sum(quantity for price, quantity in (*bids, *offers) if price == limit)
        points.append((limit, demand))
    points.append((1.0, demand))
    return np.array(points)


@dataclass(frozen=True)
class _Side:
    """One side of a claim's book, best order first."""

    price: Floats
    quantity: Floats
    fill: Floats


def clearing(market: Market, orders: Orders, result: Result, title: str | None = None) -> Figure:
    """A cleared book: bids and offers of every claim against its price, fills highlighted.

    Quantities accumulate from the best order on. Where the filled bids reach further than the
    filled offers the maker sells the difference.

    Parameters
    ----------
    market, orders, result
        A book and its clearing; readable up to about a dozen claims.
    title : str, optional
        Default: how many orders are filled.
    """
    claims = len(market.claims)
    columns = min(claims, 3)
    rows = math.ceil(claims / columns)
    with house_style():
        figure, panels = new_figure(max(3.0 * columns, 7.0), 2.7 * rows + 0.5, rows, columns)
        for k, axes in enumerate(panels):
            if k < claims:
                _draw_claim(axes, market, orders, result, k)
            else:
                axes.set_visible(False)
        figure.set_layout_engine("constrained", h_pad=_PAD, w_pad=0.08)
        figure.supylabel("price (money per share)", fontsize=10, color=INK)
        figure.supxlabel("shares, best order first", fontsize=10, color=INK)
        figure.suptitle(
            title or _headline(orders, result), x=0.005, ha="left", weight="bold", fontsize=12
        )
        _key(figure)
    return figure


def _headline(orders: Orders, result: Result) -> str:
    filled = int((result.fills > _NOTHING * orders.quantity).sum())
    return f"{filled} of {len(result.fills)} orders filled, one price for each claim"


def _key(figure: Figure) -> None:
    """What the colours and lines mean, in the upper right corner."""
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


def _draw_claim(axes: Axes, market: Market, orders: Orders, result: Result, k: int) -> None:
    on_claim = orders.claim_index(market) == k
    bids = _side(orders, result, on_claim & (orders.side > 0), -1.0)
    offers = _side(orders, result, on_claim & (orders.side < 0), +1.0)
    clearing_price = float(result.claim_prices[k])
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
    axes.set_title(f"{market.claims[k]} at {clearing_price:.4f}", fontsize=10, pad=6)
    axes.locator_params(axis="both", nbins=4)
    traded = max(bids.fill.sum(), offers.fill.sum())
    axes.annotate(
        _position_text(float(result.net_demand[k]), _NOTHING * float(traded)),
        (0.98, 0.02),
        xycoords="axes fraction",
        ha="right",
        va="bottom",
        color=GREY,
        fontsize=9,
    )


def _side(orders: Orders, result: Result, mask: NDArray[np.bool_], sign: float) -> _Side:
    rows = np.flatnonzero(mask)
    rows = rows[np.argsort(sign * orders.price[rows], kind="stable")]
    return _Side(orders.price[rows], orders.quantity[rows], result.fills[rows])


def _right_edge(bids: _Side, offers: _Side) -> float:
    """How many shares to show: what trades and half as much again, else the best orders."""
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
