"""Statistics of the benchmarks' samples, and the guard that compares instruction counts."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import instructions
from benchmarks.exponent import Exponent
from benchmarks.rounds import percentiles, shifted_geometric_mean

pytestmark = pytest.mark.unsanitized


def test_percentiles_are_those_of_the_times() -> None:
    found = percentiles(np.arange(1001.0))
    assert list(found) == ["p50 time", "p99 time", "p99.9 time", "max time"]
    assert list(found.values()) == pytest.approx([500, 990, 999, 1000])
    for bad in ([], [1.0, np.nan]):
        with pytest.raises(ValueError, match="finite"):
            percentiles(bad)


def test_the_shifted_geometric_mean() -> None:
    assert shifted_geometric_mean([1.0, 4.0], 0.0) == pytest.approx(2.0)
    assert shifted_geometric_mean([0.0, 3.0], 1.0) == pytest.approx(1.0)


def test_a_power_is_found_with_its_interval() -> None:
    generator = np.random.default_rng(4)
    sizes = np.geomspace(1, 1e6, 30)
    costs = 1e-3 + 2e-6 * sizes**1.5 * np.exp(0.05 * generator.standard_normal(sizes.size))
    fit = Exponent.fit(sizes, costs)
    assert fit.low < 1.5 < fit.high
    assert fit.high - fit.low < 0.1
    line = fit.factor * sizes[20:] ** fit.power
    assert np.abs(np.log(line / (2e-6 * sizes[20:] ** 1.5))).max() < 0.1
    with pytest.raises(ValueError, match="five sizes"):
        Exponent.fit(sizes[:4], costs[:4])


def test_an_exact_power_has_an_interval_of_no_width() -> None:
    fit = Exponent.fit([1, 10, 100, 1000, 10000], [3, 30, 300, 3000, 30000])
    assert (fit.power, fit.low, fit.high) == pytest.approx((1, 1, 1))
    assert str(fit) == "J^1.00 (1.00 to 1.00)"


def guard(stored: Path, *words: str) -> int:
    parser = argparse.ArgumentParser()
    instructions.add_arguments(parser)
    return instructions.run(parser.parse_args(["--stored", str(stored), *words]))


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """The counts that a stand-in for callgrind returns."""
    found = {"calm": 1000, "hot": 2000}
    monkeypatch.setattr(instructions.marked, "absent", lambda: "")
    monkeypatch.setattr(instructions, "count", lambda checkout: dict(found))
    return found


def test_the_guard_names_the_task_that_takes_more(
    counts: dict[str, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = tmp_path / "instructions.json"
    assert guard(stored) == 2  # nothing is stored yet
    assert "instructions.json" in capsys.readouterr().out
    assert guard(stored, "--save") == 0
    counts["hot"] = 2200  # a tenth more, and no more than that
    assert guard(stored) == 0
    said = capsys.readouterr().out
    assert re.search("new or gone.* none .* met", said)
    assert re.search("hot.* more", said) is not None
    assert re.search("calm.* same", said) is not None
    counts["hot"] = 2201
    assert guard(stored) == 1
    assert re.search("new or gone.* hot .*missed", capsys.readouterr().out)
    counts["new"] = 5
    del counts["calm"]
    assert guard(stored) == 1
    assert re.search("new or gone.* hot, new, calm", capsys.readouterr().out)


def test_more_instructions_are_stored_with_a_reason_only(
    counts: dict[str, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = tmp_path / "instructions.json"
    assert guard(stored, "--save") == 0
    before = stored.read_text()
    counts["hot"] = 3000
    assert guard(stored, "--save") == 2
    assert "--reason: why do these take more: hot?" in capsys.readouterr().out
    assert stored.read_text() == before
    assert guard(stored, "--save", "--reason", "right digits") == 0
    assert '"hot": "right digits"' in stored.read_text()
    assert guard(stored) == 0
    assert guard(stored, "--save") == 0  # nothing rose, and the reason stays
    assert '"hot": "right digits"' in stored.read_text()


def test_many_small_rises_need_a_reason_too(
    counts: dict[str, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = tmp_path / "instructions.json"
    assert guard(stored, "--save") == 0
    for hot, status in ((1900, 0), (2090, 0), (2091, 2)):  # a tenth above the least, which is 1900
        counts["hot"] = hot
        assert guard(stored, "--save") == status
    assert "why do these take more: hot?" in capsys.readouterr().out
    assert guard(stored) == 0  # though it is no more than a tenth above what is stored
    assert guard(stored, "--save", "--reason", "right digits") == 0
    counts["hot"] = 2300  # a tenth above the count that has a reason
    assert guard(stored, "--save") == 0


def test_counts_by_other_tools_are_not_compared(
    counts: dict[str, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stored = tmp_path / "instructions.json"
    assert guard(stored, "--save") == 0
    monkeypatch.setattr(instructions, "tools", lambda: {"core compiler": "another"})
    base = {"calm": 500, "hot": 900}  # of the commit that stored them, by the other tools
    by_checkout = {tmp_path: base}
    monkeypatch.setattr(instructions, "count", lambda of: dict(by_checkout.get(of, counts)))
    counts["hot"] = 991
    assert guard(stored) == instructions.OTHER_TOOLS
    assert "another" in capsys.readouterr().out
    assert guard(stored, "--save") == 2
    assert "--against a checkout of their commit" in capsys.readouterr().out
    against = ("--against", str(tmp_path))
    assert guard(stored, *against) == 1  # the same tools on both sides
    assert guard(stored, "--save", *against) == 2
    assert "why do these take more: calm, hot?" in capsys.readouterr().out
    counts["calm"], counts["hot"] = 550, 990
    assert guard(stored, "--save", *against) == 0
    assert json.loads(stored.read_text())["least"] == base
    monkeypatch.setattr(instructions.marked, "absent", lambda: "valgrind is not installed")
    assert guard(stored) == instructions.SKIPPED
    assert "valgrind is not installed" in capsys.readouterr().out


def test_every_task_has_a_stored_count_and_runs() -> None:
    values = json.loads(instructions.STORED.read_text(encoding="utf-8"))
    found = instructions.tasks()
    assert list(values["instructions"]) == list(found)
    assert list(values["least"]) == list(found)
    assert all(values["least"][name] <= values["instructions"][name] for name in found)
    assert set(values["reasons"]) <= set(found)
    assert min(values["instructions"].values()) > 0
    for task in found.values():
        task()
