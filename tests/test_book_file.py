"""A book in one file: JSON, CSV with titles, Parquet; read back, and what is refused."""

from __future__ import annotations

import bz2
import gzip
import json
import math
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpm_fast as kpm
from adapter import market_of, orders_of
from kpm_fast.cli import main
from strategies import books, examples
from witness.book import Book

pytestmark = pytest.mark.unsanitized

ROOT = Path(__file__).resolve().parent.parent
CARD = ROOT / "examples" / "race_card"
FORMS = [".json", ".csv", pytest.param(".parquet", id=".parquet")]
STATES = ["2", "draw, or none", "1"]
MAKERS = {
    "knightian": kpm.KnightianMaker([0.5, 0.3, 0.2], 1 / 3, math.inf, [1.0, -2.0, 1 / 3]),
    "worst_state": kpm.WorstStateMaker(3),
    "polytope": kpm.PolytopeMaker([[0.5, 0.3, 0.2], [0.1, 0.0, 0.9]], 0.0),
    "starting_orders": kpm.StartingOrders([1 / 3, 2.0, 5.0]),
}
BOOK: dict[str, Any] = {
    "risk_aversion": 0.01,
    "ambiguity": 0.02,
    "claims": [{"claim": "home", "H": 1, "A": 0}, {"claim": "away", "H": 0, "A": 1}],
    "states": [{"state": "A", "prior": 0.4}, {"state": "H", "prior": 0.6}],
    "orders": {
        "claim": ["home", "away"],
        "side": ["buy", "sell"],
        "price": [0.7, "0.25"],
        "quantity": [10, 5],
    },
}
TITLED = """\
[market]
risk_aversion,ambiguity
0.01,0.02

[states]
state,prior
A,0.4
H,0.6
[claims]
claim,H,A
home,1,0
away,0,1
[orders]
claim,side,price,quantity
home,buy,0.7,10
away,sell,0.25,5
"""


def needs(form: str) -> None:
    if form == ".parquet":
        pytest.importorskip("pyarrow")


@pytest.mark.parametrize("form", FORMS)
@given(book=books())
@examples(80)
def test_a_book_comes_back_to_the_last_bit(
    form: str, book: Book, tmp_path_factory: pytest.TempPathFactory
) -> None:
    needs(form)
    market, orders = market_of(book), orders_of(book)
    folder = tmp_path_factory.mktemp("book")
    path = folder / f"book{form}"
    kpm.write_book(path, market, orders)
    assert path.is_file()
    kpm.write_book(folder / "folder", market, orders)
    assert kpm.read_book(path) == kpm.read_book(folder / "folder")
    first = path.read_bytes()
    kpm.write_book(path, *kpm.read_book(path), overwrite=False)
    assert path.read_bytes() == first


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", MAKERS)
def test_makers_ids_times_and_infinite_limits_come_back(
    kind: str, form: str, tmp_path: Path
) -> None:
    needs(form)
    market = kpm.Market(
        [[1, 0, 0], [0, 1, 1]], claims=["a", "b"], states=STATES, maker=MAKERS[kind]
    )
    orders = kpm.Orders(
        ["a", "b", "a"],
        ["buy", "sell", "buy"],
        [math.inf, -math.inf, 0.1 + 0.2],
        [1, 2, 1 / 3],
        order_id=["9007199254740993", "x;y", "[orders]"],
        time=["1700000000.123456789", "1700000000.123456790", "3"],
    )
    path = tmp_path / f"book{form}"
    kpm.write_book(path, market, orders)
    assert kpm.read_book(path) == (market, orders)
    moved, _ = kpm.read_book(path, inventory=[3, 2, 1])
    assert moved.inventory.tolist() == [3, 2, 1]


def test_one_book_in_every_form(tmp_path: Path) -> None:
    """Rows or columns, numbers or text, any order of tables, delimiter, compression, encoding."""
    (tmp_path / "a.json").write_text(json.dumps(BOOK))
    rows = [dict(zip(BOOK["orders"], row)) for row in zip(*BOOK["orders"].values())]  # noqa: B905
    (tmp_path / "b").write_text(" \n" + json.dumps({**BOOK, "orders": rows}))
    (tmp_path / "c.csv").write_text(TITLED)
    (tmp_path / "d.csv").write_bytes(gzip.compress(TITLED.encode("utf-16")))
    german = TITLED.replace(",", ";").replace(".", ",")
    (tmp_path / "e.csv").write_text(german)
    # As a spreadsheet exports it: all rows as wide as the widest, blank ones too.
    wide = [line + "," * (3 - line.count(",")) for line in TITLED.splitlines()]
    (tmp_path / "f.csv").write_text("\r\n".join([*wide, ",,,"]))
    expected = kpm.read_book(tmp_path / "a.json")
    assert expected[0].states == ("A", "H")
    assert expected[0].payoffs.tolist() == [[0, 1], [1, 0]]
    assert expected[0].ambiguity == 0.02
    for name in ("b", "c.csv", "d.csv", "e.csv", "f.csv"):
        assert kpm.read_book(tmp_path / name) == expected, name


@pytest.mark.parametrize("form", FORMS)
def test_orders_of_another_form(form: str, tmp_path: Path) -> None:
    needs(form)
    options = {
        "columns": {"price": "px", "side": "bs"},
        "sides": {"B": "buy", "S": "sell"},
        "price_unit": 100,
        "market_orders": True,
    }
    path = tmp_path / f"book{form}"
    if form == ".parquet":
        import pyarrow
        from pyarrow import parquet

        kpm.write_book(path, *_read(BOOK, tmp_path))
        metadata = parquet.read_schema(path).metadata
        columns = {"claim": ["home"], "bs": ["B"], "px": [None], "quantity": [3], "venue": ["X"]}
        parquet.write_table(pyarrow.table(columns).replace_schema_metadata(metadata), path)
    elif form == ".json":
        order = {"claim": "home", "bs": "B", "px": None, "quantity": 3, "venue": "X"}
        path.write_text(json.dumps({**BOOK, "orders": [order]}))
    else:
        head = TITLED.partition("[orders]")[0]
        path.write_text(head + "[orders]\nclaim,bs,px,quantity,venue\nhome,B,,3,X\n")
    _, orders = kpm.read_book(path, order_options=options)
    assert orders.price.tolist() == [math.inf]
    assert orders.ignored_columns == ("venue",)


def _read(content: Any, folder: Path) -> tuple[kpm.Market, kpm.Orders]:
    path = folder / "given.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return kpm.read_book(path)


def changed(table: str, column: str, value: Any) -> dict[str, Any]:
    book: dict[str, Any] = json.loads(json.dumps(BOOK))
    if isinstance(book[table], list):
        book[table][1][column] = value
    else:
        book[table][column][1] = value
    return book


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (changed("orders", "price", "x"), r"given\.json: price\[1\]: not a number: 'x'"),
        (changed("orders", "price", None), r"price\[1\]"),
        (changed("orders", "price", True), r"price\[1\]: must be a number or text, got True"),
        (changed("orders", "quantity", -1), r"given\.json: quantity\[1\]: .*-1"),
        (changed("orders", "quantity", [1]), r"quantity\[1\]: must be a number or text"),
        (changed("orders", "side", "hold"), r"given\.json: side\[1\]: .*'hold'"),
        (changed("orders", "claim", "hoem"), r"claim\[1\]: .*'hoem'.*did you mean 'home'"),
        (changed("states", "prior", 0.7), r"given\.json: prior: .*sum"),
        (
            changed("states", "state", "A"),
            r"state\[1\]: must be distinct, got 'A', which is in row 0 too",
        ),
        (changed("claims", "D", 1), r"state 'D' of claims is not in states: both tables"),
        (changed("claims", "H", "1e400"), r"H\[1\]: .*1e400"),
        ({**BOOK, "ambiguity": -1}, r"ambiguity: .*-1"),
        ({**BOOK, "ambiguty": 1}, r"given\.json: ambiguty: is unknown"),
        ({**BOOK, "claims": 3}, r"claims: must be a list of objects or an object of lists"),
        ({**BOOK, "states": [3]}, r"states\[0\]: must be an object"),
        ({**BOOK, "orders": {"claim": [1], "side": []}}, r"orders: columns differ in length"),
        ({**BOOK, "orders": {"claim": 1}}, r"orders\.claim: must be a list"),
        ({"orders": []}, r"has no 'claims'"),
        ({**BOOK, "claims": []}, r"given\.json: claims: no column 'claim' \(found: none\)"),
        ({**BOOK, "claims": [{"H": 1, "A": 0}]}, r"claims: no column 'claim' \(found: H, A\)"),
        ({**BOOK, "states": []}, r"given\.json: states: no column 'state'"),
        (
            {**BOOK, "states": [{"prior": 1}], "ambiguity": 1},
            r"given\.json: states: no column 'state' \(found: prior\)",
        ),
        (
            {key: value for key, value in BOOK.items() if key not in ("ambiguity", "risk_aversion")}
            | {"states": [{"H": 1}], "maker": {"kind": "worst_state"}},
            r"given\.json: states: no column 'state' \(found: H\)",
        ),
        (TITLED.replace("claim,", "clam,", 1), r"line \d+: \[claims\]: no column 'claim'"),
        ([], r"must hold a JSON object"),
        ('{"claims": [],\n "claims": []}', r"claims: appears twice"),
        ('{"claims": [}', r"given\.json, line 1: is not JSON: .* at column 13$"),
        (
            '{"claims": "\\"NaN",\n "ambiguity": NaN}',
            r"given\.json, line 2: is not JSON: it has no NaN at column 15$",
        ),
        ("[" * 100_000, r"given\.json"),
        ("[claims]\n[states]\n", r"line 1: has no header below \[claims\]"),
        (TITLED + "[states]\nstate,prior\n", r"line 17: \[states\] appears twice"),
        (TITLED.replace("away,sell,0.25,5", "away,sell"), r"line 16: has 2 entries where .* has 4"),
        (TITLED.replace("0.25", "x"), r"line 16: price: not a number: 'x'"),
        (TITLED.replace("H,0.6", "H,-0.6"), r"line 8: prior"),
        (
            TITLED.replace("state,prior", "state,pryor"),
            r"line 6: \[states\]: no column 'prior'.*mean",
        ),
        (TITLED.replace("0.01,0.02", "0.01,0.02\n1,1"), r"\[market\]: must have one row, got 2"),
        (TITLED.replace("0.01,", "a,"), r"line 3: risk_aversion: not a number"),
        (TITLED.partition("[orders]")[0], r"has no table \[orders\].*from_csv"),
        (
            {**BOOK, "risk_aversion": math.nan},
            r"given\.json, line 1: is not JSON: it has no NaN at",
        ),
        ('{"ambiguity": 1e400}', r"has no 'claims'"),
        ("\n[foo]\na,b\n", r"given\.json, line 2: .*begins with a title such as.*got '\[foo\]'"),
        ("[foo],,\n" + TITLED, r"line 1: .*begins with a title such as \[claims\]"),
        (TITLED.replace("0.01,", "nan,"), r"^\S*given\.json, line 3: risk_aversion: .*nan"),
        (TITLED.replace("0.02", "-1"), r"^\S*given\.json, line 3: ambiguity: .*got -1"),
        (TITLED.replace("0.01,", "1e400,"), r"line 3: risk_aversion: is beyond .*'1e400'"),
        (
            TITLED.replace("risk_aversion,ambiguity\n0.01,0.02", "maker\n{kind}"),
            r"given\.json, line 3: maker: is not JSON: Expecting property name",
        ),
        (
            TITLED.replace("risk_aversion,ambiguity\n0.01,0.02", "maker\nNaN"),
            r"given\.json, line 3: maker: is not JSON: it has no NaN$",
        ),
        *(
            (
                TITLED.replace("risk_aversion,ambiguity\n0.01,0.02", f'maker\n"{maker}"'),
                rf"given\.json, line 3: {said}",
            )
            for maker, said in (
                ('{""kind"": ""lmsr"", ""liquidity"": -1}', "liquidity: must be between"),
                ('{""kind"": ""lmsr"", ""liquidity"": ""NaN""}', "liquidity: must be a number"),
                ('{""kind"": ""starting_orders"", ""delta"": [1, ""nan""]}', r"delta\[1\]: must"),
                ('{""kind"": ""starting_orders"", ""delta"": [1]}', "delta: must be an object or"),
                ('{""kind"": ""worst_state"", ""states"": 3}', "states: must be 2, as many as"),
                ('{""kind"": ""worst_state"", ""labels"": []}', "labels: is no parameter"),
                ('{""kind"": ""lmsr"", ""prior"": [1, 1]}', "prior: belongs in a column of"),
            )
        ),
        (
            TITLED.replace("risk_aversion,ambiguity\n0.01,0.02", 'maker\n"""lmsr"""'),
            r"given\.json, line 3: maker: must be an object whose kind",
        ),
        ("claim,side,price,quantity\n", r"line 1: .*begins with a title such as \[claims\]"),
        ("", r"has no table \[claims\]"),
    ],
)
def test_errors_name_what_is_wrong(content: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(kpm.InputError, match=message):
        _read(content, tmp_path)


@pytest.mark.parametrize("form", ["json", "csv"])
@pytest.mark.parametrize("packed", ["zip", "gz", "bz2", "utf-16", "utf-8-sig"])
def test_one_file_in_another_form(form: str, packed: str, tmp_path: Path) -> None:
    book = _read(BOOK, tmp_path)
    plain, path = tmp_path / f"book.{form}", tmp_path / f"book.{form}.{packed}"
    kpm.write_book(plain, *book)
    content = plain.read_bytes()
    if packed == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(plain, plain.name)
    elif packed in ("gz", "bz2"):
        path.write_bytes({"gz": gzip.compress, "bz2": bz2.compress}[packed](content))
    else:
        path.write_bytes(content.decode().encode(packed))
    assert kpm.read_book(path) == book


def test_archives_that_are_no_book(tmp_path: Path) -> None:
    path = tmp_path / "book.zip"
    for names, said in (
        (["a.json", "b.json"], "is a zip archive of 2 files, and only one of one file is read"),
        (["header.json"], "header.json: is not the header of a kpm-fast clearing"),
        (["header.json.csv"], r"line 1: .*begins with a title such as \[claims\]"),
        (["[Content_Types].xml", "xl/workbook.xml"], "is a workbook, which is not read"),
    ):
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, "3")
        with pytest.raises(kpm.InputError, match=said):
            kpm.read_book(path)
    for start in (b"PK", b"PK\x03\x04" + b"x" * 20):
        path.write_bytes(start)
        with pytest.raises(kpm.InputError, match="is not a kpm-fast clearing, or is damaged"):
            kpm.read_book(path)


def test_one_table_of_a_folder_is_no_book(tmp_path: Path) -> None:
    kpm.write_book(tmp_path / "card", *_read(BOOK, tmp_path))
    for table in ("claims", "states", "orders"):
        with pytest.raises(kpm.InputError) as caught:
            kpm.read_book(tmp_path / "card" / f"{table}.csv")
        assert caught.value.reason.endswith(f"; its folder, {tmp_path / 'card'}, may be a book")


@pytest.mark.parametrize("name", ["BOOK.JSON", "book.Csv", "b.Parquet"])
def test_endings_in_capitals_are_files(name: str, tmp_path: Path) -> None:
    needs(Path(name).suffix.lower())
    book = _read(BOOK, tmp_path)
    kpm.write_book(tmp_path / name, *book)
    assert (tmp_path / name).is_file()
    assert kpm.read_book(tmp_path / name) == book
    with pytest.raises(FileNotFoundError, match=rf"absent{Path(name).suffix}'"):
        kpm.read_book(tmp_path / f"absent{Path(name).suffix}")


@pytest.mark.parametrize("name", ["book.csv.gz", "BOOK.JSON.ZST", "b.parquet.zip"])
def test_a_compressed_file_is_not_taken_for_a_folder(name: str, tmp_path: Path) -> None:
    market, orders = _read(BOOK, tmp_path)
    inner = Path(Path(name).stem).suffix.lower()
    with pytest.raises(kpm.InputError, match=f"folder: must end in {inner}, got '{name}'"):
        kpm.write_book(tmp_path / name, market, orders)
    assert not (tmp_path / name).exists()
    (tmp_path / name).mkdir()
    kpm.write_book(tmp_path / name, market, orders)
    assert kpm.read_book(tmp_path / name) == (market, orders)


def test_parquet_without_a_market_or_damaged(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "orders.parquet"
    parquet.write_table(pyarrow.table({"claim": ["home"]}), path)
    with pytest.raises(kpm.InputError, match=r"holds no market.*kpm_fast\.market.*from_frame"):
        kpm.read_book(path)
    kpm.write_book(path, *_read(BOOK, tmp_path))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(kpm.InputError, match=r"orders\.parquet: is a damaged Parquet file"):
        kpm.read_book(path)
    path.write_bytes(whole)
    nameless = json.dumps({"claims": [{"H": 1}], "states": BOOK["states"]})
    table = parquet.read_table(path).replace_schema_metadata({"kpm_fast.market": nameless})
    parquet.write_table(table, tmp_path / "nameless.parquet")
    with pytest.raises(kpm.InputError, match=r"nameless\.parquet: claims: no column 'claim'"):
        kpm.read_book(tmp_path / "nameless.parquet")
    with pytest.raises(kpm.InputError, match="delimiter: applies to CSV, and this file is Parquet"):
        kpm.read_book(path, delimiter=";")
    bad = pyarrow.table({"claim": ["home"], "side": ["hold"], "price": [0.1], "quantity": [1]})
    bad = bad.replace_schema_metadata(parquet.read_schema(path).metadata)
    parquet.write_table(bad, path)
    with pytest.raises(kpm.InputError, match=r"orders\.parquet: side\[0\]: .*'hold'"):
        kpm.read_book(path)


@given(
    content=st.one_of(
        st.binary(max_size=60),
        st.text("[]{}:,;\"'01eE+-.\n claimsteordNy", max_size=80).map(str.encode),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=3),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["claims", "states", "orders", "claim", "state", "prior"]),
                    inner,
                    max_size=5,
                )
            ),
        ).map(lambda value: json.dumps(value).encode()),
    )
)
@examples(300)
def test_any_bytes_are_read_or_refused_by_name(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / "any"
    path.write_bytes(content)
    with suppress(kpm.InputError):  # no other exception, whatever the file holds
        kpm.read_book(path)


@pytest.mark.parametrize("start", ["```json\n", "```\n[market]\n"])
def test_the_books_of_the_reference(start: str, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "reference.md").read_text("utf-8")
    path = tmp_path / "book"
    path.write_text(page[page.index(start) :].partition("\n")[2].partition("```")[0])
    market, orders = kpm.read_book(path)
    assert market.claims == ("home", "away")
    assert (market.ambiguity, orders[0].price) == (0.02, 0.7)


def test_an_existing_file_is_not_replaced_unasked(tmp_path: Path) -> None:
    market, orders = _read(BOOK, tmp_path)
    path = tmp_path / "book.csv"
    kpm.write_book(path, market, orders)
    with pytest.raises(kpm.InputError, match="already exists with other content"):
        kpm.write_book(path, market, orders[:1], overwrite=False)
    titled = kpm.Market([[1]], states=["[orders]"], maker=kpm.WorstStateMaker(1))
    with pytest.raises(kpm.InputError, match=r"states\[0\]: '\[orders\]' is the title"):
        kpm.write_book(path, titled, kpm.Orders([], [], [], []))
    assert kpm.read_book(path) == (market, orders)
    with pytest.raises(FileNotFoundError, match=r"none\.json"):
        kpm.read_book(tmp_path / "none.json")


@pytest.mark.parametrize("form", [".json", ".csv"])
def test_the_command_line_takes_one_file(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"card{form}"
    kpm.write_book(path, *kpm.read_book(CARD))
    printed = []
    for book in (CARD, path):
        assert main(["clear", str(book), "--verify", "--json"]) == 0
        printed.append(json.loads(capsys.readouterr().out))
        for figures in printed:
            figures["stats"] = None  # seconds
    assert printed[0] == printed[1]
    assert main(["quotes", str(path)]) == 0
    assert main(["advise", str(path)]) == 0
    before = path.read_bytes()
    assert main(["clear", str(path), "--save", str(path)]) == 2
    assert "would overwrite" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert main(["sample", "race-card", "--output", str(path)]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["sample", "race-card", "--output", str(path), "--force"]) == 0
    market, _ = kpm.read_book(path)
    assert np.array_equal(market.payoffs, np.eye(len(market.claims)))


def test_a_picture_of_one_file(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "card.json"
    kpm.write_book(path, *kpm.read_book(CARD))
    assert main(["plot", str(path), "--output", str(tmp_path / "picture")]) == 0
    assert (tmp_path / "picture.png").is_file()
    assert main(["report", str(path), "--output", str(path)]) == 2
