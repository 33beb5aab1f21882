"""Many books at once: the same bits as one by one, and a row with its error for a bad book."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpm_fast as kpm
from adapter import market_of, orders_of
from batches import FIGURES, MARKET, assert_row, columns
from containers import frames
from programs import run_program
from strategies import books, crowded_book
from witness import Book


@pytest.mark.cross_section
@pytest.mark.threads
@given(st.lists(books(), min_size=1, max_size=4), st.sampled_from([1, 2, 3]))
def test_rows_have_the_bits_of_the_loop(drawn: list[Book], threads: int) -> None:
    pairs = [(market_of(book), orders_of(book)) for book in drawn]
    batch = kpm.clear_many(iter(pairs), threads)
    assert len(batch) == len(drawn)
    assert batch.errors == {}
    for number, (market, orders) in enumerate(pairs):
        assert_row(batch, number, kpm.clear(market, orders, threads=1))


@pytest.mark.threads
@pytest.mark.parametrize("allocation", ["pro_rata", "time", "book_order"])
def test_columns_are_the_books_they_hold(allocation: str) -> None:
    given_ = columns(1, 40)
    batches = [
        kpm.clear_many(kpm.Books(MARKET, **given_), threads, allocation=allocation)
        for threads in (1, 2, 5)
    ]
    assert batches[0] == batches[1] == batches[2]
    assert pickle.loads(pickle.dumps(batches[0])) == batches[0]
    names = list(dict.fromkeys(given_["book"].tolist()))
    assert batches[0].names == tuple(names)
    for number, name in enumerate(names):
        mine = given_["book"] == name
        own = kpm.Orders(**{key: given_[key][mine] for key in given_ if key != "book"})
        assert_row(batches[0], number, kpm.clear(MARKET, own, threads=1, allocation=allocation))
    for market, orders in kpm.Books(MARKET, **given_):
        assert market is MARKET
        rows = orders.order_id.astype(np.int64)
        assert orders.price.tolist() == given_["price"][rows].tolist()


GOOD = kpm.Orders([0], "buy", [0.6], [10])
WORST = kpm.Market(np.eye(3), maker=kpm.WorstStateMaker(3))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ((MARKET, kpm.Orders([7], "buy", 0.6, 1)), "claim[0]: "),
        ((MARKET, kpm.Orders(["hoem"], "buy", 0.6, 1)), "claim[0]: the market has no claim 'hoem'"),
        ((MARKET, None), "orders: must be Orders"),
        ((None, GOOD), "market: must be a Market"),
        (None, "must be a market with its orders, got None"),
        ((MARKET,), "must be a market with its orders"),
        (
            (kpm.Market(np.eye(3), maker=kpm.WorstStateMaker(3)), GOOD),
            "rule: must be one of competitive, pay_as_bid for",
        ),
    ],
)
def test_a_bad_book_is_a_row_with_its_error(bad: Any, message: str) -> None:
    batch = kpm.clear_many([(MARKET, GOOD), bad, (MARKET, GOOD)])
    assert batch.status.tolist() == ["optimal", "refused", "optimal"]
    assert str(batch.errors[1]).startswith(f"books[1]: {message}")
    for number in (0, 2):
        assert_row(batch, number, kpm.clear(MARKET, GOOD, threads=1))
    for name in FIGURES:
        assert np.isnan(getattr(batch, name)).tolist() == [False, True, False]
    for look in (batch.fills_of, batch.claim_prices, batch.state_prices, batch.payoff):
        with pytest.raises(kpm.InputError):
            look(1)
    frame = batch.to_frame("polars")
    assert frame["error"].to_list()[1] == str(batch.errors[1])
    assert frame["volume"][0] == kpm.clear(MARKET, GOOD).volume


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("price", np.nan, "price[{0}]: "),
        ("quantity", -1.0, "quantity[{0}]: "),
        ("side", 3, "side[{0}]: "),
        ("claim", 3, "claim[{0}]: "),
    ],
)
def test_a_bad_row_is_the_fault_of_its_book_alone(name: str, value: float, message: str) -> None:
    given_ = columns(2, 12)
    row = 23
    wrong = given_[name].astype(float if name in ("price", "quantity") else np.int64)
    wrong[row] = value
    batch = kpm.clear_many(kpm.Books(MARKET, **{**given_, name: wrong}))
    clean = kpm.clear_many(kpm.Books(MARKET, **given_))
    number = clean.names.index(given_["book"][row])
    assert list(batch.errors) == [number]
    assert str(batch.errors[number]).startswith(message.format(row))
    for other in set(clean.names) - {clean.names[number]}:
        assert batch.fills_of(other).tobytes() == clean.fills_of(other).tobytes()
    with pytest.raises(kpm.InputError, match=name):
        list(kpm.Books(MARKET, **{**given_, name: wrong}))


def test_the_volume_of_a_small_book_is_not_lost_beside_a_vast_one() -> None:
    vast = kpm.Orders([0, 0], ["buy", "sell"], [0.6, 0.4], 1e20)
    small = kpm.Orders([0, 0], ["buy", "sell"], [0.6, 0.4], 5)
    batch = kpm.clear_many([(MARKET, vast), (MARKET, small)])
    assert batch.table()["volume"].tolist() == [2e20, 10.0]


def test_no_books_and_books_without_orders() -> None:
    assert len(kpm.clear_many([])) == 0
    assert len(kpm.clear_many(kpm.Books(MARKET, [], [], [], [], []))) == 0
    empty = kpm.Orders([], [], [], [])
    batch = kpm.clear_many([(MARKET, empty)])
    assert_row(batch, 0, kpm.clear(MARKET, empty, threads=1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threads": 0}, "threads: must be at least 1"),
        ({"tolerance": 2}, "tolerance: "),
        ({"allocation": "fair"}, "allocation: "),
        ({"node_limit": 0}, "node_limit: "),
        ({"time_limit": -1}, "time_limit: "),
    ],
)
def test_options_are_refused_before_any_work(options: dict[str, Any], message: str) -> None:
    with pytest.raises(kpm.InputError, match=message):
        kpm.clear_many([(MARKET, GOOD)], **options)


def test_times_must_be_there() -> None:
    batch = kpm.clear_many([(MARKET, GOOD)], allocation="time")
    assert "the orders do not have" in str(batch.errors[0])
    with pytest.raises(kpm.InputError, match="the books do not have"):
        kpm.clear_many(kpm.Books(MARKET, [1], [0], 1, [0.5], [1]), allocation="time")
    with pytest.raises(kpm.InputError, match="must have an entry for each of 1 orders, got 2"):
        kpm.Books(MARKET, [1], [0, 1], 1, [0.5], [1])


def test_limits_hold_for_each_book() -> None:
    book = crowded_book(12, 1, states=6, risk_aversion=4.0)
    market, orders = market_of(book), orders_of(book)
    batch = kpm.clear_many([(market, orders), (MARKET, GOOD), (market, orders)], node_limit=1)
    assert batch.status.tolist() == ["node_limit", "optimal", "node_limit"]
    assert_row(batch, 2, kpm.clear(market, orders, node_limit=1, threads=1))


@pytest.mark.unsanitized
def test_ctrl_c_keeps_what_is_cleared() -> None:
    """The first books are cleared at once, the others never end.

    Where the signal came before the first were cleared, the next one comes later.
    """
    program = """
import signal, threading, numpy as np, kpm_fast as kpm
from adapter import market_of, orders_of
from strategies import endless_book
signal.signal(signal.SIGINT, signal.default_int_handler)
card = kpm.sample.race_card(runners=6, levels=3, seed=1, crossed=0.5)
endless = market_of(endless_book()), orders_of(endless_book())
for attempt in range(14):
    timer = threading.Timer(0.05 * 2**attempt, signal.raise_signal, [signal.SIGINT])
    try:
        timer.start()
        batch = kpm.clear_many([card, card, *[endless] * 4], 2, time_limit=900)
    except KeyboardInterrupt:  # before the first book or after the last
        continue
    assert set(batch.status[2:]) == {"interrupted"}, batch
    if set(batch.status[:2]) == {"optimal"}:
        break
assert np.isnan(batch.revenue[-1]) and batch.revenue[0] == batch.revenue[1]
assert batch.fills_of(0).tobytes() == kpm.clear(*card).fills.tobytes()
print("kept")
"""
    assert "kept" in run_program(program)


FRAME: dict[str, list[Any]] = {
    "race": ["R2", "R1", "R2", "R1", "R2"],
    "runner": ["a", "b", "c", "a", "a"],
    "bs": ["B", "L", "B", "B", "L"],
    "pence": [60, 25, 30, 55, 40],
    "lots": [1, 2, 3, 4, 5],
    "venue": ["X"] * 5,
}
FORM: dict[str, Any] = {
    "columns": {
        "book": "race",
        "claim": "runner",
        "side": "bs",
        "price": "pence",
        "quantity": "lots",
    },
    "sides": {"B": "buy", "L": "sell"},
    "price_unit": 100,
    "quantity_unit": 0.1,
}
RACE = MARKET.replace(claims=["a", "b", "c"])


def test_books_of_a_foreign_frame_are_its_books_one_by_one() -> None:
    for kind, frame in frames(FRAME):
        many = kpm.Books.from_frame(frame, RACE, **FORM)
        assert many.names == ("R2", "R1"), kind
        assert many.ignored_columns == ("venue",)
        batch = kpm.clear_many(many)
        by_row = many.by_row(batch.fills)
        one = {k: v for k, v in FORM["columns"].items() if k != "book"}
        for name in many.names:
            rows = [n for n, race in enumerate(FRAME["race"]) if race == name]
            part = {column: [values[n] for n in rows] for column, values in FRAME.items()}
            orders = kpm.Orders.from_frame(part, RACE, **{**FORM, "columns": one})
            result = kpm.clear(RACE, orders)
            assert_row(batch, many.names.index(name), result)
            assert batch.fills_of(name).tobytes() == result.fills.tobytes()
            assert by_row[rows].tobytes() == result.fills.tobytes()


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("runner", "z", r"claim\[2\]: the market has no claim 'z'"),
        ("bs", "Q", r"side\[2\]: .*got 'Q'"),
        ("pence", None, r"price\[2\]"),
        ("lots", -1, r"quantity\[2\]: .*got -1"),
    ],
)
def test_a_bad_row_of_a_frame_is_the_fault_of_its_book(column: str, value: Any, words: str) -> None:
    bad = {**FRAME, column: [*FRAME[column][:2], value, *FRAME[column][3:]]}
    many = kpm.Books.from_frame(bad, RACE, **FORM)
    batch = kpm.clear_many(many)
    assert batch.status.tolist() == ["refused", "optimal"]
    with pytest.raises(kpm.InputError, match=words):
        batch.fills_of("R2")
    good = kpm.clear_many(kpm.Books.from_frame(FRAME, RACE, **FORM))
    assert batch.fills_of("R1").tobytes() == good.fills_of("R1").tobytes()


def test_signed_quantities_and_integers_as_labels_in_frames_of_books() -> None:
    market = MARKET.replace(claims=["101", "102", "103"])
    table = {"book": [7, 7], "claim": [103, 101], "price": [0.3, 0.4], "quantity": [5, -6]}
    many = kpm.Books.from_frame(table, market, sell="negative quantity")
    expected = kpm.clear(market, kpm.Orders(["103", "101"], [1, -1], [0.3, 0.4], [5, 6]))
    assert_row(kpm.clear_many(many), 0, expected)
    contrary = {**table, "side": ["buy", "buy"]}
    refused = kpm.clear_many(kpm.Books.from_frame(contrary, market, sell="negative quantity"))
    assert "the sign alone" in str(refused.errors[0])


def test_integers_are_labels_or_positions_by_the_whole_column() -> None:
    """A fault in one book does not make another's integers doubtful."""
    market = MARKET.replace(claims=["1", "2", "3"])
    price = [0.6, 0.3, np.nan]
    batch = kpm.clear_many(kpm.Books(market, ["x", "x", "y"], [1, 2, 3], "buy", price, 10))
    assert batch.status.tolist() == ["optimal", "refused"]
    expected = kpm.clear(market, kpm.Orders(["1", "2"], "buy", price[:2], 10))
    assert_row(batch, 0, expected)


def test_frames_that_are_no_books() -> None:
    with pytest.raises(kpm.InputError, match=r"no column 'book' .*columns=\{'book'"):
        kpm.Books.from_frame(FRAME, RACE)
    with pytest.raises(kpm.InputError, match="market: must be a Market"):
        kpm.Books.from_frame(FRAME, FRAME, **FORM)  # type: ignore[arg-type]
    with pytest.raises(kpm.InputError, match=r"no column 'rase'.*did you mean 'race'"):
        kpm.Books.from_frame(FRAME, RACE, columns={"book": "rase"})
    many = kpm.Books.from_frame(FRAME, RACE, **FORM)
    with pytest.raises(kpm.InputError, match=r"values: must have shape \(5,\)"):
        many.by_row([1.0])


def test_books_have_names() -> None:
    orders = kpm.Orders(["a"], "buy", [0.6], [10])
    batch = kpm.clear_many({"Ascot": (RACE, orders), "York": (RACE, orders[:0])})
    assert batch.names == ("Ascot", "York")
    assert batch.fills_of("Ascot").tobytes() == kpm.clear(RACE, orders).fills.tobytes()
    assert batch.fills_of("York").size == 0
    with pytest.raises(
        kpm.InputError, match=r"book: must be the name .* got 'Yorck': did you mean 'York'"
    ):
        batch.payoff("Yorck")
    assert pickle.loads(pickle.dumps(batch)) == batch


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_names_of_several_types_are_text_in_a_frame(backend: str) -> None:
    pytest.importorskip(backend)
    pair = (RACE, kpm.Orders(["a"], "buy", [0.6], [10]))
    for names in ((2021, "York"), (2021, 2022), ("2021", "York")):
        books: Any = dict.fromkeys(names, pair)
        frame = kpm.clear_many(books).to_frame(backend)
        told = frame["book"].to_pylist() if backend == "pyarrow" else list(frame["book"])
        assert told == [str(name) if len(set(map(type, names))) > 1 else name for name in names]


def test_books_named_by_integers_are_found_by_their_names() -> None:
    """A number is a name where there are such names, and else a position."""
    books = [(RACE, kpm.Orders(["a"], "buy", [0.6], [10 * (1 + place)])) for place in range(3)]
    fills = [kpm.clear(*book).fills.tolist() for book in books]
    columns = [1, 2, 0], ["a"] * 3, "buy", 0.6, [10, 20, 30]
    cases: list[tuple[Any, tuple[Any, ...]]] = [
        (books, (0, 1, 2)),
        (dict(zip((1, 2, 0), books, strict=True)), (1, 2, 0)),
        (dict(zip((2021, 0, -1), books, strict=True)), (2021, 0, -1)),
        (dict(zip(("1", "2", "0"), books, strict=True)), ("1", "2", "0")),
        (dict(zip(("a", 1, 0), books, strict=True)), ("a", 1, 0)),
        (kpm.Books(RACE, *columns), (1, 2, 0)),
    ]
    for named, names in cases:
        batch = kpm.clear_many(named)
        assert batch.names == names
        assert [batch.fills_of(name).tolist() for name in names] == fills
        absent: list[Any] = ["3", 3, -4, 1.5, None, [0]]
        for name in absent:
            with pytest.raises(kpm.InputError, match=r"^book: must be the name"):
                batch.fills_of(name)
    unnamed = kpm.clear_many(books)
    assert [unnamed.fills_of(place).tolist() for place in (-3, -2, -1)] == fills
    text = kpm.clear_many(cases[3][0])
    assert [text.fills_of(np.int64(place)).tolist() for place in (0, 1, -1)] == fills


@pytest.mark.parametrize(
    "names",
    [
        (datetime(2026, 11, 30), datetime(2026, 12, 1)),
        (date(2026, 11, 30), date(2026, 12, 1)),
        (2.5, 1.0),
        (("Ascot", 1), ("Ascot", 2)),
        (b"R2", b"R1"),
        (np.datetime64("2026-11-30"), None),
    ],
)
def test_books_of_any_names_are_found_by_them(names: tuple[Any, ...]) -> None:
    pair = (RACE, kpm.Orders(["a"], "buy", [0.6], [10]))
    batch = kpm.clear_many({names[0]: pair, names[1]: (RACE, pair[1][:0])})
    assert [len(batch.fills_of(name)) for name in batch.names] == [1, 0]
    assert [len(batch.fills_of(place)) for place in (0, 1, -1)] == [1, 0, 0]
    for absent in (True, np.True_, ("Ascot", 3), ("Ascot", [1]), 7.0):
        with pytest.raises(kpm.InputError, match=r"^book: must be the name"):
            batch.fills_of(absent)  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_names_that_are_numbers_are_numbers_in_a_frame(backend: str) -> None:
    pytest.importorskip(backend)
    pair = (RACE, kpm.Orders(["a"], "buy", [0.6], [10]))
    cases: list[tuple[tuple[Any, ...], list[Any]]] = [
        ((np.int64(3), 4), [3, 4]),
        ((1, 2.5), [1.0, 2.5]),
        ((np.float32(0.5), 2), [0.5, 2.0]),
        ((np.str_("R1"), "R2"), ["R1", "R2"]),
        ((2**53 + 1, 2.5), [str(2**53 + 1), "2.5"]),  # a double would be another name
    ]
    for names, shown in cases:
        frame = kpm.clear_many(dict.fromkeys(names, pair)).to_frame(backend)
        told = frame["book"].to_pylist() if backend == "pyarrow" else list(frame["book"])
        assert told == shown
        assert [type(name) is str for name in told] == [type(name) is str for name in shown]


def test_volumes_have_the_bits_of_single_books() -> None:
    """Books of any lengths: NumPy sums more than 8, and more than 128, in another order."""
    draws = np.random.default_rng(5)
    pairs = []
    for count in [*range(20), *draws.integers(100, 400, 12).tolist(), 7, 7]:
        shares = draws.lognormal(0.0, 8.0, count)
        side = draws.choice([-1, 1], count)
        pairs.append((MARKET, kpm.Orders(draws.integers(0, 3, count), side, side * 2.0, shares)))
    pairs.insert(4, (MARKET, None))
    volume = kpm.clear_many(pairs).table()["volume"]
    for number, (market, orders) in enumerate(pairs):
        expected = np.nan if orders is None else kpm.clear(market, orders).volume
        assert volume[number] == expected or np.isnan([volume[number], expected]).all()


def test_without_a_file_to_resume_from_nothing_is_hashed_or_packed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Hashing and packing would be a third of what an executor costs."""

    def refuse(*_: Any) -> Any:
        raise AssertionError("work for a file that is not there")

    monkeypatch.setattr("kpm_fast.clearing.chunks._packed", refuse)
    with ThreadPoolExecutor(1) as executor:
        batch = kpm.clear_many(
            [(MARKET, kpm.Orders([0], "buy", [0.6], [1]))] * 99, executor=executor
        )
    assert set(batch.status) == {"optimal"}


@pytest.mark.parametrize("names", [["1", 1, 2], [2, True, 1], ["u", b"u", "v"], ["u", None, "v"]])
def test_names_of_books_are_not_mixed(names: list[Any]) -> None:
    """NumPy makes text of the first, and one book of "1" and 1; of the second integers."""
    for column in (names, tuple(names), np.array(names, dtype=object)):
        with pytest.raises(
            kpm.InputError, match=r"^book\[1\]: must be all integers or all text, got"
        ):
            kpm.Books(kpm.Market([[1, 0]], [0.5, 0.5]), column, [0, 0, 0], "buy", 0.5, 1)
