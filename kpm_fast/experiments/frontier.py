"""What ambiguity costs and what it protects against: expected profit against the loss in bad runs.

A maker with a wrong prior runs a sequence of auctions and carries its inventory from one to the
next. The larger its ambiguity, the less it trades: it gives up expected profit for smaller losses,
none of which exceeds the bound of theorem D (docs/theory.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..clearing.clear import clear
from ..model.makers import KnightianMaker
from ..model.market import Market
from ..model.orders import Orders
from ..plots.style import BLUE, GREEN, GREY, ORANGE, PALE
from .experiment import Experiment, checked_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["frontier"]

STATES = 5
AUCTIONS = 10  # in a run
ORDERS = 12  # in an auction
RISK_AVERSION = 0.01  # per unit of money
AMBIGUITIES = (0.0, 0.003, 0.01, 0.03, 0.06, 0.1, 0.2, 0.4)
TAIL = 0.05  # share of the outcomes over which the tail loss is averaged


def frontier(runs: int = 60, seed: int = 1) -> Experiment:
    """Run sequences of auctions for each ambiguity, with the same orders for all.

    Parameters
    ----------
    runs : int
        Sequences of ten auctions.
    seed : int
        Of the truth, the maker's error and the orders.
    """
    runs, seed = checked_size(runs, "runs", seed)
    random = np.random.default_rng(seed)
    truths = random.dirichlet(np.full(STATES, 5.0), size=runs)
    errors = random.normal(0.0, 0.35, size=(runs, STATES))
    priors = truths * np.exp(errors)
    priors /= priors.sum(axis=1, keepdims=True)
    books = [[_orders(random, truth) for _ in range(AUCTIONS)] for truth in truths]
    rows: dict[str, list[float]] = {
        "ambiguity": list(AMBIGUITIES),
        "expected_profit": [],
        "tail_loss": [],
        "worst_loss": [],
        "least_bound": [],
        "greatest_bound": [],
        "share_of_bound": [],
    }
    for ambiguity in AMBIGUITIES:
        wealth = np.array([_run(*each, ambiguity) for each in zip(priors, books, strict=True)])
        bound = np.array(
            [KnightianMaker(prior, RISK_AVERSION, ambiguity).loss_bound() for prior in priors]
        )
        rows["expected_profit"].append(float((truths * wealth).sum(axis=1).mean()))
        rows["tail_loss"].append(_tail_loss(wealth, truths / runs))
        rows["worst_loss"].append(float(-wealth.min()))
        rows["least_bound"].append(float(bound.min()))
        rows["greatest_bound"].append(float(bound.max()))
        rows["share_of_bound"].append(float((-wealth.min(axis=1) / bound).max()))
    first, last = 0, len(AMBIGUITIES) - 1
    used = max(rows["share_of_bound"])
    return Experiment(
        name="frontier",
        question="What does a maker with a wrong prior gain and lose by its aversion to ambiguity?",
        answer=f"From Ω = {AMBIGUITIES[first]:g} to {AMBIGUITIES[last]:g} the expected profit "
        f"goes from {rows['expected_profit'][first]:.1f} to {rows['expected_profit'][last]:.1f}, "
        f"the mean of the worst {100 * TAIL:.0f} % of outcomes from "
        f"{-rows['tail_loss'][first]:.1f} to {-rows['tail_loss'][last]:.1f}. The largest loss of "
        f"{runs} runs is {100 * used:.0f} % of what theorem D allows.",
        table=rows,
        draw=lambda axes: _draw(axes, rows),
    )


def _tail_loss(wealth: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """The mean loss of the worst outcomes whose probabilities add up to the tail."""
    order = np.argsort(wealth, axis=None)
    share = np.minimum(np.cumsum(weight.ravel()[order]), TAIL)
    return float(np.diff(share, prepend=0.0) @ -wealth.ravel()[order] / TAIL)


def _orders(random: np.random.Generator, truth: NDArray[np.float64]) -> Orders:
    """Limits around the truth: on average the crowd is right."""
    claim = random.integers(STATES, size=ORDERS)
    price = np.clip(truth[claim] * np.exp(random.normal(0.0, 0.3, size=ORDERS)), 0.005, 0.995)
    return Orders(
        claim=claim,
        side=random.choice([-1, 1], size=ORDERS),
        price=price,
        quantity=random.uniform(5.0, 40.0, size=ORDERS),
    )


def _run(prior: NDArray[np.float64], books: list[Orders], ambiguity: float) -> NDArray[np.float64]:
    """The maker's wealth by state after all auctions."""
    market = Market(
        np.eye(STATES), prior / prior.sum(), risk_aversion=RISK_AVERSION, ambiguity=ambiguity
    )
    for orders in books:
        result = clear(market, orders, tolerance=1e-7, threads=1)
        market = market.replace(inventory=result.payoff)
    return np.array(market.inventory)


def _draw(axes: Axes, rows: dict[str, list[float]]) -> None:
    profit = rows["expected_profit"]
    axes.fill_betweenx(
        profit,
        rows["least_bound"],
        rows["greatest_bound"],
        color=PALE,
        linewidth=0.0,
        label="bound of theorem D, least to greatest",
    )
    axes.plot(
        rows["worst_loss"],
        profit,
        "D-",
        color=GREEN,
        markersize=5,
        markeredgecolor="white",
        label="largest loss",
    )
    axes.plot(
        rows["tail_loss"],
        profit,
        "o-",
        color=BLUE,
        markeredgecolor="white",
        label=f"mean of the worst {100 * TAIL:.0f} % of outcomes",
    )
    for x, y, omega in zip(rows["tail_loss"], profit, rows["ambiguity"], strict=True):
        axes.annotate(
            f"{omega:g}", (x, y), (-7, 4), textcoords="offset points", color=ORANGE, ha="right"
        )
    axes.axhline(0.0, color=GREY, linewidth=0.8)
    axes.set_xscale("symlog", linthresh=1.0)  # a maker that hardly trades may gain in its worst
    axes.set_xticks([0, 1, 3, 10, 30, 100, 300], ["0", "1", "3", "10", "30", "100", "300"])
    axes.minorticks_off()
    axes.set_xlim(left=min(0.0, 1.1 * min(rows["tail_loss"])))
    axes.set_title("Ambiguity gives up expected profit for smaller losses")
    axes.set_xlabel("loss (money)")
    axes.set_ylabel("expected profit (money)")
    axes.legend(frameon=False, loc="upper left", title="Ω beside the points", alignment="left")
