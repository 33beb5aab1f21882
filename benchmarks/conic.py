"""A cell (27) as an exponential cone program, in the form that conic solvers take.

In units of the notional, with a = alpha * notional, free fills low + (high - low) t, losses
l = b + A't less the constant that makes max b = 0, and the revenue of fixed demand r = f.xi:

    minimise  m Omega + s - r   over  xi on the simplex, t in [0, 1]^n, m, s, z, v
    prices of the flats in their ranges, of the steps at their limits
    (z_i - s, m, v_i) in K_exp,  q.v <= m             m ln sum_i q_i exp(z_i / m) <= s
    (a l_i, 1, 1 + a z_i) in K_exp                    (exp(a l_i) - 1) / a <= z_i

which is (27) with the objective (25), in certainty equivalents. Solvers get the least of it:

- Omega = 0: the worst case is the prior; q.z <= s takes the place of m, v and the first cones.
- Omega = infinity: it is the worst state; l_i <= s is all, a linear program.
- a so small that exp(a l) - 1 = a l to half the accuracy asked for: l_i <= z_i takes the place of
  the second cones, whose entries would differ by 1 / a.
- Price equations that depend on others linearly, and ranges that every price meets, are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kpm_fast.arrays import Floats

from .accuracy import CellData

NEGLIGIBLE = 5e-9  # of the notional: error of leaving out the maker's risk aversion
_DEPENDENT = 1e-12  # of a price equation's norm


@dataclass(frozen=True)
class ConicCell:
    """A cell in the form of the module's text."""

    data: CellData
    a: float
    free: NDArray[np.intp]  # indices of the claims with free fills
    A: Floats  # (n, N)
    b: Floats  # (N,)
    f: Floats  # (N,)

    @classmethod
    def of(cls, data: CellData) -> ConicCell:
        market, pieces = data.market, data.pieces
        width = pieces[:, 3] - pieces[:, 2]
        free = np.flatnonzero(data.steps & (width > 0))
        paid = np.where(data.steps, pieces[:, 0], 0.0)
        losses = pieces[:, 2] @ (market.payoffs - paid[:, None]) - market.inventory
        return cls(
            data=data,
            a=market.risk_aversion * data.notional,
            free=free,
            A=(market.payoffs[free] - paid[free, None]) * (width[free, None] / data.notional),
            b=(losses - losses.max()) / data.notional,
            f=data.fixed_revenue / data.notional,
        )

    @property
    def neutral(self) -> bool:
        """Whether risk aversion is too small to matter: exp(a l) - 1 is a l."""
        span = float(np.abs(self.b).max() + np.abs(self.A).sum(axis=0).max(initial=0.0))
        return self.a * span**2 / 2 <= NEGLIGIBLE

    def point(self, xi: Floats, t: Floats) -> tuple[Floats, Floats]:
        """State prices and net demand in the book's own units."""
        pieces = self.data.pieces
        y = pieces[:, 2].copy()
        y[self.free] += np.clip(t, 0, 1) * (pieces[self.free, 3] - pieces[self.free, 2])
        return np.asarray(xi), y


@dataclass(frozen=True)
class ConicForm:
    """Minimise c.x over matrix x + slack = right; slack: zeros, then >= 0, then exponential cones.

    A cone's three rows (x, y, z) mean y exp(x / y) <= z. x begins with xi, then t.
    """

    c: Floats
    matrix: sparse.csc_matrix
    right: Floats
    equalities: int
    inequalities: int
    cones: int

    @classmethod
    def of(cls, cell: ConicCell) -> ConicForm:
        market, pieces = cell.data.market, cell.data.pieces
        steps, payoffs = cell.data.steps, market.payoffs
        states, n, omega = market.prior.size, cell.free.size, market.ambiguity
        worst_state, ambiguous = bool(np.isinf(omega)), bool(0 < omega < np.inf)
        s = states + n
        z, m, v = s + 1, s + 1 + states, s + 2 + states
        columns = v + states if ambiguous else z if worst_state else m
        rows = _Rows(columns)
        xi, fills = np.arange(states), states + np.arange(n)
        rows.add((xi, 1.0), right=1.0)
        for k in _independent(payoffs, steps):
            rows.add((xi, payoffs[k]), right=float(pieces[k, 0]))
        equalities = rows.count
        for i in range(states):
            rows.add((i, -1.0))
        for k in np.flatnonzero(~steps).tolist():
            low, high = pieces[k, :2]
            if high < payoffs[k].max():
                rows.add((xi, payoffs[k]), right=float(high))
            if low > payoffs[k].min():
                rows.add((xi, -payoffs[k]), right=-float(low))
        for fill in range(states, states + n):
            rows.add((fill, -1.0))
            rows.add((fill, 1.0), right=1.0)
        if ambiguous:
            rows.add((v + xi, market.prior), (m, -1.0))
        elif not worst_state:
            rows.add((z + xi, market.prior), (s, -1.0))
        exponential = not worst_state and not cell.neutral
        for i in range(0 if exponential else states):
            rows.add((fills, cell.A[:, i]), (s if worst_state else z + i, -1.0), right=-cell.b[i])
        inequalities = rows.count - equalities
        for i in range(states if ambiguous else 0):
            rows.add((z + i, -1.0), (s, 1.0))
            rows.add((m, -1.0))
            rows.add((v + i, -1.0))
        for i in range(states if exponential else 0):
            rows.add((fills, -cell.a * cell.A[:, i]), right=cell.a * cell.b[i])
            rows.add(right=1.0)
            rows.add((z + i, -cell.a), right=1.0)
        c = np.zeros(columns)
        c[:states] = -cell.f
        c[s] = 1.0
        if ambiguous:
            c[m] = omega
        cones = states * (ambiguous + exponential)
        return cls(c, rows.matrix(), np.array(rows.right), equalities, inequalities, cones)

    @property
    def structure(self) -> tuple[int, int, int, bytes, bytes]:
        """What two programs have in common that differ in numbers alone."""
        matrix = self.matrix
        zeros = (matrix.indptr.tobytes(), matrix.indices.tobytes())
        return (self.equalities, self.inequalities, self.cones, *zeros)


class _Rows:
    """A sparse matrix and its right-hand side, a row at a time."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.lines: list[Floats] = []
        self.right: list[float] = []

    @property
    def count(self) -> int:
        return len(self.right)

    def add(
        self, *entries: tuple[int | NDArray[np.intp], float | Floats], right: float = 0.0
    ) -> None:
        line = np.zeros(self.columns)
        for where, value in entries:
            line[where] = value
        self.lines.append(line)
        self.right.append(float(right))

    def matrix(self) -> sparse.csc_matrix:
        return sparse.csc_matrix(np.array(self.lines))


def _independent(payoffs: Floats, steps: NDArray[np.bool_]) -> list[int]:
    """Of the claims at a limit, those whose price equation does not follow from the others."""
    basis = [np.full(payoffs.shape[1], payoffs.shape[1] ** -0.5)]
    kept = []
    for k in np.flatnonzero(steps):
        rest = payoffs[k].copy()
        for _ in range(2):  # once more for the digits that cancelled
            for direction in basis:
                rest -= (rest @ direction) * direction
        norm = float(np.linalg.norm(rest))
        if norm > _DEPENDENT * np.linalg.norm(payoffs[k]):
            basis.append(rest / norm)
            kept.append(int(k))
    return kept
