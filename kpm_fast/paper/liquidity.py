"""Section 8.7.1, liquidity aggregation, and section 6.1, quotes for related securities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..model.makers import KnightianMaker
from ..plots.style import BLUE, GREEN, GREY, ORANGE, PINK, house_style, new_figure
from .finding import Finding
from .simulations import Statement, exponential_prior

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["aggregation", "quotes"]

CONTRACTS = 10.0  # of calls, and of puts
# Nats, dense near 0: costs and spreads grow as a root.
RADII = tuple(0.8 * np.linspace(0.0, 1.0, 61) ** 2)
QUOTE_RADII = tuple(0.3 * np.linspace(0.0, 1.0, 61) ** 2)
_NAMED = 27  # the radius at which the figure names its lines


def aggregation(risk_aversion: float = 1.0) -> Finding:
    """Cost of ten calls and ten puts on one strike: to one maker, and to two separate ones."""
    makers = [KnightianMaker([0.5, 0.5], risk_aversion, omega) for omega in RADII]
    call, put = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    apart = [float(maker.cost(CONTRACTS * call) + maker.cost(CONTRACTS * put)) for maker in makers]
    common = [float(maker.cost(CONTRACTS * (call + put))) for maker in makers]
    saving = [a - c for a, c in zip(apart, common, strict=True)]
    return Finding(
        title="Section 8.7.1: one maker of calls and puts against two",
        statements=(
            Statement(
                "a common maker supplies both at a lower cost, at every ambiguity",
                min(saving) > 0.0,
                f"saves {saving[0]:.4f} of {apart[0]:.4f} at Omega = 0, {saving[-1]:.4f} at "
                f"{RADII[-1]:g}",
            ),
            Statement(
                "calls and puts offset each other: together they cost what they pay in any state",
                max(abs(value - CONTRACTS) for value in common) < 1e-9,
                f"{common[0]:.4f}",
            ),
        ),
        tables={
            "section_8_7_1": {
                "ambiguity": list(RADII),
                "two_dealers": apart,
                "common_maker": common,
                "saving": saving,
            }
        },
        figures={"section_8_7_1": lambda: _aggregation_figure(apart, common)},
    )


def _aggregation_figure(apart: Sequence[float], common: Sequence[float]) -> Figure:
    with house_style():
        figure, (axes,) = new_figure(7.2, 4.0)
        axes.plot(RADII, apart, color=ORANGE)
        axes.plot(RADII, common, color=BLUE)
        axes.fill_between(RADII, common, apart, color=GREY, alpha=0.12)
        axes.annotate(
            "two dealers",
            (RADII[_NAMED], apart[_NAMED]),
            (0, -16),
            textcoords="offset points",
            color=ORANGE,
        )
        axes.annotate(
            "one maker",
            (RADII[_NAMED], common[_NAMED]),
            (0, 8),
            textcoords="offset points",
            color=BLUE,
        )
        axes.set_title("One maker asks about half of what two dealers ask")
        axes.set_xlabel("ambiguity Ω (nats)")
        axes.set_ylabel("certainty equivalent asked (money)")
        axes.set_ylim(0.0, 1.12 * max(apart))
    return figure


def quotes() -> Finding:
    """Bid and ask of the five Arrow-Debreu securities against ambiguity, at constant wealth."""
    prior = exponential_prior()
    securities = np.eye(len(prior))
    pairs = [KnightianMaker(prior, 1.0, omega).quotes(securities) for omega in QUOTE_RADII]
    bid = np.array([np.ravel(pair["bid"]) for pair in pairs])
    ask = np.array([np.ravel(pair["ask"]) for pair in pairs])
    spread = ask - bid
    small = QUOTE_RADII[1]
    predicted = 2.0 * np.sqrt(2.0 * small * np.array(prior) * (1.0 - np.array(prior)))
    return Finding(
        title="Section 6.1: quotes for related securities from one maker",
        statements=(
            Statement(
                "quotes bracket the prior, and widen with ambiguity",
                bool(np.all(np.diff(spread, axis=0) > 0.0))
                and bool(np.all(bid <= np.array(prior) + 1e-12))
                and bool(np.all(ask >= np.array(prior) - 1e-12)),
                f"spread of security 5 from {spread[0, -1]:.4f} to {spread[-1, -1]:.4f}",
            ),
            Statement(
                "quotes leave no arbitrage: asks add up to at least 1, bids to at most 1",
                bool(np.all(ask.sum(axis=1) >= 1.0 - 1e-12))
                and bool(np.all(bid.sum(axis=1) <= 1.0 + 1e-12)),
                f"{ask[-1].sum():.4f} and {bid[-1].sum():.4f} at Omega = {QUOTE_RADII[-1]:g}",
            ),
            Statement(
                "for small ambiguity the spread is about 2 sqrt(2 Omega Var)",
                bool(np.all(np.abs(spread[1, 2:] / predicted[2:] - 1.0) < 0.05)),
                ", ".join(f"{s / p:.3f}" for s, p in zip(spread[1], predicted, strict=True))
                + f" of it at {small:g}",
            ),
        ),
        tables={
            "quotes": {
                "ambiguity": list(QUOTE_RADII),
                **{f"bid_{i + 1}": bid[:, i].tolist() for i in range(len(prior))},
                **{f"ask_{i + 1}": ask[:, i].tolist() for i in range(len(prior))},
            }
        },
        figures={"quotes": lambda: _quotes_figure(bid, ask)},
    )


def _quotes_figure(bid: np.ndarray, ask: np.ndarray) -> Figure:
    with house_style():
        figure, (axes,) = new_figure(7.2, 4.2)
        for i, colour in enumerate((BLUE, ORANGE, GREEN, PINK, "#E69F00")):
            axes.fill_between(QUOTE_RADII, bid[:, i], ask[:, i], color=colour, alpha=0.18)
            axes.plot(QUOTE_RADII, bid[:, i], color=colour, linewidth=1.2)
            axes.plot(QUOTE_RADII, ask[:, i], color=colour, linewidth=1.2)
            axes.annotate(
                f"security {i + 1}",
                (QUOTE_RADII[-1], ask[-1, i]),
                (6, -3),
                textcoords="offset points",
                color=colour,
                weight="bold",
                annotation_clip=False,
            )
        axes.set_title("Ambiguity opens a spread before anything trades")
        axes.set_xlabel("ambiguity Ω (nats)")
        axes.set_ylabel("bid and ask (money per share)")
        axes.set_xlim(0.0, QUOTE_RADII[-1])
        axes.set_ylim(0.0, 1.0)
    return figure
