"""Times of any type that can be ordered, ranked exactly, in every container and in files."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpm_fast as kpm
from containers import holders
from strategies import examples

ZONE = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
MARKET = kpm.Market([[1, 0]], [0.5, 0.5], claims=["A"])


def timed(time: Any) -> kpm.Orders:
    return kpm.Orders(["A"] * len(time), "buy", 0.5, 1, time=time)


def ranks(values: list[Any]) -> list[int]:
    order = {value: rank for rank, value in enumerate(sorted(set(values)))}
    return [order[value] for value in values]


def assert_ranked(values: list[Any], column: Any, name: str = "") -> kpm.Orders:
    """The priority of a column is in the exact order of its values; so is that of its copies."""
    orders = timed(column)
    assert orders.priority is not None
    assert orders.time is not None
    assert ranks(orders.priority.tolist()) == ranks(values), name
    again = timed(orders.time)
    assert again == orders
    assert ranks(again.priority.tolist()) == ranks(values), name  # type: ignore[union-attr]
    return orders


CLOSE = st.integers(-3, 3)


@given(st.integers(-(2**62), 2**62), st.lists(CLOSE, min_size=1, max_size=5))
@examples(80)
def test_integers_of_any_length(origin: int, steps: list[int]) -> None:
    """Nanoseconds since 1970 that are equal as doubles are still told apart."""
    values = [origin + step for step in steps]
    for name, column in holders(values):
        orders = assert_ranked(values, column, name)
        assert orders == timed(values), name
    assert_ranked(values, list(map(str, values)))
    assert_ranked(values, np.array(values, dtype=object))


@given(
    st.decimals(-(10**12), 10**12, places=12),
    st.lists(CLOSE, min_size=1, max_size=5),
)
@examples(80)
def test_decimals_and_their_text(origin: Decimal, steps: list[int]) -> None:
    values = [origin + step * Decimal("1e-12") for step in steps]
    expected = assert_ranked(values, values)
    for name, column in holders(values):
        assert assert_ranked(values, column, name) == expected, name
    for name, column in holders(list(map(str, values))):
        assert assert_ranked(values, column, name) == expected, name


@given(st.integers(0, 2**60), st.lists(CLOSE, min_size=1, max_size=5), st.booleans())
@examples(60)
def test_dates_with_times(origin: int, steps: list[int], zoned: bool) -> None:
    """Nanoseconds apart, with and without a zone; the same book from all packages."""
    pandas, polars, pyarrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    values = [origin + step for step in steps]
    plain = np.array(values, dtype="M8[ns]")
    series = pandas.Series(plain)
    arrow = pyarrow.array(plain)
    expected = assert_ranked(values, [f"{each}Z" if zoned else str(each) for each in plain])
    columns = {
        "pandas": series.dt.tz_localize("UTC").dt.tz_convert("Asia/Kolkata") if zoned else series,
        "polars": polars.Series(plain).dt.replace_time_zone("UTC" if zoned else None),
        "pyarrow": arrow.cast(pyarrow.timestamp("ns", "UTC")) if zoned else arrow,
    }
    columns["pandas objects"] = columns["pandas"].astype(object)
    columns["pandas text"] = columns["pandas"].map(lambda moment: moment.isoformat())
    columns["pandas index"] = pandas.Index(columns["pandas"])
    columns["pandas arrow"] = pandas.Series(columns["pyarrow"].to_pandas()).astype(
        pandas.ArrowDtype(columns["pyarrow"].type)
    )
    if not zoned:
        columns["numpy"] = plain
        columns["numpy scalars"] = list(plain)
    for name, column in columns.items():
        assert assert_ranked(values, column, name) == expected, name


def test_a_zone_is_an_instant() -> None:
    noon = datetime.datetime(2024, 3, 1, 12, tzinfo=datetime.timezone.utc)
    same = ["2024-03-01T12:00Z", "2024-03-01 17:30:00.000+05:30", "20240301-12:00:00+00"]
    orders = timed([noon, noon.astimezone(ZONE), *same])
    assert orders.time is not None
    assert set(orders.time) == {"2024-03-01T12:00:00Z"}
    assert set(timed(["2024-03-01", datetime.date(2024, 3, 1)]).time) == {  # type: ignore[arg-type]
        "2024-03-01T00:00:00"
    }


def test_times_of_day() -> None:
    polars, pyarrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    clock = [datetime.time(9, 30), datetime.time(9, 30, 0, 5), datetime.time(8)]
    expected = assert_ranked(clock, clock)
    texts = ["09:30", "09:30:00.000005", "08:00"]
    for column in (polars.Series(clock), pyarrow.array(clock), texts):
        assert assert_ranked(clock, column) == expected
    nanoseconds = [34_200_000_000_001, 34_200_000_000_000]
    column = pyarrow.array(nanoseconds, pyarrow.time64("ns"))
    assert_ranked(nanoseconds, column)
    assert_ranked(nanoseconds, polars.Series(nanoseconds).cast(polars.Time))


def test_long_doubles_and_durations() -> None:
    if np.finfo(np.longdouble).nmant > 52:
        third = np.longdouble(1) / 3
        column = np.array([third, third + np.finfo(np.longdouble).eps, 0], dtype=np.longdouble)
        assert_ranked(list(column), column)
    assert_ranked([3, 1, 2], np.array([3, 1, 2], dtype="m8[ms]"))
    assert_ranked([2, 1], [datetime.timedelta(seconds=90), datetime.timedelta(seconds=1)])


@pytest.mark.parametrize(
    ("time", "index", "words"),
    [
        ([1, None], 1, "missing"),
        ([1, float("nan")], 1, "nan"),
        ([1.0, float("inf")], 1, "finite"),
        (["1", "inf"], 1, "ISO 8601"),
        (["1", "nan"], 1, "ISO 8601"),
        ([1, "2024-01-01"], 1, "without a zone where time[0] is a number"),
        (["2024-01-01T00:00", "2024-01-01T00:00Z"], 1, "with a zone where time[0] is .* without"),
        (["10:00", "2024-01-01T10:00"], 1, "where time[0] is a time of day"),
        (["2024-01-01", "2024-02-30"], 1, "day is out of range"),
        (["2024-01-01T23:59:60"], 0, "second must be in"),
        (["10:00Z"], 0, "time of day with a zone"),
        (["early"], 0, "ISO 8601"),
        (["1970-06"], 0, "ISO 8601"),
        (["२"], 0, "ISO 8601"),
        (["1_0"], 0, "ISO 8601"),
        ([True], 0, "ISO 8601"),
        ([1, [2]], 1, "ISO 8601"),
        (np.array(["2024-01-01", "NaT"], dtype="M8[D]"), 1, "missing"),
        (np.array(["2024-01-01", "99999-01-01"], dtype="M8[D]"), 1, "ISO 8601"),
        (np.array(["2024-01-01", "-0001-01-01"], dtype="M8[s]"), 1, "ISO 8601"),
    ],
)
def test_times_without_an_order_are_refused(time: Any, index: int, words: str) -> None:
    with pytest.raises(kpm.InputError, match=words.replace("[0]", r"\[0\]")) as caught:
        timed(time)
    assert (caught.value.field, caught.value.index) == ("time", index)


def test_spans_of_time_are_refused_with_the_remedy() -> None:
    pd = pytest.importorskip("pandas")
    spans = pd.Series(pd.period_range("2020-01", periods=2, freq="M")[::-1])
    with pytest.raises(kpm.InputError, match=r"span of time.*series\.dt\.start_time"):
        timed(spans)
    assert_ranked([1, 0], spans.dt.start_time)


@given(st.integers(0, 2**60), st.permutations(range(4)))
@examples(20)
def test_files_keep_them(
    tmp_path_factory: pytest.TempPathFactory, origin: int, steps: list[int]
) -> None:
    """Book, saved result, frames, slices, joined books: the same times and the same fills."""
    folder = tmp_path_factory.mktemp("times")
    seconds = [f"{(origin + step) // 10**9}.{(origin + step) % 10**9:09d}" for step in steps]
    clocks = [str(np.datetime64(origin + step, "ns")) for step in steps]
    for time in (seconds, clocks):
        orders = kpm.Orders(["A"] * 5, [1] * 4 + [-1], 0.5, [1] * 5, time=[*time, time[0]])
        kpm.write_book(folder / "book", MARKET, orders)
        assert kpm.read_book(folder / "book")[1] == orders
        result = kpm.clear(MARKET, orders, allocation="time")
        assert result.fills[steps.index(0)] == result.fills[:4].max()
        assert result.verify()
        result.save(folder / "result.npz")
        assert kpm.load_result(folder / "result.npz") == result
        assert kpm.Orders.from_frame(orders.to_frame()) == orders
        assert kpm.Orders.concat([orders[:2], orders[2:]]) == orders
        assert orders[1].time == orders.time[1]  # type: ignore[index]


def test_book_order_is_asked_for_by_name() -> None:
    orders = kpm.Orders(["A", "A", "A"], [1, 1, -1], 0.5, [1, 1, 1])
    by_book = kpm.clear(MARKET, orders, allocation="book_order")
    assert by_book.fills.tolist() == [1, 0, 1]
    assert by_book.verify()
    with pytest.raises(kpm.InputError, match=r"needs times.*book_order"):
        kpm.clear(MARKET, orders, allocation="time")
    columns = {"claim": ["A"], "side": [1], "price": [0.5], "quantity": [1], "timestamp": [9]}
    read = kpm.Orders.from_frame(columns)
    assert read.ignored_columns == ("timestamp",)
    with pytest.raises(kpm.InputError, match=r"not read: timestamp\).*'time': 'timestamp'"):
        kpm.clear(MARKET, read, allocation="time")
    timely = kpm.Orders.from_frame(columns, columns={"time": "timestamp"})
    assert kpm.clear(MARKET, timely, allocation="time").allocation == "time"


def test_times_in_csv(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    header = "claim,side,price,quantity,time\n"
    for late, early in (
        ("1700000000.123456789", "1700000000.123456788"),
        ("1700000000000000001", "1700000000000000000"),
        ("2024-01-01T10:00:00.000000001Z", "2024-01-01 12:00:00+0200"),
    ):
        path.write_text(f"{header}A,buy,0.5,1,{late}\nA,buy,0.5,1, {early}\n")
        assert kpm.Orders.from_csv(path).priority.tolist() == [1, 0]  # type: ignore[union-attr]
    path.write_text(f"{header}A,buy,0.5,1,1\nA,buy,0.5,1,10:00\n")
    with pytest.raises(kpm.InputError, match=r"orders\.csv, line 3: time: is a time of day"):
        kpm.Orders.from_csv(path)


@pytest.mark.parametrize("unit", ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs"])
def test_datetimes_of_every_unit(unit: str) -> None:
    """A whole array and its entries one by one give the same ranks."""
    values = [5, 3, 5, 4]
    column = np.array(values, dtype=f"M8[{unit}]")
    expected = assert_ranked(values, column)
    assert timed(list(column)) == expected
    for order in "<>":
        assert timed(column.astype(column.dtype.newbyteorder(order))) == expected
    if unit not in "YMh":  # whose text lacks a day, or minutes
        assert timed(list(map(str, column))) == expected


@pytest.mark.parametrize("zeros", [[-0.0, 0.0], ["-0.0", "0"], np.array([-0.0, 0.0])])
def test_zeros_are_one_time(zeros: Any) -> None:
    assert str(timed(zeros).time) == "[0. 0.]"


@given(st.lists(st.sampled_from([2**53, 2**53 + 1, 2**53 + 2, 10**18, 10**18 + 1, 7]), min_size=1))
@examples(40)
def test_long_integers_at_once_and_one_by_one(values: list[int]) -> None:
    expected = timed([str(value) for value in values])
    for kind in (np.int64, np.uint64):
        assert assert_ranked(values, np.array(values, dtype=kind)) == expected
