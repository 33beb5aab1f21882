"""Books with many equally good clearings: the families of ``python -m stress degenerate``.

Every family is a function from a random generator to a draft. Few distinct numbers in everything
are what they have in common: equal limits and quantities, uniform priors, claims that replace each
other, states that no claim tells apart, limits that add up to one, stakes and radii at their ends.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.random import Generator

import kpm_fast as kpm
from kpm_fast.arrays import Floats

from .families import Draft

_STAKES = (1e-6, 1e-3, 0.1, 1.0, 10.0, 1e3, 1e6)
_RADII = (0.0, 0.01, 0.1, 0.5, 2.0, math.inf)
_TICKS = (0.5, 0.25, 0.125, 0.1, 0.05)


def _prior(draw: Generator, states: int) -> Floats:
    """Uniform, or of small integers."""
    weights = np.ones(states) if draw.random() < 0.6 else draw.integers(1, 4, states).astype(float)
    return np.asarray(weights / weights.sum())


def _inventory(draw: Generator, states: int) -> Floats:
    """None mostly; else integers, often one number for many states."""
    kind = draw.integers(4)
    if kind < 2:
        return np.zeros(states)
    size = 10.0 ** draw.integers(0, 3)
    return np.asarray(size * draw.integers(-2 if kind == 2 else 0, 3 if kind == 2 else 2, states))


def _draft(draw: Generator, payoffs: Floats, orders: int) -> Draft:
    """Orders on a grid of ticks from one end of the payoffs to the other."""
    claims, states = payoffs.shape
    claim = draw.integers(claims, size=orders)
    tick = float(draw.choice(_TICKS))
    prior = _prior(draw, states)
    low, span = payoffs.min(axis=1), np.ptp(payoffs, axis=1)
    if draw.random() < 0.5:
        place = draw.integers(0, round(1 / tick) + 1, orders) * tick
    else:  # around what the prior says
        unit = np.where(span > 0, span, 1.0)
        fair = ((payoffs @ prior - low) / unit)[claim]
        place = np.round((fair + 0.1 * draw.standard_normal(orders)) / tick) * tick
    sizes = draw.choice([1, 2, 5, 10, 15]) * draw.integers(1, draw.choice([2, 4, 20]), orders)
    return Draft(
        payoffs=payoffs,
        prior=prior,
        inventory=_inventory(draw, states),
        stake=float(draw.choice(_STAKES)),
        ambiguity=float(draw.choice(_RADII)),
        claim=claim,
        side=draw.choice([1, -1], orders),
        price=low[claim] + place.clip(0, 1) * span[claim],
        quantity=sizes.astype(float),
    )


def _size(draw: Generator, most: int) -> int:
    return int(draw.integers(2, most + 1))


def securities(draw: Generator) -> Draft:
    """One claim per state, several for some states: these have equal payoffs and separate books."""
    states = _size(draw, 8)
    repeated = draw.integers(states, size=int(draw.integers(0, states + 1)))
    payoffs = np.eye(states)[np.concatenate([np.arange(states), repeated])]
    return _draft(draw, payoffs, int(draw.integers(1, 31)))


def few_securities(draw: Generator) -> Draft:
    """States that no claim tells apart."""
    states = _size(draw, 8)
    paying = draw.integers(states, size=int(draw.integers(1, states + 1)))
    return _draft(draw, np.eye(states)[paying], int(draw.integers(1, 16)))


def complements(draw: Generator) -> Draft:
    """Claims, their copies and their complements."""
    states = _size(draw, 6)
    model = (draw.random((_size(draw, 3), states)) < 0.5).astype(float)
    picked = model[draw.integers(len(model), size=_size(draw, 6))]
    payoffs = np.abs(draw.integers(0, 2, len(picked))[:, None] - picked)
    return _draft(draw, payoffs, int(draw.integers(1, 21)))


def pairs(draw: Generator) -> Draft:
    """Claims that pay in two states, in a ring or wherever: regular, with and without symmetry."""
    states = int(draw.integers(3, 8))
    if draw.random() < 0.5:
        payoffs = np.eye(states) + np.roll(np.eye(states), 1, axis=1)
    else:
        picks = np.stack([draw.choice(states, 2, replace=False) for _ in range(states)])
        payoffs = np.zeros((states, states))
        payoffs[np.arange(states)[:, None], picks] = 1.0
    return _draft(draw, payoffs, int(draw.integers(1, 21)))


def alike(draw: Generator) -> Draft:
    """The same orders in every claim, so that all symmetries of the payoffs are the book's."""
    draft = few_securities(draw) if draw.random() < 0.3 else pairs(draw)
    claims = len(draft.payoffs)
    count = int(draw.integers(1, 4))
    side = np.tile(draft.side[draw.integers(len(draft.side), size=count)], claims)
    price = np.tile(draft.price[draw.integers(len(draft.price), size=count)], claims)
    quantity = np.tile(draft.quantity[draw.integers(len(draft.quantity), size=count)], claims)
    claim = np.repeat(np.arange(claims), count)
    odd = draw.random() < 0.3  # one order differs
    quantity = quantity + odd * (np.arange(len(quantity)) == 0)
    states = len(draft.prior)
    return replace(
        draft,
        prior=np.full(states, 1 / states),
        inventory=np.zeros(states),
        claim=claim,
        side=side,
        price=price,
        quantity=quantity,
    )


def chains(draw: Generator) -> Draft:
    """Calls and puts on a grid of strikes, their limits multiples of a tick."""
    states = int(draw.integers(3, 9))
    level = np.arange(states, dtype=float)
    strike = draw.integers(0, states - 1, _size(draw, 7))
    call = np.maximum(level - strike[:, None], 0.0)
    put = np.maximum(strike[:, None] + 1 - level, 0.0)
    payoffs = np.where(draw.random((len(strike), 1)) < 0.5, call, put)
    return _draft(draw, payoffs, int(draw.integers(1, 21)))


def at_the_ends(draw: Generator) -> Draft:
    """Limits at the ends of the payoffs mostly: something for nothing."""
    draft = securities(draw) if draw.random() < 0.5 else few_securities(draw)
    ends = draw.integers(0, 2, len(draft.price)).astype(float)
    at_end = draw.random(len(draft.price)) < 0.7
    return replace(draft, price=np.where(at_end, ends, draft.price))


def fair_limits(draw: Generator) -> Draft:
    """Limits at the prior's values: nobody gains or loses by a trade, to first order."""
    draft = [securities, complements, pairs][draw.integers(3)](draw)
    fair = (draft.payoffs @ draft.prior)[draft.claim]
    return replace(draft, price=np.where(draw.random(len(fair)) < 0.7, fair, draft.price))


def riskless_sets(draw: Generator) -> Draft:
    """Limits of all states that add up to one, for quantities that differ."""
    states = _size(draw, 6)
    tick = 1.0 / (states * int(draw.integers(1, 4)))
    cuts = np.sort(draw.integers(0, round(1 / tick) + 1, states - 1))
    parts = np.diff(np.concatenate([[0], cuts, [round(1 / tick)]])) * tick
    count = int(draw.integers(1, 3))
    claim = np.tile(np.arange(states), count)
    draft = _draft(draw, np.eye(states), len(claim))
    side = np.repeat(draw.choice([1, -1], count), states)
    return replace(draft, claim=claim, side=side, price=parts[claim])


def kinks(draw: Generator) -> Draft:
    """A radius at which the worst states alone enter the ball, and wealth in the others."""
    draft = [securities, complements, few_securities][draw.integers(3)](draw)
    states = len(draft.prior)
    worst = draw.random(states) < 0.5
    worst[draw.integers(states)] = True
    kink = max(0.0, -math.log(min(1.0, float(draft.prior[worst].sum()))))
    factor = draw.choice([0.5, 1.0, 1.0, 1.0 + 1e-9, 1.5])
    wealth = float(draw.choice([1.0, 100.0, 1e4])) * (~worst).astype(np.float64)
    return replace(draft, ambiguity=kink * float(factor), inventory=wealth)


Family = Callable[[Generator], Draft]
FAMILIES: tuple[Family, ...] = (
    securities,
    few_securities,
    complements,
    pairs,
    alike,
    chains,
    at_the_ends,
    fair_limits,
    riskless_sets,
    kinks,
)

MAKERS = (
    "lmsr",
    "ball",
    "simplex",
    "orders",
    "worst",
    "polytope",
    "hull",
    "utility",
    "quadratic",
)


def maker(draw: Generator, name: str, market: kpm.Market, orders: kpm.Orders) -> kpm.Maker:
    """Another maker for a degenerate book, with as few distinct numbers."""
    prior, inventory = market.prior, market.inventory
    notional = float(np.ptp(market.payoffs, axis=1)[orders.claim_index(market)] @ orders.quantity)
    money = float(draw.choice([1e-3, 0.1, 1.0, 10.0])) * (notional or 1.0)
    if name == "lmsr":
        return kpm.LMSR(money, prior, inventory)
    if name in ("ball", "simplex"):
        radius = float(draw.choice([0.01, 0.1, 0.5])) if name == "ball" else math.inf
        return kpm.KnightianMaker(prior, 1 / money, radius, inventory)
    if name == "orders":
        return kpm.StartingOrders(money * prior, inventory)
    if name == "worst":
        return kpm.WorstStateMaker(len(prior), inventory)
    if name in ("polytope", "hull"):
        rolled = [np.roll(prior, turn) for turn in range(int(draw.integers(1, 4)))]
        sure = np.eye(len(prior))[draw.integers(len(prior), size=int(draw.integers(0, 3)))]
        averse = 1 / money if name == "polytope" else 0.0
        return kpm.PolytopeMaker(np.vstack([*rolled, sure]), averse, inventory)
    if name == "utility":
        return kpm.UtilityMaker(prior, money, inventory)
    return kpm.QuadraticMaker(prior, money, inventory)
