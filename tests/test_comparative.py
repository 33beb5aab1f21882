"""Comparative statics, the ends of the model, and closed forms."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from scipy.special import logsumexp, rel_entr

import kpm_fast as kpm
import witness
from adapter import clear
from strategies import METHODS, books, examples, fewer, log_uniform, pinned_books, priors, sizes
from ties import same_value
from transforms import improved
from witness import Book

# -- comparative statics -------------------------------------------------------------------------


@METHODS
@given(books(), st.lists(st.one_of(log_uniform(-9, 1), st.just(math.inf)), min_size=2, max_size=4))
@examples(80)
def test_more_ambiguity_is_never_welcome(method, book, radii):
    radii = sorted([0.0, book.ambiguity, *radii])
    values = [clear(book.with_(ambiguity=radius), method=method) for radius in radii]
    for less, more in itertools.pairwise(values):
        assert more.certainty_equivalent <= less.certainty_equivalent + book.tolerance(3e-9)
        assert more.no_trade_equivalent <= less.no_trade_equivalent + book.tolerance(3e-9)


@METHODS
@given(books(log_alpha=(-6, 1)), st.lists(log_uniform(-2, 2), min_size=2, max_size=3))
@examples(60)
def test_more_risk_aversion_is_never_welcome(method, book, factors):
    values = [
        clear(book.with_(risk_aversion=book.risk_aversion * factor), method=method)
        for factor in sorted(factors)
    ]
    for less, more in itertools.pairwise(values):
        assert more.certainty_equivalent <= less.certainty_equivalent + book.tolerance(3e-9)


@METHODS
@given(books(), st.data())
@examples(80)
def test_a_market_with_more_wealth_is_worth_more(method, book, data):
    """In each state, and never by more than the most it has been given in one."""
    gift = np.array([data.draw(st.sampled_from([0.0, 0.5, 2.0])) for _ in range(book.states)])
    richer = book.with_(inventory=book.inventory + gift)
    one, other = clear(book, method=method), clear(richer, method=method)
    slack = richer.tolerance(3e-9)
    gain = other.certainty_equivalent - one.certainty_equivalent
    assert gift.min() - slack <= gain <= gift.max() + slack


@METHODS
def test_a_better_limit_never_lowers_the_own_fill(method):
    """At the price that its claim has before and after; a worse limit never raises it.

    Complementarity says more, whatever the price: inside its limit an order is filled to the last
    bit of its quantity, outside it not at all.
    """
    raised = []

    @given(pinned_books(), st.sampled_from([2.0**-40, 2.0**-7, 0.125, 0.5, 10.0]), st.data())
    @settings(max_examples=fewer(80, 20, most=math.inf))  # the first few are too simple
    def compare(book, by, data):
        # Mostly the one that is filled in part.
        order = data.draw(st.sampled_from([book.orders - 2] * 12 + list(range(book.orders))))
        claim, quantity = book.claim[order], book.quantity[order]
        before, price = None, math.nan
        for step in (0.0, by, -by):
            told = improved(book, order, step)
            result = clear(told, method=method)
            fill, at = float(result.fills[order]), float(result.claim_prices[claim])
            inside = book.side[order] * (told.price[order] - at)
            if inside != 0.0:
                assert fill == (quantity if inside > 0 else 0.0)
            if before is None:
                before, price = fill, at
            elif at == price:
                assert step * (fill - before) >= -1e-12 * abs(step) * quantity
                if step > 0:
                    raised.append(0.01 * quantity < before < 0.99 * quantity and fill > before)

    compare()
    # Enough examples had a partial fill before, at a price that stayed.
    assert sum(raised) >= max(1, len(raised) // 5)


@pytest.mark.parametrize("limit", [0.30, 0.35, 0.41, 0.5, 0.9])
def test_a_better_limit_is_filled_more_when_nothing_else_moves(limit):
    """A bid beside a large one that holds the price: none, some, all of it."""
    market = kpm.Market([[1.0, 0.0]], [0.2, 0.8], risk_aversion=0.01, ambiguity=0.0)
    fills = []
    for own in (0.1, 0.35, limit):
        result = kpm.clear(market, kpm.Orders([0, 0], 1, [0.35, own], [1000.0, 1.0]))
        assert result.verify()
        assert result.claim_prices[0] == 0.35
        fills.append(result.fills[1])
    assert fills[0] == 0.0
    assert 0.0 < fills[1] < 1.0
    assert fills[2] == (1.0 if limit > 0.35 else fills[1] if limit == 0.35 else 0.0)


# -- the ends of the model -----------------------------------------------------------------------


@METHODS
@given(books())
@examples(80)
def test_unlimited_ambiguity_is_pari_mutuel(method, book):
    """Corollary 1: without inventory the maker cannot lose in any state."""
    empty_handed = book.with_(ambiguity=math.inf, inventory=np.zeros(book.states))
    result = clear(empty_handed, method=method)
    assert result.payoff.min() >= -book.tolerance(3e-9)
    assert result.certainty_equivalent == pytest.approx(
        result.payoff.min(), abs=book.tolerance(3e-9)
    )


@given(books())
@examples(60)
def test_beyond_the_rarest_state_ambiguity_changes_nothing(book):
    enough = -math.log(book.prior.min()) + 1e-6
    one, other = clear(book.with_(ambiguity=enough)), clear(book.with_(ambiguity=math.inf))
    same_value(book, one.certainty_equivalent, other.certainty_equivalent)


@METHODS
@given(books(log_alpha=(-6, 2)))
@examples(80)
def test_no_ambiguity_is_expected_utility(method, book):
    """The certainty equivalent of the payoff under the prior, by one line of SciPy."""
    result = clear(book.with_(ambiguity=0.0), method=method)
    alpha = book.risk_aversion
    for payoff, value in (
        (result.payoff, result.certainty_equivalent),
        (book.inventory, result.no_trade_equivalent),
    ):
        # Two digits are lost where wealth is many times 1 / alpha.
        expected = -logsumexp(-alpha * payoff, b=book.prior) / alpha
        digits = 1e-14 * (1 / alpha + np.abs(payoff).max())
        assert value == pytest.approx(expected, abs=book.tolerance(1e-12) + digits)
    with np.errstate(over="ignore"):  # of a loss of hundreds of 1 / alpha: minus infinity
        expected = -np.exp(-alpha * result.certainty_equivalent)
    assert result.utility == pytest.approx(expected)


@given(books(log_alpha=(-3, 1)))
@examples(60)
def test_little_ambiguity_is_almost_none(book):
    """By Pinsker's inequality p is within sqrt(2 Omega) of q in total, which bounds the cost."""
    none, little = clear(book.with_(ambiguity=0.0)), clear(book.with_(ambiguity=1e-12))
    spread = float(np.ptp(book.inventory)) + book.notional
    exponent = book.risk_aversion * spread
    bound = math.sqrt(2e-12) * math.expm1(min(exponent, 60.0)) / book.risk_aversion
    difference = none.certainty_equivalent - little.certainty_equivalent
    assert -book.tolerance(3e-9) <= difference <= bound + book.tolerance(3e-9)


def worst_mean(payoff: np.ndarray, prior: np.ndarray, radius: float) -> float:
    """The least expectation over the ball, by its dual: min over m of m ln E exp(-x / m) + m Omega.

    Evaluated at the best m of a fine grid and refined: any m bounds the truth from one side, so
    the greatest value found is the best.
    """
    spread = float(np.ptp(payoff))
    if spread == 0.0 or radius == 0.0:
        return float(prior @ payoff)
    if radius == math.inf:
        return float(payoff.min())
    shifted = (payoff - payoff.min()) / spread

    def dual(log_m: float) -> float:
        m = math.exp(log_m)
        return float(m * logsumexp(-shifted / m, b=prior) + m * radius)

    best = minimize_scalar(dual, bounds=(-30.0, 30.0), method="bounded", options={"xatol": 1e-10})
    grid = min(map(dual, np.linspace(-30.0, 30.0, 601)))
    # m -> 0 is the worst state.
    return float(payoff.min() + spread * max(0.0, -min(best.fun, grid)))


@METHODS
@given(books(log_alpha=(-9, -5)))
@examples(80)
def test_next_to_no_risk_aversion_is_the_robust_risk_neutral_maker(method, book):
    """Within alpha spread^2 / 8 of the worst expectation, by Hoeffding's lemma."""
    result = clear(book, method=method)
    for payoff, value in (
        (result.payoff, result.certainty_equivalent),
        (book.inventory, result.no_trade_equivalent),
    ):
        expected = worst_mean(payoff, book.prior, book.ambiguity)
        most = book.risk_aversion * float(np.ptp(payoff)) ** 2 / 8
        slack = book.tolerance(3e-9) + 1e-9 * float(np.ptp(payoff))
        assert -slack <= expected - value <= most + slack


@METHODS
def test_clearings_converge_to_the_risk_neutral_optimum(method):
    """That of the witness, which takes no risk aversion at all, and in proportion to alpha.

    What a clearing is worth falls short of its worst mean by at most alpha spread^2 / 8, by
    Hoeffding's lemma. So does the best clearing, with the spread of the risk-neutral one: the best
    is worth no less than that is.
    """
    traded = []

    @given(books(max_states=4, max_claims=2, log_alpha=(-2, 1)))
    @examples(60)
    def compare(book):
        neutral = witness.clear(book.with_(risk_aversion=0.0))
        slack = book.tolerance(3e-9)
        assert neutral.upper_bound <= neutral.certainty_equivalent + slack
        prices = [
            piece.price_low if piece.is_step else payoff @ neutral.state_prices
            for payoff, piece in zip(book.payoffs, neutral.pieces, strict=True)
        ]
        payoff = book.inventory + (np.array(prices) - book.payoffs.T) @ neutral.net_demand
        spread = float(np.ptp(payoff))
        by_its_dual = worst_mean(payoff, book.prior, book.ambiguity)
        digits = 2e-8 * spread  # at a radius of 1e-16 the dual subtracts numbers of 1e8
        assert by_its_dual == pytest.approx(neutral.certainty_equivalent, abs=slack + digits)
        for small in (1.0, 1e-3, 1e-6, 1e-9):
            alpha = small / book.notional
            result = clear(book.with_(risk_aversion=alpha), method=method)
            short = neutral.certainty_equivalent - result.certainty_equivalent
            assert -slack <= short <= alpha * spread**2 / 8 + slack
        traded.append(spread**2 / 8 * alpha < slack and bool(neutral.net_demand.any()))

    compare()
    # Otherwise the maker never traded in the limit, or the inventory's risk hid what it gained.
    assert any(traded)


# -- closed forms --------------------------------------------------------------------------------


@METHODS
@given(
    st.integers(1, 9).map(lambda n: n / 10),
    st.integers(1, 19).map(lambda n: n / 20),
    log_uniform(-2, 1),
    log_uniform(-1, 1),
)
@examples(80)
def test_one_bid_without_ambiguity(method, chance, limit, alpha, quantity):
    """The maker sells up to the odds: y = ln(b (1 - q) / (q (1 - b))) / alpha, or all, or none."""
    market = kpm.Market([[1.0, 0.0]], [chance, 1 - chance], risk_aversion=alpha, ambiguity=0.0)
    orders = kpm.Orders([0], 1, limit, quantity)
    result = kpm.clear(market, orders, method, tolerance=1e-12)
    assert result.verify()
    wanted = math.log(limit * (1 - chance) / (chance * (1 - limit))) / alpha
    expected = min(max(wanted, 0.0), quantity)
    assert result.fills[0] == pytest.approx(expected, abs=1e-5 * (quantity + 1 / alpha))
    loss = logsumexp([alpha * expected, 0.0], b=[chance, 1 - chance]) / alpha
    assert result.certainty_equivalent == pytest.approx(
        limit * expected - loss, abs=1e-11 * (quantity + 1 / alpha)
    )


@METHODS
@given(
    st.integers(1, 9).map(lambda n: n / 10),
    st.integers(1, 19).map(lambda n: n / 20),
    st.floats(0.001, 2.5),
)
@examples(80)
def test_one_bid_without_risk_aversion(method, chance, limit, radius):
    """All of it or nothing: the maker sells if the bid exceeds the claim's worst probability."""
    alpha = 1e-9
    market = kpm.Market([[1.0, 0.0]], [chance, 1 - chance], risk_aversion=alpha, ambiguity=radius)
    result = kpm.clear(market, kpm.Orders([0], 1, limit, 1.0), method)
    assert result.verify()

    def excess(p: float) -> float:
        return float(rel_entr([p, 1 - p], [chance, 1 - chance]).sum()) - radius

    worst = brentq(excess, chance, 1.0) if excess(1.0) > 0 else 1.0
    assert result.certainty_equivalent == pytest.approx(max(0.0, limit - worst), abs=2e-8)
    if abs(limit - worst) > 1e-6:
        assert result.fills[0] == (1.0 if limit > worst else 0.0)


@METHODS
@given(sizes(2, 5).flatmap(priors), st.data())
@examples(60)
def test_a_book_of_one_claim_for_each_state(method, prior, data):
    """Equal bids b for every state, unlimited ambiguity: a pari-mutuel pool earns b n - 1 a set."""
    states = prior.size
    eighths = data.draw(st.integers(1, 7))
    market = kpm.Market(np.eye(states), prior, ambiguity=math.inf)
    orders = kpm.Orders(np.arange(states), 1, eighths / 8, 1.0)
    result = kpm.clear(market, orders, method)
    assert result.verify()
    # Prices add up to one: where bids exceed that, some must be below their limit.
    assert result.claim_prices.sum() == pytest.approx(1.0)
    assert result.payoff.min() >= -1e-9
    assert result.certainty_equivalent == pytest.approx(0.0, abs=1e-8)
    if eighths / 8 * states < 1 - 1e-9:
        assert result.volume == pytest.approx(0.0, abs=1e-6)


@METHODS
@pytest.mark.parametrize("below", [0.0, 1e-16, 1e-12, 1e-9, 1e-6, 1e-3])
def test_the_ambiguity_price_next_to_a_kink(below, method):
    """Exact, and checked as exactly as rounding of the ambiguity allows."""
    book = Book(
        payoffs=np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),
        prior=np.array([0.5, 0.5]),
        inventory=np.zeros(2),
        risk_aversion=0.5,
        ambiguity=math.log(2.0) * (1.0 - below),
        claim=np.array([0, 2]),
        side=np.array([1, 1]),
        price=np.array([0.0, 1.0]),
        quantity=np.array([1.0, 1.0]),
    )
    result = clear(book, method=method)  # verified there
    assert (result.ambiguity_price > 0.0) == (below > 0.0)
