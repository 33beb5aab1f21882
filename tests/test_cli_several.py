"""Options of several values, with commas or as words, before or after the book."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpm_fast as kpm
from kpm_fast.cli import command as cli
from kpm_fast.cli.several import Parser, Several, names, numbers

pytestmark = pytest.mark.unsanitized

CARD = str(Path(__file__).resolve().parent.parent / "examples" / "race_card")
_KNOWN = ("red_one", "green", "blue")


@given(
    st.lists(st.sampled_from(_KNOWN), min_size=1, max_size=4),
    st.lists(st.integers(0, 99), min_size=1, max_size=4),
    st.lists(st.sampled_from([",", " ", ", "]), min_size=8, max_size=8),
    st.permutations(["names", "numbers", "book"]),
    st.booleans(),
)
def test_words_and_commas_are_the_same(
    chosen: list[str], shares: list[int], signs: list[str], order: list[str], equals: bool
) -> None:
    """In any mixture, and whatever follows."""
    parser = Parser()
    parser.add_argument("book")
    parser.add_argument("--names", type=names(_KNOWN))
    parser.add_argument("--numbers", type=Several(numbers))

    def written(option: str, values: list[str]) -> list[str]:
        text = "".join(v + s for v, s in zip(values, [*signs[: len(values) - 1], ""], strict=True))
        words = text.split()
        return [f"{option}={words[0]}", *words[1:]] if equals else [option, *words]

    spelled = [name.replace("_", "-") if row % 2 else name for row, name in enumerate(chosen)]
    words = {
        "names": written("--names", spelled),
        "numbers": written("--numbers", list(map(str, shares))),
        "book": ["folder"],
    }
    args = parser.parse_args([word for part in order for word in words[part]])
    assert (args.names, args.numbers, args.book) == (chosen, shares, "folder")


def test_words_end_where_options_do() -> None:
    parser = Parser()
    parser.add_argument("book")
    parser.add_argument("--numbers", type=Several(numbers))
    assert parser.parse_args(["--numbers", "1", "2", "--", "3"]).book == "3"
    assert parser.parse_args(["4", "--numbers", "1"]).book == "4"


@pytest.mark.parametrize("rules", [["pay-as-bid,competitive"], ["pay_as_bid", "competitive"]])
def test_rules_of_a_sweep(
    rules: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "sweep.csv"
    words = ["sweep", "--ambiguity", "0", "0.01", "--rule", *rules, CARD, "--output", str(target)]
    assert cli.main(words) == 0
    with target.open(encoding="utf-8") as stream:
        rows = [(row["rule"], float(row["ambiguity"])) for row in csv.DictReader(stream)]
    assert sorted(rows) == [(r, o) for r in ("competitive", "pay_as_bid") for o in (0.0, 0.01)]
    assert capsys.readouterr().err == ""


def test_quotes_and_the_form_of_a_book(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read = []
    for quantity in (["1,50"], ["1", "50"]):
        assert cli.main(["quotes", "--json", "--quantity", *quantity, CARD]) == 0
        read.append(json.loads(capsys.readouterr().out))
    assert read[0] == read[1]
    market = kpm.Market([[1, 0]], [0.5, 0.5], claims=["a"], states=["s", "t"])
    kpm.write_book(tmp_path, market, kpm.Orders(["a"], "buy", [0.6], [10]))
    (tmp_path / "orders.csv").write_text("claim,bs,px,quantity\na,B,0.6,10\n")
    words = ["clear", "--columns", "price=px", "side=bs", "--sides", "B=buy", "S=sell"]
    for inventory in (["3", "4"], ["t=4", "s=3"], ["3,4"]):
        assert cli.main([*words, "--inventory", *inventory, str(tmp_path), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["no_trade_equivalent"] > 3


def test_rules_are_spelled_alike_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["clear", CARD, "--rule", "pay-as-bid", "--allocation", "book-order", "--json"]
    assert cli.main(words) == 0
    assert json.loads(capsys.readouterr().out)["rule"] == "pay_as_bid"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["plot", CARD, "--picture", "book,rsk"], "--picture: there is no 'rsk': did you mean"),
        (["plot", CARD, "--picture", "sunset"], "choose from book, "),
        (["sweep", CARD, "--rule", "fair"], "choose from maker_optimal, "),
        (["sweep", CARD, "--ambiguity", "0:1"], "--ambiguity: must be start:stop:count"),
        (["sweep", CARD, "--ambiguity", "0,much"], "must be numbers, got '0,much'"),
        (["quotes", CARD, "--quantity", "1,,2"], "--quantity: must be numbers separated by c"),
        (["experiments", "aggregtion"], "did you mean 'aggregation'"),
        (["clear", CARD, "--columns", "price=a", "price=b"], "each name once"),
    ],
)
def test_wrong_values_are_named(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == cli.EXIT_INPUT
    assert message in capsys.readouterr().err
