"""The exception hierarchy, and every input error that names what is wrong."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from kpm_fast.errors import brief, count_text

MARKET: dict[str, Any] = {
    "payoffs": [[1, 0, 0], [0, 1, 0]],
    "prior": [0.2, 0.3, 0.5],
    "claims": ["home", "draw"],
    "states": ["H", "D", "A"],
}
ORDERS: dict[str, Any] = {
    "claim": ["home", "draw"],
    "side": ["buy", "sell"],
    "price": [0.4, 0.3],
    "quantity": [1.0, 2.0],
}


def market(**changes: Any) -> kpm.Market:
    return kpm.Market(**{**MARKET, **changes})


def orders(**changes: Any) -> kpm.Orders:
    return kpm.Orders(**{**ORDERS, **changes})


@pytest.mark.parametrize("error", [kpm.InputError, kpm.TooManyCellsError])
def test_input_errors_are_value_errors(error: type[Exception]) -> None:
    assert issubclass(error, kpm.KpmError)
    assert issubclass(error, ValueError)


def test_verification_error_is_not_about_a_value() -> None:
    assert issubclass(kpm.VerificationError, kpm.KpmError)
    assert not issubclass(kpm.VerificationError, ValueError)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (kpm.InputError("bad"), "bad"),
        (kpm.InputError("bad", field="price", index=3), "price[3]: bad"),
        (kpm.InputError("bad", field="prior", index="H"), "prior['H']: bad"),
        (kpm.InputError("bad", field="payoffs", index=("a", "b")), "payoffs['a', 'b']: bad"),
        (kpm.InputError("bad", file="a.csv"), "a.csv: bad"),
        (kpm.InputError("bad", field="p", index=1, file="a.csv", line=9), "a.csv, line 9: p: bad"),
    ],
)
def test_input_error_says_where(error: kpm.InputError, text: str) -> None:
    assert str(error) == text
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == text
    assert copy.index == error.index


def test_a_shown_error_says_where() -> None:
    market = kpm.Market([[1, 0]], [0.5, 0.5])
    books = kpm.Books(market, ["x", "y", "x"], 0, 1, [0.5, 0.5, math.nan], 1)
    assert repr(books.errors[0]) == (
        "InputError('must be a number (infinity is allowed), got nan', field='price', index=2)"
    )
    located = books.errors[0].located("orders.csv", 4)
    assert repr(located).endswith("field='price', index=2, file='orders.csv', line=4)")
    assert repr(kpm.InputError("is bad")) == "InputError('is bad')"
    assert eval(repr(located), {"InputError": kpm.InputError}).line == 4


def test_too_many_cells_error_says_what_to_do() -> None:
    error = kpm.TooManyCellsError(3**70, [3] * 70, 10, [f"c{k}" for k in range(70)])
    text = str(error)
    assert f"2.5e+33 (exactly {3**70})" in text
    assert "c0 3, c1 3" in text
    assert "and 50 more claims" in text
    assert "cell_limit" in text
    assert "thin the book" in text
    assert pickle.loads(pickle.dumps(error)).cells == 3**70
    huge = kpm.TooManyCellsError(3**10_000, [3] * 10_000, 10, ["c"] * 10_000)
    assert "1.6e+4771 cells" in str(huge)
    assert "exactly" not in str(huge)
    assert "1.6e+4771" in repr(huge)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (7, "7"),
        (1_234_567, "1,234,567"),
        (10**12 - 1, "999,999,999,999"),
        (10**12, "1.0e+12"),
        (81 * 10**27, "8.1e+28"),
        (9_999 * 10**20, "1.0e+24"),
        pytest.param(3**10_000, "1.6e+4771", id="3**10000"),
        pytest.param(10**5000, "1.0e+5000", id="10**5000"),
    ],
)
def test_count_text(count: int, text: str) -> None:
    assert count_text(count) == text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"payoffs": [1, 0]}, ["payoffs", "(2,)"]),
        ({"payoffs": [[1, 0], [1]]}, ["payoffs[1]", "rows of one length, got [1]", "[1, 0]"]),
        ({"payoffs": [[1, 0, 0], 7]}, ["payoffs[1]", "rows of one length, got 7", "[1, 0, 0]"]),
        ({"payoffs": np.zeros((0, 3))}, ["payoffs", "(0, 3)", "at least one claim"]),
        ({"payoffs": np.zeros((2, 0))}, ["payoffs", "(2, 0)"]),
        ({"payoffs": [[1, 0, 0], [0, math.nan, 0]]}, ["payoffs['draw', 'D']", "nan"]),
        ({"payoffs": [[1, 0, -math.inf], [0, 1, 0]]}, ["payoffs['home', 'A']", "-inf"]),
        ({"payoffs": [["a", "b", "c"], [0, 1, 0]]}, ["payoffs", "numbers"]),
        ({"prior": [0.5, 0.5]}, ["prior", "(3,)", "(2,)"]),
        ({"prior": [[0.2, 0.3, 0.5]]}, ["prior", "(1, 3)"]),
        ({"prior": [0.5, 0.0, 0.5]}, ["prior['D']", "0.0"]),
        ({"prior": [0.7, -0.2, 0.5]}, ["prior['D']", "-0.2"]),
        ({"prior": [0.5, math.nan, 0.5]}, ["prior['D']", "nan"]),
        ({"prior": [0.2, 0.3, 0.51]}, ["prior", "sum to 1", "1.01"]),
        ({"prior": [0.2, 0.3, 0.5 + 2e-9]}, ["prior", "sum to 1"]),
        ({"inventory": [1, 2]}, ["inventory", "(2,)"]),
        ({"inventory": [1, math.inf, 2]}, ["inventory['D']", "inf"]),
        ({"inventory": "much"}, ["inventory", "must be a number, got 'much'"]),
        ({"risk_aversion": 0}, ["risk_aversion", "0"]),
        ({"risk_aversion": -1.5}, ["risk_aversion", "-1.5"]),
        ({"risk_aversion": math.inf}, ["risk_aversion", "inf"]),
        ({"risk_aversion": math.nan}, ["risk_aversion", "nan"]),
        ({"risk_aversion": "high"}, ["risk_aversion", "'high'"]),
        ({"risk_aversion": [1, 2]}, ["risk_aversion"]),
        ({"ambiguity": -0.1}, ["ambiguity", "-0.1"]),
        ({"ambiguity": math.nan}, ["ambiguity", "nan"]),
        ({"ambiguity": "None"}, ["ambiguity", "None"]),
        ({"claims": ["home"]}, ["claims", "2 rows", "got 1"]),
        ({"claims": ["home", "home"]}, ["claims[1]", "'home'"]),
        ({"claims": ["home", ""]}, ["claims[1]", "''"]),
        ({"claims": ["home", " draw"]}, ["claims[1]", "' draw'"]),
        ({"claims": ["home", 3]}, ["claims[1]", "3"]),
        ({"claims": "hd"}, ["claims", "'hd'"]),
        ({"states": ["H", "D"]}, ["states", "3 columns", "got 2"]),
        ({"states": ["H", "D", "D"]}, ["states[2]", "'D'"]),
    ],
)
def test_market_errors(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(kpm.InputError) as caught:
        market(**changes)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"claim": ["home"]}, ["has 2 entries where claim has 1"]),
        ({"price": [1.0, 2.0, 3.0]}, ["price", "has 3 entries where claim has 2"]),
        ({"claim": ["home", 1]}, ["claim[1]", "1"]),
        ({"claim": [0, "draw"]}, ["claim[1]", "'draw'"]),
        ({"claim": [0, -1]}, ["claim[1]", "-1"]),
        ({"claim": [0.0, 1.0]}, ["claim[0]", "0.0"]),
        ({"claim": [True, False]}, ["claim[0]", "True"]),
        ({"claim": ["home", None]}, ["claim[1]", "None"]),
        ({"claim": [0, 2**70]}, ["claim", "below 2**63"]),
        ({"claim": [[0], [1]]}, ["claim"]),
        ({"claim": np.zeros((2, 2), dtype=int)}, ["claim", "(2, 2)"]),
        ({"claim": iter([0, 1])}, ["claim"]),
        ({"side": ["buy", "hold"]}, ["side[1]", "'hold'"]),
        ({"side": [1, 0]}, ["side[1]", "0"]),
        ({"side": [1, 2]}, ["side[1]", "2"]),
        ({"side": [1.0, math.nan]}, ["side[1]", "nan"]),
        ({"side": ["buy", None]}, ["side[1]", "None"]),
        ({"side": [True, True]}, ["side[0]"]),
        ({"price": [0.4, math.nan]}, ["price[1]", "nan"]),
        ({"price": ["0.4", "0.3 each"]}, ["price[1]", "numbers", "'0.3 each'"]),
        ({"price": [[0.4], [0.3]]}, ["price", "(2, 1)"]),
        ({"quantity": [1, -2.5]}, ["quantity[1]", "-2.5"]),
        ({"quantity": [math.inf, 1]}, ["quantity[0]", "inf"]),
        ({"quantity": [1, math.nan]}, ["quantity[1]", "nan"]),
        ({"order_id": ["a", "a"]}, ["order_id[1]", "'a'", "row 0"]),
        ({"order_id": ["a"]}, ["order_id", "has 1 entries"]),
        ({"order_id": ["a", None]}, ["order_id[1]", "None"]),
        ({"order_id": ["a", math.nan]}, ["order_id[1]", "nan"]),
        ({"time": [0, math.inf]}, ["time[1]", "inf"]),
        ({"time": [0, math.nan]}, ["time[1]", "nan"]),
        ({"time": ["early", "late"]}, ["time", "numbers"]),
    ],
)
def test_orders_errors(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(kpm.InputError) as caught:
        orders(**changes)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"claim": ["home", "away"]}, ["claim[1]", "'away'"]),
        ({"claim": ["home", "hoem"]}, ["claim[1]", "'hoem'", "did you mean 'home'?"]),
        ({"claim": [0, 2]}, ["claim[1]", "2", "2 claims"]),
    ],
)
def test_unknown_claims(changes: dict[str, Any], words: list[str]) -> None:
    book = orders(**changes)
    for call in (kpm.clear, kpm.staircases, lambda m, o: kpm.solve_cell(m, o, [0, 0])):
        with pytest.raises(kpm.InputError) as caught:
            call(market(), book)
        for word in words:
            assert word in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "guess"}, ["method", "'guess'", "enumerate"]),
        ({"allocation": "lottery"}, ["allocation", "'lottery'", "pro_rata", "time"]),
        ({"allocation": "time"}, ["allocation", "the orders do not have", "book_order"]),
        ({"tolerance": 0}, ["tolerance", "0"]),
        ({"tolerance": 1.0}, ["tolerance", "1.0"]),
        ({"tolerance": math.nan}, ["tolerance", "nan"]),
        ({"tolerance": "tight"}, ["tolerance", "'tight'"]),
        ({"threads": 0}, ["threads", "0"]),
        ({"threads": 2**31}, ["threads", "2147483648"]),
        ({"threads": 1.5}, ["threads", "1.5"]),
        ({"node_limit": 0}, ["node_limit", "0"]),
        ({"node_limit": -1}, ["node_limit", "-1"]),
        ({"node_limit": 2**63}, ["node_limit", "9223372036854775808"]),
        ({"time_limit": -1e-9}, ["time_limit", "-1e-09"]),
        ({"time_limit": math.nan}, ["time_limit", "nan"]),
        ({"cell_limit": 0}, ["cell_limit", "0"]),
        ({"cell_limit": 1e6}, ["cell_limit", "integer"]),
        ({"callback": "print"}, ["callback", "'print'"]),
        ({"callback": dict}, ["callback", "the class dict"]),
    ],
)
def test_clear_errors(options: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(kpm.InputError) as caught:
        kpm.clear(market(), orders(), **options)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ([0], ["cell", "2 integers", "(1,)"]),
        ([0.0, 1.0], ["cell", "float64"]),
        ([0, 3], ["cell['draw']", "0 to 2", "3"]),
        ([-1, 0], ["cell['home']", "-1"]),
    ],
)
def test_solve_cell_errors(cell: list[float], words: list[str]) -> None:
    with pytest.raises(kpm.InputError) as caught:
        kpm.solve_cell(market(), orders(), cell)
    for word in words:
        assert word in str(caught.value)


def test_too_many_cells_are_refused_with_their_number() -> None:
    with pytest.raises(kpm.TooManyCellsError) as caught:
        kpm.clear(market(), orders(), "enumerate", cell_limit=8)
    assert caught.value.cells == 9
    assert caught.value.pieces == (3, 3)
    assert caught.value.cell_limit == 8
    assert "9 cells" in str(caught.value)
    assert "home 3, draw 3" in str(caught.value)


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "1.5"),
        ("a\nb  c", r"'a\nb  c'"),
        (np.eye(2), "array([[1., 0.], [0., 1.]])"),
        (-(10**5000), "<int of 5001 digits>"),
        ([10**5000], "<list>"),
        (Unshowable(), None),
        (list(range(100)), "[0, 1, 2, 3, 4, 5, ...]"),
    ],
    ids=["float", "text", "array", "int", "ints", "unshowable", "list"],  # no repr of these
)
def test_a_caller_s_value_is_shown_in_a_line(value: Any, text: str | None) -> None:
    shown = brief(value)
    assert shown == text if text is not None else "Unshowable" in shown
    assert len(brief("x" * 10**6)) < 200
