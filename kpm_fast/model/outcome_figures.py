"""What the figures of a clearing are, in a saved file and in a pickle: types, axes and ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from ..arrays import check_axes
from ..errors import InputError, brief
from .book_types import check_book
from .certificate import Certificate, DualCertificate
from .maker_model import check_maker
from .rules import ALLOCATIONS, RULES
from .stats import Stats
from .status import Status

__all__ = ["CELL_ARRAYS", "NUMBERS", "OUTCOME_ARRAYS", "axes_of_book", "check_outcome"]

#: Arrays by field: type and axes (N states, K claims, J orders).
OUTCOME_ARRAYS = {
    "fills": ("<f8", "J"),
    "state_prices": ("<f8", "N"),
    "claim_prices": ("<f8", "K"),
    "net_demand": ("<f8", "K"),
    "payoff": ("<f8", "N"),
    "worst_case": ("<f8", "N"),
    "marginal_state_prices": ("<f8", "N"),
    "multipliers": ("<f8", "K"),
    "cell": ("<i8", "K"),
}
CELL_ARRAYS = {
    "state_prices": ("<f8", "N"),
    "net_demand": ("<f8", "K"),
    "worst_case": ("<f8", "N"),
    "marginal_state_prices": ("<f8", "N"),
    "multipliers": ("<f8", "K"),
}
NUMBERS = (
    "revenue",
    "certainty_equivalent",
    "no_trade_equivalent",
    "upper_bound",
    "ambiguity_price",
    "scale",
    "tolerance",
)


def axes_of_book(market: Any, orders: Any) -> dict[str, int]:
    """Return N, K and J of an unpickled market and its orders, which must be a book."""
    check_book(market, orders)
    orders.claim_index(market)
    return {"N": len(market.states), "K": len(market.claims), "J": len(orders)}


def check_outcome(outcome: Any, sizes: dict[str, int]) -> None:
    """Check the figures of an unpickled clearing; whether they are true is for ``verify``.

    Raises
    ------
    InputError
        Naming the field.
    """
    values = vars(outcome)
    for name in values.keys() - {item.name for item in fields(outcome)}:
        raise InputError("is no field of a clearing", field=name)
    for name in OUTCOME_ARRAYS:
        if not np.isfinite(values[name]).all():
            raise InputError("must be finite", field=name)
    for name in NUMBERS:
        _check(values, name, float, "a float")
    if not 0 < values["tolerance"] < 1:
        raise InputError(f"must be between 0 and 1, got {values['tolerance']}", field="tolerance")
    if values["_objective"] is not None:
        _check(values, "_objective", float, "a float")
    _check(values, "status", Status, "a Status")
    _check(values, "stats", Stats, "Stats")
    for name, known in (("allocation", ALLOCATIONS), ("rule", RULES)):
        if not isinstance(values[name], str) or values[name] not in known:
            reason = f"must be one of {', '.join(known)}, got {brief(values[name])}"
            raise InputError(reason, field=name)
    check_maker(values["rule"], values["market"])
    proof = values["certificate"]
    if isinstance(proof, Certificate):
        check_axes(proof.first, "LK", sizes, "certificate.first")
        check_axes(proof.worst_case, "LN", sizes, "certificate.worst_case")
    elif proof is not None:
        _check(values, "certificate", DualCertificate, "a certificate")
        check_axes(proof.state_prices, "N", sizes, "certificate.state_prices")


def _check(values: Mapping[str, Any], name: str, kind: type, said: str) -> None:
    if not isinstance(values[name], kind):
        raise InputError(f"must be {said}, got {brief(values[name])}", field=name)
