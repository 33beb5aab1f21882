"""The picture of the maker's risk: its wealth in every state after the clearing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..model.outcome import Outcome
from .panels import name_rows, one_panel, row_height, without_rounding
from .style import BLUE, GREY, INK, ORANGE, PINK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_risk"]


def draw_risk(outcome: Outcome, axes: Any = None) -> Axes:
    """Draw the maker's wealth by state, with its certainty equivalent."""
    payoff = without_rounding(outcome.payoff, outcome)
    worth = float(without_rounding(outcome.certainty_equivalent, outcome))
    no_trade = float(without_rounding(outcome.no_trade_equivalent, outcome))
    rows = np.arange(len(payoff))
    with one_panel(axes, 7.2, row_height(len(rows))) as panel:
        colours = np.where(payoff < no_trade, ORANGE, BLUE)
        panel.barh(rows, payoff, height=0.7, color=list(colours), linewidth=0)
        if outcome.market.inventory.any():
            panel.scatter(
                outcome.market.inventory, rows, marker="|", s=90, color=INK, label="before trading"
            )
        panel.axvline(0.0, color=GREY, linewidth=0.8)
        for value, label, colour, dashes in (
            (worth, "worth for certain", INK, (4, 3)),
            (no_trade, "worth without trading", PINK, (1, 2)),
        ):
            panel.axvline(
                value, color=colour, linewidth=1.2, ls=(0, dashes), label=f"{label}: {value:,.4g}"
            )
        name_rows(panel, outcome.market.states)
        panel.locator_params(axis="x", nbins=7)
        panel.set_xlabel("the maker's wealth (money)")
        panel.legend(
            frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, fontsize=8.5
        )
        panel.set_title(
            f"The maker has at least {payoff.min():,.4g}, at most {payoff.max():,.4g}", pad=26
        )
    return panel
