"""The power of a size with which a cost grows, and its confidence interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats as statistics

LEVEL = 0.95


@dataclass(frozen=True)
class Exponent:
    """cost = factor * size**power, fitted by least squares in logarithms."""

    power: float
    low: float  # interval of LEVEL of the power
    high: float
    factor: float

    @classmethod
    def fit(cls, sizes: ArrayLike, costs: ArrayLike) -> Exponent:
        """Over the upper half of the sizes: small ones are all overhead."""
        x, y = np.log(np.asarray(sizes, dtype=float)), np.log(np.asarray(costs, dtype=float))
        upper = np.argsort(x)[x.size // 2 :]
        if upper.size < 3:
            raise ValueError("a fit with an interval needs five sizes or more")
        line = statistics.linregress(x[upper], y[upper])
        half = float(statistics.t.ppf(0.5 + LEVEL / 2, upper.size - 2) * line.stderr)
        power = float(line.slope)
        return cls(power, power - half, power + half, float(np.exp(line.intercept)))

    def __str__(self) -> str:
        return f"J^{self.power:.2f} ({self.low:.2f} to {self.high:.2f})"
