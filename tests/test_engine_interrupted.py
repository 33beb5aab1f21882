"""An event that is interrupted, by Ctrl-C or another signal, has happened or has not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm

MARKET = kpm.Market([[1, 0], [0, 1]], [0.5, 0.5], claims=["yes", "no"])
OTHER = MARKET.replace(inventory=[3.0, -1.0])
PACKAGE = kpm.__path__[0]


class Interrupt(KeyboardInterrupt):
    """Raised by the trace, as a signal's handler raises it."""


def filled() -> kpm.Engine:
    """An engine that has had events, and has cached its book."""
    engine = kpm.Engine(MARKET)
    engine.add("yes", "buy", 0.7, 100)
    engine.add("no", "buy", 0.6, 50, order_id="mine")
    engine.add("no", "sell", 0.2, 30, order_id="other")
    engine.cancel("0")
    assert len(engine.orders) == 2
    return engine


KEPT = filled().snapshot()


def restored(engine: kpm.Engine) -> None:
    engine.restore(KEPT)


def sold(engine: kpm.Engine) -> None:
    engine.market = OTHER


EVENTS: dict[str, Callable[[kpm.Engine], Any]] = {
    "add": lambda engine: engine.add("yes", "sell", 0.3, 20),
    "add named": lambda engine: engine.add("yes", "sell", 0.3, 20, order_id="third"),
    "add parsed": lambda engine: engine.add(0, 1, 1, 3, order_id=17),
    "cancel": lambda engine: engine.cancel("mine"),
    "cancel_all": lambda engine: engine.cancel_all(),
    "reduce": lambda engine: engine.reduce("mine", 20.0),
    "replace": lambda engine: engine.replace("mine", 0.9, 70.0),
    "restore": restored,
    "market": sold,
    "clear": lambda engine: engine.clear(),
    "orders": lambda engine: engine.orders,
    "snapshot": lambda engine: engine.snapshot(),
}


def starting(name: str) -> kpm.Engine:
    engine = filled()
    if name == "restore":
        engine.cancel("other")
        engine.add("yes", "buy", 0.1, 1, order_id="later")
    if name == "orders":
        engine.reduce("mine", 20.0)
    return engine


def interrupted_at(step: int, event: Callable[[], Any]) -> bool:
    """Raise before the step-th bytecode of the package; whether there was one."""
    left = step

    def trace(frame: FrameType, kind: str, _: Any) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        if kind == "opcode":
            left -= 1
            if left == 0:
                raise Interrupt
        return trace

    sys.settrace(trace)
    try:
        event()
    except Interrupt:
        return True
    finally:
        sys.settrace(None)
    return left <= 0


def state(engine: kpm.Engine) -> tuple[Any, ...]:
    """All that can be asked of an engine, each answer in agreement with the others."""
    book = engine.orders
    ids = book.order_id.tolist()
    assert list(engine) == ids
    assert len(engine) == len(ids)
    assert all(name in engine for name in ids)
    assert [engine[name].price for name in ids] == book.price.tolist()
    again = kpm.Engine(engine.market)
    again.restore(engine.snapshot())
    assert again.state_hash == engine.state_hash
    assert again.orders == book
    result = engine.clear()
    fresh = kpm.clear(engine.market, book)
    np.testing.assert_array_equal(result.fills, fresh.fills)
    np.testing.assert_array_equal(result.state_prices, fresh.state_prices)
    absent = tuple(name for name in ("0", "mine", "other", "third", "17", "1") if name in engine)
    inventory = engine.market.inventory.tolist()
    sides = list(zip(book.side.tolist(), book.price.tolist(), book.quantity.tolist(), strict=True))
    return ids, sides, absent, inventory, engine.state_hash


@pytest.mark.parametrize("name", EVENTS)
def test_an_interrupted_event_has_happened_or_has_not(name: str) -> None:
    event = EVENTS[name]
    engine = starting(name)
    before = state(engine)
    event(engine)
    after = state(engine)
    assert (before == after) == (name in ("clear", "orders", "snapshot"))
    step = seen = 0
    while True:
        step += 1 if step < 400 or name not in ("clear", "restore") else 7
        engine = starting(name)
        if not interrupted_at(step, lambda engine=engine: event(engine)):
            break
        left = state(engine)
        # An integer that the interrupted order would have had may be left out.
        if name == "add" and left != before:
            assert left == after
        else:
            assert left in (before, after)
        seen += left == after
        if left == before:
            event(engine)
            if name != "add":
                assert state(engine) == after
            else:
                assert state(engine)[1] == after[1]
    assert step > 10
    assert seen > 0


def test_an_engine_is_iterated_by_its_identifiers() -> None:
    engine = filled()
    assert list(engine) == ["mine", "other"]
    engine.replace("mine", 0.65)
    assert list(engine) == ["other", "mine"]
    assert {name: engine[name].quantity for name in engine} == {"other": 30.0, "mine": 50.0}
    for name in engine:
        engine.cancel(name)
    assert list(engine) == []
