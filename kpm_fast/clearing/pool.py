"""The pari-mutuel pool of the paper's introduction."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Floats, as_floats, first, frozen
from ..errors import InputError

__all__ = ["pool_odds"]


def pool_odds(stakes: ArrayLike) -> Floats:
    """Return what a unit of money on each outcome pays in a pari-mutuel pool.

    The pool of the paper's introduction: all stakes together go to those who backed the outcome
    that happens, ``stakes.sum() / stakes``. It is CPCAM (3) with the stakes as starting orders
    and no other orders, whose state prices are one over the odds.

    Parameters
    ----------
    stakes : array_like, shape (N,)
        Money on each outcome, > 0.

    Returns
    -------
    ndarray, shape (N,)
        Money paid per unit of money, the stake included.

    Raises
    ------
    InputError
        Naming the index and the value.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> kpm.pool_odds([50, 100])
    array([3. , 1.5])
    """
    money = as_floats(stakes, "stakes")
    if money.ndim != 1 or not money.size:
        raise InputError(
            f"must have shape (N,), a stake for each outcome, got shape {money.shape}",
            field="stakes",
        )
    wrong = first(~(np.isfinite(money) & (money > 0)))
    if wrong is not None:
        raise InputError(f"must be finite and > 0, got {money[wrong]}", field="stakes", index=wrong)
    share = money / money.max()  # the sum of huge stakes may overflow
    return frozen(share.sum() / share)
