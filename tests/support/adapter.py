"""Books of the witnesses as kpm_fast takes them. Every clearing made here is verified."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np

import kpm_fast as kpm
from kpm_fast import _core
from kpm_fast.clearing import clear as clearing
from kpm_fast.clearing.settings import ClearSettings
from stress.figures import differences
from witness import Book, Piece, rho
from witness.book import staircase


def market_of(book: Book) -> kpm.Market:
    return kpm.Market(
        book.payoffs,
        book.prior,
        inventory=book.inventory,
        risk_aversion=book.risk_aversion,
        ambiguity=book.ambiguity,
    )


def orders_of(book: Book, time: Any = None) -> kpm.Orders:
    return kpm.Orders(book.claim, book.side, book.price, book.quantity, time=time)


def clear(book: Book, *, time: Any = None, **options: Any) -> kpm.Result:
    options.setdefault("threads", 1)
    result = kpm.clear(market_of(book), orders_of(book, time), **options)
    # Rounding excuses another status only if what trades, not the whole book, cannot resolve it.
    assert result.status is kpm.Status.OPTIMAL or not book.resolves(
        result.tolerance, result.scale, result.fills
    )
    verification = result.verify()
    assert verification, str(verification)
    return result


def pieces_of(book: Book, cell: np.ndarray) -> tuple[Piece, ...]:
    """The witness's pieces of a cell of the core: both number from the lowest price."""
    return tuple(staircase(book, k)[int(piece)] for k, piece in enumerate(cell))


def value_at(book: Book, result: kpm.CellResult) -> float:
    """The certainty equivalent of the returned point by the witness's rho, in money."""
    xi, y = result.state_prices, result.net_demand
    losses = y @ book.payoffs - book.inventory
    scaled = rho(losses.tolist(), book.prior.tolist(), book.risk_aversion, book.ambiguity)
    return float((book.payoffs @ xi) @ y) - float(scaled.value)


@contextmanager
def teams_at_once() -> Iterator[None]:
    """Inside, threads start with the first round, not after some milliseconds of work.

    Drawn books are too small for them otherwise: one thread would be compared with itself.
    """
    clear: Callable[..., Any] = _core.clear

    def at_once(*arguments: Any) -> Any:
        *book, settings, progress, stop = arguments
        return clear(*book, settings.at_once(), progress, stop)

    with mock.patch.object(_core, "clear", at_once):
        yield


def stopped(
    market: kpm.Market, orders: kpm.Orders, poll: int, raising: int = 0, **options: Any
) -> tuple[kpm.Result, _core.Polls]:
    """The clearing, stopped at this poll (negative: at none), and its counted polls.

    With ``raising`` that signal is raised there instead.
    """
    polls = _core.Polls(poll, raising)
    settings = ClearSettings(threads=1, **options)
    vars(settings)["core"] = settings.core.counting(polls)
    return clearing.clear_book(market, orders, settings, None, None, False), polls


def solve_cell(book: Book, cell: Any, **options: Any) -> kpm.CellResult:
    return kpm.solve_cell(market_of(book), orders_of(book), np.asarray(cell), **options)


def staircases(book: Book) -> list[np.ndarray]:
    return kpm.staircases(market_of(book), orders_of(book))


def assert_same_bits(
    one: kpm.Result,
    other: kpm.Result,
    *,
    fills: np.ndarray | None = None,
    bound: bool = True,
    without: Sequence[str] = (),
) -> None:
    """Every figure has the same bits, but those ``without``; ``fills`` reorders those of ``one``.

    Without ``bound`` upper bound and status may differ: another search, another proof.
    """
    expected = one if fills is None else dataclasses.replace(one, fills=one.fills[fills])
    proof = () if bound else ("upper_bound", "status")
    different = differences(expected, other, (*without, *proof))
    assert not different, {name: (getattr(one, name), getattr(other, name)) for name in different}


def assert_no_bit_depends_on_threads_or_order(market: kpm.Market, orders: kpm.Orders) -> None:
    """One thread or two, and the claims in whatever order."""
    one = kpm.clear(market, orders, threads=1)
    two = kpm.clear(market, orders, threads=2)
    assert np.array_equal(one.fills, two.fills)
    turned = np.random.default_rng(0).permutation(len(market.claims))
    place = np.argsort(turned)
    again = kpm.clear(
        market.replace(payoffs=market.payoffs[turned]),
        kpm.Orders(place[orders.claim], orders.side, orders.price, orders.quantity),
    )
    assert np.array_equal(one.fills, again.fills)
    assert one.certainty_equivalent == again.certainty_equivalent
