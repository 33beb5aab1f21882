"""The convex rules on books whose numbers are powers of ten apart: every figure is a number."""

from __future__ import annotations

import numpy as np
import pytest

import kpm_fast as kpm
from strategies import fewer
from tests.auction_books import MAKERS, RULES, extreme_book

FIGURES = [
    "fills",
    "net_demand",
    "claim_prices",
    "state_prices",
    "marginal_state_prices",
    "worst_case",
    "payoff",
    "revenue",
    "certainty_equivalent",
    "no_trade_equivalent",
    "objective",
    "upper_bound",
    "gap",
    "scale",
]


def in_numbers(market, orders, rule):
    """The result, all of whose figures are numbers, with a bound that holds."""
    result = kpm.clear(market, orders, rule=rule)
    for name in FIGURES:
        assert np.isfinite(getattr(result, name)).all(), name
    assert result.upper_bound >= result.objective - 1e-9 * result.scale
    assert np.all((result.fills >= 0) & (result.fills <= orders.quantity))
    return result


@pytest.mark.parametrize("span", [9, 13, 15])
@pytest.mark.parametrize("name", MAKERS)
def test_whatever_the_sizes_every_figure_is_a_number(name, span):
    for seed in range(fewer(200, 20)):
        market, orders = extreme_book(seed, name, span)
        for rule in RULES:
            in_numbers(market, orders, rule)


@pytest.mark.parametrize("rule", RULES)
def test_a_choice_of_demand_that_overflows_is_not_taken(rule):
    """Orders from 1e-17 to 1e4 of the notional that trades, on a step that two claims share."""
    unit = 9.999999999999999e-06
    payoffs = unit * np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0], [1, 1, 1]])
    inventory = [-122966744001.37033, 962427554003.8824, 1371548397443.2004]
    priors = [
        [0.29654688831568643, 0.4399266012362338, 0.2635265104480798],
        [2.8586871659811683e-26, 1.0, 1.1933974236766057e-28],
        [0.9999999999851624, 2.0309544143631108e-15, 1.4835605149836394e-11],
        [0.17093799738555052, 0.5119150108617427, 0.31714699175270666],
    ]
    market = kpm.Market(payoffs, maker=kpm.PolytopeMaker(priors, 1e11, inventory))
    orders = kpm.Orders(
        [3, 3, 0, 0, 1, 3, 2, 1, 0, 2, 0],
        [1, 1, 1, 1, -1, -1, 1, -1, -1, 1, 1],
        [
            unit,
            unit,
            6.999999999999999e-06,
            2e-6,
            1e-6,
            unit,
            0,
            4e-6,
            2.9999999999999997e-6,
            0,
            8e-6,
        ],
        [
            *(5.9999999999999995e-12, 430.0, 0.348, 1.5499999999999998e-11, 2.3899999999999996e-06),
            *(4e9, 969999.9999999999, 348000.0, 122000.0, 1.48e10, 2.7000000000000004e-08),
        ],
    )
    in_numbers(market, orders, rule)
