"""The prior: the probabilities a maker starts from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arrays import Floats, as_flag, as_floats, exact_sum, first, frozen
from ..bounds import LEAST_PRIOR, PRIOR_TOLERANCE
from ..entries import type_of
from ..errors import InputError
from .labels import align

__all__ = ["EXACT", "checked_prior", "rounding_of", "state_vector"]

#: How far from one the sum of a prior may be, if its digits explain it.
MOST_TOLERANCE = 1e-4
#: Quotients of a correctly rounded sum add up to 1 within this. Leaving such vectors alone makes
#: normalisation idempotent: copies, pickles and files keep every bit.
EXACT = 2.0**-52
#: What a market, and whatever reads one from files, offers for a prior of another sum.
BY_NORMALIZE = "normalize=True (--normalize) divides by the sum"


def state_vector(value: Any, states: tuple[str, ...], field: str) -> Floats:
    """Return a finite number for each state, aligned by label where there are labels."""
    array = _vector(value, states, field)
    _check_finite(array, states, field)
    return array


def _vector(value: Any, states: tuple[str, ...], field: str) -> Floats:
    array = as_floats(align(value, states, field), field)
    if array.shape != (len(states),):
        raise InputError(
            f"must have shape ({len(states)},), one entry for each state, got shape {array.shape}",
            field=field,
        )
    return array


def _check_finite(array: Floats, states: tuple[str, ...], field: str) -> None:
    finite = np.isfinite(array)
    if not finite.all():
        wrong = int(finite.argmin())
        raise InputError(f"must be finite, got {array[wrong]}", field=field, index=states[wrong])


def checked_prior(
    value: Any,
    states: tuple[str, ...],
    *,
    normalize: bool = False,
    field: str = "prior",
    remedy: str = "divide it by its sum",
) -> tuple[Floats, float]:
    """Return a prior that sums to 1 within 2**-52, and the sum of the given one.

    Parameters
    ----------
    value : array_like, Series or mapping
        Probabilities >= 1e-200, by state; labels are aligned.
    states : tuple of str
    normalize : bool
        Whether any positive sum will do. Otherwise it must be 1 within :func:`rounding_of` the
        entries.
    field : str
        Its name in messages.
    remedy : str
        What the caller offers for another sum, in messages.

    Raises
    ------
    InputError
        Naming the state and value, or the sum, how far it may be off, and what to do.
    """
    prior = _vector(value, states, field)
    mass = exact_sum(prior)
    if not math.isfinite(mass):
        _check_finite(prior, states, field)
    if prior.min() < LEAST_PRIOR:
        wrong = first(prior <= 0)
        if wrong is not None:
            raise InputError(
                f"must be greater than zero, got {prior[wrong]}"
                + (": leave out a state that cannot happen" if prior[wrong] == 0.0 else ""),
                field=field,
                index=states[wrong],
            )
        wrong = int((prior < LEAST_PRIOR).argmax())
        raise InputError(
            f"must be at least {LEAST_PRIOR:g}, got {prior[wrong]}: leave out a state that cannot "
            "happen",
            field=field,
            index=states[wrong],
        )
    off = abs(mass - 1.0)
    normalize = normalize is not False and as_flag(normalize, "normalize")
    if off > PRIOR_TOLERANCE and not (normalize and mass < math.inf):
        allowed = max(PRIOR_TOLERANCE, rounding_of(value, prior))
        if off > allowed:
            advice = "" if normalize else f"; {remedy}"
            if mass == math.inf:
                raise InputError(
                    "must have a sum within the range of numbers, got entries of up to "
                    f"{prior.max():g}: divide them by that",
                    field=field,
                )
            raise InputError(
                f"must sum to 1 within {allowed:.3g}, which the rounding of its entries allows, "
                f"but sums to {mass!r}{advice}",
                field=field,
            )
    if off > EXACT:
        prior /= mass
        if prior.min() < LEAST_PRIOR:
            wrong = int(prior.argmin())
            raise InputError(
                f"must be at least {LEAST_PRIOR:g} of the sum, got {prior[wrong]}",
                field=field,
                index=states[wrong],
            )
    return frozen(prior), mass


def rounding_of(value: Any, prior: Floats) -> float:
    """Return how far from 1 a prior may sum because its entries are rounded; 1e-4 at most.

    Entries of a narrow type are each rounded by half a unit in their last place, and so is each
    step of the sum that they were divided by. Others are rounded by half a unit in their last
    decimal digit. All are taken to have as many digits after the point as the entry with most of
    them, or as many significant ones as the entry with most of these: trailing zeros are not kept.
    """
    narrow = _narrow_epsilon(value)
    if narrow is not None:
        return min(MOST_TOLERANCE, narrow * max(8.0, len(prior) / 2))
    exponents = np.floor(np.log10(prior)).astype(int)
    digits = [_digits(entry) for entry in prior.tolist()]
    decimals = max(after for after, _ in digits)
    significant = max(count for _, count in digits)
    places = np.minimum(exponents - significant + 1.0, 0.0)
    fixed, floating = 10.0 ** float(-decimals), 10.0**places
    return min(MOST_TOLERANCE, float(np.maximum(fixed, floating).sum()) / 2 * (1 + 1e-9))


def _narrow_epsilon(value: Any) -> float | None:
    """Return the spacing at 1 of a type of fewer digits than a double's, or None."""
    kind = getattr(value, "dtype", None)
    if isinstance(value, list | tuple | Mapping):
        entries = value.values() if isinstance(value, Mapping) else value
        kinds = {getattr(entry, "dtype", None) for entry in entries}
        kind = kinds.pop() if len(kinds) == 1 else None
    elif not isinstance(kind, np.dtype):
        kind = type_of(value)
    name = str(kind).lower()
    for names, epsilon in (
        (("float32", "float"), 2.0**-23),
        (("float16", "halffloat"), 2.0**-10),
    ):
        if name in names:
            return epsilon
    return None


def _digits(entry: float) -> tuple[int, int]:
    """Return the decimals after the point of the shortest spelling, and its significant digits."""
    mantissa, _, exponent = f"{entry!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = fraction.rstrip("0")
    decimals = max(0, len(fraction) - int(exponent or 0))
    return decimals, len((whole + fraction).lstrip("0").rstrip("0")) or 1
