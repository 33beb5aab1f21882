"""Priors from densities over levels."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

import kpm_fast as kpm

steps = st.lists(st.floats(0.5, 20.0), min_size=1, max_size=8)


@given(steps, st.integers(0, 10**6))
def test_a_state_has_the_mass_around_its_level(gaps: list[float], seed: int) -> None:
    """Compared with the integral of the piecewise linear density, by quadrature."""
    levels = np.round(50.0 + np.concatenate([[0.0], np.cumsum(gaps)]), 2)
    height = np.random.default_rng(seed).uniform(0.1, 2.0, len(levels))
    prior = kpm.prior_from_density(levels, height)
    middle = 0.5 * (levels[1:] + levels[:-1])
    edges = np.concatenate([levels[:1], middle, levels[-1:]])

    def mass(low: float, high: float) -> float:
        inside = levels[(low < levels) & (levels < high)]
        points = np.concatenate([[low], inside, [high]])
        return float(integrate.trapezoid(np.interp(points, levels, height), points))

    expected = np.array([mass(a, b) for a, b in itertools.pairwise(edges)])
    np.testing.assert_allclose(list(prior.values()), expected / expected.sum(), rtol=1e-12)


def test_a_fine_normal_density_has_its_mean_and_deviation() -> None:
    levels = np.linspace(60.0, 140.0, 161)
    prior = kpm.prior_from_density(levels, stats.norm(100.0, 8.0).pdf)
    chance = np.array(list(prior.values()))
    assert chance @ levels == pytest.approx(100.0, abs=1e-9)
    assert np.sqrt(chance @ (levels - 100.0) ** 2) == pytest.approx(8.0, rel=1e-3)


def test_it_is_a_prior_of_a_market() -> None:
    levels = [90, 100, 110]
    payoffs = {"call 95": {"110": 15, "90": 0, "100": 5}}
    market = kpm.Market(payoffs, kpm.prior_from_density(levels, [1, 2, 1]))
    assert dict(zip(market.states, market.prior, strict=True))["100"] == max(market.prior)


@pytest.mark.parametrize(
    ("levels", "density", "message"),
    [
        ([1], [1], "levels: must be at least two"),
        ([1, np.nan], [1, 1], "levels: must be at least two finite"),
        ([1, 3, 2], [1, 1, 1], "levels[2]: must increase, got 3 and then 2"),
        ([1, 1 + 1e-9], [1, 1], "levels: are too close"),
        ([1, 2], [1, 1, 1], "density: must have shape (2,)"),
        ([1, 2], [1, -1], "density['2']: must be finite and not negative, got -1.0"),
        ([1, 2], [1, np.inf], "density['2']: must be finite"),
        ([1, 2], [0, 0], "density: has no mass"),
        ([1, 2, 3, 4], [0, 0, 0, 1], "density['1']: has no mass there"),
    ],
)
def test_what_is_no_density_is_refused(levels: Any, density: Any, message: str) -> None:
    with pytest.raises(kpm.InputError) as caught:
        kpm.prior_from_density(levels, density)
    assert str(caught.value).startswith(message)
