"""Quotes where several worst cases are equally bad: expectations over a ball, in closed form."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import kpm_fast as kpm
from strategies import fewer

pytestmark = pytest.mark.cross_section

KINDS = ("bits", "two values", "any values")
every_kind = pytest.mark.parametrize("kind", KINDS)


def draw_prior(rng: np.random.Generator, n: int) -> np.ndarray:
    """Alike, or with states of next to no probability."""
    prior = rng.dirichlet(np.full(n, rng.choice([0.1, 1.0, 5.0]))) + 10.0 ** rng.integers(-12, -1)
    return prior / prior.sum()


def draw_claim(rng: np.random.Generator, n: int, kind: str) -> np.ndarray:
    if kind == "bits":
        return rng.integers(0, 2, n).astype(float)
    if kind == "two values":
        return np.where(rng.random(n) < 0.5, rng.normal(), rng.normal())
    return rng.normal(size=n)


def greatest(prior: np.ndarray, values: list[mpmath.mpf], radius: float) -> mpmath.mpf:
    """The greatest expectation over the ball, by bisection in the tilt."""
    q = [mpmath.mpf(p) for p in prior]
    top = max(values)
    of_top = sum(p for p, value in zip(q, values, strict=True) if value == top) / sum(q)
    if min(values) == top or radius >= -mpmath.log(of_top):
        return top

    def tilt(exponent: mpmath.mpf) -> tuple[mpmath.mpf, mpmath.mpf]:
        t = mpmath.e**exponent
        masses = [p * mpmath.e ** (t * (v - top)) for p, v in zip(q, values, strict=True)]
        mean = sum(p * (v - top) for p, v in zip(masses, values, strict=True)) / sum(masses)
        return t * mean - mpmath.log(sum(masses) / sum(q)), mean

    low, high = mpmath.mpf(-80), mpmath.mpf(80)
    for _ in range(130):
        middle = (low + high) / 2
        if tilt(middle)[0] < radius:
            low = middle
        else:
            high = middle
    return top + tilt(low)[1]


@every_kind
def test_the_next_share_is_exact(kind: str) -> None:
    """To rounding of the payoffs; of the quote, however small, if a claim pays or not."""
    rng = np.random.default_rng(KINDS.index(kind))
    for _ in range(fewer(24, 6)):
        n = int(rng.integers(2, 9))
        prior, radius = draw_prior(rng, n), 10 ** rng.uniform(-14, 0.5)
        claim = draw_claim(rng, n, kind)
        quotes = kpm.KnightianMaker(prior, 0.5, radius).quotes(claim[None])
        with mpmath.workdps(40):
            exact = [mpmath.mpf(value) for value in claim]
            ask = float(greatest(prior, exact, radius))
            bid = float(-greatest(prior, [-value for value in exact], radius))
        within, relative = (0.0, 4e-15) if kind == "bits" else (1e-15 * np.abs(claim).max(), 0.0)
        assert quotes["ask"][0] == pytest.approx(ask, abs=within, rel=relative)
        assert quotes["bid"][0] == pytest.approx(bid, abs=within, rel=relative)


def extreme_probabilities(
    q: mpmath.mpf, r: mpmath.mpf, radius: float
) -> tuple[mpmath.mpf, mpmath.mpf]:
    """The greatest probability of what has q, and the rest, by bisection in the tilt."""
    if radius == 0:
        return q, r
    if radius >= -mpmath.log(q):
        return mpmath.mpf(1), mpmath.mpf(0)
    low, high = mpmath.mpf(-720), 3 * mpmath.log(10)
    for _ in range(220):
        middle = (low + high) / 2
        t = mpmath.e**middle
        mass = 1 + q * mpmath.expm1(t)
        if t * q * mpmath.e**t / mass - mpmath.log(mass) < radius:
            low = middle
        else:
            high = middle
    power = mpmath.e ** (mpmath.e**low)
    return q * power / (q * power + r), r / (q * power + r)


@pytest.mark.parametrize(
    "radius", [0.0, 1e-300, 1e-12, 1e-8, 1e-5, 1e-3, 0.05, 0.3, 2, 20, 1e3, np.inf]
)
def test_two_outcomes_are_exact_however_rare_and_ambiguous(radius: float) -> None:
    """To the rounding of the ambiguity: y moves by x times what that moves, over the log odds."""
    for q in (1e-200, 1e-60, 1e-16, 1e-8, 1e-3, 0.05, 0.3, 0.5):
        maker = kpm.KnightianMaker([q, 1 - q], 1.0, radius)
        quotes = maker.quotes(np.eye(2))
        with mpmath.workdps(340 if radius < 1e-60 else 60):
            prior = [mpmath.mpf(float(p)) for p in maker.prior]
            for i in range(2):
                ask, rest = extreme_probabilities(
                    prior[i] / sum(prior), prior[1 - i] / sum(prior), radius
                )
                within = mpmath.mpf(2e-15)
                if radius > 0 and rest > 0:
                    odds = mpmath.log(ask * prior[1 - i] / (rest * prior[i]))
                    within *= max(1, radius / (rest * odds))
                assert abs(quotes["ask"][i] - ask) <= 2e-15 * ask
                assert abs(quotes["bid"][1 - i] - rest) <= within * rest


def test_any_probability_at_any_ambiguity() -> None:
    """A state of .0024 at 0.54 nats was quoted at its prior instead of at .163."""
    rng = np.random.default_rng(30)
    for radius in np.geomspace(1e-4, 20.0, fewer(200, 40)):
        weights = np.concatenate([10 ** rng.uniform(-10, 0, 60), rng.random(20)])
        maker = kpm.KnightianMaker(weights / weights.sum(), 1.0, radius)
        q = maker.prior
        low, high = q.copy(), np.ones_like(q)
        for _ in range(70):
            x = (low + high) / 2
            with np.errstate(divide="ignore", invalid="ignore"):  # at certainty
                entropy = x * np.log(x / q) + (1 - x) * (np.log1p(-x) - np.log1p(-q))
            low, high = np.where(entropy < radius, x, low), np.where(entropy < radius, high, x)
        ask = np.where(radius >= -np.log(q), 1.0, low)
        assert maker.quotes(np.eye(len(q)))["ask"] == pytest.approx(ask, rel=1e-11, abs=0)
        assert maker.quotes(1 - np.eye(len(q)))["bid"] == pytest.approx(1 - ask, abs=1e-14)


@every_kind
def test_blocks_at_constant_wealth_are_exact(kind: str) -> None:
    rng = np.random.default_rng(10 + KINDS.index(kind))
    alpha = 0.5
    for _ in range(fewer(24, 6)):
        n = int(rng.integers(2, 9))
        prior, radius = draw_prior(rng, n), 10 ** rng.uniform(-14, 0.5)
        claim, shares = draw_claim(rng, n, kind), 10 ** rng.uniform(-12, 6) / alpha
        quotes = kpm.KnightianMaker(prior, alpha, radius).quotes(claim[None], shares)
        for side, sign in (("ask", 1), ("bid", -1)):
            with mpmath.workdps(40):
                owed = [sign * mpmath.mpf(shares) * mpmath.mpf(value) for value in claim]
                top = max(owed)
                powers = [mpmath.e ** (alpha * (x - top)) for x in owed]
                cost = top + mpmath.log(greatest(prior, powers, radius)) / alpha
                wanted = float(sign * cost / shares)
            assert quotes[side][0] == pytest.approx(wanted, abs=2e-15 * np.abs(claim).max(), rel=0)


def cost_after(maker: kpm.KnightianMaker, claim: np.ndarray, shares: float) -> mpmath.mpf:
    """What the maker's losses are worth to it after it has sold so many shares."""
    owed = [
        mpmath.mpf(shares) * mpmath.mpf(value) - mpmath.mpf(held)
        for value, held in zip(claim, maker.inventory, strict=True)
    ]
    top, alpha = max(owed), mpmath.mpf(maker.risk_aversion)
    powers = [mpmath.e ** (alpha * (x - top)) for x in owed]
    return top + mpmath.log(greatest(maker.prior, powers, maker.ambiguity)) / alpha


@every_kind
def test_blocks_beside_an_inventory_are_exact(kind: str) -> None:
    """However far the trade moves the worst case: by no step, one or several."""
    rng = np.random.default_rng(15 + KINDS.index(kind))
    for _ in range(fewer(60, 12)):
        n, alpha = int(rng.integers(2, 9)), 10 ** rng.uniform(-2, 1)
        prior, radius = rng.dirichlet(np.full(n, 3.0)), 10 ** rng.uniform(-6, 0)
        inventory = rng.normal(size=n) * 10 ** rng.uniform(-2, 0.3) / alpha
        claim, shares = draw_claim(rng, n, kind), 10 ** rng.uniform(-6, 2) / alpha
        maker = kpm.KnightianMaker(prior, alpha, radius, inventory)
        quotes = maker.quotes(claim[None], shares)
        with mpmath.workdps(60):
            before = cost_after(maker, claim, 0.0)
            ask = float((cost_after(maker, claim, shares) - before) / mpmath.mpf(shares))
            bid = float((before - cost_after(maker, claim, -shares)) / mpmath.mpf(shares))
        within = 4e-15 * np.abs(claim).max()
        assert quotes["ask"][0] == pytest.approx(ask, abs=within, rel=0)
        assert quotes["bid"][0] == pytest.approx(bid, abs=within, rel=0)


@pytest.mark.parametrize("ties", [False, True], ids=["constant", "ties"])
@every_kind
def test_a_claim_alone_is_quoted_as_among_others(kind: str, ties: bool) -> None:
    """Bit for bit, whatever the sequence of claims and with other sizes beside it."""
    rng = np.random.default_rng(20)
    n, claims = 31, 40
    wealth = np.where(np.arange(n) % 3 == 0, 2.0, 0.0) if ties else np.zeros(n)
    maker = kpm.KnightianMaker(draw_prior(rng, n), 0.3, 0.6, wealth)
    table = np.array([draw_claim(rng, n, kind) for _ in range(claims)])
    order = rng.permutation(claims)
    for sizes in (None, np.array([[1e-9, 0.5, 300.0]] * claims)):
        together = maker.quotes(table, sizes)
        mixed = maker.quotes(table[order], sizes)
        for side in ("bid", "ask"):
            assert (mixed[side] == together[side][order]).all()
        for k in range(claims):
            for size in (None,) if sizes is None else range(3):
                alone = maker.quotes(table[k : k + 1], None if size is None else sizes[:1, size])
                for side in ("bid", "ask"):
                    assert alone[side][0] == together[side][k if size is None else (k, size)]


@every_kind
def test_the_order_of_states_is_rounding(kind: str) -> None:
    rng = np.random.default_rng(30)
    for _ in range(fewer(24, 6)):
        n = int(rng.integers(2, 40))
        prior, radius = draw_prior(rng, n), 10 ** rng.uniform(-6, 0)
        claim, order = draw_claim(rng, n, kind), rng.permutation(n)
        for shares in (None, 3.0):
            one = kpm.KnightianMaker(prior, 0.2, radius).quotes(claim[None], shares)
            two = kpm.KnightianMaker(prior[order], 0.2, radius).quotes(claim[None, order], shares)
            for side in ("bid", "ask"):
                assert two[side] == pytest.approx(one[side], rel=0, abs=1e-14)


def test_a_claim_and_its_complement_share_their_quotes() -> None:
    """Not receiving a claim is receiving the rest: bid(1 - a) = 1 - ask(a)."""
    rng = np.random.default_rng(40)
    for _ in range(fewer(100, 25)):
        n = int(rng.integers(2, 40))
        maker = kpm.KnightianMaker(draw_prior(rng, n), 0.2, 10 ** rng.uniform(-14, 0.5))
        claim = draw_claim(rng, n, "bits")
        for shares in (None, 1e-9, 2.0, 1e4):
            quotes = maker.quotes([claim, 1 - claim], shares)
            for one, other in (("bid", "ask"), ("ask", "bid")):
                assert quotes[one][0] == pytest.approx(1 - quotes[other][1], rel=0, abs=4e-16)


@every_kind
def test_small_blocks_tend_to_the_next_share(kind: str) -> None:
    rng = np.random.default_rng(50)
    for _ in range(fewer(24, 6)):
        n = int(rng.integers(2, 40))
        maker = kpm.KnightianMaker(draw_prior(rng, n), 1.0, 10 ** rng.uniform(-6, 0))
        claim = draw_claim(rng, n, kind)[None]
        marginal = maker.quotes(claim)
        for shares in (1e-6, 1e-9, 1e-12):
            block = maker.quotes(claim, shares)
            spread = np.ptp(claim) ** 2 * shares  # alpha s / 2 Var(a) at the most
            within = 4e-15 * max(1.0, np.abs(claim).max())
            assert marginal["ask"] - within <= block["ask"] <= marginal["ask"] + spread + within
            assert marginal["bid"] + within >= block["bid"] >= marginal["bid"] - spread - within


def test_payoffs_of_any_size_are_quoted() -> None:
    """Moments of payoffs may vanish: these are left to a slower way."""
    maker = kpm.KnightianMaker([0.2, 0.3, 0.5], 1.0, 0.1)
    claim = np.array([0.0, 0.4, 1.0])
    plain = maker.quotes([claim])
    for unit in (1e-200, 1e-160, 1e-90, 1e29):
        scaled = maker.quotes([claim * unit])
        for side in ("bid", "ask"):
            assert scaled[side] == pytest.approx(plain[side] * unit, rel=1e-12)
