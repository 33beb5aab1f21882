"""Theorem 2 and Corollary 1: CPCAM (3) and the KPM (8) tend to problem (5).

The paper states both in the limit. Theorem F of ``docs/theory.md`` adds a rate: the surplus missed
with starting orders delta is at most their sum. Theorem C adds a finite radius: the KPM is fully
pari-mutuel from Omega = -ln(min q) on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..arrays import Floats
from ..clearing.clear import clear
from ..model.makers import StartingOrders, WorstStateMaker
from ..model.market import Market
from ..model.orders import Orders
from ..plots.style import BLUE, GREEN, GREY, ORANGE, PINK, house_style, new_figure
from .finding import Finding
from .simulations import Statement

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["corollary_1", "theorem_2"]

STATES = 4
PRIOR = (0.05, 0.1, 0.25, 0.6)  # far from what the bids suggest
DELTAS = tuple(10.0**power for power in np.linspace(2.0, -6.0, 81))  # shares, in every state
RADII = tuple(3.2 * np.linspace(0.0, 1.0, 81) ** 2)  # nats
_RISK_AVERSION = 0.01  # per unit of money


def book() -> Orders:
    """Six bids that overlap enough for the optimal surplus of (5) to be positive."""
    return Orders(
        claim=["1", "2", "3", "4", "1 or 2", "3 or 4"],
        side="buy",
        price=[0.35, 0.30, 0.25, 0.15, 0.62, 0.42],
        quantity=[40.0, 30.0, 50.0, 20.0, 25.0, 60.0],
    )


def payoffs() -> Floats:
    """The Arrow-Debreu claims and two that pay in a pair of states."""
    return np.vstack([np.eye(STATES), [1, 1, 0, 0], [0, 0, 1, 1]])


_CLAIMS = ("1", "2", "3", "4", "1 or 2", "3 or 4")


def surplus(fills: Sequence[float] | Floats) -> float:
    """The objective of (5): the premia b.x less the payout in the worst state, money."""
    orders = book()
    rows = [_CLAIMS.index(claim) for claim in orders.claim]
    x = np.asarray(fills)
    return float(orders.price @ x - (payoffs()[rows].T @ x).max())


def theorem_2() -> Finding:
    """Fills and surplus of CPCAM as its starting orders vanish."""
    orders = book()
    limit = clear(
        Market(payoffs(), claims=_CLAIMS, maker=WorstStateMaker(STATES)), orders, rule="pay_as_bid"
    )
    best = surplus(limit.fills)
    runs = [
        clear(
            Market(payoffs(), claims=_CLAIMS, maker=StartingOrders([delta] * STATES)),
            orders,
            rule="competitive",
        )
        for delta in DELTAS
    ]
    missing = [best - surplus(run.fills) for run in runs]
    total = [STATES * delta for delta in DELTAS]
    slack = 1e-9 * best
    within = all(-slack <= m <= t + slack for m, t in zip(missing, total, strict=True))
    return Finding(
        title="Theorem 2: CPCAM tends to the maker that guards against every distribution",
        statements=(
            Statement(
                "as delta falls to 0 the fills of (3) attain the optimum of (5)",
                missing[-1] <= 1e-6 * best,
                f"surplus {surplus(runs[-1].fills):.6f} of {best:.6f} at delta = {DELTAS[-1]:g}",
            ),
            Statement(
                "the surplus missed is between 0 and the sum of the starting orders (theorem F)",
                within,
                f"at most {max(np.divide(missing, total)):.3f} of that sum",
            ),
        ),
        tables={
            "theorem_2": {
                "delta": list(DELTAS),
                "surplus": [surplus(run.fills) for run in runs],
                "missing": missing,
                "bound": total,
                **{
                    f"fill_{claim.replace(' ', '_')}": [float(run.fills[j]) for run in runs]
                    for j, claim in enumerate(orders.claim)
                },
            }
        },
        figures={
            "theorem_2": lambda: _theorem_2_figure(
                missing, total, [run.fills.tolist() for run in runs], limit.fills.tolist()
            )
        },
    )


def _theorem_2_figure(
    missing: Sequence[float],
    bound: Sequence[float],
    fills: Sequence[Sequence[float]],
    limit: Sequence[float],
) -> Figure:
    with house_style():
        figure, (left, right) = new_figure(9.6, 4.0, columns=2)
        left.plot(DELTAS, bound, color=GREY, ls=(0, (2, 3)), label="bound: sum of delta")
        left.plot(DELTAS, np.maximum(missing, 1e-12), color=BLUE, label="surplus missed")
        left.set_xscale("log")
        left.set_yscale("log")
        left.set_title("The surplus missed falls with delta")
        left.set_xlabel("starting order delta (shares in each state)")
        left.set_ylabel("money")
        left.legend(frameon=False)
        names = book().claim
        for j, colour in enumerate((BLUE, ORANGE, GREEN, PINK, "#E69F00", "#56B4E9")):
            right.plot(DELTAS, [fill[j] for fill in fills], color=colour, label=names[j])
            before = sum(abs(other - limit[j]) < 1.0 for other in limit[:j])
            right.plot(  # a ring around those that it would hide
                [DELTAS[-1]],
                [limit[j]],
                "o",
                color=colour,
                markersize=6 + 6 * before,
                zorder=4 - before,
                clip_on=False,
            )
        right.set_xscale("log")
        right.set_title("Fills reach an optimum of (5), the dots")
        right.set_xlabel("starting order delta (shares in each state)")
        right.set_ylabel("filled (shares)")
        right.legend(  # off the lines
            title="order for claim", frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0)
        )
    return figure


def corollary_1() -> Finding:
    """The KPM's clearings as ambiguity grows, compared with (5)."""
    orders = book()
    threshold = -math.log(min(PRIOR))
    results = [
        clear(
            Market(payoffs(), PRIOR, risk_aversion=_RISK_AVERSION, ambiguity=omega, claims=_CLAIMS),
            orders,
        )
        for omega in RADII
    ]
    worst = [float(result.payoff.min()) for result in results]
    attained = [surplus(result.fills) for result in results]
    certainty = [float(result.certainty_equivalent) for result in results]
    limit = clear(
        Market(payoffs(), claims=_CLAIMS, maker=WorstStateMaker(STATES)), orders, rule="pay_as_bid"
    )
    best = surplus(limit.fills)
    slope = np.diff(certainty) / np.diff(RADII)
    beyond = [result for omega, result in zip(RADII, results, strict=True) if omega >= threshold]
    scale = max(result.scale for result in results)
    return Finding(
        title="Corollary 1: with enough ambiguity the KPM is pari-mutuel",
        statements=(
            Statement(
                "the maker loses in no state from Omega = -ln(min q) on (theorem C)",
                all(result.payoff.min() >= -1e-8 * scale for result in beyond),
                f"least payoff {min(each.payoff.min() for each in beyond):.2g} from there on",
            ),
            Statement(
                "its fills are then optimal for (5)",
                all(abs(surplus(result.fills) - best) <= 1e-7 * scale for result in beyond),
                f"surplus {surplus(beyond[-1].fills):.6f} of {best:.6f}",
            ),
            Statement(
                "the certainty equivalent is convex in Omega and never rises (theorem E)",
                bool(np.all(np.diff(certainty) <= 1e-9 * scale))
                and bool(np.all(np.diff(slope) >= -1e-6 * scale)),
                f"from {certainty[0]:.4f} to {round(certainty[-1], 4) + 0.0:.4f}",
            ),
        ),
        tables={
            "corollary_1": {
                "ambiguity": list(RADII),
                "certainty_equivalent": certainty,
                "worst_payoff": worst,
                "surplus": attained,
            }
        },
        figures={
            "corollary_1": lambda: _corollary_1_figure(certainty, worst, attained, best, threshold)
        },
    )


def _corollary_1_figure(
    certainty: Sequence[float],
    worst: Sequence[float],
    attained: Sequence[float],
    best: float,
    threshold: float,
) -> Figure:
    with house_style():
        figure, (left, right) = new_figure(9.6, 4.0, columns=2)
        left.axhline(0.0, color=GREY, linewidth=0.8)
        left.plot(RADII, certainty, color=BLUE, label="certainty equivalent")
        left.plot(RADII, worst, color=ORANGE, label="payoff in the worst state")
        left.set_title("With enough Ω the maker risks nothing")
        left.legend(frameon=False)
        right.axhline(best, color=GREY, linewidth=1.0, ls=(0, (2, 3)))
        right.plot(RADII, attained, color=GREEN)
        right.annotate(
            f"LP* = {best:.2f}, the optimum of (5)",
            (RADII[0], best),
            (2, 4),
            textcoords="offset points",
            color=GREY,
        )
        middle = len(RADII) // 2
        right.annotate(
            "surplus of the KPM's fills",
            (RADII[middle], attained[middle]),
            (8, -12),
            textcoords="offset points",
            color=GREEN,
        )
        right.set_title("With enough Ω its fills are optimal for (5)")
        for axes, low in ((left, min(worst)), (right, min(attained))):
            axes.axvline(threshold, color=GREY, linewidth=1.0, ls=(0, (2, 3)))
            axes.annotate(
                "−ln min q, enough for any book",
                (threshold, low),
                (-5, 2),
                textcoords="offset points",
                color=GREY,
                ha="right",
            )
            axes.set_xlabel("ambiguity Ω (nats)")
            axes.set_ylabel("money")
    return figure
