"""The report: it says what was measured, and leaves out nothing that failed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from matplotlib.figure import Figure as Drawing
from rich.console import Console

from benchmarks import chapters, document, load, overview, report, worker
from benchmarks.entry import Data, Entry
from benchmarks.section import Section, time_text
from benchmarks.worker import SectionFailedError
from kpm_fast.plots.style import new_figure

pytestmark = pytest.mark.unsanitized


def draw_line(data: Any) -> Drawing:
    figure, (axes,) = new_figure(2, 2)
    axes.plot(data["x"], data["y"])
    return figure


def measured(quick: bool = False) -> Section:
    section = Section("Some clearings")
    section.rows = [
        {"book": "a|b", "ours times": 1.0, "p50 time": 0.0123, "solved share": 0.5, "gap": 1e-9},
        {"book": "c", "ours times": 250.4, "p50 time": 2.5, "solved share": 1.0, "gap": None},
    ]
    section.notes.append("a note")
    section.aim("be fast", "12 ms", True, "It was not fast.")
    section.aim("be small", "3 MiB", False, "It holds a | map.")
    section.against("Books", "Slow solver", [4.0, 5.0, 9.0])
    section.against("Books", "Stopped", [40.0], at_least=True)
    section.draw(draw_line, "line", "A line.", {"x": [1, 2], "y": [3, 4]})
    return section


def chapter(**sections: Callable[[bool], Section]) -> ModuleType:
    module = ModuleType("benchmarks.some", "How it is measured: ``x``.")
    vars(module).update(TITLE="Some chapter", SECTIONS=sections)
    return module


def entry(name: str, section: Section | None, error: str = "", others: float = 0.0) -> Entry:
    return Entry(name, section, error, 1.5, others, "2026-01-01 10:00 UTC", "abc")


def silent() -> Console:
    return Console(file=io.StringIO(), width=200)


def test_a_section_survives_json() -> None:
    section = measured()
    assert Section.from_dict(json.loads(json.dumps(section.as_dict()))) == section


def test_data_survives_its_file(tmp_path: Path) -> None:
    data = Data(True, {"machine": "m"}, [entry("some.a", measured()), entry("some.b", None, "why")])
    data.write(tmp_path / "deep" / "data.json")
    assert Data.read(tmp_path / "deep" / "data.json") == data


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_text('{"format": 0}')
    with pytest.raises(ValueError, match="format"):
        Data.read(path)


def test_the_page_says_what_was_measured(tmp_path: Path) -> None:
    data = Data(False, {"machine": "two cores"}, [entry("some.a", measured())])
    written, faults = document.write(data, tmp_path / "page.md", [chapter(a=measured)])
    assert faults == {}
    page = written[0].read_text()
    assert "| machine | two cores |" in page
    assert "## Some chapter\n\nHow it is measured: `x`.\n\n### Some clearings" in page
    assert "| book | ours | p50 | solved | gap |\n| --- | --: | --: | --: | --: |" in page
    assert "| a\\|b | 1.00x | 12.3 ms | 50.0% | 1.0e-09 |" in page
    assert "| c | 250x | 2.5 s | 100.0% | - |" in page
    link = "| [Some chapter](#some-chapter) |"
    assert f"{link} be fast | 12 ms | met |" in page
    assert f"{link} be small | 3 MiB | **missed**: It holds a \\| map. |" in page
    assert "It was not fast" not in page
    assert "## Targets\n\n1 of 2 are met.\n\n| chapter | target |" in page
    assert "| Books | Slow solver | 5.00x | 4.50x | 7.00x |  |" in page
    assert "| Books | Stopped | 40.00x | 40.00x | 40.00x | at least: some stopped" in page
    assert "the machine was idle" in page
    assert "failed" not in page
    figures = sorted(path.name for path in written[1:])
    assert figures == [
        "bench-line.png",
        "bench-line.svg",
        "bench-overview.png",
        "bench-overview.svg",
    ]
    assert all((tmp_path / "images" / name).stat().st_size > 500 for name in figures)
    assert all(f"images/{name}" in page for name in figures if name.endswith("svg"))


def draw_nothing(data: Any) -> Drawing:
    raise RuntimeError("no ink")


def test_a_figure_that_cannot_be_drawn_does_not_stop_the_report(tmp_path: Path) -> None:
    section = measured()
    section.draw(draw_nothing, "none", "Nothing.", 0)
    data = Data(False, {}, [entry("some.a", section)])
    written, faults = document.write(data, tmp_path / "page.md", [chapter()])
    assert faults == {"none": "RuntimeError: no ink"}
    assert "**Not drawn:** Nothing. (RuntimeError: no ink)" in written[0].read_text()
    assert "bench-none" not in written[0].read_text()
    assert len(written) == 5
    assert report.publish(data, tmp_path / "page.md", [chapter()], silent()) is False


def test_prose_is_written_in_short_lines(tmp_path: Path) -> None:
    section = measured()
    section.notes.append("a few words " * 50)
    some = chapter(a=measured)
    some.__doc__ = "What is measured.\n\n" + "it is explained at length " * 20
    data = Data(False, {}, [entry("some.a", section)])
    (page, *_), _ = document.write(data, tmp_path / "page.md", [some])
    prose = [line for line in page.read_text().splitlines() if not line.startswith(("|", "!["))]
    assert max(map(len, prose)) <= 120
    assert sum(line.startswith(("a few words", "it is explained")) for line in prose) >= 2


def test_a_busy_machine_is_named(tmp_path: Path) -> None:
    entries = [entry("some.a", measured(), others=0.7), entry("some.b", Section("B"))]
    written, _ = document.write(Data(False, {}, entries), tmp_path / "page.md", [chapter()])
    assert "**the machine was not idle**" in written[0].read_text()
    assert "1 of 2 sections, 0.70 during some.a" in written[0].read_text()


def test_a_skipped_section_says_why(tmp_path: Path) -> None:
    section = Section("Needs a tool", skipped="no tool")
    data = Data(False, {}, [entry("some.a", section)])
    written, _ = document.write(data, tmp_path / "page.md", [chapter()])
    assert "### Needs a tool\n\n**Skipped:** no tool." in written[0].read_text()


def test_a_failed_section_stays_in_the_report(tmp_path: Path) -> None:
    def measure(name: str, quick: bool, limit: float) -> Section:
        assert limit == 7.0
        if name == "some.b":
            raise SectionFailedError("exit status 1\nValueError: no | luck")
        return measured()

    console = silent()
    entries = report.gather(["some.a", "some.b"], True, console, 7.0, measure)
    assert [bool(found.error) for found in entries] == [False, True]
    assert "FAILED" in console.file.getvalue()  # type: ignore[attr-defined]
    data = Data(True, {}, entries)
    assert [found.name for found in data.failed] == ["some.b"]
    written, _ = document.write(data, tmp_path / "page.md", [chapter()])
    page = written[0].read_text()
    assert "**some.b failed** and has no numbers below." in page
    assert "ValueError: no | luck" in page


def test_the_command_fails_when_a_section_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*words: str) -> int:
        parser = report.argparse.ArgumentParser()
        report.add_arguments(parser)
        return report.run(parser.parse_args([*words, "--output", str(tmp_path / "page.md")]))

    outcomes: dict[str, Section | None] = {"some.a": measured(), "some.b": None}
    limits: list[float] = []

    def gather(names: list[str], quick: bool, console: Console, time_limit: float) -> list[Entry]:
        limits.append(time_limit)
        return [entry(name, outcomes[name], "" if outcomes[name] else "no luck") for name in names]

    monkeypatch.setattr(chapters, "load", lambda: [chapter(a=measured, b=measured)])
    monkeypatch.setattr(report, "gather", gather)
    assert run("--quick") == 1
    outcomes["some.b"] = Section("Second")
    assert run("--quick", "--only", "some.b", "--time-limit", "7") == 0  # the first is kept
    assert limits == [report.QUICK_TIME_LIMIT, 7.0]
    page = (tmp_path / "page.md").read_text()
    assert page.index("### Some clearings") < page.index("### Second")
    assert "no luck" not in page
    assert run("--only", "some.b") == 2  # a full section into a quick report
    assert run("--only", "nothing") == 2
    (tmp_path / "page.md").unlink()
    assert run("--render") == 0
    assert (tmp_path / "page.md").read_text() == page


def test_only_picks_chapters_and_sections() -> None:
    names = ["cell.a", "cell.b", "cells.a", "prove.a"]
    assert chapters.chosen([], names) == names
    assert chapters.chosen(["prove", "cell.b"], names) == ["cell.b", "prove.a"]
    assert chapters.chosen(["cell"], names) == ["cell.a", "cell.b"]
    with pytest.raises(ValueError, match="no such section: cel"):
        chapters.chosen(["cel"], names)


def run_worker(monkeypatch: pytest.MonkeyPatch, code: str, time_limit: float = 60.0) -> Section:
    """``worker.measure`` with a program in place of the section's."""
    popen = subprocess.Popen

    def start(command: list[str], **options: Any) -> Any:
        return popen([sys.executable, "-c", code], **options)

    monkeypatch.setattr(worker.subprocess, "Popen", start)
    return worker.measure("some.a", True, time_limit)


def test_a_worker_hands_its_section_back(monkeypatch: pytest.MonkeyPatch) -> None:
    line = json.dumps(Section("From afar", data={"a": "µ"}).as_dict())
    section = run_worker(monkeypatch, f"print('noise'); print({line!r})")
    assert section == Section("From afar", data={"a": "µ"})


def test_a_worker_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SectionFailedError, match=r"exit status 1[\s\S]*ValueError: no luck"):
        run_worker(monkeypatch, "raise ValueError('no luck')")


def test_a_worker_is_ended_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SectionFailedError, match=r"not done after 0\.2 s"):
        run_worker(monkeypatch, "import time; time.sleep(60)", time_limit=0.2)


def test_the_load_of_others_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = {"busy": iter((100.0, 107.0)), "own": iter((10.0, 14.0)), "wall": iter((0.0, 6.0))}
    monkeypatch.setattr(load, "_busy", lambda: next(ticks["busy"]))
    monkeypatch.setattr(load, "_own", lambda: next(ticks["own"]))
    monkeypatch.setattr(load.time, "perf_counter", lambda: next(ticks["wall"]))
    assert load.Watch().others() == pytest.approx(0.5)


def test_the_overview_keeps_the_groups_apart() -> None:
    section = Section("x")
    section.against("One cell", "Slower", [22.0])
    section.against("One cell", "Fast", [0.5, 0.5])
    section.against("A book", "Slow", [1234.0], at_least=True)
    drawn = overview.overview(section.ratios)
    figure = overview.draw(drawn.figures[0].data)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["0.5×", "22×", "at least 1,200×"]
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert names == ["One cell: Fast", "One cell: Slower", "A book: Slow"]
    low, high = axes.get_xlim()
    assert low < 0.5 < 1234 < high


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.834, "0.83×"),
        (4.5, "4.5×"),
        (22.4, "22×"),
        (653.2, "653×"),
        (1380, "1,400×"),
        (100000, "100,000×"),
    ],
)
def test_multiples_are_rounded_to_readable_digits(value: float, text: str) -> None:
    assert overview.multiple_text(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.5, "2.5 s"), (0.0123, "12.3 ms"), (-1.5e-5, "-15 µs"), (25e-9, "25 ns"), (0.0, "0 µs")],
)
def test_times_have_a_readable_unit(seconds: float, text: str) -> None:
    assert time_text(seconds) == text
