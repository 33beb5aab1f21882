"""The certificate checker passes proofs and fails those that have been tampered with.

Tampering counts as caught if the check fails. It must be caught if it leaves something unproven:
a cell in no leaf or in two, a bound that its p, g and lambda no longer imply, figures that are
not those of the fills. Other multipliers may well prove the same bound.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import kpm_fast as kpm
from kpm_fast.verification import certificate_checks as audit
from kpm_fast.verification import dual_checks, reference
from proofs import MARKET, ORDERS, Unprovable, prove, prove_book
from strategies import ambiguities, books, examples, fewer, priors
from tampering import with_each_entry_changed
from witness import Book
from witness import rho as witness_rho


@pytest.fixture(scope="module")
def proven() -> kpm.Result:
    return prove(MARKET, ORDERS)


def check(result: kpm.Result) -> kpm.Verification:
    return kpm.check_certificate(result.market, result.orders, result)


def tampered(result: kpm.Result, **arrays: Any) -> kpm.Result:
    assert result.certificate is not None
    return dataclasses.replace(
        result, certificate=dataclasses.replace(result.certificate, **arrays)
    )


def failed(result: kpm.Result) -> set[str]:
    return {item.name for item in check(result).failed}


def rows(proof: kpm.Certificate, select: Any) -> kpm.Certificate:
    """The same certificate with these leaves only."""
    names = [field.name for field in dataclasses.fields(proof) if field.name != "merged_into"]
    by_leaf = {name: getattr(proof, name)[select] for name in names}
    return kpm.Certificate(**by_leaf, merged_into=proof.merged_into)


# -- proofs pass ------------------------------------------------------------------------------


def test_a_proof_passes(proven: kpm.Result) -> None:
    verification = check(proven)
    assert verification, str(verification)
    assert proven.certificate is not None
    assert 0 < proven.certificate.unreached < len(proven.certificate)


@given(books(max_claims=3, max_orders=5))
@examples(150)
def test_proofs_of_any_book_pass(book: Book) -> None:
    proven = proof_of(book)
    verification = check(proven)
    assert verification, str(verification)


def proof_of(book: Book) -> kpm.Result:
    """The proof of a small book, if its clearing verifies and can be proven."""
    counts = [1 + 2 * len(set(book.price[book.claim == k])) for k in range(len(book.payoffs))]
    assume(math.prod(counts) <= 75 and book.resolves(1e-9))
    try:
        proven = prove_book(book)
    except Unprovable:
        assume(False)
    assume(proven.verify())
    return proven


def test_large_payoffs_keep_their_digits() -> None:
    payoffs = 1e6 + np.array([[1, 0, 0], [0, 1, 0]])
    proven = prove(kpm.Market(payoffs, [0.3, 0.3, 0.4]), kpm.Orders([0, 1], 1, 1e6 + 0.5, 1))
    assert check(proven), str(check(proven))


def test_no_orders_and_constant_claims() -> None:
    market = MARKET.replace(payoffs=[[1, 1, 1], [0, 0, 0], [-2, -2, -2]])
    assert check(prove(market, kpm.Orders([], [], [], [])))
    assert check(prove(market, ORDERS))


def test_without_a_certificate() -> None:
    with pytest.raises(kpm.InputError, match="certificate: is missing"):
        check(kpm.clear(MARKET, ORDERS))


def test_merged_leaves_pass(proven: kpm.Result) -> None:
    """One leaf for all cells: p, g and lambda of the best leaf, with the bound they give there."""
    proof = proven.certificate
    assert proof is not None
    stairs = kpm.staircases(MARKET, ORDERS)
    last = np.array([[len(steps) - 1 for steps in stairs]])
    best = int(np.argmax(proof.bound))
    p, g, multipliers = (
        getattr(proof, name)[best : best + 1]
        for name in ("worst_case", "marginal_state_prices", "multipliers")
    )
    # The bound of docs/certificate.md with the payoffs as they are, corner by corner.
    bound = float((-multipliers @ MARKET.payoffs).max() + g[0] @ MARKET.inventory)
    bound += reference.divergence(g[0], p[0]) / MARKET.risk_aversion
    for k, steps in enumerate(stairs):
        value = float(MARKET.payoffs[k] @ g[0])
        bound += max(
            pi * y - value * y + multipliers[0, k] * pi
            for low, high, least, most in steps
            for pi, y in itertools.product((low, high), (least, most))
        )
    root = kpm.Certificate(np.zeros_like(last), last, p, g, multipliers, [bound])
    wide = dataclasses.replace(
        proven, certificate=root, upper_bound=bound, status=kpm.Status.NODE_LIMIT
    )
    assert check(wide), str(check(wide))
    low = dataclasses.replace(wide, certificate=dataclasses.replace(root, bound=[bound - 1e-6]))
    assert failed(low) == {"bounds at least what they follow from, in roundings"}
    optimal = dataclasses.replace(wide, status=kpm.Status.OPTIMAL)
    assert failed(optimal) == {"gap of an optimal result, in money"}


def test_many_leaves() -> None:
    """A hundred thousand leaves on fifty claims: too many to compare in pairs."""
    leaves = fewer(100_000, 20_000)
    rng = np.random.default_rng(1)
    corners = [(np.linspace(0, 1, 202), np.zeros(202), np.zeros(202)) for _ in range(50)]
    first, last = np.zeros((leaves, 50), dtype=np.int64), np.full((leaves, 50), 200)
    for leaf in range(1, len(first)):
        old = rng.integers(leaf)
        k = int(np.argmax(last[old] - first[old] + rng.random(50)))
        cut = (first[old, k] + last[old, k]) // 2
        first[leaf], last[leaf] = first[old], last[old]
        last[old, k], first[leaf, k] = cut, cut + 1
    states = np.full((len(first), 2), 0.5)
    blank = np.zeros((len(first), 50))
    proof = kpm.Certificate(first, last, states, states, blank, blank[:, 0])
    market = kpm.Market(np.tile([1.0, 0.0], (50, 1)), [0.5, 0.5])
    assert audit._tile(corners, proof)
    with np.errstate(all="ignore"):
        bound, *_ = audit._bounds(market, corners, proof, np.zeros(50))
    np.testing.assert_array_equal(bound, 0)
    assert not audit._tile(corners, rows(proof, slice(1, None)))


def test_the_checker_is_short_and_independent() -> None:
    folder, own = Path(audit.__file__).parent, (audit, dual_checks)
    names = [Path(str(module.__file__)).name for module in own]
    lines = [line for name in names for line in (folder / name).read_text("utf-8").splitlines()]
    assert len(lines) < 500
    page = Path(__file__).resolve().parent.parent / "docs" / "certificate.md"
    assert f"in {len(lines)} lines of NumPy" in page.read_text(encoding="utf-8")
    imported = {line.split()[1] for line in lines if line.startswith(("import", "from"))}
    values = {"..arrays", "..errors", ".checks"}
    nouns = ("book_types", "certificate", "maker_model", "market", "orders", "outcome")
    values |= {f"..model.{noun}" for noun in nouns}
    values |= {f".{name.removesuffix('.py')}" for name in names[1:]}
    assert imported == {"__future__", "collections.abc", "numpy", "typing", *values}


def test_a_worst_case_just_outside_the_ball_is_pulled_in() -> None:
    """Without ambiguity p is the prior; one that is 1e-9 off may not lower a bound."""
    market = MARKET.replace(ambiguity=0.0, risk_aversion=1e-6)
    proven = prove(market, ORDERS)
    proof = proven.certificate
    assert proof is not None
    leaf = int(np.argmax(proof.bound))
    p, g = proof.worst_case.copy(), proof.marginal_state_prices[leaf]
    p[leaf] += 8e-4 * (g - p[leaf])  # nearer to g, so that KL(g|p) is less
    p[leaf] /= p[leaf].sum()
    assert reference.divergence(p[leaf], market.prior) < 1e-18
    bound = proof.bound.copy()
    bound[leaf] = implied(tampered(proven, worst_case=p), leaf)
    assert bound[leaf] < proof.bound[leaf] - 1e-10
    assert failed(tampered(proven, worst_case=p, bound=bound)) == {
        "bounds at least what they follow from, in roundings"
    }


# -- tampering --------------------------------------------------------------------------------


@st.composite
def splits(draw: st.DrawFn) -> tuple[list[int], np.ndarray, np.ndarray]:
    """A product of up to three short staircases, cut up at random."""
    counts = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    boxes = [([0] * len(counts), [count - 1 for count in counts])]
    for _ in range(draw(st.integers(0, 8))):
        box = draw(st.integers(0, len(boxes) - 1))
        first, last = boxes[box]
        wide = [k for k in range(len(counts)) if first[k] < last[k]]
        if not wide:
            continue
        k = draw(st.sampled_from(wide))
        cut = draw(st.integers(first[k], last[k] - 1))
        boxes[box] = (first, [cut if i == k else x for i, x in enumerate(last)])
        boxes.append(([cut + 1 if i == k else x for i, x in enumerate(first)], last))
    runs = np.array(boxes)
    return counts, runs[:, 0], runs[:, 1]


def counted_once(counts: list[int], first: np.ndarray, last: np.ndarray) -> bool:
    """Cell by cell."""
    cells = np.zeros(counts, dtype=int)
    for low, high in zip(first, last, strict=True):
        cells[tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))] += 1
    return bool((cells == 1).all())


def tiles(counts: list[int], first: np.ndarray, last: np.ndarray) -> bool:
    corners = [(np.zeros(count + 1),) * 3 for count in counts]
    blank = np.zeros((len(first), 1))
    return audit._tile(
        corners, kpm.Certificate(first, last, blank, blank, 0.0 * first, blank[:, 0])
    )


@given(splits(), st.data())
@examples(300)
def test_tiling_against_counting_cells(
    split: tuple[list[int], np.ndarray, np.ndarray], data: st.DataObject
) -> None:
    counts, first, last = split
    assert tiles(counts, first, last)
    first, last = first.copy(), last.copy()
    for _ in range(data.draw(st.integers(1, 3))):
        leaf = data.draw(st.integers(0, len(first) - 1))
        k = data.draw(st.integers(0, len(counts) - 1))
        first[leaf, k] = data.draw(st.integers(0, counts[k] - 1))
        last[leaf, k] = data.draw(st.integers(first[leaf, k], counts[k] - 1))
    assert tiles(counts, first, last) == counted_once(counts, first, last)


@given(books(max_claims=3, max_orders=5, log_alpha=(-3, 1)), st.data())
@examples(100)
def test_moved_boxes_are_caught(book: Book, data: st.DataObject) -> None:
    proven = proof_of(book)
    proof = proven.certificate
    assert proof is not None
    name = data.draw(st.sampled_from(["first", "last"]))
    runs = getattr(proof, name).copy()
    leaf, k = (data.draw(st.integers(0, size - 1)) for size in runs.shape)
    runs[leaf, k] += data.draw(st.sampled_from([-1, 1, -2, 5, 2**40]))
    assert not check(tampered(proven, **{name: runs}))


@given(books(max_claims=3, max_orders=5, log_alpha=(-3, 1)), st.data())
@examples(100)
def test_dropped_and_doubled_leaves_are_caught(book: Book, data: st.DataObject) -> None:
    proven = proof_of(book)
    proof = proven.certificate
    assert proof is not None
    leaf = data.draw(st.integers(0, len(proof) - 1))
    every = np.arange(len(proof))
    for select in (np.delete(every, leaf), np.append(every, leaf)):
        assert not check(dataclasses.replace(proven, certificate=rows(proof, select)))
    order = np.random.default_rng(leaf).permutation(every)
    assert check(dataclasses.replace(proven, certificate=rows(proof, order)))


@given(books(max_claims=3, max_orders=5, log_alpha=(-3, 1)), st.data())
@examples(100)
def test_entries_that_break_a_probability_vector_are_caught(
    book: Book, data: st.DataObject
) -> None:
    proven = proof_of(book)
    proof = proven.certificate
    assert proof is not None
    name = data.draw(st.sampled_from(["worst_case", "marginal_state_prices"]))
    array = getattr(proof, name).copy()
    leaf, state = (data.draw(st.integers(0, size - 1)) for size in array.shape)
    array[leaf, state] += data.draw(st.sampled_from([1e-9, -1e-9, -1.0, 1.0, np.nan, np.inf]))
    assert not check(tampered(proven, **{name: array}))


@given(books(max_claims=3, max_orders=5, log_alpha=(-3, 1)), st.data())
@examples(300)
def test_changed_reasons_are_caught_where_the_bound_no_longer_follows(
    book: Book, data: st.DataObject
) -> None:
    """Another p, g or lambda: the check must fail if and only if the bound is not implied."""
    proven = proof_of(book)
    proof, market = proven.certificate, proven.market
    assert proof is not None
    name = data.draw(st.sampled_from(["worst_case", "marginal_state_prices", "multipliers"]))
    leaf = data.draw(st.integers(0, len(proof) - 1))
    array = getattr(proof, name).copy()
    if name == "multipliers":
        size = 1.0 if proof.bound[leaf] == -np.inf else proven.scale
        array[leaf] += size * data.draw(
            st.lists(
                st.sampled_from([0.0, 0.01, -0.1, 1.0, -3.0]),
                min_size=array.shape[1],
                max_size=array.shape[1],
            ).map(np.array)
        )
    else:
        part = data.draw(st.sampled_from([0.01, 0.3, 1.0]))
        array[leaf] = (1 - part) * array[leaf] + part * data.draw(priors(array.shape[1]))
        array[leaf] /= array[leaf].sum()
    changed = tampered(proven, **{name: array})
    shortfall = implied(changed, leaf) - float(proof.bound[leaf])
    p = np.asarray(changed.certificate.worst_case[leaf])  # type: ignore[union-attr]
    outside = reference.divergence(p, market.prior) - market.ambiguity
    slack = 1e-7 * proven.scale
    if shortfall > slack or outside > 1e-6 * (1 + market.ambiguity):
        assert not check(changed)
    elif shortfall <= 0 and outside <= 0:
        assert check(changed), str(check(changed))


def implied(result: kpm.Result, leaf: int) -> float:
    """The bound that p, g and lambda of a leaf imply; plus infinity if they prove it not empty."""
    market, proof = result.market, result.certificate
    assert proof is not None
    stairs = kpm.staircases(market, result.orders)
    pieces = np.array([steps[j] for steps, j in zip(stairs, proof.first[leaf], strict=True)])
    p, g, multipliers = (
        getattr(proof, name)[leaf]
        for name in ("worst_case", "marginal_state_prices", "multipliers")
    )
    if proof.bound[leaf] == -np.inf:
        reach = np.maximum(multipliers * pieces[:, 0], multipliers * pieces[:, 1]).sum()
        reach += (-multipliers @ market.payoffs).max()
        size = np.abs(multipliers) @ np.abs(market.payoffs).max(axis=1)
        return -np.inf if reach < -1e-9 * size else np.inf if reach > 1e-9 * size else np.nan
    book = (market.payoffs, market.inventory, market.risk_aversion)
    return reference.cell_bound(*book, pieces, p, g, multipliers)


@given(books(max_claims=3, max_orders=5, log_alpha=(-3, 1)), st.data())
@examples(100)
def test_lowered_bounds_are_caught(book: Book, data: st.DataObject) -> None:
    proven = proof_of(book)
    proof = proven.certificate
    assert proof is not None
    leaf = data.draw(st.sampled_from(np.flatnonzero(proof.bound > -np.inf).tolist()))
    by = data.draw(st.sampled_from([1e-6, 1e-3, 1.0, np.inf, np.nan])) * proven.scale
    assume(implied(proven, leaf) > proof.bound[leaf] - by / 2)
    bound = proof.bound.copy()
    bound[leaf] -= by
    assert not check(tampered(proven, bound=bound))


@given(books(max_claims=3, max_orders=5, log_alpha=(-3, 1)), st.data())
@examples(100)
def test_raised_bounds_are_caught(book: Book, data: st.DataObject) -> None:
    proven = proof_of(book)
    proof = proven.certificate
    assert proof is not None
    bound = proof.bound.copy()
    leaf = data.draw(st.integers(0, len(proof) - 1))
    assume(book.resolves(1e-10))
    by = data.draw(st.sampled_from([3e-10, 1e-6, 1.0, np.inf])) * proven.scale
    bound[leaf] = proven.upper_bound + by
    assert not check(tampered(proven, bound=bound))


@given(books(max_claims=3, max_orders=5, log_alpha=(-3, 1)), st.data())
@examples(150)
def test_changed_figures_are_caught(book: Book, data: st.DataObject) -> None:
    proven = proof_of(book)
    name = data.draw(st.sampled_from(["certainty_equivalent", "upper_bound"]))
    by = data.draw(st.sampled_from([1e-6, -1e-6, 1.0, -1.0, np.nan, -np.inf]))
    figure = getattr(proven, name) + by * proven.scale
    assert not check(dataclasses.replace(proven, **{name: figure}))


@pytest.mark.parametrize("by", [1e-4, -1e-4, 0.25, -0.25, math.nan, math.inf])
@pytest.mark.parametrize("name", ["fills", "claim_prices", "state_prices"])
def test_a_changed_clearing_is_caught(proven: kpm.Result, name: str, by: float) -> None:
    for position, wrong in with_each_entry_changed(proven, name, by):
        assert not check(wrong), position


@pytest.mark.parametrize("name", ["fills", "claim_prices", "state_prices"])
def test_wrong_shapes_are_caught(proven: kpm.Result, name: str) -> None:
    short = dataclasses.replace(proven, **{name: getattr(proven, name)[1:]})
    assert failed(short) == {"arrays fit the book"}


def test_no_leaves_prove_nothing(proven: kpm.Result) -> None:
    assert proven.certificate is not None
    empty = dataclasses.replace(proven, certificate=rows(proven.certificate, slice(0)))
    assert failed(empty) == {"arrays fit the book"}


@pytest.mark.parametrize(
    "changes",
    [
        {"risk_aversion": 0.9},
        {"ambiguity": 0.11},
        {"ambiguity": 0.0},
        {"inventory": [0.5, 0.0, -0.26]},
        {"prior": [0.31, 0.29, 0.4]},
        {"payoffs": [[1, 0, 0], [0, 1, 0], [2, -1, 0.6]]},
    ],
)
def test_another_market_is_caught(proven: kpm.Result, changes: dict[str, Any]) -> None:
    assert not kpm.check_certificate(MARKET.replace(**changes), ORDERS, proven)


def test_other_orders_are_caught(proven: kpm.Result) -> None:
    columns = ORDERS.columns()
    for name, other in (("price", ORDERS.price + 0.01), ("quantity", ORDERS.quantity * 1.01)):
        orders = kpm.Orders(**{**columns, name: other})
        assert not kpm.check_certificate(MARKET, orders, proven)
    assert not kpm.check_certificate(MARKET, ORDERS[:-1], proven)


def test_huge_multipliers_do_not_loosen_a_check(proven: kpm.Result) -> None:
    """The rounding that they allow is added to the bound."""
    proof = proven.certificate
    assert proof is not None
    leaf = int(np.argmax(proof.bound))
    multipliers = proof.multipliers.copy()
    multipliers[leaf] = 1e20
    assert failed(tampered(proven, multipliers=multipliers)) >= {
        "bounds with their rounding at most upper bound, in money"
    }


# -- the mathematics behind -------------------------------------------------------------------


@given(st.data())
@examples(300)
def test_risk_against_the_witness(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 6))
    prior = data.draw(priors(size))
    omega = data.draw(ambiguities(prior))
    alpha = 10.0 ** data.draw(st.integers(-12, 3))
    shape = st.sampled_from([0.0, 1.0, -1.0, 0.5, 1 - 1e-9, 0.3])
    loss = np.array(data.draw(st.lists(shape, min_size=size, max_size=size)))
    expected = float(witness_rho(loss, prior, alpha, omega).value)
    with np.errstate(all="ignore"):
        assert dual_checks._risk(loss, prior, alpha, omega) == pytest.approx(expected, abs=1e-12)


def test_divergence_never_overstates_a_proof() -> None:
    """Tiny and vanishing probabilities, where a ratio or a difference would lose everything."""
    p = np.array([[1e-20, 1.0], [0.0, 1.0], [0.5, 0.5], [0.5 + 1e-12, 0.5 - 1e-12]])
    q = np.array([0.5, 0.5])
    expected = [math.log(2)] * 2 + [0.0, 2e-24]
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(dual_checks.divergence(p, q), expected, rtol=1e-3, atol=1e-40)
        assert dual_checks.divergence(q, p[1]) == math.inf


@given(books())
@examples(100)
def test_corners_against_the_core(book: Book) -> None:
    market = kpm.Market(book.payoffs, book.prior)
    orders = kpm.Orders(book.claim, book.side, book.price, book.quantity)
    for k, steps in enumerate(kpm.staircases(market, orders)):
        plain = (np.array([k]), k, np.ones(len(book.payoffs), dtype=np.int64))
        price, demand, _ = audit._corners(market.payoffs, orders, orders.claim, *plain)
        low = market.payoffs[k].min()
        room = 1e-14 * max(book.quantity.sum(initial=0), np.abs(market.payoffs[k]).max())
        assert len(price) == len(steps) + 1
        np.testing.assert_allclose(price[:-1] + low, steps[:, 0], rtol=0, atol=room)
        np.testing.assert_allclose(price[1:] + low, steps[:, 1], rtol=0, atol=room)
        np.testing.assert_allclose(demand[:-1], steps[:, 3], rtol=0, atol=room)
        np.testing.assert_allclose(demand[1:], steps[:, 2], rtol=0, atol=room)
