"""Every example of a docstring runs and prints what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
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
    monkeypatch.chdir(tmp_path)  # for those that write files
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert failed == 0
