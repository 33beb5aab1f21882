"""The options of a clearing: one value for every caller, checked once."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from adapter import assert_same_bits
from kpm_fast import _core
from kpm_fast.clearing.settings import ClearSettings

MARKET = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
ORDERS = kpm.Orders([0], "buy", [0.6], [10])
WATCHING = {"callback", "stop", "verbose"}
FIELDS = {item.name: item.default for item in dataclasses.fields(ClearSettings)}


def test_clear_offers_every_setting_with_its_default() -> None:
    offered = inspect.signature(kpm.clear).parameters
    assert {name: offered[name].default for name in FIELDS} == FIELDS
    assert set(offered) == {"market", "orders"} | set(FIELDS) | WATCHING


def test_clear_many_has_no_other_defaults() -> None:
    offered = inspect.signature(kpm.clear_many).parameters
    shared = [name for name in offered if name in FIELDS]
    assert {"tolerance", "threads", "time_limit", "node_limit", "allocation"} <= set(shared)
    assert {name: offered[name].default for name in shared} == {
        name: FIELDS[name] for name in shared
    }


#: For each setting, what is not its default.
OTHERS: dict[str, Any] = {
    "method": "enumerate",
    "rule": "competitive",
    "tolerance": 1e-3,
    "threads": 2,
    "time_limit": 60.0,
    "node_limit": 3,
    "cell_limit": 7,
    "prune_bounds": False,
    "presolve": False,
    "allocation": "book_order",
    "certificate": True,
}


@pytest.mark.parametrize("name", FIELDS)
def test_clear_hands_on_every_setting(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each option arrives under its own name, not exchanged with another."""
    asked: list[ClearSettings] = []
    monkeypatch.setattr("kpm_fast.clearing.clear.clear_book", lambda m, o, s, *w: asked.append(s))
    kpm.clear(MARKET, ORDERS, **{name: OTHERS[name]})
    assert dataclasses.asdict(asked[0]) == {**FIELDS, name: OTHERS[name]}


def test_the_same_options_are_checked_once() -> None:
    assert ClearSettings.of(tolerance=1e-7) is ClearSettings.of(tolerance=1e-7)
    one = ClearSettings.of(tolerance=1e-7)
    assert one.core is one.core
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.tolerance = 0.5  # type: ignore[misc]


def test_options_that_are_equal_but_not_the_same_stay_distinct() -> None:
    """1 == 1.0 == True, of which 1 is a number of threads."""
    assert ClearSettings.of(threads=1).threads == 1
    with pytest.raises(kpm.InputError, match=r"^threads: must be an integer, got 1\.0$"):
        ClearSettings.of(threads=1.0)
    assert ClearSettings.of(threads=1).threads == 1
    assert type(ClearSettings.of(tolerance=np.float64(0.5)).tolerance) is float
    assert ClearSettings.of(threads=np.int64(1)) == ClearSettings.of(threads=1)


def test_options_without_a_hash() -> None:
    settings = ClearSettings.of(tolerance=np.array(1e-7), threads=np.array(2))
    assert settings == ClearSettings(tolerance=1e-7, threads=2)
    with pytest.raises(kpm.InputError, match=r"^allocation: must be one of"):
        ClearSettings.of(allocation=["time"])


def test_unknown_options_are_refused() -> None:
    with pytest.raises(
        TypeError, match=r"^clear\(\) got .*'tolerence': did you mean 'tolerance'.*cold"
    ):
        kpm.Engine(MARKET, ORDERS).clear(tolerence=1e-7)
    with pytest.raises(TypeError):
        ClearSettings.of(tolerence=1e-7)


@pytest.mark.parametrize(("name", "value"), [("node_limit", 1), ("certificate", True)])
def test_what_an_enumeration_cannot_do_is_refused(name: str, value: Any) -> None:
    with pytest.raises(kpm.InputError, match=rf"^{name}: is not available with method='enumerate'"):
        kpm.clear(MARKET, ORDERS, method="enumerate", **{name: value})


@pytest.mark.parametrize("name", sorted(set(FIELDS) - {"rule"}))
def test_an_engine_takes_what_clear_takes(name: str) -> None:
    options = {name: OTHERS[name], **({"threads": 1} if name != "threads" else {})}
    engine = kpm.Engine(MARKET, ORDERS)
    assert_same_bits(engine.clear(**options), kpm.clear(MARKET, engine.orders, **options))


def test_the_core_has_no_settings_by_position() -> None:
    with pytest.raises(TypeError):
        _core.ClearSettings("branch-and-bound", 1e-8)  # type: ignore[call-arg,misc]
