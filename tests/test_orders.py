"""Orders: forms of input, labels, subsets, frames, files."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm

MARKET = kpm.Market(np.eye(3), [0.2, 0.3, 0.5], claims=["A", "B", "C"])


def book() -> kpm.Orders:
    return kpm.Orders(
        ["B", "A", "B"],
        ["buy", "sell", "SELL"],
        [0.5, 0.25, math.inf],
        [1, 2, 0],
        order_id=["o1", "o2", "o3"],
        time=[3, 1, 2],
    )


def test_columns() -> None:
    orders = book()
    assert orders.claim.tolist() == ["B", "A", "B"]
    assert orders.side.tolist() == [1, -1, -1]
    assert orders.side.dtype == np.int8
    assert orders.side_names.tolist() == ["buy", "sell", "sell"]
    assert orders.price.tolist() == [0.5, 0.25, math.inf]
    assert orders.quantity.tolist() == [1, 2, 0]
    assert orders.order_id.tolist() == ["o1", "o2", "o3"]
    assert orders.time is not None
    assert orders.time.tolist() == [3, 1, 2]
    for array in (orders.claim, orders.side, orders.price, orders.quantity, orders.order_id):
        assert not array.flags.writeable


@pytest.mark.parametrize(
    "claim",
    [
        ["B", "A"],
        ("B", "A"),
        np.array(["B", "A"]),
        np.array(["B", "A"], dtype=object),
        [1, 0],
        np.array([1, 0], dtype=np.uint8),
        np.array([1, 0], dtype=object),
        [np.int64(1), 0],
    ],
)
def test_claims_by_label_or_index(claim: Any) -> None:
    orders = kpm.Orders(claim, 1, 0.5, 1)
    index = orders.claim_index(MARKET)
    assert index.tolist() == [1, 0]
    assert index.dtype == np.int64
    assert index.flags.c_contiguous


@pytest.mark.parametrize(
    "side",
    [
        [1, -1],
        [1.0, -1.0],
        np.array([1, -1], dtype=np.int8),
        np.array([1, -1], dtype=object),
        ["buy", "sell"],
        ["BID", "Ask"],
        ["+1", "-1"],
        np.array(["buy", "sell"]),
    ],
)
def test_sides(side: Any) -> None:
    assert kpm.Orders([0, 0], side, 0.5, 1).side.tolist() == [1, -1]


def test_scalars_stretch() -> None:
    orders = kpm.Orders("A", "buy", [0.1, 0.2], 5)
    assert orders.claim.tolist() == ["A", "A"]
    assert orders.quantity.tolist() == [5, 5]
    assert len(kpm.Orders("A", "buy", 0.1, 5)) == 1


def test_empty_book() -> None:
    orders = kpm.Orders([], [], [], [])
    assert len(orders) == 0
    assert orders.claim_index(MARKET).tolist() == []
    assert orders.order_id.tolist() == []
    assert list(orders) == []
    assert orders == kpm.Orders([], [], [], [])
    assert repr(orders) == "Orders(0 orders: 0 buys, 0 sells)"


def test_ids_default_to_rows() -> None:
    orders = kpm.Orders([0, 1], 1, 0.5, 1)
    assert not orders.has_order_id
    assert orders.order_id.tolist() == ["0", "1"]
    assert orders[1].order_id == "1"
    assert orders[-1].order_id == "1"


def test_ids_are_kept_as_text() -> None:
    assert kpm.Orders([0, 1], 1, 0.5, 1, order_id=[17, "a"]).order_id.tolist() == ["17", "a"]
    with pytest.raises(kpm.InputError, match="which row 0 has as well"):
        kpm.Orders([0, 1], 1, 0.5, 1, order_id=[17, "17"])


def test_inputs_are_copied() -> None:
    price = np.array([0.5])
    orders = kpm.Orders([0], [1], price, [1.0])
    price[0] = 9
    assert orders.price[0] == 0.5
    claim = np.array([0])
    orders = kpm.Orders(claim, [1], [0.5], [1.0])
    claim[0] = 2
    assert orders.claim[0] == 0


def test_claim_index_is_resolved_for_each_market() -> None:
    orders = kpm.Orders(["A", "B"], 1, 0.5, 1)
    assert orders.claim_index(MARKET) is orders.claim_index(MARKET.replace(ambiguity=3))
    other = MARKET.replace(claims=["B", "A", "C"])
    assert orders.claim_index(other).tolist() == [1, 0]
    assert orders.claim_index(MARKET).tolist() == [0, 1]

    class Meddling(tuple[str, ...]):
        """Claims, during whose comparison another thread asks about another market."""

        __hash__ = tuple.__hash__

        def __eq__(self, claims: object) -> bool:
            orders._resolved = None
            assert orders.claim_index(other).tolist() == [1, 0]
            return tuple.__eq__(self, claims)

    orders._resolved = (Meddling(MARKET.claims), orders.claim_index(MARKET))
    assert orders.claim_index(MARKET).tolist() == [0, 1]


def test_subsets() -> None:
    orders = book()
    assert orders[0] == kpm.Order("B", "buy", 0.5, 1.0, "o1", 3.0)
    assert orders[orders.side < 0].order_id.tolist() == ["o2", "o3"]
    assert orders[1:].order_id.tolist() == ["o2", "o3"]
    assert orders[[2, 0]].order_id.tolist() == ["o3", "o1"]
    assert orders[np.array(2)] == orders[2]
    assert len(orders[[]]) == 0
    assert orders[:1].claim_index(MARKET).tolist() == [1]
    assert [order.claim for order in orders] == ["B", "A", "B"]
    with pytest.raises(IndexError):
        orders[3]


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ([0, 0], "order_id[1]: must be distinct, got 'a', which row 0 has as well"),
        ([1, 0, -1], "order_id[2]: must be distinct, got 'b', which row 0 has as well"),
        (np.array([[0, 1]]), "key: must be one-dimensional, got shape (1, 2)"),
        (np.ma.array([True, True], mask=[False, True]), "key[1]: is masked"),
        ({0, 1}, "key: a set has no order"),
    ],
)
def test_rows_that_make_no_book(key: Any, text: str) -> None:
    orders = kpm.Orders([0, 0], 1, 0.5, 1, order_id=["a", "b"])
    with pytest.raises(kpm.InputError) as caught:
        orders[key]
    assert str(caught.value).startswith(text)
    # Row numbers are given anew: a row may come twice.
    assert len(kpm.Orders([0, 0], 1, 0.5, 1)[[0, 0, 1]]) == 3
    with pytest.raises(IndexError):
        orders[[2]]


def test_concat() -> None:
    orders = book()
    assert kpm.Orders.concat([orders[:1], orders[1:]]) == orders
    assert kpm.Orders.concat([orders, orders[[]]]) == orders
    assert len(kpm.Orders.concat([])) == 0
    plain = kpm.Orders([0], 1, 0.5, 1)
    assert kpm.Orders.concat([plain, plain]).claim.tolist() == [0, 0]
    with pytest.raises(kpm.InputError, match="order_id"):
        kpm.Orders.concat([orders, orders])
    with pytest.raises(kpm.InputError, match="claim"):
        kpm.Orders.concat([plain, kpm.Orders(["A"], 1, 0.5, 1)])
    with pytest.raises(kpm.InputError, match="must be in all books or in none, got it in 1 of 2"):
        kpm.Orders.concat([plain, kpm.Orders([0], 1, 0.5, 1, time=[1])])
    strays: list[tuple[Any, str]] = [
        ([plain, 1], r"^books\[1\]: must be Orders, got int$"),
        ("ab", r"^books\[0\]: must be Orders, got str$"),
        (plain, r"^books\[0\]: must be Orders, got Order$"),
        (5, r"^books\[0\]: must be Orders, got int$"),
    ]
    for books, message in strays:
        with pytest.raises(kpm.InputError, match=message):
            kpm.Orders.concat(books)


def test_equality() -> None:
    assert book() == book()
    assert book() != book()[:2]
    assert book() != kpm.Orders(["B", "A", "B"], [1, -1, -1], [0.5, 0.25, 1], [1, 2, 0])
    assert kpm.Orders([0], 1, 0.5, 1) != kpm.Orders(["0"], 1, 0.5, 1)
    assert book() != "book"


def test_pickle() -> None:
    copy = pickle.loads(pickle.dumps(book()))
    assert copy == book()
    assert not copy.price.flags.writeable


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_frames_round_trip(backend: str) -> None:
    pytest.importorskip(backend)
    frame = book().to_frame(backend)
    assert type(frame).__module__.split(".")[0] == backend
    assert kpm.Orders.from_frame(frame) == book()
    plain = kpm.Orders([2, 0], ["buy", "sell"], 0.5, 1)
    assert kpm.Orders.from_frame(plain.to_frame(backend)) == plain


def test_from_pandas_categories_and_filtered_index() -> None:
    pandas = pytest.importorskip("pandas")
    frame = book().to_frame("pandas").astype({"claim": "category", "side": "category"})
    frame["note"] = "ignored"
    assert kpm.Orders.from_frame(frame[frame["time"] > 1]) == book()[[0, 2]]
    whole = pandas.array([1, 0, 1], dtype="Int64")
    assert kpm.Orders.from_frame(frame.assign(claim=whole)).claim.tolist() == [1, 0, 1]


def test_from_polars_and_pyarrow_categories() -> None:
    polars = pytest.importorskip("polars")
    frame = book().to_frame("polars").with_columns(polars.col("claim").cast(polars.Categorical))
    assert kpm.Orders.from_frame(frame) == book()
    pyarrow = pytest.importorskip("pyarrow")
    table = book().to_frame("pyarrow")
    claim = table.column("claim").dictionary_encode()
    table = table.set_column(table.column_names.index("claim"), "claim", claim)
    assert isinstance(table, pyarrow.Table)
    assert kpm.Orders.from_frame(table) == book()


def test_from_mapping() -> None:
    columns = {"claim": ["A"], "side": ["buy"], "price": [0.5], "quantity": [1], "extra": [0]}
    assert kpm.Orders.from_frame(columns) == kpm.Orders(["A"], 1, 0.5, 1)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ({"claim": ["A"], "side": [1], "price": [0.5]}, ["frame", "'quantity'"]),
        (
            {"claim": ["A"], "side": [1], "price": [0.5], "quantity": [1], "Time": [1]},
            ["frame", "'Time'", "'time'"],
        ),
        ([1, 2, 3], ["frame", "list"]),
    ],
)
def test_from_frame_errors(frame: Any, words: list[str]) -> None:
    with pytest.raises(kpm.InputError) as caught:
        kpm.Orders.from_frame(frame)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_missing_values_in_frames(backend: str) -> None:
    pytest.importorskip(backend)
    from kpm_fast.files.tables import make_frame

    columns: dict[str, Any] = {"claim": ["A", "B"], "side": [1, 1], "price": [0.5, 0.5]}
    with pytest.raises(kpm.InputError, match=r"quantity\[1\]"):
        kpm.Orders.from_frame(make_frame({**columns, "quantity": [1.0, None]}, backend))
    labels = {**columns, "quantity": [1.0, 1.0], "claim": ["A", None]}
    with pytest.raises(kpm.InputError, match=r"claim\[1\]"):
        kpm.Orders.from_frame(make_frame(labels, backend))


def read(tmp_path: Path, text: str) -> kpm.Orders:
    path = tmp_path / "orders.csv"
    path.write_text(text, encoding="utf-8")
    return kpm.Orders.from_csv(path, MARKET)


def test_from_csv(tmp_path: Path) -> None:
    text = (
        "quantity,claim , side,price,order_id,time,venue\n1,B,buy,.5,o1,3,x\n2,A, sell,.25,o2,1,y\n"
    )
    orders = read(tmp_path, text + "\n0,B,SELL,inf,o3,2,z\n")
    assert orders == book()


def test_from_csv_without_rows(tmp_path: Path) -> None:
    assert len(read(tmp_path, "claim,side,price,quantity\n")) == 0


HEADER = "claim,side,price,quantity\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["empty"]),
        ("claim,side,price\nA,buy,1\n", ["line 1", "'quantity'", "claim, side, price"]),
        ("claim,side,price,qty\nA,buy,1,1\n", ["line 1", "'quantity'", "qty"]),
        (HEADER + "A,buy,.5\n", ["line 2", "3 entries"]),
        (HEADER + "A,buy,.5,1\nA,buy,.5,1,9\n", ["line 3", "5 entries"]),
        (HEADER + "A,buy,cheap,1\n", ["line 2", "price", "'cheap'"]),
        (HEADER + "A,buy,nan,1\n", ["line 2", "price", "nan"]),
        (HEADER + "A,buy,.5,1\n\nA,buy,.5,-3\n", ["line 4", "quantity", "-3"]),
        (HEADER + "A,buy,.5,inf\n", ["line 2", "quantity", "inf"]),
        (HEADER + "A,hold,.5,1\n", ["line 2", "side", "'hold'"]),
        (HEADER + "A,buy,.5,1\nD,buy,.5,1\n", ["line 3", "claim", "'D'"]),
        ("order_id," + HEADER + "x,A,buy,1,1\nx,A,buy,1,1\n", ["line 3", "order_id", "'x'"]),
        ("time," + HEADER + ",A,buy,1,1\n", ["line 2", "time", "''"]),
        ("Order ID," + HEADER + "x,A,buy,1,1\n", ["line 1", "'Order ID'", "'order_id'"]),
        ("claim," + HEADER + "A,A,buy,1,1\n", ["line 1", "'claim'", "twice"]),
    ],
)
def test_from_csv_errors_name_file_and_line(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(kpm.InputError) as caught:
        read(tmp_path, text)
    for word in ("orders.csv", *words):
        assert word in str(caught.value)


def test_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        kpm.Orders.from_csv(tmp_path / "none.csv")


def test_floats_as_large_as_such_times_survive_a_file(tmp_path: Path) -> None:
    market = kpm.Market([[1, 0]], [0.5, 0.5], claims=["A"])
    orders = kpm.Orders(["A", "A"], "buy", 0.5, 1, time=[1.7000000001234568e18, 1e300])
    kpm.write_book(tmp_path / "book", market, orders)
    np.testing.assert_array_equal(kpm.read_book(tmp_path / "book")[1].time, orders.time)


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_text_that_no_file_can_hold_is_refused_where_it_comes_in(text: str) -> None:
    columns = (["a", "a"], "buy", [0.5, 0.5], [1, 1])
    reason = "must not contain half a surrogate pair, which UTF-8 cannot hold, got "
    for order_id in (["é", text], np.array(["7", text], dtype=object), [7, text]):
        with pytest.raises(kpm.InputError, match=rf"^order_id\[1\]: {reason}"):
            kpm.Orders(*columns, order_id=order_id)
    market = kpm.Market([[1, 0]], [0.5, 0.5], claims=["a"])
    engine = kpm.Engine(market)
    with pytest.raises(kpm.InputError, match=rf"^order_id: {reason}"):
        engine.add("a", "buy", 0.5, 1, order_id=text)
    assert text not in engine
    assert len(engine) == 0
    for labels in ({"claims": [text]}, {"claims": ["a"], "states": ["s", text]}):
        with pytest.raises(kpm.InputError, match=reason):
            kpm.Market([[1, 0]], [0.5, 0.5], **labels)
    assert kpm.Orders(*columns, order_id=["\U0001f40e", "é"]).order_id.tolist() == ["🐎", "é"]


@pytest.mark.parametrize("key", [[2**64 - 1], np.array([0, 2**64 - 1], dtype=np.uint64)])
def test_a_row_beyond_the_last_is_none_of_the_last(key: Any) -> None:
    """NumPy takes 2**64 - 1 for -1."""
    orders = kpm.Orders([0, 1], "buy", 0.5, 1)
    with pytest.raises(IndexError, match="index 18446744073709551615 is out of bounds"):
        orders[key]
    assert len(orders[np.array([1, 1], dtype=np.uint64)]) == 2
    for row in (2, -3, 2**64, np.uint64(2**64 - 1)):
        with pytest.raises(IndexError):
            orders[row]


def test_a_duration_is_no_row_and_an_array_without_axes_no_books() -> None:
    """To NumPy the first is an integer, and the second can be iterated."""
    orders = kpm.Orders([0, 1], "buy", 0.5, 1)
    for unit in ("ns", "s"):
        with pytest.raises(kpm.InputError, match=r"^key: "):
            orders[np.timedelta64(1, unit)]  # type: ignore[arg-type]
    for books in (np.array(0.5), np.ma.masked):
        with pytest.raises(kpm.InputError, match=r"^books\[0\]: must be Orders, got "):
            kpm.Orders.concat(books)  # type: ignore[arg-type]
