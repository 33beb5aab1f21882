"""Faults that the core finds in input, as errors in terms of the caller's fields and labels."""

from __future__ import annotations

from collections.abc import Sequence

from .. import _core
from ..errors import InputError

__all__ = ["error_of"]


def error_of(
    fault: _core.Fault, claims: Sequence[str] | None = None, states: Sequence[str] | None = None
) -> InputError:
    """Return the error for a fault: what must hold, what is there instead, and where.

    Without labels an index stays the number of a row.
    """
    field, rule, index, state, value = fault
    labels = claims if field == "payoffs" else states
    where: int | str | tuple[str, ...] | None = None
    if index >= 0:
        where = index if labels is None else labels[index]
    if state >= 0 and claims is not None and states is not None:
        where = (claims[index], states[state])
    return InputError(f"{rule}, got {value}", field=field, index=where)
