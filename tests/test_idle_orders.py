"""Orders that never trade: whatever their size, they move nothing and loosen no check."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import kpm_fast as kpm
import witness
from adapter import assert_same_bits, clear, market_of
from kpm_fast.verification import reference
from readme_book import FILLS, README, VALUE, orders_with
from strategies import METHODS, books, examples, related_books
from stress.figures import bits
from witness import Book

pytestmark = pytest.mark.cross_section


SIZES = st.sampled_from([1e-3, 1.0, 1e3, 1e6, 5.6e9, 1e12, 7e12, 1e30])
PLACES = st.sampled_from([0.0, 0.01, 0.1, 0.25, 0.5, 0.9, 0.99, 1.0])


def assert_unmoved(told: kpm.Result, plain: kpm.Result) -> None:
    """Orders that come after all others have changed no bit but the pieces' numbers."""
    kept = np.arange(len(plain.fills))
    assert_same_bits(told, plain, fills=kept, without=["cell"])
    if plain.certificate is not None:
        for name in ("worst_case", "marginal_state_prices", "multipliers", "bound"):
            proofs = (getattr(result.certificate, name) for result in (told, plain))
            assert len(set(map(bits, proofs))) == 1, name


def orders_of(book: Book, claim: list[int], side: list[int], price: list[float], size: list[float]):
    return kpm.Orders(
        [*book.claim.tolist(), *claim],
        [*book.side.tolist(), *side],
        [*book.price.tolist(), *price],
        [*book.quantity.tolist(), *size],
    )


@METHODS
@pytest.mark.parametrize("size", [1e12, 5.6e9, 1e30])
@pytest.mark.parametrize(("side", "price"), [("buy", 0.0), ("buy", -0.01), ("sell", 1.0)])
def test_the_book_of_the_readme(method: str, size: float, side: str, price: float) -> None:
    plain = kpm.clear(README, orders_with(), method)
    result = kpm.clear(README, orders_with(("away", side, price, size)), method)
    assert result.certainty_equivalent == pytest.approx(VALUE, abs=1e-12)
    np.testing.assert_allclose(result.fills, [*FILLS, 0.0], atol=1e-9)
    assert_unmoved(result, plain)


@METHODS
@pytest.mark.parametrize("size", [1e3, 1e6, 1e12, 1e30])
@pytest.mark.parametrize(
    "giants",
    [
        [("away", "buy", 0.01)],
        [("away", "buy", 0.2)],
        [("home or draw", "buy", 0.7599)],
        [("home or draw", "sell", 0.7601)],
        [("away", "sell", 0.9), ("away", "buy", 0.01)],
        [("away", side, price) for side, price in (("buy", 0.1), ("buy", 0.11), ("sell", 0.5))]
        + [("home", "buy", 0.3), ("draw", "sell", 0.5), ("draw", "buy", 0.1)],
    ],
)
def test_giants_that_the_optimum_leaves_unfilled(method: str, giants, size: float) -> None:
    orders = orders_with(*((*giant, size) for giant in giants))
    result = kpm.clear(README, orders, method)
    assert result.status is kpm.Status.OPTIMAL
    assert result.scale == pytest.approx(sum(FILLS), rel=1e-8)
    assert abs(result.certainty_equivalent - VALUE) <= 1e-8 * sum(FILLS)
    np.testing.assert_allclose(result.fills, FILLS + len(giants) * [0.0], atol=1e-6)
    result.verify().raise_if_failed()


@pytest.mark.parametrize("size", [1e3, 1e6, 1e12, 1e30])
@pytest.mark.parametrize(
    "giant",
    [
        ("away", "buy", 0.01),
        ("away", "buy", 0.2),
        ("home", "buy", 0.57),
        ("home", "buy", 0.9),
        ("home", "buy", 0.559),
        ("home or draw", "buy", 0.7599),
        ("home or draw", "sell", 0.7601),
    ],
)
def test_giants_are_proved(size: float, giant: tuple[str, str, float]) -> None:
    """Filled in part or not at all, the proof is of the whole book."""
    orders = orders_with((*giant, size))
    result = kpm.clear(README, orders, certificate=True)
    assert result.status is kpm.Status.OPTIMAL
    result.verify().raise_if_failed()
    kpm.check_certificate(README, orders, result).raise_if_failed()


@METHODS
@given(st.data(), st.one_of(books(), related_books()), SIZES)
@examples(60)
def test_what_no_prices_fill_changes_no_bit(method, data, book: Book, size: float) -> None:
    """A bid at the least payoff or below, an offer at the greatest or above."""
    assume((book.spans > 0).any())
    market = market_of(book)
    claim = data.draw(st.sampled_from(np.flatnonzero(book.spans > 0).tolist()))
    side = data.draw(st.sampled_from([1, -1]))
    beyond = data.draw(st.sampled_from([0.0, 1e-9, 0.5, 1e6, np.inf]))
    payoff = book.payoffs[claim]
    price = payoff.min() - beyond if side > 0 else payoff.max() + beyond
    options = {"certificate": True} if method == "branch-and-bound" else {}
    orders = orders_of(book, [], [], [], [])
    plain = kpm.clear(market, orders, method, threads=1, **options)
    orders = orders_of(book, [claim], [side], [price], [size])
    told = kpm.clear(market, orders, method, threads=1, **options)
    assert_unmoved(told, plain)
    assert told.fills[-1] == 0.0


@METHODS
@given(st.data(), books(), SIZES)
@examples(60)
def test_reachable_giants_move_nothing_they_do_not_trade(method, data, book: Book, size) -> None:
    """What a giant does not fill has no effect."""
    assume((book.spans > 0).any() and len(book.quantity) > 1)
    lot = float(book.quantity.max()) or 1.0
    claims = np.flatnonzero(book.spans > 0).tolist()
    count = data.draw(st.integers(1, 3))
    claim = [data.draw(st.sampled_from(claims)) for _ in range(count)]
    side = [data.draw(st.sampled_from([1, -1])) for _ in range(count)]
    price = [float(book.payoffs[k].min() + data.draw(PLACES) * book.spans[k]) for k in claim]
    market, size = market_of(book), min(size * lot, 1e29)
    orders = orders_of(book, claim, side, price, [size] * count)
    result = kpm.clear(market, orders, method, threads=1)
    result.verify().raise_if_failed()
    filled = result.fills[-count:]
    enough = np.maximum(3.0 * filled, lot)
    assume((enough < size).all())  # otherwise the giants trade most of their size
    # A book with that much instead of the giants has this clearing, too ...
    smaller = orders_of(book, claim, side, price, enough.tolist())
    small = kpm.clear(market, smaller, method, threads=1)
    slack = 1e-8 * (result.scale + small.scale) + 1e-11 * book.notional + book.rounding
    assert result.certainty_equivalent <= small.upper_bound + slack
    if (small.fills[-count:] < enough).all():  # ... and the giants' has its own.
        assert small.certainty_equivalent <= result.upper_bound + slack


# All but the time that it took.
CELL_FIGURES = [
    "status",
    "state_prices",
    "net_demand",
    "certainty_equivalent",
    "dual_bound",
    "iterations",
    "worst_case",
    "marginal_state_prices",
    "multipliers",
    "ambiguity_price",
]


def assert_same_solution(told: kpm.CellResult, plain: kpm.CellResult) -> None:
    for name in CELL_FIGURES:
        np.testing.assert_array_equal(getattr(told, name), getattr(plain, name), err_msg=name)


@pytest.mark.parametrize("size", [1e3, 1e6, 1e12, 1e30])
@pytest.mark.parametrize(("price", "cell"), [(0.01, [1, 0, 3, 2]), (-1.0, [1, 0, 1, 2])])
def test_the_cell_of_the_readme(size: float, price: float, cell: list[int]) -> None:
    told = kpm.solve_cell(README, orders_with(("away", "buy", price, size)), cell)
    assert told.status is kpm.Status.OPTIMAL
    assert told.certainty_equivalent == pytest.approx(VALUE, abs=1e-12)
    np.testing.assert_allclose(told.net_demand, [FILLS[0], 10.0, FILLS[2], -10.0], atol=1e-6)
    assert told.gap <= 1e-9 * 55.0  # what can trade in the cell
    assert_same_solution(told, kpm.solve_cell(README, orders_with(), [1, 0, 1, 2]))


@given(st.data(), books(), SIZES, st.floats(0.0, 0.99))
@examples(200)
def test_an_idle_order_changes_no_bit_of_a_cell(data, book: Book, size: float, place) -> None:
    """It lies off the cell's prices, and would be filled at none of them."""
    market, orders = market_of(book), orders_of(book, [], [], [], [])
    stairs = kpm.staircases(market, orders)
    cell = [data.draw(st.integers(0, len(steps) - 1)) for steps in stairs]
    ranges = zip(stairs, cell, book.payoffs, strict=True)
    beyond = [  # by claim: a bid below the cell's prices, an offer above them
        (claim, bid, end, edge)
        for claim, (steps, piece, payoffs) in enumerate(ranges)
        for bid, end, edge in (
            (True, payoffs.min(), steps[piece, 0]),
            (False, payoffs.max(), steps[piece, 1]),
        )
        if abs(edge - end) > 1e-9 * book.spans[claim]
    ]
    assume(beyond)
    claim, bid, end, edge = data.draw(st.sampled_from(beyond))
    price = float(end + place * (edge - end))
    more = orders_of(book, [claim], [1 if bid else -1], [price], [size])
    longer = kpm.staircases(market, more)
    same = list(cell)
    same[claim] += len(longer[claim]) - len(stairs[claim]) if bid else 0
    np.testing.assert_array_equal(longer[claim][same[claim]], stairs[claim][cell[claim]])
    assert_same_solution(kpm.solve_cell(market, more, same), kpm.solve_cell(market, orders, cell))


@pytest.mark.parametrize("size", [1e6, 1e12, 1e20, 1e30])
@pytest.mark.parametrize(
    "giant",
    [
        ("home", "buy", 0.56),
        ("home", "buy", 0.57),
        ("draw", "buy", 0.2),
        ("away", "buy", 0.24),
        ("home or draw", "sell", 0.72),
    ],
)
def test_the_step_of_a_giant_is_solved_as_far_as_it_trades(giant, size: float) -> None:
    """A cell is solved as closely as a book: to a share of what trades, and its bound is proven."""
    orders = orders_with((*giant, size))
    result = kpm.clear(README, orders)
    told = kpm.solve_cell(README, orders, result.cell)
    assert told.status is kpm.Status.OPTIMAL
    assert abs(told.certainty_equivalent - result.certainty_equivalent) <= 1e-9 * result.scale
    assert told.gap <= 64e-9 * result.scale
    np.testing.assert_allclose(told.net_demand, result.net_demand, atol=1e-3)


@given(st.data(), books(), st.sampled_from([1e3, 1e6, 1e12, 1e20]), st.booleans())
@examples(150)
def test_a_giant_on_a_step_leaves_its_cell_as_the_book_has_it(data, book, size, met) -> None:
    """The same certainty equivalent by both, whether anybody meets the giant or not."""
    assume(len(book.quantity) and (book.spans > 0).any())
    beside = data.draw(st.integers(0, len(book.quantity) - 1))
    assume(book.spans[book.claim[beside]] > 0)
    lot = float(book.quantity.max()) or 1.0
    giants = [1, -1] if met else [int(book.side[beside])]
    claim = [int(book.claim[beside])] * len(giants)
    price = [float(book.price[beside])] * len(giants)
    orders = orders_of(book, claim, giants, price, [min(size * lot, 1e29)] * len(giants))
    market = market_of(book)
    result = kpm.clear(market, orders, threads=1)
    assume(result.status is kpm.Status.OPTIMAL)
    told = kpm.solve_cell(market, orders, result.cell)
    assert told.dual_bound >= result.certainty_equivalent - 1e-8 * result.scale - book.rounding
    if told.status is kpm.Status.OPTIMAL:
        off = abs(told.certainty_equivalent - result.certainty_equivalent)
        assert off <= 1e-7 * result.scale + book.rounding_of(result.fills[: len(book.quantity)])


@METHODS
@given(st.data(), books())
@examples(60)
def test_no_clearing_is_better_for_limits_at_the_ends(method, data, book: Book) -> None:
    """The staircases leave them out; a witness that has them finds nothing better."""
    ends = np.stack([book.payoffs.min(axis=1), book.payoffs.max(axis=1)])
    at_end = np.array([data.draw(st.sampled_from([None, 0, 1])) for _ in book.claim], dtype=object)
    price = [
        ends[end, k] if end is not None else limit
        for end, k, limit in zip(at_end, book.claim, book.price, strict=True)
    ]
    book = book.with_(price=np.array(price, dtype=float))
    assume(len(book.quantity) and math.prod(map(len, closed_staircases(book))) <= 100)
    best = witness.clear(book, ends=True)
    result = clear(book, method=method)
    allowed = 1e-8 * result.scale + book.tolerance(1e-10)
    assert result.certainty_equivalent == pytest.approx(best.certainty_equivalent, abs=allowed)


def closed_staircases(book: Book) -> list[list[witness.Piece]]:
    return [witness.staircase(book, k, ends=True) for k in range(book.claims)]


@pytest.mark.parametrize("size", [1e3, 1e6, 1e12, 1e30])
@pytest.mark.parametrize("price", [0.0, 0.01, 0.2])
def test_an_idle_giant_loosens_no_check(size: float, price: float) -> None:
    """A wrong result fails its checks with a giant beside it as well."""
    giant = ("away", "buy", price, size)
    orders = orders_with(giant)
    right = kpm.clear(README, orders, certificate=True)
    worse = right.fills.copy()
    worse[0] -= 1e-3  # home, bid at its price: a demand that is not the best of its cell
    y = np.array([worse[0], worse[1], worse[2] + worse[5], -worse[3]])
    payoff = right.claim_prices @ y - y @ README.payoffs
    rho, _ = reference.worst_case_risk(-payoff, README.prior, 0.01, 0.02)
    forged = dataclasses.replace(
        right,
        fills=worse,
        net_demand=y,
        revenue=float(right.claim_prices @ y),
        payoff=payoff,
        certainty_equivalent=-rho,
        upper_bound=-rho,
        scale=float(worse.sum()),
    )
    assert right.certainty_equivalent - forged.certainty_equivalent > 1e-9
    assert not forged.verify()
    assert not kpm.check_certificate(README, orders, forged)
    for name, by in (("certainty_equivalent", -1e-6), ("upper_bound", -1e-6), ("scale", size)):
        told = dataclasses.replace(right, **{name: getattr(right, name) + by})
        assert not told.verify(), name
        assert name == "scale" or not kpm.check_certificate(README, orders, told), name
    # Where ambiguity stops all trade, the scale does not count the giant.
    wary = README.replace(ambiguity=5.0)
    idle = kpm.clear(wary, kpm.Orders(["home", "away"], "buy", [0.3, price], [20.0, size]))
    assert idle.volume == 0.0
    assert idle.scale == pytest.approx(20.0)


def test_the_scale_where_nothing_trades_is_that_of_the_smaller_half() -> None:
    """Of the limit levels: an order split into many still counts as one."""
    market = kpm.Market(np.eye(3), [0.3, 0.3, 0.4], ambiguity=5.0)
    sizes = [4.0, 1.0, 8.0, 2.0, 1e20]
    claims, limits = [0, 1, 2, 0, 1], [0.1, 0.1, 0.1, 0.2, 0.2]
    result = kpm.clear(market, kpm.Orders(claims, "buy", limits, sizes), certificate=True)
    assert (result.volume, result.scale) == (0.0, 3.0)
    result.verify().raise_if_failed()
    kpm.check_certificate(market, result.orders, result).raise_if_failed()
    split = kpm.Orders([0, *claims], "buy", [0.1, *limits], [1.0, 3.0, *sizes[1:]])
    assert kpm.clear(market, split).scale == 3.0
    assert kpm.clear(market, kpm.Orders([], [], [], [])).scale == 1.0


@pytest.mark.parametrize("wealth", [1e5, 3.7e8, 5.9e9, 8.1e12])
def test_where_nothing_can_trade_the_bound_of_every_leaf_is_the_worth(wealth: float) -> None:
    """There is one clearing: rounding of the leaves' multipliers does not widen its bound."""
    for seed in range(20):
        draw = np.random.default_rng(seed)
        market = kpm.Market(
            np.array([[0.0, 1.0, 0.5], [1.0, 0.3, 0.0]]),
            draw.dirichlet(np.ones(3)),
            inventory=wealth * draw.normal(size=3),
            risk_aversion=1.0 / wealth,
            ambiguity=0.1,
        )
        orders = kpm.Orders([0, 1], ["buy", "sell"], [-5.0, 50.0], [1.0, 2.0])
        result = kpm.clear(market, orders, certificate=True, threads=1)
        proof = result.certificate
        assert proof is not None
        assert result.status is kpm.Status.OPTIMAL
        assert result.volume == 0.0
        assert proof.bound.max() <= result.upper_bound == result.certainty_equivalent
        kpm.check_certificate(market, orders, result).raise_if_failed()


@METHODS
@pytest.mark.parametrize("size", [1e3, 1e9, 1e12])
def test_optimal_is_supported_by_what_is_published(method: str, size: float) -> None:
    """The tiny net demand of giants that trade with each other is told apart from rounding."""
    market = kpm.Market(
        [[1, 0, 0, 0, 0]] * 3,
        [0.2] * 5,
        inventory=[-1, -1, -1, -1, 0],
        risk_aversion=0.5,
        ambiguity=0,
    )
    orders = kpm.Orders([0, 0], ["buy", "sell"], [0.1, 0.1], [size, size])
    result = kpm.clear(market, orders, method, threads=1)
    result.verify().raise_if_failed()
    assert result.status is kpm.Status.OPTIMAL
