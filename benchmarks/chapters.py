"""The chapters of the report, in order: modules that keep the contract of ``section.py``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType

from . import cell, enumerate, growth, profile, prove
from .section import Section

CHAPTERS: tuple[ModuleType, ...] = (cell, prove, growth, enumerate, profile)


def name_of(chapter: ModuleType) -> str:
    return chapter.__name__.rpartition(".")[2]


def sections(chapters: Sequence[ModuleType] = CHAPTERS) -> dict[str, Callable[[bool], Section]]:
    """Every section by its full name, ``chapter.section``."""
    found: dict[str, Callable[[bool], Section]] = {}
    for chapter in chapters:
        parts: Mapping[str, Callable[[bool], Section]] = chapter.SECTIONS
        found |= {f"{name_of(chapter)}.{name}": measure for name, measure in parts.items()}
    return found


def chosen(only: Sequence[str], names: Sequence[str]) -> list[str]:
    """The full names that a choice of chapters and sections stands for, in the report's order."""
    unknown = [
        choice
        for choice in only
        if not any(name == choice or name.startswith(f"{choice}.") for name in names)
    ]
    if unknown:
        raise ValueError(f"no such section: {', '.join(unknown)}; there are {', '.join(names)}")
    if not only:
        return list(names)
    return [
        name
        for name in names
        if any(name == choice or name.startswith(f"{choice}.") for choice in only)
    ]
