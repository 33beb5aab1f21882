"""Arguments of the makers' methods, checked once: errors name field, index and value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Floats, as_floats, as_number, first, frozen
from ..bounds import LARGEST, SMALLEST
from ..entries import is_frame
from ..errors import InputError, brief
from .labels import (
    align,
    default_labels,
    has_column,
    has_labelled_rows,
    in_pandas,
    named_entries,
    named_table,
    reordering,
)

__all__ = [
    "checked_inventory",
    "checked_limit",
    "checked_positive",
    "checked_quantities",
    "checked_rows",
    "checked_vector",
    "labelled_rows",
    "quantities_by_claim",
    "states_named_by",
]


def states_named_by(value: Any, field: str) -> tuple[tuple[str, ...], bool]:
    """Return the labels of states in a vector, or a table of vectors, and whether it has any.

    The numbers from 0 to N - 1, in any order, are the default labels; so they are without labels.
    """
    named, value = None, in_pandas(value)
    if _is_table(value):
        table = named_table(value, field)
        entries, named = table.entries, table.columns
    elif isinstance(value, np.ndarray | list | tuple):
        entries = value
    else:
        entries, named = named_entries(value, field)
    try:
        shape = np.shape(entries)
    except ValueError:  # rows of different lengths: refused where they become numbers
        shape = ()
    numbers = default_labels(shape[-1] if shape else 0)
    if named is None or set(named) == set(numbers):
        return numbers, named is not None
    return named, True


def _is_table(value: Any) -> bool:
    """Whether a value holds a vector by state for each of several names."""
    if is_frame(value):
        return not has_column(value, "state", "state")
    if isinstance(value, np.ndarray | list | tuple):
        return has_labelled_rows(value)
    return isinstance(value, Mapping) and any(
        hasattr(entry, "__len__") and not isinstance(entry, str | bytes) for entry in value.values()
    )


def labelled_rows(
    value: Any, field: str, labels: tuple[str, ...] = ()
) -> tuple[Any, tuple[str, ...] | None]:
    """Return a vector by state, or rows of them, in the order of the states, and the rows' names.

    Labels other than those of the maker's states (numbers, if it has none) are refused, never
    ignored.
    """
    value = in_pandas(value)
    if not _is_table(value):
        if isinstance(value, np.ndarray | list | tuple | float | int):
            return value, None
        if not hasattr(value, "__len__"):
            raise InputError(f"must be numbers by state, got {brief(value)}", field=field)
        return align(value, labels or default_labels(len(value)), field), None
    table = named_table(value, field)
    rows = np.asarray(table.entries)
    if table.columns is not None:
        states = labels or default_labels(len(table.columns))
        rows = rows[:, reordering(table.columns, states, field, "state")]
    return rows, table.rows


def checked_rows(value: ArrayLike, field: str, labels: tuple[str, ...] = ()) -> tuple[Floats, bool]:
    """Return a vector by state, or rows of them, as rows; and whether it was one vector."""
    array = as_floats(labelled_rows(value, field, labels)[0], field)
    if array.ndim not in (1, 2) or array.shape[-1] == 0:
        raise InputError(f"must have shape (N,) or (rows, N), got shape {array.shape}", field=field)
    wrong = first(~(np.abs(array.ravel()) <= LARGEST))
    if wrong is not None:
        row, state = divmod(wrong, array.shape[-1])
        raise InputError(
            f"must be between {-LARGEST:g} and {LARGEST:g}, got {array.ravel()[wrong]}",
            field=field,
            index=state if array.ndim == 1 else (str(row), str(state)),
        )
    return np.atleast_2d(array), array.ndim == 1


def checked_limit(value: Any, field: str) -> float:
    """Return a number in range, or an infinite one."""
    number = as_number(value, field)
    if not (abs(number) <= LARGEST or math.isinf(number)):
        raise InputError(
            f"must be between {-LARGEST:g} and {LARGEST:g}, or infinite, got {value}", field=field
        )
    return number


def quantities_by_claim(value: Any, claims: tuple[str, ...]) -> Any:
    """Return quantities, or a row of them for each claim, in the order of the claims."""
    value = in_pandas(value)
    if not is_frame(value) or has_column(value, "quantities", "claim"):
        labelled = hasattr(value, "__len__") and not isinstance(value, str | bytes)
        return align(value, claims, "quantities", "claim") if labelled else value
    table = named_table(value, "quantities")
    rows = np.asarray(table.entries)
    if table.rows is None:
        return rows
    return rows[reordering(table.rows, claims, "quantities", "claim")]


def checked_quantities(quantities: ArrayLike | None, claims: int) -> tuple[Floats, tuple[int, ...]]:
    """Return quantities as (K, S), with S = 0 for the next share, and the shape of the quotes."""
    if quantities is None:
        return np.zeros((claims, 0)), (claims,)
    sizes = as_floats(quantities, "quantities")
    if sizes.ndim > 2 or (sizes.ndim > 0 and sizes.shape[0] != claims):
        raise InputError(
            f"must be a number or have shape ({claims},) or ({claims}, sizes), "
            f"got shape {sizes.shape}",
            field="quantities",
        )
    if sizes.ndim == 2 and sizes.shape[1] == 0:
        raise InputError(
            f"must have at least one size, got shape {sizes.shape}", field="quantities"
        )
    wrong = first(~((sizes.ravel() >= SMALLEST) & (sizes.ravel() <= LARGEST)))
    if wrong is not None:
        index: int | tuple[str, ...] | None = wrong if sizes.ndim == 1 else None
        if sizes.ndim == 2:
            index = tuple(map(str, divmod(wrong, sizes.shape[1])))
        raise InputError(
            f"must be between {SMALLEST:g} and {LARGEST:g}, got {sizes.ravel()[wrong]}",
            field="quantities",
            index=index,
        )
    if sizes.ndim == 2:
        return sizes, (claims, sizes.shape[1])
    return np.ascontiguousarray(np.broadcast_to(sizes, claims)).reshape(claims, 1), (claims,)


def checked_vector(
    value: Any, field: str, states: int | None = None, labels: tuple[str, ...] | None = None
) -> Floats:
    """Return a finite number of at most 1e30 for each of ``states``, if these are known."""
    if not isinstance(value, np.ndarray | list | tuple) and hasattr(value, "__len__"):
        value = align(value, labels or default_labels(len(value)), field)
    array = as_floats(value, field)
    if array.ndim != 1 or len(array) == 0 or states not in (None, len(array)):
        wanted = "N" if states is None else states
        raise InputError(
            f"must have shape ({wanted},), one entry for each state, got shape {array.shape}",
            field=field,
        )
    wrong = first(~(np.abs(array) <= LARGEST))
    if wrong is not None:
        raise InputError(
            f"must be between {-LARGEST:g} and {LARGEST:g}, got {array[wrong]}",
            field=field,
            index=wrong,
        )
    return array


def checked_inventory(value: Any, labels: tuple[str, ...]) -> Floats:
    """Return the wealth by state; zero where none is given."""
    if value is None:
        return frozen(np.zeros(len(labels)))
    return frozen(checked_vector(value, "inventory", len(labels), labels))


def checked_positive(
    value: Any, field: str, *, least: float = SMALLEST, or_zero: bool = False
) -> float:
    """Return a number between ``least`` and 1e30, or 0 where that is allowed."""
    number = as_number(value, field)
    if or_zero and number == 0:
        return 0.0
    if not least <= number <= LARGEST:
        allowed = f"{'0 or ' if or_zero else ''}between {least:g} and {LARGEST:g}"
        raise InputError(f"must be {allowed}, got {value}", field=field)
    return number
