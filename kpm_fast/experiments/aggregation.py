"""One maker against several: what it is worth to clear related claims together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import sample
from ..clearing.clear import clear
from ..plots.style import BLUE, GREY
from .experiment import Experiment, checked_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["aggregation"]

RUNNERS = 6


def aggregation(
    books: int = 60,
    seed: int = 1,
    *,
    ambiguity: float = 0.01,
    risk_aversion: float = 1e-3,
    crossed: float = 0.2,
) -> Experiment:
    """Clear race cards by one maker, and each runner's orders by a separate maker.

    The six makers hold a sixth of the one maker's risk tolerance 1/alpha each, so that both
    arrangements have the same capital.

    Parameters
    ----------
    books : int
        Race cards of six runners.
    seed : int
        Of the first race card; those of the others follow.
    ambiguity : float
        Of all makers, nats.
    risk_aversion : float
        Of the one maker, alpha per unit of money.
    crossed : float
        Share of the orders that cross, as in :func:`kpm_fast.sample.race_card`.
    """
    books, seed = checked_size(books, "books", seed)
    one, six = [], []
    for number in range(books):
        market, orders = sample.race_card(
            runners=RUNNERS,
            levels=3,
            seed=seed + number,
            crossed=crossed,
            opinion=1.5,
            risk_aversion=risk_aversion,
            ambiguity=ambiguity,
        )
        result = clear(market, orders, tolerance=1e-7, threads=1)
        one.append(float(result.fills.sum()))
        apart = market.replace(risk_aversion=market.risk_aversion * RUNNERS)
        claim = orders.claim_index(market)
        six.append(
            sum(
                float(clear(apart, orders[claim == k], tolerance=1e-7, threads=1).fills.sum())
                for k in range(RUNNERS)
            )
        )
    more = sum(one) / sum(six) - 1.0
    return Experiment(
        name="aggregation",
        question="Does one maker of all claims trade more than six makers with one claim each?",
        answer=f"One maker trades {100 * more:.0f} % more shares than six with the same risk "
        f"tolerance in all, over {books} race cards of {RUNNERS} runners, with an ambiguity of "
        f"{ambiguity:g} nats, a risk aversion of {risk_aversion:g} per unit of money and "
        f"{100 * crossed:.0f} % of the orders crossing: it sees that claims offset each other, and "
        "matches orders across runners.",
        table={"book": list(range(seed, seed + books)), "one_maker": one, "six_makers": six},
        draw=lambda axes: _draw(axes, one, six, more),
    )


def _draw(axes: Axes, one: list[float], six: list[float], more: float) -> None:
    top = 1.06 * max(max(one), max(six))
    axes.plot([0.0, top], [0.0, top], color=GREY, linewidth=1.0, ls=(0, (2, 3)))
    axes.plot(six, one, "o", color=BLUE, markersize=5, markeredgecolor="white")
    axes.annotate(
        "as much", (0.8 * top, 0.8 * top), (6, -12), textcoords="offset points", color=GREY
    )
    axes.set_title(f"One maker trades {100 * more:.0f} % more than six")
    axes.set_xlabel("six makers of a runner each (shares)")
    axes.set_ylabel("one maker (shares)")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlim(0.0, top)
    axes.set_ylim(0.0, top)
