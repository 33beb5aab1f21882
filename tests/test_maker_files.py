"""Makers on disk: folders, saved clearings, and the command line."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from kpm_fast.cli import main

pytestmark = pytest.mark.unsanitized

CARD = Path(__file__).resolve().parent.parent / "examples" / "race_card"
STATES = ["2", "draw, or none", "1"]  # numbers in another order are labels, too
PI = np.array([0.5, 0.3, 0.2])
WEALTH = [1.0, -2.0, 1 / 3]
MAKERS = {
    "knightian": kpm.KnightianMaker(PI, 1 / 3, math.inf, WEALTH),
    "lmsr": kpm.LMSR(10 / 3, PI, WEALTH),
    "starting_orders": kpm.StartingOrders([1 / 3, 2.0, 5.0], WEALTH),
    "worst_state": kpm.WorstStateMaker(3, WEALTH),
    "polytope": kpm.PolytopeMaker([PI, [0.1, 0.0, 0.9]], 0.0),
    "utility": kpm.UtilityMaker(PI, 50 / 3, WEALTH),
    "quadratic": kpm.QuadraticMaker(PI, 50 / 3, WEALTH),
}
ORDERS = kpm.Orders(["a", "b", "a"], ["buy", "sell", "buy"], [0.7, 0.4, 0.6], [1, 2, 3])


def market_of(maker: kpm.Maker) -> kpm.Market:
    return kpm.Market([[1, 0, 0], [0, 1, 1]], claims=["a", "b"], states=STATES, maker=maker)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_folder_keeps_its_maker(kind: str, tmp_path: Path) -> None:
    market = market_of(MAKERS[kind])
    kpm.write_book(tmp_path, market, ORDERS)
    copy, orders = kpm.read_book(tmp_path)
    assert (copy, orders) == (market, ORDERS)
    assert type(copy.maker) is type(MAKERS[kind])
    stated = json.loads((tmp_path / "market.json").read_text())
    assert stated["maker"]["kind"] == kind
    # Numbers by state are found by label, whatever their order.
    for name in ("delta", "priors"):
        if name in stated["maker"]:
            rows = stated["maker"][name]
            turned = (
                [dict(reversed(row.items())) for row in rows]
                if kind == "polytope"
                else (dict(reversed(rows.items())))
            )
            (tmp_path / "market.json").write_text(
                json.dumps({"maker": {**stated["maker"], name: turned}})
            )
            assert kpm.read_book(tmp_path)[0] == market
    moved, _ = kpm.read_book(tmp_path, inventory={"1": 3, "2": 1, "draw, or none": 2})
    assert moved.inventory.tolist() == [1, 2, 3]
    assert moved.maker == market.maker.replace(inventory=[1, 2, 3])
    assert market.replace(inventory=[1, 2, 3]) == moved


FAULTS: list[tuple[Any, str]] = [
    ("lmsr", r"market\.json: maker: must be an object whose kind"),
    ({"kind": "bookie"}, r"market\.json: maker: must be an object whose kind is one of knightian"),
    (
        {"kind": "lmsr"},
        r"market\.json: liquidity: is missing, which a maker of kind 'lmsr' needs",
    ),
    (
        {"kind": "lmsr", "liquidty": 1},
        r"market\.json: liquidty: is no parameter of a maker of kind 'lmsr': did you mean 'liqui",
    ),
    (
        {"kind": "lmsr", "liquidity": 1, "wealth": 1},
        r"wealth: is no parameter .* \(parameters: liquidity, prior, inventory\)",
    ),
    (
        {"kind": "lmsr", "liquidity": 1, "labels": ["a", "b", "c"]},
        r"market\.json: labels: is no parameter: the states have theirs",
    ),
    (
        {"kind": "worst_state", "states": 2},
        r"market\.json: states: must be 3, as many as states\.csv has, got 2",
    ),
    ({"kind": "worst_state", "states": -1}, r"states: must be 3, .*, got -1"),
    ({"kind": "worst_state", "states": True}, r"states: must be 3, .*, got True"),
    ({"kind": "worst_state", "states": ["1", "2"]}, r"states: must be 3, .*, got \['1', '2'\]"),
    ({"kind": "lmsr", "liquidity": -1}, r"market\.json: liquidity: must be between"),
    (
        {"kind": "lmsr", "liquidity": 1, "prior": [1]},
        r"market\.json: prior: belongs in a column of states.csv, got \[1\]",
    ),
    ({"kind": "starting_orders", "delta": {"1": 1, "2": 2, "x": 3}}, r"delta: lacks.*'x'"),
    ({"kind": "starting_orders", "delta": [1, 2]}, r"market\.json: delta: must be an object"),
    (
        {"kind": "polytope", "risk_aversion": 1, "priors": [[1]]},
        r"market\.json: priors: must be an",
    ),
]


@pytest.mark.parametrize(("maker", "message"), FAULTS)
def test_faults_in_market_json_are_named(maker: Any, message: str, tmp_path: Path) -> None:
    kpm.write_book(tmp_path, market_of(MAKERS["lmsr"]), ORDERS)
    (tmp_path / "market.json").write_text(json.dumps({"maker": maker}))
    with pytest.raises(kpm.InputError, match=message):
        kpm.read_book(tmp_path)


@pytest.mark.parametrize("states", [3, 3.0, STATES, None])
def test_a_maker_of_the_worst_state_may_say_how_many(states: Any, tmp_path: Path) -> None:
    market = market_of(MAKERS["worst_state"])
    kpm.write_book(tmp_path, market, ORDERS)
    stated = {"kind": "worst_state"} | ({} if states is None else {"states": states})
    (tmp_path / "market.json").write_text(json.dumps({"maker": stated}))
    assert kpm.read_book(tmp_path)[0] == market


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_market_json_in_the_encodings_of_tables(encoding: str, tmp_path: Path) -> None:
    """Found by the mark, also where encoding= names that of the tables."""
    market = market_of(MAKERS["starting_orders"]).replace(states=["ä", "b", "c"])
    kpm.write_book(tmp_path, market, ORDERS)
    path = tmp_path / "market.json"
    text = json.dumps(json.loads(path.read_text()), ensure_ascii=False)
    path.write_bytes(text.encode(encoding))
    assert kpm.read_book(tmp_path) == (market, ORDERS)
    for name in ("claims.csv", "states.csv"):
        table = tmp_path / name
        table.write_bytes(table.read_bytes().decode().encode("cp1252"))
    assert kpm.read_book(tmp_path, encoding="cp1252") == (market, ORDERS)
    path.write_bytes(text.encode("cp1252"))
    with pytest.raises(kpm.InputError, match=r"market\.json: is not UTF-8 text: [^(]*$"):
        kpm.read_book(tmp_path, encoding="cp1252")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"ambiguity": Infinity}', 'is not JSON: it has no Infinity: write "Infinity" at column'),
        ('{"risk_aversion": NaN}', "is not JSON: it has no NaN at column 19"),
        ('{"risk_aversion": 1e400}', "risk_aversion: is beyond the range of a double, got '1e400'"),
        ('{"risk_aversion": "NaN"}', "risk_aversion: must be a number, got 'NaN'"),
        ('{"risk_aversion": true}', "risk_aversion: must be a number, got True"),
        ('{"risk_aversion": -1}', "risk_aversion: must be a finite number > 0, got -1"),
        ('{"maker": {"kind": "lmsr", "liquidity": 1e400}}', "liquidity: is beyond the range of a"),
        ("3", "must hold a JSON object, got 3"),
    ],
)
def test_one_rule_for_numbers_in_a_folder_and_in_one_file(
    text: str, said: str, tmp_path: Path
) -> None:
    kpm.write_book(tmp_path, market_of(MAKERS["lmsr"]), ORDERS)
    (tmp_path / "market.json").write_text(text)
    with pytest.raises(kpm.InputError) as caught:
        kpm.read_book(tmp_path)
    line = ", line 1" if said.startswith("is not JSON") else ""
    assert str(caught.value).startswith(f"{tmp_path / 'market.json'}{line}: {said}")
    if text == "3":
        return
    path = tmp_path / "book.json"
    kpm.write_book(path, market_of(MAKERS["lmsr"]), ORDERS)
    tables = path.read_text().partition('"claims": [')[2]
    path.write_text(f'{text[:-1]}, "claims": [{tables}')
    with pytest.raises(kpm.InputError) as caught:
        kpm.read_book(path)
    assert str(caught.value).startswith(f"{path}{line}: {said}")


def test_faults_in_states_csv_have_their_line(tmp_path: Path) -> None:
    kpm.write_book(tmp_path, market_of(MAKERS["lmsr"]), ORDERS)
    lines = (tmp_path / "states.csv").read_text().splitlines()
    lines[2] = lines[2].replace("0.3", "-0.3")
    (tmp_path / "states.csv").write_text("\n".join(lines))
    with pytest.raises(kpm.InputError, match=r"states\.csv, line 3: prior: must be greater"):
        kpm.read_book(tmp_path)
    with pytest.raises(kpm.InputError, match=r"^risk_aversion: is set by the 'lmsr' maker"):
        kpm.read_book(tmp_path, risk_aversion=2.0)
    (tmp_path / "market.json").write_text('{"maker": {"kind": "lmsr"}, "ambiguity": 0.1}')
    with pytest.raises(
        kpm.InputError, match=r"market\.json: maker: must be the only setting, got 'ambiguity'"
    ):
        kpm.read_book(tmp_path)


@pytest.mark.parametrize("rule", ["competitive", "pay_as_bid"])
@pytest.mark.parametrize("maker", ["starting_orders:delta=10", "worst_state"])
def test_a_saved_clearing_is_cleared_again_by_its_own_rule(
    rule: str, maker: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved, again = tmp_path / "saved.npz", tmp_path / "again.npz"
    given = ["--maker", maker, "--rule", rule, "--allocation", "book_order"]
    assert main(["clear", str(CARD), *given, "--quiet", "--save", str(saved)]) == 0
    assert main(["clear", str(saved), "--quiet", "--save", str(again)]) == 0
    first, second = kpm.load_result(saved), kpm.load_result(again)
    assert (second.rule, second.allocation) == (rule, "book_order")
    assert second.fills.tolist() == first.fills.tolist()
    assert (
        main(["clear", str(saved), "--rule", "competitive", "--quiet", "--save", str(again)]) == 0
    )
    assert kpm.load_result(again).rule == "competitive"
    assert main(["clear", str(saved), "--rule", "maker_optimal"]) == 2
    assert "which is for the Knightian maker" in capsys.readouterr().err


def test_makers_of_the_command_line_take_from_the_book(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    market, _ = kpm.read_book(CARD)

    def ask(*arguments: str) -> Any:
        assert main(["quotes", *arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    own = ask(str(CARD))
    assert ask(str(CARD), "--maker", "knightian") == own
    wide = market.maker.replace(ambiguity=0.2)
    assert ask(str(CARD), "--maker", "knightian:ambiguity=0.2")["ask"] == (
        wide.quotes(market)["ask"].tolist()
    )
    file = tmp_path / "priors.csv"
    rows = [
        f"{name},{p},{p / 2 + 1 / 12}" for name, p in zip(market.states, market.prior, strict=True)
    ]
    file.write_text("\n".join(["state,base,flat", *reversed(rows)]))
    hull = kpm.PolytopeMaker([market.prior, market.prior / 2 + 1 / 12], 0.5)
    asked = ask(str(CARD), "--maker", f"polytope:risk_aversion=0.5,priors={file}")["ask"]
    assert asked == pytest.approx(hull.quotes(market.payoffs)["ask"], rel=1e-12)
    assert main(["quotes", str(CARD), "--maker", "polytope:risk_aversion=1"]) == 2
    assert "polytope needs priors=FILE" in capsys.readouterr().err
    file.write_text("state\n" + "\n".join(market.states))
    assert main(["quotes", str(CARD), "--maker", f"polytope:priors={file}"]) == 2
    assert "a column for each prior" in capsys.readouterr().err
    for first, said in (
        ("nan", f"line {len(market.states) + 1}: flat: must be between 0 and 1, got nan"),
        ("0.9", "csv: flat: must sum to 1 within 1e-09, but sums to "),
    ):
        wrong = [
            row.rpartition(",")[0] + f",{0 if place else first}" for place, row in enumerate(rows)
        ]
        file.write_text("\n".join(["state,base,flat", *reversed(wrong)]))
        assert main(["quotes", str(CARD), "--maker", f"polytope:priors={file}"]) == 2
        assert said in capsys.readouterr().err
