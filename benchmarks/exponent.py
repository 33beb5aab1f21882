"""The power of a size with which a cost grows, and its confidence interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats as statistics

LEVEL = 0.95


@dataclass(frozen=True)
class Exponent:
    """cost = factor * size**power, fitted by least squares in logarithms."""

    power: float
    low: float  # interval of LEVEL of the power
    high: float
    factor: float
    count: int  # sizes that the fit used
    centre: float  # mean log(size)
    spread: float  # sum of squared deviations of log(size)
    error: float  # standard deviation of log(cost) around the line

    @classmethod
    def fit(cls, sizes: ArrayLike, costs: ArrayLike) -> Exponent:
        """Over the upper half of the sizes: small ones are all overhead."""
        x, y = np.log(np.asarray(sizes, dtype=float)), np.log(np.asarray(costs, dtype=float))
        order = np.argsort(x)
        order = order[x.size // 2 :]
        x, y = x[order], y[order]
        if x.size < 3:
            raise ValueError("a fit with an interval needs five sizes or more")
        line = statistics.linregress(x, y)
        half = cls._quantile(x.size) * float(line.stderr)
        residual = y - line.intercept - line.slope * x
        return cls(
            power=float(line.slope),
            low=float(line.slope) - half,
            high=float(line.slope) + half,
            factor=float(np.exp(line.intercept)),
            count=int(x.size),
            centre=float(x.mean()),
            spread=float(((x - x.mean()) ** 2).sum()),
            error=float(np.sqrt((residual**2).sum() / (x.size - 2))),
        )

    @staticmethod
    def _quantile(count: int) -> float:
        return float(statistics.t.ppf(0.5 + LEVEL / 2, count - 2))

    def line(self, sizes: ArrayLike) -> tuple[NDArray[np.float64], ...]:
        """The fitted costs at sizes, and the ends of their confidence band."""
        x = np.log(np.asarray(sizes, dtype=float))
        y = np.log(self.factor) + self.power * x
        half = self._quantile(self.count) * self.error
        half = half * np.sqrt(1 / self.count + (x - self.centre) ** 2 / self.spread)
        return np.exp(y), np.exp(y - half), np.exp(y + half)

    def __str__(self) -> str:
        return f"J^{self.power:.2f} ({self.low:.2f} to {self.high:.2f})"
