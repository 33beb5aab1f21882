"""Whether two clearings of one book are one answer, where need be up to a symmetry of the book."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

import kpm_fast as kpm
from kpm_fast.arrays import Floats, Ints

from .families import Book

SAME_FILL = 1e-6  # of an order's quantity
SAME_PRICE = 1e-6  # of a state
SAME_WORTH = 2e-11  # of the notional: twice what counts as a tie
_BY_STATE = ("prior", "delta", "priors", "inventory")  # what makers have a number of each state in


@dataclass(frozen=True)
class Answer:
    """What is compared of a clearing, in the numbering of the book that it is one of."""

    fills: Floats
    state_prices: Floats
    certainty_equivalent: float

    @classmethod
    def of(cls, result: kpm.Result) -> Answer:
        return cls(result.fills, result.state_prices, result.certainty_equivalent)


@dataclass(frozen=True)
class Renaming:
    """Where the claims, states and orders of a book stand in another order of it."""

    claims: Ints
    states: Ints
    orders: Ints

    def apply(self, book: Book) -> Book:
        market, orders = book
        renamed = kpm.Market(
            market.payoffs[np.ix_(self.claims, self.states)],
            maker=self._apply_to_maker(market.maker),
        )
        rank = np.argsort(self.claims)
        claim = rank[orders.claim_index(market)][self.orders]
        columns = (column[self.orders] for column in (orders.side, orders.price, orders.quantity))
        return renamed, kpm.Orders(claim, *columns)

    def _apply_to_maker(self, maker: kpm.Maker) -> kpm.Maker:
        by_state = [name for name in _BY_STATE if hasattr(maker, name)]
        return maker.replace(**{name: getattr(maker, name)[..., self.states] for name in by_state})

    def undo(self, answer: Answer) -> Answer:
        """The answer in the numbering that the renaming started from."""
        fills, prices = np.empty_like(answer.fills), np.empty_like(answer.state_prices)
        fills[self.orders] = answer.fills
        prices[self.states] = answer.state_prices
        return Answer(fills, prices, answer.certainty_equivalent)


def difference(book: Book, one: Answer, other: Answer) -> str:
    """Say what two clearings of a book differ in; empty where they are one answer."""
    market, orders = book
    span = np.ptp(market.payoffs, axis=1)
    notional = float(span[orders.claim_index(market)] @ orders.quantity)
    eps = float(np.finfo(np.float64).eps)
    rounding = 256 * eps * (float(np.abs(market.inventory).max()) + notional)
    worse = abs(one.certainty_equivalent - other.certainty_equivalent)
    if worse > SAME_WORTH * notional + rounding:
        return f"worth by {worse / notional:.1e} of the notional"
    share = np.where(orders.quantity > 0, orders.quantity, 1.0)
    fills = float(np.max(np.abs(one.fills - other.fills) / share, initial=0.0))
    prices = float(np.abs(one.state_prices - other.state_prices).max())
    if fills <= SAME_FILL and prices <= SAME_PRICE:
        return ""
    if _alike(book, one, other):
        return ""
    kind = "fills" if fills > SAME_FILL else "state prices"
    return f"{kind} by {fills if kind == 'fills' else prices:.1e}"


def _alike(book: Book, one: Answer, other: Answer) -> bool:
    """Whether a symmetry of the book takes one answer to the other."""
    market, orders = book
    share = np.where(orders.quantity > 0, orders.quantity, 1.0)
    fills = _levels(np.stack([one.fills / share, other.fills / share]), SAME_FILL)
    prices = _levels(np.stack([one.state_prices, other.state_prices]), SAME_PRICE)
    claim = orders.claim_index(market)
    maker = market.maker
    weights = [getattr(maker, name) for name in ("prior", "delta") if hasattr(maker, name)]
    # Told apart by the states that they pay in, or believe in.
    vertices = maker.priors if isinstance(maker, kpm.PolytopeMaker) else market.payoffs[:0]
    states: list[Hashable] = []
    claims: list[Hashable] = []
    for side in (0, 1):
        rows = zip(*weights, market.inventory, prices[side], strict=True)
        states += [tuple(row) for row in rows]
        books: dict[int, list[tuple[float, ...]]] = defaultdict(list)
        columns = (claim, orders.side, orders.price, orders.quantity, fills[side])
        for k, *order in zip(*columns, strict=True):
            books[int(k)].append(tuple(order))
        claims += [tuple(sorted(books[k])) for k in range(len(market.payoffs))]
        claims += ["a vertex"] * len(vertices)
    return _match(np.vstack([market.payoffs, vertices]), states, claims)


def _levels(values: Floats, width: float) -> Ints:
    """Number values so that those within ``width`` of a neighbour have one number."""
    order = np.argsort(values, axis=None)
    gaps = np.diff(values.ravel()[order], prepend=-np.inf) > width
    levels = np.empty(values.size, dtype=np.int64)
    levels[order] = np.cumsum(gaps)
    return levels.reshape(values.shape)


def _match(payoffs: Floats, states: Sequence[Hashable], claims: Sequence[Hashable]) -> bool:
    """Whether an isomorphism takes the first half of states and claims to the second.

    Colours are refined by those of the other kind until they tell no more apart; where a colour is
    left to several, the first of one half is taken to be each of the other half in turn.
    """
    state_count, claim_count = len(states) // 2, len(claims) // 2
    while True:
        distinct = len(set(states)), len(set(claims))
        number = {colour: n for n, colour in enumerate(dict.fromkeys(claims))}
        told: list[Hashable] = []
        for half in (0, 1):
            names = [number[claims[half * claim_count + k]] for k in range(claim_count)]
            for i in range(state_count):
                column = sorted(zip(names, payoffs[:, i].tolist(), strict=True))
                told.append((states[half * state_count + i], tuple(column)))
        number = {colour: n for n, colour in enumerate(dict.fromkeys(told))}
        states = [number[colour] for colour in told]
        told = []
        for half in (0, 1):
            names = [int(str(s)) for s in states[half * state_count : (half + 1) * state_count]]
            for k in range(claim_count):
                row = sorted(zip(names, payoffs[k].tolist(), strict=True))
                told.append((claims[half * claim_count + k], tuple(row)))
        number = {colour: n for n, colour in enumerate(dict.fromkeys(told))}
        claims = [number[colour] for colour in told]
        for colours, count in ((states, state_count), (claims, claim_count)):
            first, second = sorted(map(str, colours[:count])), sorted(map(str, colours[count:]))
            if first != second:
                return False
        if (len(set(states)), len(set(claims))) == distinct:
            break
    for colours, count in ((states, state_count), (claims, claim_count)):
        for n in range(count):
            if list(colours[:count]).count(colours[n]) == 1:
                continue
            for m in range(count, 2 * count):
                if colours[m] != colours[n]:
                    continue
                chosen = list(colours)
                chosen[n] = chosen[m] = "chosen"
                pair = (chosen, claims) if colours is states else (states, chosen)
                if _match(payoffs, *pair):
                    return True
            return False
    return True
