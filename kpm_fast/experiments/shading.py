"""Does it pay to bid less than a claim is worth? The thinner the book, the more so.

Under ``maker_optimal`` every order pays the clearing price, and a large order moves it. A trader
who values a claim at v can bid less, a *shaded* bid, for a better price and smaller fills.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..clearing.clear import clear
from ..model.makers import KnightianMaker
from ..model.market import Market
from ..model.orders import Orders
from ..plots.style import BLUE, ORANGE
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
    shares, under_cost = [], []
    for others in OTHERS:
        crowds = [_crowd(others, np.random.default_rng([seed, others, b])) for b in range(books)]
        shares.append(_from_shading([_in_the_auction(crowd) for crowd in crowds]))
        under_cost.append(_from_shading([_in_sequence(crowd) for crowd in crowds]))
    told = ", ".join(f"{100 * share:.1f} %" for share in shares)
    return Experiment(
        name="shading",
        question="How much does a trader gain by bidding less than the claim is worth?",
        answer=f"With {', '.join(map(str, OTHERS))} other orders {told} of the best surplus "
        "come from shading the bid. Where every trade pays the difference of the maker's cost, in "
        f"sequence, it is {100 * max(under_cost):.1f} %, whatever came before.",
        table={
            "other_orders": list(OTHERS),
            "share_from_shading": shares,
            "share_under_cost_payments": under_cost,
        },
        draw=lambda axes: _draw(axes, shares, under_cost),
    )


def _from_shading(surplus: list[NDArray[np.float64]]) -> float:
    """Return the share of the best mean surplus that the truthful bid, the first, misses."""
    mean = np.array(surplus).mean(axis=0)
    return float(1.0 - mean[0] / mean.max())


def _crowd(others: int, random: np.random.Generator) -> Orders:
    """The other orders of a book."""
    claim = random.integers(STATES, size=others)
    side = random.choice([-1, 1], size=others)
    # Limits scatter about the maker's prior, so that about half of them are better than its price.
    price = np.clip(1.0 / STATES + random.normal(0.0, 0.08, size=others), 0.01, 0.99)
    return Orders(claim, side, price, random.uniform(1.0, 2.0 * QUANTITY, size=others))


def _in_the_auction(crowd: Orders) -> NDArray[np.float64]:
    """The trader's surplus for every shade, all orders cleared at once by `maker_optimal`."""
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
        result = clear(market, orders, tolerance=1e-7, threads=1)
        surplus.append(float(result.fills[-1] * (VALUE - result.claim_prices[0])))
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


def _draw(axes: Axes, shares: list[float], under_cost: list[float]) -> None:
    places = np.arange(len(OTHERS))
    axes.bar(places, [100.0 * share for share in shares], 0.55, color=BLUE, zorder=2)
    for place, share in zip(places, shares, strict=True):
        axes.annotate(
            f"{100 * share:.1f} %",
            (place, 100.0 * share),
            (0, 3),
            textcoords="offset points",
            ha="center",
            color=BLUE,
        )
    label = "in sequence, each trade paying the difference of cost"
    none = [100.0 * share for share in under_cost]
    beside = places + 0.36  # where neither a bar nor its figure is in the way
    axes.plot(beside, none, "o", color=ORANGE, label=label, zorder=5, clip_on=False)
    axes.legend(frameon=False, loc="upper right")
    axes.set_title("A thick book leaves nothing to gain by bidding less")
    axes.set_xticks(places, [str(others) for others in OTHERS])
    axes.set_xlabel("other orders in the book")
    axes.set_ylabel("surplus from shading (% of the best)")
    axes.set_ylim(0.0, 112.0)
