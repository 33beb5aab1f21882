"""The overview: every peer against this package, as a table and as the figure of limits.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kpm_fast.plots.style import BLUE, INK, PALE, house_style, new_figure

from .section import Ratio, Section

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

TITLE = "Overview"
SLUG = "overview"
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def overview(ratios: Sequence[Ratio]) -> Section:
    """Return each peer's time divided by this package's, by what was solved."""
    section = Section(TITLE)
    for ratio in ratios:
        section.rows.append(
            {
                "solved": ratio.group,
                "by": ratio.peer,
                "median times": ratio.median,
                "lower quartile times": ratio.low,
                "upper quartile times": ratio.high,
                "": "at least: some stopped at the time limit" if ratio.at_least else "",
            }
        )
    section.notes.append(
        "Each peer's time divided by this package's, for the same answers: median and quartiles "
        "over the instances. Below 1 the peer is faster."
    )
    groups: dict[str, list[dict[str, Any]]] = {}
    for ratio in ratios:
        groups.setdefault(ratio.group, []).append(asdict(ratio))
    if ratios:
        section.draw(
            draw,
            SLUG,
            "Solution times of other solvers relative to kpm_fast, for the same answers: median "
            "and quartiles over the instances, on a logarithmic axis.",
            [{"group": group, "peers": peers} for group, peers in groups.items()],
        )
    return section


def draw(data: Any) -> Drawing:
    """A dot for each peer with its quartiles, peers of a group below each other."""
    lines = sum(len(group["peers"]) + 1 for group in data)
    with house_style():
        figure, (axes,) = new_figure(8.6, 1.1 + 0.32 * lines + 0.1 * len(data))
        place, ticks, names = 0.0, [], []
        smallest = min(peer["low"] for group in data for peer in group["peers"])
        largest = max(peer["high"] for group in data for peer in group["peers"])
        axes.set_xscale("log")
        axes.set_xlim(min(0.5, smallest / 2), largest * 100)  # with room for the last label
        for group in data:
            place += 0.3 if place else 0.0
            axes.annotate(
                group["group"],
                (0.0, place),
                xycoords=("axes fraction", "data"),
                xytext=(-4, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontweight="bold",
            )
            place += 1
            for peer in sorted(group["peers"], key=lambda peer: float(peer["median"])):
                _dot(axes, place, peer)
                ticks.append(place)
                names.append(peer["peer"])
                place += 1
        axes.axvline(1.0, color=INK, linewidth=1.0, zorder=1)
        axes.set_ylim(place - 0.4, -0.7)
        axes.set_yticks(ticks, names)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=PALE, linewidth=0.8, zorder=0)
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_formatter(lambda value, _: multiple_text(value))
        axes.set_xlabel("time, as a multiple of this package's (1×: as fast)")
        axes.set_title("How much longer others take for the same answers")
    return figure


def _dot(axes: Axes, place: float, peer: dict[str, Any]) -> None:
    axes.plot([peer["low"], peer["high"]], [place, place], color=BLUE, linewidth=2.4, zorder=3)
    axes.plot([peer["median"]], [place], "o", color=BLUE, markersize=7, zorder=4)
    axes.annotate(
        f"{'at least ' if peer['at_least'] else ''}{multiple_text(peer['median'])}",
        (max(peer["high"], peer["median"]), place),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        color=INK,
        fontsize=9,
    )


def multiple_text(value: float) -> str:
    """A multiple with its significant digits: 0.83×, 22×, 653×, 1,400×, 3·10⁸×."""
    if value < 10:
        return f"{value:.2g}×"
    if value >= 1e6:
        digits, _, power = f"{value:.0e}".partition("e")
        factor = "" if digits == "1" else f"{digits}·"
        return f"{factor}10{str(int(power)).translate(_SUPERSCRIPTS)}×"
    scale = 10 ** max(0, len(str(int(value))) - 2) if value >= 1000 else 1
    return f"{round(value / scale) * scale:,.0f}×"
