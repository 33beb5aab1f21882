"""Callers of the C library that time their own calls: for ``embedding.py``.

The part in C is compiled when it is asked for, by the system's compiler against the installed
header and library, as a user's program is.
"""

from __future__ import annotations

import ctypes
import functools
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import kpm_fast as kpm

from .books import Book
from .rounds import answered

SOURCE = Path(__file__).resolve().parent / "embedding_calls.c"
FLAGS = ("-O2", "-fPIC", "-shared")

Timer = Callable[[], float]


class CannotBuildError(RuntimeError):
    """What is needed to compile the callers is absent, or does not work."""


def compiler() -> str:
    return str(sysconfig.get_config_var("CC") or "cc").split()[0]


def compiler_text() -> str:
    """The compiler's version and what it is told."""
    return f"{_done([compiler(), '--version']).splitlines()[0]}, {' '.join(FLAGS)}"


def _done(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise CannotBuildError(f"there is no {command[0]}") from error
    if done.returncode:
        raise CannotBuildError(f"{' '.join(command)}: {done.stderr.strip()[-500:]}")
    return done.stdout


class CCaller:
    """The calls of ``embedding_calls.c``, in a library that is loaded here."""

    def __init__(self, folder: Path) -> None:
        if not sys.platform.startswith("linux"):
            raise CannotBuildError("engines in their caller's memory need Linux")
        path = str(folder / "calls.so")
        linked = [f"-l{name}" for name in kpm.get_libraries()]
        for place in kpm.get_library_dirs():
            linked += [f"-L{place}", f"-Wl,-rpath,{place}"]
        include = f"-I{kpm.get_include()}"
        _done([compiler(), *FLAGS, str(SOURCE), "-o", path, include, *linked])
        self.library = ctypes.CDLL(path)
        for name in ("cold", "engine", "engine_cold", "warm", "value", "limited", "events"):
            getattr(self.library, f"calls_{name}").restype = ctypes.c_double
        self.library.calls_book_of.restype = ctypes.c_void_p

    def book(self, book: Book, tolerance: float) -> CBook:
        return CBook(self.library, book, tolerance)

    def events(
        self, claims: int, orders: int, ticks: int, *, large_pages: bool, events: int
    ) -> tuple[float, np.ndarray[Any, np.dtype[np.float64]]]:
        """Seconds of all, and (3, events) of each: cancel, add, replace in a book of so many."""
        seconds = np.zeros((3, events))
        long = ctypes.c_int64
        spent = self.library.calls_events(
            *(claims, long(orders), long(ticks), int(large_pages), long(events)),
            seconds.ctypes.data_as(ctypes.c_void_p),
        )
        if spent < 0:
            raise RuntimeError("the engine refused an event")
        return float(spent), seconds


class CBook:
    """A book in C, and an engine that has it."""

    def __init__(self, library: Any, book: Book, tolerance: float) -> None:
        market, orders = book
        claims, states = market.payoffs.shape
        self._arrays = (
            *(market.payoffs, market.prior, market.inventory),
            *(orders.claim_index(market), orders.side, orders.price, orders.quantity),
        )
        at = [array.ctypes.data_as(ctypes.c_void_p) for array in self._arrays]
        self._library = library
        made = library.calls_book_of(
            *(states, claims, *at[:3]),
            ctypes.c_double(market.risk_aversion),
            ctypes.c_double(market.ambiguity),
            *(ctypes.c_int64(len(orders)), *at[3:]),
            ctypes.c_double(tolerance),
        )
        if not made:
            raise RuntimeError("the library refused the book")
        self._book = ctypes.c_void_p(made)

    def timer(self, name: str, *arguments: float) -> Timer:
        """A call of ``calls_<name>``: its seconds."""
        call, given = getattr(self._library, f"calls_{name}"), map(ctypes.c_double, arguments)
        whole = (self._book, *given)

        def seconds() -> float:
            took = float(call(*whole))
            if took < 0:
                raise RuntimeError(f"{name}: a call failed")
            return took

        return seconds

    def warm(self) -> int:
        """How many clearings of the engine needed no search."""
        return int(self._library.calls_warm(self._book))

    def value(self) -> float:
        return float(self._library.calls_value(self._book))

    def close(self) -> None:
        self._library.calls_book_free(self._book)


def python_timer(book: Book, wanted: kpm.Status, **options: Any) -> Timer:
    """``clear`` from Python, on one thread; infinite where it ends in another way."""
    clear = functools.partial(kpm.clear, *book, threads=1, **options)

    def seconds() -> float:
        result, took = answered(clear)
        return took if result.status is wanted else float("inf")

    return seconds
