"""The pari-mutuel pool of the paper's introduction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arrays import Floats, as_floats, first, frozen
from ..errors import InputError
from ..model.labels import named_entries

__all__ = ["pool_odds"]


@overload
def pool_odds(stakes: NDArray[Any] | Sequence[float]) -> Floats: ...
@overload
def pool_odds(stakes: Mapping[str, float]) -> dict[str, float]: ...
@overload
def pool_odds(stakes: Any) -> Floats | dict[str, float]: ...
def pool_odds(stakes: ArrayLike | Mapping[str, float]) -> Floats | dict[str, float]:
    """Return what a unit of money on each outcome pays in a pari-mutuel pool.

    The pool of the paper's introduction: all stakes together go to those who backed the outcome
    that happens, ``stakes.sum() / stakes``. It is CPCAM (3) with the stakes as starting orders
    and no other orders, whose state prices are one over the odds.

    Parameters
    ----------
    stakes : array_like, Series or mapping, shape (N,)
        Money on each outcome, >= 0, and > 0 on one at least.

    Returns
    -------
    ndarray, shape (N,), or dict of str to float
        Money paid per unit of money, the stake included; by outcome where these have labels.
        Infinite where nothing is staked: the least stake would take all of the pool.

    Raises
    ------
    InputError
        Naming the outcome, or its index, and the value.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> kpm.pool_odds([50, 100])
    array([3. , 1.5])
    >>> kpm.pool_odds({"home": 50, "away": 100})
    {'home': 3.0, 'away': 1.5}
    """
    entries, labels = named_entries(stakes, "stakes", "outcome")
    money = as_floats(entries, "stakes")
    if money.ndim != 1 or not money.size:
        raise InputError(
            f"must have shape (N,), a stake for each outcome, got shape {money.shape}",
            field="stakes",
        )
    wrong = first(~(np.isfinite(money) & (money >= 0)))
    if wrong is not None:
        raise InputError(
            f"must be finite and >= 0, got {money[wrong]}",
            field="stakes",
            index=wrong if labels is None else labels[wrong],
        )
    if not money.any():
        raise InputError("must have a stake > 0, got none", field="stakes")
    share = money / money.max()  # the sum of huge stakes may overflow
    with np.errstate(divide="ignore"):
        odds = share.sum() / np.abs(share)  # a zero has no sign
    return frozen(odds) if labels is None else dict(zip(labels, odds.tolist(), strict=True))
