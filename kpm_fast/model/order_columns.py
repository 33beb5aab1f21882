"""The columns of a book of orders, parsed once whatever their form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _core
from ..arrays import Floats, Ints, as_floats, check_complete, first, frozen
from ..entries import entries_of, identifier, is_a, is_missing, plain_text, unwritable
from ..errors import InputError, brief
from .faults import error_of

__all__ = [
    "Sides",
    "common_index",
    "common_length",
    "parse_claims",
    "parse_ids",
    "parse_prices",
    "parse_quantities",
    "parse_sides",
    "picked_rows",
    "side_sign",
    "side_signs",
]

Sides = NDArray[np.int8]

_OPTIONAL = ("order_id", "time")
_LARGEST_INDEX = 2**63 - 1
_BUILT_IN = (list, tuple, int, float, str, type(None))
_SCALARS = (str, bytes, int, float, np.generic)
_SIDES = {"buy": 1, "bid": 1, "1": 1, "sell": -1, "ask": -1, "-1": -1}


def common_index(index: Any, column: Any, field: str) -> Any:
    """Return the index of pandas that columns have in common, given that of those before."""
    if type(column) in _BUILT_IN or not is_a(column, "pandas", "Series"):
        return index
    if index is not None and not index.equals(column.index):
        raise InputError(
            "must have the index of the columns before it: rows are not matched by position "
            "(.to_numpy() says that they are in order)",
            field=field,
        )
    return column.index


def common_length(**columns: Any) -> int:
    """Return J; scalars stand for any number of rows, so only the other columns must agree."""
    length, named = -1, ""
    index: Any = None
    for name, column in columns.items():
        if type(column) is not np.ndarray:
            index = common_index(index, column, name)
            if column is None:
                if name not in _OPTIONAL:
                    raise InputError("is missing, got None", field=name)
                continue
            check_complete(column, name)
            if _is_scalar(column):
                continue
            if not hasattr(column, "__len__"):
                raise InputError(f"must be an array or a list, got {brief(column)}", field=name)
        elif column.ndim == 0:
            continue
        entries = len(column)
        if length < 0:
            length, named = entries, name
        elif entries != length:
            raise InputError(f"has {entries} entries where {named} has {length}", field=name)
    return 1 if length < 0 else length


def _is_scalar(column: Any) -> bool:
    if isinstance(column, np.ndarray):
        return column.ndim == 0
    return isinstance(column, _SCALARS)


def _values(column: Any, field: str, length: int) -> list[Any]:
    """Return a column of labels as a list, its entries in their own types."""
    if isinstance(column, list):
        return column
    if _is_scalar(column):
        return [column[()] if isinstance(column, np.ndarray) else column] * length
    column = entries_of(column)
    if isinstance(column, np.ndarray):
        if column.ndim != 1:
            raise InputError(f"must be one-dimensional, got shape {column.shape}", field=field)
        # As Python's floats, narrower ones would no longer say how many digits are certain; of
        # times in some units NumPy makes integers.
        return list(column) if column.dtype.char in "efgMm" else list(column.tolist())
    return list(column)


def parse_claims(column: Any, length: int) -> tuple[Ints, tuple[str, ...] | None]:
    """Return a code for each order, and the distinct labels that the codes point to.

    Without labels, the codes are the indices that were given.
    """
    column = entries_of(column)
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
            f"must be an index or a label, in the same way for all orders, "
            f"got {brief(values[row])}",
            field="claim",
            index=row,
        )
    if wanted == "index":
        try:
            return _checked_codes(np.array(values, dtype=np.int64)), None
        except OverflowError:
            large = (row for row, value in enumerate(values) if abs(value) > _LARGEST_INDEX)
            _refuse_large(next(large), values)
    # Only distinct labels are looked up later; the dictionary keeps their order.
    position = {label: code for code, label in enumerate(dict.fromkeys(values))}
    codes = np.fromiter(map(position.__getitem__, values), dtype=np.int64, count=len(values))
    labels = tuple(
        [
            label if type(label) is str else identifier(label, "claim", values.index(label))
            for label in position
        ]
    )
    if len(set(labels)) != len(labels):  # bytes and text with the same characters
        return parse_claims([labels[code] for code in codes.tolist()], length)
    return frozen(codes), labels


def _refuse_large(row: int | None, values: Any) -> None:
    if row is not None:
        raise InputError(
            f"must be an index below 2**63, got {brief(int(values[row]))}",
            field="claim",
            index=row,
        )


def _naming(kind: type) -> str | None:
    """Return whether values of a type name a claim by label or by index; None if neither."""
    if issubclass(kind, str | bytes):
        return "label"
    if issubclass(kind, int | np.integer) and not issubclass(kind, bool | np.timedelta64):
        return "index"
    return None


def _checked_codes(codes: Ints) -> Ints:
    if len(codes) and codes.min() < 0:
        row = int((codes < 0).argmax())
        raise InputError(
            f"must be an index >= 0, got {codes[row]} (pass text to mean a label)",
            field="claim",
            index=row,
        )
    return frozen(codes)


def parse_sides(
    column: Any, length: int, names: Mapping[Any, int] | None = None, *, hint: str = ""
) -> Sides:
    """Return +1 for each buy and -1 for each sell.

    ``names`` are further words for them; see :func:`side_signs`. ``hint`` is added to an error: a
    format string for the unknown word.
    """
    column = entries_of(column)
    if not names and (type(column) is not np.ndarray or column.dtype.kind not in "iuf"):
        try:
            array = np.asarray(column)
        except ValueError:  # rows of several lengths, which are checked one by one
            array = np.zeros(0, dtype=object)
    else:
        array = column if isinstance(column, np.ndarray) else np.zeros(0, dtype=object)
    if array.dtype.kind in "iuf" and not names:
        array = _stretched(array, "side", length)
        # One pass over a valid column: only +1 and -1 have magnitude one.
        if np.count_nonzero(np.abs(array) == 1) != len(array):
            row = int((np.abs(array) != 1).argmax())
            raise InputError(
                f"must be +1 (buy) or -1 (sell), got {array[row]}", field="side", index=row
            )
        return frozen(array.astype(np.int8))
    values = _values(column, "side", length)
    known = names or {}
    try:
        signs = {value: _sign(value, known) for value in dict.fromkeys(values)}
        sides = np.fromiter(map(signs.__getitem__, values), dtype=np.int8, count=len(values))
    except (TypeError, ValueError):  # a list among them; a duration without a unit
        sides = np.array([_sign(value, known) for value in values], dtype=np.int8)
    unknown = first(sides == 0)
    if unknown is not None:
        if is_missing(values[unknown]):
            raise InputError(f"is missing, got {values[unknown]}", field="side", index=unknown)
        if _sign(values[unknown], {}) == -1:
            raise InputError(
                "is -1, which means 'sell', and so does 1 by sides= (--sides)",
                field="side",
                index=unknown,
            )
        further = "".join(f", {name!r}" for name, sign in known.items() if sign)
        raise InputError(
            f"must be 'buy' or 'sell' (or +1, -1{further}), got {brief(values[unknown])}"
            + hint.format(values[unknown]),
            field="side",
            index=unknown,
        )
    return frozen(sides)


def _sign(value: Any, names: Mapping[Any, int]) -> int:
    """Return the sign of a side, or 0 for something else."""
    # To NumPy a duration of 1 equals 1.
    if is_missing(value) or isinstance(value, np.datetime64 | np.timedelta64):
        return 0
    if isinstance(value, bool | np.bool_):
        return names.get(_side_name(value), 0)
    if isinstance(value, str | bytes):
        try:
            name = _side_name(value)
        except ValueError:
            return 0
        return names.get(name, _SIDES.get(name, 0))
    try:
        if np.ndim(value) != 0:
            return 0
        return names.get(_side_name(value), int(value) if value in (1, -1) else 0)
    except Exception:  # nested lists have no shape; other objects have errors of their own
        return 0


def _side_name(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    name = plain_text(value).strip().casefold()
    return "1" if name == "+1" else name


def side_sign(side: Any) -> int:
    """Return the sign of one side, spelled as in a column of them."""
    sign = _sign(side, {})
    if not sign:
        raise InputError(f"must be 'buy' or 'sell' (or +1, -1), got {brief(side)}", field="side")
    return sign


def side_signs(names: Mapping[Any, Any]) -> dict[str, int]:
    """Return words for sides with their signs.

    Raises
    ------
    InputError
        If one stands for neither ``"buy"`` nor ``"sell"``.
    """
    if not isinstance(names, Mapping):
        raise InputError(
            f"must map words to 'buy' or 'sell', such as {{'B': 'buy'}}, got {brief(names)}",
            field="sides",
        )
    signs = {}
    for name, side in names.items():
        sign = _sign(side, {})
        if not sign:
            raise InputError(
                f"must be 'buy' or 'sell', got {brief(side)}", field="sides", index=str(name)
            )
        if is_missing(name):
            raise InputError(f"has a word that is missing, got {name}", field="sides")
        try:
            word = _side_name(name)
            signs[word] = sign
        except ValueError as error:  # bytes that are no text
            raise InputError(str(error), field="sides", index=str(name)) from None
        # Of numbers a table may have codes of its own, such as 0 and 1; -1 is always one to sell.
        if (word.isalpha() or word == "-1") and _SIDES.get(word, sign) != sign:
            standard = "buy" if _SIDES[word] > 0 else "sell"
            raise InputError(
                f"means {standard!r} already, got {brief(side)}", field="sides", index=str(name)
            )
    if signs.get("1") == -1:
        if "-1" in signs:
            raise InputError("means 'sell', and so does -1", field="sides", index="1")
        signs["-1"] = 0  # of these codes it is none
    return signs


def _stretched(array: NDArray[Any], field: str, length: int) -> NDArray[Any]:
    if array.ndim > 1:
        raise InputError(f"must be one-dimensional, got shape {array.shape}", field=field)
    return np.full(length, array) if array.ndim == 0 else array


def parse_prices(column: ArrayLike, length: int) -> Floats:
    """Return limits: any numbers but NaN."""
    price: Floats = _stretched(as_floats(column, "price"), "price", length)
    fault = _core.price_fault(price)
    if fault is not None:
        raise error_of(fault)
    return frozen(price)


def parse_quantities(column: ArrayLike, length: int) -> Floats:
    """Return quantities: zero, or positive numbers within range."""
    quantity: Floats = _stretched(as_floats(column, "quantity"), "quantity", length)
    fault = _core.quantity_fault(quantity)
    if fault is not None:
        raise error_of(fault)
    return frozen(quantity)


def parse_ids(column: Any, length: int) -> NDArray[np.object_]:
    """Return identifiers as text: distinct, none missing."""
    values = _values(column, "order_id", length)
    kinds = set(map(type, values))
    if kinds <= {str}:
        names = list(values)
        wrong = unwritable(names)
        if wrong is not None:
            identifier(names[wrong], "order_id", wrong)  # which refuses it
    else:
        names = [identifier(value, "order_id", row) for row, value in enumerate(values)]
    if len(set(names)) != len(names):
        seen: dict[str, int] = {}
        for row, name in enumerate(names):
            if seen.setdefault(name, row) != row:
                raise InputError(
                    f"must be distinct, got {brief(name)}, which row {seen[name]} has as well",
                    field="order_id",
                    index=row,
                )
    array = np.empty(len(names), dtype=object)
    array[:] = names
    return frozen(array)


def picked_rows(
    key: ArrayLike, length: int, order_id: NDArray[np.object_] | None
) -> NDArray[Any] | int:
    """Return rows to pick; none twice if they have identifiers, which must stay distinct."""
    check_complete(key, "key")
    rows = np.asarray(key)
    if rows.ndim == 0 and rows.dtype.kind == "b":
        raise InputError(f"must be a row, or a flag for each, got {bool(rows)}", field="key")
    if rows.size == 0 and rows.dtype.kind != "b":
        rows = rows.astype(np.int64)
    if rows.ndim == 0 and rows.dtype.kind in "iu":
        return int(rows)
    if rows.ndim != 1:
        raise InputError(f"must be one-dimensional, got shape {rows.shape}", field="key")
    if rows.dtype.kind == "u" and rows.max() > _LARGEST_INDEX:  # to NumPy one of the last rows
        raise IndexError(f"index {rows.max()} is out of bounds for {length} orders")
    if rows.dtype.kind in "iu":
        rows = rows.astype(np.intp, copy=False)  # by others NumPy crashes where memory runs out
    if order_id is not None and rows.dtype.kind in "iu":
        picked = np.arange(length)[rows]
        seen = np.zeros(length, dtype=bool)
        seen[picked] = True
        if np.count_nonzero(seen) != len(picked):
            parse_ids(order_id[picked], len(picked))
    return rows
