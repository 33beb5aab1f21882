"""How a book is to be cleared: each option defined once and checked once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from .. import _core
from ..arrays import as_flag, check_choice
from ..bounds import MOST_THREADS
from ..errors import InputError, suggestion
from ..model.rules import ALLOCATIONS, RULES
from .options import (
    MOST_NODES,
    checked_count,
    checked_time_limit,
    checked_tolerance,
)

__all__ = ["ClearSettings", "check_keywords"]

METHODS = ("auto", "branch-and-bound", "enumerate")


@dataclass(frozen=True)
class ClearSettings:
    """The options of :func:`clear` other than the book and callbacks. Immutable, and checked.

    Attributes
    ----------
    method, rule, tolerance, threads, time_limit, node_limit, cell_limit
        As for :func:`clear`.
    prune_bounds, presolve, allocation, certificate
        As for :func:`clear`.

    Raises
    ------
    InputError
        Naming the option and its value.
    """

    method: str = "auto"
    rule: str = "maker_optimal"
    tolerance: float = 1e-8
    threads: int | None = None
    time_limit: float | None = None
    node_limit: int | None = None
    cell_limit: int = 1_000_000
    prune_bounds: bool = True
    presolve: bool = True
    allocation: str = "pro_rata"
    certificate: bool = False

    def __post_init__(self) -> None:
        check_choice(self.method, METHODS, "method")
        check_choice(self.allocation, ALLOCATIONS, "allocation")
        check_choice(self.rule, RULES, "rule")
        certificate = as_flag(self.certificate, "certificate")
        if self.rule == "maker_optimal":
            given = {"certificate": certificate, "node_limit": self.node_limit is not None}
            for name in (name for name, stated in given.items() if stated and self.enumerates):
                raise InputError("is not available with method='enumerate'", field=name)
        else:
            self._check_without_search()
        checked = {
            "tolerance": checked_tolerance(self.tolerance),
            "cell_limit": checked_count(self.cell_limit, "cell_limit", 1),
            "prune_bounds": as_flag(self.prune_bounds, "prune_bounds"),
            "presolve": as_flag(self.presolve, "presolve"),
            "certificate": certificate,
        }
        if self.threads is not None:
            checked["threads"] = checked_count(self.threads, "threads", 1, MOST_THREADS)
        if self.time_limit is not None:
            checked["time_limit"] = checked_time_limit(self.time_limit)
        if self.node_limit is not None:
            checked["node_limit"] = checked_count(self.node_limit, "node_limit", 1, MOST_NODES)
        vars(self).update(checked)

    def _check_without_search(self) -> None:
        """Refuse options that concern a search: the rule is a convex program."""
        given = {
            "method": self.method != "auto",
            "node_limit": self.node_limit is not None,
        }
        for name in (name for name, is_given in given.items() if is_given):
            raise without_search(self.rule, name)

    @classmethod
    def of(cls, *options: Any, **named: Any) -> ClearSettings:
        """Return the settings with these options, which are not checked again if they were before.

        Checking takes a tenth of the time of a small clearing, and callers usually clear one book
        after another with the same options.
        """
        try:
            return _remembered(*options, **named)
        except TypeError:  # an entry that has no hash, or no option at all
            return cls(*options, **named)

    @property
    def enumerates(self) -> bool:
        """Whether cells are enumerated."""
        return self.method == "enumerate"

    @cached_property
    def core(self) -> _core.ClearSettings:
        """The settings as the core takes them."""
        return _core.ClearSettings(
            method="enumerate" if self.enumerates else "branch-and-bound",
            tolerance=self.tolerance,
            threads=self.threads or 0,
            time_limit=math.inf if self.time_limit is None else self.time_limit,
            node_limit=self.node_limit or 0,
            prune_bounds=self.prune_bounds,
            presolve=self.presolve,
            certificate=self.certificate,
            allocation="pro_rata" if self.allocation == "pro_rata" else "time",
        )


def check_keywords(caller: str, given: Iterable[str], known: Sequence[str]) -> None:
    """Refuse keywords that a function does not know, naming the one that was called.

    Raises
    ------
    TypeError
        Naming the keyword, one like it, and those there are.
    """
    for name in given:
        if name not in known:
            raise TypeError(
                f"{caller}() got an unexpected keyword argument {name!r}{suggestion(name, known)} "
                f"(it takes {', '.join(known)})"
            )


# Typed: 1, 1.0 and True are equal, and not all of them are numbers of threads.
_remembered = lru_cache(maxsize=256, typed=True)(ClearSettings)


def without_search(rule: str, option: str) -> InputError:
    """The error for an option that concerns a search."""
    return InputError(f"is not available with rule={rule!r}, which needs no search", field=option)
