"""The gain from trade keeps its digits beside any wealth."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import mpmath
import numpy as np
import pytest

import kpm_fast as kpm
from auction_books import extreme_book
from strategies import fewer
from witness.risk import precise, rho

EXACT = precise(45)
OMEGAS = (0.0, 1e-6, 0.02, 0.5, math.inf)


def exact_gain(result: kpm.Result) -> float:
    """CE after less CE before, of the published prices and demand, in 45 digits."""
    market, real = result.market, EXACT.number
    trades = [
        (real(price), real(net), [real(x) for x in row])
        for price, net, row in zip(
            result.claim_prices.tolist(),
            result.net_demand.tolist(),
            market.payoffs.tolist(),
            strict=True,
        )
    ]
    before = [-real(w) for w in market.inventory.tolist()]
    after = [
        loss + sum(((row[i] - price) * net for price, net, row in trades), real(0))
        for i, loss in enumerate(before)
    ]
    arguments = market.prior.tolist(), market.risk_aversion, market.ambiguity, EXACT
    return float(rho(before, *arguments).value - rho(after, *arguments).value)


def book(draw: np.random.Generator, wealth: float, spread: bool) -> tuple[kpm.Market, kpm.Orders]:
    """Bids and offers on three claims. A prior of sixteenths: it sums to one in any arithmetic."""
    market = kpm.Market(
        [[1.0, 0, 0, 0], [1.0, 1, 0, 0], [0, 1.0, 2, 3]],
        draw.permutation([1 / 16, 3 / 16, 4 / 16, 8 / 16]),
        inventory=wealth * (draw.integers(-4, 5, 4) / 4.0 if spread else np.ones(4)),
        risk_aversion=10.0 ** draw.uniform(-4, 0),
        ambiguity=float(draw.choice(OMEGAS)),
    )
    claim = draw.integers(3, size=6)
    limit = np.array([1, 1, 3])[claim] * draw.uniform(0.1, 0.9, 6).round(2)
    side, size = draw.choice([-1, 1], 6), draw.integers(1, 20, 6).astype(float)
    return market, kpm.Orders(claim, side, limit, size)


@pytest.mark.parametrize("spread", [False, True], ids=["the same in all states", "by state"])
@pytest.mark.parametrize("wealth", [0.0, 1.0, 1e3, 1e6, 1e9, 1e12, 1e14, 1e15])
def test_gain_against_forty_five_digits(wealth: float, spread: bool) -> None:
    draw = np.random.default_rng([4, int(math.log10(wealth + 0.1) + 2), spread])
    traded = 0
    for _ in range(fewer(5, 2)):
        market, orders = book(draw, wealth, spread)
        result = kpm.clear(market, orders, threads=1)
        notional = float(
            result.fills @ np.ptp(market.payoffs, axis=1)[result.orders.claim_index(market)]
        )
        assert result.gain == pytest.approx(exact_gain(result), rel=0, abs=1e-12 * notional)
        difference = result.certainty_equivalent - result.no_trade_equivalent
        allowed = 1e-11 * notional + 1e-15 * abs(result.certainty_equivalent)
        assert result.gain == pytest.approx(difference, rel=0, abs=allowed)
        traded += notional > 0
    assert traded


@pytest.mark.threads
@pytest.mark.parametrize("wealth", [0.0, 1e9, 1e14, 1e15])
def test_gains_of_a_batch_are_those_of_single_clearings(wealth: float) -> None:
    """To the last bit: as differences of equivalents they would have no digits beside 1e14."""
    draw = np.random.default_rng(11)
    pairs = [book(draw, wealth, bool(n % 2)) for n in range(20)]
    batch = kpm.clear_many(pairs, threads=2)
    alone = [kpm.clear(market, orders, threads=1).gain for market, orders in pairs]
    assert batch.gain.tolist() == batch.table()["gain"].tolist() == alone
    assert not batch.gain.flags.writeable
    assert max(alone) > 0
    with ThreadPoolExecutor(2) as executor:
        assert kpm.clear_many(pairs, executor=executor).gain.tolist() == alone


@pytest.mark.parametrize("rule", ["competitive", "pay_as_bid"])
def test_gain_under_the_convex_rules(rule: str) -> None:
    """The common part of wealth drops out, to the last digits of what trades."""
    payoffs, prior = np.eye(3), [0.5, 0.25, 0.25]
    orders = kpm.Orders([0, 1, 2, 0], [1, 1, -1, 1], [0.6, 0.3, 0.2, 0.55], [10.0, 5, 8, 20])
    gains = []
    for wealth in (0.0, 2.0**40):
        maker = kpm.KnightianMaker(prior, 0.05, 0.02, inventory=[wealth, wealth + 3, wealth])
        result = kpm.clear(kpm.Market(payoffs, maker=maker), orders, rule=rule)
        gains.append(result.gain)
    assert gains[0] == pytest.approx(gains[1], rel=1e-9)
    assert gains[0] > 0


def lmsr_gap(result: kpm.Result) -> float:
    """By how much the published state prices fail to support what the maker owes, in 60 digits."""
    market = result.market
    with mpmath.workdps(60):
        real = mpmath.mpf
        prior = [real(p) for p in market.maker.prior.tolist()]
        price = [real(p) for p in result.state_prices.tolist()]
        averse = real(market.maker.risk_aversion)
        owed = [
            sum(
                (real(n) * real(row[i]) for n, row in zip(net, payoffs, strict=True)),
                -real(wealth),
            )
            for net, payoffs in [(result.net_demand.tolist(), market.payoffs.tolist())]
            for i, wealth in enumerate(market.inventory.tolist())
        ]
        utility = sum(p * mpmath.exp(averse * x) for p, x in zip(prior, owed, strict=True))
        cost = mpmath.log(utility / sum(prior)) / averse
        short = [
            g * (mpmath.log(g / sum(price) / (p / sum(prior))) / averse - x)
            for g, p, x in zip(price, prior, owed, strict=True)
            if g > 0
        ]
        return float(cost + sum(short) / sum(price))


@pytest.mark.parametrize("rule", ["competitive", "pay_as_bid"])
@pytest.mark.parametrize("wealth", [1e6, 1e9, 1e12, 1e14])
def test_a_wealth_that_dwarfs_the_book_hides_no_proof(wealth: float, rule: str) -> None:
    """The gap was a difference of figures of its size, and the status `inaccurate`."""
    for seed in range(fewer(20, 5)):
        draw = np.random.default_rng([5, int(math.log10(wealth)), seed])
        inventory = wealth * draw.choice([0.25, 0.5, 1.0], 3)
        market = kpm.Market(
            [[1.0, 0, 0], [1, 1, 0], [0, 1, 3]],
            maker=kpm.LMSR(2 * wealth, [0.5, 0.25, 0.25], inventory),
        )
        claim = draw.integers(3, size=6)
        limit = np.array([1, 1, 3])[claim] * draw.uniform(0.1, 0.9, 6).round(2)
        side, size = draw.choice([-1, 1], 6), draw.integers(1, 20, 6) * 1e-3
        result = kpm.clear(market, kpm.Orders(claim, side, limit, size), rule=rule)
        assert result.status is kpm.Status.OPTIMAL, seed
        assert lmsr_gap(result) <= 1e-8 * result.scale
        # Prices that stay as they were cost the maker what its own would have moved by.
        assert result.gain >= -(1e-14 * result.scale + 5 * result.scale**2 / wealth)
        result.verify().raise_if_failed()


@pytest.mark.parametrize(
    ("seed", "name", "span"),
    [
        *[(233, "quadratic", 7), (438, "hull", 13), (622, "ball", 13), (1007, "quadratic", 13)],
        *[(1762, "utility", 13), (1815, "hull", 9), (4329, "lmsr", 9), (6735, "orders", 13)],
        *[(7808, "polytope", 13), (8283, "orders", 6), (8818, "utility", 13)],
    ],
)
def test_what_hardly_moves_the_maker_is_proven_by_what_it_loses(
    seed: int, name: str, span: int
) -> None:
    market, orders = extreme_book(seed, name, span)
    result = kpm.clear(market, orders, rule="competitive")
    assert result.status is kpm.Status.OPTIMAL
    assert result.gain >= -1e-10 * result.scale
    result.verify().raise_if_failed()


def test_no_loss_is_called_optimal() -> None:
    """Theorem A, by `gain`: the difference of the equivalents has no digits of it."""
    for seed in range(fewer(400, 60)):
        name = ("lmsr", "ball", "simplex", "quadratic", "orders")[seed % 5]
        market, orders = extreme_book(seed, name, 13)
        result = kpm.clear(market, orders, rule="competitive")
        if result.status is kpm.Status.OPTIMAL:
            assert result.gain >= -result.tolerance * result.scale, seed


@pytest.mark.parametrize("apart", [1e-9, 1e-8, 6e-8])
@pytest.mark.parametrize("ambiguity", [1.0, 3.0, math.inf, None])
def test_worst_losses_that_tie_for_quotes_are_told_apart(
    ambiguity: float | None, apart: float
) -> None:
    """Beside a wealth of 1e7 quotes count states as tied that are 9e-8 apart."""
    inventory = [1e7, -1e-7, -1e-7 + apart]
    prior = [0.5, 0.25, 0.25]
    knightian = kpm.KnightianMaker(prior, 1.0, ambiguity or math.inf, inventory)
    maker = kpm.WorstStateMaker(3, inventory) if ambiguity is None else knightian
    market = kpm.Market([[0.0, 0, 1]], maker=maker)
    orders = kpm.Orders([0, 0, 0], ["buy", "sell", "buy"], [0.6, 0.3, 0.3], [4.0, 3.0, 2.0])
    result = kpm.clear(market, orders, rule="competitive")
    assert result.status is kpm.Status.OPTIMAL
    reference = replace(result, market=market.replace(maker=knightian))
    assert result.gain == pytest.approx(exact_gain(reference), rel=1e-7, abs=1e-16)
    assert result.gain >= 0


def utility_cost(losses, prior, wealth):
    """C of a log-utility maker in 60 digits, from the logarithm of what it has left."""
    with mpmath.workdps(60):
        top = max(losses)
        z = mpmath.log(wealth)
        for _ in range(400):
            t = mpmath.exp(z)
            value = slope = mpmath.mpf(0)
            for loss, p in zip(losses, prior, strict=True):
                left = t + (top - loss)
                value += p * ((mpmath.log(left) if loss < top else z) - mpmath.log(wealth))
                slope += p * (t / left if loss < top else 1)
            z -= value / slope
            if abs(value / slope) <= mpmath.mpf(10) ** -45 * max(1, abs(z)):
                break
        return top + mpmath.exp(z) - wealth


@pytest.mark.parametrize("span", [3, 6, 9])
def test_gain_of_a_utility_maker_whose_wealth_is_spent(span: int) -> None:
    """What is left in the worst state may be exp(-1e9): its logarithm still prices the others."""
    spent = 0
    for seed in range(fewer(150, 40)):
        market, orders = extreme_book(seed, "utility", span)
        result = kpm.clear(market, orders, rule="competitive")
        with mpmath.workdps(60):
            real = mpmath.mpf
            prior, wealth = [real(p) for p in market.maker.prior], real(market.maker.wealth)
            before = [-real(w) for w in market.inventory.tolist()]
            after = [
                loss
                + sum(
                    real(net) * (real(row[i]) - real(price))
                    for net, row, price in zip(
                        result.net_demand.tolist(),
                        market.payoffs.tolist(),
                        result.claim_prices.tolist(),
                        strict=True,
                    )
                )
                for i, loss in enumerate(before)
            ]
            cost = utility_cost(before, prior, wealth)
            exact = float(cost - utility_cost(after, prior, wealth))
            spent += cost + wealth - max(before) < real(10) ** -300
        assert result.gain == pytest.approx(exact, rel=0, abs=1e-11 * result.scale)
    assert spent or span > 6
