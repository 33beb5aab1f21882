"""Many books of one market, as columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Floats, Ints, check_complete, frozen
from ..entries import entries_of
from ..errors import InputError
from .market import Market
from .order_columns import Sides
from .orders import Orders

__all__ = ["Books"]


class Books:
    """Many books of one market, a row for each order: what :func:`clear_many` reads fastest.

    Parameters
    ----------
    market : Market
        Of all books.
    book : array_like of int or str, shape (J,)
        Which book an order is in. Rows may stand in any order; books are numbered as they first
        appear.
    claim, side, price, quantity, time : array_like, shape (J,)
        As for :class:`Orders`. What is wrong with an order is the fault of its book, not of the
        others: it is in ``errors``.

    Attributes
    ----------
    market : Market
    names : tuple
        The B books, as they were named.
    rows : ndarray of int64, shape (J,)
        Rows of the columns that were given, book by book.
    first : ndarray of int64, shape (B + 1,)
        Where in ``rows`` a book begins.
    errors : dict of int to InputError
        Books that cannot be cleared, by their number.

    Raises
    ------
    InputError
        If columns differ in length.

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
        if not isinstance(market, Market):
            raise InputError(f"must be a Market, got {type(market).__name__}", field="market")
        check_complete(book, "book")
        labels = np.asarray(entries_of(book))
        if labels.size == 0:
            labels = np.empty(0, dtype=np.int64)
        if labels.ndim != 1 or labels.dtype.kind not in "iuUO":
            raise InputError("must be a column of integers or text", field="book")
        names, opened, number = np.unique(labels, return_index=True, return_inverse=True)
        by_appearance = np.argsort(opened, kind="stable")
        rank = np.empty(len(names), dtype=np.int64)
        rank[by_appearance] = np.arange(len(names))
        number = rank[number]
        self.market = market
        self.names = tuple(names[by_appearance].tolist())
        self.rows: Ints = frozen(np.argsort(number, kind="stable").astype(np.int64))
        counts = np.bincount(number, minlength=len(names))
        self.first: Ints = frozen(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))
        self.errors: dict[int, InputError] = {}
        columns = {"claim": claim, "side": side, "price": price, "quantity": quantity}
        if time is not None:
            columns["time"] = time
        self._read({name: _column(name, entry, len(labels)) for name, entry in columns.items()})

    def _read(self, columns: dict[str, Any]) -> None:
        """Parse all orders at once, or book by book where one of them is at fault."""
        ordered = {name: _taken(column, self.rows) for name, column in columns.items()}
        try:
            orders = Orders(**ordered)
            self._keep([(orders, orders.claim_index(self.market))])
        except InputError:
            parts = []
            for number in range(len(self)):
                rows = slice(int(self.first[number]), int(self.first[number + 1]))
                try:
                    part = Orders(**{name: _taken(c, rows) for name, c in ordered.items()})
                    parts.append((part, part.claim_index(self.market)))
                except InputError as error:
                    self.errors[number] = self._located(error, number)
                    nothing = Orders(np.zeros(rows.stop - rows.start, dtype=np.int64), 1, 0.0, 0.0)
                    parts.append((nothing, nothing.claim_index(self.market)))
            self._keep(parts)

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

        self.claim: Ints = joined([index for _, index in parts], np.int64)
        self.side: Sides = joined([part.side for part, _ in parts], np.int8)
        self.price: Floats = joined([part.price for part, _ in parts], np.float64)
        self.quantity: Floats = joined([part.quantity for part, _ in parts], np.float64)
        times = [
            np.zeros(len(part)) if part.priority is None else part.priority for part, _ in parts
        ]
        timed = any(part.priority is not None for part, _ in parts)
        self.priority: Floats | None = joined(times, np.float64) if timed else None

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[tuple[Market, Orders]]:
        """Give books one by one, as :func:`clear` takes them; those with errors raise."""
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

    def __repr__(self) -> str:
        bad = f", {len(self.errors)} with errors" if self.errors else ""
        return f"Books({len(self)} books, {len(self.rows)} orders{bad})"


def _column(name: str, entry: Any, length: int) -> Any:
    """Return the entries of a column, one for each order; a scalar stands for all of them."""
    if isinstance(entry, str | bytes) or np.ndim(entry) == 0:
        return np.full(length, entry)
    column = entries_of(entry)
    if len(column) != length:
        raise InputError(f"has {len(column)} entries for {length} orders", field=name)
    return column


def _taken(column: Any, rows: Any) -> Any:
    if isinstance(column, np.ndarray):
        return column[rows]
    return column[rows] if isinstance(rows, slice) else [column[row] for row in rows.tolist()]
