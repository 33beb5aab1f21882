"""The guard against regressions: a case that moved is named, noise is not."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

from benchmarks import compare, guard
from benchmarks.distribution import interval, percentiles, shifted_geometric_mean
from benchmarks.exponent import Exponent
from benchmarks.guard import FASTER, GONE, NEW, SAME, SLOWER, Measured


def rounds(median: float, noise: float, seed: int, count: int = 40) -> np.ndarray:
    return median * np.exp(noise * np.random.default_rng(seed).standard_normal(count))


def verdicts(old: dict[str, Measured], new: dict[str, Measured]) -> dict[str, str]:
    return {change.case: change.verdict for change in guard.changes(old, new)}


def test_a_case_that_moved_is_named_and_others_are_not() -> None:
    old = {name: Measured.of(rounds(3.0, 0.03, seed)) for seed, name in enumerate("abcd")}
    new = {
        "a": Measured.of(rounds(3.0, 0.03, 10)),
        "b": Measured.of(rounds(3.6, 0.03, 11)),
        "c": Measured.of(rounds(2.4, 0.03, 12)),
        "e": Measured.of(rounds(1.0, 0.03, 13)),
    }
    expected = {"a": SAME, "b": SLOWER, "c": FASTER, "e": NEW, "d": GONE}
    assert verdicts(old, new) == expected
    assert [change.case for change in guard.changes(old, new) if change.bad] == ["b", "d"]


@pytest.mark.parametrize("noise", [0.01, 0.1, 0.5])
def test_noise_is_not_named(noise: float) -> None:
    named = sum(
        verdicts(
            {"a": Measured.of(rounds(5.0, noise, 2 * seed))},
            {"a": Measured.of(rounds(5.0, noise, 2 * seed + 1))},
        )["a"]
        != SAME
        for seed in range(100)
    )
    assert named <= 10  # of a hundred runs of the same build


def test_a_noisy_case_is_allowed_more() -> None:
    calm, wild = Measured.of(rounds(1.0, 0.01, 1)), Measured.of(rounds(1.0, 0.6, 2))
    (change,) = guard.changes({"a": wild}, {"a": calm})
    assert change.allowance is not None
    assert change.allowance > 0.1
    (change,) = guard.changes({"a": calm}, {"a": calm})
    assert change.allowance == guard.FLOOR


def test_instructions_tell_what_time_cannot() -> None:
    old = {"a": Measured(1.0, 0.9, 1.1, 1_000_000)}
    for counts, verdict in ((1_030_000, SLOWER), (1_001_000, SAME), (950_000, FASTER)):
        assert verdicts(old, {"a": Measured(1.02, 0.9, 1.1, counts)}) == {"a": verdict}
    assert verdicts(old, {"a": Measured(1.02, 0.9, 1.1)}) == {"a": SAME}


def test_a_baseline_survives_its_file(tmp_path: Path) -> None:
    now = {"a": Measured.of(rounds(2.0, 0.1, 3)), "b": Measured(1.0, 0.9, 1.1, 7)}
    guard.save(tmp_path / "baseline.json", {"machine": "m"}, now)
    assert guard.load(tmp_path / "baseline.json") == ({"machine": "m"}, now)
    (tmp_path / "baseline.json").write_text('{"cases": {}}')
    with pytest.raises(ValueError, match="format"):
        guard.load(tmp_path / "baseline.json")


def test_the_stored_baseline_knows_every_case() -> None:
    from benchmarks.cases import CASES

    _, cases = guard.load(Path(guard.__file__).parent / "baseline.json")
    assert set(cases) == {*CASES, "cells"}
    assert all(case.low <= case.ratio <= case.high for case in cases.values())


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
    with pytest.raises(ValueError, match="shift"):
        shifted_geometric_mean([0.0, 1.0], 0.0)


def test_the_interval_covers_the_median_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(200):
        low, high = interval(rounds(1.0, 0.5, seed), resamples=500)
        covered += low <= 1.0 <= high
    assert 0.88 * 200 <= covered <= 0.995 * 200


def test_a_power_is_found_with_its_interval() -> None:
    generator = np.random.default_rng(4)
    sizes = np.geomspace(1, 1e6, 30)
    costs = 1e-3 + 2e-6 * sizes**1.5 * np.exp(0.05 * generator.standard_normal(sizes.size))
    fit = Exponent.fit(sizes, costs)
    assert fit.count == 15
    assert fit.low < 1.5 < fit.high
    assert fit.high - fit.low < 0.1
    middle, low, high = fit.line(sizes[20:])
    assert (low < middle).all()
    assert (middle < high).all()
    assert np.abs(np.log(middle / (2e-6 * sizes[20:] ** 1.5))).max() < 0.1
    with pytest.raises(ValueError, match="five sizes"):
        Exponent.fit(sizes[:4], costs[:4])


def test_an_exact_power_has_an_interval_of_no_width() -> None:
    fit = Exponent.fit([1, 10, 100, 1000, 10000], [3, 30, 300, 3000, 30000])
    assert (fit.power, fit.low, fit.high) == pytest.approx((1, 1, 1))
    assert str(fit) == "J^1.00 (1.00 to 1.00)"


def test_the_command_names_the_case_that_got_slower(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = {"calm": Measured.of(rounds(2.0, 0.02, 1)), "hot": Measured.of(rounds(3.0, 0.02, 2))}
    baseline = tmp_path / "baseline.json"

    def run(*words: str) -> int:
        parser = argparse.ArgumentParser()
        compare.add_arguments(parser)
        return compare.run(parser.parse_args(["--baseline", str(baseline), *words]))

    monkeypatch.setattr(compare, "measure", lambda rounds, instructions: dict(measured))
    assert run() == 2  # no baseline yet
    assert "baseline.json" in capsys.readouterr().out
    assert run("--save") == 0
    capsys.readouterr()
    assert run() == 0
    assert "no case slower or gone: none" in capsys.readouterr().out
    measured["hot"] = Measured.of(rounds(3.5, 0.02, 3))
    assert run() == 1
    assert "no case slower or gone: hot" in capsys.readouterr().out
    assert run("--rounds", "2") == 2
    monkeypatch.setattr(compare.callgrind, "absent", lambda: "valgrind is not installed")
    assert run("--instructions") == 2
    assert "valgrind is not installed" in capsys.readouterr().out


def test_the_reference_kernel_is_the_same_every_time() -> None:
    assert compare.reference()() == compare.reference()()
