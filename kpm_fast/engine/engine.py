"""A changing book that is cleared on request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike

from .. import _core
from ..arrays import as_flag, as_number, check_complete, frozen
from ..clearing.clear import clear_book
from ..clearing.progress import Progress
from ..clearing.settings import ClearSettings, check_keywords
from ..clearing.stop_token import StopToken
from ..errors import InputError
from ..model.book_types import check_book
from ..model.faults import error_of
from ..model.labels import check_same_claims, claim_positions
from ..model.market import Market
from ..model.order import Order
from ..model.orders import Orders
from ..model.quotes import Quotes
from ..result import Result
from .order_names import OrderNames, as_name, core_arguments, refusal, stated_claims, with_names
from .snapshot import damaged, packed, unpacked

__all__ = ["Engine"]

_SIDES = {"buy": 1, "sell": -1, 1: 1, -1: -1}
_WATCHING = ("callback", "stop", "verbose", "cold")
_SIDE_NAMES = {1: "buy", -1: "sell"}


class Engine:
    """A market and its orders, which can be added, changed and cancelled.

    Orders have priority by arrival. One that is replaced moves to the end, unless its limit is
    unchanged and its quantity does not increase; one that is reduced keeps its place. An event
    takes time logarithmic in the number of its claim's limits.

    Parameters
    ----------
    market : Market
        With any maker. Clearings spare the staircases of claims without an event since the last,
        and for a Knightian maker (LMSR is one) under its own rule often the search.
    orders : Orders, optional
        The initial book: by time, if there are times, and then as it stands. The engine keeps that
        sequence and drops the times. Default: none.

    Raises
    ------
    InputError
        Naming the field and the value.

    Notes
    -----
    Threads may share an engine: each call, clearings included, waits until the previous one has
    ended. A callback of a clearing may look at its own engine (``len``, ``in``, ``[]``, ``market``,
    ``quotes``, ``snapshot``, ``state_hash``, ``warm_clearings``); else it is refused with a
    :class:`KpmError`. One that waits for a thread that uses the engine waits for ever.

    ``len(engine)`` is the number of orders; ``"7" in engine`` asks for an identifier, and ``for
    order_id in engine`` names them by priority, as they are at the start. An event that an
    exception interrupts, such as Ctrl-C, has happened or has not; it is never half done.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0], [0, 1]], [0.5, 0.5], claims=["yes", "no"])
    >>> engine = kpm.Engine(market)
    >>> engine.add("yes", "buy", 0.7, 100)
    '0'
    >>> engine.add("no", "buy", 0.6, 50, order_id="mine")
    'mine'
    >>> result = engine.clear()
    >>> result.fills.round(2)
    array([50.56, 50.  ])
    >>> engine.reduce("mine", 20)
    >>> engine.cancel("0")
    >>> engine.orders
    Orders(1 orders: 1 buys, 0 sells)
    """

    __slots__ = ("_book", "_kept", "_lock", "_market")

    def __init__(self, market: Market, orders: Orders | None = None) -> None:
        book = Orders([], [], [], []) if orders is None else orders
        check_book(market, book)
        self._lock = threading.RLock()
        self._market = market  # set by the core's set_market, with its own
        #: What the core's changes() said of it, and the book of that moment.
        self._book: tuple[_core.Engine, int, Orders] | None = None
        # Both in one: a signal's handler may raise between any two statements.
        self._kept = with_names(market, OrderNames(), len(book))
        self._fill(book)

    def _fill(self, book: Orders) -> None:
        rows = range(len(book))
        if book.priority is not None:
            rows = np.argsort(book.priority, kind="stable").tolist()
        claim = book.claim_index(self._market).tolist()
        side, price, quantity = book.side.tolist(), book.price.tolist(), book.quantity.tolist()
        identifiers = book.order_id.tolist()
        core, names = self._kept
        for row in rows:
            name = identifiers[row]
            number = names.new_number(name)
            fault = core.add(claim[row], side[row], price[row], quantity[row], number, name)
            if fault is not None:
                raise error_of(fault)

    # -- events ---------------------------------------------------------------------------------

    def add(
        self,
        claim: str | int,
        side: str | int,
        price: float,
        quantity: float,
        order_id: str | int | None = None,
    ) -> str:
        """Add an order, last in priority.

        Parameters
        ----------
        claim : str or int
            Label, or index into ``market.claims``.
        side : {"buy", "sell", 1, -1}
        price : float
            Limit, money per share. Any number but NaN.
        quantity : float
            Shares; finite, >= 0.
        order_id : str or int, optional
            Not in use by another order of the book. Default: an integer that no order of the engine
            has had.

        Returns
        -------
        str
            The identifier, as text.

        Raises
        ------
        InputError
            Naming the field and the value; the book is then as before.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> engine = kpm.Engine(kpm.Market([[1, 0], [0, 1]], [0.5, 0.5], claims=["yes", "no"]))
        >>> name = engine.add("yes", "buy", 0.7, 100)
        >>> name, len(engine)
        ('0', 1)
        """
        with self._lock:
            core, names = self._kept
            labels = claim_positions(self._market.claims).by_label
            place = labels.get(claim) if isinstance(claim, str) else None
            sign = _SIDES.get(side) if type(side) in (str, int) else None
            if place is None or sign is None or not type(price) is type(quantity) is float:
                place, sign, price, quantity = self._parsed(claim, side, price, quantity)
            following = names.following
            try:
                name = names.fresh() if order_id is None else as_name(order_id)
                fault = core.add(place, sign, price, quantity, names.new_number(name), name)
                if fault is not None:
                    raise refusal(fault, name)
            except Exception:
                names.following = following
                raise
            return name

    def _parsed(self, claim: Any, side: Any, price: Any, quantity: Any) -> tuple[Any, ...]:
        """Parse one order as a book of this single order would."""
        limit, shares = as_number(price, "price"), as_number(quantity, "quantity")
        check_complete(side, "side")
        try:
            order = Orders([claim], [side], [limit], [shares])
            place = int(order.claim_index(self._market)[0])
        except InputError as error:
            raise InputError(error.reason, field=error.field) from None
        return place, int(order.side[0]), float(order.price[0]), float(order.quantity[0])

    def cancel(self, order_id: str | int) -> None:
        """Remove an order from the book.

        Raises
        ------
        InputError
            If there is no such order.
        """
        with self._lock:
            core, names = self._kept
            name = as_name(order_id)
            fault = core.cancel(names.number(name), name)
            if fault is not None:
                raise refusal(fault, name)

    def cancel_all(self) -> None:
        """Remove all orders from the book; no new one is given an identifier of theirs."""
        with self._lock:
            self._kept[0].remove_all()

    def reduce(self, order_id: str | int, quantity: float) -> None:
        """Reduce an order to a quantity; its priority is kept.

        Parameters
        ----------
        order_id : str or int
        quantity : float
            The new number of shares, at most the present one. An order reduced to zero stays in the
            book until it is cancelled.

        Raises
        ------
        InputError
            Naming the field and the value; the book is then as before.
        """
        with self._lock:
            core, names = self._kept
            name = as_name(order_id)
            fault = core.reduce(number := names.number(name), as_number(quantity, "quantity"))
            if fault is not None:
                raise refusal(fault, name, core.find(number)[3])

    def replace(
        self,
        order_id: str | int,
        price: float | None = None,
        quantity: float | None = None,
    ) -> None:
        """Change an order's limit, its quantity, or both.

        It moves to the end in priority, unless its limit is unchanged and its quantity does not
        increase.

        Parameters
        ----------
        order_id : str or int
        price : float, optional
            Money per share. Default: as before.
        quantity : float, optional
            Shares. Default: as before.

        Raises
        ------
        InputError
            Naming the field and the value; the book is then as before.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> engine = kpm.Engine(kpm.Market([[1, 0], [0, 1]], [0.5, 0.5], claims=["yes", "no"]))
        >>> name = engine.add("yes", "buy", 0.7, 100)
        >>> engine.replace(name, price=0.65)
        >>> engine[name].price
        0.65
        """
        with self._lock:
            core, names = self._kept
            name = as_name(order_id)
            number = names.number(name)
            _, _, limit, shares = core.find(number)
            fault = core.replace(
                number,
                limit if price is None else as_number(price, "price"),
                shares if quantity is None else as_number(quantity, "quantity"),
            )
            if fault is not None:
                raise refusal(fault, name)

    # -- the book -------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._kept[1])

    def __contains__(self, order_id: object) -> bool:
        try:
            return as_name(order_id) in self._kept[1]
        except InputError:
            return False

    def __getitem__(self, order_id: str | int) -> Order:
        """Return the order with an identifier."""
        with self._lock:
            core, names = self._kept
            name = as_name(order_id)
            claim, side, price, quantity = core.find(names.number(name))
            label = self._market.claims[claim]
            return Order(label, _SIDE_NAMES[side], price, quantity, name, None)

    def __iter__(self) -> Iterator[str]:
        """Return the identifiers by priority, as a mapping of them to orders would."""
        return iter(self.orders.order_id.tolist())

    @property
    def orders(self) -> Orders:
        """The current book, by priority, with labels and identifiers but no times."""
        with self._lock:
            core, names = self._kept
            changes = core.changes()
            if self._book is None or self._book[0] is not core or self._book[1] != changes:
                self._book = None  # not two at once
                claim, side, price, quantity, number = core.orders()
                order_id = np.empty(len(number), dtype=object)
                order_id[:] = names.of(number.tolist())
                book = Orders._of_valid(
                    claim, self._market.claims, side, price, quantity, frozen(order_id), None, None
                )
                self._book = (core, changes, book)
                return book
            return self._book[2]

    @property
    def market(self) -> Market:
        """The market; it may be replaced by another one with the same claims."""
        return self._market

    @market.setter
    def market(self, other: Market) -> None:
        with self._lock:
            core = self._kept[0]
            if not isinstance(other, Market):
                raise InputError(f"must be a Market, got {type(other).__name__}", field="market")
            check_same_claims(other.claims, self._market.claims, "market")
            fault = core.set_market(*core_arguments(other), self, other)
            if fault is not None:
                raise error_of(fault, other.claims, other.states)

    # -- clearing -------------------------------------------------------------------------------

    def clear(
        self,
        *,
        callback: Callable[[Progress], bool | None] | None = None,
        stop: StopToken | None = None,
        verbose: bool = False,
        cold: bool = False,
        **settings: Any,
    ) -> Result:
        """Clear the book without changing it.

        Parameters
        ----------
        cold : bool, default False
            Forget the last clearing, and search. It changes the time that a clearing takes, never
            its bits.
        callback, stop, verbose
            As for :func:`clear`.
        **settings
            The other arguments of :func:`clear`.

        Returns
        -------
        Result
            That of ``clear(engine.market, engine.orders, ...)``, bit for bit except ``stats``.

        Raises
        ------
        InputError
            As :func:`clear` does.
        KpmError
            If a callback of a clearing calls its own engine.
        """
        with self._lock:
            core = self._kept[0]
            cold = as_flag(cold, "cold")
            try:
                how = ClearSettings.of(**settings)
            except TypeError:
                check_keywords("clear", settings, [*_WATCHING, *ClearSettings.__match_args__])
                raise
            return clear_book(self._market, self.orders, how, callback, stop, verbose, core, cold)

    def quotes(self, quantities: ArrayLike | None = None) -> Quotes:
        """Return the maker's bids and asks for the market's claims, whatever the orders.

        Parameters
        ----------
        quantities : scalar or array_like, shape (K,) or (K, S), optional
            Shares of a block, > 0. Default: the next, infinitesimal, share.

        Returns
        -------
        Quotes
            As of :meth:`Maker.quotes`.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> engine = kpm.Engine(kpm.Market([[1, 0], [0, 1]], [0.5, 0.5], claims=["yes", "no"]))
        >>> name = engine.add("yes", "buy", 0.7, 100)
        >>> engine.quotes().claims
        ('yes', 'no')
        """
        market = self._market
        return market.maker.quotes(market, quantities)

    # -- state ----------------------------------------------------------------------------------

    @property
    def warm_clearings(self) -> int:
        """How many clearings were proved from the one before, without a search.

        A restored book begins at 0.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> engine = kpm.Engine(kpm.Market([[1, 0], [0, 1]], [0.5, 0.5]))
        >>> engine.warm_clearings
        0
        """
        with self._lock:
            return self._kept[0].warm_clearings()

    @property
    def state_hash(self) -> int:
        """A 64-bit hash of the market and of the orders by priority.

        Two engines with equal market and ``orders`` have the same hash, whatever happened before.
        It takes a pass over the book, and is no protection against forgery.
        """
        with self._lock:
            return self._kept[0].state_hash()

    def snapshot(self) -> bytes:
        """Return the orders by priority, with their claims' labels and their identifiers.

        Returns
        -------
        bytes
            For :meth:`restore`, on any machine.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> engine = kpm.Engine(kpm.Market([[1, 0], [0, 1]], [0.5, 0.5], claims=["yes", "no"]))
        >>> name = engine.add("yes", "buy", 0.7, 100)
        >>> saved = engine.snapshot()
        >>> engine.cancel(name)
        >>> engine.restore(saved)
        >>> len(engine)
        1
        """
        with self._lock:
            core, names = self._kept
            numbers = core.orders()[4].tolist()
            return packed(core.snapshot(), names.to_bytes(numbers, self._market.claims))

    def restore(self, snapshot: bytes) -> None:
        """Replace this book by that of a snapshot.

        Raises
        ------
        InputError
            If the bytes are damaged, or hold a book for other claims; the engine is then as before.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> engine = kpm.Engine(kpm.Market([[1, 0], [0, 1]], [0.5, 0.5], claims=["yes", "no"]))
        >>> name = engine.add("yes", "buy", 0.7, 100)
        >>> saved = engine.snapshot()
        >>> engine.cancel(name)
        >>> engine.restore(saved)
        >>> name in engine
        True
        """
        with self._lock:
            former = self._kept
            former[0].changes()  # not by a callback of a clearing
            book, stated = unpacked(snapshot)
            own, other = self._market.claims, with_names(self._market, OrderNames(), 0)
            core, names = other
            fault = core.restore(book)
            if fault is not None:  # perhaps of an order for a claim that is not here
                check_same_claims(stated_claims(stated) or own, own, "snapshot")
                raise error_of(fault)
            try:
                claims = names.restore(stated, core.orders()[4].tolist())
            except (ValueError, TypeError):
                raise damaged() from None
            if claims is not None:
                check_same_claims(claims, own, "snapshot")
            names.continue_after(former[1])
            self._kept = other

    def __reduce__(self) -> NoReturn:
        # A copy would share the core's book and not what is known about it.
        raise TypeError(
            "an Engine is not copied or pickled: make one of its market and restore its snapshot()"
        )

    def __repr__(self) -> str:
        return f"Engine({self._market!r}, {len(self)} orders)"
