"""A small book, and ``kpm-fast`` run within this process."""

from __future__ import annotations

import numpy as np

import kpm_fast as kpm
from kpm_fast.cli import command

MARKET = kpm.Market(
    np.eye(3), [0.3, 0.3, 0.4], claims=["[red]home", "draw", "away"], states=["H", "D", "A"]
)
ORDERS = kpm.Orders(
    ["[red]home", "draw", "[red]home", "draw"],
    ["buy", "buy", "sell", "buy"],
    [0.6, 0.4, 0.5, 0.2],
    [1, 1, 0.5, 2],
    order_id=["a", "b", "c", "d"],
)


def run(*arguments: object) -> int:
    """The exit code of ``kpm-fast`` with these arguments."""
    return command.main([str(argument) for argument in arguments])
