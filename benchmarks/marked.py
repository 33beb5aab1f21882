"""Instructions in the core, by task, with the package of any built checkout.

A module that is run as a program hands its tasks to ``call_all``; ``instructions`` runs it under
callgrind. Nothing is imported here but what every commit of the package has.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kpm_fast import _core

from .processes import one_thread

# Python calls the core through pybind11's dispatcher, whatever the function. One of them does
# nothing but tell the build: it marks where a task ends.
_COUNTED = "pybind11::cpp_function::dispatcher*"
_MARK = "*build_info*"
_TOTAL = re.compile(r"^summary: (\d+)$", re.MULTILINE)

Task = Callable[[], Any]


@contextmanager
def program(checkout: Path, module: str, *arguments: str) -> Iterator[dict[str, Any]]:
    """How ``subprocess.run`` runs a module of these benchmarks with the package of a checkout."""
    with tempfile.TemporaryDirectory() as folder:
        # These tasks, that package.
        Path(folder, "benchmarks").symlink_to(Path(__file__).resolve().parent)
        Path(folder, "kpm_fast").symlink_to(checkout.resolve() / "kpm_fast")
        python = [sys.executable, "-P" if sys.version_info >= (3, 11) else "-s", "-m", module]
        # The same hashes and one thread: the same instructions.
        environment = one_thread() | {
            "PYTHONHASHSEED": "0",
            "PYTHONPATH": folder,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        yield {"args": [*python, *arguments], "cwd": folder, "env": environment}


def output_of(how: Mapping[str, Any]) -> Any:
    """What the program prints, as JSON."""
    done = subprocess.run(**how, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = [
            line for line in done.stderr.splitlines() if not line.startswith("==")
        ]  # valgrind's
        raise RuntimeError(f"{how['args'][-1]}: {(said or ['no output'])[-1]}")
    return json.loads(done.stdout)


def instructions(checkout: Path, module: str, *arguments: str) -> dict[str, int]:
    """What each task takes, by name: those that the module, as a program, calls and marks."""
    with program(checkout, module, *arguments) as how:
        dump = Path(how["cwd"], "callgrind")
        how["args"] = [
            *("valgrind", "--tool=callgrind", f"--callgrind-out-file={dump}"),
            *("--collect-atstart=no", f"--toggle-collect={_COUNTED}", f"--dump-before={_MARK}"),
            *how["args"],
        ]
        names = output_of(how)
        # Dumps are numbered from 1. Each task has three marks: before, between and after its calls.
        return {name: _total(Path(f"{dump}.{3 * at + 3}")) for at, name in enumerate(names)}


def _total(dump: Path) -> int:
    match = _TOTAL.search(dump.read_text(encoding="utf-8", errors="replace"))
    if match is None or int(match[1]) == 0:
        raise RuntimeError(f"{dump.name}: callgrind counted nothing, are the core's symbols there?")
    return int(match[1])


def call_all(tasks: Mapping[str, Task]) -> None:
    """Call each task twice, with marks around both calls, and print their names."""
    for task in tasks.values():
        for _ in range(2):
            _core.build_info()
            task()
        _core.build_info()
    print(json.dumps(list(tasks)))
