"""The amount of work of a clearing."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import count_text

__all__ = ["Stats"]


@dataclass(frozen=True)
class Stats:
    """The amount of work of a clearing.

    Attributes
    ----------
    cells : int
        Cells of the book, exactly: the product of the pieces of all staircases.
    pruned_infeasible : int
        Cells that the enumeration ruled out because no state prices reach them.
    pruned_bound : int
        Cells that the enumeration ruled out because nothing better can be in them.
    solved : int
        Cells solved. For a finished enumeration the three counts add up to ``cells``.
    nodes : int
        Nodes of the tree; 0 for the enumeration.
    relaxations : int
        Relaxations solved.
    columns : int
        Corners of pieces added to the relaxations by column generation.
    root_bound : float
        Upper bound of the first relaxation, money.
    iterations : int
        Interior-point iterations, relaxations and cells together.
    threads : int
        Threads used.
    seconds : dict
        Wall-clock time by phase: ``compile``, ``search``, ``select`` and ``total``.
    """

    cells: int
    pruned_infeasible: int
    pruned_bound: int
    solved: int
    nodes: int
    relaxations: int
    columns: int
    root_bound: float
    iterations: int
    threads: int
    seconds: dict[str, float] = field(compare=False)

    @property
    def work(self) -> str:
        """The work of the search, in words."""
        if self.relaxations and not self.nodes:
            return f"one convex program, {self.iterations:,} iterations"
        cells = f"{count_text(self.cells)} cells"
        if self.nodes:
            noun = "node" if self.nodes == 1 else "nodes"
            return f"{cells} in {self.nodes:,} {noun}, {self.solved:,} solved"
        return f"{cells}, {self.solved:,} solved"
