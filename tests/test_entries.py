"""One parser of numbers and identifiers: the same answer or the same error in every container."""

from __future__ import annotations

import contextlib
import datetime
import enum
import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpm_fast as kpm
from containers import frames, holders
from strategies import examples

OTHERS: dict[str, Any] = {"claim": "A", "side": 1, "price": 0.5, "quantity": 1}


def outcome(field: str, column: Any) -> Any:
    """The values that a book reads from a column, or the field and index of its error."""
    try:
        orders = kpm.Orders(**{**OTHERS, field: column})
    except kpm.InputError as error:
        return error.field, error.index
    return getattr(orders, field).tolist()


def from_csv(field: str, texts: list[str], folder: Path) -> Any:
    """The same from a file."""
    columns = {"claim": "A", "side": "buy", "price": "0.5", "quantity": "1"}
    names = list(columns | {field: ""})
    rows = [",".join(str({**columns, field: text}[name]) for name in names) for text in texts]
    path = folder / "orders.csv"
    path.write_text("\n".join([",".join(names), *rows]) + "\n", encoding="utf-8")
    try:
        return getattr(kpm.Orders.from_csv(path), field).tolist()
    except kpm.InputError as error:
        return error.field, error.index


FLOATS = st.floats(allow_nan=False) | st.floats(0, 1)
SPELLINGS = FLOATS.map(repr) | st.sampled_from(
    [" 1", "+.5", "5.", "1E3", "inf", "-Infinity", "0e0", "-0.0", "00.10", "1e-300"]
)
WRONG = st.sampled_from(
    ["2_0", "२", ["²", " 1"][0], "1e400", "-1e999", "1e-400", "", "0x1p3", "1 2", "one", "nan"]
)


@given(st.lists(FLOATS, min_size=1, max_size=4))
@examples(60)
def test_floats(values: list[float]) -> None:
    for name, column in holders(values):
        assert outcome("price", column) == values, name


@given(st.lists(st.integers(-(2**53), 2**53), min_size=1, max_size=4))
@examples(60)
def test_integers(values: list[int]) -> None:
    for name, column in holders(values):
        assert outcome("price", column) == list(map(float, values)), name


@given(st.lists(SPELLINGS, min_size=1, max_size=3), st.none() | WRONG)
@examples(60)
def test_text(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], wrong: str | None
) -> None:
    """Right text is read, wrong text is refused at its row, in all of them."""
    texts = texts if wrong is None else [*texts, wrong]
    expected = ("price", len(texts) - 1) if wrong is not None else list(map(float, texts))
    for name, column in holders(texts):
        assert outcome("price", column) == expected, name
    assert from_csv("price", texts, tmp_path_factory.mktemp("csv")) == expected


@given(st.lists(st.decimals(-1000, 1000, places=12), min_size=1, max_size=4))
@examples(40)
def test_decimals(values: list[Decimal]) -> None:
    for name, column in holders(values):
        assert outcome("price", column) == list(map(float, values)), name


def test_other_numbers() -> None:
    assert outcome("price", [Fraction(1, 4), np.float32(0.5), 1]) == [0.25, 0.5, 1]
    assert outcome("price", [Fraction(1, 4), True]) == ("price", 1)
    assert outcome("price", [0.5, Decimal("1e400")]) == ("price", 1)
    assert outcome("price", np.array([0.5, 1j])) == ("price", None)
    assert outcome("price", np.array(["2020"], dtype="M8[D]")) == ("price", None)
    assert outcome("price", [0.5, np.datetime64(1, "ns")]) == ("price", 1)
    assert outcome("price", [b"0.5", b"\xff"]) == ("price", 1)


@pytest.mark.parametrize("field", ["price", "quantity", "order_id", "time"])
@pytest.mark.parametrize("present", [0.25, 3, "7"])
def test_missing_entries(field: str, present: Any) -> None:
    for name, column in holders([present, None]):
        assert outcome(field, column) == (field, 1), name


IDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1).filter(
    lambda text: text == text.strip()
)


@given(st.lists(IDS, min_size=1, max_size=4, unique=True))
@examples(60)
def test_identifiers_of_text(values: list[str]) -> None:
    for name, column in holders(values):
        assert outcome("order_id", column) == values, name


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=4, unique=True))
@examples(60)
def test_identifiers_of_integers(
    tmp_path_factory: pytest.TempPathFactory, values: list[int]
) -> None:
    """Digit by digit, 2**53 + 1 among them."""
    texts = list(map(str, values))
    for name, column in holders(values):
        assert outcome("order_id", column) == texts, name
    assert from_csv("order_id", texts, tmp_path_factory.mktemp("csv")) == texts


def test_identifiers_of_floats() -> None:
    """A gap makes pandas turn integers into floats: whole ones below 2**53 are integers again."""
    for kind in (float, np.float32, np.float64):
        assert outcome("order_id", np.array([101, 102], dtype=kind)) == ["101", "102"]
        assert outcome("order_id", [kind(101), 7]) == ["101", "7"]
    assert outcome("order_id", [1.5]) == ["1.5"]
    assert outcome("order_id", [1.0, 2.0**53]) == ("order_id", 1)
    assert outcome("order_id", np.array([1, 2**24], dtype=np.float32)) == ("order_id", 1)
    assert outcome("order_id", [1.0, math.inf]) == ("order_id", 1)
    assert outcome("order_id", [True, False]) == ("order_id", 0)
    assert outcome("order_id", [b"a", b"\xff"]) == ("order_id", 1)
    assert outcome("order_id", ["1", 1.0]) == ("order_id", 1)


class Named(str, enum.Enum):
    """Text with a name besides: Python's ``str`` gives the name, its value is the text."""

    HOME = "home"
    BUY = "buy"


class Numbered(int, enum.Enum):
    SECOND = 2


def test_members_of_an_enumeration_are_their_values() -> None:
    assert outcome("claim", [Named.HOME, "home"]) == ["home", "home"]
    assert outcome("order_id", [Named.HOME, Numbered.SECOND]) == ["home", "2"]
    assert outcome("side", [Named.BUY, "sell"]) == [1, -1]
    assert kpm.Market([[1, 0]], [0.5, 0.5], claims=[Named.HOME]).claims == ("home",)
    engine = kpm.Engine(kpm.Market([[1, 0]], [0.5, 0.5], claims=["home"]))
    assert engine.add(Named.HOME, Named.BUY, 0.5, 1.0, order_id=Named.HOME) == "home"


@pytest.mark.parametrize("unit", ["Y", "s", "us", "ns", "fs"])
@pytest.mark.parametrize("kind", ["M8", "m8"])
def test_times_are_no_labels_sides_or_numbers(kind: str, unit: str) -> None:
    """NumPy makes integers of them in some units, and dates in others."""
    column = np.array([1, -1], dtype=f"{kind}[{unit}]")
    for field in ("claim", "order_id", "side"):
        assert outcome(field, column) == (field, 0)
        assert outcome(field, np.array([1], dtype="m8")) == (field, 0)  # has no hash
    for field in ("price", "quantity"):
        assert outcome(field, column) == (field, None)


def test_times_of_day_are_no_labels_or_numbers() -> None:
    polars, pyarrow = map(pytest.importorskip, ("polars", "pyarrow"))
    clock = [datetime.time(0, 0, 0, 1), datetime.time(1)]
    narrow = pyarrow.array([1, 2], pyarrow.time32("s"))
    for column in (polars.Series(clock), pyarrow.array(clock), narrow):
        for field in ("claim", "order_id", "side"):
            assert outcome(field, column) == (field, 0)
        for field in ("price", "quantity"):
            assert outcome(field, column) == (field, None)
    for column in (polars.Series([clock[0], None]), pyarrow.array([clock[0], None])):
        assert outcome("time", column) == ("time", 1)


def test_an_array_of_one_entry_without_axes_is_that_entry() -> None:
    """As a number is that holds for all rows."""
    assert outcome("claim", np.array("home")) == ["home"]
    orders = kpm.Orders(np.array(1), np.array("sell"), [0.5, 0.25], np.array(2), time=np.array(3))
    assert (orders.claim.tolist(), orders.side.tolist()) == ([1, 1], [-1, -1])


@given(st.data())
@examples(30)
def test_tables(data: st.DataObject) -> None:
    """Every kind of table is the same book."""
    rows = data.draw(st.integers(1, 4))
    columns = {
        "order_id": [f"o{row}" for row in range(rows)],
        "claim": data.draw(st.lists(st.sampled_from("AB"), min_size=rows, max_size=rows)),
        "side": data.draw(st.lists(st.sampled_from(["buy", "sell"]), min_size=rows, max_size=rows)),
        "price": data.draw(st.lists(FLOATS, min_size=rows, max_size=rows)),
        "quantity": data.draw(st.lists(st.integers(0, 99), min_size=rows, max_size=rows)),
        "time": data.draw(st.lists(st.integers(-9, 2**60), min_size=rows, max_size=rows)),
        "venue": ["X"] * rows,
    }
    plain = {name: column for name, column in columns.items() if name != "venue"}
    expected = kpm.Orders(**plain)
    for name, frame in frames(columns):
        orders = kpm.Orders.from_frame(frame)
        assert orders == expected, name
        assert orders.ignored_columns == ("venue",), name
    for backend in ("pandas", "polars", "pyarrow"):
        assert kpm.Orders.from_frame(expected.to_frame(backend)) == expected


STRAY: list[Any] = [
    None, math.nan, math.inf, 1, 2**53 + 1, 2**70, 1.5, "a", "1", "buy", "", "\ud800", "2_0",
    b"1", b"\xff", True, 1j, [1], (), {}, {1}, object(), type, range(3), UUID(int=5),
    Decimal("1.5"), Decimal("NaN"), Decimal("sNaN"), Decimal("1e999999"), Fraction(1, 3),
    datetime.date(2024, 1, 1), datetime.time(1), datetime.timedelta(1),
    datetime.datetime.max.replace(tzinfo=datetime.timezone(-datetime.timedelta(hours=12))),
    np.datetime64("2024"), np.datetime64("NaT"), np.datetime64("99999-01-01"),
    np.timedelta64(1, "s"), np.timedelta64(1, "Y"), np.float32(1.5), np.longdouble(1.25),
    np.int8(3), np.array([1]), np.array(1), np.str_("a"), np.bytes_(b"a"),
]  # fmt: skip


@given(st.data())
@examples(400)
def test_strays_are_input_errors(data: st.DataObject) -> None:
    """Whatever is in a column, a book is made or an InputError says why not."""
    entries = data.draw(st.lists(st.sampled_from(STRAY), min_size=1, max_size=3))
    if data.draw(st.booleans()):
        entries = [entries[0]] * len(entries)
    array = np.empty(len(entries), dtype=object)
    array[:] = entries
    column = data.draw(st.sampled_from([entries, entries[0], array, dict(enumerate(entries))]))
    field = data.draw(st.sampled_from(["claim", "side", "price", "quantity", "order_id", "time"]))
    with contextlib.suppress(kpm.InputError):
        kpm.Orders(**{**OTHERS, field: column})
    with contextlib.suppress(kpm.InputError):
        table = {name: [value] * len(entries) for name, value in OTHERS.items()}
        kpm.Orders.from_frame({**table, field: column}, columns={field: field})
    name = data.draw(st.sampled_from(["payoffs", "prior", "inventory", "claims", "ambiguity"]))
    with contextlib.suppress(kpm.InputError):
        kpm.Market(**{"payoffs": [[1, 0]], "prior": [0.5, 0.5], name: column})


def not_utf_8() -> Any:
    """A column of text in pyarrow whose last entry is none: pyarrow does not look."""
    pyarrow = pytest.importorskip("pyarrow")
    return pyarrow.array([b"1", b"1", b"\xff"], pyarrow.binary()).view(pyarrow.string())


@pytest.mark.parametrize("form", ["plain", "chunks", "categories", "pandas", "arrow in pandas"])
@pytest.mark.parametrize("field", ["claim", "side", "price", "quantity", "order_id", "time"])
def test_text_that_is_not_utf_8(field: str, form: str, tmp_path: Path) -> None:
    column = not_utf_8()
    pyarrow = pytest.importorskip("pyarrow")
    plain = {name: pyarrow.array([value] * 3) for name, value in OTHERS.items()}
    if form == "chunks":
        column = pyarrow.chunked_array([column[:1], column[1:]])
    elif form == "categories":
        column = column.dictionary_encode()
    table: Any = pyarrow.table({**plain, field: column})
    if "pandas" in form:
        pandas = pytest.importorskip("pandas")
        kind = pandas.ArrowDtype(pyarrow.string()) if "arrow" in form else pandas.StringDtype()
        if getattr(kind, "storage", "pyarrow") != "pyarrow":
            pytest.skip("this pandas keeps text as Python's own")
        table = table.to_pandas(types_mapper={pyarrow.string(): kind}.get)
    with pytest.raises(kpm.InputError, match=r"got b'\\xff'") as caught:
        kpm.Orders.from_frame(table)
    assert (caught.value.field, caught.value.index) == (field, 2)
    if form != "plain":
        return
    market = kpm.Market([[1.0, 0.0]], [0.5, 0.5], claims=["A"])
    path = tmp_path / "book.parquet"
    kpm.write_book(path, market, kpm.Orders(["A"], 1, 0.5, 1))
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(table.replace_schema_metadata(parquet.read_schema(path).metadata), path)
    with pytest.raises(kpm.InputError) as caught:
        kpm.read_book(path)
    if field != "claim":  # the claim 1 is unknown
        assert caught.value.index == 2
    assert caught.value.file == str(path)


def test_a_name_of_a_column_that_is_not_utf_8(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "book.parquet"
    market = kpm.Market([[1.0, 0.0]], [0.5, 0.5], claims=["A"])
    kpm.write_book(path, market, kpm.Orders(["A"], 1, 0.5, 1))
    path.write_bytes(path.read_bytes().replace(b"quantity", b"quantit\xff"))
    with pytest.raises(kpm.InputError) as caught:
        kpm.read_book(path)
    said = r"has a column whose name is not UTF-8, got b'quantit\xff'"
    assert str(caught.value) == f"{path}: {said}"
    with pytest.raises(kpm.InputError) as caught:
        kpm.Orders.from_frame(parquet.read_table(path))
    assert str(caught.value) == r"columns: must be UTF-8, got b'quantit\xff'"
