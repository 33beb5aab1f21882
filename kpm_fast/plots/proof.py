"""The picture of a proof: every leaf's bound against the published clearing's worth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, count_text
from ..model.certificate import Certificate
from ..model.outcome import Outcome
from ..model.rules import RULES
from .panels import one_panel
from .style import BLUE, GREY, INK, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["check_has_tree", "draw_proof"]

_BARS = 200  # leaves drawn as bars; more are a line


def check_has_tree(rule: str) -> None:
    """Refuse a rule whose proof is no tree, of which there is nothing to draw."""
    if rule != RULES[0]:
        raise InputError(
            f"has no tree to draw under {rule}, which is convex: its proof is its state prices, "
            "which verify checks",
            field="proof",
        )


def draw_proof(outcome: Outcome, axes: Any = None) -> Axes:
    """Draw by how much every leaf's bound lies below the published clearing, best leaf first.

    Raises
    ------
    InputError
        If the result has no certificate.
    """
    check_has_tree(outcome.rule)
    proof = outcome.certificate
    if not isinstance(proof, Certificate):
        raise InputError("is missing: clear(..., certificate=True) keeps it", field="certificate")
    order = np.argsort(-proof.bound, kind="stable")
    bounds = proof.bound[order]
    reached = np.isfinite(bounds)
    short = outcome.certainty_equivalent - bounds[reached]
    with one_panel(axes, 7.2, 4.0) as panel:
        places = np.arange(len(short)) + 1
        holds = short <= outcome.tolerance * outcome.scale
        if len(short) <= _BARS:
            colours = list(np.where(holds, ORANGE, BLUE))
            panel.bar(places, -short, width=0.8, color=colours, linewidth=0)
            # Where a leaf may hold the best clearing its bar has no length: a dot shows it.
            panel.scatter(places[holds], -short[holds], color=ORANGE, s=18, zorder=4)
        else:
            panel.plot(places, -short, color=BLUE, drawstyle="steps-mid")
            panel.scatter(places[holds], -short[holds], color=ORANGE, s=8, zorder=4)
        if len(bounds) > len(short):
            panel.axvspan(len(short) + 0.5, len(bounds) + 0.5, color=GREY, alpha=0.2, linewidth=0)
            panel.annotate(
                f"{len(bounds) - len(short):,} leaves\nthat no prices reach",
                (0.5 * (len(short) + len(bounds)) + 0.5, 0.5),
                xycoords=("data", "axes fraction"),
                ha="center",
                va="center",
                color=GREY,
                fontsize=8.5,
            )
        panel.axhline(0.0, color=INK, linewidth=1.0, ls=(0, (4, 3)))
        panel.set_xlim(0.4, len(bounds) + 0.6)
        # Differences below the tolerance are rounding, which must not be magnified.
        edge = -max(float(short.max(initial=0.0)), outcome.tolerance * outcome.scale)
        panel.set_ylim(1.08 * edge, -0.08 * edge)
        panel.locator_params(axis="x", integer=True, min_n_ticks=1)
        panel.set_xlabel("leaves of the tree, best bound first (orange: may hold the best)")
        panel.set_ylabel("bound less the published\nclearing's worth (money)")
        cells = math.prod((proof.last.max(axis=0) + 1).tolist())
        noun = "leaf covers" if len(bounds) == 1 else "leaves cover"
        panel.set_title(f"{len(bounds):,} {noun} all {count_text(cells)} cells; none is better")
    return panel
