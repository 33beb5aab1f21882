"""``python -m stress NAME``: runs one of them and prints its report."""

from __future__ import annotations

import sys

from . import commands, degenerate, engine, extremes, soak
from .dispatch import dispatch

RUNS = (engine, commands, degenerate, extremes, soak)


def main(arguments: list[str] | None = None) -> int:
    return dispatch("python -m stress", __doc__, RUNS, arguments)


if __name__ == "__main__":
    sys.exit(main())
