"""The C library for Numba: ready-made functions for ``@njit`` code, which call it without Python.

``from kpm_fast import numba as kpm_numba``; needs the package numba, which is not installed with
this one. ``kpm_fast.numba_engine`` has the engine that keeps its book. All arrays are C-contiguous;
what a function returns is new. The functions take no lock and do not release the GIL themselves:
call them from any number of threads (``docs/embedding.md``). What the library refuses is an
``InputError`` with field, index and value where compiled code returns to Python.

The functions are compiled when this module is first imported, and kept in Numba's cache where it
has one; so is a caller's code with ``cache=True``.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import llvmlite.binding
import numba
import numpy as np
from numba import types
from numba.extending import overload

from .embedding import library_path
from .errors import InputError

__all__ = ["Clearing", "clear", "clear_into", "last_error", "quotes", "raise_last_error"]

# Compiled code finds the library's functions by name among those loaded in the process. Code from
# a cache does so too, and this line has run before it, since it needs this module.
llvmlite.binding.load_library_permanently(library_path())

_int32, _int64, _double = types.int32, types.int64, types.float64
_pointer = types.intp  # an address, or 0

_clear_flat = types.ExternalFunction(
    "kpm_clear_flat",
    _int32(
        *(_int32, _int32, _pointer, _pointer, _pointer, _double, _double),
        *(_int64, _pointer, _pointer, _pointer, _pointer, _pointer),
        *(_double, _double, _int64, _int32, _int32, _pointer),
        *(_pointer, _pointer, _pointer, _pointer, _pointer, _pointer),
    ),
)
_quote_flat = types.ExternalFunction(
    "kpm_quote_flat",
    _int32(
        *(_int32, _int32, _pointer, _int64, _double, _double, _double),
        *(_pointer, _pointer, _int64, _pointer, _int64, _pointer, _pointer),
    ),
)

_FIGURES = 9
_STATUS = 8
_MOST_32 = 2**31 - 1

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Clearing(NamedTuple):
    """What :func:`clear` returns."""

    status: int  # 0 is optimal; the numbers of kpm_status in kpm.h
    certainty_equivalent: float
    no_trade_equivalent: float
    upper_bound: float
    revenue: float
    scale: float
    state_prices: Any  # (N,)
    claim_prices: Any  # (K,)
    net_demand: Any  # (K,)
    fills: Any  # (J,)
    payoff: Any  # (N,)


def _compiled(*signatures: Any) -> Callable[[_Function], _Function]:
    """Compile for these types; cache the code if Numba finds a place for it."""

    def decorate(function: _Function) -> _Function:
        try:
            done: _Function = numba.njit(list(signatures), cache=True)(function)
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
            done = numba.njit(list(signatures))(function)
        return done

    return decorate


# -- what was refused ------------------------------------------------------------------------------


class _Error(ctypes.Structure):
    _fields_ = (
        ("struct_size", ctypes.c_size_t),
        ("code", ctypes.c_int32),
        ("reserved", ctypes.c_int32),
        ("field", ctypes.c_char_p),
        ("index", ctypes.c_int64),
        ("state", ctypes.c_int64),
        ("value", ctypes.c_double),
        ("message", ctypes.c_char * 200),
    )


_library = ctypes.CDLL(library_path())
_last_error = types.ExternalFunction("kpm_last_error", _int32(_pointer))
_INPUT, _MEMORY = 1, 2  # of kpm_code


def _last() -> _Error:
    error = _Error(struct_size=ctypes.sizeof(_Error))
    _library.kpm_last_error(ctypes.byref(error))
    return error


# Compiled code raises exceptions with constants for arguments alone. It makes them where it returns
# to Python, though, in its thread: these ask the library then what was wrong.


class RefusedInput(InputError):
    """What the library refused in compiled code: field, index and value."""

    def __init__(self, reason: str | None = None) -> None:
        field, index = None, None
        if reason is None:
            error = _last()
            reason, field = error.message.decode(), (error.field or b"").decode() or None
            place = ""
            if field != "order_id" and error.index >= 0:
                index, place = error.index, f"[{error.index}]"
            if field != "order_id" and error.state >= 0:
                index, place = (str(index), str(error.state)), f"{place}[{error.state}]"
            reason = reason.removeprefix(f"{field}{place} ")
        super().__init__(reason, field=field, index=index)


class FailedCall(RuntimeError):
    """What else the library says of a call in compiled code that failed."""

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(_last().message.decode() if reason is None else reason)


@_compiled(_int32())
def _last_code() -> Any:
    struct_size = np.zeros(1, np.int64)  # 0: only the code is asked for
    return _last_error(struct_size.ctypes.data)


# Inlined: what an exception of a call passes through keeps its arrays for ever.
@numba.njit(inline="always")
def _raise_last_error() -> None:
    """Raise the error of the last call that failed in this thread."""
    code = _last_code()
    if code == _INPUT:
        raise RefusedInput
    if code == _MEMORY:
        raise MemoryError("out of memory")
    if code != 0:
        raise FailedCall


# -- arguments -----------------------------------------------------------------------------------

# Numba turns a number into what a signature says, without a word: 2**32 + 1 and 1.9 become 1. So
# signatures leave integers as they come, and these two check them.

_whole_types = (_int64, types.uint64, _double)


def _whole(value: Any) -> Any:
    """Return a number of the caller as an int64; where it is none, ValueError."""
    raise NotImplementedError("for compiled code")


@overload(_whole)
def _compile_whole(value: Any) -> Any:
    if isinstance(value, types.Float):

        def of_float(value: Any) -> Any:
            # From 2**53 on it may be the rounded form of another integer.
            if not (np.floor(value) == value and abs(value) < 2.0**53):
                raise ValueError("ids, claims and sides must be integers")
            return np.int64(value)

        return of_float

    def of_integer(value: Any) -> Any:
        whole = np.int64(value)
        if value > 0 and whole < 0:
            raise ValueError("ids, claims and sides must be less than 2**63")
        return whole

    return of_integer


@_compiled(_int32(_int64))
def _narrow(value: Any) -> Any:
    """Return an integer with 32 bits; one that has more as the nearest, which is refused later."""
    return np.int32(min(max(value, -_MOST_32 - 1), _MOST_32))


def _read(dtype: Any, dimensions: int) -> Any:
    """Return the type of an array that is only read, so that writable and read-only ones fit."""
    return types.Array(dtype, dimensions, "C", readonly=True)


_reads, _reads_table = _read(_double, 1), _read(_double, 2)
_writes = types.Array(_double, 1, "C")
_market = (_reads_table, _reads, _reads, _double, _double)
_orders = (_read(_int64, 1), _read(types.int8, 1), _reads, _reads)


# Whether arrays fit together, which the library cannot see: their lengths.


@_compiled(types.void(_int64, _int64, _int64))
def _check_states(states: Any, prior: Any, inventory: Any) -> None:
    if prior != states or inventory != states:
        raise ValueError("prior and inventory must have an entry for each column of payoffs")


@_compiled(types.void(_int64, _int64, _int64, _int64))
def _check_orders(claim: Any, side: Any, price: Any, quantity: Any) -> None:
    if side != claim or price != claim or quantity != claim:
        raise ValueError("claim, side, price and quantity must have an entry for each order")


@_compiled(types.void(_int64, _int64, _int64, _int64, _int64, _int64))
def _check_outputs(
    states: Any, claims: Any, state_prices: Any, payoff: Any, claim_prices: Any, net_demand: Any
) -> None:
    if state_prices != states or payoff != states:
        raise ValueError("state_prices and payoff must have an entry for each state")
    if claim_prices != claims or net_demand != claims:
        raise ValueError("claim_prices and net_demand must have an entry for each claim")


@_compiled((_writes, _writes, _writes, _writes, _writes, _writes))
def _clearing(
    figures: Any, state_prices: Any, claim_prices: Any, net_demand: Any, fills: Any, payoff: Any
) -> Any:
    """Return what was written into the arrays of a clearing."""
    return Clearing(
        int(figures[_STATUS]),
        figures[0],
        figures[1],
        figures[2],
        figures[3],
        figures[4],
        state_prices,
        claim_prices,
        net_demand,
        fills,
        payoff,
    )


@_compiled(
    _int32(
        *_market,
        *_orders,
        *(_double, _double),
        *(_writes, _writes, _writes, _writes, _writes, _writes),
    )
)
def clear_into(
    payoffs: Any,
    prior: Any,
    inventory: Any,
    risk_aversion: Any,
    ambiguity: Any,
    claim: Any,
    side: Any,
    price: Any,
    quantity: Any,
    tolerance: Any,
    time_limit: Any,
    state_prices: Any,
    claim_prices: Any,
    net_demand: Any,
    fills: Any,
    payoff: Any,
    figures: Any,
) -> Any:
    """Clear a book into the caller's arrays; return kpm.h's code, 0 where nothing was wrong.

    ``figures`` has nine entries, the ``KPM_FIGURE_...`` of kpm.h. Raises ``ValueError`` where the
    arrays do not fit together.
    """
    states, claims, count = payoffs.shape[1], payoffs.shape[0], claim.shape[0]
    _check_states(states, prior.shape[0], inventory.shape[0])
    _check_orders(count, side.shape[0], price.shape[0], quantity.shape[0])
    _check_outputs(
        states,
        claims,
        state_prices.shape[0],
        payoff.shape[0],
        claim_prices.shape[0],
        net_demand.shape[0],
    )
    if fills.shape[0] != count or figures.shape[0] != _FIGURES:
        raise ValueError("fills must have an entry for each order, and figures 9 entries")
    return _clear_flat(
        states,
        claims,
        payoffs.ctypes.data,
        prior.ctypes.data,
        inventory.ctypes.data,
        risk_aversion,
        ambiguity,
        count,
        claim.ctypes.data,
        side.ctypes.data,
        price.ctypes.data,
        quantity.ctypes.data,
        0,
        tolerance,
        time_limit,
        0,
        1,
        0,
        0,
        state_prices.ctypes.data,
        claim_prices.ctypes.data,
        net_demand.ctypes.data,
        fills.ctypes.data,
        payoff.ctypes.data,
        figures.ctypes.data,
    )


@_compiled((*_market, *_orders, _double))
def clear(
    payoffs: Any,
    prior: Any,
    inventory: Any,
    risk_aversion: Any,
    ambiguity: Any,
    claim: Any,
    side: Any,
    price: Any,
    quantity: Any,
    tolerance: Any,
) -> Any:
    """Clear a book on one thread.

    Parameters
    ----------
    payoffs : float64 array, shape (K, N)
    prior, inventory : float64 arrays, shape (N,)
    risk_aversion, ambiguity : float64
    claim : int64 array, shape (J,)
        Indices, 0 to K - 1.
    side : int8 array, shape (J,)
        +1 buy, -1 sell.
    price, quantity : float64 arrays, shape (J,)
    tolerance : float64
        Gap to prove, relative to the notional that trades; ``kpm_fast.clear`` uses 1e-8.

    Returns
    -------
    Clearing

    Raises
    ------
    InputError
        Where the input is refused, naming field, index and value.
    """
    states, claims, count = payoffs.shape[1], payoffs.shape[0], claim.shape[0]
    state_prices, payoff = np.empty(states), np.empty(states)
    claim_prices, net_demand = np.empty(claims), np.empty(claims)
    fills, figures = np.empty(count), np.empty(_FIGURES)
    code = clear_into(
        payoffs,
        prior,
        inventory,
        risk_aversion,
        ambiguity,
        claim,
        side,
        price,
        quantity,
        tolerance,
        np.inf,
        state_prices,
        claim_prices,
        net_demand,
        fills,
        payoff,
        figures,
    )
    if code != 0:
        _raise_last_error()
    return _clearing(figures, state_prices, claim_prices, net_demand, fills, payoff)


@_compiled((_reads, _double, _double, _reads, _reads_table))
def quotes(
    prior: Any, risk_aversion: Any, ambiguity: Any, losses: Any, payoffs: Any
) -> tuple[Any, Any]:
    """Return bids and asks of the Knightian maker for the next share of each claim.

    Parameters
    ----------
    prior : float64 array, shape (N,)
    risk_aversion, ambiguity : float64
    losses : float64 array, shape (N,)
        Money that the maker owes in each state: its inventory negated.
    payoffs : float64 array, shape (K, N)

    Returns
    -------
    bid, ask : float64 arrays, shape (K,)
        Money per share.

    Raises
    ------
    InputError
        Where the input is refused, naming field, index and value.
    """
    claims, states = payoffs.shape
    if prior.shape[0] != states or losses.shape[0] != states:
        raise ValueError("prior and losses must have an entry for each column of payoffs")
    bid, ask = np.empty(claims), np.empty(claims)
    code = _quote_flat(
        0,
        states,
        prior.ctypes.data,
        0,
        risk_aversion,
        ambiguity,
        0.0,
        losses.ctypes.data,
        payoffs.ctypes.data,
        claims,
        0,
        0,
        bid.ctypes.data,
        ask.ctypes.data,
    )
    if code != 0:
        _raise_last_error()
    return bid, ask


def last_error() -> tuple[int, str]:
    """Return the code and the message of the last call that failed in this thread."""
    error = _last()
    return error.code, error.message.decode()


def raise_last_error() -> None:
    """Raise the error for which the last call that failed in this thread was refused.

    For functions that return a code; the others have raised it. Compiled code may call it, too.

    Raises
    ------
    InputError
        Naming the field, the index and the value.
    MemoryError, RuntimeError
        For codes other than refused input.
    """
    _raise_last_error()


@overload(raise_last_error)
def _compile_raise_last_error() -> Any:
    return lambda: _raise_last_error()
