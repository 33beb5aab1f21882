"""The atheris target of books on disk: whatever the files hold, only the package's own errors.

An input is the text of ``claims.csv``, ``states.csv``, ``orders.csv`` and ``market.json``, joined
by zero bytes. A book that can be read is written, read again, and cleared if it is small.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import kpm_fast as kpm

NAMES = ("claims.csv", "states.csv", "orders.csv", "market.json")
_SMALL = 2_000  # payoffs and orders of a book that is cleared


def pack(market: kpm.Market, orders: kpm.Orders) -> bytes:
    """Return a book as an input of the target."""
    with tempfile.TemporaryDirectory() as scratch:
        kpm.write_book(scratch, market, orders)
        return b"\0".join((Path(scratch) / name).read_bytes() for name in NAMES)


class Target:
    """What is called with each input; files go to ``scratch``."""

    def __init__(self, scratch: Path) -> None:
        self._book, self._copy = scratch / "book", scratch / "copy"
        self._book.mkdir()

    def __call__(self, data: bytes) -> None:
        for name in NAMES:
            (self._book / name).unlink(missing_ok=True)
        parts = data.split(b"\0", len(NAMES) - 1)
        for name, part in zip(NAMES, parts, strict=False):
            (self._book / name).write_bytes(part)
        for name in NAMES[len(parts) : -1]:  # the last is optional
            (self._book / name).touch()
        with contextlib.suppress(kpm.InputError):
            kpm.Orders.from_csv(self._book / "orders.csv")
        try:
            market, orders = kpm.read_book(self._book)
        except kpm.InputError:
            return
        self._check(market, orders)

    def _check(self, market: kpm.Market, orders: kpm.Orders) -> None:
        if "claim" not in market.states:  # the one name that no file can hold
            kpm.write_book(self._copy, market, orders)
            if kpm.read_book(self._copy) != (market, orders):
                raise AssertionError("a book that is written and read is another one")
        if market.payoffs.size + len(orders) <= _SMALL:
            kpm.clear(market, orders, threads=1, node_limit=4).verify().raise_if_failed()
