"""A book of one order, solved as a scalar problem.

Within its limit the order pays the limit whatever is filled, so the maker maximises
f(x) = s b x - rho(s P x - w) over 0 <= x <= Q, with s = 1 for a bid and -1 for an offer. f is
concave with f'(x) = s (b - P.g(x)), g the gradient of rho: bisection on its sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from . import risk


class Fill(NamedTuple):
    """The best fill and what it is worth."""

    fill: float
    certainty_equivalent: float


def solve(
    payoff: Sequence[float],
    prior: Sequence[float],
    inventory: Sequence[float],
    risk_aversion: float,
    ambiguity: float,
    sign: int,
    limit: float,
    quantity: float,
) -> Fill:
    """The fill that maximises f, to 1e-15 of the quantity, and f there."""

    def at(x: float) -> tuple[float, float]:
        losses = [sign * pay * x - money for pay, money in zip(payoff, inventory, strict=True)]
        found = risk.rho(losses, prior, risk_aversion, ambiguity)
        value = sum(g * pay for g, pay in zip(found.marginal, payoff, strict=True))
        return sign * limit * x - found.value, sign * (limit - value)

    low, high = 0.0, quantity
    if at(high)[1] >= 0:
        low = high
    while high - low > 1e-15 * quantity:
        middle = (low + high) / 2
        low, high = (middle, high) if at(middle)[1] > 0 else (low, middle)
    return Fill(low, at(low)[0])
