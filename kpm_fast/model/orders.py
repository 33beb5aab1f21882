"""The limit order book, as arrays."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _core
from ..arrays import Floats, Ints, frozen, same
from ..errors import InputError
from ..files.tables import CsvTable, columns_of, make_frame, read_csv
from .labels import claims_of, integer_claims, integers_as_labels, labelled_claims
from .market import Market
from .order import Order
from .order_columns import (
    Sides,
    common_length,
    parse_claims,
    parse_ids,
    parse_prices,
    parse_quantities,
    parse_sides,
    picked_rows,
)
from .order_form import OrderForm
from .pickled_orders import restored
from .times import parse_times

__all__ = ["Orders"]

_REQUIRED = ("claim", "side", "price", "quantity")
_OPTIONAL = ("order_id", "time")


class Orders:
    """A book of J limit orders. Immutable; J = 0 is allowed.

    Parameters
    ----------
    claim : array_like of int or str, shape (J,)
        The claim of each order: integers are indices into ``market.claims``, text is a label.
    side : array_like, shape (J,)
        +1 or ``"buy"`` (``"bid"``), -1 or ``"sell"`` (``"ask"``), in any case of letters.
    price : array_like of float, shape (J,)
        Limit price b in money per share. Any number but NaN: a limit beyond what the claim can
        pay, infinity included, makes a market order or one that never trades.
    quantity : array_like of float, shape (J,)
        Shares Q; finite, >= 0.
    order_id : array_like, shape (J,), optional
        Distinct identifiers, kept as text. Default: the row numbers ``"0"``, ``"1"``, ...
    time : array_like, shape (J,), optional
        Smaller is earlier; used only by ``allocation="time"``. Numbers of any length, decimals,
        dates with times, times of day, or ISO 8601 text of these, all of one kind; either all or
        none have time zones. They are ranked exactly, before anything is rounded.

    A scalar stands for J equal entries; J scalars make a book of one order.

    Raises
    ------
    InputError
        Naming the field, the row, and the value at fault.

    Notes
    -----
    ``orders[3]`` is an :class:`Order`; ``orders[mask]``, ``orders[2:5]`` and
    ``orders[[1, 7]]`` are books as well. A row cannot be taken twice where orders have identifiers.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> orders = kpm.Orders(["home", "draw"], ["buy", "sell"], [0.6, 0.3], [10, 5])
    >>> orders[1].claim, orders[orders.side > 0].price.tolist()
    ('draw', [0.6])
    """

    __slots__ = (
        "_codes",
        "_ignored",
        "_labels",
        "_order_id",
        "_price",
        "_priority",
        "_quantity",
        "_resolved",
        "_side",
        "_time",
    )

    _codes: Ints  # index of the claim, or position in _labels
    _labels: tuple[str, ...] | None  # distinct claim labels; None: codes are indices
    _side: Sides
    _price: Floats
    _quantity: Floats
    _order_id: NDArray[np.object_] | None
    _time: NDArray[Any] | None  # doubles, or exact text
    _priority: Floats | None  # doubles in the order of the times
    _resolved: tuple[tuple[str, ...], Ints] | None  # claims last resolved against
    _ignored: tuple[str, ...]

    def __init__(
        self,
        claim: ArrayLike,
        side: ArrayLike,
        price: ArrayLike,
        quantity: ArrayLike,
        order_id: ArrayLike | None = None,
        time: ArrayLike | None = None,
    ) -> None:
        self._resolved = None
        self._ignored = ()
        if order_id is None and time is None:
            plain = _core.plain_orders(claim, side, price, quantity)
            if plain is not None:
                self._codes, self._side, self._price, self._quantity = plain
                self._labels = self._order_id = self._time = self._priority = None
                return
        length = common_length(
            claim=claim, side=side, price=price, quantity=quantity, order_id=order_id, time=time
        )
        codes, labels = parse_claims(claim, length)
        self._codes = codes
        self._labels = labels
        self._side = parse_sides(side, length)
        self._price = parse_prices(price, length)
        self._quantity = parse_quantities(quantity, length)
        self._order_id = None if order_id is None else parse_ids(order_id, length)
        self._time, self._priority = parse_times(time, length) if time is not None else (None, None)

    #: What pickles of earlier releases name.
    _trusted: Any = classmethod(restored)

    @classmethod
    def _of_valid(
        cls,
        codes: Ints,
        labels: tuple[str, ...] | None,
        side: Sides,
        price: Floats,
        quantity: Floats,
        order_id: NDArray[np.object_] | None,
        time: NDArray[Any] | None,
        priority: Floats | None,
    ) -> Orders:
        """Build a book from columns that come from valid books."""
        self = cls.__new__(cls)
        for column in (codes, side, price, quantity, order_id, time, priority):
            if column is not None:
                frozen(column)
        self._codes, self._labels, self._side = codes, labels, side
        self._price, self._quantity, self._order_id = price, quantity, order_id
        self._time, self._priority, self._resolved, self._ignored = time, priority, None, ()
        return self

    @classmethod
    def from_csv(
        cls,
        path: str | os.PathLike[str],
        market: Market | None = None,
        *,
        columns: Mapping[str, str] | None = None,
        sides: Mapping[Any, str] | None = None,
        sell: str | None = None,
        price_unit: float = 1,
        quantity_unit: float = 1,
        market_orders: bool = False,
        delimiter: str | None = None,
        decimal: str | None = None,
        encoding: str | None = None,
    ) -> Orders:
        """Read a book from a CSV file.

        The header names the columns ``claim``, ``side``, ``price``, ``quantity`` and, if they
        are wanted, ``order_id`` and ``time``, in any order. Claims are labels. Other columns are
        listed in ``ignored_columns``, but one that looks like a misspelled ``time`` or ``order_id``
        is refused.

        Parameters
        ----------
        path : path
            Plain, or compressed by gzip, bzip2, xz, zip or Zstandard (with Python 3.14 or the
            package ``zstandard``), as detected from its first bytes.
        market : Market, optional
            If given, a claim that this market does not have is an error here, with its line.
        columns, sides, sell, price_unit, quantity_unit, market_orders
            How the columns differ from those above: see :meth:`from_frame`.
        delimiter : str, optional
            Default: whichever of comma, semicolon, tab and vertical bar yields the columns in the
            header.
        decimal : {".", ","}, optional
            Default: the comma if semicolons delimit and numbers contain commas and no points.
        encoding : str, optional
            Default: UTF-8, or UTF-16 or UTF-32 if the file begins with its byte order mark.

        Raises
        ------
        InputError
            Naming file, line, column and value.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "orders.csv"
        >>> _ = path.write_text("claim;side;price;quantity\\nhome;buy;0,6;10\\n")
        >>> kpm.Orders.from_csv(path).price.tolist()
        [0.6]
        """
        form = OrderForm(columns, sides, sell, price_unit, quantity_unit, market_orders)
        table = read_csv(
            path,
            form.required,
            form.optional,
            delimiter=delimiter,
            decimal=decimal,
            encoding=encoding,
            renamable=form.renamable,
        )
        return cls._of_table(table, form, market)

    @classmethod
    def _of_table(cls, table: CsvTable, form: OrderForm, market: Market | None) -> Orders:
        read = form.columns_of_csv(table)
        try:
            orders = cls(**form.parsed(read, table.text("side") if "side" in table else None))
            if market is not None:
                orders.claim_index(market)
        except InputError as error:
            raise table.locate(error) from None
        orders._ignored = form.ignored(table.names)
        return orders

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        market: Market | None = None,
        *,
        columns: Mapping[str, str] | None = None,
        sides: Mapping[Any, str] | None = None,
        sell: str | None = None,
        price_unit: float = 1,
        quantity_unit: float = 1,
        market_orders: bool = False,
        decimal: str | None = None,
    ) -> Orders:
        """Build a book from a data frame.

        Parameters
        ----------
        frame : pandas or polars DataFrame, polars LazyFrame, pyarrow Table or RecordBatch, mapping
            With the columns of :meth:`from_csv`. Text is read by the same rules as in a file.
        market : Market, optional
            If given, a claim that this market does not have is an error here. Where all labels of
            the market are integers, a column of integers is then one of labels; otherwise integers
            are positions, and refused if they might be labels (:meth:`claim_index`).
        columns : mapping, optional
            Names of columns that differ from their field's name: ``{"price": "px"}``.
        sides : mapping, optional
            Additional words for ``"buy"`` and ``"sell"``, in any case: ``{"B": "buy"}``.
        sell : {"negative quantity"}, optional
            There is no column for the side: negative quantities are sell orders.
        price_unit, quantity_unit : float
            How many of the column's units make one unit of money, or one share: 100 if prices are
            in cents, 0.01 if quantities are lots of a hundred.
        market_orders : bool
            A missing price is a market order: a limit of infinity to buy, of -infinity to sell.
        decimal : {".", ","}, optional
            Of numbers that are text. Default: the point.

        Raises
        ------
        InputError
            Naming column, row and value.

        Examples
        --------
        >>> book = {"claim": ["home"], "bs": ["B"], "px": [56], "quantity": [20], "venue": ["X"]}
        >>> orders = Orders.from_frame(
        ...     book, columns={"price": "px", "side": "bs"}, sides={"B": "buy"}, price_unit=100
        ... )
        >>> orders[0].side, orders[0].price, orders.ignored_columns
        ('buy', 0.56, ('venue',))
        """
        form = OrderForm(columns, sides, sell, price_unit, quantity_unit, market_orders)
        table = columns_of(frame, form.required, form.optional, form.renamable)
        read = form.pointed(form.columns_of_frame(table), decimal)
        if market is not None:
            read["claim"] = integers_as_labels(read["claim"], claims_of(market))
        orders = cls(**form.parsed(read, table.get("side")))
        if market is not None:
            orders.claim_index(market)
        orders._ignored = form.ignored(table)
        return orders

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return the book as a data frame of ``"pandas"``, ``"polars"`` or ``"pyarrow"``."""
        return make_frame(self.columns(), backend)

    def columns(self) -> dict[str, Any]:
        """Return the columns of the book by name; those not given are left out."""
        table: dict[str, Any] = {}
        if self._order_id is not None:
            table["order_id"] = self._order_id
        table["claim"] = self.claim
        table["side"] = self.side_names
        table["price"] = self._price
        table["quantity"] = self._quantity
        if self._time is not None:
            table["time"] = self._time
        return table

    @classmethod
    def concat(cls, books: Iterable[Orders]) -> Orders:
        """Join books, in the order given.

        All of them must name claims in the same way (labels or indices), and all or none must
        have identifiers and times. Identifiers must stay distinct.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> orders = kpm.Orders(["home", "draw"], ["buy", "sell"], [0.6, 0.3], [10, 5])
        >>> len(kpm.Orders.concat([orders, orders]))
        4
        """
        parts: list[Any] = list(books) if np.iterable(books) else [books]
        for place, part in enumerate(parts):
            if not isinstance(part, Orders):
                kind = type(part).__name__
                raise InputError(f"must be Orders, got {kind}", field="books", index=place)
        filled = [part for part in parts if len(part)] or parts[:1]
        if not filled:
            return cls([], [], [], [])
        columns: dict[str, Any] = {}
        for name in (*_REQUIRED, *_OPTIONAL):
            pieces = [getattr(part, "_order_id" if name == "order_id" else name) for part in filled]
            missing = sum(piece is None for piece in pieces)
            if missing == len(pieces):
                continue
            if missing:
                raise InputError(
                    f"must be in all books or in none, got it in {len(pieces) - missing} of "
                    f"{len(pieces)}",
                    field=name,
                )
            columns[name] = np.concatenate(pieces)
        if len({part._labels is None for part in filled}) > 1:
            raise InputError(
                "must be labels in all books or indices in all, got both", field="claim"
            )
        return cls(**columns)

    @property
    def claim(self) -> NDArray[Any]:
        """Claim of each order, as given: int64 indices, or an object array of labels."""
        if self._labels is None:
            return self._codes
        return frozen(np.array(self._labels, dtype=object)[self._codes])

    @property
    def side(self) -> Sides:
        """+1 for a buy, -1 for a sell, shape (J,)."""
        return self._side

    @property
    def side_names(self) -> NDArray[np.object_]:
        """``"buy"`` or ``"sell"``, shape (J,)."""
        return frozen(np.array(["sell", "buy"], dtype=object).take((self._side + 1) // 2))

    @property
    def price(self) -> Floats:
        """Limit prices, money per share, shape (J,)."""
        return self._price

    @property
    def quantity(self) -> Floats:
        """Quantities, shares, shape (J,)."""
        return self._quantity

    @property
    def order_id(self) -> NDArray[np.object_]:
        """Identifiers, shape (J,); the row numbers, made on demand, if none were given."""
        if self._order_id is None:
            return frozen(np.array(list(map(str, range(len(self)))), dtype=object))
        return self._order_id

    @property
    def has_order_id(self) -> bool:
        """Whether identifiers were given."""
        return self._order_id is not None

    @property
    def time(self) -> NDArray[Any] | None:
        """Times, shape (J,), or None.

        float64 where that keeps every digit, else exact text: decimals, or ISO 8601 (in UTC where
        the times have a zone).
        """
        return self._time

    @property
    def priority(self) -> Floats | None:
        """Doubles in the exact order of the times, shape (J,), or None: smaller is earlier."""
        return self._priority

    @property
    def ignored_columns(self) -> tuple[str, ...]:
        """Columns of the file or frame that this book was read from and that it did not use."""
        return self._ignored

    def claim_index(self, market: Market) -> Ints:
        """Return the index into ``market.claims`` of each order, shape (J,).

        The answer for the last market is kept, so asking again costs nothing.

        Raises
        ------
        InputError
            If the market has no such claim, naming row and value.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> orders = kpm.Orders(["home", "draw"], ["buy", "sell"], [0.6, 0.3], [10, 5])
        >>> market = kpm.Market({"draw": [0, 1], "home": [1, 0]}, [0.5, 0.5])
        >>> orders.claim_index(market).tolist()
        [1, 0]
        """
        claims = claims_of(market)
        known = self._resolved  # once: another thread may ask about another market
        if known is not None and known[0] == claims:
            return known[1]
        self._resolved = (claims, index := self._indices(claims))
        return index

    def _indices(self, claims: tuple[str, ...]) -> Ints:
        if self._labels is None:
            return frozen(integer_claims(self._codes, claims))
        return frozen(labelled_claims(self._codes, self._labels, claims))

    def __len__(self) -> int:
        return len(self._codes)

    @overload
    def __getitem__(self, key: int) -> Order: ...
    @overload
    def __getitem__(self, key: slice | ArrayLike) -> Orders: ...
    def __getitem__(self, key: Any) -> Order | Orders:
        if isinstance(key, int | np.integer) and not isinstance(key, bool | np.timedelta64):
            key = range(len(self))[int(key)]
            code = self._codes[key]
            ids, times = self._order_id, self._time
            return Order(
                claim=int(code) if self._labels is None else self._labels[code],
                side="buy" if self._side[key] > 0 else "sell",
                price=float(self._price[key]),
                quantity=float(self._quantity[key]),
                order_id=str(key if ids is None else ids[key]),
                time=None if times is None else times[key : key + 1].tolist()[0],
            )
        rows = key if isinstance(key, slice) else picked_rows(key, len(self), self._order_id)
        if isinstance(rows, int):
            return self[rows]
        columns = (self._codes, self._side, self._price, self._quantity, self._order_id)
        picked: list[Any] = [
            None if column is None else column[rows].copy()
            for column in (*columns, self._time, self._priority)
        ]
        codes, *others = picked
        return Orders._of_valid(codes, self._labels, *others)

    def __iter__(self) -> Iterator[Order]:
        return (self[row] for row in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Orders):
            return NotImplemented
        columns = ["claim", "side", "price", "quantity", "time"]
        if self.has_order_id or other.has_order_id:  # made-up ones are equal
            columns.append("order_id")
        return (
            (self._labels is None) == (other._labels is None)
            and len(self) == len(other)
            and all(same(getattr(self, name), getattr(other, name)) for name in columns)
        )

    __hash__ = None  # type: ignore[assignment]  # equal by arrays, which have no hash

    def __reduce__(self) -> tuple[Any, ...]:
        columns = (self._codes, self._labels, self._side, self._price, self._quantity)
        return restored, (Orders, *columns, self._order_id, self._time)

    def __repr__(self) -> str:
        buys = int(np.count_nonzero(self._side > 0))
        return f"Orders({len(self)} orders: {buys} buys, {len(self) - buys} sells)"
