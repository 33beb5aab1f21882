"""The certificate checker on results that are no clearings although all their figures agree."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import kpm_fast as kpm
from kpm_fast.verification import reference
from proofs import prove

MARKET = kpm.Market([[1, 0, 0], [0, 1, 0]], [0.3, 0.3, 0.4], risk_aversion=0.8)
ORDERS = kpm.Orders([0, 1, 0, 1], ["buy", "buy", "sell", "buy"], [0.6, 0.4, 0.5, 0.2], [1, 1, 1, 2])


@pytest.fixture(scope="module")
def proven() -> kpm.Result:
    return prove(MARKET, ORDERS)


def fitted(result: kpm.Result, fills: np.ndarray, prices: np.ndarray) -> kpm.Result:
    """The result with other fills and prices, and every figure made to fit them."""
    index = result.orders.claim_index(result.market)
    demand = np.bincount(index, result.orders.side * fills, len(prices))
    revenue = float(prices @ demand)
    payoff = result.market.inventory + revenue - demand @ result.market.payoffs
    book = (result.market.prior, result.market.risk_aversion, result.market.ambiguity)
    return dataclasses.replace(
        result,
        status=kpm.Status.TIME_LIMIT,
        fills=fills,
        claim_prices=prices,
        net_demand=demand,
        revenue=revenue,
        payoff=payoff,
        certainty_equivalent=-reference.worst_case_risk(-payoff, *book)[0],
    )


def failed(result: kpm.Result) -> set[str]:
    return {check.name for check in kpm.check_certificate(MARKET, ORDERS, result).failed}


def test_the_clearing_itself(proven: kpm.Result) -> None:
    assert failed(fitted(proven, proven.fills, proven.claim_prices)) == set()


def test_a_worse_clearing_is_a_clearing_with_a_gap(proven: kpm.Result) -> None:
    """Its proof says how much better another might be; only the status optimal is wrong."""
    dear = np.array([0.0, 0.0, 1.0])  # both claims cost 0: every bid is filled, and no offer
    prices = MARKET.payoffs @ dear
    fills = np.where((ORDERS.side > 0) & (ORDERS.price > prices[ORDERS.claim]), ORDERS.quantity, 0)
    worse = dataclasses.replace(fitted(proven, fills, prices), state_prices=dear)
    assert worse.gap > 0.1
    assert failed(worse) == set()
    optimal = dataclasses.replace(worse, status=kpm.Status.OPTIMAL)
    assert failed(optimal) == {"gap of an optimal result, in money"}


def test_fills_against_the_logic(proven: kpm.Result) -> None:
    """A bid below its price, half filled."""
    out = int(np.flatnonzero((proven.fills == 0) & (ORDERS.side > 0))[0])
    fills = proven.fills.copy()
    fills[out] = 0.5 * ORDERS.quantity[out]
    wrong = fitted(proven, fills, proven.claim_prices)
    wrong = dataclasses.replace(
        wrong, upper_bound=max(wrong.upper_bound, wrong.certainty_equivalent)
    )
    assert failed(wrong) == {"orders obey the limit order logic"}


@pytest.mark.parametrize("fill", [-0.1, 1.1])
def test_fills_beyond_the_quantity(proven: kpm.Result, fill: float) -> None:
    fills = proven.fills.copy()
    row = int(np.flatnonzero((fills > 0) & (fills <= ORDERS.quantity))[0])
    fills[row] = fill * ORDERS.quantity[row]
    assert "orders obey the limit order logic" in failed(fitted(proven, fills, proven.claim_prices))


def test_prices_that_no_state_prices_give(proven: kpm.Result) -> None:
    """With every price .001 higher it earns more than any clearing does."""
    wrong = fitted(proven, proven.fills, proven.claim_prices + 1e-3)
    assert failed(wrong) >= {
        "claim prices = payoffs @ state prices, in money",
        "value of the fills at most upper bound, in money",
    }
    raised = dataclasses.replace(wrong, upper_bound=wrong.certainty_equivalent)
    assert "claim prices = payoffs @ state prices, in money" in failed(raised)
