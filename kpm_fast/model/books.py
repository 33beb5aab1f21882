"""Many books of one market, as columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import FrozenInstanceError
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Floats, Ints, as_floats, check_complete, flag_among, frozen, refuse_other, same
from ..entries import entries_of, is_missing
from ..errors import InputError, brief
from ..files.csv_text import check_decimal
from ..files.tables import columns_of
from .immutable import FrozenDict, unshared
from .labels import integers_as_labels
from .market import Market
from .order_columns import Sides, common_index
from .order_form import OrderForm
from .orders import Orders

__all__ = ["Books"]

_STATED_SIDE = "stated side"  # a column beside signed quantities


class Books:
    """Many books of one market, one row per order: the form that :func:`clear_many` reads fastest.

    Immutable; equal by value.

    Parameters
    ----------
    market : Market
        The market of all books.
    book : array_like of int or str, shape (J,)
        The book of each order. Rows may be in any order; books are numbered by first appearance.
    claim, side, price, quantity, time : array_like, shape (J,)
        As for :class:`Orders`. An invalid order makes its book invalid, not the others: see
        ``errors``.

    Attributes
    ----------
    market : Market
    names : tuple
        The names of the B books, as given.
    rows : ndarray of int64, shape (J,)
        Rows of the given columns, book by book.
    first : ndarray of int64, shape (B + 1,)
        Where each book begins in ``rows``.
    errors : dict of int to InputError
        Books that cannot be cleared, by their number.
    ignored_columns : tuple of str
        Columns of the frame that were not read.

    Raises
    ------
    InputError
        If columns differ in length, or Series of pandas in their index.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    >>> books = kpm.Books(market, ["a", "b", "a"], [0, 0, 0], "buy", [0.6, 0.7, 0.4], 10)
    >>> len(books), books.names
    (2, ('a', 'b'))
    >>> kpm.clear_many(books).status.tolist()
    ['optimal', 'optimal']
    """

    market: Market
    names: tuple[Any, ...]
    rows: Ints
    first: Ints
    errors: Mapping[int, InputError]
    ignored_columns: tuple[str, ...]
    claim: Ints
    side: Sides
    price: Floats
    quantity: Floats
    priority: Floats | None

    def __init__(
        self,
        market: Market,
        book: ArrayLike,
        claim: ArrayLike,
        side: ArrayLike,
        price: ArrayLike,
        quantity: ArrayLike,
        time: ArrayLike | None = None,
    ) -> None:
        columns = {"claim": claim, "side": side, "price": price, "quantity": quantity}
        if time is not None:
            columns["time"] = time
        for field in ("price", "quantity"):  # in a column text would be read
            if _is_scalar(columns[field]):
                refuse_other(columns[field], field)
        self._fill(market, book, columns, _plain)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        market: Market,
        *,
        columns: Mapping[str, str] | None = None,
        sides: Mapping[Any, str] | None = None,
        sell: str | None = None,
        price_unit: float = 1,
        quantity_unit: float = 1,
        market_orders: bool = False,
        decimal: str | None = None,
    ) -> Books:
        """Build books from a data frame with a column for the book of each order.

        Parameters
        ----------
        frame : pandas or polars DataFrame, polars LazyFrame, pyarrow Table or RecordBatch, mapping
        market : Market
            The market of all books.
        columns : mapping, optional
            As for :meth:`Orders.from_frame`; ``book`` is a field, too: integers or text.
        sides, sell, price_unit, quantity_unit, market_orders, decimal
            As for :meth:`Orders.from_frame`. Identifiers of orders are not read: :meth:`by_row`
            brings results into the frame's order.

        Raises
        ------
        InputError
            Naming a column that is missing. An invalid row is an error of its book.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, claims=["home"])
        >>> frame = {
        ...     "race": ["R1", "R2", "R1"],
        ...     "claim": ["home", "home", "home"],
        ...     "side": ["buy", "buy", "buy"],
        ...     "pence": [60, 70, 40],
        ...     "quantity": [10, 20, 30],
        ... }
        >>> books = kpm.Books.from_frame(
        ...     frame, market, columns={"book": "race", "price": "pence"}, price_unit=100
        ... )
        >>> books.by_row(kpm.clear_many(books).fills).round(4).tolist()
        [10.0, 20.0, 0.0]
        """
        if not isinstance(market, Market):
            raise InputError(f"must be a Market, got {type(market).__name__}", field="market")
        book = "book"
        if isinstance(columns, Mapping) and "book" in columns:
            book = columns["book"]
            columns = {field: name for field, name in columns.items() if field != "book"}
            if not isinstance(book, str):
                raise InputError(
                    f"must be a name, got {brief(book)}", field="columns", index="book"
                )
        form = OrderForm(columns, sides, sell, price_unit, quantity_unit, market_orders)
        check_decimal(decimal, None)
        table = columns_of(frame, [book, *form.required], form.optional, {"book", *form.renamable})
        names = {field: name for field, name in form.names.items() if field != "order_id"}
        read = form.columns_of_frame(table)
        read.pop("order_id", None)
        read["claim"] = integers_as_labels(read["claim"], market.claims)
        if "side" not in read and "side" in table:
            read[_STATED_SIDE] = table["side"]

        def parse(part: dict[str, Any]) -> Orders:
            part = dict(part)
            stated = part.pop(_STATED_SIDE, None)
            return Orders(**form.parsed(form.pointed(part, decimal), stated))

        books = object.__new__(cls)
        books._fill(market, table[book], read, parse)
        ignored = tuple(name for name in table if name not in (book, *names.values()))
        vars(books).update(ignored_columns=ignored)
        return books

    def _fill(self, market: Market, book: Any, columns: dict[str, Any], parse: _Parse) -> None:
        if not isinstance(market, Market):
            raise InputError(f"must be a Market, got {type(market).__name__}", field="market")
        check_complete(book, "book")
        index = None
        for name, column in (("book", book), *columns.items()):
            index = common_index(index, column, name)
        entries = entries_of(book)
        kinds = set(map(type, entries)) if isinstance(entries, list | tuple) else set()
        try:  # of text and numbers in a list NumPy would make text, of flags and numbers numbers
            mixed = len(kinds) > 1 and not kinds.isdisjoint((str, bytes, bool, np.bool_))
            labels = np.asarray(entries, object if mixed else None)
        except ValueError:
            raise InputError("must be a column of integers or text", field="book") from None
        if labels.size == 0:
            labels = np.empty(0, dtype=np.int64)
        if labels.ndim != 1 or labels.dtype.kind not in "iuUO":
            raise InputError(
                f"must be a column of integers or text, got {labels.dtype} data of shape "
                f"{labels.shape}",
                field="book",
            )
        try:
            names, opened, number = np.unique(labels, return_index=True, return_inverse=True)
        except TypeError:  # of several types, which have no order
            row = next((i for i, name in enumerate(labels) if not isinstance(name, str)), 0)
            raise InputError(
                f"must be all integers or all text, got {brief(labels[row])}",
                field="book",
                index=row,
            ) from None
        for place, name in zip(opened, names, strict=True):
            if is_missing(name):
                raise InputError(f"is missing, got {name}", field="book", index=int(place))
        flag = flag_among(labels) if labels.dtype.kind == "O" else None
        if flag is not None:  # which equals 1 or 0
            reason = f"must be all integers or all text, got {labels[flag]}"
            raise InputError(reason, field="book", index=flag)
        by_appearance = np.argsort(opened, kind="stable")
        rank = np.empty(len(names), dtype=np.int64)
        rank[by_appearance] = np.arange(len(names))
        number = rank[number]
        counts = np.bincount(number, minlength=len(names))
        vars(self).update(
            market=market,
            names=tuple(names[by_appearance].tolist()),
            rows=frozen(np.argsort(number, kind="stable").astype(np.int64)),
            first=frozen(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)),
            ignored_columns=(),
        )
        self._read(
            {name: _column(name, entry, len(labels)) for name, entry in columns.items()}, parse
        )

    def _read(self, columns: dict[str, Any], parse: _Parse) -> None:
        """Parse all orders at once, or book by book if one of them is invalid."""
        ordered = {name: _taken(column, self.rows) for name, column in columns.items()}
        errors: dict[int, InputError] = {}
        try:
            orders = parse(ordered)
            self._keep([(orders, orders.claim_index(self.market))])
        except InputError:
            ordered["claim"] = self._labels(ordered["claim"])
            parts = []
            for number in range(len(self)):
                rows = slice(int(self.first[number]), int(self.first[number + 1]))
                try:
                    part = parse({name: _taken(c, rows) for name, c in ordered.items()})
                    parts.append((part, part.claim_index(self.market)))
                except InputError as error:
                    errors[number] = self._located(error, number)
                    nothing = Orders(self.market.claims[:1] * (rows.stop - rows.start), 1, 0.0, 0.0)
                    parts.append((nothing, nothing.claim_index(self.market)))
            self._keep(parts)
        vars(self).update(errors=FrozenDict(errors))

    def _labels(self, claims: Any) -> Any:
        """Return claims as labels: the whole column, not each book, decides what integers mean."""
        try:
            index = Orders(claims, 1, 0.0, 0.0).claim_index(self.market)
        except InputError:  # one of the books is invalid, and its own error will say so
            return claims
        return np.array(self.market.claims, dtype=object)[index]

    def _located(self, error: InputError, number: int) -> InputError:
        """Point at the row of the columns, not of the book."""
        index = error.index
        if isinstance(index, int):
            index = int(self.rows[self.first[number] + index])
        return InputError(error.reason, field=error.field, index=index)

    def _keep(self, parts: list[tuple[Orders, Ints]]) -> None:
        def joined(arrays: list[Any], kind: Any) -> Any:
            whole = np.concatenate([*arrays, np.empty(0, dtype=kind)])
            return frozen(np.ascontiguousarray(whole, dtype=kind))

        times = [
            np.zeros(len(part)) if part.priority is None else part.priority for part, _ in parts
        ]
        timed = any(part.priority is not None for part, _ in parts)
        vars(self).update(
            claim=joined([index for _, index in parts], np.int64),
            side=joined([part.side for part, _ in parts], np.int8),
            price=joined([part.price for part, _ in parts], np.float64),
            quantity=joined([part.quantity for part, _ in parts], np.float64),
            priority=joined(times, np.float64) if timed else None,
        )

    def by_row(self, values: ArrayLike) -> Floats:
        """Bring values of orders, such as ``Batch.fills``, into the order of the given rows.

        Parameters
        ----------
        values : array_like, shape (J,)
            Book by book.

        Returns
        -------
        ndarray, shape (J,)
            One entry for each row of the columns from which the books were built.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
        >>> books = kpm.Books(market, ["a", "b", "a"], [0, 0, 0], "buy", [0.6, 0.7, 0.4], 10)
        >>> books.by_row([1, 2, 3]).tolist()
        [1.0, 3.0, 2.0]
        """
        given = as_floats(values, "values")
        if given.shape != self.rows.shape:
            raise InputError(
                f"must have shape {self.rows.shape}, an entry for each order, got {given.shape}",
                field="values",
            )
        placed = np.empty_like(given)
        placed[self.rows] = given
        return placed

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[tuple[Market, Orders]]:
        """Yield books one by one, as :func:`clear` takes them; those with errors raise them."""
        for number in range(len(self)):
            if number in self.errors:
                raise self.errors[number]
            rows = slice(int(self.first[number]), int(self.first[number + 1]))
            time = None if self.priority is None else self.priority[rows]
            yield (
                self.market,
                Orders(
                    self.claim[rows],
                    self.side[rows],
                    self.price[rows],
                    self.quantity[rows],
                    order_id=list(map(str, self.rows[rows].tolist())),
                    time=time,
                ),
            )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Books):
            return NotImplemented
        columns = ("rows", "first", "claim", "side", "price", "quantity", "priority")
        return (
            (self.market, self.names, self.ignored_columns)
            == (other.market, other.names, other.ignored_columns)
            and all(same(getattr(self, name), getattr(other, name)) for name in columns)
            and _told(self.errors) == _told(other.errors)
        )

    __hash__ = None  # type: ignore[assignment]  # equal by arrays, which have no hash

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update({name: unshared(value) for name, value in state.items()})
        book = Orders(self.claim, self.side, self.price, self.quantity)  # validated and copied
        begins = np.concatenate([self.first, [len(book)]])
        if len(self.rows) != len(book) or begins[0] != 0 or (np.diff(begins) < 0).any():
            raise InputError("is damaged: its books are not rows of its columns", field="Books")
        vars(self).update(
            claim=book.claim, side=book.side, price=book.price, quantity=book.quantity
        )

    def __repr__(self) -> str:
        bad = f", {len(self.errors)} with errors" if self.errors else ""
        return f"Books({len(self)} books, {len(self.rows)} orders{bad})"


_Parse = Callable[[dict[str, Any]], Orders]


def _plain(columns: dict[str, Any]) -> Orders:
    return Orders(**columns)


def _is_scalar(entry: Any) -> bool:
    alone = not hasattr(entry, "__len__") or getattr(entry, "ndim", 1) == 0
    return isinstance(entry, str | bytes) or alone


def _column(name: str, entry: Any, length: int) -> Any:
    """Return the entries of a column, one for each order; a scalar stands for all of them."""
    if _is_scalar(entry):
        return np.full(length, entry)
    column = entries_of(entry)
    if not hasattr(column, "__len__") or isinstance(column, Mapping | Set):
        raise InputError(f"must be a column, got {type(entry).__name__}", field=name)
    if len(column) != length:
        raise InputError(
            f"must have an entry for each of {length} orders, got {len(column)}", field=name
        )
    return column


def _taken(column: Any, rows: Any) -> Any:
    if isinstance(column, np.ndarray):
        return column[rows]
    return column[rows] if isinstance(rows, slice) else [column[row] for row in rows.tolist()]


def _told(errors: Mapping[int, InputError]) -> dict[int, str]:
    """Exceptions are equal to themselves alone: what they say, by book."""
    return {number: str(error) for number, error in errors.items()}
