"""Priors: how far their sum may be off, by the rounding of their own type or digits."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpm_fast as kpm
from strategies import examples

WEIGHTS = st.lists(st.floats(0.01, 1), min_size=2, max_size=30).map(np.array)


def market(prior: Any, **options: Any) -> kpm.Market:
    return kpm.Market(np.ones((1, len(prior))), prior, **options)


@given(WEIGHTS)
@examples(60)
def test_narrow_floats_are_taken(weights: np.ndarray) -> None:
    """Priors normalised in single precision, in every container that keeps the type."""
    pandas, polars, pyarrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    narrow = weights.astype(np.float32)
    narrow /= narrow.sum()
    exact = narrow.astype(np.float64)
    labels = list(map(str, range(len(exact))))
    for prior in (
        narrow,
        pandas.Series(narrow),
        pandas.Series(narrow, index=labels).astype("Float32"),
        polars.Series(narrow),
        pyarrow.array(narrow),
        list(narrow),
        tuple(narrow),
        dict(zip(labels, narrow, strict=True)),
    ):
        taken = market(prior)
        assert taken.prior_sum == math.fsum(exact)
        np.testing.assert_allclose(taken.prior, exact / exact.sum(), rtol=1e-15)
        assert abs(math.fsum(taken.prior) - 1) <= 2.0**-52


@given(WEIGHTS, st.integers(5, 12), st.sampled_from(["f", "g"]))
@examples(100)
def test_rounded_digits_are_taken(weights: np.ndarray, digits: int, style: str) -> None:
    """Six decimals, six significant digits: as numbers, as text, in files."""
    texts = [f"{weight:.{digits}{style}}" for weight in weights / weights.sum()]
    taken = market(list(map(float, texts)))
    assert taken.prior_sum == math.fsum(map(float, texts))
    assert taken == market(texts)
    assert taken == market(np.array(texts))
    assert abs(taken.prior_sum - 1) <= 1e-4


@pytest.mark.parametrize(
    "prior",
    [
        [0.5, 0.3, 0.1],  # one digit each: rounding could explain it, and so could a mistake
        [0.2, 0.3, 0.51],
        [0.33, 0.33, 0.33],
        [0.333333, 0.333333, 0.33333],
        [1 / 3, 1 / 3, 1 / 3 + 1e-8],
        np.array([1 / 3, 1 / 3, 1 / 3 + 1e-5], dtype=np.float32),
        [1, 2, 3],
    ],
)
def test_others_are_refused_with_a_remedy(prior: Any) -> None:
    with pytest.raises(
        kpm.InputError, match=r"^prior: must sum to 1 .*, but sums to .*normalize=True"
    ):
        market(prior)
    with pytest.raises(kpm.InputError, match=r"^prior: must sum .*; divide it by its sum$"):
        kpm.KnightianMaker(prior, 1.0, 0.0)  # which has no such option
    taken = market(prior, normalize=True)
    assert taken.prior_sum == math.fsum(map(float, prior))
    np.testing.assert_allclose(taken.prior, np.array(prior) / np.sum(prior), rtol=1e-6)


def test_weights_that_no_division_makes_a_prior() -> None:
    for normalize in (True, False):
        with pytest.raises(kpm.InputError) as caught:
            market([1e308, 1e308], normalize=normalize)
        assert str(caught.value) == (
            "prior: must have a sum within the range of numbers, got entries of up to 1e+308: "
            "divide them by that"
        )
    for prior in ([1, 0], [1, -1], [1, math.nan]):
        with pytest.raises(kpm.InputError, match=r"^prior\['1'\]"):
            market(prior, normalize=True)
    with pytest.raises(kpm.InputError, match=r"^prior\['0'\]: must be at least 1e-200 of the sum"):
        market([1e-150, 1e150], normalize=True)


def test_the_sum_before_normalisation_is_kept(tmp_path: Path) -> None:
    taken = market([0.333333] * 3)
    assert taken.prior_sum == pytest.approx(0.999999)
    assert taken.replace(ambiguity=0.5).prior_sum == taken.prior_sum
    assert pickle.loads(pickle.dumps(taken)).prior_sum == taken.prior_sum
    assert taken.replace(prior=[0.25, 0.25, 0.5]).prior_sum == 1
    assert taken.replace(prior=[2, 1, 1], normalize=True).prior.tolist() == [0.5, 0.25, 0.25]
    assert taken == market([0.333333] * 3)
    result = kpm.clear(taken, kpm.Orders([0], "buy", 2, 1))
    result.save(tmp_path / "result.npz")
    loaded = kpm.load_result(tmp_path / "result.npz")
    assert loaded == result
    assert loaded.market.prior_sum == loaded.to_dict()["prior_sum"] == taken.prior_sum
