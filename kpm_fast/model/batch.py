"""The result of clearing many books, as columns."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats, Ints, as_integer
from ..errors import InputError, brief, suggestion
from ..files.tables import make_frame
from .immutable import FrozenDict, Value

__all__ = ["FIGURES", "Batch"]

#: Figures of each book, in the order of the columns of the core's ``values``.
FIGURES = (
    "certainty_equivalent",
    "no_trade_equivalent",
    "objective",
    "upper_bound",
    "revenue",
    "scale",
    "gain",
)
_ARRAYS = {
    "status": ("|O", "B"),
    **dict.fromkeys(FIGURES, ("<f8", "B")),
    "fills": ("<f8", "J"),
    "_claim_prices": ("<f8", "K"),
    **dict.fromkeys(("_state_prices", "_payoff"), ("<f8", "N")),
    **dict.fromkeys(("first", "_claim_first", "_state_first"), ("<i8", "E")),
}


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
        As ``Result.rule``, of all books.
    fills : ndarray, shape (J,)
        Shares, book by book.
    first : ndarray of int64, shape (B + 1,)
        Where each book begins in ``fills``.
    names : tuple
        The names of the books, or their numbers if they have no names.
    errors : mapping of int to InputError
        The errors of books that were refused, by their number.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, claims=["home"])
    >>> good, bad = (kpm.Orders([claim], "buy", [0.6], [10]) for claim in ("home", "away"))
    >>> batch = kpm.clear_many({"noon": (market, good), "night": (market, bad)})
    >>> batch
    Batch(2 books, 1 optimal, 1 refused)
    >>> batch.names, batch.status.tolist(), batch.fills_of("noon").tolist()
    (('noon', 'night'), ['optimal', 'refused'], [10.0])
    >>> print(batch.errors[1])
    books[1]: claim[0]: the market has no claim 'away'; it has 'home'
    """

    _arrays = _ARRAYS

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

    def _sizes(self) -> dict[str, int]:
        if not isinstance(self.names, tuple):
            raise InputError(f"must be a tuple, got {brief(self.names)}", field="names")
        return {"B": len(self.names), "E": len(self.names) + 1}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for name, column in (
            ("first", self.fills),
            ("_claim_first", self._claim_prices),
            ("_state_first", self._state_prices),
        ):
            first = getattr(self, name)
            if first[0] != 0 or first[-1] != len(column) or (np.diff(first) < 0).any():
                raise InputError(f"must rise from 0 to {len(column)}", field=name)

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
    def _places(self) -> tuple[dict[Any, int], bool]:
        """The number of each book by its name, and whether integers are numbers of books.

        Where the names are the numbers, there are none to look up.
        """
        numbers = range(len(self))
        kinds = [issubclass(kind, Integral) for kind in set(map(type, self.names))]
        if all(kinds) and self.names == tuple(numbers):
            return {}, True
        return dict(zip(self.names, numbers, strict=True)), not any(kinds)

    def _place(self, book: Any) -> int:
        by_name, numbered = self._places
        if isinstance(book, Hashable) and not isinstance(book, bool | np.bool_):
            place = by_name.get(book)
            # Python finds 1 by 1.0, too.
            if place is not None and isinstance(book, Integral) == isinstance(
                self.names[place], Integral
            ):
                return place
        if not numbered:
            raise IndexError
        return range(len(self))[as_integer(book, "book")]

    def _part(self, column: Floats, first: Ints, book: int | str) -> Floats:
        try:
            place = self._place(book)
        except (IndexError, TypeError, InputError):  # of no number, or with a list in a tuple
            names = [name for name in self.names if isinstance(name, str)]
            hint = suggestion(book, names) if isinstance(book, str) else ""
            raise InputError(
                f"must be the name (or, where no name is an integer, the number) of one of "
                f"{len(self)} books, got {brief(book)}{hint}",
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
        return {
            "book": list(self.names),
            "status": self.status,
            "certainty_equivalent": self.certainty_equivalent,
            "gain": self.gain,
            "objective": self.objective,
            "upper_bound": self.upper_bound,
            "revenue": self.revenue,
            "volume": np.where(np.isnan(self.revenue), np.nan, self._volumes()),
            "error": [str(self.errors.get(number, "")) for number in range(len(self))],
        }

    def _volumes(self) -> Floats:
        """Return the shares filled in each book, with the bits of ``Result.volume``."""
        counts = np.diff(self.first)
        volumes = np.zeros(len(self))
        # Books of one length are summed at once, in NumPy's order for each of them.
        for count in np.unique(counts[counts > 0]).tolist():
            books = np.flatnonzero(counts == count)
            rows = self.first[books][:, None] + np.arange(count)
            volumes[books] = self.fills[rows].sum(axis=1)
        return volumes

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return :meth:`table` as a data frame of pandas, polars or pyarrow.

        Names of several types are text in it, unless all are numbers.
        """
        return make_frame({**self.table(), "book": _of_one_kind(self.names)}, backend)

    def __len__(self) -> int:
        return len(self.status)

    def __repr__(self) -> str:
        optimal = int(np.count_nonzero(self.status == "optimal"))
        bad = f", {len(self.errors)} refused" if self.errors else ""
        return f"Batch({len(self)} books, {optimal} optimal{bad})"


def _of_one_kind(names: tuple[Any, ...]) -> list[Any]:
    """Return names as one column can hold them: numbers, else text where their types differ."""
    if len(set(map(type, names))) <= 1:
        return list(names)
    plain = [name.item() if isinstance(name, np.number | np.str_) else name for name in names]
    kinds = set(map(type, plain))
    if len(kinds) == 1:
        return plain
    if kinds == {int, float} and all(float(name) == name for name in plain):
        return list(map(float, plain))
    return list(map(str, names))
