"""What a clearing publishes, and whether two clearings publish the same bits.

The list is the result's own: a new figure is compared wherever results are.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields

import numpy as np

import kpm_fast as kpm


def _of_type(*types: str) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kpm.Result) if item.type in types)


#: Fields of a result: its arrays, and its numbers but the tolerance, which was asked for.
ARRAYS = _of_type("Floats", "Ints")
NUMBERS = tuple(name for name in _of_type("float") if name != "tolerance")
FIGURES = (*ARRAYS, *NUMBERS, "objective")


def differences(one: kpm.Result, other: kpm.Result, without: Collection[str] = ()) -> list[str]:
    """Return what differs in any bit, by name: figures and the status, but for some."""
    found = [
        name
        for name in FIGURES
        if name not in without and bits(getattr(one, name)) != bits(getattr(other, name))
    ]
    return found if one.status is other.status or "status" in without else ["status", *found]


def bits(values: object) -> bytes:
    """The bytes of an array or a number."""
    return np.asarray(values).tobytes()
