"""The interior-point method on one cell, against the witnesses."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import kpm_fast as kpm
from adapter import pieces_of, solve_cell, staircases, value_at
from kpm_fast import sample
from misprint import FILL_FILL_NONE, MISPRINT, MISPRINT_L
from strategies import books, examples
from witness import Book, Infeasible, cell_problem, conic, smooth
from witness.book import staircase
from witness.brute import solve_cell as witness_solve

RELATIVE = 1e-8  # of the notional


@st.composite
def books_and_cells(draw: st.DrawFn, **limits: object) -> tuple[Book, np.ndarray]:
    book = draw(books(**limits))
    return book, np.array([draw(st.integers(0, len(stair) - 1)) for stair in staircases(book)])


def assert_in_cell(book: Book, cell: np.ndarray, result: kpm.CellResult) -> None:
    assert result.state_prices.sum() == pytest.approx(1, abs=1e-9)
    assert result.state_prices.min() >= -1e-12
    prices = book.payoffs @ result.state_prices
    for k, piece in enumerate(pieces_of(book, cell)):
        slack = 1e-9 * max(1.0, book.spans[k], np.abs(book.payoffs[k]).max())
        assert piece.price_low - slack <= prices[k] <= piece.price_high + slack
        room = 1e-12 * max(abs(piece.demand_low), abs(piece.demand_high))
        assert piece.demand_low - room <= result.net_demand[k] <= piece.demand_high + room


@given(books())
@examples(200)
@pytest.mark.cross_section
def test_staircases(book):
    for k, stair in enumerate(staircases(book)):
        expected = staircase(book, k)
        assert len(stair) == len(expected)
        low, high = book.payoffs[k].min(), book.payoffs[k].max()
        for row, piece in zip(stair, expected, strict=True):
            np.testing.assert_allclose(
                row[:2],
                np.clip(piece[:2], low, high),
                rtol=0,
                atol=4e-16 * max(abs(low), abs(high)),
            )
            np.testing.assert_allclose(
                row[2:], piece[2:], rtol=1e-14, atol=1e-14 * book.quantity.sum()
            )


@pytest.mark.cross_section
@pytest.mark.parametrize("ticks", [40, None], ids=["many at a limit", "few at a limit"])
def test_staircases_of_long_books(ticks: int | None):
    """Thousands of orders per claim are sorted another way than a few."""
    generator = np.random.default_rng(7)
    count = 5000
    claim = generator.integers(0, 2, count)
    price = generator.uniform(-0.9, 0.9, count)  # of both signs, as their bits sort differently
    if ticks is not None:
        price = np.round(price * ticks) / ticks + 0.0
    side = np.where(generator.random(count) < 0.5, 1, -1)
    quantity = generator.integers(1, 100, count).astype(float)  # sums are exact
    market = kpm.Market([[-1.0, 1.0], [1.0, -1.0]], [0.5, 0.5])
    for k, stair in enumerate(kpm.staircases(market, kpm.Orders(claim, side, price, quantity))):
        own = claim == k
        limits = np.unique(price[own])
        middles = np.concatenate([[-1.0], (limits[1:] + limits[:-1]) / 2, [1.0]])
        bought = np.where(price >= middles[:, None], quantity * (side > 0) * own, 0.0).sum(axis=1)
        sold = np.where(price <= middles[:, None], quantity * (side < 0) * own, 0.0).sum(axis=1)
        np.testing.assert_array_equal(stair[::2, 2], bought - sold)  # flat pieces, by price
        np.testing.assert_array_equal(stair[::2, 3], bought - sold)
        np.testing.assert_allclose(stair[1::2, 0], limits, rtol=0, atol=1e-15)
        np.testing.assert_allclose(stair[1::2, 1], limits, rtol=0, atol=1e-15)


@given(books_and_cells())
@examples(400)
@pytest.mark.cross_section
def test_against_the_certified_barrier(book_and_cell):
    book, cell = book_and_cell
    result = solve_cell(book, cell)
    try:
        problem = cell_problem(book, pieces_of(book, cell))
    except Infeasible:
        assert result.status is kpm.Status.INFEASIBLE
        return
    assert result.status is kpm.Status.OPTIMAL or not book.resolves(1e-9)
    expected, _ = witness_solve(problem)
    tolerance = book.tolerance(RELATIVE)
    assert result.certainty_equivalent == pytest.approx(expected, abs=tolerance)
    assert value_at(book, result) == pytest.approx(expected, abs=tolerance)
    assert result.dual_bound >= expected - tolerance
    assert_in_cell(book, cell, result)


@given(books_and_cells())
@examples(150)
def test_what_is_reported_about_the_solution(book_and_cell):
    book, cell = book_and_cell
    result = solve_cell(book, cell)
    if result.status is kpm.Status.INFEASIBLE or not book.resolves(1e-9):
        return
    assert 0 <= result.primal_residual <= 1e-8
    assert 0 <= result.dual_residual < math.inf  # the bound is proven whatever it is
    assert result.gap == pytest.approx(
        result.dual_bound - result.certainty_equivalent, abs=book.rounding
    )
    assert -book.tolerance(1e-11) <= result.gap <= book.tolerance(2e-9)
    assert 0 <= result.iterations <= 100
    assert result.seconds >= 0
    for distribution in (result.worst_case, result.marginal_state_prices):
        assert distribution.min() >= 0
        assert distribution.sum() == pytest.approx(1, abs=1e-9)
    p, q = result.worst_case, book.prior
    divergence = float(np.sum(np.where(p > 0, p * np.log(np.maximum(p, 1e-300) / q), 0)))
    assert divergence <= book.ambiguity + 1e-9


def against(witness, book_and_cell) -> None:
    """The core's value of a feasible cell is the witness's."""
    book, cell = book_and_cell
    try:
        problem = cell_problem(book, pieces_of(book, cell))
    except Infeasible:
        return
    if witness is conic:
        assume(conic.suits(problem))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # CVXPY calls answers short of 1e-12 inaccurate
        _, scaled = witness.solve(problem)
    result = solve_cell(book, cell)
    if result.status is kpm.Status.INFEASIBLE:
        assert not book.resolves(1e-9)  # its prices and their limits differ by rounding
        return
    expected = problem.certainty_equivalent(scaled)
    assert result.certainty_equivalent == pytest.approx(expected, abs=book.tolerance(RELATIVE))


@given(books_and_cells(max_claims=3, log_alpha=(-1, 1)))
@examples(60)
def test_against_scipy(book_and_cell):
    against(smooth, book_and_cell)


@given(books_and_cells(max_claims=3, log_alpha=(-1, 1)))
@examples(60)
def test_against_clarabel(book_and_cell):
    against(conic, book_and_cell)


@pytest.mark.cross_section
def test_misprint_example():
    """As printed in the paper L would be 0.7196; by problem (8) it is 0.8877."""
    cell = np.array([0, 0, 2])
    assert pieces_of(MISPRINT, cell) == FILL_FILL_NONE
    result = solve_cell(MISPRINT, cell, tolerance=1e-12)
    found = math.exp(-MISPRINT.risk_aversion * result.certainty_equivalent)
    assert found == pytest.approx(MISPRINT_L, abs=1e-12)
    np.testing.assert_array_equal(result.net_demand, [1, 1, 0])


@pytest.mark.cross_section
def test_infeasible_cells():
    """Three Arrow-Debreu claims cannot all cost more than 0.4, nor all less than 0.1."""
    book = MISPRINT.with_(price=np.array([0.5, 0.5, 0.1]))
    assert solve_cell(book, [2, 2, 2]).status is kpm.Status.INFEASIBLE
    assert solve_cell(book, [1, 1, 2]).status is kpm.Status.INFEASIBLE
    assert solve_cell(book, [1, 1, 0]).status is kpm.Status.OPTIMAL
    low = book.with_(price=np.array([0.1, 0.1, 0.1]))
    assert solve_cell(low, [0, 0, 0]).status is kpm.Status.INFEASIBLE


def test_prices_that_sum_to_one_in_decimals_only():
    """0.1 + 0.2 + 0.7 is not one in binary; all three at their limits is feasible all the same."""
    book = MISPRINT.with_(price=np.array([0.1, 0.2, 0.7]), quantity=np.ones(3))
    result = solve_cell(book, [1, 1, 1])
    assert result.status is kpm.Status.OPTIMAL
    np.testing.assert_allclose(result.state_prices, [0.1, 0.2, 0.7], atol=1e-12)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6, 1e-8, 1e-10])
def test_tolerance_is_kept(tolerance):
    book = MISPRINT.with_(price=np.array([0.3, 0.3, 0.3]), quantity=np.array([2.0, 1.0, 3.0]))
    result = solve_cell(book, [1, 0, 2], tolerance=tolerance)
    assert result.status is kpm.Status.OPTIMAL
    assert result.gap <= book.tolerance(tolerance)


@pytest.mark.cross_section
def test_running_out_of_iterations_is_a_status():
    market, orders = sample.example_race_card()
    result = kpm.solve_cell(market, orders, [6, 0, 3, 1, 1, 4], max_iterations=3)
    assert result.status is kpm.Status.INACCURATE
    assert result.iterations == 3


@pytest.mark.parametrize("cell", [[6, 0, 3, 1, 1, 4], [7, 0, 3, 3, 0, 3]])
def test_creeping_is_a_stall(cell: list[int]) -> None:
    """The first attempt leaves the central path here, and is given up before its steps vanish."""
    market, orders = sample.example_race_card()
    solved = kpm.solve_cell(market, orders, cell)
    assert solved.status is kpm.Status.OPTIMAL
    assert solved.iterations < 40
