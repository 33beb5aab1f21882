"""A dense quadratic program with PIQP: the yardstick for the smallest books."""

from __future__ import annotations

import numpy as np

from .rounds import warmed

SIZE = 10  # variables


class Portfolio:
    """Ten assets with ten rows of inequalities, set up before: what runs in PIQP's process.

    Tuned, without its preconditioner: of all its settings the one whose change saves time here.
    """

    def __init__(self, tuned: bool) -> None:
        import piqp

        generator = np.random.default_rng(SIZE)
        factor = generator.standard_normal((SIZE, SIZE))
        quadratic = np.asfortranarray(factor @ factor.T / SIZE + 0.1 * np.eye(SIZE))
        self._linear, ones = generator.standard_normal(SIZE), np.ones(SIZE)
        rows = np.asfortranarray(generator.standard_normal((SIZE, SIZE)))
        self._solver = piqp.DenseSolver()
        if tuned:
            self._solver.settings.preconditioner_iter = 0
        self._solver.setup(quadratic, self._linear, None, None, rows, -ones, ones, -ones, ones)
        if self.solve() != piqp.PIQP_SOLVED:
            raise RuntimeError("PIQP did not solve its own problem")

    def solve(self) -> object:
        """Other costs, and a solve; its status."""
        self._solver.update(c=self._linear)
        return self._solver.solve()

    def seconds(self) -> float:
        """One timed call, after some that warm up."""
        return warmed(self.solve)()
