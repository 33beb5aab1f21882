"""The amount of work of a clearing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from .. import _core
from ..errors import InputError, brief, count_text
from .immutable import FrozenDict

__all__ = ["WORK", "Stats"]

#: Where a new instance keeps the core's answer, until one of its fields is looked at.
WORK = "_work"


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", FrozenDict(self.seconds))

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

    def _to_dict(self) -> dict[str, Any]:
        """Return the fields by name; the dictionaries are the caller's own."""
        stated = {item.name: getattr(self, item.name) for item in fields(self)}
        return {**stated, "seconds": dict(self.seconds)}

    if not TYPE_CHECKING:  # to a type checker every name would be a field

        def __getattr__(self, name: str) -> Any:
            """Read the core's answer when it is first looked at: most callers never do."""
            work = self.__dict__.get(WORK)
            if work is not None:
                self.__dict__.update(_fields(work))
                self.__dict__.pop(WORK, None)
            # Another thread may have read it in between.
            if name in self.__dict__:
                return self.__dict__[name]
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __getstate__(self) -> dict[str, Any]:
        self.cells  # noqa: B018  # the core's answer stays in its process
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        kinds: dict[str, Any] = {"root_bound": float, "seconds": Mapping}
        for item in fields(self):
            value = state.get(item.name)
            if not isinstance(value, kinds.get(item.name, int)):
                raise InputError(f"is damaged, got {brief(value)}", field=f"stats.{item.name}")
            self.__dict__[item.name] = value


def _fields(work: _core.Work) -> dict[str, Any]:
    counts: dict[str, Any] = dict(work.to_dict())
    counts["cells"] = math.prod(counts.pop("pieces"))
    counts["pruned_infeasible"] = int(counts["pruned_infeasible"])
    counts["pruned_bound"] = int(counts["pruned_bound"])
    counts["seconds"] = FrozenDict(counts["seconds"])
    del counts["open"]
    return counts
