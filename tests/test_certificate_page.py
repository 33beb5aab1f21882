"""The functions of docs/certificate.md compute what the core hands out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from makers import EXAMPLES
from proofs import MARKET, ORDERS, prove


def documented() -> dict[str, Any]:
    """The functions of docs/certificate.md."""
    page = Path(__file__).resolve().parent.parent / "docs" / "certificate.md"
    blocks = re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
    code = "\n".join(blocks)
    names: dict[str, Any] = {"np": np}
    exec(compile(code, str(page), "exec"), names)
    return names


def test_the_lines_of_the_documentation() -> None:
    names, proven = documented(), prove(MARKET, ORDERS)
    proof, stairs = proven.certificate, kpm.staircases(MARKET, ORDERS)
    assert proof is not None
    finite = np.flatnonzero(proof.bound > -np.inf)
    bounds = [names["bound"](MARKET, stairs, proof, leaf) for leaf in finite]
    np.testing.assert_allclose(bounds, proof.bound[finite], rtol=0, atol=1e-11)


@pytest.mark.parametrize("turned", [False, True])
def test_the_lines_of_the_documentation_for_merged_claims(turned: bool) -> None:
    row = np.array([3.0, -1.0, 0.5])
    payoffs = [row, [0, 1, 0], 0.5 - 2 * row if turned else 2 * row + 0.5]
    market = MARKET.replace(payoffs=payoffs)
    price = (2 * ORDERS.price + 0.3) * np.where(ORDERS.claim == 1, 0.4, 1)
    result = kpm.clear(market, kpm.Orders(ORDERS.claim, ORDERS.side, price, 1), certificate=True)
    names, proof = documented(), result.certificate
    assert proof is not None
    assert proof.merged == 1
    stairs = names["merge"](market, kpm.staircases(market, result.orders), proof.merged_into)
    finite = np.flatnonzero(proof.bound > -np.inf)
    bounds = [names["bound"](market, stairs, proof, leaf) for leaf in finite]
    np.testing.assert_allclose(bounds, proof.bound[finite], rtol=0, atol=1e-11)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_lines_of_the_documentation_for_convex_rules(kind: str) -> None:
    maker = EXAMPLES[kind]
    market = kpm.Market([*np.eye(3), [3, -1, 0.5]], maker=maker)
    orders = kpm.Orders([0, 1, 2, 3, 3], [1, -1, 1, -1, 1], [0.8, 0.1, 0.9, 0.2, 3.5], 4)
    result = kpm.clear(market, orders, rule="competitive", certificate=True)
    names, proof = documented(), result.certificate
    assert isinstance(proof, kpm.DualCertificate)
    conjugate = maker.conjugate(proof.state_prices)
    if len(proof.worst_case):
        by_page = names["knightian_conjugate"](market.maker, proof)
        assert by_page == pytest.approx(conjugate, abs=1e-9)
    bound = names["dual"](market, orders, proof, conjugate)
    assert bound == pytest.approx(result.upper_bound, abs=1e-9)
