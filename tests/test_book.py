"""Books on disk: round trips, settings, the real books."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from kpm_fast.cli import main

MARKET = kpm.Market(
    [[1, 0, 1 / 3], [-0.5, 2, 1e-9]],
    np.array([1, 2, 4]) / 7,
    inventory=[0, -1.5, 3],
    risk_aversion=1 / 3,
    ambiguity=0.25,
    claims=["one", "two, with comma"],
    states=["x", "y", "z"],
)
ORDERS = kpm.Orders(
    ["one", "two, with comma", "one"],
    ["buy", "sell", "buy"],
    [0.1, 1 / 7, math.inf],
    [1, 2.5, 1e-12],
    order_id=["a", "b", "c"],
    time=[0.5, 0.25, 1],
)


def test_round_trip(tmp_path: Path) -> None:
    kpm.write_book(tmp_path / "book", MARKET, ORDERS)
    market, orders = kpm.read_book(tmp_path / "book")
    assert market == MARKET
    assert orders == ORDERS
    assert sorted(path.name for path in (tmp_path / "book").iterdir()) == [
        "claims.csv",
        "market.json",
        "orders.csv",
        "states.csv",
    ]


def test_round_trip_of_a_plain_book(tmp_path: Path) -> None:
    market = kpm.Market(np.eye(2), [0.5, 0.5], ambiguity=math.inf)
    orders = kpm.Orders([1, 0], [1, -1], 0.5, 1)
    kpm.write_book(tmp_path, market, orders)
    assert "inventory" not in (tmp_path / "states.csv").read_text()
    assert json.loads((tmp_path / "market.json").read_text())["ambiguity"] == "Infinity"
    copy, read = kpm.read_book(tmp_path)
    assert copy == market
    assert read.claim_index(copy).tolist() == [1, 0]
    assert not read.has_order_id
    assert read.time is None


@pytest.mark.parametrize("name", ["orders.csv.gz", "claims.csv.zst", "states.csv.zip"])
def test_a_compressed_table_is_another_book(tmp_path: Path, name: str) -> None:
    """One that the written table would hide, whatever is in it."""
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(kpm.InputError, match=f"already holds another book \\({name}\\)"):
        kpm.write_book(tmp_path, MARKET, ORDERS, overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    (tmp_path / "kept.csv.gz").write_bytes(b"")  # no table of a book
    kpm.write_book(tmp_path, MARKET, ORDERS)
    files = {path.name for path in tmp_path.iterdir()}
    assert files == {"claims.csv", "states.csv", "orders.csv", "market.json", "kept.csv.gz"}
    kpm.write_book(tmp_path, MARKET, ORDERS, overwrite=False)  # it is the only book there
    assert kpm.read_book(tmp_path)[0] == MARKET


def test_a_compressed_table_stays_where_the_book_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "orders.csv.gz").write_bytes(b"")
    (tmp_path / "states.csv").mkdir()
    with pytest.raises(IsADirectoryError):
        kpm.write_book(tmp_path, MARKET, ORDERS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["orders.csv.gz", "states.csv"]


def test_round_trip_of_an_empty_book(tmp_path: Path) -> None:
    kpm.write_book(tmp_path, MARKET, kpm.Orders([], [], [], []))
    assert len(kpm.read_book(tmp_path)[1]) == 0


@pytest.mark.parametrize(
    "text", ["a\rb", "a\r\nb", "a\nb", 'a"\r', '\r"a', "\ufeffa", "日本", "\U0001f984"]
)
def test_round_trip_of_text(tmp_path: Path, text: str) -> None:
    label = f"<{text}>"
    market = kpm.Market([[1, 0], [0, 1]], [0.5, 0.5], claims=["a", label], states=[label, "b"])
    orders = kpm.Orders(["a", label], 1, 0.5, 1, order_id=[label, ""])
    kpm.write_book(tmp_path, market, orders)
    assert kpm.read_book(tmp_path) == (market, orders)
    for path in tmp_path.glob("*.csv"):
        assert not path.read_bytes().endswith(b"\r\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" x", "white space .* got ' x'"),
        ("x\r", r"white space .* got 'x\\r'"),
        ("x" * 131_073, r"at most 131,072 characters"),
    ],
)
def test_text_that_would_not_come_back_is_refused(tmp_path: Path, text: str, words: str) -> None:
    orders = kpm.Orders(["one"], 1, 0.5, 1, order_id=[text])
    with pytest.raises(kpm.InputError, match=rf"^order_id\[0\]: .*{words}"):
        kpm.write_book(tmp_path / "book", MARKET, orders)
    for field, names in (("claims", ["a", text]), ("states", ["a", "b", text])):
        if text == text.strip():
            with pytest.raises(kpm.InputError, match=rf"^{field}\[{len(names) - 1}\]: .*{words}"):
                kpm.write_book(tmp_path / "book", MARKET.replace(**{field: names}), orders[:0])
    assert not (tmp_path / "book").exists()


def test_the_longest_text(tmp_path: Path) -> None:
    orders = kpm.Orders(["one"], 1, 0.5, 1, order_id=["x" * 131_072])
    kpm.write_book(tmp_path, MARKET, orders)
    assert kpm.read_book(tmp_path)[1].order_id[0] == orders.order_id[0]


def test_keywords_take_precedence(tmp_path: Path) -> None:
    kpm.write_book(tmp_path, MARKET, ORDERS)
    market, _ = kpm.read_book(tmp_path, risk_aversion=5, inventory=[1, 1, 1])
    assert market.risk_aversion == 5
    assert market.ambiguity == 0.25
    assert market.inventory.tolist() == [1, 1, 1]


def test_nothing_is_written_when_a_claim_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(kpm.InputError, match="'three'"):
        kpm.write_book(tmp_path / "book", MARKET, kpm.Orders(["three"], 1, 0.5, 1))
    assert not (tmp_path / "book").exists()
    with pytest.raises(kpm.InputError, match="'claim'"):
        kpm.write_book(tmp_path / "book", MARKET.replace(states=["claim", "y", "z"]), ORDERS)
    assert not (tmp_path / "book").exists()


def test_unknown_claim_names_file_and_line(tmp_path: Path) -> None:
    kpm.write_book(tmp_path, MARKET, ORDERS)
    path = tmp_path / "orders.csv"
    path.write_text(path.read_text().replace("c,one", "c,three"))
    with pytest.raises(kpm.InputError, match=r"orders\.csv, line 4: claim: .*'three'"):
        kpm.read_book(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["not JSON"]),
        ("{", ["line 1", "not JSON"]),
        ("[1]", ["object"]),
        ('{"riskaversion": 1}', ["riskaversion", "risk_aversion"]),
        ('{"ambiguity": "large"}', ["ambiguity", "'large'"]),
        ('{"ambiguity": 1, "ambiguity": 2}', ["ambiguity", "appears twice"]),
        ('{"ambiguity": null}', ["ambiguity", "None"]),
    ],
)
def test_settings_errors_name_the_file(tmp_path: Path, text: str, words: list[str]) -> None:
    kpm.write_book(tmp_path, MARKET, ORDERS)
    (tmp_path / "market.json").write_text(text)
    with pytest.raises(kpm.InputError) as caught:
        kpm.read_book(tmp_path)
    for word in ("market.json", *words):
        assert word in str(caught.value)


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        kpm.read_book(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("keywords", "options"),
    [
        ({"delimiter": "\t"}, ["--delimiter", "tab"]),
        ({"decimal": ","}, ["--decimal", ","]),
        ({"encoding": "latin-1"}, ["--encoding", "latin-1"]),
        ({"normalize": True}, ["--normalize"]),
        ({"order_options": {"columns": {"price": "px"}}}, ["--columns", "price=px"]),
        ({"order_options": {"price_unit": 100}}, ["--price-unit", "100"]),
        ({"order_options": {"market_orders": True}}, ["--market-orders"]),
    ],
)
def test_the_form_of_tables_is_none_of_a_saved_clearing(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    keywords: dict[str, Any],
    options: list[str],
) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "clearing.kpm"
    kpm.clear(MARKET, ORDERS).save(path)
    message = "applies to tables, and this file is a saved clearing"
    with pytest.raises(kpm.InputError, match=message):
        kpm.read_book(path, **keywords)
    for command in ("clear", "quotes", "sweep", "advise", "plot", "report"):
        assert main([command, str(path), *options]) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["knightian", "lmsr", "clearing"])
def test_unknown_keywords_are_refused_whatever_the_book(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "book"
    if kind == "clearing":
        kpm.clear(MARKET, ORDERS).save(path)
    else:
        maker = kpm.LMSR(2.0, MARKET.prior)
        market = kpm.Market(MARKET.payoffs, maker=maker) if kind == "lmsr" else MARKET
        kpm.write_book(path, market.replace(claims=MARKET.claims), ORDERS)
    with pytest.raises(TypeError, match="ambigutiy"):
        kpm.read_book(path, ambigutiy=3)  # type: ignore[call-arg]
    with pytest.raises(kpm.InputError, match="normalize: must be True or False"):
        kpm.read_book(path, normalize="no")  # type: ignore[arg-type]


def test_a_saved_clearing_is_a_book(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One file, which holds its market: cleared again, by another maker if wanted."""
    path = tmp_path / "clearing.npz"
    kpm.clear(MARKET, ORDERS, allocation="time").save(path)
    assert kpm.read_book(path) == (MARKET, ORDERS)
    wary, orders = kpm.read_book(path, ambiguity=0.5, inventory=[0, 0, 1])
    assert (wary, orders) == (MARKET.replace(ambiguity=0.5, inventory=[0, 0, 1]), ORDERS)
    with pytest.raises(kpm.InputError, match="price_unit: applies to tables"):
        kpm.read_book(path, order_options={"price_unit": 100})
    assert kpm.read_book(path, order_options={"price_unit": 1, "columns": None})[1] == ORDERS
    noise = tmp_path / "noise"
    noise.write_text("noise")
    with pytest.raises(kpm.InputError, match="not a kpm-fast clearing"):
        kpm.read_book(noise)
    assert main(["clear", str(path), "--ambiguity", "0.5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ambiguity"] == 0.5
    before = path.read_bytes()
    assert main(["clear", str(path), "--save", str(path)]) == 2
    assert "would overwrite" in capsys.readouterr().err
    assert path.read_bytes() == before
