"""Two kinds of prior: uniform, and from a density over levels such as strikes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Floats, as_floats, first
from ..bounds import LEAST_PRIOR
from ..entries import identifier, number
from ..errors import InputError, brief
from .labels import align, named_entries, states_of

__all__ = ["prior_from_density", "uniform_prior"]


def uniform_prior(states: Iterable[Any] | int) -> dict[str, float]:
    """Return the uniform prior, which prefers no state.

    Parameters
    ----------
    states : iterable of labels, or int
        The labels, such as the columns of a frame of payoffs; or the number of states, which are
        then labelled ``"0"``, ``"1"``, ... as in a market of arrays.

    Returns
    -------
    dict of str to float
        1 / N for each: a prior that :class:`Market` aligns.

    Raises
    ------
    InputError
        If there is no state, or a label appears twice.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> kpm.uniform_prior(["home", "draw", "away", "void"])
    {'home': 0.25, 'draw': 0.25, 'away': 0.25, 'void': 0.25}
    """
    names, _ = states_of(states)
    if not names:
        raise InputError(f"must be at least one, got {brief(states)}", field="states")
    return dict.fromkeys(names, 1.0 / len(names))


def prior_from_density(levels: ArrayLike, density: Any) -> dict[str, float]:
    """Return a prior from a density over levels of an index, which are the states.

    The state of a level has the mass of the density between the midpoints to its neighbours, where
    the density is taken as linear between levels; the first and the last level have only the mass
    on their inner side. The masses are then divided by their sum.

    Parameters
    ----------
    levels : array_like, shape (N,)
        Increasing; N >= 2. For example, strikes and a level beyond them on either side.
    density : array_like, shape (N,), or callable
        At each level, per unit of the index and up to a factor; labels are those of levels. Or a
        function of an array of levels, such as ``scipy.stats.norm(100, 8).pdf``.

    Returns
    -------
    dict of str to float
        Probabilities by level: a prior that :class:`Market` aligns. Names are ``f"{level:g}"``
        where six digits are enough, else all digits, as for a frame's numeric columns.

    Raises
    ------
    InputError
        Naming the level or the density at fault.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> kpm.prior_from_density([90, 100, 110], [0.0, 1.0, 0.0])
    {'90': 0.125, '100': 0.75, '110': 0.125}
    """
    at = as_floats(levels, "levels")
    if at.ndim != 1 or len(at) < 2:
        raise InputError(
            f"must be at least two numbers in one dimension, got shape {at.shape}", field="levels"
        )
    row = first(~np.isfinite(at))
    if row is not None:
        raise InputError(f"must be finite, got {at[row]}", field="levels", index=row)
    row = first(np.diff(at) <= 0.0)
    if row is not None:
        raise InputError(
            f"must increase, got {float(at[row])!r} and then {float(at[row + 1])!r}",
            field="levels",
            index=row + 1,
        )
    names = [_name(level) for level in at.tolist()]
    for row, name in enumerate(names[1:], start=1):
        if name == names[row - 1]:
            raise InputError(
                f"must be distinguished by its name from the level before, "
                f"got {brief(name)} for both",
                field="levels",
                index=row,
            )
    height = _heights(levels, at, names, density)
    if height.shape != at.shape:
        raise InputError(
            f"must have shape {at.shape}, a number for each level, got shape {height.shape}",
            field="density",
        )
    row = first(~(height >= 0.0) | np.isinf(height))
    if row is not None:
        raise InputError(
            f"must be finite and not negative, got {height[row]}", field="density", index=names[row]
        )
    # Between two levels a straight line from f to g: its nearer half holds (3 f + g) / 8 of a step.
    step = np.diff(at)
    mass = np.zeros_like(at)
    mass[:-1] += step * (3.0 * height[:-1] + height[1:]) / 8.0
    mass[1:] += step * (height[:-1] + 3.0 * height[1:]) / 8.0
    total = mass.sum()
    if not (np.isfinite(total) and total > 0.0):
        raise InputError(
            f"must have positive and finite mass on the levels, got {total}", field="density"
        )
    prior = mass / total
    row = first(prior < LEAST_PRIOR)
    if row is not None:
        raise InputError(
            f"must give every state a probability of at least {LEAST_PRIOR:g}, got {prior[row]}: "
            "leave the level out",
            field="density",
            index=names[row],
        )
    return dict(zip(names, prior.tolist(), strict=True))


def _name(level: float) -> str:
    """Name a level by six digits if it has no more, else as a frame's columns are named."""
    short = f"{level:g}"
    if math.isclose(float(short), level, rel_tol=1e-12) and not (
        "e" in short and level == int(level) and abs(level) < 2.0**53
    ):
        return short
    return identifier(level, "levels", 0)


def _heights(levels: Any, at: Floats, names: list[str], density: Any) -> Floats:
    """Return the density at each level, found by label if there are labels."""
    if callable(density):
        try:
            return as_floats(density(at), "density")
        except TypeError as error:
            raise InputError(
                f"must be a function of an array of levels, but: {error} (numpy.vectorize makes "
                "one of a function of one level)",
                field="density",
            ) from error
    given = named_entries(density, "density", "level")
    if given.labels is None:
        return as_floats(given.entries, "density")
    rows = named_entries(levels, "levels", "level").labels
    if rows is not None and set(rows) == set(given.labels):  # two columns of one frame
        return as_floats(align(density, rows, "density", "level"), "density")
    by_level = dict(zip(map(_named_level, given.labels), given.entries, strict=True))
    return as_floats(align(by_level, names, "density", "level"), "density")


def _named_level(label: str) -> str:
    try:
        return _name(number(label))
    except ValueError:
        return label
