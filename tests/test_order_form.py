"""Tables of orders in another form: names, sides, units, market orders; in frames and files."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import json
import lzma
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpm_fast as kpm
from containers import frames, zipped
from kpm_fast.cli import main
from strategies import examples

pytestmark = pytest.mark.unsanitized

MARKET = kpm.Market([[1, 0], [0, 1]], [0.5, 0.5], claims=["home", "away"], states=["H", "A"])
EXPECTED = kpm.Orders(
    ["home", "away", "home"], [1, -1, -1], [0.56, 0.3, 0.07], [20, 100, 700], ["x", "y", "z"]
)
FOREIGN: dict[str, list[Any]] = {
    "ref": ["x", "y", "z"],
    "claim": ["home", "away", "home"],
    "bs": ["B", "S", "lay"],
    "px": [56, 30, 7],
    "lots": [0.2, 1, 7],
    "venue": ["X", "Y", "Z"],
}
FORM: dict[str, Any] = {
    "columns": {"order_id": "ref", "side": "bs", "price": "px", "quantity": "lots"},
    "sides": {"b": "buy", "S": "sell", "Lay": -1},
    "price_unit": 100,
    "quantity_unit": 0.01,
}


def written(path: Path, table: dict[str, list[Any]], delimiter: str = ",") -> Path:
    rows = [table, *zip(*table.values(), strict=True)]
    lines = [delimiter.join("" if entry is None else str(entry) for entry in row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_foreign_table_is_the_same_book_everywhere(tmp_path: Path) -> None:
    for name, frame in frames(FOREIGN):
        orders = kpm.Orders.from_frame(frame, MARKET, **FORM)
        assert orders == EXPECTED, name
        assert orders.ignored_columns == ("venue",)
    assert kpm.Orders.from_csv(written(tmp_path / "o.csv", FOREIGN), MARKET, **FORM) == EXPECTED


@given(st.lists(st.integers(-99, 99), min_size=1, max_size=5))
@examples(30)
def test_negative_quantities_sell(
    tmp_path_factory: pytest.TempPathFactory, quantity: list[int]
) -> None:
    table: dict[str, list[Any]] = {
        "claim": ["home"] * len(quantity),
        "price": [0.5] * len(quantity),
        "quantity": quantity,
    }
    side = [-1 if each < 0 else 1 for each in quantity]
    expected = kpm.Orders("home", side, 0.5, list(map(abs, quantity)))
    for name, frame in frames(table):
        assert kpm.Orders.from_frame(frame, sell="negative quantity") == expected, name
    path = written(tmp_path_factory.mktemp("form") / "o.csv", table)
    assert kpm.Orders.from_csv(path, sell="negative quantity") == expected


def test_blank_text_is_a_missing_price_where_market_orders_are() -> None:
    table = {
        "claim": ["home"] * 4,
        "side": ["buy", "sell"] * 2,
        "price": ["50", "", "  ", "25"],
        "quantity": [1, 2, 3, 4],
    }
    for name, frame in [*frames(table), ("mapping", table)]:
        orders = kpm.Orders.from_frame(frame, market_orders=True, price_unit=100)
        assert orders.price.tolist() == [0.5, -math.inf, math.inf, 0.25], name
        with pytest.raises(kpm.InputError, match=r"price\[1\].*''"):
            kpm.Orders.from_frame(frame, price_unit=100)


def test_market_orders_are_asked_for(tmp_path: Path) -> None:
    table: dict[str, list[Any]] = {
        "claim": ["home"] * 3,
        "side": ["buy", "sell", "buy"],
        "price": [None, None, 0.25],
        "quantity": [1, 2, 3],
    }
    for name, frame in frames(table):
        orders = kpm.Orders.from_frame(frame, market_orders=True)
        assert orders.price.tolist() == [math.inf, -math.inf, 0.25], name
        with pytest.raises(kpm.InputError, match="market_orders=True") as caught:
            kpm.Orders.from_frame(frame)
        assert (caught.value.field, caught.value.index) == ("price", 0), name
    path = written(tmp_path / "o.csv", table)
    orders = kpm.Orders.from_csv(path, market_orders=True)
    assert orders.price.tolist() == [math.inf, -math.inf, 0.25]
    with pytest.raises(kpm.InputError, match=r"line 2: price: not a number: ''"):
        kpm.Orders.from_csv(path)


@given(st.floats(1e-6, 1e6), st.sampled_from([100, 1000, 0.01, 0.001, 1, 3]))
@examples(100)
def test_units_round_once(value: float, unit: float) -> None:
    """Cents are hundredths and lots are hundreds: 0.07 of a lot of a hundred is 7 shares."""
    table = {"claim": ["home"], "side": [1], "price": [value], "quantity": [value]}
    orders = kpm.Orders.from_frame(table, price_unit=unit, quantity_unit=unit)
    expected = value * round(1 / unit) if unit < 1 else value / unit
    assert orders.price[0] == orders.quantity[0] == expected


@pytest.mark.parametrize("field", ["price", "quantity"])
@pytest.mark.parametrize(("value", "unit"), [(1e300, 1e-30), (-1e290, 3e-20), (1e-300, 1e30)])
def test_a_number_neither_becomes_infinite_nor_vanishes(
    field: str, value: float, unit: float
) -> None:
    """A limit that overflowed would be a market order, a quantity that vanished no order."""
    table = {"claim": ["home"] * 2, "side": [1, 1], "price": [1.0, 1.0], "quantity": [1.0, 1.0]}
    table[field] = [1.0, value]
    with pytest.raises(kpm.InputError) as caught:
        kpm.Orders.from_frame(table, **{f"{field}_unit": unit})
    assert (caught.value.field, caught.value.index) == (field, 1)
    assert f"{field}_unit={unit!r}" in str(caught.value)
    assert repr(value) in str(caught.value)


def test_infinite_limits_and_no_shares_stay_so_in_any_unit() -> None:
    table = {"claim": ["home"] * 2, "side": [1, -1], "price": [math.inf, 0], "quantity": [0, 1]}
    orders = kpm.Orders.from_frame(table, price_unit=1e-30, quantity_unit=0.5)
    assert orders.price.tolist() == [math.inf, 0.0]
    assert orders.quantity.tolist() == [0.0, 2.0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"columns": {"prize": "px"}}, "no field 'prize': did you mean 'price'"),
        ({"columns": {"colour": "px"}}, r"no field 'colour' \(fields: claim, side"),
        ({"columns": {"price": "bs", "side": "bs"}}, "must name each column once, got 'bs' twice"),
        ({"columns": {"price": 3}}, r"columns\['price'\]: must be a name, got 3"),
        ({"columns": ["px"]}, "columns: must map fields"),
        ({"columns": {"time": "when"}}, "frame: no column 'when'"),
        ({"columns": {"order_id": "reff"}}, "no column 'reff' .*: did you mean 'ref'"),
        ({"sides": {"B": "up"}}, r"sides\['B'\]: must be 'buy' or 'sell', got 'up'"),
        ({"sides": {"buy": "sell"}}, r"sides\['buy'\]: means 'buy' already, got 'sell'"),
        ({"sides": {1: "sell", -1: "buy"}}, r"sides\['-1'\]: means 'sell' already, got 'buy'"),
        ({"sides": {"-1": "buy"}}, r"sides\['-1'\]: means 'sell' already, got 'buy'"),
        ({"sides": {1: "sell", -1: "sell"}}, r"sides\['1'\]: means 'sell', and so does -1"),
        ({"sides": {" Ask ": 1}}, r"sides\[' Ask '\]: means 'sell' already, got 1"),
        ({"sides": "B"}, "sides: must map words"),
        (
            {"sides": {"B": "buy"}},
            r"side\[1\]: must be .*'b'\), got 'S'; .*\{'S': 'buy'\} or .*\{'S': 'sell'\}",
        ),
        ({"sell": "red"}, "sell: must be 'negative quantity'"),
        ({"sell": "negative quantity"}, "sell: must be left out where sides are read"),
        ({"price_unit": 0}, "price_unit: must be a finite number > 0"),
        ({"quantity_unit": "lot"}, "quantity_unit: must be a number"),
    ],
)
def test_wrong_forms_are_refused(options: dict[str, Any], words: str) -> None:
    columns = (
        {**FORM["columns"], **options["columns"]}
        if isinstance(options.get("columns"), dict)
        else options.get("columns", FORM["columns"])
    )
    with pytest.raises(kpm.InputError, match=words):
        kpm.Orders.from_frame(FOREIGN, **{**FORM, **options, "columns": columns})


@given(st.lists(st.tuples(st.integers(-9, 9), st.sampled_from(["buy", "sell"])), min_size=1))
@examples(60)
def test_a_side_beside_signed_quantities_must_agree(rows: list[tuple[int, str]]) -> None:
    table = {
        "claim": ["home"] * len(rows),
        "side": [side for _, side in rows],
        "price": [0.5] * len(rows),
        "quantity": [quantity for quantity, _ in rows],
    }
    contrary = [n for n, (q, side) in enumerate(rows) if q * (1 if side == "buy" else -1) < 0]
    if contrary:
        with pytest.raises(kpm.InputError, match="the sign alone") as caught:
            kpm.Orders.from_frame(table, sell="negative quantity")
        assert (caught.value.field, caught.value.index) == ("side", contrary[0])
    else:
        orders = kpm.Orders.from_frame(table, sell="negative quantity")
        assert orders.ignored_columns == ("side",)
        signed = orders.side * orders.quantity
        assert signed.tolist() == [float(quantity) for quantity, _ in rows]


def test_a_column_of_another_meaning_beside_signed_quantities_is_ignored() -> None:
    table = {"claim": ["home"], "side": ["left"], "price": [0.5], "quantity": [-3]}
    orders = kpm.Orders.from_frame(table, sell="negative quantity")
    assert (orders[0].side, orders.ignored_columns) == ("sell", ("side",))


def test_errors_say_which_option_would_read_it(tmp_path: Path) -> None:
    table = {"selection": ["home"], "side": ["B"], "price": [0.5], "quantity": [-3]}
    named: dict[str, Any] = {"columns": {"claim": "selection"}}
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, r"no column 'claim' .*columns=\{'claim': \.\.\.\} \(--columns claim=\.\.\.\)"),
        (named, r"got 'B'; .*\{'B': 'buy'\} or .*\{'B': 'sell'\} \(--sides B=buy or B=sell\)"),
        ({**named, "sides": {"B": "buy"}}, r"got -3\.0; sell='negative quantity'"),
    ]
    path = written(tmp_path / "o.csv", table)
    for options, words in cases:
        with pytest.raises(kpm.InputError, match=words):
            kpm.Orders.from_frame(table, **options)
        with pytest.raises(kpm.InputError, match=words):
            kpm.Orders.from_csv(path, **options)
    # A column that was named is not asked for a name.
    with pytest.raises(kpm.InputError, match=r"found: [^;]*$"):
        kpm.Orders.from_frame(table, columns={"claim": "sel"})


@given(st.floats(-2, 3), st.floats(-2, 3))
@examples(60)
def test_limits_in_another_unit_are_noted(first: float, second: float) -> None:
    """Prices in pence against payoffs in pounds clear as market orders: the result says so."""
    limits = [first, second]
    note = kpm.clear(MARKET, kpm.Orders(["home", "away"], "buy", limits, 1)).message
    beyond = [limit for limit in limits if not -1e-9 <= limit <= 1 + 1e-9]
    assert ("price_unit" in note) == bool(beyond)
    if beyond:
        assert f"{len(beyond)} limit" in note
        assert f"as {beyond[0]:.6g} for " in note
        assert "pays 0 to 1" in note


def test_market_orders_are_no_limits_in_another_unit() -> None:
    orders = kpm.Orders(["home", "away"], ["buy", "sell"], [math.inf, -math.inf], 1)
    assert "price_unit" not in kpm.clear(MARKET, orders).message


# -- text of files -------------------------------------------------------------------------------


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zip": zipped,
}


@pytest.mark.parametrize("suffix", PACKED)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_text_of_any_kind_is_the_same_book(
    tmp_path: Path, suffix: str, encoding: str, delimiter: str
) -> None:
    comma = "," if delimiter == ";" else "."
    text = delimiter.join(["claim", "side", "price", "quantity", "order_id", "time"]) + "\r\n"
    for row in range(2):
        entries = [
            "été",
            "buy",
            f"0{comma}{row}5",
            f"1{comma}5e1",
            f"a{comma}b{row}",
            f"{row}{comma}5",
        ]
        text += delimiter.join(f'"{entry}"' for entry in entries) + "\r\n"
    path = tmp_path / f"orders.csv{suffix}"
    path.write_bytes(PACKED[suffix](text.encode(encoding)))
    given = {"encoding": encoding} if encoding == "cp1252" else {}
    orders = kpm.Orders.from_csv(path, **given)
    names = [f"a{comma}b0", f"a{comma}b1"]
    assert orders == kpm.Orders("été", 1, [0.05, 0.15], 15, names, [0.5, 1.5])
    if encoding == "cp1252":
        with pytest.raises(kpm.InputError, match=r"not UTF-8 text.*encoding="):
            kpm.Orders.from_csv(path)


def test_decimal_signs(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"

    def read(price: str, between: str, **options: Any) -> float:
        header = between.join(["claim", "side", "price", "quantity"])
        path.write_text(f"{header}\n{between.join(['a', 'buy', price, '1'])}\n")
        return float(kpm.Orders.from_csv(path, **options).price[0])

    assert read("0,5", ";") == 0.5
    assert read("0.5", ";") == 0.5
    assert read("0,5", "\t", decimal=",") == 0.5
    assert read("0.5", "x", delimiter="x") == 0.5
    for price, between, options in (
        ("1,234", "\t", {}),  # a thousand, or one and a bit
        ("1.234,5", ";", {}),
        ("1.5", ";", {"decimal": ","}),
        ("1.234,5", ";", {"decimal": ","}),
        ("0,5", ";", {"decimal": "."}),
    ):
        with pytest.raises(kpm.InputError, match="line 2: price"):
            read(price, between, **options)
    with pytest.raises(kpm.InputError, match="decimal: ',' already delimits"):
        read("1", ",", decimal=",", delimiter=",")
    with pytest.raises(kpm.InputError, match="decimal: must be"):
        read("1", ",", decimal="'")
    with pytest.raises(kpm.InputError, match="delimiter: must be one character"):
        read("1", ",", delimiter="::")
    with pytest.raises(kpm.InputError, match="encoding: is unknown"):
        read("1", ",", encoding="klingon")


def test_damaged_files(tmp_path: Path) -> None:
    text = b"claim,side,price,quantity\n" + b"a,buy,0.5,1\n" * 99
    for suffix, pack in PACKED.items():
        if suffix:
            path = tmp_path / f"o.csv{suffix}"
            path.write_bytes(pack(text)[:-20])
            with pytest.raises(kpm.InputError, match=r"o\.csv.*damaged"):
                kpm.Orders.from_csv(path)


@given(
    st.binary(max_size=80)
    | st.text("claimsideprqunty,;|\t\n\r\"'0.5e-\0é\udc80", max_size=80).map(
        lambda text: b"claim,side,price,quantity,time\n" + text.encode("utf-8", "surrogatepass")
    ),
    st.sampled_from(list(PACKED.values())),
    st.sampled_from([None, "utf-16", "utf-32", "cp1252", "ascii", "rot13", "idna"]),
)
@examples(300)
def test_no_bytes_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory,
    data: bytes,
    pack: Callable[[bytes], bytes],
    encoding: str | None,
) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.csv"
    path.write_bytes(pack(data))
    with contextlib.suppress(kpm.InputError):
        kpm.Orders.from_csv(path, encoding=encoding)
    path.write_bytes(data + pack(data)[:-3])
    with contextlib.suppress(kpm.InputError):
        kpm.Orders.from_csv(path, encoding=encoding, columns={"time": "price"})


# -- the command line ----------------------------------------------------------------------------


def folder_of(path: Path, table: dict[str, list[Any]], delimiter: str = ",") -> Path:
    kpm.write_book(path, MARKET, EXPECTED)
    written(path / "orders.csv", table, delimiter)
    return path


def test_options_of_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(tmp_path / "book", FOREIGN)
    form = ["--columns", "order_id=ref,side=bs,price=px,quantity=lots", "--sides"]
    form += ["B=buy,S=sell,lay=sell", "--price-unit", "100", "--quantity-unit", "0.01"]
    assert main(["clear", str(folder), *form, "--json", "--inventory", "A=2,H=-1"]) == 0
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert "kpm-fast: note: columns of the orders that are not read: venue\n" in err
    assert data["orders"]["price"] == EXPECTED.price.tolist()
    assert data["orders"]["quantity"] == EXPECTED.quantity.tolist()
    assert data["states"]["inventory"] == [-1, 2]
    assert main(["clear", str(folder), *form, "--allocation", "time"]) == 2
    assert "columns not read: venue" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["clear", str(folder), "--columns", "px"])
    assert "must be NAME=VALUE" in capsys.readouterr().err
    assert main(["clear", str(folder), *form, "--inventory", "H=1"]) == 2
    assert "lacks state 'A'" in capsys.readouterr().err


def test_more_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table: dict[str, list[Any]] = {
        "claim": ["home", "home"],
        "price": [None, "0,25"],
        "quantity": [3, -4],
    }
    folder = folder_of(tmp_path / "book", table, ";")
    (folder / "states.csv").write_text("state;prior\nH;1,5\nA;0,5\n")
    packed = folder / "orders.csv.gz"
    packed.write_bytes(gzip.compress((folder / "orders.csv").read_bytes()))
    (folder / "orders.csv").unlink()
    options = ["--sell", "negative-quantity", "--market-orders", "--normalize", "--json"]
    assert main(["clear", str(folder), *options]) == 0
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert data["orders"]["side"] == ["buy", "sell"]
    assert data["orders"]["price"] == ["Infinity", 0.25]
    assert data["states"]["prior"] == [0.75, 0.25]
    assert "the prior sums to 2 and was divided by that" in err
    assert main(["clear", str(folder), *options[:2], options[3]]) == 2
    assert "orders.csv.gz, line 2: price" in capsys.readouterr().err
    assert main(["clear", str(folder), *options[:3]]) == 2
    assert "--normalize" in capsys.readouterr().err


def test_sample_replaces_no_book(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sample = ["sample", "race-card", "--levels", "1", "--output", str(tmp_path / "card")]
    assert main(sample) == 0
    assert main(sample) == 0  # what is there is what would be written
    edited = tmp_path / "card" / "orders.csv"
    edited.write_text("claim,side,price,quantity\n")
    assert main(sample) == 2
    assert (
        "already holds another book (orders.csv); overwrite=True (--force)"
        in capsys.readouterr().err
    )
    assert edited.read_text() == "claim,side,price,quantity\n"
    assert main([*sample, "--force"]) == 0
    assert len(kpm.read_book(tmp_path / "card")[1]) > 0
    with pytest.raises(kpm.InputError, match="already holds another book"):
        kpm.write_book(tmp_path / "card", MARKET, EXPECTED, overwrite=False)
    assert kpm.sample.race_card(runners=3, levels=1)[0].states


def test_frames_are_a_market() -> None:
    claims = {"claim": ["home", "away"], "A": [0, 1], "H": [1, 0]}
    states = {"state": ["H", "A"], "prior": [0.5, 0.5], "inventory": [1, 2]}
    expected = kpm.Market(
        [[0, 1], [1, 0]], [0.5, 0.5], [2, 1], 3, claims=["home", "away"], states=["A", "H"]
    )
    for (name, payoffs), (_, prior) in zip(frames(claims), frames(states), strict=True):
        assert kpm.Market.from_frame(payoffs, prior, risk_aversion=3) == expected, name
        plain = kpm.Market.from_frame(payoffs, prior, {"H": 0, "A": 0})
        assert not plain.inventory.any()
    for field, value in (("payoffs", [[1, 0]]), ("prior", [0.5, 0.5]), ("inventory", [1, 2])):
        arguments: dict[str, Any] = {"payoffs": claims, "prior": states, field: value}
        with pytest.raises(kpm.InputError, match=f"{field}: has no labels"):
            kpm.Market.from_frame(**arguments)


def test_cells_by_claim() -> None:
    cell = kpm.clear(MARKET, EXPECTED).cell
    named = dict(zip(MARKET.claims[::-1], cell[::-1].tolist(), strict=True))
    by_label = kpm.solve_cell(MARKET, EXPECTED, named)  # type: ignore[arg-type]
    assert by_label == kpm.solve_cell(MARKET, EXPECTED, cell)
    with pytest.raises(kpm.InputError, match="cell: lacks claim 'away'"):
        kpm.solve_cell(MARKET, EXPECTED, {"home": 0})  # type: ignore[arg-type]


SHEET = [["claim", "side", "price", "quantity"], ["home", "buy", "0,5", "3"]]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("quoted", [False, True])
def test_empty_cells_of_spreadsheets_are_ignored(
    tmp_path: Path, delimiter: str, quoted: bool
) -> None:
    """A first line that states the delimiter, columns and rows that hold nothing."""
    stated = f'"sep={delimiter}"' if quoted else f"sep={delimiter}"
    head, row = ([*line, "", " "] for line in SHEET)
    lines = [stated, "", head, [""] * 6, row, [" "] * 6]
    path = tmp_path / "o.csv"
    text = "\r\n".join(line if isinstance(line, str) else delimiter.join(line) for line in lines)
    path.write_text(text, encoding="utf-8-sig", newline="")
    orders = kpm.Orders.from_csv(path, decimal=",")
    assert orders == kpm.Orders(["home"], "buy", [0.5], [3])
    assert orders.ignored_columns == ()
    # Lines are counted as an editor counts them.
    path.write_text(text.replace("0,5", "half"), encoding="utf-8", newline="")
    with pytest.raises(kpm.InputError, match=r"o\.csv, line 5: price: not a number: 'half'"):
        kpm.Orders.from_csv(path)


def test_a_nameless_column_with_an_entry_counts(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_text("claim,side,price,quantity,\nhome,buy,0.5,3,\nhome,buy,0.5,3,x\n")
    assert kpm.Orders.from_csv(path).ignored_columns == ("",)
    path.write_text("claim,side,price,quantity,\nhome,buy,0.5,3\n")
    with pytest.raises(kpm.InputError, match="line 2: has 4 entries where the header has 5"):
        kpm.Orders.from_csv(path)


def test_a_header_without_the_columns_is_shown_column_by_column(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_text("Sel;BS;Px\nhome;B;56\n", encoding="utf-8")
    with pytest.raises(kpm.InputError, match=r"found: Sel, BS, Px\)"):
        kpm.Orders.from_csv(path)


def test_the_command_line_notes_limits_in_another_unit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "book"
    kpm.write_book(folder, MARKET, kpm.Orders(["home", "away"], "buy", [56, 20], 1))
    assert main(["clear", str(folder)]) == 0
    assert "note: 2 limits lie beyond" in capsys.readouterr().err
    assert main(["clear", str(folder), "--price-unit", "100"]) == 0
    assert "limits" not in capsys.readouterr().err
