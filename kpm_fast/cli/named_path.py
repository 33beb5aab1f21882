"""A path of the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..files.input_file import STANDARD_INPUT

__all__ = ["input_path", "named", "named_path"]


def named(text: str) -> str:
    """Return a path as it is given.

    An empty one, as a script passes whose variable is not set, is refused: as a path it would be
    the current folder.
    """
    if not text:
        raise argparse.ArgumentTypeError("must name a file or a folder, got ''")
    return text


def input_path(text: str) -> Path:
    """Return the path of what an argument says to read; ``-`` is standard input."""
    return Path(STANDARD_INPUT) if text == "-" else named_path(text)


def named_path(text: str) -> Path:
    """Return the path that an argument names."""
    return Path(named(text))
