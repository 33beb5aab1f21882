"""What clearing a book gives back, with all that can be done with it."""

from __future__ import annotations

import os

from .model.outcome import Outcome
from .storage.archive import read_outcome, write_outcome
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
    return read_outcome(path, Result)
