"""Results with one figure changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

import kpm_fast as kpm


def nudged(array: np.ndarray, position: int, by: float) -> np.ndarray:
    """A copy with ``by`` added to one entry."""
    copy = array.astype(np.float64)
    copy[position] += by
    return copy


def with_each_entry_changed(
    result: kpm.Result, name: str, by: float
) -> Iterator[tuple[int, kpm.Result]]:
    """The result with ``by`` added to one entry of an array, for each of them in turn."""
    array = getattr(result, name)
    for position in range(len(array)):
        yield position, dataclasses.replace(result, **{name: nudged(array, position, by)})
