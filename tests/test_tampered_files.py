"""A saved clearing in which a figure was changed: refused, or its checks fail, for every maker."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm

PAYOFFS = [[1, 0, 0, 0], [0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 2]]
PRIOR = [0.4, 0.3, 0.2, 0.1]
MAKERS = {
    "knightian": kpm.KnightianMaker(PRIOR, 0.02, 0.01),
    "without ambiguity": kpm.LMSR(50.0, PRIOR),
    "polytope": kpm.PolytopeMaker([PRIOR, [0.25] * 4], 0.02),
    "starting orders": kpm.StartingOrders([5.0, 5.0, 5.0, 5.0]),
    "utility": kpm.UtilityMaker(PRIOR, 50.0),
    "quadratic": kpm.QuadraticMaker(PRIOR, 10.0),
    "worst state": kpm.WorstStateMaker(4),
}
CASES = [
    (name, rule)
    for name in MAKERS
    for rule in ("maker_optimal", "competitive", "pay_as_bid", "pdca")
    if rule in ("competitive", "pay_as_bid")
    or (rule == "maker_optimal" and name in ("knightian", "without ambiguity"))
    or (rule == "pdca" and name == "starting orders")
]
NUMBERS = (
    "revenue",
    "certainty_equivalent",
    "no_trade_equivalent",
    "upper_bound",
    "ambiguity_price",
    "scale",
)
COUNTS = ("cells", "solved", "pruned_infeasible", "pruned_bound", "nodes", "columns", "relaxations")
Entries = dict[str, bytes]


def entries_of(file: Path) -> Entries:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(entries: Entries, folder: Path) -> Path:
    with zipfile.ZipFile(folder / "changed.kpm", "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return folder / "changed.kpm"


def noticed(entries: Entries, folder: Path) -> bool:
    """Whether reading refuses it as an input, or a check fails; no other error comes out."""
    try:
        result = kpm.load_result(written(entries, folder))
    except kpm.InputError:
        return True
    proof = kpm.check_certificate(result.market, result.orders, result)
    return not result.verify() or not proof


def saved(name: str, rule: str, folder: Path) -> Entries:
    draw = np.random.default_rng(5)
    claim = draw.integers(0, 4, 24)
    price = np.round(np.array([0.4, 0.3, 0.7, 0.5])[claim] + draw.normal(size=24) * 0.1, 2)
    side = draw.choice([-1, 1], 24)
    orders = kpm.Orders(claim, side, price, draw.integers(1, 40, 24).astype(float))
    result = kpm.clear(kpm.Market(PAYOFFS, maker=MAKERS[name]), orders, rule=rule, certificate=True)
    assert result.status is kpm.Status.OPTIMAL
    assert result.volume > 0
    result.save(folder / "saved.kpm")
    entries = entries_of(folder / "saved.kpm")
    assert not noticed(entries, folder)
    return entries


def with_header(entries: Entries, **changes: Any) -> Entries:
    header = json.loads(entries["header.json"]) | changes
    return {**entries, "header.json": json.dumps(header).encode()}


def changed_numbers(value: float) -> Iterator[Any]:
    yield from ("much", None, [], True, "NaN", -1e300, 1e300)
    if math.isfinite(value):
        yield value + 1e-3 * (1 + abs(value))
    yield (value if math.isfinite(value) else 1.0) / 2 - 1e-3


@pytest.mark.parametrize(("name", "rule"), CASES)
def test_a_number_of_the_header_is_noticed(name: str, rule: str, tmp_path: Path) -> None:
    entries = saved(name, rule, tmp_path)
    header = json.loads(entries["header.json"])
    fields = [*NUMBERS, *(["objective"] if "objective" in header else [])]
    for field in fields:
        for value in changed_numbers(float(header[field])):
            assert value == header[field] or noticed(
                with_header(entries, **{field: value}), tmp_path
            ), (
                field,
                value,
            )


@pytest.mark.parametrize(("name", "rule"), CASES)
def test_a_count_of_a_clearing_is_noticed(name: str, rule: str, tmp_path: Path) -> None:
    entries = saved(name, rule, tmp_path)
    stats = json.loads(entries["header.json"])["stats"]
    # How much a search did is its own to say; the number of cells is the book's.
    for field in COUNTS if rule != "maker_optimal" else COUNTS[:1]:
        for value in (hex(int(stats[field], 16) + 4), hex(int(stats[field], 16) - 1), 5, None):
            assert noticed(with_header(entries, stats={**stats, field: value}), tmp_path), (
                field,
                value,
            )


@pytest.mark.parametrize(("name", "rule"), CASES)
def test_a_rule_that_the_maker_has_not_is_refused(name: str, rule: str, tmp_path: Path) -> None:
    entries = saved(name, rule, tmp_path)
    knightian = name in ("knightian", "without ambiguity")
    wrong = "pdca" if knightian else "maker_optimal"
    if rule == "maker_optimal":
        entries = with_header(entries, objective=json.loads(entries["header.json"])["revenue"])
    file = written(with_header(entries, rule=wrong), tmp_path)
    with pytest.raises(kpm.InputError) as caught:
        kpm.load_result(file)
    assert not isinstance(caught.value, AttributeError)
    assert caught.value.field == "rule"
    if name != "starting orders" or wrong == "maker_optimal":
        assert f"got {wrong!r}" in caught.value.reason


@pytest.mark.parametrize(("name", "rule"), CASES)
def test_an_entry_of_an_array_is_noticed(name: str, rule: str, tmp_path: Path) -> None:
    entries = saved(name, rule, tmp_path)
    for entry in entries:
        group, _, field = entry.removesuffix(".npy").partition("/")
        if group not in ("result", "certificate") or field == "cell":
            continue
        if rule == "maker_optimal" and (group == "certificate" or field == "multipliers"):
            continue  # weak duality: other multipliers prove almost as much (test_audit.py)
        array = np.load(io.BytesIO(entries[entry]))
        for place in list(np.ndindex(array.shape))[:3]:
            for by in (0.01 * (1 + abs(array[place])), -(array[place] * 1e-3 + 1e-4), math.nan):
                other = array.copy()
                other[place] += by
                stream = io.BytesIO()
                np.save(stream, other)
                assert noticed({**entries, entry: stream.getvalue()}, tmp_path), (entry, place, by)
