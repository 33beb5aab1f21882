"""How a clearing that runs in another thread is told to stop."""

from __future__ import annotations

from typing import NoReturn

from .. import _core
from ..errors import InputError, brief

__all__ = ["StopToken", "flag_of"]


class StopToken:
    """Stops the clearings that were given it as ``stop=``.

    Any thread may cancel it at any time: another thread, a callback of an event loop, a signal
    handler. A clearing looks at it before it begins and then every few hundredths of a second,
    without the interpreter's lock, and returns what it has by then with status ``INTERRUPTED``;
    what was proven by then stays ``OPTIMAL``. With a token cancelled before, that is a
    first clearing, as for ``time_limit=0``, and a bound that holds; but a row of
    :func:`kpm_fast.clear_many` that was not begun holds NaN. A token stays cancelled: use a new one
    for the next batch.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0], [0, 1]], [0.5, 0.5])
    >>> orders = kpm.Orders([0, 1], "buy", [0.7, 0.6], 1)
    >>> stop = kpm.StopToken()
    >>> kpm.clear(market, orders, stop=stop).status
    <Status.OPTIMAL: 'optimal'>
    >>> stop.cancel()
    >>> stop.cancelled
    True
    >>> kpm.clear(*kpm.sample.example_race_card(), stop=stop).status
    <Status.INTERRUPTED: 'interrupted'>
    """

    __slots__ = ("_flag",)

    _flag: _core.StopFlag

    def __init__(self) -> None:
        self._flag = _core.StopFlag()

    def cancel(self) -> None:
        """Tell every clearing that has this token to stop.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
        >>> orders = kpm.Orders([0], "buy", [0.6], [10])
        >>> token = kpm.StopToken()
        >>> token.cancel()  # from any thread, at any time
        >>> token.cancelled
        True
        """
        self._flag.set()

    @property
    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was called."""
        return self._flag.is_set()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a StopToken is not copied or pickled: it belongs to this process")

    def __repr__(self) -> str:
        return f"StopToken(cancelled={self.cancelled})"


def flag_of(stop: StopToken | None) -> _core.StopFlag | None:
    """Return what the core reads of a token; refuse anything else."""
    if stop is not None and not isinstance(stop, StopToken):
        raise InputError(f"must be a StopToken, got {brief(stop)}", field="stop")
    return None if stop is None else stop._flag
