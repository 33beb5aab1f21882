"""The page of the command line has every option of every command, and no other."""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from pathlib import Path

from kpm_fast.cli import command as cli

PAGE = Path(__file__).resolve().parent.parent / "docs" / "command-line.md"


def listed() -> dict[str, set[str]]:
    """The options of each command: sections say whose they are, their tables name them first."""
    found: dict[str, set[str]] = defaultdict(set)
    for section in PAGE.read_text("utf-8").split("\n## ")[1:]:
        (whose,) = re.findall(r"^Of ((?:`\w+`(?:, )?)+)", section, re.M)
        options = [
            option
            for cell in re.findall(r"^\| (`--.*?) \|", section, re.M)
            for option in re.findall(r"`(--[a-z-]+)", cell)
        ]
        assert len(set(options)) == len(options), section
        for command in re.findall(r"`(\w+)`", whose):
            found[command] |= set(options)
    return found


def known() -> dict[str, set[str]]:
    """The options that each command takes."""
    (commands,) = (
        action
        for action in cli._parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return {
        name: {option for action in parser._actions for option in action.option_strings}
        - {"-h", "--help"}
        for name, parser in commands.choices.items()
    }


def test_every_option_is_listed_at_its_command() -> None:
    assert listed() == known()
