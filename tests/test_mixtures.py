"""State prices where vertices of a polytope tie: the mixture that docs/selection.md asks for."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linprog

import kpm_fast as kpm
from strategies import fewer
from stress.families import Book

Floats = NDArray[np.float64]

A, B, C = [0.5, 0.3, 0.2], [0.5, 0.2, 0.3], [0.25, 0.375, 0.375]
CLAIMS = [[1, 0, 0], [0, 1, 1], [0, 1, 0]]


@pytest.mark.parametrize("risk_aversion", [0.0, 0.5])
@pytest.mark.parametrize(
    ("vertices", "least", "second"),
    [
        ([A, B, C], 0.0, 0.25),  # half of A, half of B
        ([A, B, C, C], 0.0, 0.25),  # one that can have no weight changes nothing
        ([C, A, B, [0.5, 0.25, 0.25]], 0.0, 0.25),  # nor does the mixture itself,
        ([A, B, C, A], 0.0, 0.8 / 3),  # but one that is listed twice counts twice,
        ([A, C, [0.5, 0.275, 0.225], B], 0.0, 0.775 / 3),  # and one in the hull of others as well
        ([A, B, C], 0.28, 0.28),  # a bid there that is not filled: four fifths of A
    ],
)
def test_a_vertex_that_can_have_no_weight(vertices, least, second, risk_aversion):
    """Two bids that make a complete set hold the first state at 0.5: C, which ties, has no part."""
    market = kpm.Market(CLAIMS, maker=kpm.PolytopeMaker(vertices, risk_aversion))
    orders = kpm.Orders([0, 1, 2], ["buy"] * 3, [0.5, 0.5, least], [4.0, 4.0, 3.0])
    result = kpm.clear(market, orders, rule="competitive")
    assert result.status is kpm.Status.OPTIMAL
    np.testing.assert_allclose(result.fills, [4, 4, 0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.state_prices, [0.5, second, 0.5 - second], rtol=0, atol=1e-12)


def test_vertices_that_share_what_the_others_cannot_have():
    """Of five vertices two are held at no weight. Where the program ended was 5e-4 away."""
    priors = np.array(
        [[1, 4, 3, 4, 4], [4, 3, 3, 6, 0], [2, 0, 3, 0, 11], [4, 4, 2, 2, 4], [4, 4, 2, 2, 4]]
    )
    market = kpm.Market(
        [[1, 1, 1, 1, 0], [0, 0, 1, 0, 1], [0, 0, 0, 0, 1]],
        maker=kpm.PolytopeMaker(priors / 16, 0.125),
    )
    orders = kpm.Orders(
        [1, 0, 2, 0, 1],
        ["sell", "sell", "sell", "sell", "buy"],
        [0.8125, 0.75, 0.25, 1.0, 0.4375],
        [1.0, 1.0, 1.0, 1.0, 2.0],
    )
    result = kpm.clear(market, orders, rule="competitive")
    expected = [83 / 528, 86 / 528, 3 / 16, 8 / 33, 1 / 4]
    np.testing.assert_allclose(result.state_prices, expected, rtol=0, atol=1e-9)


def test_vertices_that_tie_where_nothing_trades():
    """Of the first that ties no more than a quarter leaves the claim below what the offer asks."""
    priors = [[0.4375, 0.1875, 0.375], [0.125, 0.6875, 0.1875], [1, 0, 0], [0.5, 0, 0.5]]
    market = kpm.Market([[1, 1, 0]], maker=kpm.PolytopeMaker(priors, 0.125, [1, 2, 1]))
    orders = kpm.Orders([0], ["sell"], [0.625], [2.0])
    result = kpm.clear(market, orders, rule="competitive")
    np.testing.assert_allclose(result.state_prices, [0.625, 0, 0.375], rtol=0, atol=1e-12)


def degenerate_book(draw: np.random.Generator) -> Book:
    """Priors of sixteenths, some twice or between others; limits that they price, and full sets."""
    states, count = int(draw.integers(2, 6)), int(draw.integers(2, 6))
    priors = draw.multinomial(16, draw.dirichlet(np.ones(states)), count) / 16
    if draw.integers(3) == 0:
        priors = np.vstack([priors, priors[draw.integers(count)]])
    if draw.integers(3) == 0:
        priors = np.vstack([priors, (priors[0] + priors[1]) / 2])
    payoffs = (draw.random((int(draw.integers(1, 4)), states)) < 0.5).astype(float)
    payoffs = np.vstack([payoffs, 1 - payoffs[0]])
    fair = priors @ payoffs.T
    claim = draw.integers(0, len(payoffs), int(draw.integers(1, 8)))
    at_a_vertex = fair[draw.integers(0, len(priors), claim.size), claim]
    limit = np.where(
        draw.random(claim.size) < 0.6, at_a_vertex, draw.integers(17, size=claim.size) / 16
    )
    first = fair[draw.integers(len(priors)), 0]
    maker = kpm.PolytopeMaker(
        priors, draw.choice([0.0, 0.125]), draw.integers(2) * draw.integers(-2, 3, states)
    )
    return kpm.Market(payoffs, maker=maker), kpm.Orders(
        [*claim, 0, len(payoffs) - 1],
        [*draw.choice([1, -1], claim.size), 1, 1],
        [*limit, first, 1 - first],
        [*draw.integers(1, 4, claim.size), 4, 4],
    )


def tied_gradients(result: kpm.Result) -> Floats:
    """Those of the vertices that cost most at what the maker owes."""
    market = result.market
    priors, averse = market.maker.priors, market.maker.risk_aversion
    owed = market.payoffs.T @ result.net_demand - market.inventory
    tilted = priors * np.exp(averse * (owed - owed.max()))
    cost = np.log(tilted.sum(axis=1)) / averse if averse else priors @ owed
    tilted /= tilted.sum(axis=1, keepdims=True)
    return tilted[cost >= cost.max() - 1e-9]


def price_ranges(result: kpm.Result) -> tuple[Floats, Floats]:
    """Of claims: the prices at which every trader is content with what the fills are."""
    orders, payoffs = result.orders, result.market.payoffs
    low, high = payoffs.min(axis=1), payoffs.max(axis=1)
    for k, side, limit, most, fill in zip(
        orders.claim_index(result.market),
        orders.side,
        orders.price,
        orders.quantity,
        result.fills,
        strict=True,
    ):
        content_below, content_above = (fill > 0, fill < most)[::side]
        high[k] = min(high[k], limit) if content_below else high[k]
        low[k] = max(low[k], limit) if content_above else low[k]
    return low, high


def mixture(result: kpm.Result) -> tuple[Floats, bool]:
    """Prices by the rule, by linear programs and a cone program; whether a vertex has no weight."""
    cp = pytest.importorskip("cvxpy")
    gradients = tied_gradients(result)
    values = result.market.payoffs @ gradients.T
    low, high = price_ranges(result)
    count = len(gradients)
    rows = np.vstack([values, -values])
    most = [
        -linprog(
            -np.eye(count)[v],
            A_ub=rows,
            b_ub=np.append(high, -low) + 1e-11,
            A_eq=np.ones((1, count)),
            b_eq=[1],
        ).fun
        for v in range(count)
    ]
    some = np.flatnonzero(np.array(most) > 1e-6)
    weight = cp.Variable(some.size)
    kept = [cp.sum(weight) == 1, rows[:, some] @ weight <= np.append(high, -low) + 1e-11]
    program = cp.Problem(cp.Maximize(cp.sum(cp.log(weight))), kept)
    with np.errstate(all="ignore"):
        program.solve(solver="CLARABEL", tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)
    return gradients[some].T @ weight.value, some.size < count


@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")
def test_the_mixture_against_a_cone_program():
    without = 0
    for seed in range(fewer(150, 30)):
        market, orders = degenerate_book(np.random.default_rng([7, seed]))
        result = kpm.clear(market, orders, rule="competitive")
        assert result.status is kpm.Status.OPTIMAL
        expected, excluded = mixture(result)
        np.testing.assert_allclose(result.state_prices, expected, rtol=0, atol=1e-5, err_msg=seed)
        without += excluded
    assert without > 1


@pytest.mark.parametrize("rule", ["competitive", "pay_as_bid"])
def test_the_order_of_the_vertices_does_not_matter(rule):
    for seed in range(fewer(100, 20)):
        draw = np.random.default_rng([8, seed])
        market, orders = degenerate_book(draw)
        anew = market.maker.replace(priors=draw.permutation(market.maker.priors))
        one, other = (
            kpm.clear(market.replace(maker=maker), orders, rule=rule)
            for maker in (market.maker, anew)
        )
        assert one.state_prices.tobytes() == other.state_prices.tobytes(), seed
        assert one.fills.tobytes() == other.fills.tobytes(), seed
