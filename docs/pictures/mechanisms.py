"""One race card under several rules and makers: prices, and what the maker holds afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import kpm_fast as kpm
from kpm_fast.plots.style import BLUE, GREEN, GREY, INK, ORANGE, PINK, house_style, new_figure
from kpm_fast.sample import example_race_card

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["mechanisms"]


def mechanisms() -> Figure:
    """Draw clearing prices less the prior, and payoffs, by runner."""
    card, orders = example_race_card()
    prior = card.prior
    knightian = kpm.KnightianMaker(prior, card.risk_aversion, card.ambiguity)
    runs = (
        ("Knightian, maker optimal", knightian, "maker_optimal", BLUE, "o"),
        ("Knightian, competitive", knightian, "competitive", BLUE, "D"),
        ("LMSR, competitive", kpm.LMSR(1000.0, prior), "competitive", ORANGE, "s"),
        ("log utility, competitive", kpm.UtilityMaker(prior, 200.0), "competitive", PINK, "v"),
        ("worst state, competitive", kpm.WorstStateMaker(len(prior)), "competitive", GREEN, "^"),
    )
    places = np.arange(len(card.claims))
    with house_style():
        figure, (left, right) = new_figure(10.2, 4.4, columns=2)
        for number, (label, maker, rule, colour, marker) in enumerate(runs):
            result = kpm.clear(card.replace(maker=maker), orders, rule=rule)
            at = places + 0.13 * (number - 2)
            hollow = "white" if marker == "D" else colour
            style: dict[str, Any] = {
                "color": colour,
                "marker": marker,
                "ls": "",
                "markerfacecolor": hollow,
            }
            left.plot(at, result.claim_prices - prior, label=label, markersize=5.5, **style)
            right.plot(at, result.payoff, markersize=5.5, **style)
        for axes in (left, right):
            axes.axhline(0.0, color=GREY, linewidth=0.8, zorder=0)
            axes.set_xticks(places, [str(k + 1) for k in places], color=INK)
            axes.set_xlabel("runner")
        left.set_title("Prices: makers and rules disagree")
        left.set_ylabel("clearing price less the prior (money per share)")
        left.legend(frameon=False, fontsize=8.5)
        right.set_title("Risk: what each maker holds afterwards")
        right.set_ylabel("maker's payoff if the runner wins (money)")
    return figure
