"""Priors from a density over levels, such as strikes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Floats, as_floats, first
from ..errors import InputError
from .priors import LEAST_PRIOR

__all__ = ["prior_from_density"]


def prior_from_density(
    levels: ArrayLike, density: ArrayLike | Callable[[Floats], ArrayLike]
) -> dict[str, float]:
    """Make a prior of a density over levels of an index, which are the states.

    The state of a level has the mass of the density between the midpoints to its neighbours, which
    the density, read as piecewise linear between levels, puts there; the first and the last level
    have what lies on their inner side. All of it is then divided by its sum.

    Parameters
    ----------
    levels : array_like, shape (N,)
        Increasing; N >= 2. Strikes, say, and a level beyond them on either side.
    density : array_like, shape (N,), or callable
        At each level, per unit of the index and up to a factor; or a function of levels, such as
        ``scipy.stats.norm(100, 8).pdf``.

    Returns
    -------
    dict of str to float
        Probabilities by level, as ``f"{level:g}"`` writes it: a prior that :class:`Market` aligns.

    Raises
    ------
    InputError
        Naming the level, or the density at fault.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> kpm.prior_from_density([90, 100, 110], [0.0, 1.0, 0.0])
    {'90': 0.125, '100': 0.75, '110': 0.125}
    """
    at = as_floats(levels, "levels")
    if at.ndim != 1 or len(at) < 2 or not np.isfinite(at).all():
        raise InputError("must be at least two finite numbers", field="levels")
    row = first(np.diff(at) <= 0.0)
    if row is not None:
        raise InputError(
            f"must increase, got {at[row]:g} and then {at[row + 1]:g}",
            field="levels",
            index=row + 1,
        )
    names = [f"{level:g}" for level in at]
    if len(set(names)) < len(names):
        raise InputError("are too close together to have names of six digits", field="levels")
    height = as_floats(density(at) if callable(density) else density, "density")
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
        raise InputError("has no mass on these levels", field="density")
    prior = mass / total
    row = first(prior < LEAST_PRIOR)
    if row is not None:
        raise InputError(
            "has no mass there, and every state needs some: leave the level out",
            field="density",
            index=names[row],
        )
    return dict(zip(names, prior.tolist(), strict=True))
