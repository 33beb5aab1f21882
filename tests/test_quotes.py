"""Numbers that README and docs quote are those that the report measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import spans
from benchmarks.entry import Data

pytestmark = pytest.mark.unsanitized

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "docs" / "benchmarks.json"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

PAGE = "It takes <!-- bench:a.b -->2<!-- /bench --> s, or <!-- bench:c -->3\n4<!-- /bench -->."


@pytest.fixture(scope="module")
def quotes() -> dict[str, str]:
    return Data.read(REPORT).quotes


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_quote_the_report(page: Path, quotes: dict[str, str]) -> None:
    for key, text in spans.spans(page.read_text(encoding="utf-8")):
        assert key in quotes, f"nothing measured is called {key}"
        assert text == quotes[key], key


@pytest.mark.parametrize("name", ["README.md", "docs/limits.md", "docs/branch-and-bound.md"])
def test_numbers_are_quoted_and_not_typed(name: str) -> None:
    """Times in milliseconds or microseconds and sizes in MiB are in spans only."""
    text = re.sub(r"<!-- bench:.*?<!-- /bench -->", "", (ROOT / name).read_text(), flags=re.DOTALL)
    text = re.sub(r"^\|.*\| target \|$", "", text, flags=re.MULTILINE)
    typed = re.findall(r"\b\d[\d.,]*\s?(?:ms|µs|MiB)\b", text)
    assert spans.spans((ROOT / name).read_text())
    assert set(typed) <= {"2 ms", "10 ms"}  # when a second thread starts; a target


def test_the_report_is_complete(quotes: dict[str, str]) -> None:
    data = Data.read(REPORT)
    assert not data.quick
    assert not data.failed
    assert quotes


def test_the_report_page_and_its_figures_are_there() -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    data = Data.read(REPORT)
    for entry in data.entries:
        assert entry.section is not None
        assert entry.section.title in page
        for figure in entry.section.figures:
            for suffix in ("png", "svg"):
                assert (ROOT / "docs" / "images" / f"bench-{figure.slug}.{suffix}").is_file()


def test_spans_are_found() -> None:
    assert spans.spans(PAGE) == [("a.b", "2"), ("c", "3\n4")]


def test_spans_are_filled() -> None:
    filled = spans.filled(PAGE, {"a.b": "5 %", "c": r"\1 stays"})
    assert spans.spans(filled) == [("a.b", "5 %"), ("c", r"\1 stays")]
    assert filled.startswith("It takes <!-- bench:a.b -->5 %<!-- /bench --> s, or ")
    assert spans.filled(filled, {"a.b": "2", "c": "3\n4"}) == PAGE


def test_unmeasured_spans_stay_and_are_named() -> None:
    assert spans.unmeasured(PAGE, {"c": "6"}) == ["a.b"]
    assert spans.spans(spans.filled(PAGE, {"c": "6"})) == [("a.b", "2"), ("c", "6")]


@pytest.mark.parametrize(
    "text",
    [
        "<!-- bench:a -->1",
        "1<!-- /bench -->",
        "<!-- bench:a -->1<!-- bench:b -->2<!-- /bench -->",
        "<!-- bench: a -->1<!-- /bench -->",
    ],
)
def test_a_mark_without_its_partner_is_refused(text: str) -> None:
    with pytest.raises(spans.SpanError):
        spans.filled(text, {"a": "1", "b": "2"})


def test_files_are_filled_all_or_none(tmp_path: Path) -> None:
    good, bad, idle = tmp_path / "good.md", tmp_path / "bad.md", tmp_path / "idle.md"
    good.write_text(PAGE)
    idle.write_text("nothing here")
    bad.write_text("<!-- bench:a.b -->")
    with pytest.raises(spans.SpanError, match=r"bad\.md"):
        spans.fill([good, bad], {"a.b": "9"})
    assert good.read_text() == PAGE
    assert spans.fill([good, idle], {"a.b": "9"}) == ([good], ["c"])
    assert spans.spans(good.read_text())[0] == ("a.b", "9")
    assert spans.fill([good], {"a.b": "9", "c": "3\n4"}) == ([], [])
