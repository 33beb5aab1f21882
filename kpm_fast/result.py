"""The result of clearing a book, with everything that can be done with it."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from .markup import summary
from .model.extract import (
    ClaimResult,
    OrderResult,
    Settlement,
    claim_result,
    order_result,
    settlement,
)
from .model.outcome import Outcome
from .model.status import Status
from .model.words import message
from .plots.kinds import draw
from .storage.archive import read_outcome, write_outcome
from .verification import reference
from .verification.checks import Verification
from .verification.result_checks import verify

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Result", "load_result", "use_reports"]

ReportWriter = Callable[["Result", "str | os.PathLike[str]", "str | None", bool], None]


class Result(Outcome):
    __doc__ = Outcome.__doc__
    # The figures, and their description, are the base's: a value that neither knows how it is
    # checked nor how it is kept. Here both are at hand.

    def __getitem__(self, claim: str | int) -> ClaimResult:
        """Return one claim: its price, demand and orders.

        Parameters
        ----------
        claim : str or int
            Label; integers are labels by their digits.

        Raises
        ------
        InputError
            Naming the label, and one like it if there is one.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, claims=["home"])
        >>> result = kpm.clear(market, kpm.Orders(["home"], "buy", [0.6], [10]))
        >>> result["home"]
        ClaimResult('home', price=0.6, net_demand=10, 1 orders)
        >>> result["hoem"]
        Traceback (most recent call last):
        ...
        kpm_fast.errors.InputError: claim: the market has no claim 'hoem': did you mean 'home'?
        """
        return claim_result(self, claim)

    # The base refuses new values of its own fields alone.
    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

    # Claims are found by label, not counted: without this Python would try 0, 1, 2, ...
    __iter__ = None

    def order(self, order_id: str | int) -> OrderResult:
        """Return the outcome of one order, with the reason.

        Parameters
        ----------
        order_id : str or int
            The identifier, or the row number in a book without identifiers.

        Raises
        ------
        InputError
            Naming the identifier, and one like it if there is one.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, claims=["home"])
        >>> orders = kpm.Orders(["home"], "buy", [0.4], [10], order_id=["o17"])
        >>> print(kpm.clear(market, orders).order("o17").reason)
        its limit is worse than the clearing price, so it is not filled
        """
        return order_result(self, order_id)

    def settle(self, state: str | int) -> Settlement:
        """Return what every order and the maker receive when a state is realised.

        Parameters
        ----------
        state : str or int
            Label; integers are labels by their digits.

        Returns
        -------
        Settlement
            Premiums of the clearing, payouts of the state, and their difference by order; the
            maker's wealth. Whatever traders receive the maker pays, and vice versa.

        Raises
        ------
        InputError
            Naming the label, and one like it if there is one.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, states=["won", "lost"])
        >>> result = kpm.clear(market, kpm.Orders([0], "buy", [0.6], [10]))
        >>> result.settle("lost").net.round(6).tolist()
        [-6.0]
        """
        return settlement(self, state)

    @property
    def expected_payoff(self) -> float:
        """The maker's wealth on average under its prior, money; NaN for a maker without a prior.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
        >>> result = kpm.clear(market, kpm.Orders([0], "buy", [0.6], [10]))
        >>> round(result.expected_payoff, 6)
        1.0
        """
        prior = self._model.get("prior")
        return math.nan if prior is None else float(prior @ self.payoff)

    @property
    def relative_gap(self) -> float:
        """``gap / scale``: the quantity that ``tolerance`` limits, as a share of the notional that
        trades.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
        >>> kpm.clear(market, kpm.Orders([0], "buy", [0.6], [10])).relative_gap <= 1e-8
        True
        """
        return self.gap / self.scale if self.scale > 0.0 else self.gap

    @property
    def message(self) -> str:
        """How the clearing ended and how the input was adjusted, in words.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
        >>> print(kpm.clear(market, kpm.Orders([0], "buy", [0.4], [10])).message)
        Proven optimal. Nothing trades: the maker gains nothing by filling any order.
        """
        return message(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the whole result as plain Python values: numbers, text, lists, dictionaries.

        The tables are under ``orders``, ``claims`` and ``states``, as columns; a certificate, if
        there is one, under ``certificate``.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, claims=["home"])
        >>> result = kpm.clear(market, kpm.Orders(["home"], "buy", [0.6], [10]))
        >>> result.to_dict()["orders"]["fill"]
        [10.0]
        """
        figures = super().to_dict()
        ended = {"message": self.message, "relative_gap": self.relative_gap}
        return {"status": figures.pop("status"), **ended, **figures}

    def plot(self, kind: str = "book", claim: str | int | None = None) -> Figure:
        """Draw the clearing; needs matplotlib (``pip install 'kpm-fast[plot]'``).

        ``kpm_fast.plot`` draws the same pictures on the caller's axes.

        Parameters
        ----------
        kind : {"book", "fills", "risk", "staircase", "proof", "quotes"}
        claim : str or int, optional
            The only claim drawn of a book or a staircase. Default: all; of more than a dozen those
            that trade most.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        InputError
            Naming the kind or the claim, or where a proof was not kept.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, claims=["home"])
        >>> result = kpm.clear(market, kpm.Orders(["home"], "buy", [0.6], [10]))
        >>> result.plot("risk").axes[0].get_xlabel()
        "the maker's wealth (money)"
        """
        return draw(self, kind, claim)

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        title: str | None = None,
        sensitivity: bool = True,
    ) -> None:
        """Write the clearing as one self-contained HTML file.

        Prices, fills, depth, the maker's risk by state, sensitivity to ambiguity, every check in
        words, and the proof, checked, if it was kept (``clear(..., certificate=True)``). The file
        needs no network, can be printed, and follows the reader's choice of light or dark. Needs
        matplotlib.

        Parameters
        ----------
        path : path
            The file appears complete or not at all.
        title : str, optional
            The heading.
        sensitivity : bool
            Clear the book again for some other ambiguities.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, claims=["home"])
        >>> orders = kpm.Orders(["home"], "buy", [0.6], [10])
        >>> result = kpm.clear(market, orders, certificate=True)
        >>> result.report("clearing.html", title="Saturday's match")
        """
        _WRITERS[-1](self, path, title, sensitivity)

    def _repr_html_(self) -> str:
        return summary(self)

    def verify(self) -> Verification:
        """Recompute every figure from market and orders, in plain NumPy.

        Returns
        -------
        Verification
            True if all checks passed; prints as a table of checks, figures and limits.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
        >>> bool(kpm.clear(market, kpm.Orders([0], "buy", [0.6], [10])).verify())
        True
        """
        return verify(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the result, its market, orders and certificate to one file.

        docs/files.md describes the file, which NumPy can open. It appears complete or not at
        all; :meth:`load` restores it exact to the bit.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
        >>> orders = kpm.Orders([0], "buy", [0.6], [10])
        >>> import pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> result = kpm.clear(market, orders)
        >>> result.save(folder / "saturday.kpm")
        >>> kpm.Result.load(folder / "saturday.kpm") == result
        True
        """
        write_outcome(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Result:
        """Read what :meth:`save` wrote; the same as :func:`kpm_fast.load_result`.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "saturday.kpm"
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
        >>> kpm.clear(market, kpm.Orders([0], "buy", [0.6], [10])).save(path)
        >>> kpm.Result.load(path).fills.tolist()
        [10.0]
        """
        return load_result(path)


#: Who writes reports. They clear anew for other ambiguities, which stands above this file: the one
#: call of the package that goes up.
_WRITERS: list[ReportWriter] = []


def use_reports(writer: ReportWriter) -> None:
    """Register the writer of :meth:`Result.report`, which calls this on import."""
    _WRITERS.append(writer)


def load_result(path: str | os.PathLike[str]) -> Result:
    """Read a clearing that :meth:`Result.save` wrote, exact to the bit.

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

    Notes
    -----
    In files of version 1 tolerances refer to all that could trade, and not to what trades: their
    scale is recomputed, and a result whose gap exceeds the tolerance at that scale is returned as
    ``inaccurate``.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    >>> orders = kpm.Orders([0], "buy", [0.6], [10])
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> result = kpm.clear(market, orders)
    >>> result.save(folder / "saturday.kpm")
    >>> kpm.load_result(folder / "saturday.kpm") == result
    True
    """
    result, version = read_outcome(path, Result)
    by_maker = result.rule == "maker_optimal"
    return _rescaled(result) if version == 1 or (version == 2 and not by_maker) else result


def _rescaled(result: Result) -> Result:
    """Return a clearing of an earlier format with the scale that verification derives today.

    Of the maker's rule only what that release would have written, the notional of all orders, is
    corrected: any other figure is left for the checks to detect.
    """
    market, orders, claims = result.market, result.orders, len(result.market.claims)
    claim, span = orders.claim_index(market), np.ptp(market.payoffs, axis=1)
    stood = float(span @ np.bincount(claim, orders.quantity, claims)) or 1.0
    if result.rule == "maker_optimal" and not abs(result.scale - stood) <= 1e-9 * stood:
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
