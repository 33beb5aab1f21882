"""Callers of the C library that time their own calls: for ``embedding.py``.

The part in C is compiled when it is asked for, by the system's compiler against the installed
header and library, as a user's program is.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import kpm_fast as kpm

from .books import Book

FOLDER = Path(__file__).resolve().parent
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


def _compile(source: Path, target: Path) -> None:
    folders = kpm.get_library_dirs()
    linked = [f"-l{name}" for name in kpm.get_libraries()]
    linked += [option for path in folders for option in (f"-L{path}", f"-Wl,-rpath,{path}")]
    include = f"-I{kpm.get_include()}"
    _done([compiler(), *FLAGS, str(source), "-o", str(target), include, *linked])


class CCaller:
    """The calls of ``embedding_calls.c``, in a library that is loaded here."""

    def __init__(self, folder: Path) -> None:
        if not sys.platform.startswith("linux"):
            raise CannotBuildError("engines in their caller's memory need Linux")
        self.path = folder / "calls.so"
        _compile(FOLDER / "embedding_calls.c", self.path)
        self.library = ctypes.CDLL(str(self.path))
        double, pointer = ctypes.c_double, ctypes.c_void_p
        for name in (
            "calls_cold",
            "calls_engine",
            "calls_engine_cold",
            "calls_warm",
            "calls_value",
            "calls_limited",
            "calls_events",
        ):
            getattr(self.library, name).restype = double
        self.library.calls_book_of.restype = pointer
        for name in (
            *("calls_cold", "calls_engine", "calls_engine_cold"),
            *("calls_warm", "calls_value", "calls_book_free"),
        ):
            getattr(self.library, name).argtypes = (pointer,)
        self.library.calls_limited.argtypes = (pointer, double)

    def book(self, book: Book, tolerance: float) -> CBook:
        return CBook(self.library, book, tolerance)

    def events(
        self, claims: int, orders: int, ticks: int, *, large_pages: bool, events: int
    ) -> tuple[float, np.ndarray[Any, np.dtype[np.float64]]]:
        """Seconds of all, and (3, events) of each: cancel, add, replace in a book of so many."""
        seconds = np.zeros((3, events))
        spent = self.library.calls_events(
            claims,
            ctypes.c_int64(orders),
            ctypes.c_int64(ticks),
            int(large_pages),
            ctypes.c_int64(events),
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
        self._book = library.calls_book_of(
            *(states, claims, *at[:3]),
            ctypes.c_double(market.risk_aversion),
            ctypes.c_double(market.ambiguity),
            *(ctypes.c_int64(len(orders)), *at[3:]),
            ctypes.c_double(tolerance),
        )
        if not self._book:
            raise RuntimeError("the library refused the book")

    def cold(self) -> float:
        return float(self._library.calls_cold(self._book))

    def engine(self) -> float:
        return float(self._library.calls_engine(self._book))

    def engine_cold(self) -> float:
        return float(self._library.calls_engine_cold(self._book))

    def warm(self) -> int:
        """How many clearings of the engine needed no search."""
        return int(self._library.calls_warm(self._book))

    def limited(self, limit: float) -> float:
        """Seconds of a cold clearing that a limit of so many seconds cut short, or infinity."""
        seconds = float(self._library.calls_limited(self._book, limit))
        if seconds < 0:
            raise RuntimeError("a clearing within a limit failed")
        return seconds

    def value(self) -> float:
        return float(self._library.calls_value(self._book))

    def close(self) -> None:
        self._library.calls_book_free(self._book)


def python_timer(book: Book, tolerance: float) -> Timer:
    """``clear`` from Python, on one thread; an answer that is not optimal has no time."""
    market, orders = book

    def cold() -> float:
        start = time.perf_counter()
        result = kpm.clear(market, orders, tolerance=tolerance, threads=1)
        seconds = time.perf_counter() - start
        return seconds if result.status is kpm.Status.OPTIMAL else -1.0

    return cold


def limited_timer(book: Book, limit: float) -> Timer:
    """``clear`` from Python within a limit; infinite where the limit did not strike."""
    market, orders = book

    def limited() -> float:
        start = time.perf_counter()
        result = kpm.clear(market, orders, time_limit=limit, threads=1)
        seconds = time.perf_counter() - start
        return seconds if result.status is kpm.Status.TIME_LIMIT else float("inf")

    return limited
