"""Families of extreme books: each pushes one side of the model as far as it goes.

Every family is a function from a random generator to a book. What it does not push is ordinary:
up to six states and five claims, a dozen orders, stakes around one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

import kpm_fast as kpm
from kpm_fast.arrays import Floats, Ints

Book = tuple[kpm.Market, kpm.Orders]


@dataclass(frozen=True)
class Draft:
    """A book before it is validated; ``stake`` is risk aversion times notional."""

    payoffs: Floats
    prior: Floats
    inventory: Floats
    stake: float
    ambiguity: float
    claim: Ints
    side: Ints
    price: Floats
    quantity: Floats

    def scaled(self, money: float, shares: float) -> Draft:
        """Other units: nothing about the clearing may change but these."""
        return replace(
            self,
            payoffs=self.payoffs * money,
            price=self.price * money,
            inventory=self.inventory * (money * shares),
            quantity=self.quantity * shares,
        )

    def book(self) -> Book:
        span = np.ptp(self.payoffs, axis=1)
        notional = float(span[self.claim] @ self.quantity) or 1.0
        market = kpm.Market(
            self.payoffs,
            self.prior,
            inventory=self.inventory,
            risk_aversion=float(np.clip(self.stake / notional, 1e-30, 1e30)),
            ambiguity=self.ambiguity,
        )
        return market, kpm.Orders(self.claim, self.side, self.price, self.quantity)


def _decades(draw: Generator, low: float, high: float) -> float:
    return float(10.0 ** draw.uniform(low, high))


def _payoffs(draw: Generator, claims: int, states: int) -> Floats:
    kind = draw.integers(3, size=claims)[:, None]
    level = np.arange(states, dtype=float)
    at = draw.integers(states, size=claims)[:, None]
    digital = (draw.random((claims, states)) < 0.5).astype(float)
    vanilla = np.maximum(level - at, 0.0)
    return np.asarray(np.where(kind == 0, level == at, np.where(kind == 1, digital, vanilla)))


def ordinary(draw: Generator, *, most: int = 1) -> Draft:
    """A small book with nothing extreme about it; ``most`` multiplies the sizes."""
    states, claims = int(draw.integers(1, 6 * most + 1)), int(draw.integers(1, 5 * most + 1))
    orders = int(draw.integers(0, 12 * most * most + 1))
    payoffs = _payoffs(draw, claims, states)
    prior = draw.dirichlet(np.full(states, 2.0)) + 1e-6
    claim = draw.integers(claims, size=orders)
    low, span = payoffs.min(axis=1)[claim], np.ptp(payoffs, axis=1)[claim]
    return Draft(
        payoffs=payoffs,
        prior=prior / prior.sum(),
        inventory=draw.choice([0.0, 1.0]) * draw.normal(0, 3, states).round(2),
        stake=_decades(draw, -2, 2),
        ambiguity=float(draw.choice([0.0, 0.01, 0.1, 0.5, 2.0, math.inf])),
        claim=claim,
        side=draw.choice([1, -1], orders),
        price=low + span * draw.random(orders).round(2),
        quantity=draw.integers(0, 20, orders).astype(float),
    )


def scales(draw: Generator) -> Book:
    """Money and shares in units from 1e-12 to 1e12, independently."""
    return ordinary(draw).scaled(_decades(draw, -12, 12), _decades(draw, -12, 12)).book()


def stakes(draw: Generator) -> Book:
    """Risk aversion times notional from 1e-12 to 1e12."""
    return replace(ordinary(draw), stake=_decades(draw, -12, 12)).book()


def mixed_sizes(draw: Generator) -> Book:
    """Orders and claims of 1e-12 beside such of 1e12."""
    draft = ordinary(draw)
    orders, claims = len(draft.quantity), len(draft.payoffs)
    unit = 10.0 ** draw.integers(-6, 7, claims)
    return replace(
        draft,
        payoffs=draft.payoffs * unit[:, None],
        price=draft.price * unit[draft.claim],
        quantity=draft.quantity * 10.0 ** draw.integers(-6, 7, orders),
    ).book()


def prices(draw: Generator) -> Book:
    """Limits at and beyond the ends of the payoffs, infinite, equal, or neighbours as doubles."""
    draft = ordinary(draw)
    count = len(draft.price)
    low, high = draft.payoffs.min(axis=1)[draft.claim], draft.payoffs.max(axis=1)[draft.claim]
    common = low + (high - low) * draw.choice([0.0, 0.25, 0.5, 1.0])
    choices = np.stack(
        [
            low,
            high,
            low - 1.0,
            high + 1.0,
            common,
            np.nextafter(common, np.inf),
            np.nextafter(common, -np.inf),
            common + 1e-12 * draw.standard_normal(count),
            np.full(count, np.inf),
            np.full(count, -np.inf),
            (draft.payoffs @ draft.prior)[draft.claim],
            draft.price,
        ]
    )
    picked = choices[draw.integers(len(choices), size=count), np.arange(count)]
    return replace(draft, price=picked).book()


def kinks(draw: Generator) -> Book:
    """Ambiguity at and around every kink, 0, infinite and almost."""
    draft = ordinary(draw)
    states = len(draft.prior)
    worst = draw.random(states) < 0.5
    worst[draw.integers(states)] = True
    kink = max(0.0, -math.log(min(1.0, float(draft.prior[worst].sum()))))
    near = draw.choice([0.0, 1e-15, -1e-15, 1e-12, -1e-12, 1e-9, -1e-9, 1e-6, -1e-6, 1e-3, -1e-3])
    extreme = draw.choice([0.0, 1e-300, 1e-33, 1e-20, 1e-12, 1e-8, 50.0, 700.0, 1e300, math.inf])
    ambiguity = kink * (1 + near) if draw.random() < 0.7 else extreme
    return replace(draft, ambiguity=float(max(ambiguity, 0.0))).book()


def rare_states(draw: Generator) -> Book:
    """Prior probabilities down to 1e-200."""
    draft = ordinary(draw)
    deepest = draw.choice([9.0, 30.0, 100.0, 199.0])
    weights = 10.0 ** -draw.uniform(0, deepest, len(draft.prior))
    prior = np.maximum(weights / weights.sum(), 1e-200)
    return replace(draft, prior=prior / prior.sum()).book()


def wealth(draw: Generator) -> Book:
    """Inventory from 1e-12 to 1e18 times the notional, and stakes to match."""
    draft = ordinary(draw)
    states = len(draft.prior)
    shape = draw.choice([-1.0, 0.0, 0.5, 1.0], states) + draw.choice([0.0, 1.0]) * draw.random()
    size = _decades(draw, -12, 18) * max(float(draft.quantity.sum()), 1.0)
    return replace(draft, inventory=size * shape, stake=_decades(draw, -12, 3)).book()


def twins(draw: Generator) -> Book:
    """Claims that are copies, complements or scaled images of each other, exactly or nearly."""
    draft = ordinary(draw)
    claims = len(draft.payoffs)
    model = draft.payoffs[draw.integers(claims, size=claims)]
    scale = draw.choice([1.0, -1.0, 2.0, 1e-6, 1e6], (claims, 1))
    blur = _decades(draw, -16, -9) if draw.random() < 0.7 else 0.0
    noise = blur * draw.standard_normal(model.shape)
    payoffs = draw.choice([0.0, 1.0, 1e6], (claims, 1)) + scale * (model + noise)
    low, span = payoffs.min(axis=1), np.ptp(payoffs, axis=1)
    place = draw.choice([0.0, 0.25, 0.5, 0.75, 1.0], len(draft.claim))
    return replace(
        draft, payoffs=payoffs, price=low[draft.claim] + place * span[draft.claim]
    ).book()


def larger(draw: Generator) -> Book:
    """Up to 18 states, 15 claims and 108 orders in scales from 1e-6 to 1e6."""
    draft = replace(ordinary(draw, most=3), stake=_decades(draw, -6, 4))
    return draft.scaled(_decades(draw, -6, 6), _decades(draw, -6, 6)).book()


def crowded(draw: Generator) -> Book:
    """Work for a team of threads: 20 digital claims, 160 limits around the prior's values.

    No family of the survey, because nothing about it is extreme.
    """
    size, orders = 20, 160
    payoffs = (draw.random((size, size)) < 0.5).astype(float)
    np.fill_diagonal(payoffs, 1.0)
    prior = draw.dirichlet(np.full(size, 5.0))
    claim = draw.integers(size, size=orders)
    price = payoffs[claim] @ prior + 0.2 * draw.standard_normal(orders)
    return Draft(
        payoffs=payoffs,
        prior=prior,
        inventory=np.zeros(size),
        stake=1.0,
        ambiguity=0.1,
        claim=claim,
        side=draw.choice([1, -1], orders),
        price=price.clip(0.01, 0.99).round(3),
        quantity=draw.integers(1, 20, orders).astype(float),
    ).book()


def ends(draw: Generator) -> Book:
    """Numbers at the ends of their ranges in books that can do without a maker.

    No family of the survey: in one of six, double precision proves nothing.
    """
    payoffs = _uneven_payoffs(draw)
    claims, states = payoffs.shape
    fair = payoffs @ draw.dirichlet(np.full(states, 2.0))
    money = np.array([_at_an_end(draw, -40, 29.5) for _ in range(claims)])
    inventory = _at_an_end(draw, -30, 18) * draw.choice([0.0, 1.0], states)
    rows = []
    for _ in range(int(draw.integers(1, 6))):
        claim, quantity = int(draw.integers(claims)), _at_an_end(draw, -30, 30)
        crossed = draw.random() < 0.3  # a bid and an offer that trade with each other
        away = draw.uniform(0.01, 0.4) * np.ptp(payoffs[claim]) * (1 if crossed else -1)
        sides = (1, -1) if crossed else (int(draw.choice([1, -1])),)
        rows += [(claim, s, (fair[claim] + s * away) * money[claim], quantity) for s in sides]
    return _at_the_ends(draw, payoffs * money[:, None], inventory, rows)


def crossed_ends(draw: Generator) -> Book:
    """The same with limits anywhere: orders may cross so that some must trade with the maker.

    No family of the survey, either: two in a thousand are worth less than no trade.
    """
    payoffs = _uneven_payoffs(draw)
    claims, states = payoffs.shape
    money = np.array([_at_an_end(draw, -40, 29.5) for _ in range(claims)])
    inventory = _at_an_end(draw, -30, 18) * draw.choice([0.0, 1.0], states)
    rows = []
    for _ in range(int(draw.integers(1, 7))):
        claim, quantity = int(draw.integers(claims)), _at_an_end(draw, -30, 30)
        limit = payoffs[claim].min() + draw.random() * np.ptp(payoffs[claim])
        rows.append((claim, int(draw.choice([1, -1])), limit * money[claim], quantity))
    return _at_the_ends(draw, payoffs * money[:, None], inventory, rows)


def _uneven_payoffs(draw: Generator) -> Floats:
    """Up to three claims on up to four states, none constant."""
    states, claims = int(draw.integers(2, 5)), int(draw.integers(1, 4))
    payoffs = draw.random((claims, states))
    if draw.random() < 0.5:
        payoffs = np.floor(4 * payoffs) / 3
    payoffs[:, 0] = np.where(np.ptp(payoffs, axis=1) > 0.1, payoffs[:, 0], payoffs[:, 1] + 1)
    return payoffs


def _at_the_ends(
    draw: Generator,
    payoffs: Floats,
    inventory: Floats,
    rows: list[tuple[int, int, float, float]],
) -> Book:
    market = kpm.Market(
        payoffs,
        draw.dirichlet(np.full(payoffs.shape[1], 2.0)),
        inventory=inventory,
        risk_aversion=_at_an_end(draw, -30, 30),
        ambiguity=float(draw.choice([0.0, 0.01, 1.0, np.inf])),
    )
    return market, kpm.Orders(*zip(*rows, strict=True))


def _at_an_end(draw: Generator, low: float, high: float) -> float:
    """A power of ten: one of the ends, anything between them, or an everyday number."""
    exponents = [low, high, draw.uniform(low, high), draw.uniform(-2, 2)]
    return float(10.0 ** draw.choice(exponents))


FAMILIES: tuple[Callable[[Generator], Book], ...] = (
    scales,
    stakes,
    mixed_sizes,
    prices,
    kinks,
    rare_states,
    wealth,
    twins,
    larger,
)
