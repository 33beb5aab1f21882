"""The witnesses against each other: other tests rest on them."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from misprint import FILL_FILL_NONE, MISPRINT, MISPRINT_L
from strategies import books, examples
from witness import Infeasible, all_cells, barrier, cell_problem, conic, rho, smooth
from witness.book import demand_at, staircase
from witness.brute import clear, solve_cell
from witness.cell import CellProblem
from witness.risk import precise

pytestmark = pytest.mark.unsanitized


@st.composite
def cells(draw: st.DrawFn, **limits: int) -> CellProblem:
    """A feasible cell of a random book."""
    book = draw(books(**limits))
    pieces = draw(st.sampled_from(list(all_cells(book))[:500]))
    try:
        return cell_problem(book, pieces)
    except Infeasible:
        assume(False)
        raise


def within(cell: CellProblem, relative: float) -> float:
    """``relative`` in the cell's unit, but no finer than its own rounding."""
    largest = np.abs(cell.b).max() + np.abs(cell.A).sum()
    return relative + 64 * float(np.finfo(float).eps) * float(largest)


@given(cells())
@examples(150)
def test_scipy_agrees_with_the_certified_barrier(cell):
    _, found = solve_cell(cell)
    assert found.gap <= within(cell, 1e-10)
    t, value = smooth.solve(cell)
    assert abs(value - float(found.value)) <= within(cell, 1e-8)
    assert np.all((t >= 0) & (t <= 1))


@given(cells(max_claims=3))
@examples(60)
def test_clarabel_agrees_with_the_certified_barrier(cell):
    assume(conic.suits(cell))
    _, found = solve_cell(cell)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # CVXPY calls answers short of 1e-12 inaccurate
        _, value = conic.solve(cell)
    assert abs(value - float(found.value)) <= within(cell, 1e-8)


@given(cells(max_states=4, max_claims=2))
@examples(12)
def test_forty_digits_agree_with_double_precision(cell):
    exact = barrier.solve(cell, precise(40))
    assert exact.gap <= 1e-20
    assert abs(float(exact.value - solve_cell(cell)[1].value)) <= within(cell, 1e-10)


@given(cells())
def test_rho_is_the_supremum_over_the_ball(cell):
    t = np.full(len(cell.free), 0.5)
    risk = rho(cell.losses(t), cell.q, cell.a, cell.omega)
    p, q = np.array(risk.worst_case), cell.q
    assert p.sum() == pytest.approx(1)
    divergence = sum(x * math.log(x / y) for x, y in zip(p, q, strict=True) if x > 0)
    assert divergence <= cell.omega * (1 + 1e-9) + 1e-12
    # Other points of the ball are no worse for the maker.
    losses = np.array(cell.losses(t))
    generator = np.random.default_rng(0)
    for _ in range(20):
        other = generator.dirichlet(np.ones(q.size))
        share = 1.0
        while share > 1e-6 and _divergence(q + share * (other - q), q) > cell.omega:
            share /= 2
        inside = q + share * (other - q) if share > 1e-6 else q
        top = losses.max()
        growth = inside @ np.expm1(cell.a * (losses - top)) / cell.a
        value = top + np.log1p(cell.a * growth) / cell.a
        assert value <= float(risk.value) + within(cell, 1e-10)


def _divergence(p: np.ndarray, q: np.ndarray) -> float:
    return float(np.sum(np.where(p > 0, p * np.log(np.maximum(p, 1e-300) / q), 0.0)))


@given(books(max_states=3, max_claims=1))
def test_staircase_is_the_graph_of_the_limit_order_logic(book):
    stairs = staircase(book, 0, ends=True)
    low, high = book.payoffs[0].min(), book.payoffs[0].max()
    for price in {low, high, (low + high) / 2, *np.clip(book.price, low, high)}:
        inside = [piece for piece in stairs if piece.price_low <= price <= piece.price_high]
        least, most = demand_at(book, 0, price)
        demands = [(piece.demand_low, piece.demand_high) for piece in inside]
        assert min(pair[0] for pair in demands) == pytest.approx(least)
        assert max(pair[1] for pair in demands) == pytest.approx(most)


def test_misprint_example():
    exact = barrier.solve(cell_problem(MISPRINT, FILL_FILL_NONE), precise(40))
    cell = cell_problem(MISPRINT, FILL_FILL_NONE)
    assert math.exp(-cell.certainty_equivalent(exact.value)) == pytest.approx(MISPRINT_L, abs=1e-14)
    assert clear(MISPRINT).certainty_equivalent == pytest.approx(-math.log(MISPRINT_L), abs=1e-9)
