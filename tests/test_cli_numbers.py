"""Numbers on the command line are those of a book's columns: no other spelling is one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from kpm_fast.cli import command as cli

CARD = str(Path(__file__).parent.parent / "examples" / "race_card")
REALS = {
    "clear": ("risk-aversion", "ambiguity", "tolerance", "time-limit", "price-unit"),
    "plot": ("quantity-unit",),
    "quotes": ("risk-aversion", "quantity"),
    "sweep": ("ambiguity", "risk-aversion", "tolerance"),
    "sample": ("crossed", "opinion", "risk-aversion", "ambiguity"),
}
WHOLE = {
    "clear": ("threads", "node-limit", "cell-limit"),
    "sample": ("seed", "levels", "runners"),
}
EVERY = [(command, option) for command in REALS for option in REALS[command]]
EVERY_WHOLE = [(command, option) for command in WHOLE for option in WHOLE[command]]
#: A time without end, and the radius of the most distrustful of makers.
INFINITE = {"ambiguity", "time-limit"}


def refused(command: str, option: str, value: str, capsys: pytest.CaptureFixture[str]) -> str:
    book = "race-card" if command == "sample" else CARD
    try:
        code = cli.main([command, book, f"--{option}={value}"])
    except SystemExit as ended:
        code = ended.code
    assert code == cli.EXIT_INPUT
    return capsys.readouterr().err


@pytest.mark.parametrize("value", ["1_0", "\u0661", "\u00b2", "1e400", "0x10", "", "1e-400"])
@pytest.mark.parametrize(("command", "option"), EVERY)
def test_a_number_is_spelled_as_in_a_column(
    command: str, option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"--{option}: " in refused(command, option, value, capsys)


@pytest.mark.parametrize("value", ["1_0", "\u0661", "1.0", "1e1", "", "nan", "9" * 5000])
@pytest.mark.parametrize(("command", "option"), EVERY_WHOLE)
def test_a_whole_number_is_its_digits(
    command: str, option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refused(command, option, value, capsys)
    assert f"--{option}: must be " in message
    assert "whole number" in message


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [
        (*of, value)
        for of in EVERY
        for value in ("nan", "inf", "-inf")
        if value != "inf" or of[1] not in INFINITE
    ],
)
def test_what_is_not_finite_is_refused_where_it_means_nothing(
    command: str,
    option: str,
    value: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    message = refused(command, option, value, capsys)
    assert f"--{option}" in message or option.replace("-", "_") in message
    assert value in message
    assert list(tmp_path.iterdir()) == []


def options(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from options(command)
        yield action


def test_no_option_has_a_parser_of_its_own() -> None:
    assert [action.dest for action in options(cli._parser()) if action.type in (int, float)] == []
