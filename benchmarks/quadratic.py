"""Dense quadratic programmes with PIQP: the yardstick for the smallest books."""

from __future__ import annotations

import numpy as np

from .rounds import warmed

SIZE = 10  # variables


class Portfolio:
    """A portfolio of ten assets: what runs in PIQP's process."""

    def __init__(self) -> None:
        import piqp

        generator = np.random.default_rng(SIZE)
        factor = generator.standard_normal((SIZE, SIZE))
        quadratic = np.asfortranarray(factor @ factor.T / SIZE + 0.1 * np.eye(SIZE))
        linear = generator.standard_normal(SIZE)
        ones, zeros = np.ones(SIZE), np.zeros(SIZE)
        total, one = np.ones((1, SIZE), order="F"), np.ones(1)
        self._arguments = (quadratic, linear, total, one, None, None, None, zeros, ones)
        self._solver = piqp.DenseSolver
        if self.solve() != piqp.PIQP_SOLVED:
            raise RuntimeError("PIQP did not solve its own problem")

    def solve(self) -> object:
        """Set-up and solve; its status."""
        solver = self._solver()
        solver.setup(*self._arguments)
        return solver.solve()

    def seconds(self) -> float:
        """One timed call, after some that warm up."""
        return warmed(self.solve)()


class KeptPortfolio:
    """The same with ten rows of inequalities, its solver set up before: the cheapest call."""

    def __init__(self) -> None:
        import piqp

        generator = np.random.default_rng(SIZE)
        factor = generator.standard_normal((SIZE, SIZE))
        quadratic = np.asfortranarray(factor @ factor.T / SIZE + 0.1 * np.eye(SIZE))
        self._linear = generator.standard_normal(SIZE)
        rows, ones = np.asfortranarray(generator.standard_normal((SIZE, SIZE))), np.ones(SIZE)
        self._solver = piqp.DenseSolver()
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
