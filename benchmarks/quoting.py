"""The time of two-sided quotes in the core alone: a thousand claims on a hundred states."""

from __future__ import annotations

import functools

import numpy as np

import kpm_fast as kpm
from kpm_fast import _core
from kpm_fast.arrays import Floats

from .rounds import timed

CLAIMS, STATES = 1000, 100
PAYOFFS = ("0 and 1", "normal")


def payoffs(kind: str, generator: np.random.Generator) -> Floats:
    """Claims by what they pay, one of ``PAYOFFS``."""
    size = (CLAIMS, STATES)
    if kind == "normal":
        return generator.normal(size=size)
    return (generator.random(size) < 0.5).astype(float)


def quote_seconds(maker: kpm.Maker, claims: Floats, quantity: float | None, calls: int) -> float:
    """Median seconds of quotes for all claims: the next share, or a block of so many."""
    sizes = np.zeros((len(claims), 0)) if quantity is None else np.full((len(claims), 1), quantity)
    quote = functools.partial(_core.maker_quotes, maker._model(), -maker.inventory, claims, sizes)
    return float(np.median([timed(quote) for _ in range(calls)]))
