"""What clearing a book gives back, with all that can be done with it."""

from __future__ import annotations

import dataclasses
import os

import numpy as np

from .model.outcome import Outcome
from .model.status import Status
from .storage.archive import read_outcome, write_outcome
from .verification import reference
from .verification.checks import Verification
from .verification.result_checks import verify

__all__ = ["Result", "load_result"]


class Result(Outcome):
    # The figures, and their description, are the base's: a value that neither knows how it is
    # checked nor how it is kept. Here both are at hand.

    def verify(self) -> Verification:
        """Recompute every figure from market and orders, in plain NumPy.

        Returns
        -------
        Verification
            True if all checks passed; prints as a table of checks, figures and limits.
        """
        return verify(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the result, its market, orders and certificate to one file.

        docs/files.md describes the file, which NumPy can open. It appears complete or not at
        all; :meth:`load` returns every bit of it.
        """
        write_outcome(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Result:
        """Read what :meth:`save` wrote; the same as :func:`kpm_fast.load_result`."""
        return load_result(path)


def load_result(path: str | os.PathLike[str]) -> Result:
    """Read a clearing that :meth:`Result.save` wrote, every bit of it.

    Market and orders are validated like new ones, everything else for type, shape and range;
    whether the figures are true is for :meth:`Result.verify` and :func:`check_certificate`.
    Files of version 1 measured tolerances by all that could trade, where today's releases take
    what does: their scale is put right, and a result whose gap is too large for the tolerance by
    that measure comes back as ``inaccurate``.

    Parameters
    ----------
    path : path

    Returns
    -------
    Result
        With ``market``, ``orders`` and, if one was saved, ``certificate``.

    Raises
    ------
    InputError
        Naming the file and the field: not such a file, damaged, of a later version, or with
        entries that are missing, unknown or unfit.
    OSError
        If the file cannot be read.
    """
    result, version = read_outcome(path, Result)
    return _rescaled(result) if version == 1 else result


def _rescaled(result: Result) -> Result:
    """Return a clearing of the maker's rule with the scale that verification derives today.

    Only what that release would have written, the notional of all orders, is put right: any other
    figure is left for the checks to find.
    """
    market, orders, claims = result.market, result.orders, len(result.market.claims)
    claim, span = orders.claim_index(market), np.ptp(market.payoffs, axis=1)
    stood = float(span @ np.bincount(claim, orders.quantity, claims)) or 1.0
    if result.rule != "maker_optimal" or not abs(result.scale - stood) <= 1e-9 * stood:
        return result
    columns = (orders.side, orders.price, orders.quantity)
    books = [
        reference.ClaimBook(market.payoffs[k], *(column[claim == k] for column in columns))
        for k in range(claims)
    ]
    traded = np.bincount(claim, result.fills, claims).astype(np.float64)
    scale = reference.scale(span, traded, books)
    vague = result.status is Status.OPTIMAL and not result.gap <= result.tolerance * scale
    status = Status.INACCURATE if vague else result.status
    return dataclasses.replace(result, scale=scale, status=status)
