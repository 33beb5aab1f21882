"""Shared set-up of the tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

ROOT = Path(__file__).resolve().parent.parent

# `python -m pytest` puts the checkout first on the path. Without a compiled core in it, that would
# hide an installed kpm_fast behind sources that cannot run.
if not [*(ROOT / "kpm_fast").glob("_core*.so"), *(ROOT / "kpm_fast").glob("_core*.pyd")]:
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT]
sys.path.append(str(ROOT))  # last: for the packages beside kpm_fast that are never installed

# What a terminal or its user asks for must not change what is printed here.
TERMINAL = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
for variable in TERMINAL:
    os.environ.pop(variable, None)

# No deadline: the first example pays for imports. Derandomised, so that a red run can be repeated
# with the same files and mark (Hypothesis draws constants of whatever modules are imported), unless
# KPM_EXAMPLES asks for more than the usual examples.
EXAMPLES = float(os.environ.get("KPM_EXAMPLES", "1"))
settings.register_profile(
    "kpm",
    max_examples=max(5, round(100 * EXAMPLES)),
    deadline=None,
    derandomize=EXAMPLES <= 1,
    print_blob=True,
    phases=set(Phase) - {Phase.explain},  # it traces every line, too slow for the witnesses
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("kpm")


def pytest_report_header() -> list[str]:
    import kpm_fast
    from kpm_fast import _core

    build = ", ".join(f"{name} {value}" for name, value in _core.build_info().items())
    return [f"kpm_fast: {Path(kpm_fast.__file__).parent}", f"core: {build}"]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Files are not imported that never name a mark asked for, or all of whose tests have one that
    is not: wheels are tested where much of what other tests import is not installed, and what a
    sanitizer does not test it need not load."""
    if collection_path.suffix != ".py":
        return None
    text = collection_path.read_text(encoding="utf-8")
    for term in config.getoption("markexpr").split(" and "):
        unwanted = term.removeprefix("not ")
        if term.isidentifier() and term not in text:
            return True
        if unwanted != term and f"\npytestmark = pytest.mark.{unwanted}\n" in text:
            return True
    return None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real books: KPM_SHARED_DATA, or ``shared/data`` beside the repository."""
    folder = Path(os.environ.get("KPM_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real books: {folder} does not exist (set KPM_SHARED_DATA)")
    return folder
