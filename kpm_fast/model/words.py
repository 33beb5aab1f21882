"""How a clearing ended, in words."""

from __future__ import annotations

from .limits import note_on_limits
from .outcome import Outcome
from .status import Status

__all__ = ["NOTEWORTHY", "message"]

_STOPPED = {
    Status.TIME_LIMIT: "Stopped at the time limit",
    Status.NODE_LIMIT: "Stopped at the limit on nodes",
    Status.INTERRUPTED: "Interrupted",
    Status.INACCURATE: "The search finished, but rounding leaves the last digits unproven",
}
#: How far from 1 a prior's sum must be to be mentioned.
NOTEWORTHY = 1e-9


def message(outcome: Outcome) -> str:
    """Return how a clearing ended and what was done to its input, as sentences."""
    sentences = [_ending(outcome), *_trade(outcome), *_input(outcome)]
    return " ".join(sentences)


def _ending(outcome: Outcome) -> str:
    if outcome.status is Status.OPTIMAL:
        if outcome.gap == 0.0:
            return "Proven optimal."
        what = "clearing is" if outcome.rule == "maker_optimal" else "fills are"
        return f"Proven optimal: no {what} better by more than {outcome.gap:.2g} in money."
    stopped = _STOPPED.get(outcome.status, str(outcome.status))
    if outcome.rule != "maker_optimal" and outcome.status is not Status.INACCURATE:
        return (
            f"{stopped}: these are not yet the rule's prices, and the objective may be up to "
            f"{outcome.gap:.2g} larger."
        )
    return (
        f"{stopped}: this is the best clearing found, and none is better by more than "
        f"{outcome.gap:.2g} in money."
    )


def _trade(outcome: Outcome) -> list[str]:
    if outcome.fills.any():
        return []
    if not len(outcome.orders):
        return ["Nothing trades: the book is empty."]
    if outcome.status is Status.OPTIMAL:
        return ["Nothing trades: the maker gains nothing by filling any order."]
    return ["Nothing trades."]


def _input(outcome: Outcome) -> list[str]:
    notes = []
    limits = note_on_limits(outcome.market, outcome.orders)
    if limits:
        notes.append(limits)
    total = outcome.market.prior_sum
    if abs(total - 1.0) > NOTEWORTHY:
        notes.append(f"The prior added up to {total:.9g} and was divided by that.")
    ignored = outcome.orders.ignored_columns
    if ignored:
        notes.append(f"Columns of the book that were not read: {', '.join(ignored)}.")
    return notes
