"""One race card under several rules and makers: prices, and what the maker holds afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import kpm_fast as kpm
from kpm_fast.plots.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    PINK,
    SKY,
    YELLOW,
    house_style,
    new_figure,
)
from kpm_fast.sample import example_race_card

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["mechanisms"]

_STEP = 0.095  # between the marks of a runner, whose places are 1 apart
_PAYOFFS = (-1000, -100, -10, 0, 10, 100)  # money, on an axis that is linear up to ten
_BAND: dict[str, Any] = {"color": PALE, "alpha": 0.4, "linewidth": 0, "zorder": 0}


def mechanisms() -> Figure:
    """Draw clearing prices less the prior, and payoffs, by runner: every maker, and every rule."""
    card, orders = example_race_card()
    prior, states = card.prior, len(card.prior)
    knightian = kpm.KnightianMaker(prior, card.risk_aversion, card.ambiguity)
    hull = kpm.PolytopeMaker(0.9 * prior + 0.1 * np.eye(states), card.risk_aversion)
    runs = (  # the makers of examples/every_rule.py
        ("Knightian, maker optimal", knightian, "maker_optimal", BLUE, "o"),
        ("Knightian, competitive", knightian, "competitive", BLUE, "D"),
        ("Knightian, pay as bid", knightian, "pay_as_bid", BLUE, "X"),
        ("LMSR", kpm.LMSR(1000.0, prior), "competitive", ORANGE, "s"),
        ("starting orders (CPCAM)", kpm.StartingOrders(10 * prior), "competitive", SKY, "p"),
        ("worst state", kpm.WorstStateMaker(states), "competitive", GREEN, "^"),
        ("polytope of priors", hull, "competitive", YELLOW, "h"),
        ("log utility", kpm.UtilityMaker(prior, 200.0), "competitive", PINK, "v"),
        ("quadratic", kpm.QuadraticMaker(prior, 100.0), "competitive", INK, "d"),
    )
    places = np.arange(len(card.claims))
    with house_style():
        figure, (left, right) = new_figure(10.8, 5.4, columns=2)
        for number, (label, maker, rule, colour, marker) in enumerate(runs):
            result = kpm.clear(card.replace(maker=maker), orders, rule=rule)
            at = places + _STEP * (number - 0.5 * (len(runs) - 1))
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
            axes.axhline(0.0, color=GREY, linewidth=0.8, zorder=1)
            for place in places[1::2]:
                axes.axvspan(place - 0.5, place + 0.5, **_BAND)
            axes.set_xlim(-0.5, len(places) - 0.5)
            axes.set_xticks(places, [str(k + 1) for k in places], color=INK)
            axes.set_xlabel("runner")
        left.set_title("Prices: makers and rules disagree")
        left.set_ylabel("clearing price less the prior (money per share)")
        right.set_title("Risk: what each maker holds afterwards")
        right.set_ylabel("maker's payoff if the runner wins (money)")
        right.set_yscale("symlog", linthresh=10.0, linscale=0.6)
        right.set_yticks(_PAYOFFS, [f"{payoff:,}".replace("-", "−") for payoff in _PAYOFFS])
        right.set_ylim(-2500.0, 250.0)
        right.minorticks_off()
        note = "competitive, unless the name says otherwise"
        figure.legend(loc="outside lower center", ncols=5, fontsize=8.5, title=note)
    return figure
