"""Summaries of many times or instances: percentiles and shifted geometric means."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import gmean

PERCENTILES = (50.0, 99.0, 99.9)


def percentiles(seconds: ArrayLike) -> dict[str, float]:
    """p50, p99, p99.9 and the largest of times, named as columns of times are."""
    values = np.asarray(seconds, dtype=float)
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError("percentiles need finite times, at least one")
    columns = {f"p{rank:g} time": float(np.percentile(values, rank)) for rank in PERCENTILES}
    return columns | {"max time": float(values.max())}


def shifted_geometric_mean(values: ArrayLike, shift: float) -> float:
    """Of values plus a shift, less it: small times and a few large ones do not decide it."""
    return float(gmean(np.asarray(values, dtype=float) + shift) - shift)
