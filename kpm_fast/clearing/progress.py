"""Progress of a solve: what a callback sees, and the log that ``verbose=True`` prints."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EnumerationLog", "Progress", "ProgressLog", "TreeLog"]


@dataclass(frozen=True)
class Progress:
    """A snapshot of the search.

    Attributes
    ----------
    elapsed : float
        Seconds since the start.
    cells : int
        Cells of the book, exactly.
    solved : int
        Cells solved so far.
    pruned_infeasible, pruned_bound : int
        Cells ruled out so far by the enumeration: no state prices reach them, or nothing better
        can be in them.
    nodes, open : int
        Nodes of the tree, processed and open; 0 for the enumeration.
    certainty_equivalent : float
        The best found so far, money; ``-inf`` before the first.
    upper_bound : float
        No clearing has a greater certainty equivalent, money.
    """

    elapsed: float
    cells: int
    solved: int
    pruned_infeasible: int
    pruned_bound: int
    nodes: int
    open: int
    certainty_equivalent: float
    upper_bound: float

    @property
    def done(self) -> int:
        """Cells solved or ruled out by the enumeration."""
        return self.solved + self.pruned_infeasible + self.pruned_bound

    @property
    def fraction(self) -> float:
        """Share of the cells that the enumeration has done, from 0 to 1.

        Says nothing of a tree, which solves few of its cells: look at ``gap`` there.
        """
        return min(1.0, self.done / self.cells) if self.cells else 1.0

    @property
    def gap(self) -> float:
        """Upper bound less certainty equivalent, money, never negative."""
        return max(0.0, self.upper_bound - self.certainty_equivalent)


class ProgressLog:
    """Prints a solve as it goes: a banner, a row per report, a closing line."""

    header = ""

    def banner(self, lines: list[str]) -> None:
        """Print what is about to be solved, and the header of the rows."""
        for line in lines:
            print(line)
        print(self.header, flush=True)

    def row(self, progress: Progress) -> None:
        """Print one report."""
        print(self.format(progress), flush=True)

    def format(self, progress: Progress) -> str:
        """Return the row of one report."""
        raise NotImplementedError

    def close(self, line: str) -> None:
        """Print how it ended."""
        print(line, flush=True)


class EnumerationLog(ProgressLog):
    """Rows of the enumeration: the share of the cells that is done."""

    header = f"{'seconds':>9}  {'done':>6}  {'solved':>12}  {'certainty equiv.':>16}  {'gap':>9}"

    def format(self, progress: Progress) -> str:
        """Return the row of one report."""
        return (
            f"{progress.elapsed:9.2f}  {progress.fraction:6.1%}  {progress.solved:12,}  "
            f"{progress.certainty_equivalent:16.9g}  {progress.gap:9.2e}"
        )


class TreeLog(ProgressLog):
    """Rows of the tree, as solvers of mixed-integer programs print them."""

    header = (
        f"{'nodes':>9}  {'open':>7}  {'best clearing':>16}  {'upper bound':>16}  {'gap':>9}  "
        f"{'seconds':>8}"
    )

    def format(self, progress: Progress) -> str:
        """Return the row of one report."""
        return (
            f"{progress.nodes:9,}  {progress.open:7,}  {progress.certainty_equivalent:16.9g}  "
            f"{progress.upper_bound:16.9g}  {progress.gap:9.2e}  {progress.elapsed:8.2f}"
        )
