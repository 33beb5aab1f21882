"""Everything public has an example, and every example runs and prints what it says."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import kpm_fast as kpm

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(kpm.__path__, "kpm_fast.")
    if module.name not in {"kpm_fast._core", "kpm_fast.__main__"}
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name.startswith("kpm_fast.numba"):
        pytest.importorskip("numba")
    monkeypatch.chdir(tmp_path)  # for those that write files
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert failed == 0


def public() -> Iterator[tuple[str, str]]:
    """What people call, by name, with its docstring: functions, methods, classes."""
    for name in kpm.__all__:
        item = getattr(kpm, name)
        if inspect.isfunction(item):
            yield name, inspect.getdoc(item) or ""
        elif inspect.isclass(item):
            yield name, inspect.getdoc(item) or ""
            for owner in item.__mro__:
                if owner.__module__.startswith("kpm_fast"):
                    for method, value in vars(owner).items():
                        function = getattr(value, "__func__", value)
                        if inspect.isfunction(function) and not method.startswith("_"):
                            yield f"{name}.{method}", inspect.getdoc(getattr(item, method)) or ""
    for module in (kpm.plot, kpm.sample):
        for name in module.__all__:
            if inspect.isfunction(getattr(module, name)):
                yield f"{module.__name__}.{name}", inspect.getdoc(getattr(module, name)) or ""


# Trivial accessors, methods that the example of their class shows, and classes that callers do not
# make: bases, errors, and small parts of what a clearing hands out.
BRIEF = {
    "Check",
    "InputError",
    "KpmError",
    "Maker",
    "Progress",
    "Stats",
    "Status",
    "TooManyCellsError",
    "VerificationError",
    "Settlement.table",
    "Settlement.to_frame",
    "ClaimResult.to_frame",
    "Batch.to_frame",
    "Engine.cancel",
    "Engine.cancel_all",
    "Engine.clear",
    "Engine.reduce",
    "Orders.columns",
    "Orders.to_frame",
}


def test_everything_that_people_call_has_an_example() -> None:
    lacking = [name for name, text in public() if ">>>" not in text and name not in BRIEF]
    assert lacking == []
