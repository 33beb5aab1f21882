"""Does it pay to bid less than a claim is worth? That depends on the rule.

A trader who values a claim at v can bid less, a *shaded* bid, for smaller fills. Under
``maker_optimal``, where the maker sets the price within the limits, the price is better; under
``pay_as_bid`` the bid is the price; under ``competitive`` it hardly moves the price.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..clearing.clear import clear
from ..model.makers import KnightianMaker
from ..model.market import Market
from ..model.orders import Orders
from ..plots.style import BLUE, GREEN, ORANGE, PINK
from .experiment import Experiment, checked_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["shading"]

STATES = 3
VALUE = 0.5  # money per share: what the trader believes claim 1 to be worth
QUANTITY = 10.0  # shares the trader asks for
RISK_AVERSION = 0.01  # per unit of money
AMBIGUITY = 0.001  # nats
_PRIOR = np.full(STATES, 1.0 / STATES)
OTHERS = (0, 4, 16, 64)
RULES_COMPARED = ("maker_optimal", "competitive", "pay_as_bid")
IN_SEQUENCE = "cost_in_sequence"
_SERIES = {
    "pay_as_bid": ("pay as bid", ORANGE, "X"),
    "maker_optimal": ("maker optimal", BLUE, "o"),
    "competitive": ("competitive", GREEN, "D"),
    IN_SEQUENCE: ("in sequence, paying the difference of cost", PINK, "o"),
}
_SHADES = np.append(0.0, np.geomspace(1e-3, 0.3, 40))  # how much less than the value is bid


def shading(books: int = 40, seed: int = 1) -> Experiment:
    """Measure which share of a trader's best surplus comes from bidding less than the value.

    Parameters
    ----------
    books : int
        Random books for each number of other orders.
    seed : int
        Of the books.
    """
    books, seed = checked_size(books, "books", seed)
    shares: dict[str, list[float]] = {series: [] for series in _SERIES}
    error = []
    for others in OTHERS:
        crowds = [_crowd(others, np.random.default_rng([seed, others, b])) for b in range(books)]
        for rule in RULES_COMPARED:
            surplus = [_in_the_auction(crowd, rule) for crowd in crowds]
            shares[rule].append(_from_shading(surplus))
            if rule == "maker_optimal":
                error.append(_standard_error(surplus))
        shares[IN_SEQUENCE].append(_from_shading([_in_sequence(crowd) for crowd in crowds]))
    told = ", ".join(f"{100 * share:.1f} %" for share in shares["maker_optimal"])
    told += f" (standard error at most {100 * max(error):.1f})" if books > 1 else ""
    fair = max(shares["competitive"] + shares[IN_SEQUENCE])
    return Experiment(
        name="shading",
        question="How much does a trader gain by bidding less than the claim is worth?",
        answer=f"With {', '.join(map(str, OTHERS))} other orders {told} of the best surplus "
        "come from shading the bid under maker_optimal, and at least "
        f"{100 * min(shares['pay_as_bid']):.1f} % under pay_as_bid. Under "
        "competitive, and where every trade pays the difference of the maker's cost, in sequence, "
        f"it is {100 * fair:.1f} %, however many others there are.",
        table={"other_orders": list(OTHERS), **shares, "maker_optimal_error": error},
        draw=lambda axes: _draw(axes, shares, error),
    )


def _from_shading(surplus: list[NDArray[np.float64]]) -> float:
    """Return the share of the best mean surplus that the truthful bid, the first, misses."""
    mean = np.array(surplus).mean(axis=0)
    return float(1.0 - mean[0] / mean.max())


def _standard_error(surplus: list[NDArray[np.float64]]) -> float:
    """Return the error of that share which the choice of books leaves, by leaving each out."""
    books = len(surplus)
    if books == 1:
        return float("nan")
    without = [_from_shading(surplus[:b] + surplus[b + 1 :]) for b in range(books)]
    return float(np.sqrt((books - 1) * np.var(without)))


def _crowd(others: int, random: np.random.Generator) -> Orders:
    """The other orders of a book."""
    claim = random.integers(STATES, size=others)
    side = random.choice([-1, 1], size=others)
    # Limits scatter about the maker's prior, so that about half of them are better than its price.
    price = np.clip(1.0 / STATES + random.normal(0.0, 0.08, size=others), 0.01, 0.99)
    return Orders(claim, side, price, random.uniform(1.0, 2.0 * QUANTITY, size=others))


def _in_the_auction(crowd: Orders, rule: str) -> NDArray[np.float64]:
    """The trader's surplus for every shade, all orders cleared at once by a rule."""
    market = Market(np.eye(STATES), _PRIOR, risk_aversion=RISK_AVERSION, ambiguity=AMBIGUITY)
    claim = crowd.claim_index(market)
    surplus = []
    for shade in _SHADES:
        orders = Orders(
            claim=np.append(claim, 0),
            side=np.append(crowd.side, 1),
            price=np.append(crowd.price, VALUE - shade),
            quantity=np.append(crowd.quantity, QUANTITY),
        )
        result = clear(market, orders, rule=rule, tolerance=1e-7, threads=1)
        surplus.append(float(result.fills[-1] * (VALUE - result.paid_prices[-1])))
    return np.array(surplus)


def _in_sequence(crowd: Orders) -> NDArray[np.float64]:
    """The same with one maker who trades with the crowd, one by one, and then with the trader."""
    maker = KnightianMaker(_PRIOR, RISK_AVERSION, AMBIGUITY)
    claims = np.eye(STATES)
    for order in crowd:
        _, maker = maker.trade(claims[int(order.claim)], order.side, order.price, order.quantity)
    surplus = []
    for shade in _SHADES:
        trade, _ = maker.trade(claims[0], "buy", VALUE - shade, QUANTITY, payment="cost")
        surplus.append(VALUE * trade.quantity - trade.payment)
    return np.array(surplus)


def _draw(axes: Axes, shares: dict[str, list[float]], error: list[float]) -> None:
    places = np.arange(len(OTHERS))
    for series, (label, colour, marker) in _SERIES.items():
        hollow = "white" if series == IN_SEQUENCE else colour
        size = 11 if series == IN_SEQUENCE else 6  # around the mark of another
        axes.plot(
            places,
            [100.0 * share for share in shares[series]],
            color=colour,
            marker=marker,
            ls="" if series == IN_SEQUENCE else "-",
            markerfacecolor=hollow,
            markersize=size,
            label=label,
            zorder=2 if series == IN_SEQUENCE else 3,
            clip_on=False,
        )
    marks = list(zip(places, shares["maker_optimal"], error, strict=True))
    for place, share, spread in marks[1:]:
        axes.annotate(
            f"{100 * share:.1f} %" + (f" ± {100 * spread:.1f}" if spread >= 5e-4 else ""),
            (place, 100.0 * share),
            (6, 6),
            textcoords="offset points",
            color=BLUE,
        )
    axes.legend(frameon=False, loc="center right", bbox_to_anchor=(1.0, 0.7))
    axes.set_title("Whether shading a bid pays is up to the rule")
    axes.set_xticks(places, [str(others) for others in OTHERS])
    axes.set_xlabel("other orders in the book")
    axes.set_ylabel("surplus from shading (% of the best)")
    axes.set_ylim(0.0, 104.0)
