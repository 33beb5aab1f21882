"""The command that sets aims beside measurements: what it asks, and what it calls met."""

from __future__ import annotations

import functools
import math
from pathlib import Path

import numpy as np
import pytest

import kpm_fast as kpm
from benchmarks import aims, books, reach, regressions, since

LIMITS = aims.Limits(seconds=60.0, quick=True)


def test_each_aim_is_written_from_its_targets() -> None:
    found = {name: question.aim for name, question in reach.QUESTIONS.items()}
    assert found["arrow-debreu"] == "50 ms"
    assert found["inventory-82"] == "1e-5 in 5 s, 1e-6 in 60 s"
    assert found["recorded"] == "<= 0.5, none above 1"
    assert found["threads"] == "1.8"
    assert found["paper"] == "none above 1"
    of_chapters = ["band", "tuned", "cell", "blocks", "shares", "kink"]
    assert [name for name, aim in found.items() if not aim] == of_chapters


def test_a_proof_ends_before_the_one_answer() -> None:
    """Asked for less than 1e-6 the search goes on."""
    book = books.arrow_debreu(2000, states=200)
    clear = functools.partial(kpm.clear, *book, threads=1)
    proof, one = clear(tolerance=aims.PROOF), clear(tolerance=0.99 * aims.PROOF)
    assert proof.gap <= aims.PROOF * proof.scale
    assert 2 * proof.stats.nodes < one.stats.nodes


@pytest.mark.parametrize(
    ("proof", "one", "met"), [(True, True, True), (True, False, False), (False, False, False)]
)
def test_a_book_is_cleared_in_time_where_the_one_answer_is(
    monkeypatch: pytest.MonkeyPatch, proof: bool, one: bool, met: bool
) -> None:
    def within(
        seconds: float, found: list[books.Book], gap: float | None, limits: aims.Limits
    ) -> aims.Measured:
        return aims.Measured(f"{gap}", one if gap is None else proof, f"reason {gap}")

    monkeypatch.setattr(aims, "_within", within)
    found = reach.QUESTIONS["arrow-debreu"].measure(1.0, LIMITS)
    assert found.met is met
    assert found.text == f"proof to 1e-6: {aims.PROOF}; the one answer: None"
    if not met:
        assert found.reason.endswith(f"reason {None if proof else aims.PROOF}")


def test_the_slowest_of_several_books_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    book = books.simulation_a(0.2)
    result = kpm.clear(*book)
    took = iter([1.0, 3.0, 2.0])
    monkeypatch.setattr(aims, "_cleared", lambda *of: (result, next(took)))
    found = aims._within(2.0, [book] * 3, None, aims.Limits(seconds=60.0))
    assert found.met is False
    assert found.text.startswith("2 of 3 in time, the slowest 3 s (nodes: 1,")
    took = iter([2.0])
    assert aims._within(2.0, [book] * 3, None, LIMITS).met  # a quick run takes one


def test_a_book_without_a_proof_is_the_slowest(monkeypatch: pytest.MonkeyPatch) -> None:
    book = books.random_claims(20, 20, 2000, 0, stake=10.0)
    runs = iter([(kpm.clear(*book, node_limit=1), 1.0), (kpm.clear(*book), 5.0)])
    monkeypatch.setattr(aims, "_cleared", lambda *of: next(runs))
    found = aims._within(2.0, [book] * 2, None, aims.Limits(seconds=60.0))
    assert found.text.startswith("0 of 2 in time, the slowest node_limit, gap ")
    assert "1 nodes left " in found.reason


class Beside:
    """In place of ``since.Since``: twice as fast at 1e-6, but a book slower at the default."""

    def __init__(self, other: Path, books: dict[str, books.Book], **options: float) -> None:
        self.slow = 1.0 if options else 5.0

    def seconds(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array([1.0, self.slow]), np.array([2.0, 2.0])

    def instructions(self, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
        return np.array([{"a": 1.5, "b": 5.0}[name[0]] for name in names]), np.full(len(names), 4.0)


def test_recorded_books_are_judged_as_users_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regressions, "Since", Beside)
    monkeypatch.setattr(books, "data_folder", lambda: Path())
    cases = [books.Recorded(name, "q", 0.1, books.simulation_a(0.2)) for name in ("a", "b")]
    monkeypatch.setattr(books, "recorded", lambda folder: iter(cases))
    assert regressions.recorded(0.5, 1.0, LIMITS).met is None  # nothing to compare with
    found = regressions.recorded(0.5, 1.0, aims.Limits(60.0, Path("other")))
    assert found.met is False
    assert found.text.startswith(
        "default: 1.50 times, the slowest book 2.50 times; instructions 0.81 times in sum, 0.68 in "
        "the geometric mean, above 1 for 1 books; 1e-6: 0.50 "
    )
    assert found.reason.startswith(
        "default: 1 of 2 books are slower, of which 1 take more instructions, at most 1.25 times; "
        "the slowest b (Omega = 0.2, q, stake 0.1): 2.50 times the time, 1.25 the instructions; "
        "1e-6: 0 of 2 books are slower"
    )


def test_both_packages_clear_the_same_books() -> None:
    """Here both are this one."""
    found = {f"{omega:g}": books.simulation_a(omega) for omega in (0.2, math.inf)}
    here, there = since.Since(since.HERE, found, tolerance=1e-9).seconds()
    assert here.shape == there.shape == (2,)
    assert min(here.min(), there.min()) > 0.0


def test_the_page_has_a_row_for_each_question() -> None:
    rows = [
        {"question": "a | b", "when set": "", "aim": "1", "now": "2", "met, or why not": "met"},
        {"question": "c", "when set": "3", "aim": "4", "now": "5", "met, or why not": "because"},
    ]
    page = reach.page(rows, None, 0.5)
    assert "1 of 2 are met." in page
    assert "| a \\| b |  | 1 | 2 | met |\n| c | 3 | 4 | 5 | because |" in page
    assert "- other processes: kept 0.50 cores busy" in page
    assert "when set" not in page.partition("- machine")[2]
    assert "over what it took when set: is over" in reach.page(rows, Path("nowhere"), None)
