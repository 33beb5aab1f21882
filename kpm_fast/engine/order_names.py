"""The caller's identifiers, and the numbers by which the core knows them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

from .. import _core
from ..arrays import Floats
from ..entries import identifier
from ..errors import InputError, brief
from ..model.faults import error_of
from ..model.maker_model import maker_model
from ..model.market import Market

__all__ = ["OrderNames", "as_name", "core_arguments", "refusal", "with_names"]

_MOST = 2**63 - 1
_NUMBER = 2**64


class OrderNames:
    """The identifiers of the orders in a book, as text, each with a 64-bit number.

    An identifier that is an integer is its own number; for others the number is a hash, so that a
    book has the same numbers whatever its history. If two collide, the later one takes the next
    free number. The core's engine, which has the tables, adds and removes names with the orders.
    """

    __slots__ = ("_names", "_numbers", "following")

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self.following = 0  # the least integer not given yet; an event that is refused sets it back

    @property
    def tables(self) -> tuple[dict[str, int], dict[int, str]]:
        """The numbers by name and the names by number."""
        return self._numbers, self._names

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, name: str) -> bool:
        return name in self._numbers

    def fresh(self) -> str:
        """Return an integer greater than those of 64 bits that orders have had."""
        while str(self.following) in self._numbers:  # a longer one
            self.following += 1
        name = str(self.following)
        self.following += 1
        return name

    def number(self, name: str) -> int:
        """Return the number of an order in the book.

        Raises
        ------
        InputError
            If there is no such order.
        """
        number = self._numbers.get(name)
        if number is None:
            raise InputError(
                f"must be that of an order in the book, got {brief(name)}", field="order_id"
            )
        return number

    def new_number(self, name: str) -> int:
        """Return a number for an order to be added to the book.

        Raises
        ------
        InputError
            If the book has an order of that name.
        """
        if name in self._numbers:
            raise InputError(
                f"must not be in the book already, got {brief(name)}", field="order_id"
            )
        number = _number_of(name)
        while number in self._names:
            number = number + 1 if number < _MOST else -_MOST
        self._count(name, number)
        return number

    def _count(self, name: str, number: int) -> None:
        """Never give an integer that an order has."""
        if number >= self.following and str(number) == name:  # and no hash
            self.following = number + 1

    def continue_after(self, former: OrderNames) -> None:
        """Give no integer that the former names of the engine have given."""
        self.following = max(self.following, former.following)

    def of(self, numbers: Iterable[int]) -> list[str]:
        """Return the names of orders by their numbers."""
        return list(map(self._names.__getitem__, numbers))

    def to_bytes(self, numbers: Sequence[int], claims: Sequence[str]) -> bytes:
        """Return the bytes from which :meth:`restore` takes the names of these orders."""
        names = [None if _number_of(name) == int_of(name) else name for name in self.of(numbers)]
        return json.dumps([self.following, names, claims]).encode()

    def restore(self, data: bytes, numbers: Sequence[int]) -> tuple[str, ...] | None:
        """Take the names of orders by their numbers; return the claims, if they are stated.

        Raises
        ------
        ValueError
            If the bytes do not hold them, or hold those of other orders.
        """
        stated = json.loads(data.decode())
        following, names, *claims = stated
        if type(following) is not int or len(names) != len(numbers):
            raise ValueError("the names are those of other orders")
        self.following = following
        for number, given in zip(numbers, names, strict=True):
            name = str(number) if given is None else str(given)
            self._numbers[name], self._names[number] = number, name
            self._count(name, number)
        if len(self._numbers) != len(numbers):
            raise ValueError("two orders have the same name")
        return tuple(map(str, claims[0])) if claims else None


def stated_claims(data: bytes) -> tuple[str, ...]:
    """Return the claims that :meth:`OrderNames.to_bytes` stated; none where it did not."""
    try:
        _, _, claims = json.loads(data.decode())
        return tuple(map(str, claims))
    except (ValueError, TypeError):
        return ()


def int_of(name: str) -> int | None:
    """Return the 64-bit integer of which the text is the canonical form, or None."""
    digits = name.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 19:
        return None
    number = int(name)
    return number if str(number) == name and -_MOST <= number <= _MOST else None


def _number_of(name: str) -> int:
    number = int_of(name)
    if number is not None:
        return number
    word = int.from_bytes(
        blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big"
    )
    return word if word <= _MOST else word - _NUMBER


def as_name(order_id: Any) -> str:
    """Return an identifier as text, as a column of them would have it."""
    if type(order_id) is str and order_id.isascii():
        return order_id
    try:
        return identifier(order_id, "order_id", 0)
    except InputError as error:
        raise InputError(error.reason, field="order_id") from None


def with_names(market: Market, names: OrderNames, orders: int) -> tuple[_core.Engine, OrderNames]:
    """Return an engine of the core, with room for orders, that keeps a table of names; and that."""
    return _core.Engine(*core_arguments(market), orders, *names.tables), names


def core_arguments(market: Market) -> tuple[dict[str, Any], Floats, Floats]:
    """Return the maker, the payoffs and the inventory, which the core's engine copies."""
    return maker_model(market), market.payoffs, market.inventory


def refusal(fault: _core.Fault, name: str, quantity: float | None = None) -> InputError:
    """Return the error for a fault of an order, which has a name for its caller, and no number.

    ``quantity`` is what an order has that is to be reduced.
    """
    error = error_of(fault)
    if quantity is not None and fault[1] == "must not exceed what the order has":
        reason = f"must not exceed the {quantity} that the order has, got {fault[4]}"
        return InputError(reason, field=error.field)
    if error.field != "order_id":
        return error
    reason, _, _ = error.reason.rpartition(", got ")
    return InputError(f"{reason}, got {brief(name)}", field="order_id")
