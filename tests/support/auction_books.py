"""Books for the convex rules: the golden ones, and random ones with every maker."""

import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np

import kpm_fast as kpm
from stress.degenerate_books import MAKERS
from stress.figures import FIGURES

GOLDEN = Path(__file__).parent.parent / "golden"
RULES = ("competitive", "pay_as_bid")
#: Every maker under the rule that it has in common, and starting orders under their own.
KINDS = [*((name, "competitive") for name in MAKERS), ("orders", "pdca")]


#: What has been read of the golden files in this process: the file, and the keys down to a number.
READ = set()


def golden(name):
    """A golden file, which notes what is read of it."""
    return recorded(json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8")), name)


def recorded(value, *path):
    if isinstance(value, dict):
        below = {key: recorded(item, *path, key) for key, item in value.items()}
        return Recorded(below, path)
    return [recorded(item, *path) for item in value] if isinstance(value, list) else value


class Recorded(dict):
    """A mapping of a golden file; looking at an entry, alone or with all others, reads it."""

    def __init__(self, entries, path):
        super().__init__(entries)
        self.path = path

    def __getitem__(self, key):
        READ.add((*self.path, key))
        return super().__getitem__(key)

    def values(self):
        return [self[key] for key in self]

    def items(self):
        return [(key, self[key]) for key in self]


def numbers(values):
    """What the golden files write as numbers, digits or fractions."""
    if isinstance(values, str):
        return float(Fraction(values) if "/" in values else values)
    return np.array([numbers(value) for value in values]) if np.ndim(values) else float(values)


def bids(inputs, maker):
    """The golden files' books: one column of payoffs per order, all of them buys."""
    payoffs = numbers(inputs["payoffs_NxJ"]).T
    market = kpm.Market(payoffs, maker=maker)
    count = len(payoffs)
    orders = kpm.Orders(
        claim=np.arange(count),
        side=["buy"] * count,
        price=numbers(inputs["limit"]),
        quantity=numbers(inputs["quantity"]),
    )
    return market, orders


def close(actual, expected, relative=1e-10):
    expected = numbers(expected)
    scale = max(float(np.abs(expected).max()), 1e-300)
    assert np.abs(np.asarray(actual) - expected).max() <= relative * scale


def random_book(seed):
    rng = np.random.default_rng(seed)
    n_states, n_claims, count = rng.integers(1, 8), rng.integers(1, 7), rng.integers(0, 40)
    style = rng.integers(3)
    if style == 0:
        payoffs = np.eye(n_states)[rng.integers(0, n_states, n_claims)]
    elif style == 1:
        payoffs = (rng.random((n_claims, n_states)) < 0.5).astype(float)
    else:
        payoffs = 3 * rng.normal(size=(n_claims, n_states))
    scale = 10 ** rng.uniform(-2, 2)
    inventory = rng.integers(2) * scale * rng.normal(size=n_states)
    return rng, scale, payoffs, inventory, random_columns(rng, payoffs, scale, count)


def book_of_mixed_sizes(seed, most):
    """A random book with one order in two, by chance, made larger so many times."""
    rng, scale, payoffs, inventory, (*columns, quantity) = random_book(seed)
    large = np.random.default_rng([seed, 77]).integers(0, 2, len(quantity))
    return rng, scale, payoffs, inventory, (*columns, quantity * most**large)


def random_columns(rng, payoffs, scale, count):
    """Claim, side, limit and quantity of so many orders."""
    claim = rng.integers(0, len(payoffs), count)
    share = rng.random(count)
    if rng.integers(2):
        share = np.round(10 * share) / 10  # ties
    low, high = payoffs.min(axis=1)[claim], payoffs.max(axis=1)[claim]
    return (
        claim,
        rng.choice([-1, 1], count),
        low + (high - low) * share,
        scale * np.round(10 * rng.exponential(size=count)) / 10,
    )


def make_maker(name, rng, scale, inventory):
    n_states = len(inventory)
    prior = np.maximum(rng.dirichlet(np.ones(n_states)), 1e-4)
    prior /= prior.sum()
    strength = 10 ** rng.uniform(-2, 1)
    if name == "lmsr":
        return kpm.LMSR(scale / strength, prior, inventory)
    if name == "ball":
        radius = 10 ** rng.uniform(-3, 0)
        return kpm.KnightianMaker(prior, strength / scale, radius, inventory)
    if name == "simplex":
        return kpm.KnightianMaker(prior, 1.0, math.inf, inventory)
    if name == "orders":
        return kpm.StartingOrders(scale * strength * rng.uniform(0.1, 1, n_states), inventory)
    if name == "worst":
        return kpm.WorstStateMaker(n_states, inventory)
    priors = rng.dirichlet(np.ones(n_states), rng.integers(1, 5))
    if name == "polytope":
        return kpm.PolytopeMaker(priors, strength / scale, inventory)
    if name == "hull":
        return kpm.PolytopeMaker(priors, 0.0, inventory)
    if name == "utility":
        return kpm.UtilityMaker(prior, scale * 10 ** rng.uniform(0, 3), inventory)
    return kpm.QuadraticMaker(prior, scale * strength, inventory)


def as_orders(orders):
    claim, side, price, quantity = orders
    return kpm.Orders(claim, np.where(side > 0, "buy", "sell"), price, quantity)


def extreme_book(seed, name, span):
    """A book, with its maker, whose payoffs, sizes, wealth and priors are powers of ten apart."""
    rng = np.random.default_rng([seed, span])
    n_states, n_claims, count = rng.integers(1, 6), rng.integers(1, 5), rng.integers(0, 12)

    def size(*shape):
        return 10.0 ** rng.integers(-span, span + 1, shape)

    if rng.integers(3):
        payoffs = (rng.random((n_claims, n_states)) < 0.5) * size()
    else:
        payoffs = rng.normal(size=(n_claims, n_states)) * size(n_claims, n_states)
    inventory = rng.integers(2) * rng.normal(size=n_states) * size(*[n_states] * rng.integers(2))
    claim = rng.integers(0, n_claims, count)
    low, high = payoffs.min(axis=1)[claim], payoffs.max(axis=1)[claim]
    orders = (
        claim,
        rng.choice([-1, 1], count),
        low + (high - low) * np.round(10 * rng.random(count)) / 10,
        np.round(10 * rng.exponential(size=count) + 0.1, 1) * size(*[count] * rng.integers(2)),
    )

    def prior(zeros=False):
        p = rng.dirichlet(np.ones(n_states)) + 1e-30
        if rng.integers(2):
            p = p * 10.0 ** -rng.integers(0, 3 * span, n_states)
        if zeros and rng.integers(2):
            gone = rng.random(n_states) < 0.4
            p = p if gone.all() else np.where(gone, 0.0, p)
        else:
            p = np.maximum(p / p.sum(), 1e-190)
        return p / p.sum()

    def maker():
        if name == "lmsr":
            return kpm.LMSR(size(), prior(), inventory)
        if name == "ball":
            return kpm.KnightianMaker(prior(), size(), 10 ** rng.uniform(-12, 1), inventory)
        if name == "simplex":
            return kpm.KnightianMaker(prior(), size(), math.inf, inventory)
        if name == "orders":
            return kpm.StartingOrders(size(n_states) * rng.uniform(0.1, 1, n_states), inventory)
        if name == "worst":
            return kpm.WorstStateMaker(n_states, inventory)
        if name in ("polytope", "hull"):
            averse = size() if name == "polytope" else 0.0
            priors = [prior(zeros=True) for _ in range(rng.integers(1, 6))]
            return kpm.PolytopeMaker(priors, averse, inventory)
        if name == "utility":
            return kpm.UtilityMaker(prior(), size(), inventory)
        return kpm.QuadraticMaker(prior(), size(), inventory)

    return kpm.Market(payoffs, maker=maker()), as_orders(orders)


def prices_agree(result):
    """Whether claims cost what the state prices say, so that equal claims have equal prices."""
    payoffs = result.market.payoffs
    least, span = payoffs.min(axis=1), np.ptp(payoffs, axis=1)
    above = (payoffs - least[:, None]) @ result.state_prices
    slack = 1.01e-12 * span + 9 * np.finfo(float).eps * np.abs(payoffs).max(axis=1)
    return bool((np.abs(above - (result.claim_prices - least)) <= slack).all())


def in_numbers(market, orders, rule):
    """The result, whatever its status: its figures are numbers, its bound holds, it verifies."""
    result = kpm.clear(market, orders, rule=rule)
    for name in {*FIGURES, "gap"} - {"ambiguity_price"}:  # infinite where there is no ambiguity
        assert np.isfinite(getattr(result, name)).all(), name
    assert result.upper_bound >= result.objective
    assert np.all((result.fills >= 0) & (result.fills <= orders.quantity))
    result.verify().raise_if_failed()
    assert prices_agree(result)
    return result
