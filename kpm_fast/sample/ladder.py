"""The prices at which a market lets orders be placed."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

# Decimal odds in hundredths: (from, up to, increment), the increments of betting exchanges.
_ODDS_BANDS = (
    (101, 200, 1),
    (200, 300, 2),
    (300, 400, 5),
    (400, 600, 10),
    (600, 1_000, 20),
    (1_000, 2_000, 50),
    (2_000, 3_000, 100),
    (3_000, 5_000, 200),
    (5_000, 10_000, 500),
    (10_000, 100_001, 1_000),
)


@dataclass(frozen=True)
class Ladder:
    """Admissible prices, increasing.

    Parameters
    ----------
    prices : tuple of float
        Strictly increasing and positive.
    """

    prices: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.prices)

    def at_most(self, price: float) -> int:
        """Index of the last tick at or below `price`; -1 where there is none."""
        return bisect_right(self.prices, price) - 1

    def at_least(self, price: float) -> int:
        """Index of the first tick at or above `price`; ``len(self)`` where there is none."""
        return bisect_left(self.prices, price)

    def nearest(self, price: float) -> int:
        """Index of the tick closest to `price`."""
        above = min(self.at_least(price), len(self) - 1)
        below = max(above - 1, 0)
        closer_below = price - self.prices[below] < self.prices[above] - price
        return below if closer_below else above


def odds_ladder() -> Ladder:
    """The 350 decimal odds 1.01, 1.02, ..., 1000 as prices of a claim that pays 1.

    Prices are rounded to six digits after the point, which keeps all of them apart.
    """
    odds = [o for start, stop, step in _ODDS_BANDS for o in range(start, stop, step)]
    return Ladder(tuple(round(100.0 / o, 6) for o in reversed(odds)))


def tick_ladder(tick: float, top: float) -> Ladder:
    """Multiples of `tick`, strictly between 0 and `top`."""
    count = int(top / tick) + 1
    prices = (round(i * tick, 6) for i in range(1, count + 1))
    return Ladder(tuple(p for p in prices if p < top))
