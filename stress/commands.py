"""A great many commands to engines through kpm.h, under sanitizers, against cold clearings.

Builds the library and its tests in C++ with the address and undefined-behaviour sanitizers, and
runs ``csrc/tests/commands.cpp`` on random bytes: events, markets, settings, snapshots and their
restoration at random points, hostile ones among them. Every answer is compared with a list of
orders, and every clearing with a cold one, bit for bit. How many commands there were of each kind,
and how many clearings did without a search, is counted: of none, equal bits would mean nothing.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = "kpm_test_c"
TEST = "any_commands"
_BATCH = 20_000  # commands of one process: what is reported at a time


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--commands", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1, help="of the first batch")
    parser.add_argument(
        "--sanitizers", default="address,undefined", help="GCC's or Clang's; empty for none"
    )


def run(options: argparse.Namespace) -> int:
    program = build(options.sanitizers)
    start = time.perf_counter()
    done, failed = Counter[str](), list[str]()
    for seed, commands in batches(options.commands, options.seed):
        counts, failure = live(program, commands, seed)
        done.update(counts)
        if failure:
            failed.append(f"seed {seed}:\n{failure}")
    if not done["clearings"]:
        failed.append("no clearing was compared")
    print(
        f"{done['commands']:,} commands, sanitizers: {options.sanitizers or 'none'}: "
        f"{time.perf_counter() - start:.0f} s, seeds from {options.seed}"
    )
    print(
        f"{done['events']:,} events, {done['markets']:,} other markets, "
        f"{done['restored']:,} restored snapshots, {done['refused']:,} refused; "
        f"{done['clearings']:,} clearings, {done['warm']:,} without a search"
    )
    print(*(failed or ["books, hashes and clearings: the same bits"]), sep="\n")
    return 1 if failed else 0


def batches(commands: int, seed: int) -> list[tuple[int, int]]:
    """Seeds and commands of the processes."""
    full, rest = divmod(commands, _BATCH)
    sizes = [_BATCH] * full + [rest] * (rest > 0)
    return list(enumerate(sizes, start=seed))


def build(sanitizers: str) -> Path:
    """Compile what is out of date; return the program of tests."""
    from setup import cmake, eigen_include

    folder = ROOT / "build" / "stress" / (sanitizers.replace(",", "-") or "plain")
    options = {
        "KPM_BUILD_TESTS": "ON",
        "KPM_SANITIZE": sanitizers,
        "KPM_EIGEN": eigen_include(),
    }
    cmake(ROOT / "csrc", folder, options, PROGRAM, quiet=True)
    return next(path for path in folder.rglob(f"{PROGRAM}*") if path.suffix in ("", ".exe"))


def live(program: Path, commands: int, seed: int) -> tuple[dict[str, int], str]:
    """Run a batch; return how many commands there were of each kind, and what did not hold."""
    told = {"KPM_COMMANDS": str(commands), "KPM_COMMANDS_SEED": str(seed)}
    done = subprocess.run(
        [str(program), TEST],
        env=os.environ | told | {"UBSAN_OPTIONS": "print_stacktrace=1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return {}, done.stdout + done.stderr
    lines = (line.split() for line in done.stdout.splitlines())
    counts = {words[0]: int(words[1]) for words in lines if len(words) == 2}
    if counts.get("commands", 0) < commands:
        return counts, f"of {commands} commands the program counted\n{done.stdout}"
    return counts, ""
