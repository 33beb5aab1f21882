"""Instructions by function, counted by valgrind's callgrind: the same in every run.

``count`` runs ``python -m benchmarks.callgrind CASE CALLS`` under callgrind twice, without and with
the calls, and subtracts: starting Python, importing and building the book drop out.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .cases import CASES
from .processes import ROOT, one_thread

_NAME = re.compile(r"\((\d+)\)(?: (.*))?")


@dataclass(frozen=True)
class Function:
    """A function and the file name of the program or library that holds it."""

    name: str
    library: str


@dataclass
class Counts:
    """Instructions of each function itself, and of each call arc with all that it calls."""

    own: Counter[Function] = field(default_factory=Counter)
    arcs: Counter[tuple[Function, Function]] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.own.total()

    def less(self, other: Counts, calls: int) -> Counts:
        """What is left without ``other``, for one of so many calls."""

        def rest(these: Counter[Any], those: Counter[Any]) -> Counter[Any]:
            differences = {key: (these[key] - those[key]) // calls for key in these}
            return Counter({key: value for key, value in differences.items() if value > 0})

        return Counts(rest(self.own, other.own), rest(self.arcs, other.arcs))


def absent() -> str:
    """Why nothing can be counted here; empty if it can."""
    return "" if shutil.which("valgrind") else "valgrind is not installed"


def count(case: str, calls: int) -> Counts:
    """Instructions of one clearing of a case: the mean over ``calls`` of them."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        # Both at a time: instructions are no fewer on a busy machine.
        without, whole = pool.map(lambda repeats: _run(case, repeats, folder), (0, calls))
    return whole.less(without, calls)


def _run(case: str, repeats: int, folder: str) -> Counts:
    output = Path(folder, f"callgrind.{repeats}")
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}"]
    command += [sys.executable, "-m", __name__, case, str(repeats)]
    # The same hashes and one thread: the same instructions.
    environment = one_thread() | {"PYTHONHASHSEED": "0"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return parse(output.read_text(encoding="utf-8", errors="replace"))


def parse(text: str) -> Counts:
    """Read callgrind's output format, version 1, with one event."""
    counts = Counts()
    names: dict[str, dict[str, str]] = {"fn": {}, "ob": {}}

    def resolve(kind: str, value: str) -> str:
        match = _NAME.fullmatch(value)
        if match is None:
            return value
        if match[2] is not None:
            names[kind][match[1]] = match[2]
        return names[kind][match[1]]

    library = called_library = ""
    caller = callee = Function("", "")
    is_call = False
    for line in text.splitlines():
        key, separator, value = line.partition("=")
        if separator and key in ("fn", "cfn", "ob", "cob", "calls", "fl", "fi", "fe", "cfi", "cfl"):
            if key == "ob":
                library = called_library = Path(resolve("ob", value)).name
            elif key == "cob":
                called_library = Path(resolve("ob", value)).name
            elif key == "fn":
                caller = Function(_plain(resolve("fn", value)), library)
                called_library = library
            elif key == "cfn":
                callee = Function(_plain(resolve("fn", value)), called_library)
                called_library = library
            elif key == "calls":
                is_call = True
            continue
        if line and line[0] in "0123456789+-*":
            cost = int(line.split()[1])
            if is_call:
                counts.arcs[caller, callee] += cost
                is_call = False
            else:
                counts.own[caller] += cost
    return counts


def _plain(name: str) -> str:
    """A name without the marks of recursion levels and of compilers' copies."""
    return re.sub(r"('\d+)+$|( \[clone [^\]]*\])+$", "", name)


def main(arguments: list[str]) -> int:
    import kpm_fast as kpm

    case, calls = CASES[arguments[0]], int(arguments[1])
    book = case.book()
    kpm.clear(*book, tolerance=case.tolerance, threads=1, node_limit=1)  # imports what it needs
    for _ in range(calls):
        kpm.clear(*book, tolerance=case.tolerance, threads=1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
