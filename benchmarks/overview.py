"""The overview: every peer against this package, as a table and as the figure of limits.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kpm_fast.plots.style import BLUE, INK, PALE, house_style, new_figure

from .section import Ratio, Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing


def overview(ratios: Sequence[Ratio]) -> Section:
    """Return each peer's time divided by this package's, by what was solved."""
    section = Section("Overview")
    section.rows = [
        {
            "solved": ratio.group,
            "by": ratio.peer,
            "median times": ratio.median,
            "lower quartile times": ratio.low,
            "upper quartile times": ratio.high,
            "": "at least: some stopped at the time limit" if ratio.at_least else "",
        }
        for ratio in ratios
    ]
    section.notes.append(
        "Each peer's time divided by this package's, for the same answers: median and quartiles "
        "over the instances. Below 1 the peer is faster."
    )
    if ratios:
        section.draw(
            draw,
            "overview",
            "Solution times of other solvers relative to kpm_fast, for the same answers: median "
            "and quartiles over the instances, on a logarithmic axis.",
            [asdict(ratio) for ratio in ratios],
        )
    return section


def draw(data: Any) -> Drawing:
    """A dot for each peer with its quartiles, those of what was solved below each other."""
    rows = sorted(data, key=lambda row: float(row["median"]))
    groups = list(dict.fromkeys(row["group"] for row in data))
    rows = [row for group in groups for row in rows if row["group"] == group]
    places = [at + 0.7 * groups.index(row["group"]) for at, row in enumerate(rows)]
    with house_style():
        figure, (axes,) = new_figure(8.6, 1.1 + 0.32 * (places[-1] + 1))
        for place, row in zip(places, rows, strict=True):
            axes.plot([row["low"], row["high"]], [place, place], color=BLUE, linewidth=2.4)
            axes.plot([row["median"]], [place], "o", color=BLUE, markersize=7)
            text = f"{'at least ' if row['at_least'] else ''}{multiple_text(row['median'])}"
            at = (max(row["high"], row["median"]), place)
            beside: Any = {"xytext": (8, 0), "textcoords": "offset points", "va": "center"}
            axes.annotate(text, at, color=INK, fontsize=9, **beside)
        axes.axvline(1.0, color=INK, linewidth=1.0, zorder=1)
        axes.set_xscale("log")
        least, most = min(row["low"] for row in rows), max(row["high"] for row in rows)
        axes.set_xlim(min(0.5, least / 2), most * 100)  # with room for the last label
        axes.set_ylim(places[-1] + 0.6, -0.7)
        axes.set_yticks(places, [f"{row['group']}: {row['peer']}" for row in rows])
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=PALE, linewidth=0.8, zorder=0)
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_formatter(lambda value, _: multiple_text(value))
        axes.set_xlabel("time, as a multiple of this package's (1×: as fast)")
        axes.set_title("How much longer others take for the same answers")
    return figure


def multiple_text(value: float) -> str:
    """A multiple with its significant digits: 0.83×, 22×, 653×, 1,400×."""
    if value < 10:
        return f"{value:.2g}×"
    scale = 10 ** max(0, len(str(int(value))) - 2) if value >= 1000 else 1
    return f"{round(value / scale) * scale:,.0f}×"
