"""Hypothesis strategies for small books over the whole range of the model.

Structure is drawn from short lists, so that ties, equal claims, limits on the edge of the payoff
range and kinks of the ambiguity are common rather than rare.
"""

from __future__ import annotations

import math
import os

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from transforms import with_orders
from witness import Book

#: The two search methods; both give the same clearing.
METHODS = pytest.mark.parametrize("method", ["branch-and-bound", "enumerate"])

SCALES = [1.0, -1.0, 2.0, -3.0]
SIDES = st.sampled_from([1, -1])
GRID = [i / 8 for i in range(9)]  # exact in binary: ties and prices that sum to exactly one
# Limits are equal or clearly apart: the core merges those within 1e-13 of a payoff range.
PLACES = st.floats(0, 1).map(lambda place: round(place, 12))


#: How many examples, as a share of the usual ones; CI asks for fewer where the core is slow.
EXAMPLES = float(os.environ.get("KPM_EXAMPLES", "1"))


def examples(count: int) -> settings:
    """``@examples(100)``: 100 examples, times the environment variable KPM_EXAMPLES."""
    return settings(max_examples=fewer(count, 5, most=math.inf))


def fewer(count: int, least: int, most: float = 1.0) -> int:
    """Return ``count`` times KPM_EXAMPLES, which counts as ``most`` if it is more."""
    return max(least, round(count * min(most, EXAMPLES)))


def log_uniform(low: float, high: float) -> SearchStrategy[float]:
    """10 ** x for x between ``low`` and ``high``."""
    return st.floats(low, high, allow_nan=False).map(lambda exponent: 10.0**exponent)


def sizes(low: int, high: int) -> SearchStrategy[int]:
    """Between ``low`` and ``high``, the large ones more often than Hypothesis would."""
    return st.sampled_from([size for size in range(low, high + 1) for _ in range(size + 1)])


@st.composite
def priors(draw: DrawFn, states: int) -> np.ndarray:
    """Equal, mildly unequal, or spread over many orders of magnitude."""
    kind = draw(st.sampled_from(["equal", "dyadic", "uneven", "extreme"]))
    if kind == "equal":
        weights = np.ones(states)
    elif kind == "dyadic":
        weights = np.array(
            draw(st.lists(st.sampled_from([1, 2, 4]), min_size=states, max_size=states))
        )
    elif kind == "uneven":
        weights = np.array(draw(st.lists(st.floats(0.05, 1), min_size=states, max_size=states)))
    else:
        weights = np.array(draw(st.lists(log_uniform(-6, 0), min_size=states, max_size=states)))
    return np.asarray(weights / weights.sum(), dtype=float)


@st.composite
def payoff_vectors(draw: DrawFn, states: int) -> np.ndarray:
    """One claim: Arrow-Debreu, digital, range, vanilla, constant, or any payoffs of either sign."""
    kind = draw(st.sampled_from(["arrow", "digital", "range", "call", "put", "constant", "any"]))
    level = np.arange(states, dtype=float)
    at = draw(st.integers(0, states - 1))
    if kind == "arrow":
        return np.asarray(level == at, dtype=float)
    if kind == "digital":
        return np.asarray(level >= at, dtype=float)
    if kind == "range":
        upto = draw(st.integers(at, states - 1))
        return np.asarray((level >= at) & (level <= upto), dtype=float)
    if kind == "call":
        return np.asarray(np.maximum(level - at, 0.0))
    if kind == "put":
        return np.asarray(np.maximum(at - level, 0.0))
    if kind == "constant":
        return np.full(states, draw(st.sampled_from([-1.0, 0.0, 0.5, 1.0])))
    return np.array(
        draw(
            st.lists(
                st.sampled_from([-2.0, -1.0, -0.25, 0.0, 0.5, 1.0, 3.0]),
                min_size=states,
                max_size=states,
            )
        )
    )


@st.composite
def payoff_tables(draw: DrawFn, states: int, claims: int) -> np.ndarray:
    """Claims, some of them copies or affine images of earlier ones."""
    rows: list[np.ndarray] = []
    for _ in range(claims):
        relation = draw(st.sampled_from(["new", "new", "new", "same", "affine"])) if rows else "new"
        if relation == "new":
            rows.append(draw(payoff_vectors(states)))
            continue
        model = draw(st.sampled_from(rows))
        if relation == "affine":
            model = (
                draw(st.sampled_from([0.0, 1.0, -0.5])) + draw(st.sampled_from([-1.0, 2.0])) * model
            )
        rows.append(model.copy())
    return np.array(rows)


@st.composite
def ambiguities(draw: DrawFn, prior: np.ndarray) -> float:
    """Zero, tiny, moderate, at and around the kinks -ln q(worst states), infinite."""
    kind = draw(
        st.sampled_from(["zero", "tiny", "moderate", "moderate", "kink", "large", "infinite"])
    )
    if kind == "zero":
        return 0.0
    if kind == "tiny":
        return draw(log_uniform(-9, -3))
    if kind == "moderate":
        return draw(st.floats(0.01, 3))
    if kind == "kink":
        worst = draw(st.sets(st.integers(0, prior.size - 1), min_size=1))
        kink = max(0.0, -math.log(min(1.0, prior[sorted(worst)].sum())))
        return max(0.0, kink * draw(st.sampled_from([1.0, 1 - 1e-9, 1 + 1e-9, 0.999, 1.001])))
    return draw(st.sampled_from([20.0, 700.0])) if kind == "large" else math.inf


@st.composite
def books(
    draw: DrawFn,
    max_states: int = 5,
    max_claims: int = 4,
    max_orders: int = 6,
    log_alpha: tuple[float, float] = (-12, 3),
) -> Book:
    """A small book anywhere in the model; ``log_alpha``: log10(alpha * quantities)."""
    states = draw(sizes(1, max_states))
    claims = draw(sizes(1, max_claims))
    prior = draw(priors(states))
    payoffs = draw(payoff_tables(states, claims))
    orders = draw(sizes(0, max_orders))
    lot = draw(st.sampled_from([1.0, 0.001, 1e6]))
    claim, side, price, quantity = [], [], [], []
    for _ in range(orders):
        k = draw(st.integers(0, claims - 1))
        claim.append(k)
        side.append(draw(st.sampled_from([1, -1])))
        place = draw(st.one_of(st.sampled_from(GRID), PLACES, st.sampled_from([-0.5, 1.5])))
        low, high = payoffs[k].min(), payoffs[k].max()
        span = high - low if high > low else 1.0
        price.append(low + place * span)
        quantity.append(lot * draw(st.sampled_from([1.0, 1.0, 2.0, 0.5, 0.3, 40.0, 0.0])))
    total = max(sum(quantity), lot)
    alpha = draw(log_uniform(*log_alpha)) / total
    return Book(
        payoffs=payoffs,
        prior=prior,
        inventory=draw(inventories(states, lot, alpha)),
        risk_aversion=alpha,
        ambiguity=draw(ambiguities(prior)),
        claim=np.array(claim, dtype=np.int64),
        side=np.array(side, dtype=np.int64),
        price=np.array(price, dtype=float),
        quantity=np.array(quantity, dtype=float),
    )


@st.composite
def inventories(draw: DrawFn, states: int, lot: float, alpha: float) -> np.ndarray:
    """None, a few lots, or alpha |w| up to thousands."""
    kind = draw(st.sampled_from(["none", "none", "lots", "risk"]))
    if kind == "none":
        return np.zeros(states)
    shape = draw(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0]), min_size=states, max_size=states))
    if kind == "lots":
        return lot * np.array(shape)
    # Wealth beyond 1e9 lots leaves the orders fewer digits than the tests ask for.
    return min(draw(log_uniform(-3, 3.5)) / alpha, 1e9 * lot) * np.array(shape)


@st.composite
def related_books(draw: DrawFn) -> Book:
    """A book whose claims are affine images of each other: repeated, scaled or negated.

    The limits of such a family come from one grid, so that they often coincide.
    """
    states = draw(sizes(2, 4))
    models = [draw(payoff_vectors(states)) for _ in range(draw(sizes(1, 2)))]
    payoffs, grid = [], []
    for _ in range(draw(sizes(2, 5))):
        model = draw(st.sampled_from(models))
        shift, scale = draw(st.sampled_from([0.0, 1.0, -0.5])), draw(st.sampled_from(SCALES))
        payoffs.append(shift + scale * model)
        low, high = float(model.min()), float(model.max())
        span = high - low if high > low else 1.0
        grid.append([shift + scale * (low + place * span) for place in GRID])
    book = draw(books(max_states=states, max_orders=0))
    orders = draw(sizes(1, 6))
    claim = draw(st.lists(st.integers(0, len(payoffs) - 1), min_size=orders, max_size=orders))
    quantity = draw(st.lists(st.sampled_from([1.0, 2.0, 0.3]), min_size=orders, max_size=orders))
    prior = draw(priors(states))
    return book.with_(
        payoffs=np.array(payoffs),
        prior=prior,
        inventory=np.zeros(states),
        risk_aversion=draw(log_uniform(-6, 2)) / sum(quantity),
        ambiguity=draw(ambiguities(prior)),
        claim=np.array(claim, dtype=np.int64),
        side=np.array(draw(st.lists(SIDES, min_size=orders, max_size=orders)), dtype=np.int64),
        price=np.array([draw(st.sampled_from(grid[k])) for k in claim]),
        quantity=np.array(quantity),
    )


@st.composite
def pinned_books(draw: DrawFn) -> Book:
    """A book with a large order and, before it, a small one at the same limit.

    By the prior the maker gains from both, but wants less than the large order's quantity: mostly
    both are filled in part, and the large one keeps the price at its limit when the small one's
    changes.
    """
    book = draw(books(max_orders=4).filter(lambda book: bool(book.spans.any())))
    claim = draw(st.sampled_from(np.flatnonzero(book.spans).tolist()))
    payoff, span = book.payoffs[claim], book.spans[claim]
    limit = float(payoff.min() + draw(st.sampled_from(GRID[1:-1])) * span)
    large = draw(st.sampled_from([4.0, 10.0])) / (book.risk_aversion * span)
    return with_orders(
        book,
        claim=[claim] * 2,
        side=[1 if limit > book.prior @ payoff else -1] * 2,
        price=[limit] * 2,
        quantity=[draw(st.sampled_from([0.001, 0.01, 0.1])) * large, large],
    )


def crowded_book(
    size: int,
    seed: int,
    orders: int | None = None,
    *,
    states: int | None = None,
    risk_aversion: float = 1.0,
    noise: float = 0.2,
) -> Book:
    """A book that takes many nodes: `size` random 0/1 claims on `states`, by default half as many.

    Limits scatter by ``noise`` around the prior's values; ``risk_aversion`` is alpha times the
    quantity of all orders, of which there are four per claim by default.
    """
    draw = np.random.default_rng(seed)
    states = size // 2 if states is None else states
    orders = 4 * size if orders is None else orders
    payoffs = (draw.random((size, states)) < 0.5).astype(float)
    rows = np.arange(size)
    payoffs[rows, rows % states], payoffs[rows, (rows + 1) % states] = 1.0, 0.0
    prior = draw.dirichlet(np.full(states, 5.0))
    claim = draw.integers(size, size=orders)
    price = payoffs[claim] @ prior + noise * draw.standard_normal(orders)
    quantity = draw.integers(1, 20, orders).astype(float)
    return Book(
        payoffs=payoffs,
        prior=prior,
        inventory=np.zeros(states),
        risk_aversion=risk_aversion / float(quantity.sum()),
        ambiguity=0.1,
        claim=claim,
        side=draw.choice([1, -1], orders),
        price=price.clip(0.01, 0.99).round(3),
        quantity=quantity,
    )


def long_book() -> Book:
    """A book of 29 nodes, each cheaper than a node of an endless book."""
    return crowded_book(50, seed=0, orders=250, states=50, noise=0.3)


def endless_book() -> Book:
    """A book whose search takes a minute: for tests of interruptions.

    After ten seconds and a hundred nodes the gap is still a third of the first node's.
    """
    return crowded_book(120, seed=0, orders=2400, noise=0.6)


def heavy_book(claims: int = 200) -> Book:
    """A book whose first node takes long, with 400 claims seconds: limits are reached inside it."""
    return crowded_book(claims, seed=0, orders=5 * claims, states=claims, noise=0.3)


def endless_walk() -> Book:
    """A book of 10^8 cells on four digital claims: for an enumeration that visits every one."""
    number = np.arange(200)
    return Book(
        payoffs=np.eye(4),
        prior=np.array([0.1, 0.2, 0.3, 0.4]),
        inventory=np.zeros(4),
        risk_aversion=1.0,
        ambiguity=0.0,
        claim=number % 4,
        side=1 - number // 4 % 2 * 2,
        price=(number + 1) / 201,
        quantity=np.ones(200),
    )
