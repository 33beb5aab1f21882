"""What the claims of a market pay, with the labels of claims and states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arrays import Floats, as_floats
from ..errors import InputError
from .labels import check_labels, default_labels, named_entries, named_table, reordering
from .maker import Maker

__all__ = ["payoff_table"]


def payoff_table(
    payoffs: Any,
    prior: Any,
    claims: Sequence[str] | None,
    states: Sequence[str] | None,
    maker: Any = None,
) -> tuple[Floats, tuple[str, ...], tuple[str, ...]]:
    """Return the payoffs with the labels of rows and columns, their own or those given."""
    entries, rows, columns = named_table(payoffs)
    table = as_floats(entries, "payoffs")
    if table.ndim != 2 or 0 in table.shape:
        raise InputError(
            "must be a table of at least one claim (row) by at least one state (column), "
            f"got shape {table.shape}",
            field="payoffs",
        )
    n_claims, n_states = table.shape
    if states is None and columns is None:
        columns = _states_of_prior(prior, n_states)
        if isinstance(maker, Maker) and len(maker.labels) == n_states:
            columns = maker.labels
    claim_labels = _checked_labels(claims, rows, n_claims, "claims")
    state_labels = _checked_labels(states, columns, n_states, "states")
    if rows is not None and rows != claim_labels:
        table = table[reordering(rows, claim_labels, "payoffs", "claim")]
    if columns is not None and columns != state_labels:
        table = np.ascontiguousarray(
            table[:, reordering(columns, state_labels, "payoffs", "state")]
        )
    return table, claim_labels, state_labels


def _checked_labels(
    given: Sequence[str] | None, own: tuple[str, ...] | None, count: int, field: str
) -> tuple[str, ...]:
    """Return the labels given, else their own, else ``"0"``, ``"1"``, ... ."""
    if given is None:
        return default_labels(count) if own is None else check_labels(own, count, field)
    return check_labels(given, count, field)


def _states_of_prior(prior: Any, count: int) -> tuple[str, ...] | None:
    """Return the labels of a prior, in its order, for payoffs whose columns have none."""
    if isinstance(prior, np.ndarray | list | tuple):
        return None
    labels = named_entries(prior, "prior").labels
    if labels is None or len(labels) != count or set(labels) == set(default_labels(count)):
        return None  # the default labels, perhaps in another order, to which the prior is aligned
    return labels
