"""The log and the reports of a search while it runs, and its statistics afterwards."""

from __future__ import annotations

import itertools
import re

import pytest

import kpm_fast as kpm
from adapter import market_of, orders_of
from strategies import crowded_book

COLUMNS = ("nodes", "open", "best clearing", "upper bound", "gap", "seconds")
NUMBER = re.compile(r"-?(?:inf|nan|[\d,]+(?:\.\d+)?(?:e[+-]\d+)?)")


@pytest.fixture(scope="module")
def crowd() -> tuple[kpm.Market, kpm.Orders]:
    """Some hundred nodes."""
    book = crowded_book(24, seed=13, orders=2400, states=24)
    return market_of(book), orders_of(book)


def parts_of(log: str, result: kpm.Result) -> tuple[list[str], list[list[float]]]:
    """Banner and rows as numbers; the end is the result's own summary."""
    summary = str(result).split("\n  ", maxsplit=1)[0] + "\n"
    assert log.endswith("\n" + summary)
    log = log[: -len(summary)]
    lines = log.splitlines()
    at = next(n for n, line in enumerate(lines) if all(name in line for name in COLUMNS))
    assert re.split(r"\s{2,}", lines[at].strip()) == list(COLUMNS)
    rows = []
    for line in lines[at + 1 :]:
        fields = line.split()
        assert all(NUMBER.fullmatch(field) for field in fields), line
        rows.append([float(field.replace(",", "")) for field in fields])
    return lines[:at], rows


def test_the_log_of_a_tree(
    crowd: tuple[kpm.Market, kpm.Orders], capsys: pytest.CaptureFixture[str]
) -> None:
    result = kpm.clear(*crowd, threads=2, verbose=True)
    banner, rows = parts_of(capsys.readouterr().out, result)
    assert banner[0] == f"kpm-fast {kpm.__version__}: branch and bound over runs of pieces"
    assert "24 states, 24 claims, 2,400 orders" in banner[1]
    assert "risk aversion" in banner[2]
    assert banner[3].split() == ["threads", "2"]
    assert rows
    for before, after in itertools.pairwise(rows):
        assert after[0] > before[0]  # nodes
        assert after[2] >= before[2]  # best
        assert after[3] <= before[3]  # bound
        assert after[5] >= before[5]  # seconds
    for nodes, waiting, best, bound, gap, seconds in rows:
        assert nodes >= 1
        assert waiting >= 0
        assert gap == pytest.approx(bound - best, rel=0.02, abs=1e-7 * result.scale)
        assert seconds >= 0
    assert rows[0][3] <= result.stats.root_bound * (1 + 1e-8)
    assert rows[-1][2] <= result.certainty_equivalent * (1 + 1e-8)


def test_the_log_of_an_enumeration(capsys: pytest.CaptureFixture[str]) -> None:
    market = kpm.Market([[1.0, 0.0], [0.0, 1.0]], [0.5, 0.5])
    orders = kpm.Orders([0, 1, 0], [1, 1, -1], [0.6, 0.5, 0.4], 1.0)
    kpm.clear(market, orders, "enumerate", verbose=True)
    out = capsys.readouterr().out
    assert "enumeration of cells" in out
    assert "15 cells" in out
    assert all(name in out for name in ("seconds", "done", "solved", "gap"))
    assert "nodes" not in out


def test_a_quick_clearing_still_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    market = kpm.Market([[1.0, 0.0]], [0.5, 0.5])
    seen: list[kpm.Progress] = []
    orders = kpm.Orders([0], [1], [0.7], [1.0])
    result = kpm.clear(market, orders, verbose=True, callback=seen.append)
    _, rows = parts_of(capsys.readouterr().out, result)
    assert [row[0] for row in rows] == [1.0]
    assert [progress.nodes for progress in seen] == [1]


@pytest.mark.threads
@pytest.mark.parametrize("threads", [1, 2])
def test_reports_agree_with_the_result(crowd: tuple[kpm.Market, kpm.Orders], threads: int) -> None:
    seen: list[kpm.Progress] = []

    def watch(progress: kpm.Progress) -> None:
        seen.append(progress)

    result = kpm.clear(*crowd, threads=threads, callback=watch)
    assert result == kpm.clear(*crowd, threads=threads)  # watching changes nothing
    assert seen
    for progress in seen:
        assert progress.cells == result.stats.cells
        assert 0 <= progress.fraction <= 1
        assert 1 <= progress.nodes <= result.stats.nodes
        assert progress.solved <= result.stats.solved
        assert progress.upper_bound >= result.certainty_equivalent - 1e-11 * result.scale
        assert progress.certainty_equivalent <= result.upper_bound + 1e-11 * result.scale
        assert progress.gap >= 0
        assert (progress.pruned_infeasible, progress.pruned_bound) == (0, 0)


def test_statistics_of_a_tree(crowd: tuple[kpm.Market, kpm.Orders]) -> None:
    result = kpm.clear(*crowd, threads=1)
    stats = result.stats
    assert stats.nodes > 80
    assert 0 < stats.relaxations <= stats.nodes
    assert stats.iterations > stats.relaxations
    assert stats.columns > 0
    assert stats.solved > 0
    assert (stats.pruned_infeasible, stats.pruned_bound) == (0, 0)
    assert stats.threads == 1
    assert stats.root_bound > result.upper_bound  # or there would be one node
    assert str(stats.nodes) in stats.work
    assert set(stats.seconds) == {"compile", "search", "select", "total"}
    phases = [stats.seconds[phase] for phase in ("compile", "search", "select")]
    assert min(phases) > 0
    assert sum(phases) == pytest.approx(stats.seconds["total"], rel=1e-6)
    assert kpm.clear(*crowd, threads=1).stats == stats  # the timings aside


def test_the_root_alone_has_the_root_bound(crowd: tuple[kpm.Market, kpm.Orders]) -> None:
    """Its own clearing, or the climb, may then tighten the bound of a search of one node."""
    root, full = kpm.clear(*crowd, node_limit=1), kpm.clear(*crowd)
    assert root.stats.nodes == root.stats.relaxations == 1
    assert root.stats.root_bound == full.stats.root_bound
    assert full.upper_bound <= root.upper_bound <= root.stats.root_bound


def test_statistics_of_an_enumeration() -> None:
    market = kpm.Market([[1.0, 0.0], [0.0, 1.0]], [0.5, 0.5])
    orders = kpm.Orders([0, 1, 0], [1, 1, -1], [0.6, 0.5, 0.4], 1.0)
    stats = kpm.clear(market, orders, "enumerate").stats
    assert stats.solved + stats.pruned_infeasible + stats.pruned_bound == stats.cells == 15
    assert (stats.nodes, stats.relaxations, stats.columns) == (0, 0, 0)
    assert stats.work.endswith("solved")
