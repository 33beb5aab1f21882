"""The pictures of a clearing by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ..arrays import check_choice
from ..errors import InputError, brief
from ..model.outcome import Outcome
from .book import draw_book
from .fills import draw_fills
from .proof import draw_proof
from .quotes import draw_quotes_of
from .risk import draw_risk
from .staircase import draw_staircase, draw_staircases

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["KINDS", "draw"]

KINDS = ("book", "fills", "risk", "staircase", "proof", "quotes")


def draw(outcome: Outcome, kind: str, claim: str | int | None = None) -> Figure:
    """Draw a picture of a clearing on a new figure."""
    check_choice(kind, KINDS, "kind")
    if kind == "book":
        return draw_book(outcome, None if claim is None else [claim])
    if kind == "staircase":
        claims = outcome.market.claims
        if claim is None and len(claims) > 1:
            return draw_staircases(outcome)
        only = claims[0] if claim is None else claim
        return cast("Figure", draw_staircase(outcome, only).figure)
    if claim is not None:
        raise InputError(
            f"is not used by {kind!r}, which shows all, got {brief(claim)}", field="claim"
        )
    pictures = {
        "fills": draw_fills,
        "risk": draw_risk,
        "proof": draw_proof,
        "quotes": draw_quotes_of,
    }
    return cast("Figure", pictures[kind](outcome).figure)
