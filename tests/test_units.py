"""Books in which far more is offered than trades: one search, in the unit of what trades.

Giants that could trade at prices the ambiguity allows, but do not: beside them what does trade
would have no digits. And equal claims whose limits differ by rounding: after the merge each
member's own limits stay apart.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import kpm_fast as kpm
from strategies import METHODS, examples

pytestmark = pytest.mark.cross_section


def crossed(size: float, traded: float) -> tuple[kpm.Market, kpm.Orders]:
    """A giant bid and a giant offer on either side of the best price, and a trade between."""
    market = kpm.Market([[1.0, 0.0], [0.0, 1.0]], [0.5, 0.5], risk_aversion=1.0, ambiguity=0.01)
    orders = kpm.Orders(
        [0, 0, 0, 1],
        ["buy", "sell", "buy", "buy"],
        [0.3, 0.7, 0.625, 0.25],
        [size, size, traded, size],
    )
    return market, orders


@METHODS
@pytest.mark.parametrize("size", [1e4, 1e6, 1e8, 1e10])
def test_giants_on_every_level_leave_the_digits_to_what_trades(size: float, method: str) -> None:
    expected = kpm.clear(*crossed(1.0, 0.1))
    result = kpm.clear(*crossed(size, 0.1), method=method)
    assert result.status is kpm.Status.OPTIMAL
    np.testing.assert_allclose(result.fills, expected.fills, rtol=0, atol=1e-8)
    assert result.certainty_equivalent == pytest.approx(expected.certainty_equivalent, abs=1e-9)
    assert result.gap <= result.tolerance * result.scale
    assert result.verify(), str(result.verify())


@given(
    st.integers(1, 8),
    st.sampled_from([1e-3, 0.01, 0.4, 1.0]),
    st.sampled_from([1e5, 1e6, 1e8]),
    st.randoms(use_true_random=False),
)
@examples(150)
def test_proofs_of_such_books(count: int, traded: float, size: float, random: object) -> None:
    rng = np.random.default_rng(random.randrange(2**32))  # type: ignore[attr-defined]
    states = 3
    payoffs = np.vstack([np.eye(states), 1 - np.eye(states)])
    market = kpm.Market(payoffs, np.full(states, 1 / states), risk_aversion=1.0, ambiguity=0.02)
    claim, side = rng.integers(6, size=count), rng.choice([1, -1], count)
    price = np.where(side > 0, rng.uniform(0.0, 0.2, count), rng.uniform(0.8, 1.0, count))
    price = np.where(claim < states, price, np.where(side > 0, 0.45, 0.9))  # complements pay 2/3
    orders = kpm.Orders([*claim, 0], [*side, 1], [*price, 0.9], [*np.full(count, size), traded])
    result = kpm.clear(market, orders, threads=1, certificate=True)
    assume(result.scale < 1e3 * traded)
    assert result.status is kpm.Status.OPTIMAL, result.gap / result.scale
    assert kpm.check_certificate(market, orders, result)
    assert result.verify(), str(result.verify())


@METHODS
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("toward", [0, 1, -1])
def test_limits_an_ulp_apart_on_equal_claims(turned: bool, toward: int, method: str) -> None:
    """Three limits of one claim an ulp apart, and a limit of the other claim beside them."""
    row = np.array([1.0, 0.0, 0.3])
    market = kpm.Market([row, 1 - row if turned else row], [0.3, 0.3, 0.4], ambiguity=0.01)
    limit = 0.7 if turned else 0.3
    near = [limit, np.nextafter(limit, 0), np.nextafter(limit, 1)]
    other = np.nextafter(0.3, toward) if toward else 0.3
    side = "sell" if turned else "buy"
    orders = kpm.Orders([1, 1, 1, 0, 0], [side] * 3 + ["buy", "sell"], [*near, other, 0.2], 1.0)
    one = kpm.clear(market, orders, method=method)
    apart = kpm.clear(market, orders, presolve=False)
    for result in (one, apart):
        assert result.status is kpm.Status.OPTIMAL
        assert result.verify(), str(result.verify())
    assert one.certainty_equivalent == pytest.approx(apart.certainty_equivalent, abs=1e-12)
    np.testing.assert_allclose(one.claim_prices, apart.claim_prices, rtol=0, atol=1e-12)
