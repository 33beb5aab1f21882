"""Books of many claims on nested sets of states, which the core solves without matrices."""

from __future__ import annotations

import numpy as np
import pytest

import kpm_fast as kpm
from adapter import assert_no_bit_depends_on_threads_or_order

pytestmark = pytest.mark.cross_section

CLAIMS = 30


def _book(
    seed: int, *, claims: int = CLAIMS, beside: int = 0, ambiguity: float = 0.1
) -> tuple[kpm.Market, kpm.Orders]:
    """Digitals on an index, of two kinds: above a level, or between that and a level farther up.

    States that pay the same, of which there are ``beside``, differ in what the maker holds.
    """
    states = claims + 1 + beside
    generator = np.random.default_rng([seed, states])
    level = np.sort(generator.choice(np.arange(1, states), claims, replace=False))
    above = (np.arange(states) >= level[:, None]).astype(float)
    between = generator.choice(claims - 1, 4, replace=False)
    above[between] -= above[between + 1]
    prior, crowd = generator.dirichlet(np.full(states, 5.0), size=2)
    claim = generator.integers(0, claims, 240)
    price = (above @ crowd)[claim] + 0.03 * generator.standard_normal(len(claim))
    orders = kpm.Orders(
        claim,
        generator.choice([1, -1], len(claim)),
        price.clip(1e-3, 0.999).round(3),
        generator.integers(1, 20, len(claim)).astype(float),
    )
    market = kpm.Market(
        above,
        prior,
        inventory=generator.uniform(0.0, 20.0, states),
        risk_aversion=0.002,
        ambiguity=ambiguity,
    )
    return market, orders


def _every_second_complement(
    market: kpm.Market, orders: kpm.Orders
) -> tuple[kpm.Market, kpm.Orders]:
    """The same book with complements in the place of half the claims: these sets overlap."""
    payoffs = market.payoffs.copy()
    payoffs[::2] = 1.0 - payoffs[::2]
    turned = np.asarray(orders.claim) % 2 == 0
    return (
        market.replace(payoffs=payoffs),
        kpm.Orders(
            orders.claim,
            np.where(turned, -orders.side, orders.side),
            np.where(turned, 1.0 - orders.price, orders.price),
            orders.quantity,
        ),
    )


@pytest.mark.parametrize("ambiguity", [0.0, 0.02, 0.3, 50.0])
@pytest.mark.parametrize(("claims", "beside"), [(CLAIMS, 0), (CLAIMS, 19), (66, 0)])
@pytest.mark.parametrize("seed", range(2))
def test_clears_as_with_complements_of_its_claims(
    seed: int, claims: int, beside: int, ambiguity: float
) -> None:
    market, orders = _book(seed, claims=claims, beside=beside, ambiguity=ambiguity)
    found = kpm.clear(market, orders, tolerance=1e-9, certificate=True)
    other = kpm.clear(*_every_second_complement(market, orders), tolerance=1e-9)
    assert found.status == other.status == kpm.Status.OPTIMAL
    assert found.verify().passed
    assert kpm.check_certificate(market, orders, found).passed
    allowed = 1e-12 * found.scale
    assert found.certainty_equivalent == pytest.approx(other.certainty_equivalent, abs=allowed)
    assert found.state_prices == pytest.approx(other.state_prices, abs=1e-12)
    assert found.fills == pytest.approx(other.fills, abs=1e-9)


def test_the_same_bits_for_any_threads_and_order_of_the_claims() -> None:
    assert_no_bit_depends_on_threads_or_order(*_book(5, beside=9))
