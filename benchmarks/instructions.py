"""The guard against regressions: instructions of the core, against the stored counts.

Valgrind's callgrind counts what each task executes inside the core, on the second of two calls: the
same to a fraction of a per cent in every run, however busy the machine is. A task that takes more
than a tenth more than is stored fails (exit status 1), unless its new count is stored, with a
reason, in the same change; one that takes a hundredth more is marked. Counts depend on the compiler
and the C library. Where these differ from those of the stored counts nothing is judged (exit status
77); ``--against CHECKOUT`` compares with another checkout, built in place with the same tools.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

import kpm_fast as kpm
from kpm_fast import _core

from . import books, callgrind
from .cases import CASES
from .machine import describe
from .processes import one_thread
from .section import Section, print_sections

STORED = Path(__file__).resolve().parent / "instructions.json"
# Times what is stored. Two runs of one build on one machine differ by thousandths. But the core
# calls NumPy and the C library, whose code goes by the processor and whose versions are not all
# among the stored tools: a hundredth may be the machine's, and only marks its row; a tenth is the
# change's.
ALLOWED = 1.1
MARKED = 1.01
FEWER = 0.95  # from here on a new count is worth storing
SKIPPED = 77  # exit status

# Python calls the core through pybind11's dispatcher, whatever the function. One of them does
# nothing but tell the build: it marks where a task ends.
_COUNTED = "pybind11::cpp_function::dispatcher*"
_MARK = "*build_info*"
_TOTAL = re.compile(r"^summary: (\d+)$", re.MULTILINE)

Task = Callable[[], Any]


def tasks() -> dict[str, Task]:
    """What is counted, by name."""
    found: dict[str, Task] = {}
    for name, case in CASES.items():
        found[name] = _clear(case.book(), tolerance=case.tolerance)
    # The risk is most curved here: many cells tie as far as linear supports can tell.
    found["paper-hard"] = _clear(books.simulation_a(0.5, risk_aversion=100.0), tolerance=1e-9)
    market, orders = books.random_claims(10, 10, 300, seed=0, stake=1.0)
    found["competitive"] = _clear((market, orders), rule="competitive")
    small = [books.random_claims(4, 4, 12, seed, stake=1.0) for seed in range(100)]
    found["clear-many"] = lambda: kpm.clear_many(small, threads=1)
    payoffs = np.random.default_rng(0).random((100, 100))
    maker = kpm.KnightianMaker(np.full(100, 0.01), risk_aversion=1.0, ambiguity=0.1)
    found["quotes"] = lambda: maker.quotes(payoffs, 10.0)
    engine = kpm.Engine(market, orders)
    found["engine"] = lambda: _react(engine)
    return found


def _clear(book: books.Book, **options: Any) -> Task:
    return lambda: kpm.clear(*book, threads=1, **options)


def _react(engine: kpm.Engine) -> None:
    """A hundred orders that come and go, and one clearing."""
    for _ in range(100):
        engine.cancel(engine.add(0, "buy", 0.25, 7.0))
    engine.clear(threads=1)


def count(checkout: Path) -> dict[str, int]:
    """Instructions in the core that each task takes with the package of a built checkout."""
    with tempfile.TemporaryDirectory() as folder:
        # These tasks, that package.
        Path(folder, "benchmarks").symlink_to(Path(__file__).resolve().parent)
        Path(folder, "kpm_fast").symlink_to(checkout.resolve() / "kpm_fast")
        output = Path(folder, "callgrind")
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}"]
        command += [
            "--collect-atstart=no",
            f"--toggle-collect={_COUNTED}",
            f"--dump-before={_MARK}",
        ]
        command += [sys.executable, "-P" if sys.version_info >= (3, 11) else "-s", "-m", __name__]
        # The same hashes and one thread: the same instructions.
        environment = one_thread() | {
            "PYTHONHASHSEED": "0",
            "PYTHONPATH": folder,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{checkout}: {(done.stderr.splitlines() or ['no output'])[-1]}")
        names = json.loads(done.stdout)
        # Dumps are numbered from 1. Each task has three marks: before, between and after its calls.
        return {name: _total(Path(f"{output}.{3 * at + 3}")) for at, name in enumerate(names)}


def _total(dump: Path) -> int:
    match = _TOTAL.search(dump.read_text(encoding="utf-8", errors="replace"))
    if match is None or int(match[1]) == 0:
        raise RuntimeError(f"{dump.name}: callgrind counted nothing, are the core's symbols there?")
    return int(match[1])


def _call_all() -> None:
    """What runs under callgrind."""
    found = tasks()
    for task in found.values():
        for _ in range(2):
            _core.build_info()
            task()
        _core.build_info()
    print(json.dumps(list(found)))


def tools() -> dict[str, str]:
    """What counts depend on beside the source."""
    kept = ("core compiler", "core flags")
    found = {name: text for name, text in describe() if name in kept}
    return found | {"C library": " ".join(platform.libc_ver()), "processor": platform.machine()}


def compare(before: Mapping[str, int], now: Mapping[str, int]) -> Section:
    """Every task of either side, and whether none takes more than is allowed, is new or gone."""
    part = Section("Instructions in the core")
    bad = []
    for name in dict.fromkeys((*now, *before)):
        old, new = before.get(name), now.get(name)
        times = new / old if old and new else None
        if times is None:
            verdict = "gone" if old else "new"
        elif times > ALLOWED:
            verdict = "MORE"
        else:
            verdict = "fewer" if times < FEWER else "more" if times > MARKED else "same"
        if verdict in ("gone", "new", "MORE"):
            bad.append(name)
        part.rows.append(
            {"task": name, "before": old, "instructions": new, "times": times, "verdict": verdict}
        )
    reason = 'store them with what they buy: --save --reason "..."'
    part.aim(f"none above {ALLOWED} times, new or gone", ", ".join(bad) or "none", not bad, reason)
    return part


def store(path: Path, now: Mapping[str, int], reason: str) -> None:
    """Store counts; those that rose above what is allowed need a reason, which stays beside them.

    Raises ``ValueError`` naming the tasks where it is missing.
    """
    before, reasons = {}, {}
    if path.exists():
        values = json.loads(path.read_text(encoding="utf-8"))
        before, reasons = values["instructions"], values["reasons"]
        if values["tools"] != tools():
            before = {}
    risen = [name for name in now if name in before and now[name] > ALLOWED * before[name]]
    if risen and not reason:
        raise ValueError(f"--reason: why do these take more: {', '.join(risen)}?")
    reasons = {name: text for name, text in reasons.items() if name in now}
    reasons |= dict.fromkeys(risen, reason)
    values = {"tools": tools(), "instructions": dict(now), "reasons": reasons}
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="built in place")
    parser.add_argument("--stored", type=Path, default=STORED, metavar="FILE.json")
    parser.add_argument("--save", action="store_true", help="store what is counted")
    parser.add_argument("--reason", default="", help="why what rose is worth it, with --save")


def run(options: argparse.Namespace) -> int:
    console = Console(width=None if Console().is_terminal else 140)

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    if reason := callgrind.absent():
        say(f"skipped: {reason}")
        return SKIPPED
    root = Path(__file__).resolve().parents[1]
    try:
        if options.save:
            store(options.stored, count(root), options.reason)
            say(f"stored: {options.stored}")
            return 0
        if options.against is not None:
            before = count(options.against)
        else:
            values = json.loads(options.stored.read_text(encoding="utf-8"))
            if values["tools"] != tools():
                say(f"skipped: the stored counts are of {values['tools']}, here is {tools()}")
                return SKIPPED
            before = values["instructions"]
        now = count(root)
    except (OSError, ValueError, RuntimeError) as error:
        say(f"error: {error}")
        return 2
    part = compare(before, now)
    print_sections(console, [part])
    return 0 if all(target.met for target in part.targets) else 1


if __name__ == "__main__":
    _call_all()
