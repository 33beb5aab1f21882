"""From claims and the crowd's probabilities to a market and its order book."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import as_number
from ..errors import InputError, brief
from ..model.market import Market
from ..model.orders import Orders
from .depth import Depth, draw_quotes
from .draws import Draws
from .ladder import Ladder

_PRIOR_DIGITS = 6


@dataclass(frozen=True)
class Claim:
    """A claim to be quoted: label, payoff in each state, and the ladder of its prices."""

    label: str
    payoff: tuple[float, ...]
    ladder: Ladder


def assemble(
    draws: Draws,
    claims: Sequence[Claim],
    states: Sequence[str],
    crowd: Sequence[float],
    depth: Depth,
    opinion: float,
    risk_aversion: float,
    ambiguity: float,
) -> tuple[Market, Orders]:
    """Quote every claim about its value under the crowd's probabilities.

    Parameters
    ----------
    draws : Draws
        Advanced by the call.
    claims : sequence of Claim
        At least one.
    states : sequence of str
        Labels.
    crowd : sequence of float
        Positive weights of the states, in any unit.
    depth : Depth
        Shape of each claim's book.
    opinion : float
        The maker's prior is the crowd's probabilities to this power, renormalised: below 1 the
        maker is less certain than the crowd, above 1 more.
    risk_aversion, ambiguity : float
        The maker's.
    """
    opinion = as_number(opinion, "opinion")
    if not math.isfinite(opinion):
        raise InputError(f"must be finite, got {brief(opinion)}", field="opinion")
    total = math.fsum(crowd)
    probabilities = [weight / total for weight in crowd]
    labels: list[str] = []
    sides: list[str] = []
    prices: list[float] = []
    quantities: list[float] = []
    for claim in claims:
        fair = math.fsum(a * p for a, p in zip(claim.payoff, probabilities, strict=True))
        for quote in draw_quotes(draws, claim.ladder, fair, depth):
            labels.append(claim.label)
            sides.append(quote.side)
            prices.append(quote.price)
            quantities.append(quote.quantity)
    market = Market(
        np.array([claim.payoff for claim in claims], dtype=np.float64),
        np.array(rounded_prior(_powers(probabilities, opinion))),
        risk_aversion=risk_aversion,
        ambiguity=ambiguity,
        claims=[claim.label for claim in claims],
        states=list(states),
    )
    orders = Orders(
        claim=labels,
        side=sides,
        price=prices,
        quantity=quantities,
        order_id=[f"o{number}" for number in range(1, len(labels) + 1)],
    )
    return market, orders


def _powers(probabilities: Sequence[float], exponent: float) -> list[float]:
    """Powers scaled so that the largest is 1: their sum cannot underflow, whatever the exponent."""
    unit = max(probabilities) if exponent > 0 else min(probabilities)
    return [(p / unit) ** exponent for p in probabilities]


def rounded_prior(weights: Sequence[float]) -> list[float]:
    """Probabilities with six digits after the point that sum to one exactly in decimals.

    The states with the largest remainders are rounded up; none falls below 1e-6.
    """
    units = 10**_PRIOR_DIGITS
    total = math.fsum(weights)
    exact = [units * weight / total for weight in weights]
    whole = [max(int(value), 1) for value in exact]
    missing = units - sum(whole)
    order = sorted(range(len(exact)), key=lambda i: (whole[i] - exact[i], i))
    if missing < 0:  # states below one unit were raised to it: the likeliest makes up for them
        whole[max(range(len(whole)), key=whole.__getitem__)] += missing
    for i in order[: max(missing, 0)]:
        whole[i] += 1
    return [count / units for count in whole]
