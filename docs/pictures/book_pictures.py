"""The picture that explains a staircase: flats, steps and the clearing point."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kpm_fast.arrays import Floats
from kpm_fast.plots.style import BLUE, GREY, INK, ORANGE, PALE, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["staircase"]

# The book of the staircase picture: (limit, shares), and where it clears.
_BIDS = ((0.62, 3.0), (0.55, 4.0), (0.46, 3.0), (0.36, 4.0), (0.22, 3.0))
_OFFERS = ((0.30, 2.0), (0.40, 4.0), (0.51, 3.0), (0.66, 4.0), (0.78, 3.0))
_CLEARING = (0.46, 2.0)
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
