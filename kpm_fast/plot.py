"""Pictures of books, clearings, quotes, sweeps and proofs, in the house style.

Every function takes matplotlib axes (``axes=``), or makes a new figure, which does not become
pyplot's current figure, and returns the axes; ``axes.figure`` can be saved or shown. In a notebook
``result.plot()`` and ``sweep.plot()``, which return the figure, are what is displayed.
``pip install 'kpm-fast[plot]'`` installs matplotlib. Your own figures match their style if they are
drawn ``with house_style():``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from .analysis.sweep import Sweep, check_column
from .errors import InputError, brief
from .model.outcome import Outcome
from .model.quotes import Quotes
from .plots.book import draw_book, draw_book_on
from .plots.fills import draw_fills
from .plots.proof import draw_proof
from .plots.quotes import draw_quotes, draw_quotes_of
from .plots.risk import draw_risk
from .plots.staircase import draw_staircase, draw_staircases, draw_staircases_on
from .plots.style import house_style
from .plots.sweep import draw_sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["book", "fills", "house_style", "proof", "quotes", "risk", "staircase", "sweep"]


def book(
    result: Outcome, claims: Sequence[str | int] | None = None, axes: Any = None
) -> NDArray[np.object_]:
    """Draw bids and offers of claims against their prices, fills highlighted.

    Quantities accumulate from the best order on. Where the filled bids reach further than the
    filled offers the maker sells the difference.

    Parameters
    ----------
    result : Result
    claims : sequence of str, optional
        Which claims, one panel each. Default: all; of more than a dozen (or than there are axes)
        those that trade most.
    axes : Axes or sequence of Axes, optional
        At least as many as claims; those left over are hidden.

    Returns
    -------
    ndarray of Axes

    Raises
    ------
    InputError
        Naming a claim that is not there, or too few axes.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, claims=["home"])
    >>> result = kpm.clear(market, kpm.Orders(["home"], "buy", [0.6], [10]))
    >>> [panel.get_title(loc="left") for panel in kpm.plot.book(result)]
    ['home at 0.6000']
    """
    _check_result(result)
    if axes is None:
        return np.array(draw_book(result, claims).axes, dtype=object)
    return draw_book_on(result, claims, axes)


@overload
def staircase(  # type: ignore[overload-overlap]  # text is a sequence of texts to types
    result: Outcome, claim: str | int, axes: Any = None
) -> Axes: ...
@overload
def staircase(
    result: Outcome, claim: Sequence[str | int] | None = None, axes: Any = None
) -> NDArray[np.object_]: ...
def staircase(
    result: Outcome, claim: str | int | Sequence[str | int] | None = None, axes: Any = None
) -> Any:
    """Draw a claim's net demand against its price, and where it cleared; or those of many, small.

    Parameters
    ----------
    result : Result
    claim : str, int or sequence of them, optional
        Label; integers are labels by their digits. Several claims have a small panel each. Default:
        all; of more than a dozen (or than there are axes) those that trade most.
    axes : Axes or sequence of Axes, optional
        At least as many as claims; those left over are hidden.

    Returns
    -------
    Axes or ndarray of Axes
        The latter unless ``claim`` is one label.

    Raises
    ------
    InputError
        Naming a claim that is not there, or too few axes.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, claims=["home"])
    >>> result = kpm.clear(market, kpm.Orders(["home"], "buy", [0.6], [10]))
    >>> kpm.plot.staircase(result, "home").get_title(loc="left")
    'home at 0.6: the maker sells 10'
    >>> [panel.get_title(loc="left") for panel in kpm.plot.staircase(result)]
    ['home at 0.6']
    """
    _check_result(result)
    if getattr(claim, "ndim", 1) == 0:
        raise InputError(f"must be one claim or several, got {brief(claim)}", field="claim")
    if claim is None or (hasattr(claim, "__iter__") and not isinstance(claim, str)):
        claims = None if claim is None else list(claim)
        if axes is None:
            return np.array(draw_staircases(result, claims).axes, dtype=object)
        return draw_staircases_on(result, claims, axes)
    return draw_staircase(result, claim, axes)


def risk(result: Outcome, axes: Any = None) -> Axes:
    """Draw the maker's wealth in every state, and its certainty equivalent.

    In orange states it has less than the value of not trading.

    Parameters
    ----------
    result : Result
    axes : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    >>> result = kpm.clear(market, kpm.Orders([0], "buy", [0.6], [10]))
    >>> kpm.plot.risk(result).get_title(loc="left")
    'The maker has at least -4, at most 6'
    """
    _check_result(result)
    return draw_risk(result, axes)


def fills(result: Outcome, axes: Any = None) -> Axes:
    """Draw shares bought and sold of every claim, and orders left unfilled at the price.

    Parameters
    ----------
    result : Result
    axes : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    >>> result = kpm.clear(market, kpm.Orders([0], "buy", [0.6], [10]))
    >>> kpm.plot.fills(result).get_title(loc="left")
    '10 shares change hands'
    """
    _check_result(result)
    return draw_fills(result, axes)


def quotes(quotes: Quotes | Outcome, axes: Any = None) -> Axes:
    """Draw a maker's bids and asks, one row per claim.

    Parameters
    ----------
    quotes : Quotes or Result
        From :meth:`kpm_fast.Maker.quotes`; of a result, those of its maker before the auction.
    axes : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> maker = kpm.KnightianMaker([0.5, 0.3, 0.2], risk_aversion=0.01, ambiguity=0.02)
    >>> kpm.plot.quotes(maker.quotes([[1, 0, 0], [1, 1, 0]])).get_title(loc="left")
    'Quotes for the next share'
    """
    if isinstance(quotes, Outcome):
        return draw_quotes_of(quotes, axes)
    if not isinstance(quotes, Quotes):
        raise InputError(
            f"must be what a maker's quotes() returned, or a result, got {type(quotes).__name__}",
            field="quotes",
        )
    return draw_quotes(quotes, axes)


def sweep(sweep: Sweep, y: str = "certainty_equivalent", axes: Any = None) -> Axes:
    """Draw a column of a sweep against ambiguity, with the implied ambiguity marked.

    Parameters
    ----------
    sweep : Sweep
        From :func:`kpm_fast.sweep`.
    y : str
        A column of figures.
    axes : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    >>> orders = kpm.Orders([0], "buy", [0.6], [10])
    >>> swept = kpm.sweep(market, orders, ambiguity=[0.0, 0.01, 0.02, 0.03])
    >>> kpm.plot.sweep(swept, "volume").get_ylabel()
    'volume (shares)'
    """
    if not isinstance(sweep, Sweep):
        raise InputError(
            f"must be what sweep() returned, got {type(sweep).__name__}", field="sweep"
        )
    check_column(y)
    return draw_sweep(sweep.table, sweep.implied, y, axes)


def proof(result: Outcome, axes: Any = None) -> Axes:
    """Draw the bounds that prove a clearing, leaf by leaf.

    Parameters
    ----------
    result : Result
        Cleared with ``certificate=True``.
    axes : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If the result has no certificate.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    >>> orders = kpm.Orders([0], "buy", [0.6], [10])
    >>> result = kpm.clear(market, orders, certificate=True)
    >>> kpm.plot.proof(result).get_title(loc="left").split(";")[1]
    ' none is better'
    """
    _check_result(result)
    return draw_proof(result, axes)


def _check_result(result: Outcome) -> None:
    if not isinstance(result, Outcome):
        raise InputError(f"must be a Result, got {type(result).__name__}", field="result")
