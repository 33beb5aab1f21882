"""Measures everything side by side and writes the report: a page, its figures, its data.

Every section runs in a process of its own, one after the other; leave the machine alone
meanwhile. A section that fails says so in the report, and the exit status is 1. A full run writes
docs/benchmarks.md and fills the numbers that README and docs quote from it; a quick run goes to
build/benchmarks/ instead, so that it never replaces the published numbers.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType

from rich.console import Console

from . import chapters, document, spans
from .entry import Data, Entry
from .load import Watch
from .machine import commit, describe
from .processes import ROOT
from .section import Section, print_sections
from .worker import SectionFailedError, measure

PUBLISHED = ROOT / "docs" / "benchmarks.md"
QUICK = ROOT / "build" / "benchmarks" / "benchmarks.md"
TIME_LIMIT, QUICK_TIME_LIMIT = 900.0, 120.0  # seconds, of one section

Measure = Callable[[str, bool, float], Section]


def quoting_pages() -> list[Path]:
    """The pages that may quote the report."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [page for page in pages if page != PUBLISHED]


def gather(
    names: Sequence[str],
    quick: bool,
    console: Console,
    time_limit: float,
    measure: Measure = measure,
) -> list[Entry]:
    """Measure the sections one after the other, each for so long; a failure is an entry too."""
    entries = []
    for name in names:
        console.print(f"{name} ...", highlight=False, end=" ")
        watch, start = Watch(), time.perf_counter()
        section, error = None, ""
        try:
            section = measure(name, quick, time_limit)
        except SectionFailedError as failure:
            error = str(failure)
        seconds = time.perf_counter() - start
        load = watch.load()
        others = load.others
        date = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        entries.append(Entry(name, section, error, seconds, others, date, commit()))
        verdict = (
            "[bold red]FAILED[/]" if error else "skipped" if section and section.skipped else "done"
        )
        busy = "" if others is None else f", others kept {others:.2f} cores busy"
        console.print(
            f"{verdict} in {seconds:.1f} s, {load.own:.1f} s of processor time{busy}",
            highlight=False,
        )
        if error:
            console.print(error, markup=False, highlight=False)
    return entries


def merged(old: Sequence[Entry], new: Sequence[Entry], names: Sequence[str]) -> list[Entry]:
    """New entries in the place of old ones, in the report's order; sections of old are dropped."""
    latest = {entry.name: entry for entry in (*old, *new)}
    return [latest[name] for name in names if name in latest]


def publish(data: Data, page: Path, modules: Sequence[ModuleType], console: Console) -> bool:
    """Write data, page and figures; fill the spans of README and docs from a published report.

    False where a section failed or a figure could not be drawn.
    """
    store = page.with_suffix(".json")
    data.write(store)
    pages, faults = document.write(data, page, modules)
    written, missing = [store, *pages], list[str]()
    if page == PUBLISHED and not data.quick:
        filled, missing = spans.fill(quoting_pages(), data.quotes)
        written += filled
    for path in written:
        console.print(f"wrote {path}", highlight=False)
    if missing:
        console.print(f"quoted, but not measured: {', '.join(missing)}", highlight=False)
    for slug, reason in faults.items():
        console.print(f"[bold red]not drawn[/]: {slug}: {reason}", highlight=False)
    for entry in data.failed:
        console.print(f"[bold red]failed[/]: {entry.name}", highlight=False)
    return not faults and not data.failed


def _machine() -> dict[str, str]:
    """What the sections ran on; the commit is told by section."""
    return {label: value for label, value in describe() if label != "commit"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quick", action="store_true", help="few small instances: under 3 minutes")
    parser.add_argument(
        "--output", type=Path, metavar="FILE.md", help="the page; figures and data go beside it"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="SECTION",
        help="measure these chapters or sections and keep the others as they are",
    )
    parser.add_argument(
        "--time-limit",
        type=float,
        metavar="S",
        help=f"seconds for each section ({TIME_LIMIT:g}, or {QUICK_TIME_LIMIT:g} if quick)",
    )
    parser.add_argument("--print", action="store_true", help="print the tables and write nothing")
    parser.add_argument(
        "--render", action="store_true", help="measure nothing: write again from the data"
    )


def run(options: argparse.Namespace) -> int:
    console = Console(soft_wrap=True)
    page = (options.output or (QUICK if options.quick else PUBLISHED)).resolve()
    if page.suffix != ".md":
        console.print(f"error: {page.name} does not end in .md", highlight=False)
        return 2
    modules = chapters.load()
    names = list(chapters.sections(modules))
    store = page.with_suffix(".json")
    try:
        wanted = [] if options.render else chapters.chosen(options.only, names)
        kept = Data.read(store) if (options.render or options.only) and store.exists() else None
        if options.render and kept is None:
            raise ValueError(f"there is no {store}")
        if kept is not None and not options.render and kept.quick != options.quick:
            raise ValueError(f"{store}: quick and full sections do not mix")
    except ValueError as error:
        console.print(f"error: {error}", highlight=False)
        return 2
    limit = options.time_limit or (QUICK_TIME_LIMIT if options.quick else TIME_LIMIT)
    entries = gather(wanted, options.quick, console, limit)
    if options.print:
        tables = Console(width=None if console.is_terminal else 160)
        print_sections(tables, [entry.section for entry in entries if entry.section is not None])
        return int(any(entry.error for entry in entries))
    if kept is None:
        data = Data(options.quick, _machine(), entries)
    else:
        machine = kept.machine if options.render else _machine()
        data = Data(kept.quick, machine, merged(kept.entries, entries, names))
    return 0 if publish(data, page, modules, console) else 1
