"""Books of many claims on disjoint sets of states, which the core solves without matrices."""

from __future__ import annotations

import numpy as np
import pytest

import kpm_fast as kpm
from adapter import assert_no_bit_depends_on_threads_or_order, stopped

pytestmark = pytest.mark.cross_section

CLAIMS = 30


def _book(
    seed: int, *, states: int = CLAIMS, ambiguity: float = 0.1
) -> tuple[kpm.Market, kpm.Orders]:
    """Claims on disjoint sets of states; some states beyond the first CLAIMS pay no claim."""
    generator = np.random.default_rng([seed, states])
    paying = np.full(states, -1)
    paying[:CLAIMS] = np.arange(CLAIMS)
    extra = generator.integers(-1, CLAIMS, states - CLAIMS)
    paying[CLAIMS:] = extra
    payoffs = (paying == np.arange(CLAIMS)[:, None]).astype(float)
    prior, crowd = generator.dirichlet(np.full(states, 5.0), size=2)
    claim = generator.integers(0, CLAIMS, 10 * CLAIMS)
    price = (payoffs @ crowd)[claim] * np.exp(0.3 * generator.standard_normal(len(claim)))
    orders = kpm.Orders(
        claim,
        generator.choice([1, -1], len(claim)),
        price.clip(1e-3, 0.999),
        generator.integers(1, 20, len(claim)).astype(float),
    )
    market = kpm.Market(
        payoffs,
        prior,
        inventory=generator.uniform(0.0, 20.0, states),
        risk_aversion=0.002,
        ambiguity=ambiguity,
    )
    return market, orders


def _of_a_crowd(seed: int) -> tuple[kpm.Market, kpm.Orders]:
    """640 orders for one claim on each of 64 states, and a maker that they matter to."""
    generator = np.random.default_rng([seed, 64])
    prior, crowd = generator.dirichlet(np.full(64, 10.0), size=2)
    claim = generator.integers(0, 64, 640)
    orders = kpm.Orders(
        claim,
        generator.choice([1, -1], 640),
        (crowd[claim] * np.exp(0.2 * generator.standard_normal(640))).clip(1e-4, 0.999),
        generator.integers(1, 101, 640).astype(float),
    )
    risk_aversion = 1.0 / orders.quantity.sum()
    return kpm.Market(np.eye(64), prior, risk_aversion=risk_aversion, ambiguity=0.1), orders


def _complements(market: kpm.Market, orders: kpm.Orders) -> tuple[kpm.Market, kpm.Orders]:
    """The same book in terms of the complements of its claims, which are not disjoint."""
    return (
        market.replace(payoffs=1.0 - market.payoffs),
        kpm.Orders(orders.claim, -orders.side, 1.0 - orders.price, orders.quantity),
    )


@pytest.mark.parametrize("ambiguity", [0.0, 0.02, 0.3, 50.0])
@pytest.mark.parametrize("states", [CLAIMS, CLAIMS + 17])
@pytest.mark.parametrize("seed", range(2))
def test_clears_as_the_complements_of_its_claims_do(
    seed: int, states: int, ambiguity: float
) -> None:
    market, orders = _book(seed, states=states, ambiguity=ambiguity)
    found = kpm.clear(market, orders, tolerance=1e-9, certificate=True)
    other = kpm.clear(*_complements(market, orders), tolerance=1e-9)
    assert found.status == other.status == kpm.Status.OPTIMAL
    assert found.verify().passed
    assert kpm.check_certificate(market, orders, found).passed
    allowed = 2e-9 * found.scale
    assert found.certainty_equivalent == pytest.approx(other.certainty_equivalent, abs=allowed)


def test_the_same_bits_for_any_threads_and_order_of_the_claims() -> None:
    assert_no_bit_depends_on_threads_or_order(*_book(5, states=CLAIMS + 9))


def test_the_same_bits_for_any_threads_and_order_along_the_risk() -> None:
    assert_no_bit_depends_on_threads_or_order(*_of_a_crowd(6))


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-5])
def test_stopped_at_any_poll_a_clearing_verifies(tolerance: float) -> None:
    """Optimal only with the gap for it: a stop may come during or after the proof."""
    market, orders = _book(1)
    best, polls = stopped(market, orders, -1, tolerance=tolerance)
    assert best.status is kpm.Status.OPTIMAL
    for poll in np.linspace(0, polls.count, 12).astype(int).tolist():
        found, _ = stopped(market, orders, poll, tolerance=tolerance)
        assert found.verify().passed
        assert found.status in (kpm.Status.OPTIMAL, kpm.Status.INTERRUPTED)
        if found.status is kpm.Status.OPTIMAL:
            assert found.gap <= tolerance * found.scale
    assert found.status is kpm.Status.OPTIMAL  # one poll too late


@pytest.mark.parametrize("seed", [3, 6, 12])
def test_a_search_along_the_risk_ends_with_the_clearing_of_a_certificate(seed: int) -> None:
    """So many claims are searched along the risk, but for a certificate, with fewer nodes."""
    market, orders = _of_a_crowd(seed)
    found = kpm.clear(market, orders)
    proven = kpm.clear(market, orders, certificate=True)
    assert found.status == proven.status == kpm.Status.OPTIMAL
    assert found.verify().passed
    assert kpm.check_certificate(market, orders, proven).passed
    assert found.stats.nodes < proven.stats.nodes
    np.testing.assert_allclose(found.claim_prices, proven.claim_prices, rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.fills, proven.fills, rtol=0, atol=1e-6)
    assert found.upper_bound >= proven.certainty_equivalent - 1e-9 * found.scale


@pytest.mark.parametrize("seed", [1, 49])
def test_a_small_tree_is_not_searched_along_the_risk(seed: int) -> None:
    market, orders = _of_a_crowd(seed)
    found = kpm.clear(market, orders)
    proven = kpm.clear(market, orders, certificate=True)
    assert 1 < found.stats.nodes == proven.stats.nodes
    assert found.stats.iterations == proven.stats.iterations
