"""The columns of a book of orders: whatever form they come in, parsed once."""

from __future__ import annotations

import reprlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arrays import (
    EXACT_INTEGERS,
    LARGEST,
    SMALLEST,
    Floats,
    Ints,
    as_floats,
    check_complete,
    first,
    frozen,
    inexact_time,
)
from ..errors import InputError

__all__ = [
    "Sides",
    "common_length",
    "parse_claims",
    "parse_ids",
    "parse_prices",
    "parse_quantities",
    "parse_sides",
    "parse_times",
]

Sides = NDArray[np.int8]

_OPTIONAL = ("order_id", "time")
_LARGEST_INDEX = 2**63 - 1
_SIDES = {"buy": 1, "bid": 1, "+1": 1, "1": 1, "sell": -1, "ask": -1, "-1": -1}


def common_length(**columns: Any) -> int:
    """Return J; scalars stretch, so only the other columns must agree."""
    lengths = {}
    for name, column in columns.items():
        check_complete(column, name)
        if column is None and name not in _OPTIONAL:
            raise InputError("is missing, got None", field=name)
        if column is None or _is_scalar(column):
            continue
        if not hasattr(column, "__len__"):
            raise InputError(f"must be an array or a list, got {column!r}", field=name)
        lengths[name] = len(column)
    if not lengths:
        return 1
    field, length = next(iter(lengths.items()))
    for name, other in lengths.items():
        if other != length:
            raise InputError(f"has {other} entries where {field} has {length}", field=name)
    return length


def _is_scalar(column: Any) -> bool:
    if isinstance(column, np.ndarray):
        return column.ndim == 0
    return isinstance(column, str | int | float | np.generic)


def _values(column: Any, field: str, length: int) -> list[Any]:
    """Return a column of labels as a list, with the types its entries came in."""
    if _is_scalar(column):
        return [column] * length
    if hasattr(column, "__array__"):
        column = np.asarray(column)
        if column.ndim != 1:
            raise InputError(f"must be one-dimensional, got shape {column.shape}", field=field)
        return list(column.tolist())
    return list(column)


def parse_claims(column: Any, length: int) -> tuple[Ints, tuple[str, ...] | None]:
    """Return a code for each order, and the distinct labels that the codes point to.

    Without labels, the codes are the indices that were given.
    """
    if isinstance(column, np.ndarray) and column.dtype.kind in "iu" and column.ndim == 1:
        if column.dtype.kind == "u":
            _refuse_large(first(column > _LARGEST_INDEX), column)
        return _checked_codes(np.array(column, dtype=np.int64)), None
    values = _values(column, "claim", length)
    if not values:
        return frozen(np.zeros(0, dtype=np.int64)), None
    wanted = _naming(type(values[0]))
    if wanted is None or {_naming(kind) for kind in set(map(type, values))} != {wanted}:
        row = next((row for row, value in enumerate(values) if _naming(type(value)) != wanted), 0)
        raise InputError(
            f"must be an index or a label, in the same way for all orders, got {values[row]!r}",
            field="claim",
            index=row,
        )
    if wanted == "index":
        try:
            return _checked_codes(np.array(values, dtype=np.int64)), None
        except OverflowError:
            large = (row for row, value in enumerate(values) if abs(value) > _LARGEST_INDEX)
            _refuse_large(next(large), values)
    # Distinct labels only are ever looked up again; the dictionary keeps their order.
    position = {label: code for code, label in enumerate(dict.fromkeys(values))}
    codes = np.fromiter(map(position.__getitem__, values), dtype=np.int64, count=len(values))
    return frozen(codes), tuple(map(str, position))


def _refuse_large(row: int | None, values: Any) -> None:
    if row is not None:
        raise InputError(
            f"an index is too large, got {reprlib.repr(int(values[row]))}", field="claim", index=row
        )


def _naming(kind: type) -> str | None:
    """Say how values of a type name a claim, if they do."""
    if issubclass(kind, str):
        return "label"
    if issubclass(kind, int | np.integer) and not issubclass(kind, bool):
        return "index"
    return None


def _checked_codes(codes: Ints) -> Ints:
    row = first(codes < 0)
    if row is not None:
        raise InputError(
            f"an index must not be negative, got {codes[row]}", field="claim", index=row
        )
    return frozen(codes)


def parse_sides(column: Any, length: int) -> Sides:
    """Return +1 for each buy and -1 for each sell."""
    try:
        array = np.asarray(column)
    except ValueError:  # rows of several lengths, which are looked at one by one
        array = np.zeros(0, dtype=object)
    if array.dtype.kind in "iuf":
        array = _stretched(array, "side", length)
        row = first((array != 1) & (array != -1))
        if row is not None:
            raise InputError(
                f"must be +1 (buy) or -1 (sell), got {array[row]}", field="side", index=row
            )
        return frozen(array.astype(np.int8))
    values = _values(column, "side", length)
    try:
        signs = {value: _sign(value) for value in dict.fromkeys(values)}
        found = map(signs.__getitem__, values)
    except TypeError:  # a list among them
        found = map(_sign, values)
    sides = np.fromiter(found, dtype=np.int8, count=len(values))
    row = first(sides == 0)
    if row is not None:
        raise InputError(
            f"must be 'buy' or 'sell' (or +1, -1), got {values[row]!r}", field="side", index=row
        )
    return frozen(sides)


def _sign(value: Any) -> int:
    """Return the sign of a side, or 0 for something else."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, str):
        return _SIDES.get(value.strip().casefold(), 0)
    try:
        return int(value) if np.ndim(value) == 0 and value in (1, -1) else 0
    except (TypeError, ValueError):  # the NA of pandas has no truth; lists of several lengths
        return 0


def _stretched(array: NDArray[Any], field: str, length: int) -> NDArray[Any]:
    if array.ndim > 1:
        raise InputError(f"must be one-dimensional, got shape {array.shape}", field=field)
    return np.full(length, array) if array.ndim == 0 else array


def parse_prices(column: ArrayLike, length: int) -> Floats:
    """Return limits: any numbers but NaN."""
    price: Floats = _stretched(as_floats(column, "price"), "price", length)
    row = first(np.isnan(price))
    if row is not None:
        raise InputError(
            "must be a number (infinity is allowed), got nan", field="price", index=row
        )
    return frozen(price)


def parse_quantities(column: ArrayLike, length: int) -> Floats:
    """Return quantities: zero, or positive numbers within range."""
    quantity: Floats = _stretched(as_floats(column, "quantity"), "quantity", length)
    row = first(~((quantity >= 0) & (quantity < np.inf)))
    if row is not None:
        raise InputError(
            f"must be finite and >= 0, got {quantity[row]}", field="quantity", index=row
        )
    row = first((quantity > LARGEST) | ((quantity < SMALLEST) & (quantity != 0)))
    if row is not None:
        raise InputError(
            f"must be 0 or between {SMALLEST:g} and {LARGEST:g}, got {quantity[row]}",
            field="quantity",
            index=row,
        )
    return frozen(quantity)


def parse_times(column: ArrayLike, length: int) -> Floats:
    """Return times: finite, and integers without loss, or rounding would make equal what is not."""
    time: Floats = _stretched(as_floats(column, "time"), "time", length)
    row = first(~np.isfinite(time))
    if row is not None:
        raise InputError(f"must be finite, got {time[row]}", field="time", index=row)
    floats = isinstance(column, np.ndarray) and column.dtype.kind == "f"
    if not floats and np.abs(time).max(initial=0.0) >= EXACT_INTEGERS:
        given = column if isinstance(column, np.ndarray) else np.array(column, dtype=object)
        given = _stretched(given, "time", length)
        for row, (exact, kept) in enumerate(zip(given, time, strict=True)):
            if isinstance(exact, int | np.integer) and int(exact) != int(kept):
                raise InputError(inexact_time(exact), field="time", index=row)
    return frozen(time)


def _is_missing(value: Any) -> bool:
    """Whether a value is None, NaN or NaT, or the NA of pandas, which equals nothing."""
    try:
        return value is None or bool(value != value)
    except TypeError:
        return True
    except ValueError:  # an array
        return False


def parse_ids(column: Any, length: int) -> NDArray[np.object_]:
    """Return identifiers as text: distinct, none missing."""
    values = _values(column, "order_id", length)
    if not set(map(type, values)) <= {str, int}:
        for row, value in enumerate(values):
            if _is_missing(value):
                raise InputError(f"is missing, got {value}", field="order_id", index=row)
            if isinstance(value, list | set | dict | np.ndarray):
                raise InputError(
                    f"must be text or a number, got {value}", field="order_id", index=row
                )
    names = list(map(str, values))
    if len(set(names)) != len(names):
        seen: dict[str, int] = {}
        for row, name in enumerate(names):
            if seen.setdefault(name, row) != row:
                raise InputError(
                    f"duplicate {name!r}: rows {seen[name]} and {row} have it",
                    field="order_id",
                    index=row,
                )
    array = np.empty(len(names), dtype=object)
    array[:] = names
    return frozen(array)
