"""``kpm-fast verify``, and the options of ``kpm-fast clear`` that lead to it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import kpm_fast as kpm
from command_line import run
from kpm_fast.cli import command as cli
from proofs import prove

pytestmark = pytest.mark.unsanitized

MARKET = kpm.Market(np.eye(3), [0.3, 0.3, 0.4], claims=["home", "draw", "away"])
ORDERS = kpm.Orders(["home", "draw", "home"], ["buy", "buy", "sell"], [0.6, 0.4, 0.5], [1, 1, 0.5])


@pytest.fixture(scope="module")
def proven() -> kpm.Result:
    return prove(MARKET, ORDERS)


def saved(result: kpm.Result, folder: Path) -> Path:
    result.save(folder / "clearing.npz")
    return folder / "clearing.npz"


def test_a_proven_clearing(
    proven: kpm.Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = saved(proven, tmp_path)
    assert run("verify", file) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(f"{file}: 3 states, 3 claims, 3 orders\noptimal: certainty equivalent ")
    assert f"\ncertificate: {proven.certificate}\n" in out
    for word in ("Clearing", "Certificate", "leaves tile all cells"):
        assert word in out
    assert out.endswith("Valid, and proven: no clearing is better by more than the gap.\n")
    assert "\x1b" not in out
    assert max(map(len, out.splitlines()[3:])) <= 100


def test_json(proven: kpm.Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = saved(proven, tmp_path)
    assert run("verify", file, "--json") == 0
    data = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    checks = data.pop("checks")
    assert proven.certificate is not None
    assert data == {
        "file": str(file),
        "valid": True,
        "proven": True,
        "status": "optimal",
        "message": proven.message,
        "certainty_equivalent": proven.certainty_equivalent,
        "objective": proven.objective,
        "upper_bound": proven.upper_bound,
        "gap": proven.gap,
        "leaves": len(proven.certificate),
    }
    expected = {
        "clearing": proven.verify(),
        "certificate": kpm.check_certificate(MARKET, ORDERS, proven),
    }
    found = [(check["group"], check["name"], check["figure"]) for check in checks]
    assert found == [
        (name, check.name, check.figure)
        for name, group in expected.items()
        for check in group.checks
    ]
    assert all(check["passed"] for check in checks)


def test_json_holds_infinite_figures(
    proven: kpm.Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = dataclasses.replace(proven, upper_bound=np.inf, revenue=np.nan)
    assert run("verify", saved(broken, tmp_path), "--json") == 1
    data = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert data["upper_bound"] == "Infinity"
    assert (data["valid"], data["proven"]) == (False, False)
    assert not all(check["passed"] for check in data["checks"])


def test_an_invalid_proof(
    proven: kpm.Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert proven.certificate is not None
    lower = dataclasses.replace(proven.certificate, bound=proven.certificate.bound - 0.1)
    file = saved(dataclasses.replace(proven, certificate=lower), tmp_path)
    assert run("verify", file) == 1
    out = capsys.readouterr().out
    assert "FAILED" in out
    assert out.endswith("NOT VALID: bounds at least what they follow from, in roundings\n")


def test_an_invalid_clearing(proven: kpm.Result, tmp_path: Path) -> None:
    moved = dataclasses.replace(proven, revenue=proven.revenue + 1, certificate=None)
    assert run("verify", saved(moved, tmp_path)) == 1


def test_without_a_certificate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = saved(kpm.clear(MARKET, ORDERS), tmp_path)
    assert run("verify", file) == 0
    out = capsys.readouterr().out
    assert "Certificate" not in out
    assert "taken on trust: there is no certificate." in out
    assert run("verify", file, "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["valid"], data["proven"], data["leaves"]) == (True, False, None)


def test_unreadable_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text").write_text("no clearing")
    assert run("verify", tmp_path / "text") == cli.EXIT_INPUT == 2
    assert "text: is not a kpm-fast clearing" in capsys.readouterr().err
    assert run("verify", tmp_path / "none") == 2
    assert capsys.readouterr().err.endswith("none: No such file or directory\n")
    with pytest.raises(SystemExit) as caught:
        run("verify")
    assert caught.value.code == 2


def test_clear_saves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kpm.write_book(tmp_path / "book", MARKET, ORDERS)
    file = tmp_path / "deep" / "clearing.npz"
    assert run("clear", tmp_path / "book", "--quiet", "--ambiguity", "inf", "--save", file) == 0
    assert run("verify", file) == 0
    loaded = kpm.load_result(file)
    assert loaded.market == MARKET.replace(ambiguity=np.inf, states=loaded.market.states)
    assert loaded == kpm.clear(loaded.market, loaded.orders)


def test_enumeration_has_no_certificate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kpm.write_book(tmp_path / "book", MARKET, ORDERS)
    options = ["--certificate", "--method", "enumerate", "--save", tmp_path / "file"]
    assert run("clear", tmp_path / "book", *options) == 2
    assert "--certificate: is not available with --method enumerate" in capsys.readouterr().err
    assert not (tmp_path / "file").exists()


def test_a_clearing_by_a_convex_rule_proves_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = str(Path(__file__).parent.parent / "examples" / "race_card")
    file = str(tmp_path / "clearing.kpm")
    words = ["clear", card, "--rule", "pay_as_bid", "--maker", "worst_state", "--save", file]
    assert cli.main(words) == 0
    capsys.readouterr()
    assert cli.main(["verify", file]) == 0
    assert "proven by duality" in capsys.readouterr().out
    assert cli.main(["verify", file, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["proven"] is True
    saved = kpm.load_result(file)
    with pytest.raises(kpm.InputError, match="certificate"):
        kpm.check_certificate(saved.market, saved.orders, saved)
