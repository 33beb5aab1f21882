"""Numbers of the command line, which are spelled as in the columns of a book."""

from __future__ import annotations

import argparse
import re

from ..entries import number
from ..errors import brief

__all__ = ["real", "whole"]

_WHOLE = re.compile(r"[+-]?\d{1,4000}", re.ASCII)


def real(text: str) -> float:
    """Return the number that an argument spells."""
    try:
        return number(text)
    except ValueError as error:
        reason = str(error).replace("must be numbers", "must be a number")
        raise argparse.ArgumentTypeError(reason) from None


def whole(text: str) -> int:
    """Return the whole number that an argument spells."""
    if _WHOLE.fullmatch(text.strip()) is None:
        raise argparse.ArgumentTypeError(f"must be a whole number, got {brief(text)}")
    return int(text)
