"""Signals, limits on time and stop tokens reach the convex rules within their program."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import kpm_fast as kpm
from adapter import market_of, orders_of
from strategies import crowded_book


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_a_convex_rule_hears_signals_within_its_program(error: type[BaseException]) -> None:
    """Ctrl-C returns where it was; any other error of a handler reaches the caller.

    A signal that waits for the core to return is delivered once, however often it was sent.
    """
    book = crowded_book(600, seed=1, states=300, noise=0.1, risk_aversion=1e5)
    market, orders = market_of(book), orders_of(book)
    delivered: Counter[int] = Counter()  # by the place in the code that calls the core

    def count(number: int, frame: FrameType | None) -> None:
        if frame is not None and frame.f_code.co_name == "clear_by_rule":
            delivered[frame.f_lasti] += 1
            if delivered[frame.f_lasti] == 3:
                raise error

    handler = signal.signal(signal.SIGALRM, count)
    signal.setitimer(signal.ITIMER_REAL, 1e-3, 1e-3)
    try:
        if error is KeyboardInterrupt:
            result = kpm.clear(market, orders, rule="competitive")
        else:
            with pytest.raises(error):
                kpm.clear(market, orders, rule="competitive")
            return
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    assert result.status is kpm.Status.INTERRUPTED
    result.verify().raise_if_failed()


@pytest.mark.cross_section
@pytest.mark.parametrize("rule", ["competitive", "pay_as_bid"])
def test_a_convex_rule_hears_its_token_and_its_time_limit(rule: str) -> None:
    """Every limit is obeyed and the bound holds; what is proven by then stays optimal."""
    stop = kpm.StopToken()
    stop.cancel()
    book = crowded_book(600, seed=1, states=300, noise=0.1, risk_aversion=1e5)
    market, orders = market_of(book), orders_of(book)
    best = kpm.clear(market, orders, rule=rule).objective
    ends: list[tuple[kpm.Status, dict[str, Any]]] = [
        (kpm.Status.INTERRUPTED, {"stop": stop}),
        (kpm.Status.TIME_LIMIT, {"time_limit": 0}),
    ]
    engine = kpm.Engine(market, orders)
    for status, how in ends:
        for result in (kpm.clear(market, orders, rule=rule, **how), engine.clear(rule=rule, **how)):
            assert result.status is status
            assert result.objective < best < result.upper_bound < float("inf")
            result.verify().raise_if_failed()
    nobody = kpm.Market([[1.0]], [1.0]), kpm.Orders([], [], [], [])
    proven = kpm.clear(*nobody, rule=rule, stop=stop, time_limit=0)
    assert proven.status is kpm.Status.OPTIMAL


@pytest.mark.cross_section
def test_a_small_book_hears_its_time_limit() -> None:
    """Iterations count as ten thousands of operations, however few the claims are."""
    market, orders = kpm.read_book(Path(__file__).parent.parent / "examples" / "race_card")
    makers = (market.maker, kpm.UtilityMaker(market.prior, 200.0))
    for maker in makers:
        result = kpm.clear(market.replace(maker=maker), orders, rule="competitive", time_limit=0.0)
        assert result.status is kpm.Status.TIME_LIMIT
        assert result.stats.iterations <= 5
        assert "not yet the rule's prices" in result.message
        result.verify().raise_if_failed()
