"""The entry of a section in the report, and the file of the report's data."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from .section import Section

FORMAT = 2


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
    def sections(self) -> list[Section]:
        return [entry.section for entry in self.entries if entry.section is not None]

    @property
    def failed(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.error]

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Data:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values.pop("format", None) != FORMAT:
            raise ValueError(f"{path}: not a report of format {FORMAT}")
        for entry in values["entries"]:
            entry["section"] = entry["section"] and Section.from_dict(entry["section"])
        return cls(**(values | {"entries": [Entry(**entry) for entry in values["entries"]]}))
