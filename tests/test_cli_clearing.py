"""How a book is cleared, said with the same options to every command that clears."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

import kpm_fast as kpm
from command_line import run
from kpm_fast.cli.clearing_options import all_ended
from kpm_fast.model.maker_form import maker_from_text
from kpm_fast.model.rules import RULES

pytestmark = pytest.mark.unsanitized

RACE = Path(__file__).parent.parent / "examples" / "race_card"
MAKERS = {
    "lmsr:liquidity=100": ("competitive", "pay_as_bid", "maker_optimal"),
    "starting_orders:delta=10": ("competitive", "pay_as_bid", "pdca"),
    "utility:wealth=1000": ("competitive", "pay_as_bid"),
    "worst_state": ("competitive", "pay_as_bid"),
}
#: Each command that clears one book, and the file that says by which rule.
COMMANDS = ("clear", "plot", "report")


def cleared_by(
    command: str, folder: Path, monkeypatch: pytest.MonkeyPatch, *options: object
) -> tuple[int, kpm.Result]:
    """The exit code of a command, and the result that it writes, draws or reports."""
    shown: list[kpm.Result] = []
    if command == "plot":
        real = kpm.Result.plot
        monkeypatch.setattr(
            "kpm_fast.cli.plot.draw", lambda result, *kind: shown.append(result) or real(result)
        )
    elif command == "report":
        monkeypatch.setattr(
            "kpm_fast.cli.report.write_report", lambda result, *rest: shown.append(result)
        )
    output = {
        "clear": ("--save", folder / "c.kpm"),
        "plot": ("--output", folder / "p"),
        "report": ("--output", folder / "r.html"),
    }
    code = run(command, *options, *output[command])
    return code, shown[0] if shown else kpm.load_result(folder / "c.kpm")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("maker", MAKERS)
def test_any_rule_and_maker(
    command: str, maker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book, _ = kpm.read_book(RACE)
    for rule in MAKERS[maker]:
        options = ("--maker", maker, "--rule", rule.replace("_", "-"), "--allocation", "book-order")
        code, result = cleared_by(command, tmp_path, monkeypatch, RACE, *options)
        assert (code, result.rule, result.allocation) == (0, rule, "book_order")
        assert result.market == book.replace(maker=maker_from_text(maker, book))
        again = kpm.clear(result.market, result.orders, rule=rule, allocation="book_order")
        assert result.fills.tolist() == again.fills.tolist()


@pytest.mark.parametrize("command", [*COMMANDS, "sweep"])
def test_a_rule_that_the_maker_lacks(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = () if command == "clear" else ("--output", tmp_path / "x")
    assert run(command, RACE, "--maker", "worst_state", "--rule", "pdca", *options) == 2
    assert "must be one of competitive, pay_as_bid for WorstStateMaker" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("rule", ["maker_optimal", "competitive"])
def test_a_time_limit_ends_every_command_with_what_it_has(
    command: str,
    rule: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ("--rule", rule, "--time-limit", 0)
    code, result = cleared_by(command, tmp_path, monkeypatch, RACE, *options)
    assert (code, result.status) == (3, kpm.Status.TIME_LIMIT)
    out, err = capsys.readouterr()
    assert result.message in (err if command != "clear" else out)


@pytest.mark.parametrize("command", ["plot", "report"])
def test_a_saved_clearing_keeps_its_rule_and_allocation(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = tmp_path / "saved.kpm"
    options = ("--rule", "pay-as-bid", "--allocation", "book-order", "--save", saved, "--quiet")
    assert run("clear", RACE, *options) == 0
    code, result = cleared_by(command, tmp_path, monkeypatch, saved)
    assert (code, result) == (0, kpm.load_result(saved))
    code, result = cleared_by(command, tmp_path, monkeypatch, saved, "--ambiguity", 0.005)
    assert (code, result.rule, result.allocation) == (0, "pay_as_bid", "book_order")
    assert result.market.ambiguity == 0.005
    code, result = cleared_by(command, tmp_path, monkeypatch, saved, "--rule", "competitive")
    assert (code, result.rule, result.allocation) == (0, "competitive", "book_order")


def test_a_saved_clearing_is_swept_by_its_rule(tmp_path: Path) -> None:
    saved, table = tmp_path / "saved.kpm", tmp_path / "swept.csv"
    assert run("clear", RACE, "--rule", "competitive", "--save", saved, "--quiet") == 0
    for options, rule in (((), "competitive"), (("--rule", "pay_as_bid"), "pay_as_bid")):
        assert run("sweep", saved, "--ambiguity", "0,0.01", "--output", table, *options) == 0
        with table.open(encoding="utf-8") as stream:
            assert {row["rule"] for row in csv.DictReader(stream)} == {rule}


def test_sweeps_and_advice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "swept.csv"
    options = ("--rule", "competitive,pay_as_bid", "--allocation", "book-order", "--output", table)
    assert run("sweep", RACE, "--maker", "utility:wealth=1000", *options) == 0
    with table.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["rule"], row["status"]) for row in rows] == [
        ("competitive", "optimal"),
        ("pay_as_bid", "optimal"),
    ]
    assert run("sweep", RACE, "--maker", "worst_state", "--output", table) == 0
    with table.open(encoding="utf-8") as stream:
        assert [row["rule"] for row in csv.DictReader(stream)] == ["competitive", "pay_as_bid"]
    capsys.readouterr()
    options = ("--maker", "worst_state", "--rule", "competitive", "--ambiguity", "0,1")
    assert run("sweep", RACE, *options) == 2
    assert "can be varied for the Knightian maker only" in capsys.readouterr().err
    options = ("--maker", "worst_state", "--rule", "competitive", "--plot", str(tmp_path / "p"))
    assert run("sweep", RACE, *options) == 2
    assert "--plot: needs a maker with an ambiguity" in capsys.readouterr().err


def test_a_stopped_sweep_or_advice_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    table = tmp_path / "swept.csv"
    rules = ("--rule", "maker_optimal,competitive", "--ambiguity", "0,0.005")
    for words in (("sweep", RACE, *rules, "--output", table), ("advise", RACE)):
        assert run(*words, "--time-limit", 0) == 3
        out, err = capsys.readouterr()
        stopped, total = out.count("time_limit"), out.count("time_limit") + out.count(" optimal")
        assert 0 < stopped <= total == (4 if words[0] == "sweep" else 8)
        assert f"note: {stopped} of {total} clearings are not proven optimal: " in err
        assert err.endswith(f": {stopped} time_limit\n")
    with table.open(encoding="utf-8") as stream:
        assert "time_limit" in {row["status"] for row in csv.DictReader(stream)}
    advice = kpm.advise(*kpm.read_book(RACE), time_limit=0.0)
    lines = str(advice).splitlines()[-8:]
    assert [line.split()[-1] for line in lines] == list(advice.frontier["status"])


@pytest.mark.parametrize(
    ("statuses", "code", "words"),
    [
        (["optimal", "optimal"], 0, None),
        (["optimal", "inaccurate"], 3, "1 of 2 clearings are not proven optimal: 1 inaccurate"),
        (["interrupted", "time_limit", "time_limit"], 130, "3 of 3 .*: 1 interrupted, 2 time_li"),
    ],
)
def test_how_several_clearings_ended(
    statuses: list[str], code: int, words: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert all_ended(statuses) == code
    err = capsys.readouterr().err
    assert err == "" if words is None else re.search(f"^kpm-fast: note: {words}", err)


@pytest.mark.parametrize("command", ["plot", "report"])
@pytest.mark.parametrize("status", ["time_limit", "inaccurate", "interrupted"])
def test_a_saved_clearing_that_stopped_says_so(
    command: str,
    status: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stopped = kpm.clear(*kpm.read_book(RACE), time_limit=0.0)
    stopped = dataclasses.replace(stopped, status=kpm.Status(status))
    stopped.save(tmp_path / "saved.kpm")
    code, result = cleared_by(command, tmp_path, monkeypatch, tmp_path / "saved.kpm")
    assert (code, result) == (130 if status == "interrupted" else 3, stopped)
    assert stopped.message in capsys.readouterr().err


@pytest.mark.parametrize("book", ["tables", "saved"])
def test_a_rule_without_a_tree_is_not_drawn(
    book: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved, words = tmp_path / "saved.kpm", [RACE, "--rule", "competitive"]
    if book == "saved":
        kpm.clear(*kpm.read_book(RACE), rule="competitive").save(saved)
        words = [saved]
    before = list(tmp_path.iterdir())
    assert run("plot", *words, "--picture", "book,proof", "--output", tmp_path / "p") == 2
    assert "proof: has no tree to draw under competitive" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == before


def test_no_picture_is_written_if_another_cannot_be_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "saved.kpm"
    kpm.clear(*kpm.read_book(RACE)).save(saved)
    for pictures, claim, words in (
        ("book,proof", (), "certificate: is missing"),
        ("fills,book", ("--claim", "nobody"), "no claim 'nobody'"),
    ):
        options = ("--picture", pictures, "--output", tmp_path / "p", *claim)
        assert run("plot", saved, *options) == 2
        assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [saved]


@pytest.mark.parametrize("status", ["time_limit", "inaccurate"])
def test_verify_trusts_the_bound_of_a_stopped_clearing_without_a_certificate(
    status: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = kpm.clear(*kpm.read_book(RACE), time_limit=0.0)
    dataclasses.replace(stopped, status=kpm.Status(status)).save(tmp_path / "saved.kpm")
    assert run("verify", tmp_path / "saved.kpm") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert out.endswith(
        f"Valid, but not proven optimal. The bound, {stopped.upper_bound:.9g}, is taken on trust: "
        "there is no certificate."
    )


@pytest.mark.parametrize("command", ["clear", "plot", "report", "quotes", "sweep", "advise"])
def test_help_says_that_a_saved_clearing_is_a_book(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(command, "--help")
    out = " ".join(capsys.readouterr().out.split())
    assert "(JSON, CSV, Parquet), or what clear --save wrote" in out


def test_verify_says_what_is_proven_of_a_stopped_clearing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "saved.kpm"
    for rule, words in (
        ("pay_as_bid", "Proven by duality is the bound: no fills have an objective above"),
        ("maker_optimal", "Proven by the certificate is the bound: no clearing is worth more than"),
    ):
        stopped = ("--rule", rule, "--time-limit", 0, "--save", saved)
        assert run("clear", RACE, "--quiet", *stopped) == 3
        capsys.readouterr()
        bound = kpm.load_result(saved).upper_bound
        assert run("verify", saved) == 0
        out = " ".join(capsys.readouterr().out.split())
        assert f"The bound, {bound:.9g}, is taken on trust: there is no certificate." in out
        assert run("clear", RACE, "--quiet", "--certificate", *stopped) == 3
        capsys.readouterr()
        result = kpm.load_result(saved)
        assert run("verify", saved) == 0
        out = " ".join(capsys.readouterr().out.split())
        assert f"Valid, but not proven optimal. {words} {result.upper_bound:.9g}" in out
        assert f"{result.gap:.2g} more than th" in out
        assert run("verify", saved, "--json") == 0
        stated = json.loads(capsys.readouterr().out)
        assert (stated["valid"], stated["proven"]) == (True, False)
        assert (stated["objective"], stated["gap"]) == (result.objective, result.gap)


def test_every_form_of_a_result_says_how_it_ended(tmp_path: Path) -> None:
    market, orders = kpm.read_book(RACE)
    prior = [*market.prior[:-1], market.prior[-1] + 1e-5]  # divided by its sum, which is told
    given = [
        kpm.KnightianMaker(np.round(prior, 5), 0.01, 0.02),
        kpm.LMSR(100.0, np.round(prior, 5)),
        kpm.UtilityMaker(np.round(prior, 5), 1e4),
        kpm.QuadraticMaker(np.round(prior, 5), 1e3),
        kpm.StartingOrders(np.full(6, 10.0)),
    ]
    cases = [(market, rule, limit) for rule in RULES[:3] for limit in (None, 0.0)]
    cases += [(market.replace(maker=maker), "competitive", None) for maker in given]
    for each, rule, time_limit in cases:
        result = kpm.clear(each, orders, rule=rule, time_limit=time_limit)
        stated = json.loads(result.to_json())
        assert (stated["message"], stated["relative_gap"]) == (
            result.message,
            result.relative_gap,
        )
        result.save(tmp_path / "c.kpm")
        with zipfile.ZipFile(tmp_path / "c.kpm") as archive:
            header = json.loads(archive.read("header.json"))
        assert (header["message"], header["relative_gap"]) == (
            result.message,
            result.relative_gap,
        )
        again = kpm.load_result(tmp_path / "c.kpm")
        assert again == result
        assert again.message == result.message
        assert again.market.prior_sum == result.market.prior_sum
        assert again.market.replace(claims=None).prior_sum == result.market.prior_sum
        assert stated.get("prior_sum", 1.0) == result.market.prior_sum


def test_files_of_version_3_are_read(tmp_path: Path) -> None:
    """They are as now, without two fields of the header."""
    result = kpm.clear(*kpm.read_book(RACE), rule="competitive")
    result.save(tmp_path / "now.kpm")
    with (
        zipfile.ZipFile(tmp_path / "now.kpm") as now,
        zipfile.ZipFile(tmp_path / "then.kpm", "w") as then,
    ):
        header = json.loads(now.read("header.json"))
        del header["message"], header["relative_gap"]
        header["version"] = 3
        then.writestr("header.json", json.dumps(header))
        for name in now.namelist()[1:]:
            then.writestr(name, now.read(name))
    assert kpm.load_result(tmp_path / "then.kpm") == result


def test_a_sweep_by_the_rules_of_another_maker() -> None:
    market, orders = kpm.read_book(RACE)
    utility = market.replace(maker=kpm.UtilityMaker(market.prior, 1000.0))
    swept = kpm.sweep(utility, orders, rule=["competitive", "pay_as_bid"])
    for number, rule in enumerate(swept["rule"]):
        result = kpm.clear(utility, orders, rule=rule)
        assert swept["certainty_equivalent"][number] == result.certainty_equivalent
        assert abs(swept["expected_payoff"][number] - result.expected_payoff) <= 1e-9
    assert str(swept["ambiguity"]) == "(nan, nan)"
    with pytest.raises(kpm.InputError, match="ambiguity: has no values to draw against"):
        swept.plot("gain")
    assert kpm.sweep(utility, orders)["rule"] == ("competitive", "pay_as_bid")
    with pytest.raises(kpm.InputError, match=r"rule: must be one of competitive, pay_as_bid for"):
        kpm.sweep(utility, orders, rule="maker_optimal")
    for field, value in (("ambiguity", 0.1), ("risk_aversion", [1.0]), ("prior", {"a": [1.0]})):
        with pytest.raises(kpm.InputError, match=f"^{field}: can be varied for the Knightian"):
            kpm.sweep(utility, orders, rule="competitive", **{field: value})
    with pytest.raises(kpm.InputError, match="market: must have the Knightian maker"):
        kpm.advise(utility, orders)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--rule competitive --node-limit 5", "--node-limit: is not available with --rule compe"),
        ("--rule pay-as-bid --method enumerate", "--method: is not available with --rule pay_as_"),
        ("--method enumerate --certificate", "--certificate: is not available with --method enu"),
        ("--rule pdca", "--rule: must be one of maker_optimal"),
        ("--tolerance 2", "--tolerance: must be between 0 and 1, got 2.0"),
        ("--time-limit=-1", "--time-limit: must be a number of seconds"),
        ("--allocation time", "--allocation: 'time' needs times"),
        ("--threads 0", "--threads: must be at least 1, got 0"),
        ("--cell-limit 0", "--cell-limit: must be at least 1, got 0"),
    ],
)
def test_refusals_name_options_and_come_before_the_book(
    options: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kpm.write_book(tmp_path / "book", *_timeless(kpm.read_book(RACE)))
    assert run("clear", tmp_path / "book", *options.split()) == 2
    out, err = capsys.readouterr()
    assert err.startswith(f"kpm-fast: {told}")
    assert out == ""
    if not re.search("node|method|certificate|cell", options):
        for command in ("sweep", "advise"):
            assert run(command, tmp_path / "book", *options.split()) == 2
            assert capsys.readouterr().err.startswith(f"kpm-fast: {told}")


def _timeless(book: tuple[kpm.Market, kpm.Orders]) -> tuple[kpm.Market, kpm.Orders]:
    market, orders = book
    return market, kpm.Orders(orders.claim, orders.side, orders.price, orders.quantity)


def test_a_maker_without_an_ambiguity_is_swept_without_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("sweep", RACE, "--maker", "utility:wealth=200") == 0
    out = capsys.readouterr().out
    assert "competitive" in out
    assert "nan" not in out
    assert "ambiguity" not in out
    market, orders = kpm.read_book(RACE)
    utility = market.replace(maker=kpm.UtilityMaker(market.prior, 200.0))
    assert "nan" not in str(kpm.sweep(utility, orders, rule="competitive"))
