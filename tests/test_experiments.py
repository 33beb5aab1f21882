"""The experiments on few runs, with the effects that they are meant to show."""

from __future__ import annotations

import csv
import gzip
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import kpm_fast as kpm
from csv_numbers import check_numbers
from kpm_fast import experiments, sample
from kpm_fast.cli import command as cli
from programs import kpm_fast_command, run_command

pytestmark = pytest.mark.unsanitized


def test_every_experiment_writes_its_table_and_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["experiments", "--quick", "--output", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    check_numbers(tmp_path, {"book"})
    for name in experiments.EXPERIMENTS:
        with (tmp_path / f"{name}.csv").open(encoding="utf-8") as stream:
            assert len(list(csv.DictReader(stream))) > 1
        assert (tmp_path / f"{name}.png").stat().st_size > 5_000
        assert (tmp_path / f"{name}.svg").read_text(encoding="utf-8").startswith("<?xml")
        assert f"{name}.png" in told.replace("\n", "")
        question, picture, caption = (tmp_path / f"{name}.md").read_text("utf-8").split("\n\n")
        assert picture == f"![{question.removeprefix('# ')}]({name}.svg)"
        assert f"{question.removeprefix('# ')}\n{caption}" in told  # with the figures of the table


def test_an_unknown_experiment_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["experiments", "alchemy"])
    assert stop.value.code == 2
    assert "alchemy" in capsys.readouterr().err


def test_seeds_are_fixed() -> None:
    first, second = experiments.shading(books=2), experiments.shading(books=2)
    assert first == second


def test_whether_shading_pays_is_up_to_the_rule() -> None:
    table = experiments.shading(books=6).table
    share = table["maker_optimal"]
    assert share[0] == pytest.approx(1.0)  # alone, the truthful bid pays its whole value
    assert np.all(np.diff(share) < 0.0)
    assert share[-1] < 0.05
    error = table["maker_optimal_error"]
    assert error[0] == pytest.approx(0.0, abs=1e-9)  # alone, all books are the same
    assert 0.01 < error[1] < 0.5
    assert table["pay_as_bid"] == pytest.approx([1.0] * len(share))  # it always does
    assert table["competitive"] == pytest.approx([0.0] * len(share), abs=1e-6)
    # A trade that pays the difference of the maker's cost leaves nothing to gain.
    assert table["cost_in_sequence"] == pytest.approx([0.0] * len(share), abs=1e-9)


def test_ambiguity_buys_safety_with_profit() -> None:
    table = experiments.frontier(runs=8).table
    assert np.all(np.diff(table["tail_loss"]) < 1e-6)
    assert table["expected_profit"][-1] < table["expected_profit"][0]
    assert max(table["share_of_bound"]) <= 1.0  # theorem D
    assert np.all(np.less(table["worst_loss"], table["greatest_bound"]))
    assert np.all(np.less(table["least_bound"], table["greatest_bound"]))


def test_a_radius_from_data_has_its_stated_coverage() -> None:
    table = experiments.calibration(draws=1000).table
    many = [c for n, c in zip(table["observations"], table["coverage"], strict=True) if n == 1000]
    assert all(0.92 <= coverage <= 0.98 for coverage in many)
    # What docs/experiments.md says of the experiment as the command runs it.
    stated = experiments.calibration()
    coverage = np.array(stated.table["coverage"])
    assert (coverage.min().round(3), coverage.max().round(2)) == (0.884, 0.95)
    assert (len(coverage), np.count_nonzero(coverage < 0.95)) == (13, 12)
    even = np.array(stated.table["coverage_uniform"])  # all states equally likely
    assert (even.min().round(2), even.max().round(2)) == (0.91, 0.95)
    assert coverage[np.array(stated.table["states"]) <= 5].min() == pytest.approx(0.91, abs=5e-3)
    assert "in 88 to 95 % of samples" in stated.answer


def test_trade_stops_at_the_implied_ambiguity_of_each_book() -> None:
    table = experiments.implied(books=1).table
    assert min(table["volume_below"]) > 0.0
    assert max(table["volume_above"]) == 0.0


def test_generated_books_differ_in_their_implied_ambiguity() -> None:
    """Eight strips that differed by their seed alone would all stop trading at 0.041."""
    radii = np.sort(experiments.implied().table["implied_ambiguity"])
    near = np.searchsorted(radii, radii + 1e-3) - np.arange(radii.size)
    assert near.max() <= 4
    assert (radii[0].round(2), np.median(radii).round(2), radii[-1].round(2)) == (0.01, 0.04, 0.14)


def test_one_maker_trades_more_than_six() -> None:
    table = experiments.aggregation(books=5).table
    assert sum(table["one_maker"]) > sum(table["six_makers"])


@pytest.mark.parametrize(
    ("options", "more"),
    [
        ({"ambiguity": 0.0}, 0.31),
        ({}, 0.20),
        ({"ambiguity": 0.02}, 0.15),
        ({"risk_aversion": 1e-4}, 1.04),
        ({"risk_aversion": 1e-2}, 0.05),
        ({"crossed": 0.5}, 0.05),
        ({"crossed": 1.0}, 0.02),
        ({"crossed": 0.0}, 17.56),
    ],
)
def test_how_much_more_one_maker_trades_is_as_stated(
    options: dict[str, float], more: float
) -> None:
    """The figures of docs/experiments.md."""
    table = experiments.aggregation(**options).table
    found = sum(table["one_maker"]) / sum(table["six_makers"]) - 1
    assert found == pytest.approx(more, abs=5e-3)


def test_recorded_books_are_found_compressed_or_not(tmp_path: Path) -> None:
    market, orders = sample.race_card(runners=4, levels=2, seed=3, crossed=0.0)
    for name in ("plain", "deep/packed"):
        kpm.write_book(tmp_path / name, market, orders)
    file = tmp_path / "deep" / "packed" / "orders.csv"
    file.with_name("orders.csv.gz").write_bytes(gzip.compress(file.read_bytes()))
    file.rename(tmp_path / "orders.csv.old")
    table = experiments.implied(data=tmp_path).table
    assert table["book"] == ["packed", "plain"]
    assert len(set(table["implied_ambiguity"])) == 1


def test_a_folder_without_books_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["experiments", "implied", "--data", str(tmp_path)]) == cli.EXIT_INPUT
    assert "holds a book" in capsys.readouterr().err


FAULTS = [
    (lambda: experiments.radius_from_data(0, 5), "observations: must be at least 1, got 0"),
    (lambda: experiments.radius_from_data(-10, 5), "observations: must be at least 1, got -10"),
    (lambda: experiments.radius_from_data("a", 5), "observations: must be an integer, got 'a'"),
    (lambda: experiments.radius_from_data(100, 1), "states: must be at least 2, got 1"),
    (lambda: experiments.radius_from_data(100, 5, 2.0), "confidence: must be between 0 and 1, got"),
    (lambda: experiments.radius_from_data(100, 5, np.nan), "confidence: must be between 0 and 1"),
    (lambda: experiments.shading(books=0), "books: must be at least 1, got 0"),
    (lambda: experiments.shading(seed=-1), "seed: must be at least 0, got -1"),
    (lambda: experiments.frontier(runs=0), "runs: must be at least 1, got 0"),
    (lambda: experiments.frontier(seed=0.5), "seed: must be an integer, got 0.5"),
    (lambda: experiments.aggregation(books=0), "books: must be at least 1, got 0"),
    (lambda: experiments.calibration(draws=0), "draws: must be at least 1, got 0"),
    (lambda: experiments.implied(books=-1), "books: must be at least 1, got -1"),
    (lambda: experiments.implied(data="/nowhere"), "data: no folder in /nowhere holds a book"),
    (lambda: experiments.implied(data=3), "data: must be a path, got 3"),
]


@pytest.mark.parametrize(("ask", "text"), FAULTS)
def test_faults_are_named(ask: Callable[[], object], text: str) -> None:
    with pytest.raises(kpm.InputError) as caught:
        ask()
    assert str(caught.value).startswith(text)


def test_the_module_is_the_command() -> None:
    module = run_command([sys.executable, "-m", "kpm_fast.experiments", "calibration", "--quick"])
    command = run_command(kpm_fast_command("experiments", "calibration", "--quick"))
    assert (module.returncode, module.stdout) == (0, command.stdout)
    assert "chi-squared" in module.stdout
