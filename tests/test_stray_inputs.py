"""Inputs of undocumented kinds: refused by name, never misread."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm

MARKET = kpm.Market([[1, 0], [0, 1]], [0.5, 0.5])
ORDERS = kpm.Orders([0, 1], 1, 0.5, 1)
COLUMNS: dict[str, Any] = {"claim": [0, 1], "side": 1, "price": 0.5, "quantity": 1}
NUMBERED: Any = {"book": 5}
RAGGED: Any = [[1], [1, 2]]
MASKED: Any = np.ma.array([0.5, 0.5], mask=[False, True])
MASKED_COUNT: Any = np.ma.array([1, 1], mask=[False, True])


def words(buy: Any) -> kpm.Orders:
    """Orders whose sides are other words, one of which means to buy."""
    return kpm.Orders.from_frame({**COLUMNS, "side": ["x", "y"]}, sides={buy: "buy"})


class Own(kpm.LMSR):
    """A maker of a class that no file can name."""


OWN = kpm.Market([[1, 0], [0, 1]], maker=Own(10.0, [0.5, 0.5]))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"claim": None}, "claim: is missing, got None"),
        ({"side": None}, "side: is missing, got None"),
        ({"price": None}, "price: is missing, got None"),
        ({"quantity": None}, "quantity: is missing, got None"),
        (
            {"side": [["buy"], ["sell"]]},
            "side[0]: must be 'buy' or 'sell' (or +1, -1), got ['buy']",
        ),
        ({"side": ["buy", {}]}, "side[1]: must be 'buy' or 'sell' (or +1, -1), got {}"),
        ({"side": RAGGED}, "side[0]: must be 'buy' or 'sell' (or +1, -1), got [1]"),
        ({"order_id": ["a", ["b"]]}, "order_id[1]: must be text or a number, got ['b']"),
        (
            {"order_id": ["a", np.array([1, 2])]},
            "order_id[1]: must be text or a number, got array([1, 2])",
        ),
        ({"price": [0.5, "abc"]}, "price[1]: must be numbers, got 'abc'"),
        ({"price": np.array([".5", "abc"], dtype=object)}, "price[1]: must be numbers, got 'abc'"),
        ({"price": [0.5, [0.5]]}, "price[1]: must be numbers, got [0.5]"),
        ({"price": [0.5, 1j]}, "price[1]: must be numbers, got 1j"),
        ({"quantity": [1, 10**400]}, "quantity[1]: must be numbers, got 1000000"),
        (
            {"claim": np.array([0, 2**64 - 1], dtype=np.uint64)},
            "claim[1]: must be an index below 2**63, got 18446744073709551615",
        ),
        (
            {"claim": [0, 2**64 - 1]},
            "claim[1]: must be an index below 2**63, got 18446744073709551615",
        ),
        ({"claim": MASKED_COUNT}, "claim[1]: is masked"),
        ({"side": MASKED_COUNT}, "side[1]: is masked"),
        ({"price": MASKED}, "price[1]: is masked"),
        ({"price": np.ma.masked}, "price: is masked"),
        ({"quantity": MASKED}, "quantity[1]: is masked"),
        ({"order_id": MASKED}, "order_id[1]: is masked"),
        ({"claim": {"0"}}, "claim: a set has no order, got {'0'}"),
        ({"side": frozenset(["buy"])}, "side: a set has no order, got frozenset({'buy'})"),
        ({"order_id": {"a"}}, "order_id: a set has no order, got {'a'}"),
    ],
)
def test_columns(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(kpm.InputError) as caught:
        kpm.Orders(**{**COLUMNS, **changes})
    assert str(caught.value).startswith(text)


def test_numbers_that_stay_fine() -> None:
    unmasked = np.ma.array([0.5, 0.25], mask=[False, False])
    spelled = np.array(["0.5", 0.25], dtype=object)
    for price in (unmasked, spelled):
        assert kpm.Orders(**{**COLUMNS, "price": price}).price.tolist() == [0.5, 0.25]
    claims = kpm.Orders(**{**COLUMNS, "claim": np.array([0, 1], dtype=np.uint64)}).claim
    assert claims.tolist() == [0, 1]
    assert len(kpm.Orders([], [], np.array([], dtype=float), [])) == 0


@pytest.mark.parametrize("column", ["claim", "side", "order_id", "price", "quantity"])
def test_missing_entries_of_pandas(column: str) -> None:
    pandas = pytest.importorskip("pandas")
    columns = {"claim": ["0", "1"], "side": "buy", "price": 0.5, "quantity": 1.0}
    frame = pandas.DataFrame({**columns, "order_id": ["a", "b"]}).convert_dtypes()
    assert len(kpm.Orders.from_frame(frame)) == 2
    frame.loc[1, column] = pandas.NA
    with pytest.raises(kpm.InputError) as caught:
        kpm.Orders.from_frame(frame)
    assert (caught.value.field, caught.value.index) == (column, 1)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"claims": 5}, "claims: must be a sequence of labels, got 5"),
        ({"claims": {"a"}}, "claims: a set has no order, got {'a'}"),
        ({"states": np.ma.array(["a", "b"], mask=[0, 1])}, "states[1]: is masked"),
        ({"prior": MASKED}, "prior[1]: is masked"),
        ({"prior": [0.5, "half"]}, "prior[1]: must be numbers, got 'half'"),
        ({"prior": [1e400, 10**400]}, "prior[1]: must be numbers, got 1000000"),
        (
            {"payoffs": np.ma.array([[1, 0], [0, 1]], mask=[[0, 0], [1, 0]])},
            "payoffs: is masked at",
        ),
        ({"payoffs": np.array([], dtype=str)}, "payoffs: must be numbers, got <U1 data"),
    ],
)
def test_markets(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(kpm.InputError) as caught:
        MARKET.replace(**changes)
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: kpm.clear(MARKET, COLUMNS), "orders: must be Orders (Orders.from_frame makes"),
        (lambda: kpm.clear(5, ORDERS), "market: must be a Market, got int"),
        (lambda: kpm.staircases(MARKET, 5), "orders: must be Orders"),
        (lambda: kpm.write_book("never", MARKET, 5), "orders: must be Orders"),
        (lambda: kpm.clear(MARKET, ORDERS, np.array(["auto", "x"])), "method: must be one of"),
        (lambda: kpm.clear(MARKET, ORDERS, allocation=MASKED), "allocation: must be one of"),
        (lambda: kpm.solve_cell(MARKET, 5, [0, 0]), "orders: must be Orders"),
        (lambda: kpm.solve_cell(MARKET, ORDERS, RAGGED), "cell: must be 2 integers"),
        (lambda: kpm.solve_cell(MARKET, ORDERS, MASKED_COUNT), "cell[1]: is masked"),
        (lambda: words(float("nan")), "sides: has a word that is missing, got nan"),
        (lambda: words(None), "sides: has a word that is missing, got None"),
        (lambda: words(b"\xff"), "sides[\"b'\\\\xff'\"]: must be UTF-8, got b'\\xff'"),
        (lambda: words(float("inf")), "side[0]: must be 'buy' or 'sell'"),
        (
            lambda: kpm.Books.from_frame(COLUMNS, MARKET, columns=NUMBERED),
            "columns['book']: must be a name, got 5",
        ),
        (lambda: kpm.write_book("never", OWN, ORDERS), "maker: cannot be written: Own is none of"),
        (
            lambda: kpm.clear(OWN, ORDERS, rule="competitive").save("never"),
            "maker: cannot be written: Own is none of",
        ),
    ],
)
def test_calls(call: Callable[[], object], text: str) -> None:
    with pytest.raises(kpm.InputError) as caught:
        call()
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize("path", ["a\0b"] if sys.platform == "win32" else ["a\0b", "\ud800"])
def test_paths_that_no_file_can_have(path: str) -> None:
    result = kpm.clear(MARKET, ORDERS)
    calls: list[Callable[[Any], object]] = [
        kpm.read_book,
        lambda name: kpm.write_book(name, MARKET, ORDERS),
        kpm.Orders.from_csv,
        kpm.load_result,
        result.save,
        result.to_json,
    ]
    for call in calls:
        for name in (path, Path(path)):
            with pytest.raises(kpm.InputError, match=r"^(path|folder): "):
                call(name)


@pytest.mark.parametrize("flag", [True, False, np.True_, np.array(False)])
def test_a_flag_is_no_row(flag: Any) -> None:
    orders = kpm.Orders(**COLUMNS)
    with pytest.raises(kpm.InputError, match=f"^key: must be a row, .*, got {bool(flag)}$"):
        orders[flag]
    assert len(orders[[True, False]]) == 1


def test_a_standard_word_keeps_its_meaning_and_a_code_may_have_another() -> None:
    table = {"claim": ["a"] * 4, "price": [0.5] * 4, "quantity": [1] * 4}
    words = kpm.Orders.from_frame(
        {**table, "side": ["buy", "sell", "B", "ask"]}, sides={"buy": "buy", "ask": -1, "B": 1}
    )
    assert words.side.tolist() == [1, -1, 1, -1]
    for sell in (1, "1", "+1"):  # one spelling of a code is all of them
        for codes in ([0, 1, 1, 0], ["0", "+1", "1", "0"], [0.0, 1.0, 1.0, 0.0]):
            orders = kpm.Orders.from_frame({**table, "side": codes}, sides={0: "buy", sell: "sell"})
            assert orders.side.tolist() == [1, -1, -1, 1]
    for codes in ([0, 1, 1, -1], ["0", "1", "1", "-1"]):
        with pytest.raises(kpm.InputError, match=r"side\[3\]: is -1, which means 'sell', and so"):
            kpm.Orders.from_frame({**table, "side": codes}, sides={0: "buy", 1: "sell"})
    codes = kpm.Orders.from_frame({**table, "side": [0, 1, 1, 0]}, sides={0: "buy", 1: "sell"})
    assert codes.side.tolist() == [1, -1, -1, 1]


def test_a_column_asked_for_by_name_is_no_other_field() -> None:
    table = {"claim": ["0"], "side": [1], "quantity": [2], "price": [0.5], "time": [0.25]}
    orders = kpm.Orders.from_frame(table, MARKET, columns={"price": "time"})
    assert (orders.price.tolist(), orders.time, orders.ignored_columns) == (
        [0.25],
        None,
        ("price",),
    )
    swapped = {"price": "quantity", "quantity": "price"}
    orders = kpm.Orders.from_frame(table, MARKET, columns=swapped)
    assert (orders.price.tolist(), orders.quantity.tolist()) == ([2.0], [0.5])
    assert orders.time is not None
    with pytest.raises(kpm.InputError) as caught:
        kpm.Orders.from_frame(table, MARKET, columns={"price": "quantity"})
    assert str(caught.value) == (
        "columns['price']: must name each column once, got 'quantity', from which the field "
        "'quantity' is read: name another for that, {'quantity': ...}"
    )
