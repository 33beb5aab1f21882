"""Every maker and rule of the C library for Numba: clearings and engines for any of them.

``from kpm_fast import numba_makers``, beside ``kpm_fast.numba`` and ``kpm_fast.numba_engine``,
which have the rest: events, snapshots, quotes of an engine. A maker is five arguments, which
:func:`arguments` makes of one of Python's: its kind, its weights, risk aversion, ambiguity, and a
parameter.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from .errors import InputError, brief
from .model.maker import Maker
from .numba import (
    _check_orders,
    _check_outputs,
    _compiled,
    _double,
    _int32,
    _int64,
    _narrow,
    _orders,
    _pointer,
    _raise_last_error,
    _reads,
    _reads_table,
    _writes,
)
from .numba_engine import _engine_order_count, _function, _handle

__all__ = [
    "COMPETITIVE",
    "MAKER_OPTIMAL",
    "PAY_AS_BID",
    "PDCA",
    "Arguments",
    "arguments",
    "clear",
    "clear_into",
    "create",
    "engine_clear",
    "engine_clear_into",
    "init",
    "set_maker",
    "size",
]

MAKER_OPTIMAL, COMPETITIVE, PAY_AS_BID, PDCA = range(4)  # rules: kpm_rule of kpm.h
_KINDS = ("knightian", "starting_orders", "worst_state", "polytope", "utility", "quadratic")
_FIGURES = 10

Arguments = tuple[int, Any, float, float, float]

_maker_flat = (_int32, _int32, _pointer, _int64, _double, _double, _double, _pointer)
_outputs = (_pointer, _pointer, _pointer, _pointer, _pointer, _pointer)
_clear_by_rule = types.ExternalFunction(
    "kpm_clear_by_rule_flat",
    _int32(
        *_maker_flat,
        *(_int32, _pointer),
        *(_int64, _pointer, _pointer, _pointer, _pointer, _pointer),
        *(_int32, _double, _int32),
        *_outputs,
    ),
)
_engine_create = _function("create_maker_flat", _pointer, *_maker_flat, _int32, _pointer, _int64)
_engine_size = _function(
    "size_maker_flat", types.uintp, _int32, _int32, _int64, _int64, _int64, _int64
)
_engine_init = _function(
    "init_maker_flat",
    _pointer,
    *(_pointer, types.uintp, _int64, _int64, _int64, _int64),
    *_maker_flat,
    *(_int32, _pointer),
)
_engine_set_maker = _function("set_maker_flat", _int32, _pointer, *_maker_flat)
_engine_clear = _function(
    "clear_by_rule_flat", _int32, _pointer, _int32, _double, _int32, *_outputs
)

_maker = (_int64, _reads_table, _double, _double, _double, _reads)


@_compiled(types.void(_int64, _int64, _int64, _int64))
def _check_weights(states: Any, rows: Any, columns: Any, inventory: Any) -> None:
    if columns != states or inventory != states or rows == 0:
        raise ValueError("weights and inventory must have an entry for each state")


def arguments(maker: Maker) -> Arguments:
    """Return a maker of Python's as the functions here take it; its inventory follows by itself.

    Parameters
    ----------
    maker : Maker

    Returns
    -------
    kind : int
        A kpm_maker_kind of kpm.h.
    weights : float64 array, shape (rows, N)
        The prior, or the starting orders; a polytope's priors, a row each; a worst-state maker's
        are not read.
    risk_aversion, ambiguity, parameter : float
        Zero where the kind has none; the parameter is a log utility's wealth or a quadratic's c.

    Raises
    ------
    InputError
        If it is no maker, or one that has no states yet.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> from kpm_fast import numba_makers
    >>> kind, weights, *numbers = numba_makers.arguments(kpm.UtilityMaker([0.25, 0.75], 50.0))
    >>> kind, weights.tolist(), numbers
    (4, [[0.25, 0.75]], [0.0, 0.0, 50.0])
    """
    if not isinstance(maker, Maker):
        raise InputError(f"must be a maker, got {brief(maker)}", field="maker")
    if maker.states == 0:
        raise InputError("must have states: give it a prior or an inventory", field="maker")
    model = maker._model()
    weights = model.get("prior", model.get("delta", model.get("priors")))
    if weights is None:
        weights = np.zeros(model["states"])
    return (
        _KINDS.index(model["kind"]),
        np.ascontiguousarray(np.atleast_2d(weights), dtype=np.float64),
        float(model.get("risk_aversion", 0.0)),
        float(model.get("ambiguity", 0.0)),
        float(model.get("wealth", model.get("c", 0.0))),
    )


@_compiled(
    _int32(
        *_maker,
        _reads_table,
        *_orders,
        *(_int64, _double),
        *(_writes, _writes, _writes, _writes, _writes, _writes),
    )
)
def clear_into(
    kind: Any,
    weights: Any,
    risk_aversion: Any,
    ambiguity: Any,
    parameter: Any,
    inventory: Any,
    payoffs: Any,
    claim: Any,
    side: Any,
    price: Any,
    quantity: Any,
    rule: Any,
    tolerance: Any,
    state_prices: Any,
    claim_prices: Any,
    net_demand: Any,
    fills: Any,
    payoff: Any,
    figures: Any,
) -> Any:
    """Clear a book into the caller's arrays; return kpm.h's code, 0 where nothing was wrong.

    ``figures`` has ten entries, the ``KPM_FIGURE_...`` of kpm.h. Raises ``ValueError`` where the
    arrays do not fit together.
    """
    states, claims, count = payoffs.shape[1], payoffs.shape[0], claim.shape[0]
    _check_weights(states, weights.shape[0], weights.shape[1], inventory.shape[0])
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
        raise ValueError("fills must have an entry for each order, and figures 10 entries")
    return _clear_by_rule(
        _narrow(kind),
        states,
        weights.ctypes.data,
        weights.shape[0],
        risk_aversion,
        ambiguity,
        parameter,
        inventory.ctypes.data,
        claims,
        payoffs.ctypes.data,
        count,
        claim.ctypes.data,
        side.ctypes.data,
        price.ctypes.data,
        quantity.ctypes.data,
        0,
        _narrow(rule),
        tolerance,
        0,
        state_prices.ctypes.data,
        claim_prices.ctypes.data,
        net_demand.ctypes.data,
        fills.ctypes.data,
        payoff.ctypes.data,
        figures.ctypes.data,
    )


@_compiled((*_maker, _reads_table, *_orders, _int64, _double))
def clear(
    kind: Any,
    weights: Any,
    risk_aversion: Any,
    ambiguity: Any,
    parameter: Any,
    inventory: Any,
    payoffs: Any,
    claim: Any,
    side: Any,
    price: Any,
    quantity: Any,
    rule: Any,
    tolerance: Any,
) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Clear a book of any maker by a rule that the maker has, on one thread.

    Parameters
    ----------
    kind, weights, risk_aversion, ambiguity, parameter
        The maker: :func:`arguments`.
    inventory : float64 array, shape (N,)
    payoffs : float64 array, shape (K, N)
    claim : int64 array, shape (J,)
        Indices, 0 to K - 1.
    side : int8 array, shape (J,)
        +1 buy, -1 sell.
    price, quantity : float64 arrays, shape (J,)
    rule : int
        ``MAKER_OPTIMAL``, ``COMPETITIVE``, ``PAY_AS_BID`` or ``PDCA``.
    tolerance : float64
        Gap to prove, relative to the notional that trades; ``kpm_fast.clear`` uses 1e-8.

    Returns
    -------
    state_prices, claim_prices, net_demand, fills, payoff : float64 arrays
    figures : float64 array, shape (10,)
        The ``KPM_FIGURE_...`` of kpm.h; 8 is the status, 0 for optimal.

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
        kind,
        weights,
        risk_aversion,
        ambiguity,
        parameter,
        inventory,
        payoffs,
        claim,
        side,
        price,
        quantity,
        rule,
        tolerance,
        state_prices,
        claim_prices,
        net_demand,
        fills,
        payoff,
        figures,
    )
    if code != 0:
        _raise_last_error()
    return state_prices, claim_prices, net_demand, fills, payoff, figures


@_compiled((*_maker, _reads_table, _int64))
def create(
    kind: Any,
    weights: Any,
    risk_aversion: Any,
    ambiguity: Any,
    parameter: Any,
    inventory: Any,
    payoffs: Any,
    orders: Any,
) -> Any:
    """Make an engine for any maker; otherwise as :func:`kpm_fast.numba_engine.create`."""
    claims, states = payoffs.shape
    _check_weights(states, weights.shape[0], weights.shape[1], inventory.shape[0])
    engine = _engine_create(
        _narrow(kind),
        states,
        weights.ctypes.data,
        weights.shape[0],
        risk_aversion,
        ambiguity,
        parameter,
        inventory.ctypes.data,
        claims,
        payoffs.ctypes.data,
        orders,
    )
    if engine == 0:
        _raise_last_error()
    return engine


@_compiled((_int64, _int64, _int64, _int64, _int64, _int64))
def size(states: Any, claims: Any, orders: Any, levels: Any, nodes: Any, priors: Any) -> Any:
    """Return the bytes that :func:`init` needs, ``priors`` being the most rows of a polytope maker.

    Otherwise as :func:`kpm_fast.numba_engine.size`.
    """
    return _engine_size(_narrow(states), _narrow(claims), orders, levels, nodes, priors)


@_compiled(
    (types.Array(types.uint8, 1, "C"), *_maker, _reads_table, _int64, _int64, _int64, _int64)
)
def init(
    memory: Any,
    kind: Any,
    weights: Any,
    risk_aversion: Any,
    ambiguity: Any,
    parameter: Any,
    inventory: Any,
    payoffs: Any,
    orders: Any,
    levels: Any,
    nodes: Any,
    priors: Any,
) -> Any:
    """Make an engine for any maker in the caller's memory, of at least :func:`size` bytes.

    Otherwise as :func:`kpm_fast.numba_engine.init`.
    """
    claims, states = payoffs.shape
    _check_weights(states, weights.shape[0], weights.shape[1], inventory.shape[0])
    engine = _engine_init(
        memory.ctypes.data,
        memory.shape[0],
        orders,
        levels,
        nodes,
        priors,
        _narrow(kind),
        states,
        weights.ctypes.data,
        weights.shape[0],
        risk_aversion,
        ambiguity,
        parameter,
        inventory.ctypes.data,
        claims,
        payoffs.ctypes.data,
    )
    if engine == 0:
        _raise_last_error()
    return engine


@_compiled(_int32(_handle, *_maker))
def set_maker(
    engine: Any,
    kind: Any,
    weights: Any,
    risk_aversion: Any,
    ambiguity: Any,
    parameter: Any,
    inventory: Any,
) -> Any:
    """Give an engine another maker of as many states, and its inventory; return kpm.h's code."""
    states = inventory.shape[0]
    _check_weights(states, weights.shape[0], weights.shape[1], states)
    return _engine_set_maker(
        engine,
        _narrow(kind),
        states,
        weights.ctypes.data,
        weights.shape[0],
        risk_aversion,
        ambiguity,
        parameter,
        inventory.ctypes.data,
    )


@_compiled(_int32(_handle, _int64, _double, _writes, _writes, _writes, _writes, _writes, _writes))
def engine_clear_into(
    engine: Any,
    rule: Any,
    tolerance: Any,
    state_prices: Any,
    claim_prices: Any,
    net_demand: Any,
    fills: Any,
    payoff: Any,
    figures: Any,
) -> Any:
    """Clear an engine's book by a rule into the caller's arrays; return kpm.h's code.

    As :func:`kpm_fast.numba_engine.clear_into`, but ``figures`` has ten entries.
    """
    if fills.shape[0] > 0 and fills.shape[0] != _engine_order_count(engine):
        raise ValueError("fills must have an entry for each order of the book, or none")
    if figures.shape[0] != _FIGURES:
        raise ValueError("figures must have 10 entries")
    return _engine_clear(
        engine,
        _narrow(rule),
        tolerance,
        1,
        state_prices.ctypes.data,
        claim_prices.ctypes.data,
        net_demand.ctypes.data,
        fills.ctypes.data if fills.shape[0] > 0 else 0,
        payoff.ctypes.data,
        figures.ctypes.data,
    )


@_compiled((_handle, _int64, _int64, _int64, _double))
def engine_clear(
    engine: Any, states: Any, claims: Any, rule: Any, tolerance: Any
) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Clear an engine's book by a rule, on one thread; the book does not change.

    Parameters
    ----------
    engine : int
    states, claims : int64
        Of the engine's market.
    rule : int
        As for :func:`clear`.
    tolerance : float64

    Returns
    -------
    state_prices, claim_prices, net_demand, fills, payoff, figures
        As :func:`clear`; fills by priority.

    Raises
    ------
    InputError
        Where the input is refused, naming field, index and value.
    """
    state_prices, payoff = np.empty(states), np.empty(states)
    claim_prices, net_demand = np.empty(claims), np.empty(claims)
    fills, figures = np.empty(_engine_order_count(engine)), np.empty(_FIGURES)
    code = engine_clear_into(
        engine,
        rule,
        tolerance,
        state_prices,
        claim_prices,
        net_demand,
        fills,
        payoff,
        figures,
    )
    if code != 0:
        _raise_last_error()
    return state_prices, claim_prices, net_demand, fills, payoff, figures
