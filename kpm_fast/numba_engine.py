"""The engine of the C library for Numba: a book that orders enter and leave, without Python.

``from kpm_fast import numba_engine``, beside ``kpm_fast.numba``. An engine is an integer, its
address: call it from one thread at a time, and :func:`free` it, or its memory leaks. Whatever the
events were, a clearing has the bits of ``kpm_clear`` for the orders in the book with ``KPM_TIME``:
orders that share the volume at a limit are filled by priority, not pro rata as by
``kpm_fast.numba.clear``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from .numba import (
    _FIGURES,
    _check_states,
    _clearing,
    _compiled,
    _double,
    _int32,
    _int64,
    _market,
    _narrow,
    _pointer,
    _raise_last_error,
    _read,
    _whole,
    _whole_types,
    _writes,
)

__all__ = [
    "add",
    "cancel",
    "cancel_all",
    "clear",
    "clear_into",
    "create",
    "forget",
    "free",
    "indicative",
    "init",
    "order_count",
    "orders",
    "quotes",
    "reduce",
    "replace",
    "restore",
    "set_market",
    "size",
    "snapshot",
    "state_hash",
    "warm_clearings",
]


def _function(name: str, result: Any, *arguments: Any) -> Any:
    """Declare a function of the engine, whose first argument is the engine's address."""
    return types.ExternalFunction(f"kpm_engine_{name}", result(*arguments))


_market_flat = (_int32, _int32, _pointer, _pointer, _pointer, _double, _double)
_engine_create = _function("create_flat", _pointer, *_market_flat, _int64)
_engine_size = _function("size_flat", types.uintp, _int32, _int32, _int64, _int64, _int64)
_engine_init = _function(
    "init_flat", _pointer, _pointer, types.uintp, _int64, _int64, _int64, *_market_flat
)
_engine_free = _function("free", types.void, _pointer)
_engine_add = _function("add", _int32, _pointer, _int64, _int64, _int32, _double, _double)
_engine_cancel = _function("cancel", _int32, _pointer, _int64)
_engine_cancel_all = _function("cancel_all", _int32, _pointer)
_engine_reduce = _function("reduce", _int32, _pointer, _int64, _double)
_engine_replace = _function("replace", _int32, _pointer, _int64, _double, _double)
_engine_set_market = _function("set_market_flat", _int32, _pointer, *_market_flat)
_engine_clear = _function(
    "clear_flat",
    _int32,
    *(_pointer, _double, _double, _int64, _int32, _int32, _pointer),
    *(_pointer, _pointer, _pointer, _pointer, _pointer, _pointer),
)
_engine_forget = _function("forget", _int32, _pointer)
_engine_warm_clearings = _function("warm_clearings", _int64, _pointer)
_engine_quote = _function("quote", _int32, _pointer, _pointer, _int64, _pointer, _pointer)
_engine_order_count = _function("order_count", _int64, _pointer)
_engine_orders = _function(
    "orders", _int32, _pointer, _pointer, _pointer, _pointer, _pointer, _pointer
)
_engine_snapshot_size = _function("snapshot_size", types.uintp, _pointer)
_engine_snapshot = _function("snapshot", _int32, _pointer, _pointer, types.uintp)
_engine_restore = _function("restore", _int32, _pointer, _pointer, types.uintp)
_engine_state_hash = _function("state_hash", types.uint64, _pointer)

_handle = types.intp
# The id, the claim and the side of an order: where one is a float, all come as floats.
_added = (
    *((identifier, _int64, _int64) for identifier in (_int64, types.uint64)),
    (_double, _double, _double),
)


@_compiled((*_market, _int64))
def create(
    payoffs: Any, prior: Any, inventory: Any, risk_aversion: Any, ambiguity: Any, orders: Any
) -> Any:
    """Make an engine, which keeps a book (``docs/engine.md``); :func:`free` ends it.

    Parameters
    ----------
    payoffs : float64 array, shape (K, N)
    prior, inventory : float64 arrays, shape (N,)
    risk_aversion, ambiguity : float64
    orders : int64
        The number of orders to reserve room for; the engine grows when it needs more.

    Returns
    -------
    int
        The argument ``engine`` of the other functions. It serves one thread at a time.

    Raises
    ------
    InputError
        Where the input is refused, naming field, index and value.
    """
    claims, states = payoffs.shape
    _check_states(states, prior.shape[0], inventory.shape[0])
    engine = _engine_create(
        states,
        claims,
        payoffs.ctypes.data,
        prior.ctypes.data,
        inventory.ctypes.data,
        risk_aversion,
        ambiguity,
        orders,
    )
    if engine == 0:
        _raise_last_error()
    return engine


@_compiled((_int64, _int64, _int64, _int64, _int64))
def size(states: Any, claims: Any, orders: Any, levels: Any, nodes: Any) -> Any:
    """Return the bytes that :func:`init` needs for these limits; 0 if one is out of range.

    ``levels`` counts pairs of claim and limit, 0 for as many as orders; ``nodes`` those of the tree
    of a clearing, 0 for 1000.
    """
    return _engine_size(_narrow(states), _narrow(claims), orders, levels, nodes)


@_compiled((types.Array(types.uint8, 1, "C"), *_market, _int64, _int64, _int64))
def init(
    memory: Any,
    payoffs: Any,
    prior: Any,
    inventory: Any,
    risk_aversion: Any,
    ambiguity: Any,
    orders: Any,
    levels: Any,
    nodes: Any,
) -> Any:
    """Make an engine in the caller's memory, within which its calls allocate nothing afterwards.

    Parameters
    ----------
    memory : uint8 array
        At least :func:`size` bytes, which must live as long as the engine.
    payoffs : float64 array, shape (K, N)
    prior, inventory : float64 arrays, shape (N,)
    risk_aversion, ambiguity : float64
    orders, levels, nodes : int64
        The limits, as for :func:`size`.

    Returns
    -------
    int
        As :func:`create`.

    Raises
    ------
    InputError
        Where the input is refused, naming field, index and value.
    RuntimeError
        Where the library has no allocator of its own (it has on Linux).
    """
    claims, states = payoffs.shape
    _check_states(states, prior.shape[0], inventory.shape[0])
    engine = _engine_init(
        memory.ctypes.data,
        memory.shape[0],
        orders,
        levels,
        nodes,
        states,
        claims,
        payoffs.ctypes.data,
        prior.ctypes.data,
        inventory.ctypes.data,
        risk_aversion,
        ambiguity,
    )
    if engine == 0:
        _raise_last_error()
    return engine


@_compiled((_handle,))
def free(engine: Any) -> None:
    """Free an engine; 0 is ignored."""
    _engine_free(engine)


@_compiled(*(_int32(_handle, *kinds, _double, _double) for kinds in _added))
def add(engine: Any, order_id: Any, claim: Any, side: Any, price: Any, quantity: Any) -> Any:
    """Put an order at the end of the book; return kpm.h's code, 0 where nothing was wrong.

    ``claim`` is an index, ``side`` +1 (buy) or -1 (sell). An event that is refused, here and below,
    changes nothing. Ids, claims and sides are integers, or whole numbers below 2**53: others are a
    ``ValueError``.
    """
    place, sign = _whole(claim), _narrow(_whole(side))
    return _engine_add(engine, _whole(order_id), place, sign, price, quantity)


@_compiled(*(_int32(_handle, kind) for kind in _whole_types))
def cancel(engine: Any, order_id: Any) -> Any:
    """Remove an order from the book; return kpm.h's code."""
    return _engine_cancel(engine, _whole(order_id))


@_compiled(_int32(_handle))
def cancel_all(engine: Any) -> Any:
    """Remove all orders from the book; return kpm.h's code."""
    return _engine_cancel_all(engine)


@_compiled(*(_int32(_handle, kind, _double) for kind in _whole_types))
def reduce(engine: Any, order_id: Any, quantity: Any) -> Any:
    """Reduce an order to a quantity, with its priority kept; return kpm.h's code."""
    return _engine_reduce(engine, _whole(order_id), quantity)


@_compiled(*(_int32(_handle, kind, _double, _double) for kind in _whole_types))
def replace(engine: Any, order_id: Any, price: Any, quantity: Any) -> Any:
    """Give an order another limit and quantity; return kpm.h's code.

    It goes to the end of the book, unless its limit stays and its quantity does not grow.
    """
    return _engine_replace(engine, _whole(order_id), price, quantity)


@_compiled(_int32(_handle, *_market))
def set_market(
    engine: Any, payoffs: Any, prior: Any, inventory: Any, risk_aversion: Any, ambiguity: Any
) -> Any:
    """Give an engine another market with as many claims; return kpm.h's code."""
    claims, states = payoffs.shape
    _check_states(states, prior.shape[0], inventory.shape[0])
    return _engine_set_market(
        engine,
        states,
        claims,
        payoffs.ctypes.data,
        prior.ctypes.data,
        inventory.ctypes.data,
        risk_aversion,
        ambiguity,
    )


@_compiled(_int32(_handle, _double, _double, _writes, _writes, _writes, _writes, _writes, _writes))
def clear_into(
    engine: Any,
    tolerance: Any,
    time_limit: Any,
    state_prices: Any,
    claim_prices: Any,
    net_demand: Any,
    fills: Any,
    payoff: Any,
    figures: Any,
) -> Any:
    """Clear the book into the caller's arrays; return kpm.h's code.

    ``state_prices`` and ``payoff`` have an entry for each state, ``claim_prices`` and
    ``net_demand`` for each claim of the market, which is not checked; ``fills`` has one for each
    order by priority, or none at all, for an indicative clearing. ``figures`` has nine.
    """
    if fills.shape[0] > 0 and fills.shape[0] != _engine_order_count(engine):
        raise ValueError("fills must have an entry for each order of the book, or none")
    if figures.shape[0] != _FIGURES:
        raise ValueError("figures must have 9 entries")
    wanted = fills.ctypes.data if fills.shape[0] > 0 else 0
    return _engine_clear(
        engine,
        tolerance,
        time_limit,
        0,
        1,
        1,
        0,
        state_prices.ctypes.data,
        claim_prices.ctypes.data,
        net_demand.ctypes.data,
        wanted,
        payoff.ctypes.data,
        figures.ctypes.data,
    )


@_compiled((_handle, _int64, _int64, _int64, _double))
def _cleared(engine: Any, states: Any, claims: Any, orders: Any, tolerance: Any) -> Any:
    """Clear into new arrays, with room for the fills of all orders or of none."""
    state_prices, payoff = np.empty(states), np.empty(states)
    claim_prices, net_demand = np.empty(claims), np.empty(claims)
    fills, figures = np.empty(orders), np.empty(_FIGURES)
    code = clear_into(
        engine,
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


@_compiled((_handle, _int64, _int64, _double))
def clear(engine: Any, states: Any, claims: Any, tolerance: Any) -> Any:
    """Clear the book as it stands, on one thread; the book does not change.

    Parameters
    ----------
    engine : int
    states, claims : int64
        Of the engine's market.
    tolerance : float64

    Returns
    -------
    Clearing
        ``fills`` by priority, as :func:`orders` lists the book and as orders at one limit are
        filled.

    Raises
    ------
    InputError
        Where the input is refused, naming field, index and value.
    """
    return _cleared(engine, states, claims, _engine_order_count(engine), tolerance)


@_compiled((_handle, _int64, _int64, _double))
def indicative(engine: Any, states: Any, claims: Any, tolerance: Any) -> Any:
    """Clear without a pass through the orders for fills: ``fills`` is empty.

    Otherwise as :func:`clear`.
    """
    return _cleared(engine, states, claims, 0, tolerance)


@_compiled((_handle,))
def forget(engine: Any) -> None:
    """Forget the last clearing: the next one is searched. Its bits are the same either way."""
    if _engine_forget(engine) != 0:
        _raise_last_error()


@_compiled(_int64(_handle))
def warm_clearings(engine: Any) -> Any:
    """Return how many clearings the one before has spared a search."""
    return _engine_warm_clearings(engine)


@_compiled((_handle, _int64))
def quotes(engine: Any, claims: Any) -> tuple[Any, Any]:
    """Return bids and asks of the market's maker for the next share of each of its claims."""
    bid, ask = np.empty(claims), np.empty(claims)
    if _engine_quote(engine, 0, 0, bid.ctypes.data, ask.ctypes.data) != 0:
        _raise_last_error()
    return bid, ask


@_compiled(_int64(_handle))
def order_count(engine: Any) -> Any:
    """Return how many orders are in the book."""
    return _engine_order_count(engine)


@_compiled((_handle,))
def orders(engine: Any) -> tuple[Any, Any, Any, Any, Any]:
    """Return ids, claims, sides, prices and quantities of the book, by priority."""
    count = _engine_order_count(engine)
    order_id, claim = np.empty(count, np.int64), np.empty(count, np.int64)
    side, price, quantity = np.empty(count, np.int8), np.empty(count), np.empty(count)
    code = _engine_orders(
        engine,
        order_id.ctypes.data,
        claim.ctypes.data,
        side.ctypes.data,
        price.ctypes.data,
        quantity.ctypes.data,
    )
    if code != 0:
        _raise_last_error()
    return order_id, claim, side, price, quantity


@_compiled((_handle,))
def snapshot(engine: Any) -> Any:
    """Return the book, without the market, as bytes that mean the same on every machine."""
    snapshot = np.empty(_engine_snapshot_size(engine), np.uint8)
    if _engine_snapshot(engine, snapshot.ctypes.data, snapshot.shape[0]) != 0:
        _raise_last_error()
    return snapshot


@_compiled(_int32(_handle, _read(types.uint8, 1)))
def restore(engine: Any, snapshot: Any) -> Any:
    """Replace the book by that of a snapshot; return kpm.h's code."""
    return _engine_restore(engine, snapshot.ctypes.data, snapshot.shape[0])


@_compiled(types.uint64(_handle))
def state_hash(engine: Any) -> Any:
    """Return a hash of the market and of the orders by priority."""
    return _engine_state_hash(engine)
