"""The depth of a book, and how the book of one claim is drawn.

The figures in :data:`DEPTHS` are measured on recorded order books of a betting exchange;
``docs/samples.md`` compares generated with recorded books.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..arrays import as_number, check_choice
from ..errors import InputError, brief
from .draws import Draws
from .ladder import Ladder

Liquidity = Literal["liquid", "thin"]
_MOST_LEVELS = 1_000_000
Side = Literal["buy", "sell"]


@dataclass(frozen=True)
class Depth:
    """The shape of one claim's book.

    Attributes
    ----------
    bids, offers : int
        Orders per side. No two resting orders of a side share a price.
    spread : float
        Median relative distance between best bid and best offer, before both move outwards to
        the next tick; on the ladder of odds that adds about three per cent.
    distance, distance_ln_sd : float
        Median, and standard deviation of the logarithm, of ``|ln(price / mid)|`` of a resting
        order.
    stake, stake_ln_sd : float
        Median of the money ``price * quantity`` behind an order, and standard deviation of
        its logarithm.
    crossed : float
        Share of the orders that arrive while the batch is open, at prices scattered about the
        mid, so that some bids exceed offers.
    scatter : float
        Standard deviation of ``ln(price / mid)`` of these arrivals.
    """

    bids: int
    offers: int
    spread: float
    distance: float
    distance_ln_sd: float
    stake: float
    stake_ln_sd: float
    crossed: float = 0.0
    scatter: float = 0.06


DEPTHS: dict[Liquidity, Depth] = {
    "liquid": Depth(
        bids=22,
        offers=30,
        spread=0.02,
        distance=0.4,
        distance_ln_sd=1.25,
        stake=16.0,
        stake_ln_sd=2.4,
    ),
    "thin": Depth(
        bids=14,
        offers=18,
        spread=0.6,
        distance=0.95,
        distance_ln_sd=0.75,
        stake=10.0,
        stake_ln_sd=2.3,
    ),
}


@dataclass(frozen=True)
class Quote:
    """One limit order of a claim that is known from the context."""

    side: Side
    price: float
    quantity: float


def choose_depth(
    liquidity: Liquidity, levels: int | tuple[int, int] | None, crossed: float
) -> Depth:
    """The depth that a generator's options ask for.

    Parameters
    ----------
    liquidity : {"liquid", "thin"}
        A row of :data:`DEPTHS`.
    levels : int, (int, int) or None
        Orders per side and claim, or (bids, offers); None keeps the measured numbers.
    crossed : float
        Share of arrivals, in [0, 1].
    """
    check_choice(liquidity, tuple(DEPTHS), "liquidity")
    crossed = as_number(crossed, "crossed")
    if not 0.0 <= crossed <= 1.0:
        raise InputError(f"must lie in [0, 1], got {brief(crossed)}", field="crossed")
    depth = replace(DEPTHS[liquidity], crossed=crossed)
    if levels is None:
        return depth
    pair = levels if isinstance(levels, tuple | list) else (levels, levels)
    if len(pair) != 2:
        raise InputError(
            f"must be a number, or one of bids and one of offers, got {brief(levels)}",
            field="levels",
        )
    for count in pair:
        require_count("levels", count, 0, _MOST_LEVELS)
    bids, offers = pair
    return replace(depth, bids=bids, offers=offers)


def require_count(name: str, value: int, least: int, most: int) -> None:
    """Raise unless `value` is an integer between `least` and `most`."""
    wrong = not isinstance(value, int | np.integer) or isinstance(value, bool | np.timedelta64)
    if wrong or not least <= value <= most:
        raise InputError(
            f"must be an integer between {least} and {most}, got {brief(value)}", field=name
        )


def draw_quotes(draws: Draws, ladder: Ladder, fair: float, depth: Depth) -> list[Quote]:
    """The book of one claim about its fair price.

    Resting bids come first, best first, then resting offers, best first, then the arrivals in
    the order in which they come.

    Parameters
    ----------
    draws : Draws
        Advanced by the call.
    ladder : Ladder
        Prices that the market admits.
    fair : float
        The claim's value to the crowd, which is the mid of the book.
    depth : Depth
        Shape of the book. A side with fewer ticks than orders gets what fits.
    """
    half = 0.5 * draws.lognormal(depth.spread, 0.4)
    best_bid = ladder.at_most(fair * math.exp(-half))
    best_offer = ladder.at_least(fair * math.exp(half))
    if best_bid == best_offer:
        best_offer += 1
    arriving_bids = round(depth.crossed * depth.bids)
    arriving_offers = round(depth.crossed * depth.offers)

    bids = _resting_ticks(draws, ladder, fair, depth, best_bid, -1, depth.bids - arriving_bids)
    offers = _resting_ticks(
        draws, ladder, fair, depth, best_offer, +1, depth.offers - arriving_offers
    )
    quotes = [_quote(draws, ladder, "buy", tick, depth) for tick in bids]
    quotes += [_quote(draws, ladder, "sell", tick, depth) for tick in offers]

    for is_bid in draws.shuffled([True] * arriving_bids + [False] * arriving_offers):
        tick = ladder.nearest(draws.lognormal(fair, depth.scatter))
        quotes.append(_quote(draws, ladder, "buy" if is_bid else "sell", tick, depth))
    return quotes


def _resting_ticks(
    draws: Draws,
    ladder: Ladder,
    fair: float,
    depth: Depth,
    best: int,
    outward: Literal[-1, 1],
    count: int,
) -> list[int]:
    """Different ticks from `best` outwards, best first.

    The best tick is always taken. The others are drawn: a draw beyond the ladder takes its last
    tick, as orders at the worst admissible odds do, and a tick already taken is drawn again.
    After too many such repeats the free ticks closest to the best are taken.
    """
    room = best + 1 if outward < 0 else len(ladder) - best
    count = min(count, max(room, 0))
    if count == 0:
        return []
    taken = {best}
    for _ in range(8 * count):
        if len(taken) == count:
            break
        log_distance = draws.lognormal(depth.distance, depth.distance_ln_sd)
        tick = ladder.nearest(fair * math.exp(outward * min(log_distance, 50.0)))
        if (tick - best) * outward > 0:
            taken.add(tick)
    tick = best
    while len(taken) < count:
        tick += outward
        taken.add(tick)
    return sorted(taken, key=lambda t: t * outward)


def _quote(draws: Draws, ladder: Ladder, side: Side, tick: int, depth: Depth) -> Quote:
    price = ladder.prices[tick]
    stake = draws.lognormal(depth.stake, depth.stake_ln_sd)
    return Quote(side, price, max(round(stake / price, 2), 0.01))
