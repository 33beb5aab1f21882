"""The guard against regressions: instructions of the core, against the stored counts.

Valgrind's callgrind counts what each task executes inside the core, on the second of two calls: the
same to a fraction of a per cent in every run, however busy the machine is. A task that takes more
than a tenth more than is stored fails (exit status 1), unless its new count is stored in the same
change; one that takes a hundredth more is marked. To store a count asks for a reason where it is
above a tenth more than the least ever stored, or the least since the last reason: many small rises
are a large one. Counts depend on the compiler and the C library. Where these differ from those of
the stored counts nothing is judged (exit status 78, and 77 without valgrind); ``--against
CHECKOUT`` compares with another checkout, built in place with the same tools. To store counts of
other tools takes that, too: the commit of the stored counts, built with these.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Mapping
from pathlib import Path

import numpy as np

import kpm_fast as kpm

from . import books, marked
from .cases import CASES
from .machine import describe
from .marked import Task
from .processes import ROOT
from .section import Section, show, table, verdicts

STORED = Path(__file__).resolve().parent / "instructions.json"
# Times what is stored. Two runs of one build on one machine differ by thousandths. But the core
# calls NumPy and the C library, whose code goes by the processor and whose versions are not all
# among the stored tools: a hundredth may be the machine's, and only marks its row; a tenth is the
# change's.
ALLOWED = 1.1
MARKED = 1.01
FEWER = 0.95  # from here on a new count is worth storing
SKIPPED, OTHER_TOOLS = 77, 78  # exit status


def tasks() -> dict[str, Task]:
    """What is counted, by name."""
    found: dict[str, Task] = {name: case.task() for name, case in CASES.items()}
    market, orders = books.random_claims(10, 10, 300, seed=0, stake=1.0)
    found["competitive"] = lambda: kpm.clear(market, orders, threads=1, rule="competitive")
    small = [books.random_claims(4, 4, 12, seed, stake=1.0) for seed in range(100)]
    found["clear-many"] = lambda: kpm.clear_many(small, threads=1)
    payoffs = np.random.default_rng(0).random((100, 100))
    maker = kpm.KnightianMaker(np.full(100, 0.01), risk_aversion=1.0, ambiguity=0.1)
    found["quotes"] = lambda: maker.quotes(payoffs, 10.0)
    engine = kpm.Engine(market, orders)
    found["engine"] = lambda: _react(engine)
    return found


def _react(engine: kpm.Engine) -> None:
    """A hundred orders that come and go, and one clearing."""
    for _ in range(100):
        engine.cancel(engine.add(0, "buy", 0.25, 7.0))
    engine.clear(threads=1)


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


def store(path: Path, now: Mapping[str, int], reason: str, base: Mapping[str, int]) -> None:
    """Store counts; those that rose above what is allowed need a reason, which stays beside them.

    A rise is one over the least count since the last reason. ``base`` are the counts, with these
    tools, of the commit whose counts are stored: needed where its tools were others. Raises
    ``ValueError`` saying what is missing.
    """
    least, reasons = {}, {}
    if path.exists():
        values = json.loads(path.read_text(encoding="utf-8"))
        least, reasons = values["least"], values["reasons"]
        if values["tools"] != tools():
            if not base:
                raise ValueError(
                    f"the stored counts are of {values['tools']}: --against a checkout of their "
                    "commit, built with these tools, tells what rose since"
                )
            least = {  # what has already risen since the last reason has risen with these tools too
                name: base[name] * least[name] // stored
                for name, stored in values["instructions"].items()
                if name in base
            }
    risen = [name for name in now if name in least and now[name] > ALLOWED * least[name]]
    if risen and not reason:
        raise ValueError(f"--reason: why do these take more: {', '.join(risen)}?")
    reasons = {name: text for name, text in reasons.items() if name in now}
    values = {
        "tools": tools(),
        "instructions": dict(now),
        "least": {
            name: count if name in risen else min(count, least.get(name, count))
            for name, count in now.items()
        },
        "reasons": reasons | dict.fromkeys(risen, reason),
    }
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="built in place")
    parser.add_argument("--stored", type=Path, default=STORED, metavar="FILE.json")
    parser.add_argument("--save", action="store_true", help="store what is counted")
    parser.add_argument("--reason", default="", help="why what rose is worth it, with --save")


def run(options: argparse.Namespace) -> int:
    if reason := marked.absent():
        print(f"skipped: {reason}")
        return SKIPPED
    try:
        before = count(options.against) if options.against is not None else {}
        if options.save:
            store(options.stored, count(ROOT), options.reason, before)
            print(f"stored: {options.stored}")
            return 0
        if not before:
            values = json.loads(options.stored.read_text(encoding="utf-8"))
            if values["tools"] != tools():
                print(f"not judged: the stored counts are of {values['tools']}, here is {tools()}")
                return OTHER_TOOLS
            before = values["instructions"]
        now = count(ROOT)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"error: {error}")
        return 2
    part = compare(before, now)
    show([*table(part.rows), "", *table(verdicts(part.targets))])
    return 0 if all(target.met for target in part.targets) else 1


def count(checkout: Path) -> dict[str, int]:
    """Instructions in the core that each task takes with the package of a built checkout."""
    return marked.instructions(checkout, __name__)


if __name__ == "__main__":
    marked.call_all(tasks())  # what runs under callgrind
