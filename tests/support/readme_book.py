"""The book of the README, to which tests add orders."""

from __future__ import annotations

import kpm_fast as kpm

README = kpm.Market(
    [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]],
    [0.5, 0.3, 0.2],
    risk_aversion=0.01,
    ambiguity=0.02,
    claims=["home", "draw", "away", "home or draw"],
)
ORDERS = (
    ("home", "buy", 0.56, 20.0),
    ("draw", "buy", 0.25, 10.0),
    ("away", "buy", 0.24, 15.0),
    ("home or draw", "sell", 0.72, 10.0),
    ("home", "sell", 0.60, 5.0),
)
FILLS = [17.068051035674, 10.0, 7.976259526331, 10.0, 0.0]
VALUE = 0.0444216189862


def orders_with(*more: tuple[str, str, float, float]) -> kpm.Orders:
    return kpm.Orders(*map(list, zip(*ORDERS, *more, strict=True)))
