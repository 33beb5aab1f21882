"""The risk measure rho in any arithmetic.

rho(L) = (1/a) ln max { sum_i p_i exp(a L_i) : KL(p|q) <= Omega }, for which the worst p is q tilted
by exp(a L)/m with the m at which KL(p|q) = Omega, or q restricted to the worst states once that is
within Omega. At a = 0 it is its limit, max sum_i p_i L_i: the robust risk-neutral maker's, exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath

Number = Any  # float or mpmath.mpf


@dataclass(frozen=True)
class Arithmetic:
    """The few functions that the witnesses need, and what counts as negligible."""

    number: Callable[[Any], Number]
    exp: Callable[[Number], Number]
    expm1: Callable[[Number], Number]
    log: Callable[[Number], Number]
    log1p: Callable[[Number], Number]
    negligible: Number  # relative


def _overflowing(function: Callable[[float], float]) -> Callable[[float], float]:
    def wrapped(x: float) -> float:
        try:
            return function(x)
        except OverflowError:
            return math.inf

    return wrapped


DOUBLE = Arithmetic(
    float, _overflowing(math.exp), _overflowing(math.expm1), math.log, math.log1p, 1e-13
)


def precise(digits: int = 50) -> Arithmetic:
    """Decimal arithmetic of ``digits`` digits. A context of its own: nothing global changes."""
    context = mpmath.MPContext()
    context.dps = digits

    def number(x: Any) -> Number:
        return context.inf if x == math.inf else context.mpf(x)

    return Arithmetic(
        number,
        context.exp,
        context.expm1,
        context.log,
        context.log1p,
        context.mpf(10) ** (10 - digits),
    )


@dataclass(frozen=True)
class Risk:
    """rho at one vector of losses."""

    value: Number
    worst_case: list[Number]  # p
    marginal: list[Number]  # g, the gradient: p tilted by exp(a L)


def growth(a: Number, loss: Number, A: Arithmetic) -> Number:
    """(exp(a l) - 1) / a, or l itself at a = 0."""
    return A.expm1(a * loss) / a if a else loss


def certain(a: Number, growth: Number, A: Arithmetic) -> Number:
    """The inverse: ln(1 + a x) / a, or x itself at a = 0."""
    return A.log1p(a * growth) / a if a else growth


def tilted(q: Sequence[Number], z: Sequence[Number], m: Number, A: Arithmetic) -> list[Number]:
    """q_i exp(z_i / m), normalised."""
    top = max(z)
    weights = [qi * A.exp((zi - top) / m) for qi, zi in zip(q, z, strict=True)]
    total = sum(weights)
    return [weight / total for weight in weights]


def divergence(p: Sequence[Number], q: Sequence[Number], A: Arithmetic) -> Number:
    """KL(p|q) without cancellation where p is close to q: the sum of q h(p/q - 1)."""
    return sum((qi * _entropy(pi, qi, A) for pi, qi in zip(p, q, strict=True)), A.number(0))


def _entropy(p: Number, q: Number, A: Arithmetic) -> Number:
    """h(x) = (1 + x) ln(1 + x) - x at x = p/q - 1, by its series where x is small."""
    x = (p - q) / q
    if p <= 0:
        return A.number(1)
    if abs(x) > 0.1:
        return (1 + x) * A.log(p / q) - x
    total, power, k = A.number(0), x, 2
    while abs(power) * abs(x) > A.negligible**2 * abs(total) and k < 100:
        power *= -x
        total -= power / (k * (k - 1))
        k += 1
    return total


def rho(
    losses: Sequence[Number], q: Sequence[Number], a: Number, omega: Number, A: Arithmetic = DOUBLE
) -> Risk:
    """rho with its worst case, by bisection on the tilt."""
    losses = [A.number(x) for x in losses]
    q = [A.number(x) for x in q]
    a, omega, top = A.number(a), A.number(omega), max(losses)
    z = [growth(a, loss - top, A) for loss in losses]  # the rest of the problem is shift-free
    p = _worst_case(q, z, omega, A)
    mean = sum(pi * zi for pi, zi in zip(p, z, strict=True))
    weights = [pi * A.exp(a * (loss - top)) for pi, loss in zip(p, losses, strict=True)]
    total = sum(weights)
    # Where the highest loss is unlikely one plus the growth has lost its digits, the sum has not.
    value = top + (A.log(total / sum(p)) / a if 2 * a * mean < -1 else certain(a, mean, A))
    return Risk(value, p, [weight / total for weight in weights])


def _worst_case(
    q: Sequence[Number], z: Sequence[Number], omega: Number, A: Arithmetic
) -> list[Number]:
    if omega <= 0 or max(z) == min(z):
        return list(q)
    worst = sum(qi for qi, zi in zip(q, z, strict=True) if zi == max(z))
    if omega >= -A.log(worst):
        return [qi / worst if zi == max(z) else A.number(0) for qi, zi in zip(q, z, strict=True)]
    span = max(z) - min(z)

    def tilt(strength: Number) -> list[Number]:
        return tilted(q, z, span / strength, A)

    high = A.number(1)
    while divergence(tilt(high), q, A) < omega and high < 1 / A.negligible**3:
        high *= 16
    low = high / 16
    while divergence(tilt(low), q, A) >= omega:
        low /= 16
    while high - low > A.negligible / 1000 * high:
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if divergence(tilt(middle), q, A) < omega else (low, middle)
    return tilt(low)
