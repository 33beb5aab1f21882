"""Figures for speed stand on the pages that commands write, and nowhere else without a commit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.entry import Data

pytestmark = pytest.mark.unsanitized

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "docs" / "benchmarks.json"


@pytest.mark.parametrize("name", ["README.md", "docs/limits.md", "docs/scaling.md"])
def test_pages_link_to_times_and_state_none(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert re.findall(r"\b\d[\d.,]*\s?(?:ms|µs|ns|MiB)\b", text) == []
    assert re.findall(r"\d times (?:as|faster|slower)", text) == []
    assert re.search(r"\]\((docs/)?benchmarks\.md", text) is not None


def test_the_report_is_complete() -> None:
    data = Data.read(REPORT)
    assert not data.quick
    assert not data.failed


def test_the_report_page_and_its_figures_are_there() -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    for section in Data.read(REPORT).sections:
        assert section.title in page
        for figure in section.figures:
            for suffix in ("png", "svg"):
                assert (ROOT / "docs" / "images" / f"bench-{figure.slug}.{suffix}").is_file()
