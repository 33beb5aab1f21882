"""Summaries of many times or instances: percentiles and shifted geometric means."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

PERCENTILES = (50.0, 99.0, 99.9)


def percentiles(seconds: ArrayLike) -> dict[str, float]:
    """p50, p99, p99.9 and the largest of times, named as columns of times are."""
    values = np.asarray(seconds, dtype=float)
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError("percentiles need finite times, at least one")
    columns = {f"p{rank:g} time": float(np.percentile(values, rank)) for rank in PERCENTILES}
    return columns | {"max time": float(values.max())}


def shifted_geometric_mean(values: ArrayLike, shift: float) -> float:
    """exp(mean log(x + shift)) - shift: small times and a few large ones do not decide it."""
    shifted = np.asarray(values, dtype=float) + shift
    if shifted.size == 0 or not (shifted > 0).all():
        raise ValueError("a shifted geometric mean needs values above minus the shift")
    return float(np.exp(np.log(shifted).mean()) - shift)


def interval(
    values: ArrayLike,
    statistic: Callable[..., ArrayLike] = np.median,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """A percentile-bootstrap interval of a statistic (which takes ``axis``) over the values."""
    sample = np.asarray(values, dtype=float)
    draws = np.random.default_rng(seed).integers(0, sample.size, (resamples, sample.size))
    found = np.asarray(statistic(sample[draws], axis=1))
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
