"""Measures everything side by side and writes the report: a page, its figures, its data.

Every section runs in a process of its own, one after the other; leave the machine alone
meanwhile. A section that fails says so in the report, and the exit status is 1. A full run writes
docs/benchmarks.md; a quick run goes to build/benchmarks/ instead, so that it never replaces the
published numbers.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType

from rich.console import Console

from . import chapters, document
from .entry import Data, Entry
from .load import Watch
from .machine import commit, describe
from .processes import ROOT
from .section import Section, show
from .worker import SectionFailedError, measure

PUBLISHED = ROOT / "docs" / "benchmarks.md"
QUICK = ROOT / "build" / "benchmarks" / "benchmarks.md"
TIME_LIMIT, QUICK_TIME_LIMIT = 900.0, 120.0  # seconds, of one section

Measure = Callable[[str, bool, float], Section]


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
        seconds, others = time.perf_counter() - start, watch.others()
        date = f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC"
        entries.append(Entry(name, section, error, seconds, others, date, commit()))
        verdict = "FAILED" if error else "skipped" if section and section.skipped else "done"
        busy = "" if others is None else f", others kept {others:.2f} cores busy"
        text = f"{verdict} in {seconds:.1f} s, {watch.own():.1f} s of processor time{busy}"
        console.print("\n".join([text, *([error] if error else [])]), markup=False, highlight=False)
    return entries


def publish(data: Data, page: Path, modules: Sequence[ModuleType], console: Console) -> bool:
    """Write data, page and figures; False where a section failed or a figure was not drawn."""
    store = page.with_suffix(".json")
    data.write(store)
    pages, faults = document.write(data, page, modules)
    said = [f"wrote {path}" for path in (store, *pages)]
    said += [f"not drawn: {slug}: {reason}" for slug, reason in faults.items()]
    said += [f"failed: {entry.name}" for entry in data.failed]
    console.print("\n".join(said), markup=False, highlight=False)
    return not faults and not data.failed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quick", action="store_true", help="few small instances")
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
    modules = chapters.load()
    names = list(chapters.sections(modules))
    store = page.with_suffix(".json")
    try:
        if page.suffix != ".md":
            raise ValueError(f"{page.name} does not end in .md")
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
    # The commit is told by section.
    machine = {label: value for label, value in describe() if label != "commit"}
    data = Data(options.quick, machine, entries)
    if options.print:
        for section in data.sections:
            show(document.text_of(section))
        return int(bool(data.failed))
    if kept is not None:
        latest = {entry.name: entry for entry in (*kept.entries, *entries)}
        data.entries = [latest[name] for name in names if name in latest]
        if options.render:
            data.quick, data.machine = kept.quick, kept.machine
    return 0 if publish(data, page, modules, console) else 1
