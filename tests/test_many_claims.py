"""Books of many more claims than states, whose systems are factored in the states' size."""

from __future__ import annotations

import numpy as np
import pytest

import kpm_fast as kpm

pytestmark = pytest.mark.cross_section

STATES, CLAIMS, EACH = 4, 30, 4


def draw(seed: int) -> tuple[kpm.Market, kpm.Orders]:
    rng = np.random.default_rng(seed)
    payoffs = rng.normal(size=(CLAIMS, STATES)).round(2)
    prior = rng.dirichlet(np.ones(STATES))
    inventory = rng.choice([0.0, 1.0]) * rng.normal(size=STATES)
    claim = np.repeat(np.arange(CLAIMS), EACH)
    limit = (payoffs @ prior)[claim] + 0.1 * rng.normal(size=len(claim))
    market = kpm.Market(
        payoffs, prior, inventory, 10 ** rng.uniform(-3, 0), rng.choice([0, 0.001, 0.01, 0.1])
    )
    side = rng.choice(["buy", "sell"], len(claim))
    return market, kpm.Orders(claim, side, limit.round(3), rng.integers(1, 20, len(claim)))


def split_states(market: kpm.Market) -> kpm.Market:
    """The same market with every state as two, too many for systems in the states' size."""
    return kpm.Market(
        np.repeat(market.payoffs, 2, axis=1),
        np.repeat(market.prior / 2, 2),
        np.repeat(market.inventory, 2),
        market.risk_aversion,
        market.ambiguity,
    )


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("rule", ["maker_optimal", "competitive"])
def test_split_states_change_nothing(seed: int, rule: str) -> None:
    market, orders = draw(seed)
    assert 5 * STATES <= CLAIMS < 5 * 2 * STATES
    few = kpm.clear(market, orders, rule=rule)
    many = kpm.clear(split_states(market), orders, rule=rule)
    for result in (few, many):
        assert result.status is kpm.Status.OPTIMAL
        result.verify().raise_if_failed()
    size = few.scale
    assert abs(few.certainty_equivalent - many.certainty_equivalent) <= 1e-9 * size
    if rule == "competitive":
        assert np.allclose(few.claim_prices, many.claim_prices, rtol=0, atol=1e-9)


def test_a_proof_of_many_claims_checks() -> None:
    market, orders = draw(3)
    result = kpm.clear(market, orders, certificate=True)
    kpm.check_certificate(market, orders, result).raise_if_failed()
