"""The figures of the proof: recorded books, and time against the number of orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kpm_fast.plots.style import BLUE, GREY, INK, ORANGE, PALE, house_style, new_figure

from .exponent import Exponent
from .section import ticks, time_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing


def draw_orders(data: Any) -> Drawing:
    """Time against the number of orders."""
    orders = np.array([row["orders"] for row in data["rows"]], dtype=float)
    fit = Exponent(**data["fit"])
    with house_style():
        figure, (axes,) = new_figure(6.8, 4.4)
        axes.set_xscale("log")
        axes.set_yscale("log")
        upper = np.geomspace(orders[orders.size // 2], orders[-1], 40)
        middle, low, high = fit.line(upper)
        axes.fill_between(upper, low, high, color=BLUE, alpha=0.18, linewidth=0)
        axes.plot(upper, middle, color=BLUE, linewidth=1.2)
        times = [row["clear time"] for row in data["rows"]]
        label = f"kpm_fast.clear: $J^{{{fit.power:.2f}}}$"
        axes.plot(orders, times, "o", color=BLUE, markersize=5, label=label)
        axes.legend(frameon=False, loc="upper left")
        axes.set_xlim(orders[0] / 1.5, orders[-1] * 1.5)
        axes.grid(color=PALE, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.xaxis.set_major_formatter(ticks("{:,.0f}".format))
        axes.yaxis.set_major_formatter(ticks(time_text))
        axes.set_xlabel("orders J")
        axes.set_ylabel("time")
        axes.set_title("Proved to 1e-6: five claims, more and more orders")
    return figure


def draw_recorded(data: Any) -> Drawing:
    """Empirical distribution functions of time and of nodes."""
    with house_style():
        figure, panels = new_figure(9.6, 4.0, columns=2)
        for axes, name, colour, label, text in (
            (panels[0], "time", BLUE, "time of a clearing", time_text),
            (panels[1], "nodes", ORANGE, "nodes of the tree", "{:.0f}".format),
        ):
            values = np.sort(np.asarray(data[name], dtype=float))
            share = np.arange(1, values.size + 1) / values.size
            axes.step(np.r_[values[0], values], np.r_[0.0, share], where="post", color=colour)
            axes.set_xscale("log")
            for rank, name_of_rank in ((0.5, "median"), (0.9, "90 %"), (1.0, "all")):
                value = float(np.quantile(values, rank))
                axes.plot([value], [rank], "o", color=INK, markersize=4, zorder=4)
                axes.annotate(
                    f"{name_of_rank}: {text(value)}",
                    (value, rank),
                    xytext=(7, -5),
                    textcoords="offset points",
                    va="top",
                    color=INK,
                    fontsize=9,
                )
            axes.set_xlim(values[0] / 1.3, values[-1] * 6)
            axes.set_ylim(0.0, 1.04)
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
            axes.grid(color=PALE, linewidth=0.8)
            axes.tick_params(colors=GREY, labelcolor=INK)
            axes.xaxis.set_major_formatter(ticks(text))
            axes.set_xlabel(label)
        panels[0].set_ylabel("share of clearings")
        panels[0].set_title("Recorded books: time")
        panels[1].set_title("Nodes")
    return figure
