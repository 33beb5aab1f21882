"""One book has one answer by every convex rule, whatever the order it is listed in."""

from __future__ import annotations

import numpy as np
import pytest

import kpm_fast as kpm
from auction_books import KINDS, MAKERS, as_orders, extreme_book, make_maker, random_book
from strategies import fewer
from stress import degenerate_books
from stress.families import Book
from stress.same_answer import Answer, Renaming, difference
from witness.regret import least_regret_bound

every_maker = pytest.mark.parametrize(("name", "rule"), [*KINDS, ("ball", "pay_as_bid")])

NUMBERS = ("certainty_equivalent", "objective", "upper_bound", "revenue", "scale", "status")
BY_CLAIM = ("claim_prices", "net_demand", "cell", "multipliers")
BY_STATE = ("state_prices", "payoff", "worst_case", "marginal_state_prices")


def listed_anew(book: Book, draw: np.random.Generator) -> tuple[Renaming, Book]:
    """The book with its claims, states, orders and vertices in another order."""
    market, orders = book
    renaming = Renaming(*(draw.permutation(size) for size in (*market.payoffs.shape, len(orders))))
    market, orders = renaming.apply(book)
    maker = market.maker
    if isinstance(maker, kpm.PolytopeMaker):
        maker = maker.replace(priors=draw.permutation(maker.priors))
    return renaming, (market.replace(maker=maker), orders)


def assert_one_answer(book: Book, rule: str, draw: np.random.Generator) -> bool:
    """The same bits, up to a symmetry of the book; returns whether all stayed with their names."""
    renaming, other_book = listed_anew(book, draw)
    one, other = (kpm.clear(*of, rule=rule) for of in (book, other_book))
    for name in NUMBERS:
        assert getattr(one, name) == getattr(other, name), name
    assert one.stats.iterations == other.stats.iterations
    assert other.status != "optimal" or other.verify()  # each figure is back where it belongs
    stayed = True
    for names, order in (
        (BY_CLAIM, renaming.claims),
        (BY_STATE, renaming.states),
        (("fills",), renaming.orders),
    ):
        for name in names:
            mine, its = getattr(one, name), getattr(other, name)
            assert np.sort(mine).tobytes() == np.sort(its).tobytes(), name
            stayed = stayed and mine[order].tobytes() == its.tobytes()
    if not stayed:
        assert difference(book, Answer.of(one), renaming.undo(Answer.of(other))) == ""
    return stayed


@every_maker
def test_random_books(name: str, rule: str) -> None:
    for seed in range(fewer(60, 15)):
        rng, scale, payoffs, inventory, columns = random_book(seed)
        market = kpm.Market(payoffs, maker=make_maker(name, rng, scale, inventory))
        assert_one_answer((market, as_orders(columns)), rule, rng)


@every_maker
def test_books_without_a_symmetry_keep_each_figure_with_its_name(name: str, rule: str) -> None:
    for seed in range(fewer(20, 5)):
        draw = np.random.default_rng([11, seed])
        payoffs = draw.normal(size=(5, 6))
        market = kpm.Market(payoffs, maker=make_maker(name, draw, 1.0, draw.normal(size=6)))
        claim = np.arange(40) % 5
        low, high = payoffs.min(axis=1)[claim], payoffs.max(axis=1)[claim]
        price = low + (high - low) * draw.random(40)
        orders = kpm.Orders(claim, draw.choice([1, -1], 40), price, draw.random(40))
        assert assert_one_answer((market, orders), rule, draw)


@pytest.mark.parametrize("family", degenerate_books.FAMILIES)
@every_maker
def test_degenerate_books(name: str, rule: str, family: degenerate_books.Family) -> None:
    """Ties, equal claims and complements, limits that add up to one, states that nobody knows."""
    for index in range(fewer(20, 4)):
        draw = np.random.default_rng([12, index])
        market, orders = family(draw).book()
        maker = degenerate_books.maker(draw, name, market, orders)
        assert_one_answer((market.replace(maker=maker), orders), rule, draw)


@pytest.mark.parametrize("span", [3, 9])
@pytest.mark.parametrize("name", MAKERS)
def test_extreme_books(name: str, span: int) -> None:
    """Payoffs, sizes, wealth and priors powers of ten apart: state prices next to nothing."""
    for seed in range(fewer(40, 10)):
        book = extreme_book(seed, name, span)
        assert_one_answer(book, "competitive", np.random.default_rng(seed))


#: Where a claim's demand came to lie at the end of its step, the others' were not chosen.
MISSED = [("orders", 47), ("orders", 68), ("orders", 457), ("lmsr", 457), ("polytope", 457)]


@pytest.mark.parametrize(
    ("name", "index"),
    [*MISSED, *((name, i) for name in ("lmsr", "orders", "utility") for i in range(40))],
)
def test_demand_that_the_optimum_leaves_open_is_that_of_least_regret(name: str, index: int) -> None:
    """Rule 2: where every state has a price, losses may only move alike."""
    draw = np.random.default_rng([12, index])
    families = degenerate_books.FAMILIES
    market, orders = families[index % len(families)](draw).book()
    maker = degenerate_books.maker(draw, name, market, orders)
    result = kpm.clear(market.replace(maker=maker), orders, rule="competitive")
    assert result.status == "optimal"
    claim, span = orders.claim_index(market), np.ptp(market.payoffs, axis=1)
    off = orders.price - (market.payoffs @ result.state_prices)[claim]
    sizes, filled = np.zeros((2, 2, len(span)))
    inside = (orders.price > market.payoffs.min(axis=1)[claim]) & (
        orders.price < market.payoffs.max(axis=1)[claim]
    )
    at_limit = inside & (np.abs(off) <= 1e-13 * span[claim])
    where = (1 - orders.side[at_limit]) // 2, claim[at_limit]
    np.add.at(sizes, where, orders.quantity[at_limit])
    np.add.at(filled, where, result.fills[at_limit])
    if not sizes.any() or result.state_prices.min() < 1e-6:
        return
    money = sizes * span  # shares that pay one: the criterion weighs them by the payoff range
    unit = money.max()
    scaled = market.payoffs / np.where(span > 0, span, 1.0)[:, None]
    regret = ((money - filled * span) ** 2 / np.where(money > 0, money, 1.0)).sum() / unit
    least = least_regret_bound(scaled, *(money / unit), filled * span / unit)
    assert regret == pytest.approx(least, rel=0, abs=1e-6)
