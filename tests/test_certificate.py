"""Certificates as values, and how they reach a result."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from kpm_fast.clearing import clear as engine

ARRAYS: dict[str, Any] = {
    "first": [[0, 0], [0, 1], [1, 0]],
    "last": [[0, 0], [0, 2], [2, 2]],
    "worst_case": np.full((3, 4), 0.25),
    "marginal_state_prices": np.eye(4)[:3],
    "multipliers": np.zeros((3, 2)),
    "bound": [1.5, -np.inf, 2.5],
    "merged_into": [1, 1],
}
MARKET = kpm.Market([[1, 0, 0, 0], [0, 1, 0, 0]], np.full(4, 0.25))
ORDERS = kpm.Orders([0, 1], "buy", [0.6, 0.4], 1)


def test_is_a_value() -> None:
    proof = kpm.Certificate(**ARRAYS)
    assert (len(proof), proof.leaves, proof.unreached, proof.upper_bound) == (3, 3, 1, 2.5)
    assert proof == kpm.Certificate(**ARRAYS)
    for name, array in ARRAYS.items():
        other = [0, 1] if name == "merged_into" else np.array(array) + 1
        assert proof != dataclasses.replace(proof, **{name: other}), name
        integer = name in ("first", "last", "merged_into")
        assert getattr(proof, name).dtype == (np.int64 if integer else float)
    copy = pickle.loads(pickle.dumps(proof))
    assert copy == proof
    for certificate in (proof, copy):
        with pytest.raises(ValueError, match="read-only"):
            certificate.first[0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        proof.bound = proof.bound  # type: ignore[misc]


def test_pickles_of_other_releases() -> None:
    """A pickle without merges merged nothing; one that lacks a field with no default is refused."""
    proof = kpm.Certificate(**{**ARRAYS, "merged_into": None})
    assert proof.merged_into.tolist() == [0, 1]
    old = kpm.Certificate.__new__(kpm.Certificate)
    old.__setstate__({name: value for name, value in vars(proof).items() if name != "merged_into"})
    assert old == proof
    assert old.merged_into.tolist() == [0, 1]
    with pytest.raises(kpm.InputError, match="lacks bound: it was pickled by another release"):
        old.__setstate__({name: value for name, value in vars(proof).items() if name != "bound"})


def test_keeps_copies() -> None:
    bound = np.zeros(3)
    proof = kpm.Certificate(**{**ARRAYS, "bound": bound})
    bound[0] = 7
    assert proof.bound[0] == 0


def test_prints() -> None:
    proof = kpm.Certificate(**ARRAYS)
    assert str(proof) == ("3 leaves, 1 of them unreachable; no clearing is worth more than 2.5")
    assert repr(proof) == "Certificate(3 leaves, upper_bound=2.5)"


def test_to_dict() -> None:
    data = kpm.Certificate(**ARRAYS).to_dict()
    assert list(data) == list(ARRAYS)
    assert data == {name: np.asarray(array).tolist() for name, array in ARRAYS.items()}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("first", [[0.0, 0.0]] * 3),
        ("first", [[0, 0]] * 2),
        ("last", [[0, 0, 0]] * 3),
        ("multipliers", [0.0] * 3),
        ("worst_case", [[1.0]] * 2),
        ("marginal_state_prices", np.eye(3)),
        ("bound", 1.0),
        ("bound", ["a", "b", "c"]),
    ],
)
def test_arrays_that_disagree(name: str, value: Any) -> None:
    with pytest.raises(kpm.InputError) as caught:
        kpm.Certificate(**{**ARRAYS, name: value})
    assert caught.value.field is not None


def test_enumeration_has_no_certificate() -> None:
    with pytest.raises(
        kpm.InputError, match=r"certificate: is not available with method='enumerate'"
    ):
        kpm.clear(MARKET, ORDERS, method="enumerate", certificate=True)
    assert kpm.clear(MARKET, ORDERS).certificate is None


def test_the_core_s_leaves_reach_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    clear = engine._core.clear
    leaves = vars(kpm.Certificate(**ARRAYS))

    def with_leaves(*arguments: Any, **options: Any) -> Any:
        return {**clear(*arguments, **options), "certificate": dict(leaves)}

    monkeypatch.setattr(engine._core, "clear", with_leaves)
    result = kpm.clear(MARKET, ORDERS)
    assert result.certificate == kpm.Certificate(**ARRAYS)
    assert result.to_dict()["certificate"] == result.certificate.to_dict()
    assert result != dataclasses.replace(result, certificate=None)


def test_the_core_s_leaves_need_no_check() -> None:
    """It is taken without a copy, and equals what the constructor makes of it."""
    market = kpm.Market([[1, 0, 0, 0], [0, 1, 1, 1]], np.full(4, 0.25))
    proof = kpm.clear(market, ORDERS, certificate=True).certificate
    assert proof is not None
    assert proof.merged == 1
    made = kpm.Certificate(**vars(proof))
    assert made == proof
    for item in dataclasses.fields(proof):
        array, other = getattr(proof, item.name), getattr(made, item.name)
        assert (array.dtype, array.shape) == (other.dtype, other.shape), item.name
        assert not array.flags.writeable
