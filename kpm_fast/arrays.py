"""Arrays, numbers and paths from callers: checked once, copied, frozen."""

from __future__ import annotations

import math
import os
import reprlib
import sys
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import InputError

__all__ = [
    "LARGEST",
    "SMALLEST",
    "Floats",
    "Ints",
    "as_floats",
    "as_number",
    "as_path",
    "check_complete",
    "exact_sum",
    "first",
    "frozen",
    "same",
]

#: Magnitudes of money, shares and risk aversion: far wider than any market, and narrow enough for
#: their products to stay numbers.
LARGEST, SMALLEST = 1e30, 1e-30
EXACT_INTEGERS = 2.0**53  # from here on some integers are no doubles

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_Array = TypeVar("_Array", bound=NDArray[Any])


def frozen(array: _Array) -> _Array:
    """Make an array read-only, in place, and return it."""
    array.flags.writeable = False
    return array


def as_floats(value: ArrayLike, field: str) -> Floats:
    """Copy ``value`` into a C-contiguous float64 array; complain in terms of ``field``."""
    check_complete(value, field)
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        _blame_entry(value, field, spelled=False)
        raise InputError("rows differ in length, or are not numbers", field=field) from error
    if array.dtype.kind not in "biufO":
        _blame_entry(value, field, spelled=False)
        raise InputError(f"must be numbers, got {array.dtype} data", field=field)
    try:
        return np.array(array, dtype=np.float64, order="C", copy=True)
    except (TypeError, ValueError, OverflowError) as error:
        _blame_entry(value, field, spelled=array.dtype.kind == "O")
        raise InputError(f"must be numbers: {error}", field=field) from error


def _blame_entry(value: Any, field: str, *, spelled: bool) -> None:
    """Raise for the first entry that is no number, unless it is rows of a table that are at fault.

    NumPy reads text that spells a number where it finds it among objects, but not alone.
    """
    entries = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(entries, list | tuple):
        return
    if not entries or isinstance(entries[0], list | tuple | np.ndarray):
        return
    for position, entry in enumerate(entries):
        try:
            if spelled or not isinstance(entry, str | bytes):
                float(math.nan if entry is None else entry)  # None is NaN to NumPy
                continue
        except (TypeError, ValueError, OverflowError):
            pass
        reason = f"must be numbers, got {reprlib.repr(entry)}"
        raise InputError(reason, field=field, index=position)


def check_complete(value: Any, field: str) -> None:
    """Refuse what NumPy would take without a word: a masked entry, a set in its random order."""
    if isinstance(value, set | frozenset):
        raise InputError(f"a set has no order, got {reprlib.repr(value)}", field=field)
    # NumPy loads them when they are first named: where nobody has, there are none.
    masked = getattr(sys.modules.get("numpy.ma"), "MaskedArray", None)
    if masked is not None and isinstance(value, masked) and np.ma.is_masked(value):
        where = np.argwhere(np.ma.getmaskarray(value))[0].tolist()
        index = where[0] if len(where) == 1 else None
        place = f" at {tuple(where)}" if len(where) > 1 else ""
        raise InputError(f"is masked{place}", field=field, index=index)


def as_path(value: str | os.PathLike[str]) -> Path:
    """Turn text into a path; what no file can be called is refused."""
    path = Path(value)
    if "\0" in str(path):
        raise InputError(f"no path has a null character, got {str(path)!r}", field="path")
    try:
        os.fsencode(path)
    except UnicodeEncodeError as error:
        raise InputError(f"cannot be a path: {error}", field="path") from error
    return path


def as_number(value: Any, field: str) -> float:
    """Turn a scalar into a float; text and arrays of more than one number are refused."""
    if type(value) is not float and isinstance(value, str | bytes):
        raise InputError(f"must be a number, got {value!r}", field=field)
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"must be a number, got {value!r}", field=field) from error


def inexact_time(given: object) -> str:
    """Say what is wrong with a time that a double cannot hold."""
    return f"has more digits than a double holds; count from a later origin, got {given}"


def first(mask: NDArray[np.bool_]) -> int | None:
    """Return the position of the first True of a 1-D mask, or None."""
    if not mask.any():
        return None
    return int(mask.argmax())


def exact_sum(values: Floats) -> float:
    """Return the correctly rounded sum; infinite where it is beyond the range of a double."""
    try:
        return math.fsum(values)
    except OverflowError:
        return math.inf


def same(left: Any, right: Any) -> bool:
    """Compare two fields by value; arrays by shape and elements, NaN equal to NaN."""
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        if np.asarray(left).dtype.kind == "O" or np.asarray(right).dtype.kind == "O":
            return np.array_equal(left, right)
        return np.array_equal(left, right, equal_nan=True)
    return bool(left == right)
