"""Figures 4 to 6 of the paper: one bid's feasible fills and the revenue they bring the maker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..plots.style import BLUE, GREEN, GREY, ORANGE, house_style, new_figure
from .finding import Finding
from .simulations import Statement

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["figure_4", "figure_5", "figure_6", "order_revenue"]

LIMIT = 0.4  # money per share, of a bid for one share
QUANTITY = 1.0
_REGIONS = (
    ("1: above the limit, no fill", BLUE),
    ("2: at the limit, any fill", ORANGE),
    ("3: below the limit, filled", GREEN),
)


def _region(number: int, points: int = 60) -> tuple[Any, Any, Any]:
    """Fill, price and revenue along a region of the limit order logic (61), counted from 1."""
    if number == 1:
        price = np.linspace(LIMIT, 1.0, points)
        fill = np.zeros(points)
    elif number == 2:
        fill = np.linspace(0.0, QUANTITY, points)
        price = np.full(points, LIMIT)
    else:
        price = np.linspace(0.0, LIMIT, points)
        fill = np.full(points, QUANTITY)
    return fill, price, fill * price


def figure_4() -> Figure:
    """The feasible pairs of fill and price, (61)."""
    with house_style():
        figure, (axes,) = new_figure(5.4, 4.2)
        for number, (label, colour) in enumerate(_REGIONS, start=1):
            fill, price, _ = _region(number)
            axes.plot(fill, price, color=colour, linewidth=3.0, label=label)
        _ticks(axes)
        axes.set_ylabel("clearing price")
        axes.set_title("An order at, outside and inside its limit")
        axes.legend(frameon=False, loc="upper right")
    return figure


def figure_5() -> Figure:
    """Revenue over the feasible pairs, on the surface of price times fill over all pairs."""
    return _revenue((_REGIONS,), "Revenue bends twice along the feasible pairs")


def figure_6() -> Figure:
    """Figure 5 region by region: in each of them revenue is linear, (62)."""
    return _revenue(tuple((region,) for region in _REGIONS), "In each region revenue is linear")


def _revenue(panels: tuple[tuple[tuple[str, str], ...], ...], title: str) -> Figure:
    from matplotlib.figure import Figure

    with house_style():
        # No layout engine: none knows the room that the labels of axes in space take.
        alone = len(panels) == 1
        figure = Figure(figsize=(5.4 if alone else 10.2, 4.4 if alone else 3.7))
        room = {"left": 0.06, "right": 0.97, "bottom": 0.07, "top": 0.96 if alone else 0.86}
        figure.subplots_adjust(**room, wspace=0.2)
        grid = np.linspace(0.0, 1.0, 21)
        fills, prices = np.meshgrid(grid * QUANTITY, grid)
        for place, regions in enumerate(panels, start=1):
            axes: Any = figure.add_subplot(1, len(panels), place, projection="3d")
            axes.plot_wireframe(fills, prices, fills * prices, color=GREY, linewidth=0.3, alpha=0.5)
            for label, colour in regions:
                number = _REGIONS.index((label, colour)) + 1
                axes.plot(*_region(number), color=colour, linewidth=3.0, zorder=5)
                if len(panels) > 1:
                    axes.set_title(label, color=colour, fontsize=10)
            _ticks(axes)
            axes.set_ylabel("clearing price", labelpad=9.0)  # clear of the word among its ticks
            axes.set_zlabel("revenue")
            axes.view_init(elev=24, azim=-125)
        figure.suptitle(title, x=0.02, ha="left", weight="bold", fontsize=12)
    return figure


def _ticks(axes: Axes) -> None:
    axes.set_xlabel("filled")
    axes.set_xticks([0.0, QUANTITY], ["0", "Q"])
    axes.set_yticks([0.0, LIMIT, 1.0], ["0", "limit", "1"])


def order_revenue() -> Finding:
    """Figures 4 to 6, and the revenue of one order by (62), (63) and (65)."""
    points = [_region(number) for number in (1, 2, 3)]
    fill, price, revenue = (np.concatenate(parts) for parts in zip(*points, strict=True))
    # (65) is the smaller of two lines: it needs no product of price and fill.
    by_63 = QUANTITY * price + LIMIT * (fill - QUANTITY) - QUANTITY * np.maximum(price - LIMIT, 0.0)
    by_65 = np.minimum(QUANTITY * price + LIMIT * (fill - QUANTITY), LIMIT * fill)
    away = max(np.abs(by_63 - revenue).max(), np.abs(by_65 - revenue).max())
    return Finding(
        title="Section 8.5: the feasible fills of an order and its revenue",
        statements=(
            Statement(
                "over the feasible pairs, price times fill equals (63) and (65)",
                bool(away < 1e-15),
                f"largest difference {away:.1g}",
            ),
        ),
        figures={"figure_4": figure_4, "figure_5": figure_5, "figure_6": figure_6},
    )
