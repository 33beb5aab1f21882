"""The kpm-fast command: what it prints, writes and returns."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from command_line import MARKET, ORDERS, run
from kpm_fast.cli import command as cli
from kpm_fast.embedding import OPTIONS
from programs import kpm_fast_command, run_command

pytestmark = pytest.mark.unsanitized


@pytest.fixture
def book(tmp_path: Path) -> Path:
    kpm.write_book(tmp_path / "book", MARKET, ORDERS)
    return tmp_path / "book"


def test_clear_prints_tables(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("clear", book) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(f"{book}: 3 states, 3 claims, 4 orders, 25 cells\n")
    for word in ("Prices", "States", "Fills", "Maker's position", "[red]home", "optimal", "gap"):
        assert word in out
    assert "\x1b" not in out
    assert max(map(len, out.splitlines()[1:])) <= 100


@pytest.mark.parametrize(
    ("maker", "rule", "words"),
    [
        ("lmsr:liquidity=200", "competitive", "LMSR(3 states, liquidity=200)"),
        ("starting_orders:delta=6", "pdca", "StartingOrders(3 states, delta=1.8 to 2.4)"),
        ("knightian:risk_aversion=0.5,ambiguity=0.1", "pay_as_bid", "risk aversion 0.5, ambigu"),
    ],
)
def test_a_convex_rule_has_no_cells_and_a_maker_its_own_name(
    maker: str, rule: str, words: str, book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("clear", book, "--maker", maker, "--rule", rule) == 0
    first, second = capsys.readouterr().out.splitlines()[:2]
    assert first == f"{book}: 3 states, 3 claims, 4 orders"
    assert second.startswith(words)


def test_clear_options_reach_the_solver(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--risk-aversion", 2, "--ambiguity", "inf", "--inventory", "1,2,-3"]
    options += ["--threads", 1, "--tolerance", 1e-8, "--allocation", "book_order"]
    options += ["--no-prune-bounds"]
    assert run("clear", book, *options, "--json") == 0
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert "3 states" in err
    assert (data["risk_aversion"], data["ambiguity"]) == (2, "Infinity")
    assert data["states"]["inventory"] == [1, 2, -3]
    assert (data["tolerance"], data["allocation"]) == (1e-8, "book_order")
    assert (data["stats"]["threads"], data["stats"]["pruned_bound"]) == (1, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
@pytest.mark.parametrize("through", ["itself", "link to the folder", "link to a file"])
def test_clear_does_not_replace_its_input(
    book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], through: str
) -> None:
    before = {path.name: path.read_bytes() for path in book.iterdir()}
    out = book
    if through != "itself":
        out = tmp_path / "out"
        if through == "link to a file":
            out.mkdir()
            (out / "result.json").symlink_to(book / "market.json")
        else:
            out.symlink_to(book)
    inventory = tmp_path / "wealth.csv"
    inventory.write_text("state,inventory\nH,0\nD,0\nA,1\n")
    for options, name in (
        (["--output", out], "--output"),
        (
            ["--save", out / ("result.json" if through == "link to a file" else "orders.csv")],
            "--save",
        ),
        (["--json", book / "claims.csv"], "--json"),
        (["--inventory", inventory, "--json", inventory], "--json"),
    ):
        assert run("clear", book, *options) == cli.EXIT_INPUT
        printed, err = capsys.readouterr()
        assert printed == ""
        assert err.startswith(f"kpm-fast: {name}: ")
        assert "would overwrite" in err
    assert {path.name: path.read_bytes() for path in book.iterdir()} == before
    assert inventory.exists()


def test_clear_inventory_of_any_length(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    count = 400
    market = kpm.Market(np.eye(1, count), np.full(count, 1 / count))
    kpm.write_book(tmp_path, market, kpm.Orders([], [], [], []))
    numbers = [number / 1000 for number in range(count)]
    assert run("clear", tmp_path, "--json", "--inventory", ",".join(map(str, numbers))) == 0
    assert json.loads(capsys.readouterr().out)["states"]["inventory"] == numbers
    for text in ("x" * 300, "1,2\0", "a" * 5000):
        assert run("clear", tmp_path, "--inventory", text) == cli.EXIT_INPUT
        err = capsys.readouterr().err
        assert "--inventory: must be a file or numbers" in err
        assert len(err) < 200


@pytest.mark.parametrize("command", ["clear", "quotes"])
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--ambiguity", "-1"),
        ("--risk-aversion", "0"),
        ("--inventory", "1,2"),
        ("--maker", "foo"),
        ("--price-unit", "0"),
        ("--quantity-unit", "0"),
        ("--columns", "px=price"),
        ("--sides", "buy=sell"),
        ("--encoding", "klingon"),
        ("--delimiter", "::"),
    ],
)
def test_refusals_name_the_option(
    command: str, option: str, value: str, book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command, book, f"{option}={value}") == cli.EXIT_INPUT
    assert re.match(
        rf"kpm-fast: {option}(\['buy'\])?: (must|is|there|means) ", capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--seed", "-1", "must be a non-negative integer, got -1"),
        ("--ambiguity", "-1", "must be a number >= 0 (inf is allowed), got -1.0"),
        ("--crossed", "2", "must lie in [0, 1], got 2.0"),
    ],
)
def test_a_sample_s_refusals_name_the_option(
    option: str, value: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new"
    assert run("sample", "race-card", "--output", folder, option, value) == cli.EXIT_INPUT
    assert capsys.readouterr().err == f"kpm-fast: {option}: {said}\n"
    assert not folder.exists()


@pytest.mark.parametrize(
    ("maker", "said"),
    [
        ("lmsr", "lmsr needs liquidity=..."),
        ("lmsr:liquidity=-1", "liquidity must be between 1e-30 and 1e+30, got -1.0"),
        ("lmsr:liquidity=5,liquidity=6", "liquidity is given twice, got 'liquidity=5,liquidity=6'"),
        ("starting_orders:delta=-1", "delta must be a finite number > 0, got -1.0"),
        ("starting_orders:delta=inf", "delta must be a finite number > 0, got inf"),
        (
            "starting_orders:delta=1e-30",
            "delta=1e-30, shared like the prior, must be at least 1e-30, got ",
        ),
        ("knightian:ambiguity=-1", "ambiguity must be a number >= 0 (inf is allowed), got -1.0"),
    ],
)
def test_a_maker_s_refusals_name_what_was_typed(
    maker: str, said: str, book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("quotes", book, "--maker", maker) == cli.EXIT_INPUT
    assert capsys.readouterr().err.startswith(f"kpm-fast: --maker: {said}")


def test_the_help_names_what_a_build_asks_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--help")
    words = " ".join(capsys.readouterr().out.split())
    assert f"python -m kpm_fast {', '.join(OPTIONS)}" in words


def test_clear_writes_files(book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert run("clear", book, "--quiet", "--json", tmp_path / "r.json", "--output", out) == 0
    assert capsys.readouterr() == ("", "")
    assert sorted(path.name for path in out.iterdir()) == [
        "claims.csv",
        "orders.csv",
        "result.json",
        "states.csv",
    ]
    header, first, *_ = (out / "orders.csv").read_text().splitlines()
    assert header == "order_id,claim,side,price,quantity,fill,clearing_price,payment"
    assert first.startswith("a,[red]home,buy,0.6,1,")
    saved, also = (
        json.loads(path.read_text()) for path in (tmp_path / "r.json", out / "result.json")
    )
    assert saved == also
    assert saved["claims"]["claim"] == list(MARKET.claims)


def test_clear_inventory_file(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = book / "inventory.csv"
    path.write_text("inventory,state\n3,A\n1,H\n2,D\n")
    assert run("clear", book, "--inventory", path, "--json", "-") == 0
    assert json.loads(capsys.readouterr().out)["states"]["inventory"] == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("state,inventory\nH,1\nD,2\n", ["inventory.csv", "'A'"]),
        ("state,inventory\nH,1\nD,2\nA,3\nA,3\n", ["inventory.csv, line 5", "'A'", "twice"]),
        ("state,inventory\nH,1\nX,2\nA,3\n", ["inventory.csv, line 3", "'X'"]),
        ("state,inventory\nA,1\nD,nan\nH,3\n", ["inventory.csv, line 3: inventory: ", "nan"]),
        ("state,wealth\nH,1\n", ["inventory.csv, line 1", "'inventory'"]),
    ],
)
def test_inventory_file_errors(
    book: Path, capsys: pytest.CaptureFixture[str], text: str, words: list[str]
) -> None:
    path = book / "inventory.csv"
    path.write_text(text)
    assert run("clear", book, "--inventory", path) == cli.EXIT_INPUT
    err = capsys.readouterr().err
    for word in words:
        assert word in err


def test_verify(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("clear", book, "--verify") == 0
    assert "checks passed" in capsys.readouterr().out


def test_verify_checks_a_kept_proof(
    book: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("clear", book, "--verify", "--certificate", "--quiet", "--json", "-") == 0
    checked: list[kpm.Result] = []
    failed = kpm.Verification((kpm.Check("the tree is whole", 1.0, 0.0),))
    monkeypatch.setattr(
        "kpm_fast.cli.verify.check_certificate", lambda *given: checked.append(given[2]) or failed
    )
    assert run("clear", book, "--verify") == 0
    assert not checked
    assert run("clear", book, "--verify", "--certificate") == cli.EXIT_UNVERIFIED
    assert len(checked) == 1
    assert "kpm-fast: verification failed: the tree is whole\n" in capsys.readouterr().err


def test_failed_verification(
    book: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = kpm.Verification((kpm.Check("the sky is blue", 1.0, 0.0),))
    monkeypatch.setattr(kpm.Result, "verify", lambda self: failed)
    assert run("clear", book, "--verify") == cli.EXIT_UNVERIFIED == 1
    out, err = capsys.readouterr()
    assert "FAILED" in out
    assert err == "kpm-fast: verification failed: the sky is blue\n"


def test_refusal_says_how_many_cells(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--method", "enumerate", "--cell-limit", 24)
    assert run("clear", book, *options) == cli.EXIT_REFUSED == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("kpm-fast: the book has 25 cells, more than the limit of 24, and ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [("time_limit", 3), ("node_limit", 3), ("inaccurate", 3), ("interrupted", 130)],
)
def test_exit_codes(
    book: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: str,
    code: int,
    tmp_path: Path,
) -> None:
    import dataclasses

    def stopped(*arguments: Any, **options: Any) -> kpm.Result:
        result = kpm.clear(*arguments, **options)
        return dataclasses.replace(result, status=kpm.Status(status))

    monkeypatch.setattr(cli, "clear", stopped)
    assert run("clear", book, "--output", tmp_path / "out") == code
    assert "none is better by more than" in capsys.readouterr().out.splitlines()[-1]
    assert json.loads((tmp_path / "out" / "result.json").read_text())["status"] == status


def test_keyboard_interrupt(
    book: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*arguments: Any, **options: Any) -> kpm.Result:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "clear", interrupt)
    assert run("clear", book) == 130
    assert capsys.readouterr().err == "kpm-fast: interrupted\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--risk-aversion", "-1"], ["--risk-aversion", "-1"]),
        (["--ambiguity", "-1"], ["ambiguity", "-1"]),
        (["--inventory", "1,2"], ["inventory", "(2,)"]),
        (["--inventory", "none.csv"], ["--inventory", "none.csv"]),
        (["--threads", "0"], ["--threads", "0"]),
        (["--time-limit", "-3"], ["--time-limit", "-3"]),
        (["--tolerance", "2"], ["--tolerance", "2"]),
    ],
)
def test_bad_input_is_one_line(
    book: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: list[str]
) -> None:
    assert run("clear", book, *options) == cli.EXIT_INPUT == 2
    err = capsys.readouterr().err
    assert err.startswith("kpm-fast: ")
    assert err.count("\n") == 1
    for word in words:
        assert word in err


def test_bad_files_name_the_line(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (book / "orders.csv").open("a") as stream:
        stream.write("e,draw,buy,0.1,-1\n")
    assert run("clear", book, "--output", book / "out") == 2
    assert (
        "orders.csv, line 6: quantity: must be finite and >= 0, got -1" in capsys.readouterr().err
    )
    assert not (book / "out").exists()


def test_a_fault_of_the_program_is_not_a_failed_verification(
    book: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fault(*arguments: object, **options: object) -> None:
        raise KeyError("no such thing")

    monkeypatch.setattr(cli, "clear", fault)
    assert run("clear", book) == cli.EXIT_FAULT
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "KeyError: 'no such thing'" in err
    assert err.splitlines()[-1].startswith("kpm-fast: this is a fault of kpm-fast")


def test_missing_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("clear", tmp_path / "nowhere") == 2
    assert capsys.readouterr().err.endswith("nowhere: No such file or directory\n")
    (tmp_path / "empty").mkdir()
    assert run("clear", tmp_path / "empty") == 2
    assert capsys.readouterr().err.endswith("claims.csv: No such file or directory\n")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["clear"],
        ["clear", "x", "--threads", "two"],
        ["clear", "x", "--method", "luck"],
    ],
)
def test_bad_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert caught.value.code == 2


@pytest.mark.parametrize("arguments", [["--help"], ["clear", "--help"], ["paper", "--help"]])
def test_help_lists_exit_codes(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert caught.value.code == 0
    if "paper" not in arguments:
        assert "130 interrupted" in " ".join(capsys.readouterr().out.split())


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--version")
    assert capsys.readouterr().out == f"kpm-fast {kpm.__version__}\n"


def test_verbose_logs_to_stderr(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("clear", book, "--verbose", "--json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["status"] == "optimal"
    assert "risk aversion 1, ambiguity 0.01" in err
    assert f"kpm-fast {kpm.__version__}" in err


def test_progress_bar_follows_the_search() -> None:
    from rich.console import Console
    from rich.progress import Progress as ProgressBar

    with ProgressBar(console=Console(file=io.StringIO(), force_terminal=True)) as bar:
        show = cli.ShowProgress(bar)
        assert show(kpm.Progress(1.0, 100, 30, 10, 10, 0, 0, 1.0, 2.0)) is False
        assert bar.tasks[0].percentage == 50
        assert bar.tasks[0].fields["note"] == "50 %, 30 cells solved, gap 1"


def test_progress_of_a_tree_is_its_nodes_and_gap() -> None:
    """The share of its cells that a tree has solved is next to nothing until the end."""
    from rich.console import Console
    from rich.progress import Progress as ProgressBar

    with ProgressBar(console=Console(file=io.StringIO(), force_terminal=True)) as bar:
        show = cli.ShowProgress(bar)
        for nodes in (1, 1200):
            assert show(kpm.Progress(1.0, 10**24, 30, 0, 0, nodes, 40, 1.0, 1.5)) is False
        assert bar.tasks[0].total is None
        assert bar.tasks[0].fields["note"] == "1,200 nodes, 40 open, gap 0.5"


def test_empty_book(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kpm.write_book(tmp_path, MARKET, kpm.Orders([], [], [], []))
    assert run("clear", tmp_path, "--verify") == 0
    out = capsys.readouterr().out
    assert "1 cell\n" in out
    assert "None of the 0 orders is filled." in out


def test_long_tables_are_cut_short(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    market = kpm.Market(np.eye(60), np.full(60, 1 / 60))
    kpm.write_book(tmp_path, market, kpm.Orders(np.zeros(30, dtype=int), 1, 0.9, 0.001))
    assert run("clear", tmp_path) == 0
    out = capsys.readouterr().out
    for rest in (
        "... and 20 more claims",
        "... and 36 more states",
        "... and 14 more filled orders",
    ):
        assert rest in out


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_closed_pipe(book: Path, options: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = run_command(kpm_fast_command("clear", book, *options), stdout=writer)
    os.close(writer)
    assert done.returncode == cli.EXIT_CLOSED_PIPE
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
