"""Clarabel and ECOS, called directly on the cone program of ``conic``.

What they are given is built before the timer starts; ``solve`` is set-up and solve, but for
:class:`KeptClarabelCell`, which is set up before. A tolerance
is asked of every criterion that a solver stops by. A solver's library is loaded where it is built:
a process that asks for one of them does not load the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from kpm_fast.arrays import Floats

from .accuracy import CellData
from .conic import ConicCell, ConicForm

# What Clarabel's manual lets a user turn off and what made these cells faster: presolve and the
# decomposition of matrix cones find nothing in small, feasible programs, rows and columns are
# scaled already, and the answers reach the accuracy without refined linear systems.
LEAN = {
    "presolve_enable": False,
    "chordal_decomposition_enable": False,
    "equilibrate_enable": False,
    "iterative_refinement_enable": False,
}


def clarabel_settings(tolerance: float, changed: Mapping[str, bool]) -> Any:
    """Clarabel's, asked for a tolerance, with some changed."""
    import clarabel

    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = tolerance
    for name, value in changed.items():
        setattr(settings, name, value)
    return settings


class ConicSolver:
    """One cell in a solver's own form: ``build`` is not timed, ``solve`` is."""

    def __init__(self, data: CellData, tolerance: float) -> None:
        self.cell = ConicCell.of(data)
        self.tolerance = tolerance
        self.states, self.n = data.market.prior.size, self.cell.free.size
        self.build(ConicForm.of(self.cell))

    def build(self, form: ConicForm) -> None:
        raise NotImplementedError

    def variables(self, solution: Any) -> Floats:
        raise NotImplementedError

    def point(self, solution: Any) -> tuple[Floats, Floats] | None:
        """State prices and net demand; None where there is no solution."""
        x = self.variables(solution)
        if not np.isfinite(x).all():
            return None
        return self.cell.point(x[: self.states], x[self.states : self.states + self.n])


class ClarabelCell(ConicSolver):
    """An interior-point method with its default settings."""

    CHANGED: ClassVar[dict[str, bool]] = {}

    def build(self, form: ConicForm) -> None:
        import clarabel

        self.form, self.solver = form, clarabel.DefaultSolver
        self.quadratic = sparse.csc_matrix((form.c.size, form.c.size))
        self.cones = [
            clarabel.ZeroConeT(form.equalities),
            clarabel.NonnegativeConeT(form.inequalities),
            *(clarabel.ExponentialConeT() for _ in range(form.cones)),
        ]
        self.settings = clarabel_settings(self.tolerance, self.CHANGED)

    def set_up(self) -> Any:
        form = self.form
        return self.solver(
            self.quadratic, form.c, form.matrix, form.right, self.cones, self.settings
        )

    def solve(self) -> Any:
        return self.set_up().solve()

    def variables(self, solution: Any) -> Floats:
        return np.array(solution.x)


class TunedClarabelCell(ClarabelCell):
    """The same without what these programs do not need."""

    CHANGED = LEAN


class KeptClarabelCell(TunedClarabelCell):
    """The same, set up before the timer starts: it is given new numbers, and solves.

    The cheapest use of Clarabel for many cells that have their zeros in common: the order
    of elimination and all memory are kept.
    """

    def build(self, form: ConicForm) -> None:
        super().build(form)
        self.kept = self.set_up()
        self.entries = form.matrix.data  # the zeros stay where they are: quicker than the matrix

    def take(self, cell: ConicCell, form: ConicForm) -> None:
        """Have :meth:`solve` solve another cell, whose program has the same zeros."""
        self.cell, self.form, self.entries = cell, form, form.matrix.data
        self.states, self.n = cell.data.market.prior.size, cell.free.size

    def solve(self) -> Any:
        self.kept.update(q=self.form.c, A=self.entries, b=self.form.right)
        return self.kept.solve()


class EcosCell(ConicSolver):
    """An interior-point method; its cones are ordered (x, z, y)."""

    def build(self, form: ConicForm) -> None:
        import ecos

        self.solver = ecos.solve
        count = form.right.size
        first = count - 3 * form.cones
        order = np.arange(count)
        order[first:] = order[first:].reshape(-1, 3)[:, [0, 2, 1]].ravel()
        matrix, right = sparse.csc_matrix(form.matrix[order]), form.right[order]
        split = form.equalities
        self.arguments = (
            form.c,
            sparse.csc_matrix(matrix[split:]),
            right[split:],
            {"l": form.inequalities, "q": [], "e": form.cones},
            sparse.csc_matrix(matrix[:split]),
            right[:split],
        )

    def solve(self) -> Any:
        return self.solver(
            *self.arguments,
            verbose=False,
            abstol=self.tolerance,
            reltol=self.tolerance,
            feastol=self.tolerance,
        )

    def variables(self, solution: Any) -> Floats:
        return np.asarray(solution["x"])
