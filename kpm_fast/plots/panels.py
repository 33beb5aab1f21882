"""Axes to draw on, and names shortened to fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Floats
from ..errors import InputError, brief
from ..model.extract import claim_position
from ..model.outcome import Outcome
from .style import INK, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "amount",
    "as_panels",
    "claim_panels",
    "draw_each",
    "name_rows",
    "one_panel",
    "row_height",
    "shortened",
    "shown_claims",
    "visible",
    "without_rounding",
]

_ROUNDING = 1e-9  # of the notional that trades
_PANELS = 12  # claims in a picture, unless more are asked for
#: Control characters but tab and ends of lines, half surrogate pairs, and what Unicode keeps free.
_INVISIBLE = re.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\ud800-\\udfff\\ufdd0-\\ufdef"
    + "".join(chr(plane | 0xFFFE) + chr(plane | 0xFFFF) for plane in range(0, 0x110000, 0x10000))
    + "]"
)
_ROWS_NAMED = 64  # of more rows, only every n-th is named


def visible(text: str) -> str:
    """Write out what no page and no drawing may hold: control characters, half surrogate pairs."""
    return _INVISIBLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def shortened(name: str, most: int = 28) -> str:
    """Return a name of at most ``most`` letters, with an ellipsis for its middle.

    Dollars are escaped: to matplotlib a pair of them encloses mathematics.
    """
    name = visible(name)
    if len(name) > most:
        tail = most // 3
        name = f"{name[: most - tail - 1].rstrip()}…{name[-tail:].lstrip()}"
    return name.replace("$", r"\$")


def amount(value: float) -> str:
    """Return an amount with six digits, or all those before the point: 6,000,000, not 6e+06."""
    text = f"{value:,.0f}" if 1e6 <= abs(value) < 1e15 else f"{value:,.6g}"
    return text.replace("-", "\N{MINUS SIGN}")


@contextmanager
def one_panel(axes: Any, width: float, height: float) -> Iterator[Axes]:
    """Give the caller's axes, or those of a new figure, in the house style."""
    if axes is not None:
        (panel,) = as_panels(axes, 1)
        with house_style():
            yield panel
        return
    with house_style():
        _, (panel,) = new_figure(width, height)
        yield panel


def as_panels(axes: Any, count: int | None = None) -> list[Axes]:
    """Return the caller's axes as a list, row by row."""
    panels = list(np.asarray(axes, dtype=object).ravel())
    if not panels or not all(hasattr(panel, "add_patch") for panel in panels):
        raise InputError(f"must be matplotlib axes, got {brief(axes)}", field="axes")
    if count is not None and len(panels) != count:
        raise InputError(f"must be {count}, got {len(panels)}", field="axes")
    return panels


def shown_claims(
    outcome: Outcome, claims: Sequence[str | int] | None, most: int = _PANELS
) -> list[int]:
    """Return the claims to draw: those asked for, else those that trade most, in their order."""
    if claims is not None:
        alone = isinstance(claims, str) or getattr(claims, "ndim", 1) == 0
        if alone or not hasattr(claims, "__len__"):
            raise InputError(f"must be several claims, got {brief(claims)}", field="claims")
        if not len(claims):
            raise InputError("must name at least one claim, got none", field="claims")
        return [claim_position(outcome, claim) for claim in claims]
    traded = np.maximum(outcome.bought, outcome.sold) * np.ptp(outcome.market.payoffs, axis=1)
    return sorted(np.argsort(-traded, kind="stable")[:most].tolist())


def claim_panels(
    outcome: Outcome, claims: Sequence[str | int] | None, axes: Any
) -> tuple[list[int], list[Axes]]:
    """Return the claims to draw, and the caller's axes, which must be enough for them."""
    panels = as_panels(axes)
    shown = shown_claims(outcome, claims, len(panels))
    if len(shown) > len(panels):
        raise InputError(
            f"must be at least {len(shown)}, one for each claim, got {len(panels)}", field="axes"
        )
    return shown, panels


def draw_each(
    shown: Sequence[int], panels: Sequence[Axes], draw: Callable[[Axes, int], object]
) -> None:
    """Draw a claim on each of the axes, and hide those left over."""
    for k, panel in zip(shown, panels, strict=False):
        draw(panel, k)
    for panel in panels[len(shown) :]:
        panel.set_visible(False)


def without_rounding(values: Floats | float, outcome: Outcome) -> Any:
    """Return money with amounts far below the notional that trades, mere rounding, set to zero."""
    nothing = _ROUNDING * outcome.scale
    return np.where(np.abs(values) <= nothing, 0.0, values)


def row_height(rows: int) -> float:
    """Return the height in inches of a picture with this number of named rows."""
    return float(1.4 + min(max(0.26 * rows, 1.2), 14.0))


def name_rows(axes: Axes, names: Sequence[str], most: int = 28) -> None:
    """Write names beside rows 0, 1, ..., the first on top."""
    step = -(-len(names) // _ROWS_NAMED)
    places = range(0, len(names), step)
    size = 9.0 if len(names) <= 40 else 7.0
    axes.set_yticks(
        list(places), [shortened(names[place], most) for place in places], color=INK, fontsize=size
    )
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(names) - 0.4, -0.6)
