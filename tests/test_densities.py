"""Priors from densities over levels."""

from __future__ import annotations

import itertools
import math
import re
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
        ([1, np.nan], [1, 1], "levels[1]: must be finite, got nan"),
        ([1, 1, 2], [1, 1, 1], "levels[1]: must increase, got 1.0 and then 1.0"),
        ([1 + 1e-15, 1], [1, 1], "levels[1]: must increase, got 1.000000000000001 and then 1.0"),
        ([1, 3, 2], [1, 1, 1], "levels[2]: must increase, got 3.0 and then 2.0"),
        ([1, 1 + 1e-13], [1, 1], "levels[1]: must be distinguished by its name"),
        ([1, 2], [1, 1, 1], "density: must have shape (2,)"),
        ([1, 2], {"1": 3.0, "3": 1.0}, "density: lacks level '2' and has '3', which is"),
        ([1, 2], math.exp, "density: must be a function of an array of levels"),
        ([1, 2], [1, -1], "density['2']: must be finite and not negative, got -1.0"),
        ([1, 2], [1, np.inf], "density['2']: must be finite"),
        ([1, 2], [0, 0], "density: must have positive and finite mass on the levels, got 0.0"),
        (
            [1, 2, 3, 4],
            [0, 0, 0, 1],
            "density['1']: must give every state a probability of at least 1e-200, got 0.0",
        ),
    ],
)
def test_bad_densities_are_refused(levels: Any, density: Any, message: str) -> None:
    with pytest.raises(kpm.InputError) as caught:
        kpm.prior_from_density(levels, density)
    assert str(caught.value).startswith(message)


@given(st.sampled_from(["dict", "series", "table"]), st.permutations(range(4)), st.booleans())
def test_a_labelled_density_finds_its_levels(kind: str, order: list[int], text: bool) -> None:
    levels, height = [90.0, 97.5, 105.25, 120.0], [1.0, 3.0, 2.0, 0.5]
    expected = kpm.prior_from_density(levels, height)
    names = [f"{level:g}" if text else level for level in levels]
    turned = [(names[k], height[k]) for k in order]
    density: Any = dict(turned)
    if kind == "series":
        density = pytest.importorskip("pandas").Series(density)
    if kind == "table":
        columns = {"level": [a for a, _ in turned], "density": [b for _, b in turned]}
        density = pytest.importorskip("pyarrow").table(columns)
    assert kpm.prior_from_density(levels, density) == expected


def test_two_columns_of_a_frame_are_aligned_by_index() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"strike": [90, 100, 110], "density": [1.0, 2.0, 4.0]})
    expected = kpm.prior_from_density([90, 100, 110], [1, 2, 4])
    assert kpm.prior_from_density(frame["strike"], frame["density"]) == expected
    turned = frame["density"].iloc[[2, 0, 1]]
    assert kpm.prior_from_density(frame["strike"], turned) == expected


@given(st.lists(st.integers(1, 10**8), min_size=2, max_size=6, unique=True), st.integers(0, 4))
def test_levels_are_named_as_columns_of_frames_are(levels: list[int], places: int) -> None:
    """So that a prior fits payoffs whose columns are the levels, millions among them."""
    pandas = pytest.importorskip("pandas")
    at = np.sort(np.array(levels)) / 10.0**places
    payoffs = pandas.DataFrame([np.maximum(at - at.min(), 0.0)], index=["call"], columns=at)
    prior = kpm.prior_from_density(at, np.ones(len(at)))
    market = kpm.Market.from_frame(payoffs, prior)
    np.testing.assert_allclose(market.prior, list(prior.values()), rtol=1e-15)


@given(st.integers(1, 300))
def test_a_uniform_prior_prefers_no_state(count: int) -> None:
    market = kpm.Market(np.ones((1, count)), kpm.uniform_prior(count))
    np.testing.assert_allclose(market.prior, 1.0 / count, rtol=1e-15)
    labels = [f"s{k}" for k in range(count)]
    assert kpm.uniform_prior(labels) == dict.fromkeys(labels, 1.0 / count)


@pytest.mark.parametrize(
    ("states", "message"),
    [
        ([], "states: must be at least one, got []"),
        (0, "states: must be at least one, got 0"),
        (-1, "states: must be at least one, got -1"),
        ("home", "states: must be labels or their number, got 'home'"),
        (1.5, "states: must be labels or their number, got 1.5"),
        (True, "states: must be labels or their number, got True"),
        (["a", "b", "a"], "states[2]: must be distinct, got 'a', which index 0 has as well"),
        (["a", None], "states[1]: is missing"),
    ],
)
def test_no_states_have_no_uniform_prior(states: Any, message: str) -> None:
    with pytest.raises(kpm.InputError, match=re.escape(message)):
        kpm.uniform_prior(states)
