"""Many books at once, and what a row of their batch must be."""

from __future__ import annotations

from typing import Any

import numpy as np

import kpm_fast as kpm

MARKET = kpm.Market(np.eye(3), [0.5, 0.3, 0.2], risk_aversion=0.05, ambiguity=0.02)
FIGURES = (
    "certainty_equivalent",
    "no_trade_equivalent",
    "upper_bound",
    "revenue",
    "scale",
    "gain",
)


def assert_row(batch: kpm.Batch, number: int, result: kpm.Result) -> None:
    assert batch.status[number] == result.status.value
    for name in FIGURES:
        assert getattr(batch, name)[number] == getattr(result, name), name
    book = batch.names[number]
    assert batch.table()["volume"][number] == result.volume
    for mine, theirs in (
        (batch.fills_of(book), result.fills),
        (batch.claim_prices(book), result.claim_prices),
        (batch.state_prices(book), result.state_prices),
        (batch.payoff(book), result.payoff),
    ):
        assert mine.tobytes() == theirs.tobytes()
        assert not mine.flags.writeable


def columns(seed: int, count: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    orders = 5 * count
    return {
        "book": rng.permutation(np.repeat(np.arange(count), 5)),
        "claim": rng.integers(0, 3, orders),
        "side": rng.choice([1, -1], orders),
        "price": rng.uniform(0.1, 0.7, orders).round(2),
        "quantity": rng.integers(1, 20, orders),
        "time": rng.integers(0, 3, orders),
    }
