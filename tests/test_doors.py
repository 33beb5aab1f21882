"""Every door to a clearing has the same rules for the same maker, and refuses in the same words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from command_line import run
from kpm_fast.analysis.advice import verdict
from kpm_fast.model.rules import RULES
from kpm_fast.storage import book_folder
from makers import EXAMPLES, PRIOR

CONVEX = ("competitive", "pay_as_bid")
OWN = {"knightian": RULES[:3], "lmsr": RULES[:3], "starting_orders": (*CONVEX, "pdca")}
ORDERS = kpm.Orders([0, 1, 2], ["buy", "buy", "sell"], [0.6, 0.4, 0.1], [10, 20, 5])
#: Python's doors: each clears the book by a rule and returns the rule that it went by.
DOORS: dict[str, Callable[[kpm.Market, str], str]] = {
    "clear": lambda market, rule: kpm.clear(market, ORDERS, rule=rule).rule,
    "engine": lambda market, rule: kpm.Engine(market, ORDERS).clear(rule=rule).rule,
    "pairs": lambda market, rule: _only(kpm.clear_many([(market, ORDERS)], rule=rule)),
    "columns": lambda market, rule: _only(kpm.clear_many(_books(market), rule=rule)),
    "sweep": lambda market, rule: kpm.sweep(market, ORDERS, rule=rule)["rule"][0],
}
COMMANDS = ("clear", "plot", "report", "sweep", "advise")


def _books(market: kpm.Market) -> kpm.Books:
    return kpm.Books(market, [0, 0, 0], ORDERS.claim, ORDERS.side, ORDERS.price, ORDERS.quantity)


def _only(batch: kpm.Batch) -> str:
    if batch.errors:
        raise kpm.InputError(str(batch.errors[0]).removeprefix("books[0]: rule: "), field="rule")
    return batch.rule


def market_of(name: str) -> kpm.Market:
    return kpm.Market(np.eye(3), maker=EXAMPLES[name])


def refusal(name: str, rule: str) -> str | None:
    """What is said where a maker does not have a rule."""
    own = OWN.get(name, CONVEX)
    if rule in own:
        return None
    owner = "StartingOrders" if rule == "pdca" else "the Knightian maker or LMSR"
    return (
        f"rule: must be one of {', '.join(own)} for {type(EXAMPLES[name]).__name__}, got {rule!r}, "
        f"which is for {owner}"
    )


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("door", DOORS)
def test_a_maker_has_its_rules_in_every_door(door: str, name: str, rule: str) -> None:
    expected = refusal(name, rule)
    if expected is None:
        assert DOORS[door](market_of(name), rule) == rule
        return
    with pytest.raises(kpm.InputError) as raised:
        DOORS[door](market_of(name), rule)
    assert str(raised.value) == expected


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_maker_has_its_rules_in_every_command(
    name: str, rule: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = tmp_path / "book"
    kpm.write_book(book, market_of(name), ORDERS)
    expected = refusal(name, rule)
    knightian = name in ("knightian", "lmsr")
    for command in COMMANDS:
        outputs = {"plot": tmp_path / "p", "report": tmp_path / "r.html"}
        written = ["--output", outputs[command]] if command in outputs else []
        code = run(command, book, "--rule", rule.replace("_", "-"), *written)
        err = capsys.readouterr().err
        if command == "advise" and not knightian:
            assert code == 2
            assert err.startswith("kpm-fast: market: must have the Knightian maker")
        else:
            assert (code, err) == (
                (0, "") if expected is None else (2, f"kpm-fast: --{expected}\n")
            ), command


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_sweep_without_a_rule_is_by_the_maker_s_own(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That of (8) for the Knightian maker; of another, which has not this one, every rule."""
    knightian = name in ("knightian", "lmsr")
    own = RULES[:1] if knightian else OWN.get(name, CONVEX)
    swept = kpm.sweep(market_of(name), ORDERS)
    assert swept["rule"] == tuple(own)
    for number, rule in enumerate(own):
        alone = kpm.clear(market_of(name), ORDERS, rule=rule)
        assert swept["certainty_equivalent"][number] == alone.certainty_equivalent
    kpm.write_book(tmp_path / "book", market_of(name), ORDERS)
    assert run("sweep", tmp_path / "book", "--output", tmp_path / "swept.csv") == 0
    rows = (tmp_path / "swept.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert {row.split(",")[1] for row in rows} == set(own)
    capsys.readouterr()


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in ("knightian", "lmsr")])
def test_advice_names_the_rules_by_which_other_makers_are_swept(name: str) -> None:
    market = market_of(name)
    rules = ", ".join(OWN.get(name, CONVEX))
    for options in ({}, {"rule": "competitive"}, {"rule": "pdca"}):
        with pytest.raises(kpm.InputError) as raised:
            kpm.advise(market, ORDERS, **options)
        assert str(raised.value) == (
            "market: must have the Knightian maker, on whose ambiguity this advises, got "
            f"{type(EXAMPLES[name]).__name__} (sweep clears by each of its rules, {rules})"
        )


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_only_the_knightian_maker_has(name: str) -> None:
    market = market_of(name)
    if name in ("knightian", "lmsr"):
        assert kpm.implied_ambiguity(market, ORDERS) >= 0.0
        assert kpm.solve_cell(market, ORDERS, [0] * len(market.claims)) is not None
        return
    for ask in (
        lambda: kpm.implied_ambiguity(market, ORDERS),
        lambda: kpm.solve_cell(market, ORDERS, [0] * len(market.claims)),
    ):
        with pytest.raises(
            kpm.InputError, match=r"^market: must have the Knightian maker"
        ) as found:
            ask()
        assert str(found.value).endswith(f"got {type(EXAMPLES[name]).__name__}")


@pytest.mark.parametrize("rule", RULES[:3])
@pytest.mark.parametrize("name", ["knightian", "lmsr"])
def test_advice_by_any_rule_of_the_knightian_maker(name: str, rule: str) -> None:
    """Trade stops at one ambiguity under each (theorem B): below it all of them gain."""
    market = market_of(name)
    advice = kpm.advise(market, ORDERS, rule=rule, tolerance=1e-9)
    assert advice.rule == rule
    assert set(advice.frontier["rule"]) == {rule}
    assert advice.implied_ambiguity == kpm.implied_ambiguity(market, ORDERS)
    assert advice.loss_bound == market.maker.loss_bound()
    assert all(gain > 0.0 for gain in advice.frontier["gain"][:-1])
    assert advice.frontier["gain"][-1] == 0.0
    assert (f"The clearings below are by {rule}." in str(advice)) == (rule != RULES[0])
    for number, ambiguity in enumerate(advice.frontier["ambiguity"]):
        alone = kpm.clear(market.replace(ambiguity=ambiguity), ORDERS, rule=rule, tolerance=1e-9)
        assert advice.frontier["certainty_equivalent"][number] == alone.certainty_equivalent


def test_advice_refuses_what_clear_does_not_know() -> None:
    market = market_of("knightian")
    with pytest.raises(kpm.InputError, match=r"^rule: must be one of maker_optimal, .*'pdca'"):
        kpm.advise(market, ORDERS, rule="pdca")
    with pytest.raises(TypeError, match=r"^advise\(\) got an unexpected .*'ambiguity'"):
        kpm.advise(market, ORDERS, ambiguity=[0.1])
    with pytest.raises(TypeError, match=r"did you mean 'time_limit'\? \(it takes market, orders"):
        kpm.advise(market, ORDERS, **{"time-limit": 1})


@pytest.mark.parametrize(
    "door", [*DOORS.values(), lambda market, rule: kpm.advise(market, ORDERS, rule=rule)]
)
def test_a_misspelled_rule_is_recognised_in_every_door(door: Any) -> None:
    with pytest.raises(kpm.InputError) as raised:
        door(market_of("knightian"), "competetive")
    assert str(raised.value) == (
        f"rule: must be one of {', '.join(RULES)}, got 'competetive': did you mean 'competitive'?"
    )


def test_the_maker_of_an_option_is_advised_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kpm.write_book(tmp_path / "book", market_of("knightian"), ORDERS)
    options = ("--maker", "lmsr:liquidity=50", "--rule", "competitive", "--tolerance", 1e-6)
    assert run("advise", tmp_path / "book", *options) == 0
    out = capsys.readouterr().out
    lmsr = market_of("knightian").replace(maker=kpm.LMSR(50.0, PRIOR))
    advice = kpm.advise(lmsr, ORDERS, rule="competitive", tolerance=1e-6)
    assert out.startswith(str(advice).partition("\n\n")[0] + "\n")
    assert run("advise", tmp_path / "book", "--maker", "utility:wealth=100") == 2
    assert "got UtilityMaker (sweep clears by" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ("clear",),
        ("clear", "--ambiguity", "0.01"),
        ("plot", "--picture", "proof"),
        ("plot", "--allocation", "book_order", "--picture", "proof"),
        ("report", "--no-sensitivity"),
        ("report", "--ambiguity", "0.01"),
        ("quotes",),
        ("sweep",),
        ("advise",),
    ],
)
def test_a_saved_clearing_is_read_once(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = tmp_path / "saved.kpm"
    kpm.clear(market_of("knightian"), ORDERS, certificate=True).save(saved)
    read: list[object] = []
    for place in (book_folder, kpm.result):
        real = place.read_outcome

        def once(path: Any, kind: Any, real: Any = real) -> Any:
            read.append(path)
            return real(path, kind)

        monkeypatch.setattr(place, "read_outcome", once)
    command, *options = words
    if command in ("plot", "report"):
        options += ["--output", str(tmp_path / "written")]
    assert run(command, saved, *options) == 0
    assert len(read) == 1


def test_a_saved_clearing_is_advised_on_by_its_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "saved.kpm"
    kpm.clear(market_of("knightian"), ORDERS, rule="competitive").save(saved)
    assert run("advise", saved) == 0
    assert "The clearings below are by competitive." in capsys.readouterr().out
    assert run("advise", saved, "--rule", "maker-optimal") == 0
    assert "The clearings below" not in capsys.readouterr().out


@pytest.mark.parametrize("picture", ["proof", "book,proof"])
def test_a_saved_rule_without_a_tree_is_refused_before_anything_is_drawn(
    picture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "saved.kpm"
    kpm.clear(market_of("knightian"), ORDERS, rule="competitive").save(saved)
    for options in ((), ("--ambiguity", 0.01)):
        words = ("plot", saved, *options, "--picture", picture, "--output", tmp_path / "p")
        assert run(*words) == 2
        assert "proof: has no tree to draw under competitive" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["saved.kpm"]


@pytest.mark.parametrize("own", [0.0, 0.01, 0.5])
@pytest.mark.parametrize("inventory", [None, [0.0, 1.0, 2.0]])
@pytest.mark.parametrize("crossed", [False, True])
def test_advice_and_report_say_the_same_of_where_trade_stops(
    own: float, inventory: list[float] | None, crossed: bool, tmp_path: Path
) -> None:
    market = kpm.Market(np.eye(3), PRIOR, inventory, ambiguity=own, risk_aversion=0.01)
    orders = kpm.Orders([0, 0], ["buy", "sell"], [0.6, 0.4], [1, 1]) if crossed else ORDERS
    advice = kpm.advise(market, orders)
    lines = verdict(advice.implied_ambiguity, own)
    assert str(advice).splitlines()[: len(lines)] == lines
    kpm.clear(market, orders).report(tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8").replace("&#x27;", "'")
    assert " ".join(lines) in page


def test_a_maker_s_rule_is_kept_where_a_book_is_cleared_again(tmp_path: Path) -> None:
    """Of a maker without the default rule, from a folder and from an archive alike."""
    market = market_of("starting_orders")
    result = kpm.clear(market, ORDERS, rule="pdca")
    result.save(tmp_path / "saved.kpm")
    assert run("clear", tmp_path / "saved.kpm", "--json", tmp_path / "again.json") == 0
    stated = json.loads((tmp_path / "again.json").read_text(encoding="utf-8"))
    assert (stated["rule"], stated["status"]) == ("pdca", "optimal")
    assert stated["orders"]["fill"] == result.fills.tolist()
