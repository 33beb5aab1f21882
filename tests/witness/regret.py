"""Rule 2 of docs/selection.md: the least regret, by its dual."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]


def least_regret_bound(
    payoffs: Floats, bids: Floats, offers: Floats, filled: Floats | None = None
) -> float:
    """The least of rule 2's criterion over fills that leave a maker the same payoff in all states.

    ``filled`` bids and offers: the payoffs by which these differ instead.

    From below: with ``z = (Q - fill) / sqrt(Q)`` of each claim's bids and offers it is ``|z|^2``
    in a box on linear conditions, and any multipliers of these bound it.
    """
    quantity = np.concatenate([bids, offers])
    root = np.sqrt(quantity)
    to_net = np.hstack([np.diag(np.ones(len(bids))), -np.diag(np.ones(len(bids)))])
    change = (payoffs[:, 1:] - payoffs[:, :1]).T @ to_net  # of a state's loss less the first's
    done = np.zeros(len(quantity)) if filled is None else np.ravel(filled)
    rows, right = change * root, change @ (quantity - done)

    def dual(multipliers: Floats) -> tuple[float, Floats]:
        slope = multipliers @ rows
        z = np.clip(-slope / 2.0, 0.0, root)
        return -float(z @ z + slope @ z - multipliers @ right), -(rows @ z - right)

    start = np.zeros(len(right))
    return -float(minimize(dual, start, jac=True, method="BFGS", options={"gtol": 1e-10}).fun)
