"""Instructions by task, with the package of any built checkout.

A module that is run as a program hands its tasks to ``call_all``; ``dumps`` runs it under callgrind
and takes apart what each task did. Nothing is imported here but what every commit of the package
has.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kpm_fast import _core

from .processes import one_thread

# Python calls the core through pybind11's dispatcher, whatever the function. One of them does
# nothing but tell the build: it marks where a task ends.
IN_CORE = ("--collect-atstart=no", "--toggle-collect=pybind11::cpp_function::dispatcher*")
_MARK = "--dump-before=*build_info*"
_TOTAL = re.compile(r"^summary: (\d+)$", re.MULTILINE)

Task = Callable[[], Any]


def absent() -> str:
    """Why nothing can be counted here; empty if it can."""
    return "" if shutil.which("valgrind") else "valgrind is not installed"


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
        said = [text for text in done.stderr.splitlines() if not text.startswith("==")]  # valgrind
        raise RuntimeError(f"{how['args'][-1]}: {(said or ['no output'])[-1]}")
    return json.loads(done.stdout)


def dumps(checkout: Path, module: str, *arguments: str, only: tuple[str, ...]) -> dict[str, str]:
    """What callgrind says of each task, by name, counting only what its options say."""
    with program(checkout, module, *arguments) as how:
        dump = Path(how["cwd"], "callgrind")
        valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={dump}", _MARK, *only]
        how["args"] = [*valgrind, *how["args"]]
        names = output_of(how)
        # Dumps are numbered from 1. Each task has three marks: before, between and after its calls.
        paths = {name: Path(f"{dump}.{3 * at + 3}") for at, name in enumerate(names)}
        return {
            name: path.read_text(encoding="utf-8", errors="replace") for name, path in paths.items()
        }


def instructions(checkout: Path, module: str, *arguments: str) -> dict[str, int]:
    """What each task takes in the core, by name."""
    found = {}
    for name, text in dumps(checkout, module, *arguments, only=IN_CORE).items():
        match = _TOTAL.search(text)
        if match is None or int(match[1]) == 0:
            raise RuntimeError(f"{name}: nothing was counted, are the core's symbols there?")
        found[name] = int(match[1])
    return found


def call_all(tasks: Mapping[str, Task], calls: Mapping[str, int] = MappingProxyType({})) -> None:
    """Call each task once, then once or as often as said, marks around both; print their names."""
    for name, task in tasks.items():
        for times in (1, calls.get(name, 1)):
            _core.build_info()
            for _ in range(times):
                task()
        _core.build_info()
    print(json.dumps(list(tasks)))
