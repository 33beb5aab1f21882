"""Extreme numbers: right answers within the range of inputs, errors with a reason outside it."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from kpm_fast.verification import reference
from strategies import fewer
from stress import extremes, families, soak

NO_ORDERS = kpm.Orders([], [], [], [])


@pytest.mark.cross_section
def test_a_survey_of_extreme_books() -> None:
    """The short form of ``python -m stress extremes``."""
    tallies = extremes.survey(20 * len(families.FAMILIES), seed=5)
    assert {name: tally.failures for name, tally in tallies.items() if tally.failures} == {}
    assert {tally.books for tally in tallies.values()} == {20}
    assert all(tally.optimal >= 15 for tally in tallies.values()), tallies


def test_a_short_soak(monkeypatch: pytest.MonkeyPatch) -> None:
    """The short form of ``python -m stress soak``; its memory is judged by the long one."""
    # Each sample collects garbage, and pytest has much to look at.
    monkeypatch.setattr(soak, "_SAMPLES", 10)
    clearings = fewer(2_000, 100)
    one, other = (soak.one_pass(clearings, 3, threads) for threads in (1, 2))
    assert one.digest == other.digest
    assert one.teams == 0
    assert soak.one_pass(clearings, 4, 1).digest != one.digest


def test_growth_is_measured() -> None:
    slope, grown = soak.growth(np.array([(n, 1_000_000 + 24 * n) for n in range(0, 1000, 10)]))
    assert slope == pytest.approx(24)
    assert grown == 24 * 890


@pytest.mark.parametrize("at", [12, 30, 50, 70, 95])
def test_a_step_is_no_growth_but_a_leak_that_a_step_hides_is(at: int) -> None:
    """Wherever the step is; pages of 4 KiB, as the kernel counts them."""
    counts = 5000 * np.arange(1, 101)
    step = np.where(np.arange(100) >= at, 2**19, 0)
    noise = 4096 * (np.arange(100) % 3)
    slope, grown = soak.growth(np.column_stack([counts, 10**8 + step + noise]))
    assert abs(slope) < 0.5 * soak._SLOPE
    assert grown == pytest.approx(2**19, abs=2 * 4096)
    leak = 4096 * (4 * counts // 4096)
    slope, _ = soak.growth(np.column_stack([counts, 10**8 - step + noise + leak]))
    assert slope > soak._SLOPE


@pytest.mark.parametrize(
    ("clearings", "leak", "changes", "words"),
    [
        (500_000, 0.0, {}, None),
        (500_000, 1.0, {}, None),
        (500_000, 3.0, {}, "GROWING"),
        (20_000, 16.0, {}, None),  # pages
        (20_000, 32.0, {}, "GROWING"),  # the least that can be lost
        (500_000, 0.0, {"digest": "another"}, "DIFFERENT"),
        (500_000, 0.0, {"teams": 0}, "NOT COMPARED"),
    ],
)
def test_a_soak_is_judged(
    clearings: int, leak: float, changes: dict[str, Any], words: str | None
) -> None:
    counts = np.arange(1, 101) * (clearings // 100)
    samples = np.stack([counts, 40_000_000 + leak * counts], axis=1).astype(np.int64)
    one = soak.Pass(1, clearings, digest="same", samples=samples)
    two = replace(one, threads=2, teams=1)
    found = soak.faults([one, replace(two, **changes)])
    assert bool(found) == (words is not None)
    assert words is None or words in found[-1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"payoffs": [[1e31, 0.0], [0.0, 1.0]]}, "payoffs['0', '0']: must be between"),
        ({"payoffs": [[0.0, 1.0], [0.0, 1e-51]]}, "payoffs['1']: must be all alike or differ by"),
        ({"prior": [1.0, 1e-201]}, "prior['1']: must be at least 1e-200"),
        ({"inventory": [0.0, -1e31]}, "inventory['1']: must be between"),
        ({"risk_aversion": 1e-31}, "risk_aversion: must be between"),
        ({"risk_aversion": 1e31}, "risk_aversion: must be between"),
        ({"risk_aversion": 10**400}, "risk_aversion: must be a number"),
        ({"payoffs": [[10**400, 0], [0, 1]]}, "payoffs: must be numbers"),
    ],
)
def test_the_range_of_a_market(changes: dict[str, Any], words: str) -> None:
    market: dict[str, Any] = {"payoffs": np.eye(2), "prior": [0.5, 0.5], **changes}
    with pytest.raises(kpm.InputError) as caught:
        kpm.Market(**market)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize("quantity", [1e31, 1e-31, 5e-324])
def test_the_range_of_a_quantity(quantity: float) -> None:
    with pytest.raises(kpm.InputError, match=r"quantity\[1\]: must be 0 or between 1e-30 and"):
        kpm.Orders([0, 0], ["buy", "buy"], [0.5, 0.5], [0.0, quantity])


@pytest.mark.cross_section
@pytest.mark.parametrize("payoff", [1e30, 1e-50])
@pytest.mark.parametrize("quantity", [1e30, 1e-30])
@pytest.mark.parametrize("risk_aversion", [1e30, 1e-30])
@pytest.mark.parametrize("wealth", [0.0, 1e30, -1e30])
def test_corners_of_the_range(
    payoff: float, quantity: float, risk_aversion: float, wealth: float
) -> None:
    """Products of the largest and of the smallest numbers stay finite."""
    market = kpm.Market(
        payoff * np.eye(2),
        [1.0 - 1e-200, 1e-200],
        inventory=[wealth, 0.0],
        risk_aversion=risk_aversion,
    )
    prices = payoff * np.array([0.6, 0.6, 0.3])
    result = kpm.clear(market, kpm.Orders([0, 1, 0], [1, 1, -1], prices, quantity), threads=1)
    result.verify().raise_if_failed()
    assert math.isfinite(result.certainty_equivalent)
    assert result.status is not kpm.Status.OPTIMAL or result.gap <= 1e-8 * result.scale


@pytest.mark.parametrize(
    ("prior", "wealth", "risk_aversion", "ambiguity"),
    [
        # A rare state: its variance was lost in the rounding of the others.
        ([4.8780487804878056e-101, 0.02439024390243903, 0.9756097560975611], [-1, 0, 0], 10, 1e-9),
        ([1e-100, 1.0], [-1.0, 0.0], 1e12, 2.0),
        # A radius far below 1e-32, yet far above the least prior.
        ([1.0, 1e-190], [1e6, 0.0], 1e3, 1e-180),
    ],
)
def test_the_worst_case_finds_rare_states(
    prior: list[float], wealth: list[float], risk_aversion: float, ambiguity: float
) -> None:
    market = kpm.Market(
        np.zeros((1, len(prior))),
        prior,
        inventory=wealth,
        risk_aversion=risk_aversion,
        ambiguity=ambiguity,
    )
    result = kpm.clear(market, NO_ORDERS)
    result.verify().raise_if_failed()
    rho, _ = reference.worst_case_risk(
        -market.inventory, market.prior, risk_aversion, market.ambiguity
    )
    rounding = 1e-12 * float(np.ptp(market.inventory))
    assert result.certainty_equivalent == pytest.approx(-rho, rel=1e-10, abs=rounding)
    nothing = market.replace(ambiguity=0.0)
    assert result.certainty_equivalent < kpm.clear(nothing, NO_ORDERS).certainty_equivalent


def test_a_failed_start_leaves_no_bound_behind() -> None:
    """A cell that could not be started once left multipliers of zero, and a bound of zero."""
    market = kpm.Market(
        [[0.00564, 0.003112]],
        [1e-47, 1.0],
        inventory=[0.01, 0.211094],
        risk_aversion=1e-6,
        ambiguity=0.01,
    )
    orders = kpm.Orders([0] * 17, 1, 0.003112, 1.0)
    result = kpm.clear(market, orders, certificate=True, tolerance=1e-10)
    assert result.certificate is not None
    np.testing.assert_allclose(result.certificate.marginal_state_prices.sum(axis=1), 1.0)
    kpm.check_certificate(market, orders, result).raise_if_failed()


@pytest.mark.parametrize(("seed", "index"), [(2, 104), (2, 995), (2, 1625), (2, 1706)])
def test_limits_hold_where_the_projection_fails(seed: int, index: int) -> None:
    """A prior of 1e-30 leaves Newton's method no digits: other state prices must clear."""
    market, orders = extremes.book_of(seed, index)
    result = kpm.clear(market, orders, threads=1)
    result.verify().raise_if_failed()
    off = np.abs(market.payoffs @ result.state_prices - result.claim_prices)
    assert (off <= 1e-7 * np.ptp(market.payoffs, axis=1)).all()


@pytest.mark.parametrize("index", [345, 1047])
def test_limits_an_ulp_apart(index: int) -> None:
    """Equal claims whose limits differ by an ulp: once they are merged the limits count as one."""
    market, orders = extremes.book_of(2, index)
    result = kpm.clear(market, orders, threads=1)
    assert result.status is kpm.Status.OPTIMAL
    result.verify().raise_if_failed()


@pytest.mark.parametrize("wealth", [1e12, 1e15, 1e20, 1e30])
def test_optimal_means_the_published_gap(wealth: float) -> None:
    """Vast wealth rounds away more than the tolerance: the status is then inaccurate."""
    market = kpm.Market(np.eye(3), [0.5, 0.3, 0.2], inventory=[wealth, wealth / 3, 0.7 * wealth])
    orders = kpm.Orders([0, 1, 2, 0], [1, 1, -1, -1], [0.6, 0.3, 0.1, 0.4], [3.0, 2.0, 4.0, 1.0])
    result = kpm.clear(market, orders)
    proven = result.gap <= result.tolerance * result.scale
    assert result.status is (kpm.Status.OPTIMAL if proven else kpm.Status.INACCURATE)
    result.verify().raise_if_failed()


def test_a_worst_state_that_is_nearly_impossible() -> None:
    """The first worst case once lay far outside the ball, so that its bound was invalid."""
    market = kpm.Market(
        [[0, -1, 1, 1, 1], [0, 0, 1, 1, -1e30], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]],
        [0.25, 2.5e-200, 2.5e-200, 0.5, 0.25],
        inventory=[0.4, 0.5, -1000, -1, -1],
        risk_aversion=0.69002625168862464,
        ambiguity=0.16600399324117474,
    )
    orders = kpm.Orders(
        [3, 0, 3, 0, 3, 0, 0, 0, 3, 0, 3, 0, 3, 2, 0, 0, 0, 0],
        [1, 1, 1, 1, 1, 1, -1, 1, 1, 1, 1, 1, -1, 1, 1, 1, -1, 1],
        [0, -1, 0, 3e-319, 0, 3e-319, -1, -1, 0, -1, 0, 3e-319, 0.25, 0.375, 0.605, -1, -1, -1],
        [1, 1, 1, 1, 1, 1e-30, 1, 1, 1, 1, 1, 1e-30, 40, 0.3, 1e-30, 1, 1, 1],
    )
    tree = kpm.clear(market, orders, threads=1)
    cells = kpm.clear(market, orders, "enumerate", threads=1)
    assert cells.certainty_equivalent <= tree.upper_bound + 1e-9 * tree.scale


def test_a_first_cell_out_of_reach_ends_the_climb() -> None:
    """Half of an infinite gap is infinite: the climb from there once never ended."""
    market = kpm.Market(
        [
            [0, 0, 0.5, -1e12, 1e6],
            [-1, 0, 1 / 3, 1 / 3, 1 / 3],
            [0, 0, 1e-30, 1e-30, 0],
            [0, 0, 0, 0, 1],
        ],
        np.full(5, 0.2),
        inventory=[0, 0, 0, -1, 0],
        risk_aversion=1e-30,
        ambiguity=0.0,
    )
    orders = kpm.Orders(
        [2, 3, 2, 1, 3, 0, 3, 0, 3, 0, 3, 0, 3, 0, 0, 0, 0, *[0] * 10],
        [-1, -1, 1, -1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, *[1] * 10],
        [7.5e-31, 0.375, 1.1945305291701485e103, -0.16666666666666674, 0, -1e12, 0, -1e12, 0]
        + [
            -624999625000,
            0,
            -8.7777985101972595e304,
            -1e12,
            0,
            3.23e-319,
            -1500000500000,
            8.26e-317,
        ]
        + [-1e12] * 10,
        [1e6, 0.5, 0.3, 0.3, 1, 1, 1, 1, 1, 0.3, 1, 1, 1, 1, 1e-30, 1, 1, *[1.0] * 10],
    )
    result = kpm.clear(market, orders, threads=1, tolerance=1e-6)
    assert result.status is kpm.Status.OPTIMAL
    result.verify().raise_if_failed()


@pytest.mark.cross_section
@pytest.mark.parametrize("least", [1e-20, 1e-28, 1e-30])
@pytest.mark.parametrize("rare", [1e-30, 1e-100, 1e-200])
def test_nearly_equal_losses_start_like_equal_ones(least: float, rare: float) -> None:
    """The ball tilts by Omega over their variance: where that underflowed, a start never ended."""
    market = kpm.Market([[1, 0, 0], [0, 0, 1]], [0.5, 0.5, rare], risk_aversion=1e-30, ambiguity=1)
    orders = kpm.Orders([0, 1], [1, -1], [0.3, 0.5], [1e30, least])
    for cell in itertools.product(range(3), repeat=2):
        assert kpm.solve_cell(market, orders, cell).status is kpm.Status.OPTIMAL
    result = kpm.clear(market, orders)
    assert result.status is kpm.Status.OPTIMAL
    result.verify().raise_if_failed()


def assert_status_is_that_of_the_gap(result: kpm.Result) -> None:
    within = result.gap <= result.tolerance * result.scale
    assert (result.status is kpm.Status.OPTIMAL) == within


def test_prices_that_are_nearest_but_for_noise_are_not_called_the_nearest() -> None:
    """Payoffs that differ by 1e-13 of their range lack the digits that tell what is nearest."""
    payoffs = 1e6 + np.array(
        [5.646e-8, 1e6 - 2e-8, 1e6 + 1e-7, 1e6 - 1e-7, 1.236e-7, 1e6 - 3e-7], dtype=float
    )
    prior = [0.13, 0.015, 0.07, 0.25, 0.325, 0.21]
    market = kpm.Market([payoffs], prior, risk_aversion=2e-8, ambiguity=0.5)
    limit = 1e6 + 1e6 - 1e-8
    orders = kpm.Orders([0, 0, 0], [1, 1, -1], [limit, 1.25e6, 1e6], [7.0, 3.0, 2.0])
    result = kpm.clear(market, orders, threads=1)
    assert result.status in (kpm.Status.OPTIMAL, kpm.Status.INACCURATE)
    assert_status_is_that_of_the_gap(result)
    result.verify().raise_if_failed()


@pytest.mark.parametrize("states", [300, 400, 1000])
def test_prices_of_many_states_add_up(states: int) -> None:
    """Their sum is one but for rounding, for which a constant claim once had no allowance."""
    market = kpm.Market(np.ones((1, states)), np.full(states, 1 / states))
    result = kpm.clear(market, kpm.Orders([0, 0], [1, -1], [2.0, 0.5], 1.0))
    assert result.status is kpm.Status.OPTIMAL
    result.verify().raise_if_failed()


@pytest.mark.parametrize("payoff", [1e25, 1e30])
def test_a_polytope_beyond_the_range_of_a_double_has_an_honest_status(payoff: float) -> None:
    maker = kpm.PolytopeMaker([[0.5, 0.3, 0.2], [0.4, 0.4, 0.2]], 1e20)
    market = kpm.Market([[payoff, 0, 0], [0, payoff, payoff]], maker=maker)
    orders = kpm.Orders([0, 1], ["buy", "sell"], [0.6 * payoff, 0.3 * payoff], [1.0, 2.0])
    result = kpm.clear(market, orders, rule="competitive")
    assert result.status in (kpm.Status.OPTIMAL, kpm.Status.INACCURATE)
    assert_status_is_that_of_the_gap(result)
    assert np.isfinite(result.claim_prices).all()
    assert ((result.fills >= 0) & (result.fills <= orders.quantity)).all()
