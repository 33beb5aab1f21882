"""Makers against independent computations of cost, state prices and conjugate."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.special import logsumexp

import kpm_fast as kpm
from strategies import fewer

pytestmark = pytest.mark.unsanitized

cp = pytest.importorskip("cvxpy")

Case = tuple[kpm.Maker, Callable[[np.ndarray], float], Callable[[np.ndarray], float]]
CASES = fewer(100, 20)


def divergence(p: np.ndarray, q: np.ndarray) -> float:
    positive = p > 0
    return float((p[positive] * np.log(p[positive] / q[positive])).sum())


def draw_prior(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.dirichlet(np.full(n, rng.choice([0.5, 3.0]))) * 0.99 + 0.01 / n


def knightian(rng: np.random.Generator, n: int) -> Case:
    q, alpha = draw_prior(rng, n), 10 ** rng.uniform(-2, 1)
    omega = rng.choice([rng.uniform(0.001, 0.1), rng.uniform(0.1, 1.5), 20.0])
    maker = kpm.KnightianMaker(q, alpha, omega)

    def cost(losses: np.ndarray) -> float:
        """(25): the least over mu of mu Omega + mu ln E_q exp(u / mu)."""
        top = losses.max()
        u = np.exp(alpha * (losses - top))

        def dual(x: float) -> float:
            mu = np.exp(x)
            return mu * omega + mu * logsumexp((u - 1) / mu, b=q) + 1

        found = min(
            minimize_scalar(dual, bounds=bounds, method="bounded", options={"xatol": 1e-12}).fun
            for bounds in ((-12, -4), (-6, 3), (1, 12))
        )
        return float(top + np.log(min(found, 1.0)) / alpha)

    def conjugate(g: np.ndarray) -> float:
        if divergence(g, q) <= omega:
            return 0.0
        p = cp.Variable(n)
        ball = cp.sum(cp.rel_entr(p, q)) <= omega
        problem = cp.Problem(cp.Minimize(cp.sum(cp.rel_entr(g, p))), [cp.sum(p) == 1, ball])
        return float(problem.solve(solver="CLARABEL")) / alpha

    return maker, cost, conjugate


def lmsr(rng: np.random.Generator, n: int) -> Case:
    q, b = draw_prior(rng, n), 10 ** rng.uniform(-1, 2)
    return (
        kpm.LMSR(b, q),
        lambda losses: float(b * logsumexp(losses / b, b=q)),
        lambda g: b * divergence(g, q),
    )


def starting_orders(rng: np.random.Generator, n: int) -> Case:
    delta = draw_prior(rng, n) * 10 ** rng.uniform(-1, 2)

    def cost(losses: np.ndarray) -> float:
        top = losses.max()
        t = brentq(
            lambda t: (delta / (t - losses)).sum() - 1,
            top + delta.min() / 2,
            top + delta.sum() * (1 + 1e-9),
            xtol=1e-14,
        )
        return float(t - (delta * np.log(t - losses)).sum())

    return (
        kpm.StartingOrders(delta),
        cost,
        lambda g: float(-(delta * np.log(g / delta)).sum() - delta.sum()),
    )


def worst_state(rng: np.random.Generator, n: int) -> Case:
    return kpm.WorstStateMaker(n), lambda losses: float(losses.max()), lambda g: 0.0


def polytope(rng: np.random.Generator, n: int) -> Case:
    priors = np.array([draw_prior(rng, n) for _ in range(rng.integers(1, 5))])
    alpha = 10 ** rng.uniform(-2, 1)

    def conjugate(g: np.ndarray) -> float:
        theta = cp.Variable(len(priors), nonneg=True)
        problem = cp.Problem(
            cp.Minimize(cp.sum(cp.rel_entr(g, priors.T @ theta))), [cp.sum(theta) == 1]
        )
        return float(problem.solve(solver="CLARABEL")) / alpha

    return (
        kpm.PolytopeMaker(priors, alpha),
        lambda losses: float(max(logsumexp(alpha * losses, b=p) for p in priors) / alpha),
        conjugate,
    )


def indifferent_polytope(rng: np.random.Generator, n: int) -> Case:
    priors = np.array([draw_prior(rng, n) for _ in range(rng.integers(1, 5))])
    mixture = rng.dirichlet(np.ones(len(priors))) @ priors

    def conjugate(g: np.ndarray) -> float:
        theta = cp.Variable(len(priors), nonneg=True)
        off = cp.Problem(cp.Minimize(cp.norm(priors.T @ theta - g)), [cp.sum(theta) == 1]).solve(
            solver="CLARABEL"
        )
        return 0.0 if off < 1e-6 else np.inf

    maker = kpm.PolytopeMaker(priors, 0.0)
    assert maker.conjugate(mixture) == 0
    return maker, lambda losses: float((priors @ losses).max()), conjugate


def utility(rng: np.random.Generator, n: int) -> Case:
    pi, wealth = draw_prior(rng, n), 10 ** rng.uniform(-1, 2)

    def cost(losses: np.ndarray) -> float:
        least = losses.max() - wealth
        excess = brentq(
            lambda x: float(pi @ np.log((np.exp(x) + (losses.max() - losses)) / wealth)),
            -700,
            np.log(wealth + np.ptp(losses)) + 1,
            xtol=1e-14,
        )
        return float(least + np.exp(excess))

    return (
        kpm.UtilityMaker(pi, wealth),
        cost,
        lambda g: wealth - wealth * float(np.exp(-divergence(pi, g))),
    )


def quadratic(rng: np.random.Generator, n: int) -> Case:
    pi, c = draw_prior(rng, n), 10 ** rng.uniform(-1, 1.5)

    def cost(losses: np.ndarray) -> float:
        x = pi + losses / (2 * c)
        ordered = np.sort(x)[::-1]
        excess = (np.cumsum(ordered) - 1) / np.arange(1, n + 1)
        g = np.maximum(x - excess[np.flatnonzero(ordered > excess)[-1]], 0)
        return float(g @ losses - c * np.square(g - pi).sum())

    return kpm.QuadraticMaker(pi, c), cost, lambda g: float(c * np.square(g - pi).sum())


@pytest.mark.parametrize(
    "kind",
    [
        knightian,
        lmsr,
        starting_orders,
        worst_state,
        polytope,
        indifferent_polytope,
        utility,
        quadratic,
    ],
)
def test_witnesses(kind: Callable[[np.random.Generator, int], Case]) -> None:
    rng = np.random.default_rng(16)
    for _ in range(CASES):
        n = int(rng.integers(2, 7))
        maker, cost, conjugate = kind(rng, n)
        losses = rng.normal(0, 10 ** rng.uniform(-1, 0.7), n)
        scale = 1 + np.ptp(losses)
        own = maker.cost(losses)
        assert own == pytest.approx(cost(losses), rel=1e-8, abs=1e-8 * scale)

        g = maker.state_prices(losses)
        assert g.sum() == pytest.approx(1, abs=1e-14)
        assert (g >= 0).all()
        # Fenchel and Young: equality at a gradient, an inequality elsewhere.
        assert own + maker.conjugate(g) == pytest.approx(g @ losses, abs=1e-11 * scale)
        # A gradient supports the witness's cost everywhere.
        other = losses + rng.normal(0, 0.3 * scale, n)
        assert cost(other) >= own + g @ (other - losses) - 1e-8 * scale

        h = rng.dirichlet(np.ones(n))
        wanted = conjugate(h)
        if np.isinf(wanted):
            assert np.isinf(maker.conjugate(h))
        else:
            assert maker.conjugate(h) == pytest.approx(wanted, rel=1e-5, abs=1e-6 * scale)
        assert own + maker.conjugate(h) >= h @ losses - 1e-11 * scale
        assert maker.conjugate(h + 1) == np.inf


def exact_rho(losses: list[mpmath.mpf], q: list[mpmath.mpf], alpha: mpmath.mpf, omega: mpmath.mpf):
    """rho to 60 digits: the tilt of the prior by bisection, then a mean."""
    top = max(losses)
    u = [mpmath.exp(alpha * (x - top)) for x in losses]
    if omega == 0:
        return top + mpmath.log(mpmath.fsum(p * x for p, x in zip(q, u, strict=True))) / alpha
    worst = mpmath.fsum(p for p, x in zip(q, losses, strict=True) if x == top)
    if omega >= -mpmath.log(worst):
        return top

    def tilted(t: mpmath.mpf) -> tuple[mpmath.mpf, mpmath.mpf]:
        weights = [p * mpmath.exp(t * (x - 1)) for p, x in zip(q, u, strict=True)]
        mass = mpmath.fsum(weights)
        p = [w / mass for w in weights]
        entropy = mpmath.fsum(a * mpmath.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)
        return entropy, mpmath.fsum(a * x for a, x in zip(p, u, strict=True))

    low, high = mpmath.mpf(-100), mpmath.mpf(100)
    for _ in range(260):
        middle = (low + high) / 2
        if tilted(mpmath.exp(middle))[0] < omega:
            low = middle
        else:
            high = middle
    return top + mpmath.log(tilted(mpmath.exp(low))[1]) / alpha


@pytest.mark.parametrize("size", [1e-12, 1e-7, 1e-3, 0.03, 1.0, 2.5, 30.0, 1e6])
@pytest.mark.parametrize("omega", [0.0, 1e-6, 0.05, 0.7])
def test_blocks_of_any_size_keep_their_digits(size: float, omega: float) -> None:
    """alpha Q from 1e-12 to 1e6, at inventories without a tie, with one, and constant."""
    alpha, q = 0.01, [0.5, 0.3, 0.125, 0.075]
    for inventory in ([30.0, -20.0, 5.0, -7.0], [-20.0, -20.0, 5.0, 0.0], [3.0] * 4):
        maker = kpm.KnightianMaker(q, alpha, omega, inventory)
        payoffs = [[1, 0, 0, 1], [2, -1, 0.5, 0]]
        shares = size / alpha
        quotes = maker.quotes(payoffs, shares)
        with mpmath.workdps(60):
            prior = [mpmath.mpf(p) for p in maker.prior]
            owed = [-mpmath.mpf(w) for w in inventory]
            radius, a, s = mpmath.mpf(omega), mpmath.mpf(alpha), mpmath.mpf(shares)
            now = exact_rho(owed, prior, a, radius)
            for k, payoff in enumerate(payoffs):
                for side, sign in (("ask", 1), ("bid", -1)):
                    moved = [
                        x + sign * s * mpmath.mpf(p) for x, p in zip(owed, payoff, strict=True)
                    ]
                    wanted = float(sign * (exact_rho(moved, prior, a, radius) - now) / s)
                    assert quotes[side][k] == pytest.approx(wanted, rel=1e-10), (side, inventory)


@pytest.mark.parametrize("shares", [1e-12, 1e-6, 0.01, 1.0, 50.0, 1e5])
def test_blocks_of_other_makers_keep_their_digits(shares: float) -> None:
    pi, delta, inventory = [0.5, 0.3, 0.2], [2.0, 0.5, 1.0], [1.0, -2.0, 0.5]
    payoff = [1.0, -0.5, 0.25]
    with mpmath.workdps(50):
        s = mpmath.mpf(shares)
        owed = [-mpmath.mpf(w) for w in inventory]
        moved = [x + s * mpmath.mpf(p) for x, p in zip(owed, payoff, strict=True)]

        def of_starting_orders(losses: list[mpmath.mpf]) -> mpmath.mpf:
            low, high = max(losses), max(losses) + sum(delta)
            for _ in range(200):
                t = (low + high) / 2
                room = mpmath.fsum(d / (t - x) for d, x in zip(delta, losses, strict=True))
                low, high = (t, high) if room > 1 else (low, t)
            spent = mpmath.fsum(d * mpmath.log(t - x) for d, x in zip(delta, losses, strict=True))
            return t - spent

        def of_utility(losses: list[mpmath.mpf]) -> mpmath.mpf:
            wealth = mpmath.mpf(10)
            low, high = max(losses) - wealth, max(losses)
            for _ in range(220):
                c = (low + high) / 2
                utility = mpmath.fsum(
                    mpmath.mpf(p) * mpmath.log((wealth + c - x) / wealth)
                    for p, x in zip(pi, losses, strict=True)
                )
                low, high = (low, c) if utility > 0 else (c, high)
            return c

        for maker, cost in (
            (kpm.StartingOrders(delta, inventory), of_starting_orders),
            (kpm.UtilityMaker(pi, 10.0, inventory), of_utility),
        ):
            wanted = float((cost(moved) - cost(owed)) / s)
            assert maker.quotes(payoff, shares)["ask"][0] == pytest.approx(wanted, rel=1e-10)
