"""Strips of calls and puts: claims that are linearly dependent but for their printed rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpm_fast as kpm
from chains import option_chain, price_error
from strategies import examples, fewer

pytestmark = pytest.mark.cross_section

PRICE = 1e-12  # of a claim's payoff range


def assert_honest(market: kpm.Market, orders: kpm.Orders, result: kpm.Result) -> None:
    """Claim prices are those of the state prices, and every order is filled by those prices."""
    assert price_error(market, result) <= PRICE
    at = {label: number for number, label in enumerate(market.claims)}
    claims = np.array([at[label] for label in orders.claim])
    made = (market.payoffs @ result.state_prices)[claims]
    spans = np.ptp(market.payoffs, axis=1)[claims]
    better = orders.side * (orders.price - made)
    assert (result.fills[better > PRICE * spans] == orders.quantity[better > PRICE * spans]).all()
    assert (result.fills[better < -PRICE * spans] == 0.0).all()
    result.verify().raise_if_failed()
    if result.status is kpm.Status.OPTIMAL:
        assert result.gap <= result.tolerance * result.scale


CHAINS = {
    "seed": st.integers(0, 10**6),
    "strikes": st.integers(4, 16),
    "puts": st.booleans(),
    "digits": st.sampled_from([8, 10, 12, 14, None]),
    "inventory": st.sampled_from([0.0, 0.1]),
    "risk_aversion": st.sampled_from([1e-7, 1e-3, 0.1]),
    "ambiguity": st.sampled_from([0.0, 0.01, 0.3]),
}


@examples(150)
@given(st.fixed_dictionaries(CHAINS), st.sampled_from([1, 200]))
def test_prices_agree_whatever_the_status(chain: dict[str, Any], limit: int) -> None:
    market, orders = option_chain(**chain)
    assert_honest(market, orders, kpm.clear(market, orders, node_limit=limit))


def test_chains_of_sixteen_strikes_are_optimal_in_hundreds_of_nodes() -> None:
    for seed in range(fewer(40, 10)):
        draw = np.random.default_rng(seed)
        market, orders = option_chain(
            seed,
            int(draw.integers(4, 17)),
            puts=bool(draw.integers(2)),
            digits=[8, 10, 12, 14, None][draw.integers(5)],
            inventory=[0.0, 0.1][draw.integers(2)],
            risk_aversion=[1e-7, 1e-3, 0.1][draw.integers(3)],
            ambiguity=[0.0, 0.01, 0.3][draw.integers(3)],
        )
        result = kpm.clear(market, orders, node_limit=400)
        assert_honest(market, orders, result)
        assert result.status is kpm.Status.OPTIMAL, seed


def test_printed_digits_hardly_change_what_a_chain_is_worth() -> None:
    """Ten digits move no payoff by more than 1e-10 of the largest, and the value by no more than
    that times the volume; parity that holds to ten digits only must not act as a limit."""
    proven = []

    @examples(60)
    @given(st.fixed_dictionaries(CHAINS))
    def compare(chain: dict[str, Any]) -> None:
        exact, orders = option_chain(**{**chain, "digits": None})
        printed, same = option_chain(**{**chain, "digits": 10})
        assert same == orders
        worth = [kpm.clear(market, orders, node_limit=400) for market in (exact, printed)]
        proven.append(all(result.status is kpm.Status.OPTIMAL for result in worth))
        if proven[-1]:
            apart = abs(worth[0].certainty_equivalent - worth[1].certainty_equivalent)
            assert apart <= 2e-8 * worth[0].scale

    compare()
    assert sum(proven) > len(proven) // 2


def test_a_large_chain_is_optimal() -> None:
    market, orders = option_chain(1, 50, depth=1)
    result = kpm.clear(market, orders, time_limit=300.0)
    assert_honest(market, orders, result)
    assert result.status is kpm.Status.OPTIMAL


@pytest.mark.parametrize(
    ("seed", "strikes", "inventory"), [(2, 50, 0.1), (2, 75, 0.0), (1, 75, 0.1), (1, 100, 0.1)]
)
def test_chains_are_optimal_in_hundreds_of_nodes(seed: int, strikes: int, inventory: float) -> None:
    """Most boxes below a node are bounded without a relaxation; these took thousands of nodes."""
    market, orders = option_chain(seed, strikes, inventory=inventory)
    result = kpm.clear(market, orders, node_limit=1000)
    assert_honest(market, orders, result)
    assert result.status is kpm.Status.OPTIMAL


def test_halves_that_a_try_prunes_leave_the_box() -> None:
    """Where only the split that is taken counted, of fewer tries, this took 704 nodes."""
    market, orders = option_chain(3, 75)
    result = kpm.clear(market, orders, node_limit=400)
    assert_honest(market, orders, result)
    assert result.status is kpm.Status.OPTIMAL


def test_relaxations_of_many_claims_take_few_iterations() -> None:
    """One of hundreds of corners ends a step early unless products are corrected: 89 iterations a
    relaxation without, and 57 with it, among them those of three cells."""
    market, orders = option_chain(1, 50)
    stats = kpm.clear(market, orders, node_limit=16).stats
    assert stats.relaxations > 5
    assert stats.iterations <= 70 * stats.relaxations


@pytest.mark.parametrize("inventory", [0.0, 0.1])
def test_a_chain_has_one_answer_for_any_threads_and_its_proof_holds(inventory: float) -> None:
    """From 64 claims on neighbours of clearings are tried, which must not depend on the thread."""
    market, orders = option_chain(1, 50, digits=None, inventory=inventory)
    assert len(market.claims) >= 64
    one, two = (
        kpm.clear(market, orders, node_limit=40, threads=threads, certificate=True)
        for threads in (1, 2)
    )
    assert one == two
    assert_honest(market, orders, one)
    kpm.check_certificate(market, orders, one).raise_if_failed()


@pytest.mark.parametrize("seed", [0, 2])
def test_a_good_clearing_of_a_chain_is_found_at_the_first_nodes(seed: int) -> None:
    """Climbing moves claims whose own trade gains; neighbours gain by what their prices allow the
    others. Without them two nodes end 1e-4 and 2e-4 of the notional short."""
    market, orders = option_chain(seed, 50, digits=None, inventory=0.1)
    early, late = (kpm.clear(market, orders, node_limit=limit) for limit in (2, 100))
    assert late.certainty_equivalent - early.certainty_equivalent <= 2e-5 * late.scale
