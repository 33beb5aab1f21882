"""Priors down to 1e-200: a nearly impossible state may carry the worst case."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from kpm_fast.verification.reference import worst_case_risk
from strategies import fewer
from witness import one_order

pytestmark = pytest.mark.cross_section


def _draw(draw: np.random.Generator) -> dict[str, Any]:
    states = int(draw.integers(2, 5))
    prior = draw.dirichlet(np.full(states, 2.0)) + 1e-3
    rare = draw.permutation(states)[: draw.integers(1, states)]
    decades = draw.choice([6, 9, 12, 15, 20, 30, 50, 100, 150, 190])
    prior[rare] = 10.0 ** (-decades * draw.uniform(0.9, 1.05, len(rare)))
    payoff = np.arange(states) / (states - 1.0)
    payoff = draw.permutation(payoff if draw.random() < 0.5 else (payoff == 1.0).astype(float))
    quantity = float(draw.choice([0.01, 1, 100]))
    return {
        "payoff": payoff.tolist(),
        "prior": (prior / prior.sum()).tolist(),
        "inventory": (draw.choice([0, 1]) * draw.normal(0, 3, states).round(1)).tolist(),
        "risk_aversion": 10.0 ** draw.uniform(-3, 3) / quantity,
        "ambiguity": float(draw.choice([0, 1e-6, 1e-3, 0.1, 0.5, 1, 2, 5])),
        "sign": int(draw.choice([1, -1])),
        "limit": float(draw.choice([0.01, 0.1, 0.2, 0.5, 0.9])),
        "quantity": quantity,
    }


def _cleared(book: dict[str, Any]) -> kpm.Result:
    market = kpm.Market(
        [book["payoff"]],
        book["prior"],
        inventory=book["inventory"],
        risk_aversion=book["risk_aversion"],
        ambiguity=book["ambiguity"],
    )
    return kpm.clear(market, kpm.Orders([0], [book["sign"]], [book["limit"]], [book["quantity"]]))


def _root_agreed_with(book: dict[str, Any], result: kpm.Result, tolerance: float) -> one_order.Fill:
    """The fill by a scalar root; the clearing verifies and is worth as much, per money at stake."""
    result.verify().raise_if_failed()
    right = one_order.solve(**book)
    scale = book["quantity"] + np.ptp(book["inventory"])
    assert result.certainty_equivalent == pytest.approx(
        right.certainty_equivalent, rel=0, abs=tolerance * scale
    ), book
    return right


def test_books_of_one_order_are_optimal() -> None:
    draw = np.random.default_rng(15)
    missed = []
    for _ in range(fewer(4000, 400)):
        book = _draw(draw)
        if _cleared(book).status is not kpm.Status.OPTIMAL:
            missed.append(book)
    assert missed == []


def test_the_nearest_prices_of_irregular_payoffs() -> None:
    """Several tiny priors: on the way to the nearest prices some states underflow."""
    draw = np.random.default_rng(18)
    missed = []
    for _ in range(fewer(3000, 300)):
        book = _draw(draw)
        states = int(draw.integers(4, 7))
        prior = draw.dirichlet(np.full(states, 2.0)) + 1e-3
        rare = draw.permutation(states)[: draw.integers(2, states)]
        prior[rare] = 10.0 ** -draw.uniform(30, 200, len(rare))
        payoff = draw.normal(size=states)
        book |= {
            "payoff": payoff.tolist(),
            "prior": (prior / prior.sum()).tolist(),
            "inventory": [0.0] * states,
            "ambiguity": min(book["ambiguity"], 1.0),
            "limit": float(payoff.min() + book["limit"] * np.ptp(payoff)),
        }
        result = _cleared(book)
        if result.status is not kpm.Status.OPTIMAL or not result.verify():
            missed.append(book)
    assert missed == []


def test_books_of_one_order_agree_with_a_scalar_root() -> None:
    draw = np.random.default_rng(16)
    traded = 0
    for _ in range(fewer(100, 20)):
        book = _draw(draw)
        result = _cleared(book)
        right = _root_agreed_with(book, result, 1e-9)
        assert result.fills == pytest.approx([right.fill], rel=0, abs=1e-9 * book["quantity"]), book
        if 0 < right.fill < book["quantity"]:
            traded += 1
            assert result.claim_prices == pytest.approx([book["limit"]], rel=1e-9)
    assert traded


def test_books_of_many_orders_are_optimal_and_verify() -> None:
    draw = np.random.default_rng(17)
    for _ in range(fewer(150, 30)):
        states = int(draw.integers(2, 7))
        prior = draw.dirichlet(np.full(states, 2.0)) + 1e-3
        rare = draw.permutation(states)[: draw.integers(1, states)]
        prior[rare] = 10.0 ** (-float(draw.uniform(6, 30)) * draw.uniform(0.9, 1.1, len(rare)))
        count = int(draw.integers(2, 12))
        market = kpm.Market(
            np.eye(states),
            prior / prior.sum(),
            inventory=draw.choice([0, 1]) * draw.normal(0, 3, states).round(1),
            risk_aversion=10.0 ** draw.uniform(-2, 1),
            ambiguity=float(draw.choice([0, 1e-3, 0.1, 1, 5])),
        )
        result = kpm.clear(
            market,
            kpm.Orders(
                draw.integers(states, size=count),
                draw.choice([1, -1], count),
                draw.random(count).round(2),
                draw.integers(1, 10, count).astype(float),
            ),
            threads=1,
        )
        assert result.status is kpm.Status.OPTIMAL
        result.verify().raise_if_failed()


def _wide(draw: np.random.Generator) -> dict[str, Any]:
    """Books with balls so large that the worst case jumps between states."""
    book = _draw(draw)
    states = len(book["payoff"])
    payoff = draw.random(states) if draw.random() < 0.7 else np.array(book["payoff"])
    whole = draw.choice([-1.0, 0.0, 1.0], states)
    return book | {
        "payoff": payoff.tolist(),
        "inventory": (
            draw.normal(0, 3, states).round(1) if draw.random() < 0.5 else whole
        ).tolist(),
        "ambiguity": float(draw.choice([2, 3, 5, 10, 30, 100])),
        "limit": float(payoff.min() + book["limit"] * np.ptp(payoff)),
    }


def test_where_the_worst_case_jumps() -> None:
    """The fill that evens out two states, one of them rare; it was once .0233 instead of 1."""
    book = {
        "payoff": [1.0, 0.0],
        "prior": [1.5e-187, 1.0],
        "inventory": [-1.0, 0.0],
        "risk_aversion": 0.01 / 6,
        "ambiguity": 5.0,
        "sign": -1,
        "limit": 0.01,
        "quantity": 6.0,
    }
    assert _cleared(book).fills == pytest.approx([1.0], abs=1e-12)
    draw = np.random.default_rng(26)
    for _ in range(fewer(2000, 200)):
        book = _wide(draw)
        result = _cleared(book)
        assert result.status is kpm.Status.OPTIMAL, book
        _root_agreed_with(book, result, 1e-10)


def _beside_an_impossible_state(
    draw: np.random.Generator, ambiguity: float
) -> tuple[kpm.Market, kpm.Orders]:
    states, claims, count = draw.integers([2, 1, 1], [5, 4, 8])
    prior = draw.dirichlet(np.ones(states))
    prior[0] = 0.0
    prior /= prior.sum()
    prior[0] = draw.choice([1e-200, 1e-150])
    market = kpm.Market(
        draw.integers(0, 2, (claims, states)),
        prior,
        draw.integers(0, 5, states) * draw.integers(0, 2),
        risk_aversion=float(draw.choice([0.1, 1.0, 10.0])),
        ambiguity=ambiguity,
    )
    orders = kpm.Orders(
        draw.integers(0, claims, count),
        draw.choice([1, -1], count),
        draw.integers(1, 20, count) / 20,
        draw.integers(1, 10, count),
    )
    return market, orders


def test_next_to_no_ambiguity_beside_impossible_states() -> None:
    """Right results failed `verify`, or stopped it: the ball is smaller than the rarest state."""
    draw = np.random.default_rng(27)
    for _ in range(fewer(1000, 100)):
        book = _beside_an_impossible_state(draw, float(draw.choice([1e-300, 1e-250])))
        result = kpm.clear(*book)
        assert result.status is kpm.Status.OPTIMAL
        result.verify().raise_if_failed()


def test_little_ambiguity_beside_impossible_states() -> None:
    """Whichever counts, the rare state or the differences among the likely ones."""
    draw = np.random.default_rng(28)
    proven = []
    for _ in range(fewer(2000, 200)):
        result = kpm.clear(*_beside_an_impossible_state(draw, 10.0 ** draw.uniform(-230, -20)))
        result.verify().raise_if_failed()
        proven.append(result.status is kpm.Status.OPTIMAL)
    assert np.mean(proven) > 0.99


def _slope(loss: Any, prior: Any, aversion: float, ambiguity: float) -> float:
    """d rho / d Omega by bisection of the tilt, with four hundred digits."""
    mp = pytest.importorskip("mpmath")
    with mp.workdps(400):
        weight = [mp.mpf(float(q)) for q in prior]
        mass = sum(weight)
        worst = max(map(float, loss))
        lost = [mp.expm1(mp.mpf(aversion) * (mp.mpf(float(x)) - worst)) for x in loss]
        spread = -min(lost)
        if spread == 0:
            return 0.0

        def tilted(tilt: Any) -> Any:
            moved = [
                q / mass * mp.exp(tilt * u / spread) for q, u in zip(weight, lost, strict=True)
            ]
            whole = sum(moved)
            return [p / whole for p in moved]

        def entropy(p: Any) -> Any:
            return sum(x * mp.log(x * mass / q) for x, q in zip(p, weight, strict=True) if x > 0)

        low, high = mp.mpf(-400), mp.mpf(4)  # decimal logarithms of the tilt
        for _ in range(80):
            middle = (low + high) / 2
            if entropy(tilted(mp.power(10, middle))) < ambiguity:
                low = middle
            else:
                high = middle
        tilt = mp.power(10, (low + high) / 2)
        mean = sum(p * u for p, u in zip(tilted(tilt), lost, strict=True))
        return float(spread / (tilt * aversion * (1 + mean)))


@pytest.mark.parametrize(
    ("wealth", "rare", "aversion", "ambiguity"),
    [
        ([1.0, 0.0], 1e-150, 10.0, 6.35e-180),  # the likely state is the worst: no kink yet
        ([-4.5, 3.5, 3.5], 1e-150, 10.0, 4.54e-162),  # only the rare state differs
        ([-5.2, 1.8, 4.8, 4.8], 1e-200, 10.0, 1.6e-75),  # the others differ by e^-70
        ([-2.25, 0.75, 0.6875], 1e-150, 10.0, 2.5e-147),  # and by a thousandth of rounding
        ([-3.0, 1.0, 2.0], 1e-200, 0.1, 1e-21),
        ([-3.0, 1.0, 2.0], 1e-200, 100.0, 1e-100),
        ([0.0, 1.0, -2.0], 1e-200, 1.0, 1e-60),
    ],
)
def test_the_price_of_a_little_ambiguity(
    wealth: list[float], rare: float, aversion: float, ambiguity: float
) -> None:
    """Beside a state that is all but impossible: core and reference against four hundred digits."""
    prior = np.append(rare, np.arange(1.0, len(wealth)) / sum(range(len(wealth))))
    market = kpm.Market(
        [np.arange(len(wealth))], prior, wealth, risk_aversion=aversion, ambiguity=ambiguity
    )
    result = kpm.clear(market, kpm.Orders([0], 1, 0.0, 1))  # a bid at the least payoff: no trade
    assert result.payoff.tolist() == wealth
    right = _slope([-w for w in wealth], market.prior, aversion, ambiguity)
    assert result.ambiguity_price == pytest.approx(right, rel=1e-9)
    _, reference = worst_case_risk(-np.array(wealth), market.prior, aversion, ambiguity)
    assert reference == pytest.approx(right, rel=1e-9)
    result.verify().raise_if_failed()
