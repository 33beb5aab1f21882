"""Options that take several values: separated by commas, or as words one after the other."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from ..entries import number
from ..errors import InputError, suggestion

__all__ = ["Parser", "Several", "names", "numbers"]


class Several:
    """The type of an option whose values are separated by commas.

    ``parse`` takes all of the text and raises :class:`kpm_fast.InputError` or
    :class:`argparse.ArgumentTypeError` where it is wrong.
    """

    def __init__(self, parse: Callable[[str], Any]) -> None:
        self._parse = parse

    def __call__(self, text: str) -> Any:
        try:
            return self._parse(text)
        except InputError as error:
            raise argparse.ArgumentTypeError(error.reason) from None

    def takes(self, word: str) -> bool:
        """Whether a word would be one or more of the values."""
        try:
            self._parse(word.rstrip(","))
        except (InputError, argparse.ArgumentTypeError):
            return False
        return True


class Parser(argparse.ArgumentParser):
    """A parser that reads ``--rule a b`` as ``--rule a,b``: words that can be values are.

    With ``nargs="+"`` the book's name behind them would be taken for one more.
    """

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse arguments, as the base class does."""
        return super().parse_known_args(None if args is None else self._joined(args), namespace)

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print; the base class says nothing of a full disk, and help is lost without a word."""
        if file is None or file is not sys.stdout:
            super()._print_message(message, file)
        else:
            file.write(message)
            file.flush()

    def _joined(self, args: Sequence[str]) -> list[str]:
        several = {
            option: action.type
            for action in self._actions
            if isinstance(action.type, Several)
            for option in action.option_strings
        }
        joined: list[str] = []
        values: Several | None = None  # of the option that the last word belongs to
        for place, word in enumerate(args):
            if word == "--":
                return [*joined, *args[place:]]
            if values is not None and not word.startswith("-") and values.takes(word):
                if joined[-1] in several:
                    joined.append(word.rstrip(","))
                else:
                    joined[-1] = f"{joined[-1].rstrip(',')},{word.rstrip(',')}"
                continue
            joined.append(word)
            values = several.get(word.partition("=")[0])
        return joined


def names(known: Sequence[str]) -> Several:
    """Values that are among names, in which ``-`` and ``_`` are the same."""

    def parse(text: str) -> list[str]:
        found = [part.strip().replace("-", "_") for part in text.split(",")]
        for name in found:
            if name not in known:
                close = suggestion(name, known) or f" (choose from {', '.join(known)})"
                raise InputError(f"there is no {name!r}{close}")
        return found

    return Several(parse)


def numbers(text: str) -> list[float]:
    """Read numbers separated by commas."""
    try:
        return [number(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"must be numbers separated by commas, got {text!r}") from None
