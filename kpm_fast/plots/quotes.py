"""The picture of quotes: a maker's bid and ask for every claim."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..model.outcome import Outcome
from ..model.quotes import Quotes
from .panels import name_rows, one_panel, row_height
from .style import BLUE, GREY, INK, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_quotes", "draw_quotes_of"]


def draw_quotes_of(outcome: Outcome, axes: Any = None) -> Axes:
    """Draw what the maker of a clearing bid and asked for the next share before it."""
    return draw_quotes(outcome.market.maker.quotes(outcome.market), axes)


def draw_quotes(quotes: Quotes, axes: Any = None) -> Axes:
    """Draw bid and ask of every claim, one row each; the larger a block, the paler."""
    bid = quotes.bid.reshape(len(quotes.claims), -1)
    ask = quotes.ask.reshape(len(quotes.claims), -1)
    rows = np.arange(len(quotes.claims))
    sizes = bid.shape[1]
    with one_panel(axes, 7.2, row_height(len(rows))) as panel:
        for size in reversed(range(sizes)):
            shade = 1.0 - 0.75 * size / max(sizes, 2)
            panel.hlines(
                rows, bid[:, size], ask[:, size], color=GREY, linewidth=1.2, alpha=shade, zorder=2
            )
            for prices, colour, name in ((bid, BLUE, "bid"), (ask, ORANGE, "ask")):
                panel.scatter(
                    prices[:, size],
                    rows,
                    marker="|",
                    s=110 if len(rows) <= 40 else 40,
                    linewidths=2.2,
                    color=colour,
                    alpha=shade,
                    zorder=3,
                    label=name if size == 0 else None,
                )
        name_rows(panel, quotes.claims)
        panel.set_xlabel("price (money per share)", color=INK)
        panel.locator_params(axis="x", nbins=7)
        panel.legend(
            frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, fontsize=8.5
        )
        what = "the next share" if quotes.quantities is None else "a block"
        if sizes > 1:
            what = f"{sizes} blocks, the larger the paler"
        panel.set_title(f"Quotes for {what}", pad=24)
    return panel
