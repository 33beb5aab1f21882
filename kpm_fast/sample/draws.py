"""Random draws that are the same on every machine and with every version of NumPy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TypeVar

import numpy as np

from ..errors import InputError, brief

_T = TypeVar("_T")
_STANDARD = NormalDist()


class Draws:
    """A stream of draws from one seed.

    Everything is made from uniform draws of ``Generator(PCG64(seed))`` by inversion. NumPy
    keeps the stream of a bit generator for good but may change how its other distributions use
    it; only inversion guarantees the same book for the same seed.

    Parameters
    ----------
    seed : int
        Non-negative.
    """

    def __init__(self, seed: int) -> None:
        wrong = not isinstance(seed, int | np.integer) or isinstance(seed, bool | np.timedelta64)
        if wrong or seed < 0:
            raise InputError(f"must be a non-negative integer, got {brief(seed)}", field="seed")
        self._generator = np.random.Generator(np.random.PCG64(seed))

    def uniform(self) -> float:
        """One draw from the open interval (0, 1)."""
        return float(self._generator.random()) + 2.0**-54

    def normal(self) -> float:
        """One standard normal draw."""
        return _STANDARD.inv_cdf(self.uniform())

    def lognormal(self, median: float, ln_sd: float) -> float:
        """One log-normal draw with this median and standard deviation of the logarithm."""
        return median * math.exp(ln_sd * self.normal())

    def below(self, stop: int) -> int:
        """One integer from ``0, ..., stop - 1``."""
        return min(int(stop * self.uniform()), stop - 1)

    def shuffled(self, items: Sequence[_T]) -> list[_T]:
        """The items in random order."""
        result = list(items)
        for last in range(len(result) - 1, 0, -1):
            other = self.below(last + 1)
            result[last], result[other] = result[other], result[last]
        return result
