"""Books that once cleared wrongly, or otherwise in another order, without presolve, or stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from adapter import market_of, orders_of
from chains import price_error
from transforms import order_subset, renamed
from witness import Book

pytestmark = pytest.mark.cross_section

CASES = Path(__file__).parent / "cases"
NAMES = [
    "best_clearing_thrown_away",
    "call_chain_node_limit_prices_disagree",
    "call_chain_prices_disagree",
    "degenerate_order_of_states_changes_fills",
    "degenerate_presolve_changes_fills",
    "idle_giant",
    # A limit at the greatest payoff: rule 2 (docs/selection.md) has nothing to fill, because such
    # a limit counts as beyond every price. Exact arithmetic agrees: the maker, who holds nothing in
    # state 2, values the claim at 1 less the marginal price of state 0, which is e^-10000, not 0.
    "rule_2_at_a_kink",
    "tiny_prior",
    "verify_fails_under_node_limit",
]
PRICE = 1e-12  # of a claim's payoff range


def read(name: str) -> tuple[Book, dict[str, Any]]:
    case = json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))
    stated = case.pop("stated", {})
    return Book(**{field: np.array(value) for field, value in case.items()}), stated


def cleared(book: Book, **options: Any) -> kpm.Result:
    """The clearing of a book, which verifies and has prices that agree, whatever its status."""
    market, orders = market_of(book), orders_of(book)
    result = kpm.clear(market, orders, threads=1, **options)
    result.verify().raise_if_failed()
    assert price_error(market, result) <= PRICE
    return result


@pytest.mark.parametrize("name", NAMES)
def test_recorded_cases_have_one_answer(name: str) -> None:
    book, stated = read(name)
    result = cleared(book)
    assert result.status is kpm.Status.OPTIMAL
    for figure, value in stated.items():
        relative = 1e-9 if figure == "fills" else 1e-12
        absolute = 1e-11 if value == 0 or figure == "fills" else 0.0
        np.testing.assert_allclose(getattr(result, figure), value, relative, absolute)
    plain = cleared(book, presolve=False)
    assert (abs(plain.fills - result.fills) <= 1e-9 * book.quantity).all()
    draw = np.random.default_rng(0)
    for _ in range(10):
        rows = draw.permutation(len(book.claim))
        claims, states = map(draw.permutation, book.payoffs.shape)
        moved = cleared(renamed(order_subset(book, rows), states, claims))
        assert (moved.fills == result.fills[rows]).all()


@pytest.mark.parametrize("options", [{"node_limit": 1}, {"time_limit": 0}, {"certificate": True}])
@pytest.mark.parametrize("name", NAMES)
def test_recorded_cases_verify_however_they_end(name: str, options: dict[str, Any]) -> None:
    book, _ = read(name)
    result = cleared(book, **options)
    if "certificate" in options:
        kpm.check_certificate(result.market, result.orders, result).raise_if_failed()


@pytest.mark.parametrize("options", [{"node_limit": 1}, {"time_limit": 0}, {"certificate": True}])
def test_the_best_clearing_found_is_published(options: dict[str, Any]) -> None:
    """Two claims 1e-12 apart: no state prices reach the best cell, but others are as good."""
    result = cleared(read("best_clearing_thrown_away")[0], **options)
    assert result.certainty_equivalent >= -1e-11
    assert result.gap <= 1e-8 * result.scale
