"""Which of several optimal clearings is published: prices nearest the prior, least regret."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

import kpm_fast as kpm
from adapter import clear, pieces_of
from strategies import METHODS, books, examples, fewer
from witness import Book

cp = pytest.importorskip("cvxpy")

Written = tuple[kpm.Market, kpm.Orders]
FLOOR = 1e-12  # state prices below it count as zero


def divergence_gap(book: Book, result: kpm.Result) -> float:
    """How far KL(xi|q) may be above the least among the optimal prices of xi's cell.

    KL is convex, so its linearisation at xi bounds what any other point gains: a linear program.
    """
    payoffs, xi = book.payoffs, result.state_prices
    pieces = pieces_of(book, result.cell)
    revenue = np.zeros(book.states)
    equal, target, below, bound = [np.ones(book.states)], [1.0], [], []
    for payoff, piece in zip(payoffs, pieces, strict=True):
        if piece.is_step:
            equal.append(payoff)
            target.append(float(payoff @ xi))  # the limit, but for rounding
            continue
        revenue += piece.demand_low * payoff
        low, high = max(piece.price_low, payoff.min()), min(piece.price_high, payoff.max())
        below += [payoff, -payoff]
        bound += [max(high, float(payoff @ xi)), -min(low, float(payoff @ xi))]
    below.append(-revenue)
    bound.append(-float(revenue @ xi))
    size = np.abs(np.array(below)).max(axis=1)
    size[size == 0] = 1.0
    slope = np.log(np.maximum(xi, FLOOR) / book.prior)
    solution = linprog(
        slope,
        A_ub=np.array(below) / size[:, None],
        b_ub=np.array(bound) / size,
        A_eq=np.array(equal),
        b_eq=np.array(target),
        bounds=(0, 1),
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    assert solution.status in (0, 2), solution.message
    return 0.0 if solution.status == 2 else float(slope @ xi - solution.fun)


@given(books())
@examples(150)
def test_state_prices_are_the_closest_to_the_prior(book):
    result = clear(book)
    assert divergence_gap(book, result) <= 1e-6


@pytest.mark.parametrize("ambiguity", [0.0, 0.1, np.inf])
def test_without_orders_prices_are_the_prior(ambiguity):
    prior = np.array([0.2, 0.3, 0.5])
    market = kpm.Market(np.eye(3), prior, ambiguity=ambiguity)
    result = kpm.clear(market, kpm.Orders([], [], [], []), threads=1)
    np.testing.assert_allclose(result.state_prices, prior, rtol=1e-9)
    assert result.verify()


def test_symmetric_orders_get_symmetric_answers():
    """Two states and two mirror-image bids: neither is preferred."""
    market = kpm.Market(np.eye(2), [0.5, 0.5], ambiguity=0.1)
    orders = kpm.Orders([0, 1], 1, 0.4, 1.0)
    result = kpm.clear(market, orders, threads=1)
    np.testing.assert_allclose(result.state_prices, [0.5, 0.5], atol=1e-9)
    np.testing.assert_array_equal(result.fills, [0.0, 0.0])
    assert result.verify()


@pytest.mark.parametrize("away", [0.0, 1e-14, 1e-12, 1e-11, 1e-9, 1e-7, 1e-5, 1e-3])
def test_a_limit_next_to_the_least_payoff(away):
    """Little room is left for state prices: a claim's price is within ``away`` of its limit."""
    market = kpm.Market(
        [[4, 3, 2, 1, 0], [-2, -2, -1, -1, -1]], np.full(5, 0.2), risk_aversion=0.5, ambiguity=0
    )
    orders = kpm.Orders([1, 0], [-1, -1], [-2 + away, 3], [1.0, 1.0])
    result = kpm.clear(market, orders, threads=1)
    verification = result.verify()
    assert verification, str(verification)
    # The most the last three states may have together; the first state balances the first claim.
    np.testing.assert_allclose(result.state_prices[2:].sum(), away, atol=1e-12)
    assert result.state_prices[0] == pytest.approx(3 * away, rel=0.02, abs=1e-12)


@given(books(max_orders=5), st.data())
@examples(200)
def test_limits_next_to_the_ends_of_payoffs(book, data):
    """Every clearing is verified: prices, fills, and how near the prior the state prices are."""
    price = book.price.copy()
    for order, claim in enumerate(book.claim):
        low, high = book.payoffs[claim].min(), book.payoffs[claim].max()
        away = data.draw(st.sampled_from([1e-13, 1e-11, 1e-9, 1e-6])) * (high - low)
        price[order] = data.draw(st.sampled_from([low + away, high - away, price[order]]))
    clear(book.with_(price=price))


@METHODS
@pytest.mark.parametrize("loss", [1e-13, 1e-12, 1e-11])
def test_no_trade_in_place_of_a_tie_has_its_support(method: str, loss: float) -> None:
    """Selling two shares at a loss ties with selling none, which has the prices' own support.

    Without aversion to count it by, and all states equally bad, no trade was given the prior as its
    worst case, which proves nothing of a step at .9999999999999: the status was `inaccurate`.
    """
    market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=1 / 3, ambiguity=np.inf)
    limits = [1 - 1e-13, 1 - loss, 1 - 1e-13]
    orders = kpm.Orders([0, 0, 0], ["buy", "buy", "sell"], limits, [1, 1, 1])
    result = kpm.clear(market, orders, method, threads=1)
    assert result.status is kpm.Status.OPTIMAL
    assert result.certainty_equivalent == pytest.approx(0, abs=1e-11 * result.scale)
    result.verify().raise_if_failed()


@pytest.mark.parametrize("method", ["auto", "enumerate"])
def test_a_hedge_small_next_to_its_order_is_kept(method):
    """Half a share of an order for forty million hedges the maker's wealth, and is not dropped."""
    market = kpm.Market(
        np.eye(2), [0.5, 0.5], inventory=[0.5, 0.0], risk_aversion=1e-7 / 4.5, ambiguity=1.0
    )
    orders = kpm.Orders([1, 0], [-1, 1], [0.0625, 0.0], [4e7, 5e6])
    result = kpm.clear(market, orders, method, threads=1)
    assert result.status is kpm.Status.OPTIMAL
    assert result.verify()
    # Only the worst state counts: half a share at 0.0625 per share makes both states equal.
    assert result.certainty_equivalent == pytest.approx(0.46875, rel=1e-4)
    assert result.net_demand[1] == pytest.approx(-0.5, rel=1e-3)


@METHODS
@pytest.mark.parametrize("presolve", [True, False])
@pytest.mark.parametrize(
    ("first", "other", "expected"),
    [(14, 28, [1 / 3, 1, 2 / 3]), (13, 28, [13 / 41, 1, 28 / 41])],
)
def test_equal_claims_share_as_one_book_would(method, presolve, first, other, expected):
    """The search for the least regret once cycled, and filled 1.3, 100 and 98 per cent."""
    market = kpm.Market([[1, 0], [0, 1], [1, 0]], [0.5, 0.5], risk_aversion=1.0, ambiguity=0.0)
    orders = kpm.Orders([0, 1, 2], "buy", 0.5, [first, 1, other])
    result = kpm.clear(market, orders, method, presolve=presolve)
    np.testing.assert_allclose(result.fills, expected, atol=1e-9)


@METHODS
def test_a_negligible_state_binds_no_fill(method):
    """Its losses change as another state's do, but for rounding."""
    market = kpm.Market([[1, 1, 0], [0, 0, 1], [1, 1, 0]], [1 / 3] * 3, [40, 0, 0], 1.0, 0.0)
    result = kpm.clear(market, kpm.Orders([0, 1, 2], "buy", 0.5, [1, 3, 1]), method)
    np.testing.assert_allclose(result.fills, [1, 2, 1], atol=1e-9)


def regret_gap(result: kpm.Result) -> tuple[float, float] | None:
    """The value of rule 2's criterion, and its least value at the same prices and payoff.

    As a share of the money at the clearing prices; None if the payoff determines all fills.
    """
    market, orders = result.market, result.orders
    claim = orders.claim_index(market)
    span = np.ptp(market.payoffs, axis=1)
    shares = []  # of each claim and side: quantity at the clearing price, fill, payoff
    for k in np.flatnonzero(span > 0):
        at_price = (claim == k) & (np.abs(orders.price - result.claim_prices[k]) <= 1e-12 * span[k])
        for side in (1, -1):
            chosen = at_price & (orders.side == side)
            if chosen.any():
                quantity = orders.quantity[chosen].sum()
                filled = result.fills[chosen].sum() / quantity
                money = side * quantity * (market.payoffs[k] - result.claim_prices[k])
                shares.append((span[k] * quantity, filled, money))
    if not shares:
        return None
    weight, filled, money = map(np.array, zip(*shares, strict=True))
    weight = weight / weight.sum()
    _, values, directions = np.linalg.svd(money.T / np.abs(money).max())
    rank = int(np.sum(values > 1e-10 * values[0]))
    if rank == len(filled):
        return None
    x = cp.Variable(len(filled))
    regret = cp.sum_squares(cp.multiply(np.sqrt(weight), 1 - x))
    fixed = directions[:rank]
    problem = cp.Problem(cp.Minimize(regret), [fixed @ x == fixed @ filled, x >= 0, x <= 1])
    problem.solve(solver=cp.CLARABEL)
    assert problem.status == cp.OPTIMAL
    return float(weight @ (1 - filled) ** 2), float(problem.value)


def tick_book(seed: int) -> Written:
    """Limits at multiples of 0.05 on states and complements: fills are mostly left open."""
    rng = np.random.default_rng(seed)
    states = int(rng.integers(3, 6))
    payoffs = np.eye(states)
    if seed % 3 == 0:
        payoffs = np.vstack([payoffs, 1 - payoffs[: 2 if states > 3 else 3]])
    prior = np.maximum(np.round(rng.dirichlet(np.full(states, 3.0)) * 20), 1.0)
    prior /= prior.sum()
    count = int(rng.integers(6, 30))
    claim = rng.integers(0, len(payoffs), count)
    limit = np.clip((payoffs @ prior)[claim] + 0.08 * rng.normal(size=count), 0.05, 0.95)
    side, quantity = rng.choice([-1, 1], count), 5.0 * rng.integers(1, 20, count)
    wealth = 10.0 * rng.integers(-3, 4, states) * (seed % 5 == 0)
    ambiguity = [0.0, 0.05, 0.2, np.inf][seed % 4]
    market = kpm.Market(payoffs, prior, wealth, risk_aversion=0.01, ambiguity=ambiguity)
    return market, kpm.Orders(claim, side, np.round(limit * 20) / 20, quantity)


@METHODS
def test_no_fills_at_the_same_prices_and_payoff_have_less_regret(method):
    compared = 0
    for seed in range(count := fewer(120, 30)):
        gap = regret_gap(kpm.clear(*tick_book(seed), method, cell_limit=10**7))
        if gap is not None:
            compared += 1
            assert gap[0] <= gap[1] + 1e-6, seed
    assert compared >= count // 2


def written(payoffs: np.ndarray, prior: list[float], orders: str, **maker: Any) -> Written:
    """Orders as claim, side, limit and quantity: ``0+0.25:30``."""
    words = [(order[0], order[1], *order[2:].split(":")) for order in orders.split()]
    claims, sides, prices, quantities = zip(*words, strict=True)
    market = kpm.Market(payoffs, np.array(prior) / np.sum(prior), **maker)
    return market, kpm.Orders(
        np.array(claims, int),
        [1 if side == "+" else -1 for side in sides],
        np.array(prices, float),
        np.array(quantities, float),
    )


# In the first two the choice lies at the end of a step, and a clearing that trades more was once
# published, though it had been rejected in the same cell. In the others two clearings, one just
# off the end of a step and one at it, rejected each other.
CHOSEN_FROM_MORE = {
    "one-claim-of-four": (
        written(
            np.eye(4),
            [5, 2, 8, 4],
            """2+0.40:140 2+0.45:80 2-0.30:55 2-0.40:35 2-0.50:30 1+0.05:80 1+0.10:80 1+0.15:30
            1-0.10:60 3-0.10:235 3-0.20:90 3-0.30:60 0+0.20:120 0-0.30:35""",
            risk_aversion=0.1,
            ambiguity=0.05,
        ),
        0.470681,
    ),
    "three-claims": (
        written(
            np.eye(4),
            [1, 4, 12, 4],
            """3+0.25:90 3+0.20:115 3-0.25:90 3-0.15:80 1+0.15:10 1+0.20:15 1+0.05:85 1+0.30:15
            1-0.05:45 1-0.15:75 2+0.55:40 2+0.50:10 2+0.65:80 2-0.55:45 2-0.70:35 0-0.05:45""",
            risk_aversion=0.01,
            ambiguity=0.2,
        ),
        0.466794,
    ),
    "a-complement": (
        written(
            np.vstack([np.eye(5), [0, 1, 1, 1, 1]]),
            [1, 1, 1, 1, 1],
            """1+0.25:90 2-0.25:60 0-0.25:175 5-0.75:30 0+0.25:80 5+0.75:130 3-0.25:75
            3+0.25:15""",
            risk_aversion=0.001,
            ambiguity=0.05,
        ),
        0.441466,
    ),
    "pairs": (
        written(
            np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [0, 1, 1], [1, 1, 0]]),
            [1, 2, 2],
            """0+0.25:30 5+0.75:20 4+0.75:10 4-0.75:10 1+0.25:20 1+0.5:20 3+0.5:20 2-0.5:20
            5+0.5:20""",
            inventory=[0, -20, -10],
            risk_aversion=0.1,
            ambiguity=0.05,
        ),
        0.318182,
    ),
}


@METHODS
@pytest.mark.parametrize("name", CHOSEN_FROM_MORE)
def test_the_clearing_of_least_regret_is_published(method, name):
    book, least = CHOSEN_FROM_MORE[name]
    gap = regret_gap(kpm.clear(*book, method))
    assert gap is not None
    assert gap == pytest.approx((least, least), abs=1e-6)


@METHODS
def test_a_demand_that_is_worth_less_in_the_larger_cell_is_not_dominated(method):
    """The flat's demand is that of the step's end, but earns as much at another price only."""
    market, orders = written(
        np.eye(2),
        [1, 1],
        "0+0.5:10 0+0.75:10 1-0.5:20 1+0.5:20",
        inventory=[-30, 30],
        risk_aversion=0.001,
        ambiguity=math.inf,
    )
    result = kpm.clear(market, orders, method)
    np.testing.assert_allclose(result.fills, [0, 10, 0, 20], atol=1e-9)
    np.testing.assert_allclose(result.claim_prices, [0.5, 0.5], atol=1e-12)


@pytest.mark.parametrize("wealth", [1e3, 1e5, 1e6, 1e8])
def test_room_that_cannot_bind_changes_nothing(wealth):
    """States far richer than the worst once kept the search for least regret at its start."""
    market = kpm.Market(
        [[1, 0, 1, 0], [1, 0, 0, 1], [1, 0, 0, 0]],
        [0.4, 0.4, 0.1, 0.1],
        [0, 0, wealth, 2 * wealth],
        1e-3,
        math.inf,
    )
    orders = kpm.Orders([0, 1, 2], ["buy", "buy", "sell"], 0.4, [10, 5, 6])
    result = kpm.clear(market, orders, "enumerate")
    np.testing.assert_allclose(result.fills, [4, 2, 6], atol=1e-6)


@METHODS
@pytest.mark.parametrize("kink", [0.9, 0.98, 1 - 1e-6, 1.0, 1.1])
@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("alpha", [1.0, 10.0])
def test_orders_that_cost_only_rich_states_are_filled(method, kink, side, alpha):
    """The maker is poor in one state, where the claim pays its limit: no other state counts.

    Whether the poor state is all of the worst case, at the kink, or all but a share of it whose
    marginal price is zero, the trade costs the maker nothing, and the order is filled.
    """
    prior = np.array([0.3, 0.3, 0.4])
    market = kpm.Market(
        [[0.5, 0.0, 1.0]], prior, [0, 1e4, 1e4], alpha, ambiguity=-math.log(0.3) * kink
    )
    result = kpm.clear(market, kpm.Orders([0], side, 0.5, [7.0]), method)
    np.testing.assert_allclose(result.fills, [7.0], rtol=1e-9)
    assert result.verify()


@METHODS
@pytest.mark.parametrize(("best", "filled"), [(1.0, 0.0), (1.5, 1.0)])
def test_at_a_kink_an_order_is_filled_unless_its_limit_ends_the_payoffs(method, best, filled):
    """The maker is poor in a state that pays the limit: any fill costs it nothing, and rule 2 wants
    the most. An offer at the most that a claim can pay asks for something for nothing.
    """
    market = kpm.Market(
        [[0.0, 1.0, 1.0, best]], [0.1, 0.6, 0.2, 0.1], [1e4, 1e4, 0.0, 1e4], 1.0, 1.18889
    )
    result = kpm.clear(market, kpm.Orders([0], "sell", 1.0, [1.0]), method)
    assert result.fills.tolist() == [filled]
    assert result.verify()


@METHODS
@pytest.mark.parametrize(("kink", "least"), [(1.1, 200.0), (0.98, 120.0)])
def test_rich_states_pay_until_they_count(method, kink, least):
    """A state with 100 loses 0.5 a share: at the kink 200 shares leave it no worse than the other.

    Where the risk is smooth, its marginal price is below 1e-13 while it has some 30 / alpha more.
    """
    market = kpm.Market(
        [[0.5, 0.0, 1.0]], [0.3, 0.3, 0.4], [0, 100, 1e4], 1.0, ambiguity=-math.log(0.3) * kink
    )
    result = kpm.clear(market, kpm.Orders([0], "sell", 0.5, [1000.0]), method)
    assert least <= result.fills[0] <= 200 * (1 + 1e-9)
    assert result.verify()
