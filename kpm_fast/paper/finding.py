"""``Finding``: something the paper states outside its simulations, reproduced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .simulations import Statement

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Finding"]


@dataclass(frozen=True)
class Finding:
    """Statements of the paper with the tables and figures that show them.

    Attributes
    ----------
    title : str
        Section of the paper and subject.
    statements : tuple of Statement
    tables : mapping of str to mapping
        Tables by the stem of their file; the columns of a table have equal length.
    figures : mapping of str to callable
        Functions that draw the figures, by the stem of the figures' files.
    """

    title: str
    statements: tuple[Statement, ...]
    tables: Mapping[str, Mapping[str, Sequence[Any]]] = field(default_factory=dict)
    figures: Mapping[str, Callable[[], Figure]] = field(default_factory=dict, repr=False)

    @property
    def met(self) -> bool:
        """Whether every statement was reproduced."""
        return all(statement.met for statement in self.statements)
