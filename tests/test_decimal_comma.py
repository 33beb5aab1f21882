"""Data frames whose numbers are text with a decimal comma."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import kpm_fast as kpm
from containers import frames
from strategies import examples

MARKET = kpm.Market([[1, 0], [0, 1]], [0.5, 0.5], claims=["home", "away"], states=["H", "A"])
numerals = st.decimals(0, 9999, places=3, allow_nan=False)
rows = st.tuples(st.sampled_from(MARKET.claims), numerals, numerals, numerals)


def commas(values: Any, sign: str = ",") -> list[str]:
    return [f"{Decimal(value):f}".replace(".", sign) for value in values]


@given(st.lists(rows, min_size=1, max_size=4))
@examples(25)
def test_text_with_commas_is_the_book_of_its_numbers(table: list[tuple[Any, ...]]) -> None:
    claim, *numbers = zip(*table, strict=True)
    names = ("price", "quantity", "time")
    plain = {name: list(map(float, column)) for name, column in zip(names, numbers, strict=True)}
    expected = kpm.Orders(claim, 1, **plain)
    text = {name: commas(column) for name, column in zip(names, numbers, strict=True)}
    side = ["buy"] * len(claim)
    for name, frame in frames({"claim": list(claim), "side": side, **text}):
        assert kpm.Orders.from_frame(frame, decimal=",") == expected, name
        assert kpm.Orders.from_frame(frame, MARKET, decimal=",", price_unit=1) == expected, name
        with pytest.raises(kpm.InputError, match=r"^quantity.*decimal=',' reads \d+\.\d{3}$"):
            kpm.Orders.from_frame(frame)
    for name, frame in frames({"claim": list(claim), "side": side, **plain}):
        assert kpm.Orders.from_frame(frame, decimal=",") == expected, name  # numbers are numbers


@pytest.mark.parametrize("entry", ["1.000", "1.234,5", "-.5", "1.5e3", "1.000.000"])
@pytest.mark.parametrize("field", ["price", "quantity", "time"])
def test_a_point_is_not_guessed_at(field: str, entry: str) -> None:
    """It may separate thousands: its row is refused."""
    columns: dict[str, Any] = {"claim": ["home"] * 2, "side": ["buy"] * 2}
    columns |= {"price": ["0,5", "0,6"], "quantity": ["1", "2"], "time": ["1,5", "2"]}
    columns[field][1] = entry
    message = rf"{field}\[1\]: has a point in a number with decimal commas: '{entry}'"
    with pytest.raises(kpm.InputError, match=message):
        kpm.Orders.from_frame(columns, decimal=",")
    books = kpm.Books.from_frame({"book": ["a", "b"], **columns}, MARKET, decimal=",")
    assert list(books.errors) == [1]
    assert f"{field}[1]: has a point" in str(books.errors[1])


def test_books_and_options() -> None:
    frame: dict[str, Any] = {"book": ["a", "b"], "claim": ["home", "away"], "side": "buy"}
    frame |= {"price": ["50,5", " "], "quantity": "1,5"}
    books = kpm.Books.from_frame(frame, MARKET, decimal=",", price_unit=100, market_orders=True)
    assert books.price.tolist() == [0.505, float("inf")]
    assert books.quantity.tolist() == [1.5, 1.5]
    for read in (kpm.Orders.from_frame, kpm.Books.from_frame, kpm.Market.from_frame):
        with pytest.raises(kpm.InputError, match=r"decimal: must be '\.' or ',', got ';'"):
            read(frame, MARKET, decimal=";")


@given(
    st.lists(st.tuples(numerals, numerals, numerals), min_size=2, max_size=4),
    st.lists(st.integers(1, 999), min_size=4, max_size=4),
)
@examples(25)
def test_markets_of_text(payoffs: list[tuple[Any, ...]], weights: list[int]) -> None:
    columns = list(zip(*payoffs, strict=True))
    assume(all(len(set(column)) > 1 for column in columns))
    states = [f"s{row}" for row in range(len(payoffs))]
    claims = [f"c{column}" for column in range(3)]
    prior = [Decimal(w) / 10000 for w in weights[: len(states) - 1]]
    prior.append(1 - sum(prior))
    money = [row[0] for row in payoffs]
    expected = kpm.Market(
        [list(map(float, column)) for column in columns],
        list(map(float, prior)),
        list(map(float, money)),
        claims=claims,
        states=states,
    )
    wide = {"claim": claims} | dict(zip(states, map(commas, payoffs), strict=True))
    long = {"state": states, "prior": commas(prior), "inventory": commas(money)}
    for (name, left), (_, right) in zip(frames(wide), frames(long), strict=True):
        market = kpm.Market.from_frame(left, right, decimal=",")
        assert market == expected, name
        assert market.prior_sum == expected.prior_sum
    nested = {
        claim: dict(zip(states, commas(column), strict=True))
        for claim, column in zip(claims, columns, strict=True)
    }
    by_state = dict(zip(states, commas(prior), strict=True))
    wealth = dict(zip(states, commas(money), strict=True))
    assert kpm.Market.from_frame(nested, by_state, wealth, decimal=",") == expected


def test_parquet_with_text(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "book.parquet"
    kpm.write_book(path, MARKET, kpm.Orders(["home"], "buy", [0.5], [1.5]))
    columns = {"claim": ["home"], "side": ["buy"], "price": ["0,5"], "quantity": ["1,5"]}
    metadata = parquet.read_schema(path).metadata
    parquet.write_table(pyarrow.table(columns).replace_schema_metadata(metadata), path)
    assert kpm.read_book(path, decimal=",")[1] == kpm.Orders(["home"], "buy", [0.5], [1.5])
    with pytest.raises(kpm.InputError, match=r"parquet: quantity\[0\].*decimal=',' reads 1\.5"):
        kpm.read_book(path)
