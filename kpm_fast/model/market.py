"""The market: what the claims pay, what the maker believes and how careful it is."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import (
    LARGEST,
    SMALLEST,
    Floats,
    as_floats,
    as_number,
    check_complete,
    exact_sum,
    first,
    frozen,
    same,
)
from ..errors import InputError
from ..files.tables import CsvTable, read_csv

__all__ = ["Market"]

#: How far a prior may be from summing to one before it is taken for a mistake.
PRIOR_TOLERANCE = 1e-9
#: States less likely than this, and claims whose payoffs differ by less, are
#: refused: squares of such numbers leave the range of a double.
LEAST_PRIOR = 1e-200
LEAST_SPAN = 1e-50


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Market:
    """A market of K claims on N states, and its maker. Immutable.

    Parameters
    ----------
    payoffs : array_like, shape (K, N)
        Money that one share of claim k pays in state i; any numbers up to 1e30 in magnitude that
        are all alike or differ by 1e-50 or more. K, N >= 1.
    prior : array_like, shape (N,)
        The maker's reference probabilities q >= 1e-200. Must sum to 1 within 1e-9, and are then
        normalised.
    inventory : array_like, shape (N,), optional
        The maker's wealth w in each state before trading, in money, up to 1e30 in magnitude.
        Default: zero.
    risk_aversion : float, optional
        Constant absolute risk aversion alpha, per unit of money; 1e-30 <= alpha <= 1e30.
    ambiguity : float, optional
        Radius Omega of the set of probabilities {p : KL(p|q) <= Omega}, in nats;
        0 <= Omega <= inf. Zero is expected utility, infinity looks at the worst state only.
    claims, states : sequence of str, optional
        Distinct labels. Default: ``"0"``, ``"1"``, ... Labels are not empty and neither start
        nor end with white space.

    Attributes
    ----------
    payoffs, prior, inventory : ndarray of float64
        Read-only copies of the parameters.
    risk_aversion, ambiguity : float
    claims, states : tuple of str

    Raises
    ------
    InputError
        Naming the field, the index or label, and the value at fault.

    Notes
    -----
    In the notation of the paper's problem (8), row k of ``payoffs`` is the payoff vector that
    the columns A_j of all orders for claim k share.
    """

    payoffs: Floats
    prior: Floats
    inventory: Floats
    risk_aversion: float
    ambiguity: float
    claims: tuple[str, ...]
    states: tuple[str, ...]

    def __init__(
        self,
        payoffs: ArrayLike,
        prior: ArrayLike,
        inventory: ArrayLike | None = None,
        risk_aversion: float = 1.0,
        ambiguity: float = 0.1,
        claims: Sequence[str] | None = None,
        states: Sequence[str] | None = None,
    ) -> None:
        table = as_floats(payoffs, "payoffs")
        if table.ndim != 2 or 0 in table.shape:
            raise InputError(
                "must be a table of at least one claim (row) by at least one state (column), "
                f"got shape {table.shape}",
                field="payoffs",
            )
        claim_labels = _labels(claims, table.shape[0], "claims")
        state_labels = _labels(states, table.shape[1], "states")
        _check_payoffs(table, claim_labels, state_labels)
        values = {
            "payoffs": frozen(table),
            "prior": _checked_prior(prior, state_labels),
            "inventory": _checked_inventory(inventory, state_labels),
            "risk_aversion": _checked_risk_aversion(risk_aversion),
            "ambiguity": _checked_ambiguity(ambiguity),
            "claims": claim_labels,
            "states": state_labels,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_csv(
        cls,
        claims_path: str | os.PathLike[str],
        states_path: str | os.PathLike[str],
        **keywords: Any,
    ) -> Market:
        """Read a market from two CSV files.

        Parameters
        ----------
        claims_path : path
            Header ``claim,<state>,<state>,...``; a row per claim with its payoffs.
        states_path : path
            Header ``state,prior`` and optionally ``inventory``; a row per state. Its order of
            states becomes the market's; the claims file may have another.
        **keywords
            ``inventory``, ``risk_aversion``, ``ambiguity``: as for :class:`Market`; they take
            precedence over the file.

        Raises
        ------
        InputError
            Naming file and line; both files if their states differ.
        """
        payoff_table = read_csv(claims_path, required=["claim"])
        state_table = read_csv(states_path, required=["state", "prior"], optional=["inventory"])
        states = _unique_column(state_table, "state")
        claims = _unique_column(payoff_table, "claim")
        named = [name for name in payoff_table.names if name != "claim"]
        _check_same_states(named, states, payoff_table.path, state_table.path)
        columns: dict[str, Any] = {
            "payoffs": np.array([payoff_table.numbers(state) for state in states]).T,
            "prior": state_table.numbers("prior"),
        }
        if "inventory" in state_table and keywords.get("inventory") is None:
            keywords.pop("inventory", None)
            columns["inventory"] = state_table.numbers("inventory")
        try:
            return cls(**columns, **keywords, claims=claims, states=states)
        except InputError as error:
            if error.field not in columns:  # a keyword, which no file is to blame for
                raise
            by_claim = error.field == "payoffs"
            table, labels = (payoff_table, claims) if by_claim else (state_table, states)
            label = error.index[0] if isinstance(error.index, tuple) else error.index
            line = table.lines[labels.index(label)] if isinstance(label, str) else None
            raise error.located(table.path, line) from None

    def replace(self, **changes: Any) -> Market:
        """Return a copy with some parameters changed, validated like a new market."""
        current = {field.name: getattr(self, field.name) for field in fields(self)}
        unknown = set(changes) - set(current)
        if unknown:
            raise TypeError(f"Market has no parameter {min(unknown)!r}")
        return Market(**{**current, **changes})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Market):
            return NotImplemented
        return all(
            same(getattr(self, field.name), getattr(other, field.name)) for field in fields(self)
        )

    __hash__ = None  # type: ignore[assignment]  # equal by arrays, which have no hash

    def __reduce__(self) -> tuple[Any, ...]:
        # Through the constructor: unpickled arrays would otherwise be writeable.
        return Market, tuple(getattr(self, field.name) for field in fields(self))

    def __repr__(self) -> str:
        n_claims, n_states = self.payoffs.shape
        return (
            f"Market({n_claims} claims, {n_states} states, "
            f"risk_aversion={self.risk_aversion:g}, ambiguity={self.ambiguity:g})"
        )


def _labels(labels: Sequence[str] | None, count: int, field: str) -> tuple[str, ...]:
    if labels is None:
        return tuple(map(str, range(count)))
    if isinstance(labels, str):
        raise InputError(f"must be a sequence of labels, got the text {labels!r}", field=field)
    check_complete(labels, field)
    try:
        names = tuple(labels)
    except TypeError:
        raise InputError(f"must be a sequence of labels, got {labels!r}", field=field) from None
    if len(names) != count:
        axis = "rows" if field == "claims" else "columns"
        raise InputError(f"{len(names)} labels for {count} {axis} of payoffs", field=field)
    seen: dict[str, int] = {}
    for position, name in enumerate(names):
        if not isinstance(name, str) or not name or name != name.strip():
            raise InputError(
                f"a label must be text, not empty, without surrounding white space, got {name!r}",
                field=field,
                index=position,
            )
        if name in seen:
            raise InputError(
                f"label {name!r} is already that of index {seen[name]}", field=field, index=position
            )
        seen[name] = position
    return tuple(map(str, names))


def _check_payoffs(payoffs: Floats, claims: tuple[str, ...], states: tuple[str, ...]) -> None:
    wrong = first(~np.isfinite(payoffs).ravel())
    if wrong is not None:
        k, i = divmod(wrong, payoffs.shape[1])
        raise InputError(
            f"must be finite, got {payoffs[k, i]}", field="payoffs", index=(claims[k], states[i])
        )
    wrong = first(np.abs(payoffs).ravel() > LARGEST)
    if wrong is not None:
        k, i = divmod(wrong, payoffs.shape[1])
        raise InputError(
            f"must be between {-LARGEST:g} and {LARGEST:g}, got {payoffs[k, i]}",
            field="payoffs",
            index=(claims[k], states[i]),
        )
    span = np.ptp(payoffs, axis=1)
    wrong = first((span > 0) & (span < LEAST_SPAN))
    if wrong is not None:
        raise InputError(
            f"must be all alike or differ by {LEAST_SPAN:g} or more, differ by {span[wrong]}",
            field="payoffs",
            index=claims[wrong],
        )


def _state_vector(value: ArrayLike, states: tuple[str, ...], field: str) -> Floats:
    array = as_floats(value, field)
    if array.shape != (len(states),):
        raise InputError(
            f"must have shape ({len(states)},), one entry for each state, got shape {array.shape}",
            field=field,
        )
    wrong = first(~np.isfinite(array))
    if wrong is not None:
        raise InputError(f"must be finite, got {array[wrong]}", field=field, index=states[wrong])
    return array


def _checked_prior(value: ArrayLike, states: tuple[str, ...]) -> Floats:
    prior = _state_vector(value, states, "prior")
    wrong = first(prior <= 0)
    if wrong is not None:
        raise InputError(
            f"must be greater than zero, got {prior[wrong]}", field="prior", index=states[wrong]
        )
    wrong = first(prior < LEAST_PRIOR)
    if wrong is not None:
        raise InputError(
            f"must be at least {LEAST_PRIOR:g}, got {prior[wrong]}: leave out a state that cannot "
            "happen",
            field="prior",
            index=states[wrong],
        )
    mass = exact_sum(prior)
    if abs(mass - 1.0) > PRIOR_TOLERANCE:
        raise InputError(
            f"must sum to 1 within {PRIOR_TOLERANCE:g}, sums to {mass!r}", field="prior"
        )
    # Quotients of a correctly rounded sum add up to 1 within 2**-52. Leaving such vectors
    # alone makes normalisation idempotent: copies, pickles and files keep every bit.
    if abs(mass - 1.0) > 2.0**-52:
        prior /= mass
    return frozen(prior)


def _checked_inventory(value: ArrayLike | None, states: tuple[str, ...]) -> Floats:
    if value is None:
        return frozen(np.zeros(len(states)))
    inventory = _state_vector(value, states, "inventory")
    wrong = first(np.abs(inventory) > LARGEST)
    if wrong is not None:
        raise InputError(
            f"must be between {-LARGEST:g} and {LARGEST:g}, got {inventory[wrong]}",
            field="inventory",
            index=states[wrong],
        )
    return frozen(inventory)


def _checked_risk_aversion(value: Any) -> float:
    number = as_number(value, "risk_aversion")
    if not 0 < number < math.inf:
        raise InputError(f"must be a finite number > 0, got {value}", field="risk_aversion")
    if not SMALLEST <= number <= LARGEST:
        raise InputError(
            f"must be between {SMALLEST:g} and {LARGEST:g}, got {value}", field="risk_aversion"
        )
    return number


def _checked_ambiguity(value: Any) -> float:
    number = as_number(value, "ambiguity")
    if not number >= 0:
        raise InputError(f"must be a number >= 0 (inf is allowed), got {value}", field="ambiguity")
    return number


def _unique_column(table: CsvTable, name: str) -> list[str]:
    labels = table.text(name)
    if not labels:
        raise InputError(f"no rows: at least one {name} was expected", file=table.path)
    seen: dict[str, int] = {}
    for row, label in enumerate(labels):
        if not label:
            raise table.error(row, name, f"the {name} has no name")
        if label in seen:
            raise table.error(row, name, f"{label!r} is already on line {table.lines[seen[label]]}")
        seen[label] = row
    return labels


def _check_same_states(
    columns: list[str], states: list[str], claims_path: Path, states_path: Path
) -> None:
    for names, others, here, there in (
        (columns, set(states), claims_path, states_path),
        (states, set(columns), states_path, claims_path),
    ):
        missing = [name for name in names if name not in others]
        if missing:
            raise InputError(
                f"state {missing[0]!r} of {here} is not in {there}: "
                "both files must have the same states",
                file=here,
            )
