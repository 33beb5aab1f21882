"""How a solve ended."""

from __future__ import annotations

from enum import Enum

__all__ = ["STATUSES", "Status"]


class Status(str, Enum):
    """How a solve ended. Members compare equal to their text, ``"optimal"`` and so on.

    Whatever the status, a result holds a clearing that obeys every limit, the best one found unless
    a convex rule was stopped on its way, and a valid upper bound.
    """

    #: Proven: no clearing is better by more than the tolerance.
    OPTIMAL = "optimal"
    #: The time limit came first.
    TIME_LIMIT = "time_limit"
    #: The limit on nodes came first.
    NODE_LIMIT = "node_limit"
    #: Ctrl-C, a cancelled :class:`kpm_fast.StopToken`, or the callback asked to stop.
    INTERRUPTED = "interrupted"
    #: The search finished, but rounding kept the gap above the tolerance, or the state prices
    #: nearest to the prior could not be found to the last digit.
    INACCURATE = "inaccurate"
    #: No state prices lie in the cell (only :func:`kpm_fast.solve_cell`).
    INFEASIBLE = "infeasible"

    def __str__(self) -> str:
        return str(self.value)


#: Members by their text. A look-up here takes a fraction of the time of ``Status(text)``.
STATUSES = {status.value: status for status in Status}
