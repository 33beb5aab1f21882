"""min rho_a(b + A't) over the unit box by a barrier method, in any arithmetic, with a certificate.

rho_a(l) = s + log1p(a V)/a at any shift s, where V is the least over m >= 0 of

    V(t, m) = m Omega + m ln sum_i q_i exp(z_i / m),      z_i = expm1(a (l_i - s)) / a,

jointly convex in (t, m); at a = 0, its limit, z_i = l_i - s and rho_a = s + V. The shift is renewed
before every Newton step so that V stays near 0, whatever a is. Slow and plain on purpose: Newton's
method on V plus tau times a logarithmic barrier, tau falling to nothing.

The bound is Donsker and Varadhan's, rho_a(l) >= g.l - KL(g|p)/a for KL(p|q) <= Omega; its minimum
over the box is a sum. It trusts nothing above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from witness.cell import CellProblem
from witness.risk import DOUBLE, Arithmetic, Number, certain, divergence, growth, rho

Vector = list[Number]
Matrix = list[Vector]


@dataclass(frozen=True)
class Solution:
    t: Vector
    value: Number  # rho_a at t
    bound: Number  # no t in the box does better
    worst_case: Vector
    marginal: Vector
    steps: int

    @property
    def gap(self) -> Number:
        return self.value - self.bound


def solve(problem: CellProblem, A: Arithmetic = DOUBLE, tolerance: Any = None) -> Solution:
    """Lowers tau until the certified gap is at most ``tolerance`` (units) or tau is negligible."""
    return _Barrier(problem, A).run(A.negligible * 100 if tolerance is None else tolerance)


class _Barrier:
    def __init__(self, problem: CellProblem, A: Arithmetic) -> None:
        self.problem, self.A = problem, A
        self.q = [A.number(x) for x in problem.q]
        total = sum(self.q)
        self.q = [x / total for x in self.q]
        self.a = A.number(problem.a)
        # Beyond -ln min q the ball holds every distribution; one more nat changes nothing.
        self.omega = min(A.number(problem.omega), 1 - A.log(min(self.q)))
        self.rows: Matrix = [[A.number(x) for x in row] for row in problem.A]
        self.base: Vector = [A.number(x) for x in problem.b]
        self.n = len(self.rows)
        self.t: Vector = [A.number(1) / 2] * self.n
        self.m = A.number(1)
        self.tau = A.number(1)
        self.shift = max(self.losses(self.t))
        self.steps = 0

    # -- the function ------------------------------------------------------------------------------

    def losses(self, t: Sequence[Number]) -> Vector:
        return [
            sum((tk * row[i] for tk, row in zip(t, self.rows, strict=True)), base)
            for i, base in enumerate(self.base)
        ]

    def tilt(self, z: Vector, m: Number) -> tuple[Vector, Number]:
        """p, and V without m Omega: computed about the mean, so that a large m loses nothing."""
        A = self.A
        mean = sum(qi * zi for qi, zi in zip(self.q, z, strict=True))
        if self.omega == 0:
            return self.q, mean
        top = max(z)
        if top - mean < m:
            excess = [A.expm1((zi - mean) / m) for zi in z]
            growth = sum(
                qi * (e - (zi - mean) / m) for qi, e, zi in zip(self.q, excess, z, strict=True)
            )
            weights = [qi * (1 + e) for qi, e in zip(self.q, excess, strict=True)]
            value = mean + m * A.log1p(growth)
        else:
            weights = [qi * A.exp((zi - top) / m) for qi, zi in zip(self.q, z, strict=True)]
            value = top + m * A.log(sum(weights))
        total = sum(weights)
        return [w / total for w in weights], value

    def exponents(self, t: Vector) -> Vector:
        return [growth(self.a, loss - self.shift, self.A) for loss in self.losses(t)]

    def merit(self, t: Vector, m: Number) -> Number:
        slack = [*t, *(1 - tk for tk in t)] + ([m] if self.omega > 0 else [])
        if min(slack, default=1) <= 0:
            return self.A.number(float("inf"))
        _, value = self.tilt(self.exponents(t), m)
        penalty = -sum((self.A.log(x) for x in slack), self.A.number(0))
        return value + (m * self.omega if self.omega > 0 else 0) + self.tau * penalty

    # -- Newton's method ---------------------------------------------------------------------------

    def recentre(self) -> None:
        """Moves the shift to the present value, where V becomes 0, and rescales m to match."""
        _, value = self.tilt(self.exponents(self.t), self.m)
        if self.omega > 0:
            value += self.m * self.omega
        if 1 + self.a * value <= 0:
            return
        change = certain(self.a, value, self.A)
        self.shift += change
        self.m *= self.A.exp(-self.a * change)

    def newton(self) -> Number:
        """One damped step. Returns the squared Newton decrement."""
        t, m, tau, a = self.t, self.m, self.tau, self.a
        z = self.exponents(t)
        p, value = self.tilt(z, m)
        slope = [1 + a * zi for zi in z]
        free_m = self.omega > 0
        size = self.n + free_m
        # u_i is the gradient of z_i / m times m, in (t, m).
        u = [
            [slope[i] * row[i] for row in self.rows] + ([-z[i] / m] if free_m else [])
            for i in range(len(z))
        ]
        mean = [sum(pi * ui[k] for pi, ui in zip(p, u, strict=True)) for k in range(size)]
        gradient = list(mean)
        hessian = [[self.A.number(0)] * size for _ in range(size)]
        for pi, si, i in zip(p, slope, range(len(z)), strict=True):
            d = [u[i][k] - mean[k] for k in range(size)]
            for j in range(size):
                for k in range(j + 1):
                    term = d[j] * d[k] / m if free_m else 0
                    if j < self.n and k < self.n:
                        term += a * si * self.rows[j][i] * self.rows[k][i]
                    hessian[j][k] += pi * term
        if free_m:
            gradient[-1] = value / m + self.omega + mean[-1]
        for k in range(self.n):
            gradient[k] += tau * (1 / (1 - t[k]) - 1 / t[k])
            hessian[k][k] += tau * (1 / (1 - t[k]) ** 2 + 1 / t[k] ** 2)
        if free_m:
            gradient[-1] -= tau / m
            hessian[-1][-1] += tau / m**2
        step = cholesky_solve(hessian, [-x for x in gradient])
        decrement = -sum(x * s for x, s in zip(gradient, step, strict=True))
        self._search(step, decrement)
        self.steps += 1
        return decrement

    def _search(self, step: Vector, decrement: Number) -> None:
        length = self.A.number(1)
        start = self.merit(self.t, self.m)
        for _ in range(60):
            t = [tk + length * s for tk, s in zip(self.t, step, strict=False)]
            m = self.m + length * step[-1] if self.omega > 0 else self.m
            if self.merit(t, m) <= start - length * decrement / 10 + self.A.negligible * self.tau:
                self.t, self.m = t, m
                return
            length /= 2

    def run(self, tolerance: Number) -> Solution:
        if self.n == 0:
            return self.certify()
        best = None
        while True:
            for _ in range(60):
                self.recentre()
                if self.newton() <= self.tau / 50:
                    break
            found = self.certify()
            if best is None or found.gap < best.gap:
                best = found
            if best.gap <= tolerance or self.tau < self.A.negligible / 100:
                return best
            self.tau /= 8

    # -- the certificate ---------------------------------------------------------------------------

    def certify(self) -> Solution:
        A, a = self.A, self.a
        losses = self.losses(self.t)
        exact = rho(losses, self.q, a, self.omega, A)
        if self.n == 0:
            return Solution(self.t, exact.value, exact.value, exact.worst_case, exact.marginal, 0)
        p = self.allowed(self.tilt(self.exponents(self.t), self.m)[0])
        top = max(losses)
        weights = [pi * A.exp(a * (loss - top)) for pi, loss in zip(p, losses, strict=True)]
        total = sum(weights)
        g = [w / total for w in weights]
        # g.l - KL(g|p)/a is (1/a) ln sum p exp(a l); the rest is linear in t.
        mean = sum(pi * growth(a, x - top, A) for pi, x in zip(p, losses, strict=True))
        bound = top + certain(a, mean, A)
        for row, tk in zip(self.rows, self.t, strict=True):
            slope = sum(gi * x for gi, x in zip(g, row, strict=True))
            bound += min(-tk * slope, (1 - tk) * slope)
        return Solution(self.t, exact.value, bound, p, g, self.steps)

    def allowed(self, p: Vector) -> Vector:
        """``p``, pulled towards the prior until KL(p|q) <= Omega."""
        share = self.A.negligible
        inside = p
        while divergence(inside, self.q, self.A) > self.omega:
            inside = [pi + share * (qi - pi) for pi, qi in zip(p, self.q, strict=True)]
            share *= 4
            if share >= 1:
                return self.q
        return inside


def cholesky_solve(matrix: Matrix, right: Vector) -> Vector:
    """Solves with a lower triangle, positive definite; a vanishing pivot fixes its variable."""
    n = len(right)
    factor = [row[:] for row in matrix]
    for j in range(n):
        pivot = factor[j][j] - sum(factor[j][k] ** 2 for k in range(j))
        positive = pivot > 0
        factor[j][j] = pivot ** (0.5) if positive else None
        for i in range(j + 1, n):
            rest = factor[i][j] - sum(factor[i][k] * factor[j][k] for k in range(j))
            factor[i][j] = rest / factor[j][j] if positive else rest * 0
    half: Vector = []
    for i in range(n):
        rest = right[i] - sum(factor[i][k] * half[k] for k in range(i))
        half.append(rest / factor[i][i] if factor[i][i] is not None else rest * 0)
    solution = [right[0] * 0] * n
    for i in reversed(range(n)):
        rest = half[i] - sum(factor[k][i] * solution[k] for k in range(i + 1, n))
        solution[i] = rest / factor[i][i] if factor[i][i] is not None else rest * 0
    return solution
