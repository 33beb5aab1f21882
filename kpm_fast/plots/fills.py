"""The picture of fills: shares bought and sold of every claim, and orders left unfilled at the
price."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..model.outcome import Outcome
from .panels import amount, name_rows, one_panel, row_height
from .style import BLUE, GREY, INK, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_fills"]

_AT_PRICE = 1e-9  # of a claim's range of payoffs
_AROUND = 4.0  # times the most that trades: longer pale bars run out of the picture


def draw_fills(outcome: Outcome, axes: Any = None) -> Axes:
    """Draw bought shares to the right and sold ones to the left, one row per claim."""
    market, orders = outcome.market, outcome.orders
    index = orders.claim_index(market)
    spans = np.ptp(market.payoffs, axis=1)
    worse = orders.side * (outcome.claim_prices[index] - orders.price)
    willing = np.where(worse <= _AT_PRICE * spans[index], orders.quantity, outcome.fills)
    rows = np.arange(len(market.claims))
    with one_panel(axes, 7.2, row_height(len(rows))) as panel:
        most = 0.0
        for side, colour in ((1, BLUE), (-1, ORANGE)):
            mine = orders.side == side
            asked = side * np.bincount(index[mine], willing[mine], minlength=len(rows))
            filled = side * np.bincount(index[mine], outcome.fills[mine], minlength=len(rows))
            panel.barh(rows, asked, height=0.7, color=colour, alpha=0.25, linewidth=0)
            panel.barh(rows, filled, height=0.7, color=colour, linewidth=0)
            most = max(most, float(np.abs(filled).max()))
        panel.axvline(0.0, color=GREY, linewidth=0.8)
        longest = max(abs(edge) for edge in panel.get_xlim())
        reach = min(longest, _AROUND * most) if most else longest
        panel.set_xlim(-reach, reach)
        panel.xaxis.set_major_formatter(lambda value, _: amount(abs(value)))
        panel.locator_params(axis="x", nbins=7)
        name_rows(panel, market.claims)
        cut = "; cut at the edge" if reach < longest else ""
        panel.set_xlabel(f"shares (pale: at the clearing price or better, not filled{cut})")
        for place, text, colour in ((0.0, "← sold", ORANGE), (1.0, "bought →", BLUE)):
            panel.annotate(
                text,
                (place, 1.0),
                xycoords="axes fraction",
                xytext=(0, 3),
                textcoords="offset points",
                ha="left" if place == 0.0 else "right",
                color=colour,
                weight="bold",
            )
        panel.set_title(_headline(outcome), color=INK, pad=20)
    return panel


def _headline(outcome: Outcome) -> str:
    if not outcome.fills.any():
        return "Nothing trades"
    return f"{amount(outcome.volume)} shares change hands"
