"""The picture of a sweep: one of its columns against ambiguity, one line per maker."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .panels import one_panel, shortened
from .style import GREY, INK, SERIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_sweep"]

_LINES = ("prior", "rule", "risk_aversion")  # one line per combination
_LABELS = {
    "certainty_equivalent": "certainty equivalent (money)",
    "gain": "gain over not trading (money)",
    "upper_bound": "upper bound (money)",
    "volume": "volume (shares)",
    "revenue": "revenue (money)",
    "expected_payoff": "expected payoff (money)",
    "worst_payoff": "payoff in the worst state (money)",
    "spread": "mean spread (money per share)",
    "seconds": "time (seconds)",
    "risk_aversion": "risk aversion (per unit of money)",
}
_ROW = 13.0  # points


def draw_sweep(
    table: Mapping[str, tuple[Any, ...]],
    implied: Mapping[str, float],
    y: str,
    axes: Any = None,
) -> Axes:
    """Draw column ``y`` against ambiguity."""
    lines: dict[tuple[str, str, float], list[tuple[float, float]]] = {}
    for *key, omega, value in zip(
        *(table[name] for name in (*_LINES, "ambiguity", y)), strict=True
    ):
        lines.setdefault(tuple(key), []).append((omega, value))
    names = list(dict.fromkeys(table["prior"]))
    varied = [len(set(table[name])) > 1 for name in _LINES]
    with one_panel(axes, 7.2, 4.2) as panel:
        for number, ((name, rule, alpha), points) in enumerate(lines.items()):
            parts = (shortened(name), rule.replace("_", " "), f"α = {alpha:.3g}")
            label = ", ".join(part for part, told in zip(parts, varied, strict=True) if told)
            style = ("-", "--", "-.", ":")[number // len(SERIES) % 4]
            panel.plot(
                *zip(*sorted(points), strict=True),
                color=SERIES[number % len(SERIES)],
                ls=style,
                marker="o" if len(points) < 12 else "",
                markersize=4,
                label=label,
            )
        panel.set_xlabel("ambiguity Ω (nats)", color=INK)
        panel.set_ylabel(_LABELS.get(y, y))
        furthest = max(table["ambiguity"])
        stops = {name: implied.get(name, math.nan) for name in names}
        stops = {name: stop for name, stop in stops.items() if stop <= 1.05 * furthest}
        # Above the panel, where no line can run through them: one row per prior, then the title.
        panel.set_title("One book under many makers", pad=6.0 + _ROW * len(stops))
        for row, (name, stop) in enumerate(stops.items()):
            panel.axvline(stop, color=GREY, linewidth=1.0, ls=(0, (2, 3)), zorder=1)
            panel.annotate(
                "trade stops" if len(names) == 1 else f"trade stops: {shortened(name)}",
                (stop, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(0, 3 + _ROW * row),
                textcoords="offset points",
                ha="right" if stop > 0.5 * furthest else "left",
                va="bottom",
                color=GREY,
            )
        if len(lines) > 1:
            panel.legend(frameon=False)
    return panel
