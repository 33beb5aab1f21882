"""The chapters of the report, in order: modules that keep the contract of ``section.py``.

They are imported when asked for: each needs the libraries that it measures.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from types import ModuleType

from .section import Section

NAMES = (
    *("cell", "whole_books", "paper_book", "prove", "growth", "makers", "batches", "embedding"),
    *("changes", "profile"),
)


def load() -> list[ModuleType]:
    return [importlib.import_module(f"{__package__}.{name}") for name in NAMES]


def sections(chapters: Sequence[ModuleType]) -> dict[str, Callable[[bool], Section]]:
    """Every section by its full name, ``chapter.section``."""
    return {
        f"{chapter.__name__.rpartition('.')[2]}.{name}": measure
        for chapter in chapters
        for name, measure in chapter.SECTIONS.items()
    }


def chosen(only: Sequence[str], names: Sequence[str]) -> list[str]:
    """The full names that a choice of chapters and sections stands for, in the report's order."""

    def covers(choice: str, name: str) -> bool:
        return name == choice or name.startswith(f"{choice}.")

    unknown = [choice for choice in only if not any(covers(choice, name) for name in names)]
    if unknown:
        raise ValueError(f"no such section: {', '.join(unknown)}; there are {', '.join(names)}")
    return [name for name in names if not only or any(covers(choice, name) for choice in only)]
