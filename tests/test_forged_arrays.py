"""A saved clearing with a whole array forged: refused by name, or failed checks; never a crash."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm

MARKET = kpm.Market(np.eye(3)[:2], [0.5, 0.3, 0.2], risk_aversion=0.01, states=["x", "y", "z"])
ORDERS = kpm.Orders([0, 1, 0], ["buy", "buy", "sell"], [0.6, 0.4, 0.7], [10, 5, 7])
RULES = ("maker_optimal", "competitive")
FORGED = (0.0, -1.0, 1e300, np.inf, -np.inf, np.nan)


def forge(source: Path, target: Path, name: str, value: float) -> None:
    with zipfile.ZipFile(source) as whole, zipfile.ZipFile(target, "w") as copy:
        for entry in whole.infolist():
            data = whole.read(entry)
            if entry.filename == name:
                stream = io.BytesIO()
                np.save(stream, np.full_like(np.load(io.BytesIO(data)), value))
                data = stream.getvalue()
            copy.writestr(entry.filename, data)


def arrays(source: Path, group: str) -> dict[str, Any]:
    with zipfile.ZipFile(source) as whole:
        return {
            name: np.load(io.BytesIO(whole.read(name)))
            for name in whole.namelist()
            if name.startswith(group) and name.endswith(".npy")
        }


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("value", FORGED)
def test_forged_arrays_are_refused_or_fail_their_checks(
    tmp_path: Path, rule: str, value: float
) -> None:
    source, target = tmp_path / "true.kpm", tmp_path / "forged.kpm"
    kpm.clear(MARKET, ORDERS, rule=rule).save(source)
    for name, array in arrays(source, "result").items():
        if array.dtype.kind == "i" or (array == value).all():
            continue
        forge(source, target, name, value)
        if not np.isfinite(value):
            field = name.removesuffix(".npy")
            with pytest.raises(kpm.InputError, match=rf"{field}: must be finite"):
                kpm.load_result(target)
            continue
        result = kpm.load_result(target)
        if name != "result/multipliers.npy":  # of which many may go with one clearing
            assert not result.verify(), name
        result.to_json()
        result.settle("x")


def test_state_prices_of_zero_fail_their_checks() -> None:
    from kpm_fast.verification.reference import projection_excess

    prior = np.array([0.5, 0.5])
    assert projection_excess(np.zeros(2), prior, np.eye(2)) == np.inf
    assert projection_excess(np.array([np.nan, 1.0]), prior, np.eye(2)) == np.inf
