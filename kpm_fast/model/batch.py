"""The result of clearing many books, as columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats, Ints, as_integer
from ..errors import InputError, suggestion
from ..files.tables import make_frame
from .immutable import FrozenDict, Value

__all__ = ["Batch"]


@dataclass(frozen=True, eq=False, repr=False)
class Batch(Value):
    """Many cleared books, one row each. Immutable; equal by value.

    B books, J orders in all. A book that could not be cleared has status ``"refused"``, its reason
    in ``errors``, and NaN for figures; one that Ctrl-C or a :class:`StopToken` kept from being
    cleared has status ``"interrupted"`` and NaN, too.

    Attributes
    ----------
    status : ndarray of str, shape (B,)
        As :class:`Status`, or ``"refused"``.
    certainty_equivalent, no_trade_equivalent, upper_bound, revenue, scale : ndarray, shape (B,)
        As in :class:`Result`, money.
    objective : ndarray, shape (B,)
        As :attr:`Result.objective`, money: what ``upper_bound`` bounds.
    gain : ndarray, shape (B,)
        As :attr:`Result.gain`, money: what trading is worth to the maker.
    rule : str
        As :attr:`Result.rule`, of all books.
    fills : ndarray, shape (J,)
        Shares, book by book.
    first : ndarray of int64, shape (B + 1,)
        Where each book begins in ``fills``.
    names : tuple
        The names of the books, or their numbers if they have no names.
    errors : mapping of int to InputError
        The errors of books that were refused, by their number.
    """

    status: NDArray[np.object_]
    certainty_equivalent: Floats
    no_trade_equivalent: Floats
    objective: Floats
    upper_bound: Floats
    revenue: Floats
    scale: Floats
    gain: Floats
    rule: str
    fills: Floats
    first: Ints
    names: tuple[Any, ...]
    errors: Mapping[int, InputError] = field(compare=False)
    _claim_prices: Floats
    _state_prices: Floats
    _payoff: Floats
    _claim_first: Ints
    _state_first: Ints

    def __post_init__(self) -> None:
        object.__setattr__(self, "errors", FrozenDict(self.errors))

    def fills_of(self, number: int | str) -> Floats:
        """Shares filled of each order of a book, in its order.

        A book is given by its name, or by its number where no name is an integer.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
        >>> kpm.clear_many([(market, kpm.Orders([0], "buy", [0.6], [10]))]).fills_of(0).tolist()
        [10.0]
        """
        return self._part(self.fills, self.first, number)

    def claim_prices(self, number: int | str) -> Floats:
        """Clearing prices of a book, shape (K,), money per share.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
        >>> batch = kpm.clear_many([(market, kpm.Orders([0], "buy", [0.6], [10]))])
        >>> batch.claim_prices(0).round(6).tolist()
        [0.6]
        """
        return self._part(self._claim_prices, self._claim_first, number)

    def state_prices(self, number: int | str) -> Floats:
        """State prices of a book, shape (N,).

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
        >>> batch = kpm.clear_many([(market, kpm.Orders([0], "buy", [0.6], [10]))])
        >>> batch.state_prices(0).round(6).tolist()
        [0.6, 0.4]
        """
        return self._part(self._state_prices, self._state_first, number)

    def payoff(self, number: int | str) -> Floats:
        """The maker's wealth after clearing a book, shape (N,), money.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
        >>> batch = kpm.clear_many([(market, kpm.Orders([0], "buy", [0.6], [10]))])
        >>> batch.payoff(0).round(6).tolist()
        [-4.0, 6.0]
        """
        return self._part(self._payoff, self._state_first, number)

    @cached_property
    def _numbers(self) -> dict[Any, int]:
        """The number of each book by its name; and by its number, where that cannot be a name."""
        count = len(self)
        numbers = dict(zip(self.names, range(count), strict=True))
        if self.names == tuple(range(count)) or not any(isinstance(n, Integral) for n in numbers):
            numbers |= {place: place % count for place in range(-count, count)}
        return numbers

    def _part(self, column: Floats, first: Ints, book: int | str) -> Floats:
        try:
            place = self._numbers[book if isinstance(book, str) else as_integer(book, "book")]
        except (KeyError, InputError):
            names = [name for name in self.names if isinstance(name, str)]
            hint = suggestion(book, names) if isinstance(book, str) else ""
            raise InputError(
                f"must be the name (or, where no name is an integer, the number) of one of "
                f"{len(self)} books, got {book!r}{hint}",
                field="book",
            ) from None
        if place in self.errors:
            raise self.errors[place]
        return column[first[place] : first[place + 1]]

    def table(self) -> dict[str, Any]:
        """Return one row per book: book, status, figures, volume (shares), and error.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
        >>> batch = kpm.clear_many([(market, kpm.Orders([0], "buy", [0.6], [10])), None])
        >>> batch.table()["error"]
        ['', 'books[1]: must be a market with its orders, got None']
        """
        ends = zip(self.first[:-1], self.first[1:], strict=True)
        volume = [float(self.fills[first:last].sum()) for first, last in ends]  # as Result.volume
        return {
            "book": list(self.names),
            "status": self.status,
            "certainty_equivalent": self.certainty_equivalent,
            "gain": self.gain,
            "objective": self.objective,
            "upper_bound": self.upper_bound,
            "revenue": self.revenue,
            "volume": np.where(np.isnan(self.revenue), np.nan, volume),
            "error": [str(self.errors.get(number, "")) for number in range(len(self))],
        }

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return :meth:`table` as a data frame of pandas, polars or pyarrow.

        Names of several types are text in it.
        """
        table = self.table()
        if len(set(map(type, self.names))) > 1:
            table["book"] = list(map(str, self.names))
        return make_frame(table, backend)

    def __len__(self) -> int:
        return len(self.status)

    def __repr__(self) -> str:
        optimal = int(np.count_nonzero(self.status == "optimal"))
        bad = f", {len(self.errors)} refused" if self.errors else ""
        return f"Batch({len(self)} books, {optimal} optimal{bad})"
