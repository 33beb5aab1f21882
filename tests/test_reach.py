"""The command that sets aims beside measurements: what it asks, and what it calls met."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest

import kpm_fast as kpm
from benchmarks import aims, books, reach

LIMITS = aims.Limits(seconds=60.0, quick=True)


def test_each_aim_is_written_from_its_targets() -> None:
    found = {name: question.aim for name, question in reach.QUESTIONS.items()}
    assert found["arrow-debreu"] == "50 ms"
    assert found["inventory-82"] == "1e-5 in 5 s, 1e-6 in 60 s"
    assert found["recorded"] == "<= 0.5, none above 1"
    assert found["threads"] == "1.8"
    assert [name for name, aim in found.items() if not aim] == ["band", "tuned", "cell"]


def test_a_proof_ends_before_the_one_answer() -> None:
    """Asked for 1e-6 itself the search goes on: the proof is measured just above."""
    book = books.arrow_debreu(2000, states=200)
    clear = functools.partial(kpm.clear, *book, threads=1)
    proof, one = clear(tolerance=aims.PROOF), clear(tolerance=1e-6)
    assert proof.gap <= aims.PROOF * proof.scale
    assert 2 * proof.stats.nodes < one.stats.nodes


@pytest.mark.parametrize(
    ("proof", "one", "met"), [(True, True, True), (True, False, False), (False, False, False)]
)
def test_a_book_is_cleared_in_time_where_the_one_answer_is(
    monkeypatch: pytest.MonkeyPatch, proof: bool, one: bool, met: bool
) -> None:
    def within(
        seconds: float, book: books.Book, gap: float | None, limits: aims.Limits
    ) -> aims.Measured:
        return aims.Measured(f"{gap}", one if gap is None else proof, f"reason {gap}")

    monkeypatch.setattr(aims, "_within", within)
    found = reach.QUESTIONS["arrow-debreu"].measure(1.0, LIMITS)
    assert found.met is met
    assert found.text == f"proof to 1e-6: {aims.PROOF}; the one answer: None"
    if not met:
        assert found.reason.endswith(f"reason {None if proof else aims.PROOF}")


def test_recorded_books_are_judged_as_users_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice as fast at 1e-6, but one book slower at the default: missed."""
    here = Path(aims.__file__).resolve().parents[1]

    def times(checkout: object, folder: object, options: dict[str, float]) -> np.ndarray:
        fast, slow = np.array([1.0, 1.0]), np.array([1.0, 5.0])
        return fast if checkout == here and options else slow / (1.0 if checkout == here else 2.0)

    monkeypatch.setattr(aims, "_recorded_times", times)
    monkeypatch.setattr(books, "data_folder", lambda: here)
    cases = [books.Recorded(name, "q", 0.1, books.simulation_a(0.2)) for name in ("a", "b")]
    monkeypatch.setattr(books, "recorded", lambda folder: iter(cases))
    alone = aims.recorded(0.5, 1.0, LIMITS)
    assert alone.met is None
    found = aims.recorded(0.5, 1.0, aims.Limits(60.0, here / "other"))
    assert found.met is False
    assert found.text.startswith("default: 2.00 times, the slowest book 2.00 times; 1e-6: ")
    assert found.reason.startswith("100% of the books are slower, most of all a (Omega = 0.2, q,")


def test_the_page_has_a_row_for_each_question() -> None:
    rows = [
        {"question": "a | b", "when set": "", "aim": "1", "now": "2", "met, or why not": "met"},
        {"question": "c", "when set": "3", "aim": "4", "now": "5", "met, or why not": "because"},
    ]
    page = reach.page(rows, None, 0.5)
    assert "1 of 2 are met." in page
    assert "| a \\| b |  | 1 | 2 | met |\n| c | 3 | 4 | 5 | because |" in page
    assert "- other processes: kept 0.50 cores busy" in page
    assert "recorded books" not in page.partition("- machine")[2]
    assert "recorded books: times are multiples" in reach.page(rows, Path("nowhere"), None)
