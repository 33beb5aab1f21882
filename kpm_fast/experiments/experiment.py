"""``Experiment``: a question, the table that answers it, and its picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..clearing.options import checked_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Experiment", "checked_size"]


@dataclass(frozen=True)
class Experiment:
    """The findings of an experiment.

    Attributes
    ----------
    name : str
        The stem of its files.
    question : str
        The question, in one sentence.
    answer : str
        The answer, with figures from the table.
    table : mapping of str to sequence
        Columns of equal length, written as CSV.
    draw : callable
        Draws the table on matplotlib axes.
    """

    name: str
    question: str
    answer: str
    table: Mapping[str, Sequence[Any]]
    draw: Callable[[Axes], None] = field(repr=False, compare=False)

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return len(next(iter(self.table.values())))


def checked_size(size: Any, field: str, seed: Any) -> tuple[int, int]:
    """Return how much an experiment is to run, at least 1, and its seed, at least 0."""
    return checked_count(size, field, 1), checked_count(seed, "seed", 0)
