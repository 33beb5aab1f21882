"""The form of a table of orders: the names of its columns, and their units."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..arrays import Floats, as_flag, as_floats, as_number, first
from ..bounds import LARGEST, SMALLEST
from ..entries import entries_of
from ..errors import InputError, brief, suggestion
from ..files.csv_text import check_decimal
from ..files.decimal_comma import is_comma_number, pointed_column
from ..files.tables import CsvTable
from .order_columns import common_length, parse_sides, side_signs

__all__ = ["OrderForm"]

_REQUIRED = ("claim", "side", "price", "quantity")
_OPTIONAL = ("order_id", "time")
_NEGATIVE = "negative quantity"
_SIDES_HINT = (
    "; say what it means: sides={{{0!r}: 'buy'}} or sides={{{0!r}: 'sell'}}"
    " (--sides {0}=buy or {0}=sell)"
)


#: The arguments of :class:`OrderForm`.
OPTIONS = ("columns", "sides", "sell", "price_unit", "quantity_unit", "market_orders")


class OrderForm:
    """How a table of orders differs from the form of :meth:`kpm_fast.Orders.from_csv`.

    Attributes
    ----------
    names : dict
        The name of each field's column.
    required, optional : list of str
        Names of columns that must be there, and that may be.
    renamable : set of str
        Fields not in ``columns``, which an error suggests to name there.
    """

    def __init__(
        self,
        columns: Mapping[str, str] | None = None,
        sides: Mapping[Any, str] | None = None,
        sell: str | None = None,
        price_unit: float = 1,
        quantity_unit: float = 1,
        market_orders: bool = False,
    ) -> None:
        if sell is not None and not (isinstance(sell, str) and sell == _NEGATIVE):
            raise InputError(f"must be {_NEGATIVE!r}, got {brief(sell)}", field="sell")
        renamed = _checked_columns(columns)
        self._signed = sell is not None
        if self._signed and ("side" in renamed or sides):
            raise InputError(
                f"must be left out where sides are read, "
                f"got {brief(sell)}: with it the sign of the "
                "quantity is the side",
                field="sell",
            )
        fields = [name for name in _REQUIRED if not (self._signed and name == "side")]
        # A column that another field asks for is neither time nor identifiers by its name alone.
        optional = [n for n in _OPTIONAL if n in renamed or n not in renamed.values()]
        self.names = {name: renamed.get(name, name) for name in (*fields, *optional)}
        _check_once(self.names, renamed)
        # A column asked for by name must be there.
        self.required = [self.names[name] for name in (*fields, *(set(renamed) - set(fields)))]
        self.optional = [name for name in self.names.values() if name not in self.required]
        self.renamable = set(fields) - set(renamed)
        self._signs = side_signs(sides) if sides is not None else {}
        self._units = {
            "price": _checked_unit(price_unit, "price_unit"),
            "quantity": _checked_unit(quantity_unit, "quantity_unit"),
        }
        self._market_orders = as_flag(market_orders, "market_orders")

    def ignored(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the names of a table's columns that are not read."""
        return tuple(name for name in names if name not in self.names.values())

    def columns_of_csv(self, table: CsvTable) -> dict[str, Any]:
        """Return the columns of a file by field; an entry that is no number names its line."""
        columns: dict[str, Any] = {}
        for field, name in self.names.items():
            if name not in table:
                continue
            if field in self._units:
                missing = field == "price" and self._market_orders
                columns[field] = table.numbers(name, missing=missing)
            else:
                columns[field] = table.times(name) if field == "time" else table.text(name)
        return columns

    def columns_of_frame(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """Return the columns of a frame by field."""
        return {field: table[name] for field, name in self.names.items() if name in table}

    def pointed(self, columns: dict[str, Any], decimal: str | None) -> dict[str, Any]:
        """Return a frame's columns by field with points for the decimal commas of its text."""
        check_decimal(decimal, None)
        if decimal != ",":
            return columns
        fields = (*self._units, "time")
        return {
            field: pointed_column(column, field) if field in fields else column
            for field, column in columns.items()
        }

    def parsed(self, columns: dict[str, Any], side: Any = None) -> dict[str, Any]:
        """Return the arguments of :class:`kpm_fast.Orders` for a table's columns by field.

        ``side`` is the table's column of that name: where the sign of a quantity states the side,
        the two must agree.
        """
        length = common_length(**columns)
        if self._market_orders:
            columns["price"] = _blank_as_missing(columns["price"])
        for field, unit in self._units.items():
            if unit != 1:
                columns[field] = _in_units(_numbers(columns[field], field), unit, field)
        if self._signed:
            signed = _numbers(columns["quantity"], "quantity")
            columns["side"] = np.where(signed < 0, -1, 1)
            columns["quantity"] = np.abs(signed)
            if side is not None:
                _check_against(side, signed, length)
        else:
            columns["side"] = parse_sides(columns["side"], length, self._signs, hint=_SIDES_HINT)
            columns["quantity"] = _not_negative(columns["quantity"])
        price = _numbers(columns["price"], "price")
        missing = np.isnan(price)
        if missing.any():
            if not self._market_orders:
                row = int(np.atleast_1d(missing).argmax())
                raise InputError(
                    "must be a number (infinity is allowed), got nan; market_orders=True "
                    "(--market-orders) makes a market order of a missing price",
                    field="price",
                    index=row,
                )
            columns["price"] = np.where(missing, math.inf * columns["side"], price)
        return columns


def _numbers(column: Any, field: str) -> Floats:
    """Return a column as floats; the error about a decimal comma says how it is read."""
    try:
        return as_floats(column, field)
    except InputError as error:
        if isinstance(error.index, int):
            entry = entries_of(column)[error.index]
            if is_comma_number(entry):
                read = entry.strip().replace(",", ".")
                reason = f"{error.reason}; decimal=',' reads {read}"
                raise InputError(reason, field=field, index=error.index) from None
        raise


def _blank_as_missing(prices: Any) -> Any:
    """Return a column with None for text without a character, as it is read in CSV files."""
    entries = entries_of(prices)
    if isinstance(entries, np.ndarray):
        if entries.dtype.kind not in "OUT":
            return prices
        entries = entries.tolist()
    if not isinstance(entries, list | tuple):
        return prices
    return [None if isinstance(e, str) and not e.strip() else e for e in entries]


def _check_against(side: Any, signed: Floats, length: int) -> None:
    """Refuse a column of sides that contradicts signs; one that holds something else is ignored."""
    try:
        sides = parse_sides(side, length)
    except InputError:
        return
    contrary = np.atleast_1d(signed * sides < 0)
    if contrary.any():
        row = int(contrary.argmax())
        quantity = float(np.broadcast_to(signed, contrary.shape)[row])
        raise InputError(
            f"is {'buy' if sides[row] > 0 else 'sell'!r} where the quantity is {quantity:g}: with "
            "sell='negative quantity' the sign alone says what to sell",
            field="side",
            index=row,
        )


def _not_negative(column: Any) -> Floats:
    quantity = _numbers(column, "quantity")
    negative = np.atleast_1d(quantity < 0)
    if negative.any():
        row = int(negative.argmax())
        raise InputError(
            f"must be finite and >= 0, got {np.atleast_1d(quantity)[row]}; "
            "sell='negative quantity' (--sell negative-quantity) reads it as an order to sell",
            field="quantity",
            index=row,
        )
    return quantity


def _checked_columns(columns: Mapping[str, str] | None) -> dict[str, str]:
    if columns is None:
        return {}
    if not isinstance(columns, Mapping):
        raise InputError(
            f"must map fields to names of columns, such as {{'price': 'px'}}, got {brief(columns)}",
            field="columns",
        )
    fields = (*_REQUIRED, *_OPTIONAL)
    for field, name in columns.items():
        if field not in fields:
            hint = suggestion(str(field), fields) or f" (fields: {', '.join(fields)})"
            if name in fields:
                hint = f": the field comes first, {{{name!r}: {field!r}}}"
            raise InputError(f"there is no field {field!r}{hint}", field="columns")
        if not isinstance(name, str):
            raise InputError(f"must be a name, got {brief(name)}", field="columns", index=field)
    names = list(columns.values())
    if len(set(names)) != len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise InputError(f"must name each column once, got {brief(twice)} twice", field="columns")
    return dict(columns)


def _check_once(names: Mapping[str, str], renamed: Mapping[str, str]) -> None:
    """Refuse a column that is asked for where a field of its own name is read from it, too."""
    for field, name in renamed.items():
        if name != field and name not in renamed and name in names:
            raise InputError(
                f"must name each column once, got {name!r}, from which the field {name!r} is read: "
                f"name another for that, {{{name!r}: ...}}",
                field="columns",
                index=field,
            )


def _checked_unit(unit: Any, field: str) -> float:
    number = as_number(unit, field)
    if not 0 < number < math.inf:
        raise InputError(f"must be a finite number > 0, got {brief(unit)}", field=field)
    if not SMALLEST <= number <= LARGEST:
        raise InputError(
            f"must be between {SMALLEST:g} and {LARGEST:g}, got {brief(unit)}", field=field
        )
    return number


def _in_units(values: Floats, unit: float, field: str) -> Floats:
    """Divide by a unit; by its inverse if that is whole, which rounds once and not twice.

    A finite number must stay one, lest a limit become a market order, and none may vanish.
    """
    inverse = round(1 / unit) if unit < 1 else 0
    with np.errstate(over="ignore", under="ignore"):
        if inverse and abs(inverse * unit - 1) <= 2.0**-52:
            scaled = values * float(inverse)
        else:
            scaled = values / unit
    lost = np.atleast_1d((np.isinf(scaled) & np.isfinite(values)) | ((scaled == 0) & (values != 0)))
    row = first(lost)
    if row is not None:
        raise InputError(
            f"must be a number that {field}_unit={unit!r} divides within the range of numbers, "
            f"got {float(np.atleast_1d(values)[row])!r}",
            field=field,
            index=row,
        )
    return np.asarray(scaled)
