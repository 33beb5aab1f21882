"""Results as values: equality, pickling, tables, JSON, printing."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import pickle
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm

MARKET = kpm.Market(
    [[1, 0, 0], [0, 1, 0]],
    [0.3, 0.3, 0.4],
    inventory=[0.5, 0, 0.25],
    risk_aversion=0.8,
    ambiguity=0.1,
    claims=["home", "draw"],
    states=["H", "D", "A"],
)
ORDERS = kpm.Orders(
    ["home", "draw", "home", "draw"],
    ["buy", "buy", "sell", "buy"],
    [0.6, 0.4, 0.5, 0.2],
    [1, 1, 0.5, 2],
    order_id=["a", "b", "c", "d"],
)


@pytest.fixture(scope="module")
def result() -> kpm.Result:
    return kpm.clear(MARKET, ORDERS)


def test_derived_figures(result: kpm.Result) -> None:
    assert result.gap == max(0.0, result.upper_bound - result.certainty_equivalent)
    assert result.utility == pytest.approx(-math.exp(-0.8 * result.certainty_equivalent), rel=1e-14)
    mu = 0.8 * math.exp(-0.8 * result.certainty_equivalent) * result.ambiguity_price
    assert result.ambiguity_multiplier == pytest.approx(mu, rel=1e-13)
    np.testing.assert_allclose(result.bought - result.sold, result.net_demand, atol=1e-14)
    assert result.volume == pytest.approx(result.fills.sum())
    difference = result.certainty_equivalent - result.no_trade_equivalent
    assert result.gain == pytest.approx(difference, rel=1e-13)


@pytest.mark.parametrize(
    ("ce", "price", "utility", "multiplier"),
    [
        (-1e6, 0.5, -math.inf, math.inf),
        (1e6, 0.5, -0.0, 0.0),
        (-1e6, 0.0, -math.inf, 0.0),
        (1e6, math.inf, -0.0, math.inf),
        (0.0, math.inf, -1.0, math.inf),
    ],
)
def test_utility_and_multiplier_do_not_overflow(
    result: kpm.Result, ce: float, price: float, utility: float, multiplier: float
) -> None:
    extreme = dataclasses.replace(result, certainty_equivalent=ce, ambiguity_price=price)
    assert extreme.utility == utility
    assert extreme.ambiguity_multiplier == multiplier


def test_gap_is_never_negative(result: kpm.Result) -> None:
    lower = dataclasses.replace(result, upper_bound=result.certainty_equivalent - 1e-16)
    assert lower.gap == 0


def test_is_a_value(result: kpm.Result) -> None:
    again = kpm.clear(MARKET, ORDERS, threads=1)
    assert again == result
    assert result != dataclasses.replace(result, fills=result.fills + 1e-16 + 1)
    assert result != dataclasses.replace(result, revenue=3.0)
    assert result != "result"
    copy = pickle.loads(pickle.dumps(result))
    assert copy == result
    assert copy.stats == result.stats
    assert not copy.fills.flags.writeable
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.revenue = 0.0  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        result.fills[0] = 0


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_frames_keep_labels(result: kpm.Result, backend: str) -> None:
    pytest.importorskip(backend)
    labels = {"orders": ("order_id", list("abcd")), "claims": ("claim", ["home", "draw"])}
    labels["states"] = ("state", ["H", "D", "A"])
    for table, (name, values) in labels.items():
        frame = result.to_frame(backend, table)
        column = frame.column(name) if backend == "pyarrow" else frame[name]
        assert list(column.to_numpy()) == values
    orders = result.to_frame(backend)
    assert list(orders["claim"].to_numpy()) == ["home", "draw", "home", "draw"]
    np.testing.assert_array_equal(np.asarray(orders["fill"]), result.fills)


def test_frame_errors(result: kpm.Result) -> None:
    with pytest.raises(kpm.InputError, match="'fills'"):
        result.to_frame(table="fills")
    with pytest.raises(kpm.InputError, match="'spark'"):
        result.to_frame("spark")


def test_payments_add_up(result: kpm.Result) -> None:
    assert result.table("orders")["payment"].sum() == pytest.approx(result.revenue, abs=1e-12)


def test_time_column_survives() -> None:
    orders = kpm.Orders([0], 1, 0.5, 1, time=[7])
    assert kpm.clear(MARKET, orders).table()["time"].tolist() == [7]


def test_json_round_trip(result: kpm.Result, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "result.json"
    text = result.to_json(path, indent=2)
    assert path.read_text() == text + "\n"
    data = json.loads(text)
    assert data == result.to_dict()
    assert data["status"] == "optimal"
    assert data["orders"]["fill"] == result.fills.tolist()
    assert data["states"]["state"] == ["H", "D", "A"]
    assert data["stats"]["cells"] == 25


def test_dictionary_is_the_callers_own(result: kpm.Result) -> None:
    data, before = result.to_dict(), dict(result.stats.seconds)
    data["stats"]["seconds"]["total"] = -1.0
    assert result.stats.seconds == before


def test_json_is_valid_where_figures_are_infinite() -> None:
    market = MARKET.replace(ambiguity=math.inf)
    orders = kpm.Orders([0], "buy", math.inf, 0.1)
    result = kpm.clear(market, orders)

    def refuse(constant: str) -> Any:
        raise AssertionError(f"{constant} is not JSON")

    data = json.loads(result.to_json(), parse_constant=refuse)
    assert data["ambiguity"] == "Infinity"
    assert float(data["orders"]["price"][0]) == math.inf
    bad = dataclasses.replace(result, revenue=math.nan, upper_bound=-math.inf)
    data = json.loads(bad.to_json(), parse_constant=refuse)
    assert (data["revenue"], data["upper_bound"]) == ("NaN", "-Infinity")


def test_printing(result: kpm.Result) -> None:
    text = str(result)
    assert text.startswith("optimal: certainty equivalent ")
    assert "of 4 orders filled" in text
    assert f"\nmaker: risk aversion {result.market.risk_aversion:g}, ambiguity " in text
    assert "home" in text
    assert len(text.splitlines()) == 7
    assert "\n" not in repr(result)
    assert repr(result).startswith("Result(optimal, certainty_equivalent=")


def test_printing_many_claims() -> None:
    market = kpm.Market(np.eye(20), np.full(20, 0.05))
    text = str(kpm.clear(market, kpm.Orders([], [], [], [])))
    assert text.endswith("... and 12 more claims")


def test_status_is_text() -> None:
    assert kpm.Status.TIME_LIMIT == "time_limit"
    assert str(kpm.Status.TIME_LIMIT) == "time_limit"
    assert kpm.Status("optimal") is kpm.Status.OPTIMAL


def test_solve_cell() -> None:
    steps = kpm.staircases(MARKET, ORDERS)
    assert [len(table) for table in steps] == [5, 5]
    best = kpm.clear(MARKET, ORDERS)
    cell = kpm.solve_cell(MARKET, ORDERS, best.cell)
    assert cell.status is kpm.Status.OPTIMAL
    assert cell.certainty_equivalent == pytest.approx(best.certainty_equivalent, abs=1e-8)
    assert pickle.loads(pickle.dumps(cell)) == cell
    assert not cell.state_prices.flags.writeable
    dear = kpm.Orders([0, 1], "buy", [0.7, 0.6], 1)  # both prices above their limits: above 1
    assert kpm.solve_cell(MARKET, dear, [2, 2]).status is kpm.Status.INFEASIBLE


def test_progress_is_a_value() -> None:
    progress = kpm.Progress(1.0, 100, 20, 20, 10, 0, 0, 1.5, 2.0)
    assert (progress.done, progress.fraction, progress.gap) == (50, 0.5, 0.5)


def test_statistics_are_read_when_they_are_looked_at() -> None:
    """Until then the core's answer stands in for them, whoever looks first, and never travels."""
    market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    orders = kpm.Orders([0], "buy", [0.6], [10])

    def fresh() -> kpm.Result:
        return kpm.clear(market, orders, threads=1)

    names = [item.name for item in dataclasses.fields(kpm.Stats)]
    for look in (
        lambda stats: pickle.loads(pickle.dumps(stats)),
        copy.copy,
        copy.deepcopy,
        dataclasses.replace,
        lambda stats: stats if hasattr(stats, "cells") else None,
        lambda stats: kpm.Stats(**dataclasses.asdict(stats)),
    ):
        stats = look(fresh().stats)
        assert (stats.cells, stats.threads, stats.iterations >= 0) == (3, 1, True)
        assert sorted(vars(stats)) == sorted(names)
    assert fresh().stats == fresh().stats
    assert repr(fresh().stats).startswith("Stats(cells=3, ")
    with pytest.raises(AttributeError, match="'Stats' object has no attribute 'luck'"):
        fresh().stats.luck  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(dataclasses.FrozenInstanceError):
        fresh().stats.cells = 1  # type: ignore[misc]
    shared = [fresh().stats for _ in range(200)]
    with ThreadPoolExecutor(8) as pool:
        read = [pool.submit(lambda: [stats.seconds["total"] for stats in shared]) for _ in range(8)]
        assert len({tuple(each.result()) for each in read}) == 1


def values() -> dict[str, tuple[Any, str]]:
    """Values that cannot be changed, each with the name of a dictionary in it."""
    market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    orders = kpm.Orders([0, 0], "buy", [0.6, 0.7], [10, 5], time=[1, 2])
    books = kpm.Books(market, ["a", "b"], [0, 7], "buy", 0.6, [1, 2], time=[1, 2])
    advice = kpm.advise(market, orders)
    return {
        "stats": (kpm.clear(market, orders).stats, "seconds"),
        "stats of a convex rule": (kpm.clear(market, orders, rule="competitive").stats, "seconds"),
        "batch": (kpm.clear_many(books), "errors"),
        "books": (books, "errors"),
        "sweep": (advice.frontier, "table"),
        "sweep, implied": (advice.frontier, "implied"),
    }


@pytest.mark.parametrize("name", values())
def test_values_cannot_be_changed_nor_their_copies(name: str) -> None:
    value, field = values()[name]
    for one in (value, copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        inner = getattr(one, field)
        assert dict(inner) == getattr(value, field) or field == "errors"
        key = next(iter(inner))
        for change in (
            lambda inner=inner, key=key: inner.__setitem__(key, 5),
            lambda inner=inner, key=key: inner.pop(key),
            lambda inner=inner: inner.clear(),
            lambda inner=inner: inner.update(x=1),
            lambda inner=inner: inner.setdefault("x", 1),
        ):
            with pytest.raises(TypeError, match="cannot be changed"):
                change()
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(one, field, {})
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(one, field)
        for array in vars(one).values():
            assert not (isinstance(array, np.ndarray) and array.flags.writeable)
    assert copy.copy(inner) == inner
    if name.startswith("sweep"):
        assert not isinstance(value, Hashable)


@pytest.mark.parametrize("rule", ["maker_optimal", "competitive", "pay_as_bid"])
def test_every_array_is_read_only(rule: str) -> None:
    """Those that are computed on demand, too."""
    orders = kpm.Orders(["home", "home"], ["buy", "sell"], [0.6, 0.5], [10, 5])
    result = kpm.clear(MARKET, orders, rule=rule)
    found = 0
    for value in (
        result,
        result["home"],
        result.order(0),
        result.settle("H"),
        MARKET,
        MARKET.maker,
    ):
        for name in (name for name in dir(value) if not name.startswith("_")):
            array = getattr(value, name)
            if isinstance(array, np.ndarray):
                assert not array.flags.writeable, name
                found += 1
    assert found > 20
    maker = MARKET.maker
    for computed in (maker.cost, maker.conjugate, maker.state_prices):
        assert not computed([[0.5, 0.25, 0.25]]).flags.writeable  # type: ignore[union-attr]


def test_a_result_is_described() -> None:
    assert kpm.Result.__doc__ is not None
    assert kpm.Result.__doc__.startswith("A cleared book.")
