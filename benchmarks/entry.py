"""The entry of a section in the report, and the file of the report's data."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .section import Section

FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """A section as it was measured, or why it was not."""

    name: str  # chapter.section
    section: Section | None
    error: str  # empty where there is a section
    seconds: float
    others: float | None  # cores that other processes kept busy meanwhile
    date: str
    commit: str


@dataclass
class Data:
    """All that a report is written from."""

    quick: bool
    machine: dict[str, str]
    entries: list[Entry]

    @property
    def quotes(self) -> dict[str, str]:
        """What README and docs may quote, from every section; a key belongs to one of them."""
        found: dict[str, str] = {}
        for entry in self.entries:
            quotes = entry.section.quotes if entry.section else {}
            twice = sorted(found.keys() & quotes.keys())
            if twice:
                raise ValueError(f"{entry.name}: quoted by another section too: {twice}")
            found |= quotes
        return found

    @property
    def failed(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.error]

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        values = {
            "format": FORMAT,
            "quick": self.quick,
            "machine": self.machine,
            "quotes": self.quotes,
            "sections": {entry.name: _as_dict(entry) for entry in self.entries},
        }
        path.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Data:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values.get("format") != FORMAT:
            raise ValueError(f"{path}: not a report of format {FORMAT}")
        entries = [_from_dict(name, dict(entry)) for name, entry in values["sections"].items()]
        return cls(values["quick"], values["machine"], entries)


def _as_dict(entry: Entry) -> dict[str, Any]:
    values = asdict(entry)
    values.pop("name")
    return values


def _from_dict(name: str, values: dict[str, Any]) -> Entry:
    section = values.pop("section")
    return Entry(name, Section.from_dict(section) if section else None, **values)
