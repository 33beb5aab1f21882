"""Figures 1 to 3 of the paper.

Needs matplotlib, which ``pip install 'kpm-fast[plot]'`` brings.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..plots.style import (
    BLUE,
    GREY,
    PALE,
    SERIES,
    house_style,
    new_figure,
    save,
)
from .simulations import LOT, Run, Simulation, ambiguity_sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["figure_1", "figure_2", "figure_3", "write_paper"]

_SWEEP_STEPS = 160
_BAR_WIDTH = 0.38


def figure_1(simulation: Simulation, sweep: Sequence[Run]) -> Figure:
    """Fills against Omega, one line per security.

    Parameters
    ----------
    simulation : Simulation
        Simulation A: its runs are the markers.
    sweep : sequence of Run
        Clearings of the same book at many values of Omega, increasing: the lines.
    """
    with house_style():
        figure, (axes,) = new_figure(7.2, 4.2)
        _draw_fills(axes, simulation.runs, sweep)
        omegas = [run.ambiguity for run in simulation.runs]
        top = round(max(bid.quantity for bid in simulation.book) / LOT)
        axes.set_title("Ambiguity aversion thins trade, then ends it")
        axes.set_xlabel("ambiguity aversion Ω (nats)")
        axes.set_ylabel("filled (lots of 0.001 share)")
        axes.set_xticks(omegas, [f"{omega:g}" for omega in omegas])
        axes.set_yticks(range(top + 1))
        axes.set_xlim(0.0, max(omegas))
        axes.set_ylim(0.0, 1.06 * top)
        axes.grid(axis="y", color=PALE, linewidth=0.8, zorder=0)
        axes.set_axisbelow(True)
    return figure


def _draw_fills(axes: Axes, runs: Sequence[Run], sweep: Sequence[Run]) -> None:
    """Lines while anything trades, labelled where they end, and one line where nothing does."""
    trading = [run for run in sweep if _trades(run)]
    omegas = [run.ambiguity for run in trading]
    for j, colour in enumerate(SERIES):
        front = len(SERIES) - j  # lines that coincide: the lower number covers the higher
        axes.plot(omegas, [run.fills[j] / LOT for run in trading], color=colour, zorder=2 + front)
        marked = [run for run in runs if _trades(run)]
        _markers(axes, marked, [run.fills[j] / LOT for run in marked], colour, 8 + front)
        if trading:
            height = trading[-1].fills[j] / LOT
            axes.annotate(
                f"security {j + 1}",
                (trading[-1].ambiguity, height),
                xytext=(10, 0 if height > 0.01 else 9),
                textcoords="offset points",
                color=colour,
                va="center",
                weight="bold",
                bbox={"color": "white", "pad": 1.5},
            )
    idle = [run for run in sweep if not _trades(run)]
    if trading and idle:
        end = trading[-1].ambiguity
        height = max(trading[-1].fills) / LOT
        axes.vlines(end, 0.0, height, color=GREY, linewidth=1.0, ls=(0, (2, 3)), zorder=1)
        axes.plot([end, idle[-1].ambiguity], [0.0, 0.0], color=GREY, zorder=2)
        resting = [run for run in runs if not _trades(run)]
        _markers(axes, resting, [0.0 for _ in resting], GREY, 8)
        axes.annotate(
            f"nothing trades from Ω = {idle[0].ambiguity:.2f} on",
            (idle[-1].ambiguity, 0.0),
            xytext=(0, 9),
            textcoords="offset points",
            color=GREY,
            ha="right",
            va="center",
            weight="bold",
        )


def _trades(run: Run) -> bool:
    return max(run.fills) > 1e-3 * LOT


def _markers(
    axes: Axes, runs: Sequence[Run], heights: Sequence[float], colour: str, zorder: int
) -> None:
    axes.plot(
        [run.ambiguity for run in runs],
        heights,
        "o",
        color=colour,
        markeredgecolor="white",
        markersize=7.5,
        clip_on=False,
        zorder=zorder,
    )


def figure_2(simulation: Simulation) -> Figure:
    """The priors of simulation B."""
    with house_style():
        figure, (axes,) = new_figure(7.2, 3.6)
        series = [[100.0 * p for p in run.prior] for run in simulation.runs]
        _paired_bars(axes, [run.label for run in simulation.runs], series, "{:.1f} %", 0.03)
        axes.set_title("Two makers, two priors")
        axes.set_xlabel("state")
        axes.set_ylabel("prior probability (%)")
        axes.set_yticks([0, 20, 40, 60])
    return figure


def figure_3(simulation: Simulation) -> Figure:
    """Fills under the priors of simulation B."""
    with house_style():
        figure, (axes,) = new_figure(7.2, 3.6)
        series = [[round(fill / LOT, 3) for fill in run.fills] for run in simulation.runs]
        _paired_bars(axes, [run.label for run in simulation.runs], series, "{:.3g}", 0.76)
        axes.set_title("Only the maker with an opinion trades")
        axes.set_xlabel("security")
        axes.set_ylabel("filled (lots of 0.001 share)")
        axes.set_yticks([0, 1])
        axes.set_ylim(0.0, 1.15)
    return figure


def write_paper(folder: Path, a: Simulation, b: Simulation) -> list[Path]:
    """Write figures 1 to 3 as PNG and SVG into `folder`; return the files."""
    top = max(run.ambiguity for run in a.runs)
    sweep = ambiguity_sweep(top * step / _SWEEP_STEPS for step in range(_SWEEP_STEPS + 1))
    figures = (figure_1(a, sweep), figure_2(b), figure_3(b))
    paths: list[Path] = []
    for number, figure in enumerate(figures, start=1):
        paths += save(figure, folder / f"figure_{number}")
    return paths


def _paired_bars(
    axes: Axes,
    labels: Sequence[str],
    series: Sequence[Sequence[float]],
    number: str,
    labels_at: float,
) -> None:
    """Bars side by side for two series over 1, 2, ..., each bar with its value.

    The names of the series stand at `labels_at`, a fraction of the width that is free of bars.
    """
    top = max(max(values) for values in series)
    for which, (label, values) in enumerate(zip(labels, series, strict=True)):
        colour = (GREY, BLUE)[which]
        offset = (which - 0.5) * (_BAR_WIDTH + 0.02)
        positions = [i + offset for i in range(1, len(values) + 1)]
        axes.bar(positions, values, _BAR_WIDTH, color=colour, zorder=2)
        for x, value in zip(positions, values, strict=True):
            axes.annotate(
                number.format(value),
                (x, value),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                va="bottom",
                color=colour if value > 0.0 else GREY,
                fontsize=8.5,
            )
        axes.annotate(
            label,
            (labels_at, 1.0 - 0.09 * which),
            xycoords="axes fraction",
            va="top",
            color=colour,
            weight="bold",
        )
    axes.set_xticks(range(1, len(series[0]) + 1))
    axes.set_ylim(0.0, 1.12 * top)
    axes.tick_params(axis="x", length=0)
