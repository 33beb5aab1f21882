"""Arrays, numbers and paths from callers: checked once, copied, frozen."""

from __future__ import annotations

import math
import operator
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .entries import check_range, entries_of, number
from .errors import InputError, brief, suggestion

__all__ = [
    "Floats",
    "Ints",
    "as_flag",
    "as_floats",
    "as_integer",
    "as_number",
    "as_path",
    "check_axes",
    "check_choice",
    "check_complete",
    "exact_sum",
    "first",
    "flag_among",
    "frozen",
    "refuse_flags",
    "refuse_other",
    "same",
]

#: Where a condition is a number: a claim pays 1 in the states of ``outcome == "home"``.
_MAY_BE_FLAGS = ("payoffs", "payoff")

_FEW = 64  # entries whose types are looked at faster than their values

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_Array = TypeVar("_Array", bound=NDArray[Any])


def frozen(array: _Array) -> _Array:
    """Make an array read-only, in place, and return it."""
    array.setflags(write=False)
    return array


def as_floats(value: ArrayLike, field: str) -> Floats:
    """Copy ``value`` into a C-contiguous float64 array; complain in terms of ``field``.

    In a column text that spells a number is one, whatever holds it; missing entries become NaN. A
    single number is neither text nor True or False, and only payoffs may be the latter.
    """
    if type(value) is np.ndarray and value.dtype.char == "d":
        return _plain_zeros(value)
    check_complete(value, field)
    entries = entries_of(value)
    try:
        array = np.asarray(entries)
    except (TypeError, ValueError):  # rows of several lengths
        array = np.empty(0, dtype=object)
    if array.ndim == 0:
        refuse_other(entries, field)
    if field not in _MAY_BE_FLAGS:
        refuse_flags(array, entries, field)
    if array.dtype.kind in "biu" or array.dtype.char in "efd":
        return _plain_zeros(array)
    unread = array.dtype.kind not in "OUSf" or (array.dtype.kind in "US" and array.size == 0)
    if unread and isinstance(entries, np.ndarray):
        raise InputError(f"must be numbers, got {array.dtype} data", field=field)
    return _parsed(entries, field)


def _plain_zeros(value: Any) -> Floats:
    """Copy numbers, with zeros of one sign: those of either are equal, and so should answers be."""
    array = np.array(value, dtype=np.float64, order="C")
    array += 0.0  # -0.0 + 0.0 is 0.0
    return array


def refuse_other(value: Any, field: str) -> None:
    """Refuse a single number that is text, True or False, also as an array's only entry."""
    if type(value) is float or type(value) is int:
        return
    alone = isinstance(value, np.ndarray | np.generic) and value.size == 1
    plain = value.item() if alone else value
    if isinstance(plain, str | bytes | bool):
        raise InputError(f"must be a number, got {brief(value)}", field=field)


def refuse_flags(array: NDArray[Any], entries: Any, field: str) -> None:
    """Refuse True and False in a column, also among numbers, of which NumPy makes 1 and 0."""
    if array.dtype.kind == "b" and array.size:
        index = 0 if array.ndim == 1 else None
        raise InputError(f"must be numbers, got {bool(array.flat[0])}", field=field, index=index)
    listed = array.ndim > 0 and (isinstance(entries, list | tuple) or array.dtype.kind == "O")
    if not listed or (array.size > _FEW and _has_no_flag(array)):
        return
    for row in entries if array.ndim == 2 else [entries]:
        index = flag_among(row)
        if index is not None:
            place = index if array.ndim == 1 else None
            raise InputError(f"must be numbers, got {brief(row[index])}", field=field, index=place)


def _has_no_flag(array: NDArray[Any]) -> bool:
    """Whether no entry is 1 or 0, of which NumPy makes True and False among numbers."""
    return array.dtype.kind in "iuf" and not ((array == 0) | (array == 1)).any()


def flag_among(entries: Any) -> int | None:
    """Return the position of the first entry that is True or False, also as an array, or None."""
    if not {bool, np.bool_, np.ndarray}.intersection(map(type, entries)):
        return None
    return next((place for place, entry in enumerate(entries) if _is_flag(entry)), None)


def _is_flag(entry: Any) -> bool:
    if isinstance(entry, np.ndarray):
        return entry.ndim == 0 and entry.dtype.kind == "b"
    return isinstance(entry, bool | np.bool_)


def _parsed(entries: Any, field: str) -> Floats:
    """Read entries one by one, as NumPy cannot: text, decimals, missing ones."""
    try:
        # From the entries as they came: among text NumPy makes text of numbers.
        array = np.array(entries, dtype=object)
    except ValueError as error:
        raise _ragged(entries, field) from error
    flat = array.ravel()
    try:
        return _plain_zeros(list(map(number, flat))).reshape(array.shape)
    except ValueError:
        pass
    for position, entry in enumerate(flat):
        try:
            number(entry)
        except ValueError as error:  # noqa: PERF203  # once
            if array.ndim == 1 and isinstance(flat[0], list | tuple | np.ndarray):
                raise _ragged(entries, field) from error
            if array.ndim == 1:
                raise InputError(str(error), field=field, index=position) from None
            place = np.unravel_index(position, array.shape) if array.ndim else ()
            where = f" at {tuple(map(int, place))}" if place else ""
            raise InputError(f"{error}{where}", field=field) from None
    raise AssertionError(f"{field}: an entry is read once and not again")


def _ragged(entries: Any, field: str) -> InputError:
    """Return the error for rows that are not numbers in equal number, naming the first such row."""
    rows = list(entries)
    for index, row in enumerate(rows):
        if np.shape(_plain(row)) != np.shape(_plain(rows[0])):
            return InputError(
                f"must be rows of one length, got {brief(row)} where the first is {brief(rows[0])}",
                field=field,
                index=index,
            )
    return InputError(f"must be rows of numbers, got {brief(entries)}", field=field)


def _plain(row: Any) -> Any:
    """Return a row whose shape NumPy can tell: a nested one of several lengths is an object."""
    try:
        return np.asarray(row)
    except ValueError:
        return np.asarray(None)


def check_complete(value: Any, field: str) -> None:
    """Refuse what NumPy would accept silently: a masked entry, a set in its random order."""
    if isinstance(value, set | frozenset):
        raise InputError(f"a set has no order, got {brief(value)}", field=field)
    # NumPy loads them when they are first named: where nobody has, there are none.
    masked = getattr(sys.modules.get("numpy.ma"), "MaskedArray", None)
    if masked is not None and isinstance(value, masked) and np.ma.is_masked(value):
        where = np.argwhere(np.ma.getmaskarray(value))[0].tolist()
        index = where[0] if len(where) == 1 else None
        place = f" at {tuple(where)}" if len(where) > 1 else ""
        raise InputError(f"is masked{place}", field=field, index=index)


def as_path(value: str | os.PathLike[str], field: str = "path") -> Path:
    """Turn text into a path; text that cannot be a file's name is refused."""
    try:
        path = Path(value)
    except TypeError:
        raise InputError(f"must be a path, got {brief(value)}", field=field) from None
    if "\0" in str(path):
        raise InputError(f"must have no null character, got {str(path)!r}", field=field)
    try:
        os.fsencode(path)
    except UnicodeEncodeError as error:
        raise InputError(f"cannot be a path: {error}", field=field) from error
    return path


def as_number(value: Any, field: str) -> float:
    """Turn a scalar into a float; text, flags and arrays of more than one number are refused."""
    if type(value) is not float:
        refuse_other(value, field)
        check_complete(value, field)
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"must be a number, got {brief(value)}", field=field) from error
    if result == 0 or math.isinf(result):
        try:
            check_range(value, result)
        except ValueError as error:
            raise InputError(str(error), field=field) from None
    return result


def as_integer(value: Any, field: str) -> int:
    """Turn a scalar into an integer; flags and numbers with a point are refused."""
    try:
        if not isinstance(value, bool):
            return operator.index(value)
    except TypeError:
        pass
    raise InputError(f"must be an integer, got {brief(value)}", field=field)


def as_flag(value: Any, field: str) -> bool:
    """Return a flag; text such as ``"no"``, which Python takes for true, is refused."""
    if isinstance(value, bool | np.bool_) or (isinstance(value, int) and value in (0, 1)):
        return bool(value)
    raise InputError(f"must be True or False, got {brief(value)}", field=field)


def check_choice(value: Any, choices: Sequence[str], field: str, index: int | None = None) -> None:
    """Refuse a value that is not among the choices."""
    if not isinstance(value, str) or value not in choices:
        close = suggestion(value, choices) if isinstance(value, str) else ""
        raise InputError(
            f"must be one of {', '.join(choices)}, got {brief(value)}{close}",
            field=field,
            index=index,
        )


def check_axes(array: NDArray[Any], axes: str, sizes: dict[str, int], field: str) -> None:
    """Check the shape of an array; the first array with an axis sets its length in ``sizes``."""
    if array.ndim != len(axes):
        raise InputError(f"must have {len(axes)} axes, got shape {array.shape}", field=field)
    for axis, length in zip(axes, array.shape, strict=True):
        if sizes.setdefault(axis, length) != length:
            raise InputError(f"has shape {array.shape}, where {axis} = {sizes[axis]}", field=field)


def first(mask: NDArray[np.bool_]) -> int | None:
    """Return the position of the first True of a 1-D mask, or None."""
    if not mask.any():
        return None
    return int(mask.argmax())


def exact_sum(values: Floats) -> float:
    """Return the correctly rounded sum; infinite where it is beyond the range of a double.

    It is finite only where all values are, and NaN where infinities of both signs meet.
    """
    try:
        return math.fsum(values.tolist())
    except OverflowError:
        return math.inf
    except ValueError:  # inf - inf
        return math.nan


def same(left: Any, right: Any) -> bool:
    """Compare two fields by value; arrays by shape and elements, NaN equal to NaN."""
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        if np.asarray(left).dtype.kind == "O" or np.asarray(right).dtype.kind == "O":
            return np.array_equal(left, right)
        return np.array_equal(left, right, equal_nan=True)
    return bool(left == right)
