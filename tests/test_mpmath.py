"""A few clearings against forty-digit arithmetic, to 1e-10 of the notional."""

from __future__ import annotations

import math

import numpy as np
import pytest

import kpm_fast as kpm
import witness
from adapter import clear, pieces_of, solve_cell, value_at
from witness import Book, barrier, cell_problem
from witness.risk import precise

FORTY = precise(40)
PRIOR = np.array([0.1, 0.2, 0.3, 0.4])


def make(
    payoffs: list[list[float]],
    price: list[float],
    quantity: list[float],
    side: list[int] | None = None,
    claim: list[int] | None = None,
    **maker: float,
) -> Book:
    count = len(price)
    inventory = maker.pop("inventory", 0.0)
    return Book(
        payoffs=np.array(payoffs),
        prior=PRIOR,
        inventory=inventory * np.array([1.0, -0.5, 0.0, 0.25]),
        risk_aversion=maker.get("risk_aversion", 1.0),
        ambiguity=maker.get("ambiguity", 0.1),
        claim=np.array(claim if claim is not None else range(count)),
        side=np.array(side if side is not None else [1] * count),
        price=np.array(price),
        quantity=np.array(quantity),
    )


ARROW = [[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 1.0, 0]]
VANILLA = [[0.0, 0, 1, 2], [2.0, 1, 0, 0], [0, 1.0, 1.0, 0]]

BOOKS = {
    "paper-like": make(ARROW, [0.3, 0.2, 0.15], [0.001] * 3, ambiguity=0.2),
    "expected-utility": make(ARROW, [0.3, 0.2, 0.15], [1.0, 2.0, 0.5], ambiguity=0.0),
    "worst-state": make(ARROW, [0.3, 0.5, 0.4], [1.0, 2.0, 0.5], ambiguity=math.inf),
    "at-the-kink": make(ARROW, [0.3, 0.2, 0.35], [1.0, 2.0, 0.5], ambiguity=-math.log(0.4)),
    "almost-no-ambiguity": make(ARROW, [0.3, 0.2, 0.35], [1.0, 2.0, 0.5], ambiguity=1e-9),
    "risk-neutral": make(VANILLA, [1.1, 0.9, 0.45], [1.0, 1.0, 1.0], risk_aversion=1e-12),
    "steep": make(VANILLA, [1.1, 0.9, 0.45], [1.0, 1.0, 1.0], [1, -1, 1], risk_aversion=100.0),
    "heavy-inventory": make(VANILLA, [1.1, 0.9, 0.45], [1.0, 1.0, 1.0], inventory=2000.0),
    "two-sided": make(ARROW, [0.4, 0.1, 0.2, 0.1], [1.0, 1, 2, 1], [1, -1, 1, -1], [0, 0, 1, 2]),
}


@pytest.mark.parametrize("name", BOOKS)
def test_the_winning_cell(name):
    """The clearing's own cell, solved in forty digits and certified there, has the same value."""
    book = BOOKS[name]
    result = clear(book, tolerance=1e-11)
    cell = cell_problem(book, pieces_of(book, result.cell))
    exact = barrier.solve(cell, FORTY, 1e-20)
    assert exact.gap <= 1e-20
    expected = float(cell.certainty_equivalent(exact.value))
    assert result.certainty_equivalent == pytest.approx(expected, abs=book.tolerance(1e-10))
    assert result.certainty_equivalent == pytest.approx(
        witness.clear(book).certainty_equivalent, abs=book.tolerance(2e-10)
    )


@pytest.mark.parametrize("name", BOOKS)
def test_a_cell_of_steps(name):
    """Every claim but the last at its lowest limit: the fills are free, where precision is lost."""
    book = BOOKS[name]
    chosen = np.array([1] * (book.claims - 1) + [0])
    cell = cell_problem(book, pieces_of(book, chosen))
    exact = barrier.solve(cell, FORTY, 1e-20)
    assert exact.gap <= 1e-20
    result = solve_cell(book, chosen, tolerance=1e-11)
    assert result.status is kpm.Status.OPTIMAL
    expected = float(cell.certainty_equivalent(exact.value))
    tolerance = book.tolerance(1e-10)
    assert result.certainty_equivalent == pytest.approx(expected, abs=tolerance)
    assert value_at(book, result) == pytest.approx(expected, abs=tolerance)
