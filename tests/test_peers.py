"""The basis of the comparisons: the peers' formulations, the sampling."""

# The benchmarks' packages are optional: without them there is nothing to import.
# ruff: noqa: E402

from __future__ import annotations

import math

import numpy as np
import pytest

import kpm_fast as kpm

pytestmark = pytest.mark.unsanitized

for _package in ("clarabel", "cvxpy", "ecos", "pyscipopt"):
    pytest.importorskip(_package)

from benchmarks import books, makers, whole_books
from benchmarks.accuracy import CellData, bound_at, error, upper_bound
from benchmarks.cell_sweep import reachable_cells, sweep
from benchmarks.cells import FAMILIES, benchmark_cells
from benchmarks.contest import TIMED, hold
from benchmarks.own_cell import CoreCell
from benchmarks.scip_book import Risk, ScipAnswer, ScipBook
from benchmarks.solver_process import SolverProcess, SolverProcessError
from benchmarks.verified import NotVerifiedError

CONIC = {"Clarabel": "conic_solvers:ClarabelCell", "ECOS": "conic_solvers:EcosCell"}
TUNED = {
    "Clarabel, tuned": "conic_solvers:TunedClarabelCell",
    "Clarabel, tuned and kept": "conic_solvers:KeptClarabelCell",
}
ALL = CONIC | TUNED | {"CVXPY": "cvxpy_cell:CvxpyCell"}


# -- cells ----------------------------------------------------------------------------------------


def test_each_family_has_its_cells() -> None:
    cells = benchmark_cells(3)
    assert [data.label for data in cells] == [family for family in FAMILIES for _ in range(3)]
    assert all(data.steps.any() for data in cells)


def test_the_error_of_a_point_sees_what_is_wrong_with_it() -> None:
    for data in benchmark_cells(1):
        core = CoreCell(data, 1e-12)
        solution = core.solution()
        bound = core.bound(solution)
        xi, demand = solution["state_prices"], solution["net_demand"]
        assert error(data, (xi, demand), bound) < 1e-9
        assert error(data, None, bound) == math.inf
        assert error(data, (np.full_like(xi, np.nan), demand), bound) == math.inf
        assert error(data, (xi * 1.001, demand), bound) >= 0.00099  # off the simplex
        assert error(data, (xi, demand), bound + 0.01 * data.notional) >= 0.0099


def test_the_bound_holds_for_any_distributions() -> None:
    generator = np.random.default_rng(1)
    for data in benchmark_cells(1):
        core = CoreCell(data, 1e-12)
        best = core.bound(core.solution())
        size = data.market.prior.size
        for _ in range(5):
            p, g = generator.dirichlet(np.ones(size), size=2)
            multipliers = generator.normal(size=len(data.cell))
            assert upper_bound(data, p, g, multipliers) >= best - 1e-9 * data.notional


def test_bounds_from_a_point_hold_and_are_tight_at_the_best() -> None:
    generator = np.random.default_rng(3)
    for data in benchmark_cells(1):
        core = CoreCell(data, 1e-12)
        solution = core.solution()
        best, multipliers = core.bound(solution), solution["multipliers"]
        slack = 1e-7 * data.notional
        assert abs(bound_at(data, solution["net_demand"], multipliers) - best) <= slack
        demand = generator.uniform(data.pieces[:, 2], data.pieces[:, 3])
        assert bound_at(data, demand, multipliers) >= best - slack


def test_peers_solve_the_same_problem() -> None:
    """Where exponential cones work well, all peers agree with this package."""
    easy = ("N = K = 5", "Omega = 0", "Omega = inf", "a = 1e-8", "a = 1e-12", "near-degenerate")
    cells = [data for data in benchmark_cells(2) if data.label in easy]
    contest = hold(cells, 1, solvers=ALL)
    for solver in ALL:
        assert contest.reached(solver).all(), solver


def test_a_failed_solver_has_no_time() -> None:
    """At a = 1e-5 the cone's digits do not suffice: a failure, however fast."""
    cells = [data for data in benchmark_cells(1) if data.label in ("N = K = 5", "a = 1e-5")]
    contest = hold(cells, 2, solvers=CONIC | {"own": "own_cell:CoreCell"})
    assert contest.reached("Clarabel").tolist() == [True, False]
    assert np.isnan(contest.medians("Clarabel")).tolist() == [False, True]
    assert 2 <= len(contest.pooled("Clarabel")) <= 2 * TIMED
    assert np.isfinite(contest.medians("own")).all()


# -- processes ------------------------------------------------------------------------------------


def test_a_process_answers_fails_and_ends() -> None:
    (data, *_) = benchmark_cells(1)
    with SolverProcess("contest:Solver", "own_cell:CoreCell") as process:
        with pytest.raises(SolverProcessError, match="AttributeError"):
            process.ask("nothing")
        with pytest.raises(SolverProcessError, match="KeyError"):
            process.ask("seconds", 0, 1e-8)
        (_, demand), seconds = process.ask("attempt", 0, data, 1e-8)
        assert demand == pytest.approx(CoreCell(data, 1e-8).solution()["net_demand"])
        times = process.ask("seconds", 0, 1e-8)
        assert len(times) in (1, TIMED)  # one where it was not brief: sanitized, or interrupted
        assert all(took > 0 for took in times)
        assert seconds > 0
    with (
        SolverProcess("no_such_module:Solver") as process,
        pytest.raises(SolverProcessError, match="exit status 1"),
    ):
        process.ask("nothing")


# -- enumeration ----------------------------------------------------------------------------------


def test_reachable_cells_are_those_the_enumeration_solves() -> None:
    book = books.random_claims(5, 5, 15, 0, 1.0)
    stats = kpm.clear(*book, "enumerate", prune_bounds=False, threads=1).stats
    cells = reachable_cells(book)
    assert len(cells) == stats.solved < stats.cells
    for data in cells:
        assert kpm.solve_cell(*book, data.cell).status is not kpm.Status.INFEASIBLE


@pytest.mark.parametrize("solver", ["ClarabelSweep", "KeptClarabelSweep"])
def test_a_sweep_solves_each_cell_and_finds_the_best(solver: str) -> None:
    book = books.simulation_a(0.2)
    with SolverProcess(f"cell_sweep:{solver}") as process:
        found = sweep(reachable_cells(book), process)
    assert found.solved == 1.0
    assert found.seconds > 0
    value = kpm.clear(*book).certainty_equivalent
    assert found.best == pytest.approx(value, abs=1e-6 * books.offered(*book))


class OnlyFirst:
    """Answers for the first cell alone, in two seconds, and with nothing in one for the others."""

    def __init__(self, process: SolverProcess) -> None:
        self.process = process

    def ask(self, name: str, cells: list[CellData], tolerance: float) -> list[tuple[float, object]]:
        (_, point), *rest = self.process.ask(name, cells, tolerance)
        return [(2.0, point), *((1.0, None) for _ in rest)]


def test_a_failed_cell_counts_with_the_time_of_the_others() -> None:
    cells = reachable_cells(books.simulation_a(0.2))[:4]
    with SolverProcess("cell_sweep:ClarabelSweep") as process:
        found = sweep(cells, OnlyFirst(process))  # type: ignore[arg-type]
    assert (found.seconds, found.solved) == (8.0, 0.25)


# -- SCIP -----------------------------------------------------------------------------------------

SMALL = {
    "simulation A": books.simulation_a(0.4),
    "simulation A at the kink": books.simulation_a(2.0),
    "Arrow-Debreu": books.arrow_debreu(15),
    "0/1 claims": books.random_claims(5, 5, 20, 3, 1.0),
    "risk-averse": books.random_claims(4, 5, 16, 4, 20.0),
    "expected utility": books.random_claims(4, 4, 16, 5, 5.0, ambiguity=0.0),
    "worst state": books.random_claims(4, 4, 16, 6, 5.0, ambiguity=math.inf),
}


@pytest.mark.parametrize("lean", [False, True], ids=["default", "tuned"])
@pytest.mark.parametrize("name", SMALL)
def test_scip_agrees(name: str, lean: bool) -> None:
    result = kpm.clear(*SMALL[name])
    answer = ScipBook(SMALL[name], 1e-6, 60.0, lean=lean).solve()
    assert answer.finished
    value = result.certainty_equivalent / books.offered(*SMALL[name])
    assert answer.value == pytest.approx(value, abs=2e-6)
    assert answer.claimed == pytest.approx(value, abs=2e-6)
    assert answer.bound >= value - 1e-6


@pytest.mark.parametrize("ambiguity", [0.0, 0.01, 0.5, 3.0, math.inf])
def test_cuts_support_the_risk(ambiguity: float) -> None:
    market, orders = books.random_claims(6, 5, 20, 1, 5.0, ambiguity=ambiguity)
    risk = Risk(market, books.offered(market, orders), np.full(5, 30.0))
    generator = np.random.default_rng(2)
    for _ in range(20):
        at, other = generator.normal(size=(2, 5))
        slopes, constant = risk.cut(at)
        assert slopes @ at + constant == pytest.approx(risk.value(at), abs=1e-9)
        assert slopes @ other + constant <= risk.value(other) + 1e-9


def test_scip_is_judged_by_its_clearing() -> None:
    def answer(status: str) -> ScipAnswer:
        return ScipAnswer(status, 0.0, 0.0, 0.0, 1.0)

    judged = whole_books.judged
    assert judged(answer("gaplimit"), 1e-6) == whole_books.PROVED
    assert judged(answer("optimal"), 1e-3) == whole_books.WRONG
    assert judged(answer("timelimit"), 1e-3) == whole_books.LIMIT
    assert judged(answer("SCIP: error in LP solver!"), 1e-3) == whole_books.FAILED
    with pytest.raises(NotVerifiedError):
        judged(answer("timelimit"), -1e-3)


def test_quotes_are_timed_for_every_maker_and_payoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(makers, "QUOTED", (4, 100))
    section = makers.quotes(True)
    assert [row["maker"] for row in section.rows] == list(makers.makers(np.full(3, 1 / 3)))
    kinds = {name.partition(":")[0] for row in section.rows for name in row if name != "maker"}
    assert kinds == set(makers.PAYOFFS)
    assert all(row[name] > 0.0 for row in section.rows for name in row if name.endswith("time"))
    assert len(section.targets) == 3
    for target in section.targets:
        assert all(name in target.measured for name in makers.makers(np.full(3, 1 / 3)))
