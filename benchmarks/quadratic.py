"""Dense quadratic programs with PIQP: the yardstick for the smallest books."""

from __future__ import annotations

import numpy as np

from .rounds import warmed

SIZE = 10  # variables


class _Program:
    """Ten assets, their covariance and expected losses, in the order that they were drawn."""

    def __init__(self) -> None:
        self.generator = np.random.default_rng(SIZE)
        factor = self.generator.standard_normal((SIZE, SIZE))
        self.quadratic = np.asfortranarray(factor @ factor.T / SIZE + 0.1 * np.eye(SIZE))
        self.linear = self.generator.standard_normal(SIZE)

    def solve(self) -> object:
        """What is timed; its status."""
        raise NotImplementedError

    def require_solved(self) -> None:
        import piqp

        if self.solve() != piqp.PIQP_SOLVED:
            raise RuntimeError("PIQP did not solve its own problem")

    def seconds(self) -> float:
        """One timed call, after some that warm up."""
        return warmed(self.solve)()


class Portfolio(_Program):
    """A portfolio of ten assets: what runs in PIQP's process."""

    def __init__(self) -> None:
        import piqp

        super().__init__()
        ones, zeros = np.ones(SIZE), np.zeros(SIZE)
        total, one = np.ones((1, SIZE), order="F"), np.ones(1)
        problem = (self.quadratic, self.linear, total, one)
        self._arguments = (*problem, None, None, None, zeros, ones)
        self._solver = piqp.DenseSolver
        self.require_solved()

    def solve(self) -> object:
        """Set-up and solve; its status."""
        solver = self._solver()
        solver.setup(*self._arguments)
        return solver.solve()


class KeptPortfolio(_Program):
    """The same with ten rows of inequalities, its solver set up before: the cheapest call."""

    def __init__(self) -> None:
        import piqp

        super().__init__()
        ones = np.ones(SIZE)
        rows = np.asfortranarray(self.generator.standard_normal((SIZE, SIZE)))
        self._solver = piqp.DenseSolver()
        self._solver.setup(self.quadratic, self.linear, None, None, rows, -ones, ones, -ones, ones)
        self.require_solved()

    def solve(self) -> object:
        """Other costs, and a solve; its status."""
        self._solver.update(c=self.linear)
        return self._solver.solve()
