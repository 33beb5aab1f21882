"""Limits and interruptions return the best clearing found, a valid bound and a status."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

import kpm_fast as kpm

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "race_card"


@pytest.fixture(scope="module")
def race() -> tuple[kpm.Market, kpm.Orders]:
    return kpm.read_book(EXAMPLE)


@pytest.fixture(scope="module")
def best(race: tuple[kpm.Market, kpm.Orders]) -> kpm.Result:
    return kpm.clear(*race)


def assert_valid(result: kpm.Result, best: kpm.Result) -> None:
    """A clearing that obeys the rules, and a bound that the true optimum respects."""
    assert result.verify()
    slack = 1e-9 * result.scale
    assert result.certainty_equivalent <= best.certainty_equivalent + slack
    assert result.upper_bound >= best.certainty_equivalent - slack
    assert result.gap >= 0


def test_no_time_at_all(race: tuple[kpm.Market, kpm.Orders], best: kpm.Result) -> None:
    result = kpm.clear(*race, time_limit=0)
    assert result.status is kpm.Status.TIME_LIMIT
    assert_valid(result, best)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_callback_stops(
    race: tuple[kpm.Market, kpm.Orders], best: kpm.Result, threads: int
) -> None:
    seen: list[kpm.Progress] = []

    def stop(progress: kpm.Progress) -> bool:
        seen.append(progress)
        return len(seen) == 2

    result = kpm.clear(*race, prune_bounds=False, threads=threads, callback=stop)
    assert result.status is kpm.Status.INTERRUPTED
    assert len(seen) == 2
    assert seen[0].elapsed <= seen[1].elapsed
    assert_valid(result, best)


def test_an_exception_in_a_callback_is_raised(race: tuple[kpm.Market, kpm.Orders]) -> None:
    def fail(progress: kpm.Progress) -> bool:
        raise LookupError("from the callback")

    with pytest.raises(LookupError, match="from the callback"):
        kpm.clear(*race, prune_bounds=False, threads=2, callback=fail)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are POSIX")
def test_ctrl_c_returns_the_best_so_far(
    race: tuple[kpm.Market, kpm.Orders], best: kpm.Result
) -> None:
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        # Far more work than any machine does before the signal arrives.
        for _ in range(200):
            result = kpm.clear(*race, prune_bounds=False, threads=1)
            if result.status is not kpm.Status.OPTIMAL:
                break
    except KeyboardInterrupt:
        pytest.skip("the signal arrived between two clearings")
    finally:
        timer.cancel()
    assert result.status is kpm.Status.INTERRUPTED
    assert_valid(result, best)


def test_the_gil_is_released(race: tuple[kpm.Market, kpm.Orders]) -> None:
    """Another thread gets on with its work while a clearing is under way."""
    done = threading.Event()
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        while not done.is_set():
            ticks += 1

    worker = threading.Thread(target=tick)
    worker.start()
    try:
        kpm.clear(*race, prune_bounds=False, threads=1)
    finally:
        done.set()
        worker.join()
    assert ticks > 1000
