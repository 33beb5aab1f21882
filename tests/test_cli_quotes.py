"""``kpm-fast quotes``, makers as text, and plain data that states no maker."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import kpm_fast as kpm
from kpm_fast.cli import command as cli
from kpm_fast.model.maker_form import maker_from_dict, maker_from_text

pytestmark = pytest.mark.unsanitized

CARD = Path(__file__).resolve().parent.parent / "examples" / "race_card"


def test_the_quotes_of_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    market, _ = kpm.read_book(CARD)
    maker = kpm.KnightianMaker(
        market.prior, market.risk_aversion, market.ambiguity, market.inventory
    )
    assert cli.main(["quotes", str(CARD), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["claim"] == list(market.claims)
    assert printed["bid"] == maker.quotes(market)["bid"].tolist()
    file = tmp_path / "quotes.csv"
    assert cli.main(["quotes", str(CARD), "--quantity", "1", "50", "--output", str(file)]) == 0
    assert market.claims[0] in capsys.readouterr().out
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    blocks = maker.quotes(market, np.tile([1.0, 50.0], (len(market.claims), 1)))
    assert [float(row["ask"]) for row in rows] == blocks["ask"].ravel().tolist()


@pytest.mark.parametrize(("given", "wrong"), [("0", "0.0"), ("1,-2", "-2.0"), ("1,inf", "inf")])
def test_a_size_that_no_block_has_names_the_option(
    given: str, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["quotes", str(CARD), "--quantity", given]) == 2
    assert f"--quantity: must be between 1e-30 and 1e+30, got {wrong}" in capsys.readouterr().err


@pytest.mark.parametrize("width", [10, 20, 34, 100])
@pytest.mark.parametrize("sizes", [[], ["--quantity", "1", "123456"]])
def test_narrow_terminals_lose_no_digits(
    width: int,
    sizes: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert cli.main(["quotes", str(CARD), *sizes]) == 0
    printed = capsys.readouterr().out.split()
    market, _ = kpm.read_book(CARD)
    blocks = np.tile([1.0, 123456.0], (len(market.claims), 1)) if sizes else None
    quotes = market.maker.quotes(market, blocks)
    for price in (*quotes.bid.ravel(), *quotes.ask.ravel()):
        assert f"{price:.6f}" in printed
    assert not sizes or "123456" in printed


@pytest.mark.parametrize("form", ["", ".json", ".csv", ".parquet"])
@pytest.mark.parametrize("orders", ["none", "bad"])
def test_a_market_without_orders_is_quoted(
    form: str, orders: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Quotes need no orders: missing and invalid ones do not matter."""
    market, book = kpm.read_book(CARD)
    path = tmp_path / f"book{form}"
    if form == ".parquet":
        pytest.importorskip("pyarrow")
    kpm.write_book(path, market, book)
    if form == "":
        file = path / "orders.csv"
        file.unlink() if orders == "none" else file.write_text('claim,price\n"a,1,2,3')
    elif form == ".json":
        content = json.loads(path.read_text(encoding="utf-8"))
        content["orders"] = 7
        if orders == "none":
            del content["orders"]
        path.write_text(json.dumps(content), encoding="utf-8")
    elif form == ".csv":
        kept = path.read_text(encoding="utf-8").partition("[orders]")[0]
        path.write_text(kept + ("" if orders == "none" else "[orders]\na\nb,c,d\n"))
    else:
        import pyarrow
        from pyarrow import parquet

        metadata = parquet.read_schema(path).metadata
        table = pyarrow.table({"x": [1]} if orders == "bad" else {})
        parquet.write_table(table.replace_schema_metadata(metadata), path)
    assert cli.main(["quotes", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bid"] == market.maker.quotes(market)["bid"].tolist()
    assert cli.main(["clear", str(path)]) == cli.EXIT_INPUT
    assert cli.main(["quotes", str(path), "--sell", "negative-quantity", "--sides", "B=buy"]) == 2
    assert "the sign of the quantity is the side" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("knightian:risk_aversion=0.1,ambiguity=0.2", kpm.KnightianMaker),
        ("lmsr:liquidity=100", kpm.LMSR),
        ("starting_orders:delta=10", kpm.StartingOrders),
        ("worst_state", kpm.WorstStateMaker),
        ("utility:wealth=50", kpm.UtilityMaker),
        ("quadratic:c=20", kpm.QuadraticMaker),
    ],
)
def test_makers_by_name(text: str, kind: type, capsys: pytest.CaptureFixture[str]) -> None:
    market, _ = kpm.read_book(CARD)
    assert type(maker_from_text(text, market)) is kind
    assert cli.main(["quotes", str(CARD), "--maker", text]) == 0
    assert kind.__name__ in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("bookie", "must be one of"),
        ("lmsr", "needs liquidity"),
        ("lmsr:wealth=3", "takes liquidity"),
        ("lmsr:liquidity=much", "liquidity"),
        ("lmsr:liquidity=-3", "between"),
        ("worst_state:c=1", "no parameters"),
    ],
)
def test_wrong_makers_are_refused(
    text: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["quotes", str(CARD), "--maker", text]) == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    ("stated", "field"),
    [
        ({}, "kind"),
        ({"kind": "lmsr", "wealth": 3}, "wealth"),
        ({"kind": "lmsr"}, "liquidity"),
    ],
)
def test_wrong_plain_data_is_refused(stated: dict[str, object], field: str) -> None:
    with pytest.raises(kpm.InputError) as caught:
        maker_from_dict(stated)
    assert caught.value.field == field


def test_preferences_beside_another_maker_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    card = str(Path(__file__).parent.parent / "examples" / "race_card")
    for command in ("quotes", "clear"):
        words = [command, card, "--maker", "lmsr:liquidity=200", "--ambiguity", "0.3"]
        assert cli.main(words) == cli.EXIT_INPUT
        assert "--ambiguity" in capsys.readouterr().err
