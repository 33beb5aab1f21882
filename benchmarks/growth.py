"""How cost grows: Theorem 3, and one factor at a time.

Theorem 3 says that the paper's enumeration is polynomial in the number of orders J: a book of K
claims with n distinct limits each has (2n + 1)^K cells. Here every cell is solved, bounds prune
nothing, on claims of which every cell has state prices; beside it the default method, which proves
the same optimum to 1e-8, on the same books and on larger ones. Exponents are fitted to the upper
half of the sizes by least squares in logarithms, with intervals of 95 %.

Then the default method alone: random 0/1 claims, to a proven gap of 1e-6, around one centre, one of
N, K, J, stake (risk aversion times notional) and Omega at a time. Several seeds each: medians and
quartiles. A clearing that is not proved within its time limit counts with that limit.
"""

from __future__ import annotations

import functools
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

import kpm_fast as kpm
from kpm_fast.plots.style import BLUE, GREY, INK, ORANGE, PALE, SERIES, house_style, new_figure

from . import books
from .exponent import Exponent
from .rounds import interleave, warmed
from .section import Section, ticks, time_text
from .verified import NotVerifiedError, verified

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

TITLE = "Growth"
STATES = 8  # more than claims, so that prices of all claims are free of each other
TOLERANCE = 1e-8
GAP = 1e-6
ORDERS = {  # by K: the numbers of orders, up to some 60,000 cells
    1: (100, 200, 400, 800, 1600, 2400, 3200, 6400),
    2: (8, 12, 20, 32, 52, 68, 90, 118),
    3: (6, 9, 12, 18, 24, 30, 48, 54),
    4: (4, 8, 10, 12, 16, 20, 24, 28),
    5: (5, 8, 10, 12, 14, 16, 18, 20),
}
DEFAULT_ORDERS = (10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)
QUICK_SIZES = 5  # of them
ENUMERATED = 2  # books of each size, for the enumeration
BOOKS = 5  # of each size, for the default method
CENTRE: dict[str, float] = {"N": 10, "K": 10, "J": 500, "stake": 1.0, "Omega": 0.1}
FACTORS: dict[str, tuple[float, ...]] = {
    "N": (3, 5, 10, 20, 40),
    "K": (3, 5, 10, 20, 40),
    "J": (50, 150, 500, 5000, 50000),
    "stake": (0.01, 0.1, 1.0, 10.0, 100.0),
    "Omega": (0.0, 0.01, 0.1, 0.5, 2.0),
}
NAMES = {
    "N": "states N",
    "K": "claims K",
    "J": "orders J",
    "stake": "stake α · notional",
    "Omega": "ambiguity Ω",
}


def theorem_book(claims: int, orders: int, seed: int = 0) -> books.Book:
    """``claims`` of eight Arrow-Debreu claims; limits around fair, no two alike."""
    generator = np.random.default_rng([seed, claims, orders])
    prior = np.random.default_rng(3).dirichlet(np.full(STATES, 8.0))  # one maker for all
    claim = np.arange(orders) % claims
    side = generator.choice([1, -1], orders)
    book = (
        kpm.Market(np.eye(STATES)[:claims], prior, ambiguity=0.1),
        kpm.Orders(
            claim,
            side,
            prior[claim] * generator.uniform(0.6, 1.4, orders),
            generator.integers(1, 10, orders).astype(float),
        ),
    )
    return books.with_stake(book, 1.0)


def theorem_3(quick: bool) -> Section:
    """The enumeration of every cell against the default method, K = 1 to 5."""
    section = Section("Theorem 3: the paper's enumeration against the number of orders")
    seeds, rounds = (1, 1) if quick else (ENUMERATED, 3)
    every, tree = [], []
    for claims, sizes in ORDERS.items():
        for orders in sizes[:QUICK_SIZES] if quick else sizes:
            every += [_enumerated(claims, orders, seed, rounds) for seed in range(seeds)]
        for orders in DEFAULT_ORDERS[:QUICK_SIZES] if quick else DEFAULT_ORDERS:
            tree += [_cleared(claims, orders, seed) for seed in range(2 if quick else BOOKS)]
    fits: dict[str, dict[str, Any]] = {}
    for claims in ORDERS:
        own = [point for point in every if point["K"] == claims]
        others = [point for point in tree if point["K"] == claims]
        cells, cost = (_fit(own, name) for name in ("cells", "enumeration time"))
        default = _fit(others, "default time")
        largest = max(point["J"] for point in own)
        last = [point for point in own if point["J"] == largest]
        times = {
            name: float(np.median([point[name] for point in last]))
            for name in ("enumeration time", "default time")
        }
        section.rows.append(
            {
                "K": claims,
                "enumeration grows with": str(cost),
                "its cells with": str(cells),
                "default with": str(default),
                "largest J enumerated": largest,
                "cells": last[0]["cells"],
                "enumeration / default times": times["enumeration time"] / times["default time"],
                **times,
                "largest J by default": max(point["J"] for point in others),
                "most nodes there": max(point["nodes"] for point in others[-BOOKS:]),
            }
        )
        fits[str(claims)] = {"enumeration": asdict(cost), "default": asdict(default)}
        section.quote(f"growth.enumeration-{claims}", f"{cost.power:.2f}")
        section.quote(f"growth.default-{claims}", f"{default.power:.2f}")
    section.notes.append(
        "Exponents with their intervals. With J = K n the number of cells is (2J/K + 1)^K, whose "
        "exponent is K in the limit and less before it. The default method goes on to larger books "
        f"of the same kind, {len(others) // len(DEFAULT_ORDERS)} of each size; the spread of books "
        "of one size is in its interval."
    )
    section.data = {"enumeration": every, "default": tree}
    section.draw(
        draw_theorem_3,
        "theorem-3",
        "Time against the number of orders, one dot per book. Lines: powers fitted to the upper "
        "half of the sizes, with their 95 % confidence bands.",
        {"enumeration": every, "default": tree, "fits": fits},
    )
    return section


def _fit(points: list[dict[str, Any]], cost: str) -> Exponent:
    return Exponent.fit([point["J"] for point in points], [point[cost] for point in points])


def _enumerated(claims: int, orders: int, seed: int, rounds: int) -> dict[str, Any]:
    """Every cell of a book solved, and the same book by the default method."""
    book = theorem_book(claims, orders, seed)
    name = f"K = {claims}, J = {orders}, seed {seed}"
    # Both on one thread; the limit on cells protects users and does not apply here.
    every = functools.partial(
        kpm.clear, *book, "enumerate", prune_bounds=False, threads=1, cell_limit=10**9
    )
    tree = functools.partial(kpm.clear, *book, tolerance=TOLERANCE, threads=1)
    whole, proved = verified(every(), name), verified(tree(), name)
    difference = abs(whole.certainty_equivalent - proved.certainty_equivalent)
    if not difference <= (TOLERANCE + 1e-11) * whole.scale:
        raise NotVerifiedError(f"{name}: the two methods differ by {difference:g} in value")
    if whole.stats.solved != whole.stats.cells:
        raise NotVerifiedError(f"{name}: not every cell was solved")
    seconds = interleave({"every": every, "tree": tree}, rounds)
    return {
        "K": claims,
        "J": orders,
        "cells": whole.stats.cells,
        "enumeration time": float(np.median(seconds["every"])),
        "default time": float(np.median(seconds["tree"])),
    }


def _cleared(claims: int, orders: int, seed: int) -> dict[str, Any]:
    """A book by the default method."""
    clear = functools.partial(
        kpm.clear, *theorem_book(claims, orders, seed), tolerance=TOLERANCE, threads=1
    )
    result = verified(clear(), f"K = {claims}, J = {orders}, seed {seed}")
    seconds = interleave({"tree": clear}, 3)["tree"]
    return {
        "K": claims,
        "J": orders,
        "nodes": result.stats.nodes,
        "default time": float(np.median(seconds)),
    }


def one_factor_at_a_time(quick: bool) -> Section:
    """Nodes and time of the default method in N, K, J, stake and Omega."""
    section = Section("Nodes and time of the default method, one factor at a time")
    seeds, limit = (2, 1.0) if quick else (9, 5.0)
    known: dict[tuple[float, ...], dict[str, Any]] = {}
    for factor, values in FACTORS.items():
        for value in values[:4] if quick else values:
            case = CENTRE | {factor: value}
            key = tuple(case.values())
            if key not in known:
                known[key] = _spread([_factor_run(case, seed, limit) for seed in range(seeds)])
            section.rows.append({"factor": factor, "value": value, **known[key]})
    centre = ", ".join(f"{name} = {value:g}" for name, value in CENTRE.items())
    section.notes.append(
        f"The centre is {centre}; {seeds} seeds each, one thread, time limit {limit:g} s."
    )
    section.draw(
        draw_factors,
        "growth",
        "Nodes and time of the default method, one factor at a time around the centre (ring). "
        "Medians and quartiles over seeds; dotted: the time limit, at which unproved clearings "
        "count.",
        {"rows": section.rows, "centre": CENTRE, "limit": limit},
    )
    return section


def _factor_run(case: dict[str, float], seed: int, limit: float) -> dict[str, Any]:
    states, claims, orders = (int(case[name]) for name in ("N", "K", "J"))
    book = books.random_claims(states, claims, orders, seed, case["stake"], case["Omega"])
    clear = functools.partial(kpm.clear, *book, tolerance=GAP, threads=1, time_limit=limit)
    start = time.perf_counter()
    result = clear()
    seconds = time.perf_counter() - start
    verified(result, f"{case}, seed {seed}")
    if result.status is kpm.Status.OPTIMAL:
        seconds = warmed(clear)()  # the first was cold; one that takes long stays as long
    return {
        "nodes": result.stats.nodes,
        "time": seconds,
        "proved": result.status is kpm.Status.OPTIMAL,
    }


def _spread(runs: list[dict[str, Any]]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, unit in (("nodes", "nodes"), ("time", "time")):
        low, median, high = np.quantile([run[name] for run in runs], (0.25, 0.5, 0.75))
        columns |= {
            f"median {unit}": float(median),
            f"lower quartile {unit}": float(low),
            f"upper quartile {unit}": float(high),
        }
    columns["proved"] = f"{sum(run['proved'] for run in runs)} of {len(runs)}"
    return columns


SECTIONS = {"theorem_3": theorem_3, "factors": one_factor_at_a_time}


def draw_theorem_3(data: Any) -> Drawing:
    """The enumeration on the left, the default method on the right, the same axes."""
    with house_style():
        figure, (left, right) = new_figure(9.6, 5.0, columns=2)
        points = {method: data[method] for method in ("enumeration", "default")}
        for axes, method, title in (
            (left, "enumeration", "The paper's enumeration"),
            (right, "default", "This package's default"),
        ):
            for colour, claims in zip(SERIES, data["fits"], strict=True):
                own = [point for point in points[method] if str(point["K"]) == claims]
                _power(axes, own, Exponent(**data["fits"][claims][method]), method, colour)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_title(title)
            axes.set_xlabel("orders J")
            axes.grid(color=PALE, linewidth=0.8, zorder=0)
            axes.set_axisbelow(True)
        sizes = [point["J"] for method in points.values() for point in method]
        times = [point[f"{method} time"] for method in points for point in points[method]]
        for axes in (left, right):
            axes.set_xlim(min(sizes) / 1.6, max(sizes) * 1.6)
            axes.set_ylim(min(times) / 2, max(times) * 3)
            axes.yaxis.set_major_formatter(ticks(time_text))
            axes.xaxis.set_major_formatter(ticks("{:,.0f}".format))
        left.legend(frameon=False, loc="lower right", fontsize=9)
        right.legend(frameon=False, loc="upper left", fontsize=9)
        right.tick_params(labelleft=False)
        left.set_ylabel("time")
    return figure


def _power(
    axes: Axes, points: list[dict[str, Any]], fit: Exponent, method: str, colour: str
) -> None:
    sizes = np.array([point["J"] for point in points], dtype=float)
    times = [point[f"{method} time"] for point in points]
    axes.plot(sizes, times, "o", color=colour, markersize=3.5, alpha=0.7, zorder=4)
    upper = np.geomspace(np.sort(sizes)[sizes.size // 2], sizes.max(), 40)
    middle, low, high = fit.line(upper)
    label = f"K = {points[0]['K']}: $J^{{{fit.power:.2f}}}$ ({fit.low:.2f} to {fit.high:.2f})"
    axes.plot(upper, middle, color=colour, zorder=3, label=label)
    axes.fill_between(upper, low, high, color=colour, alpha=0.18, linewidth=0, zorder=2)


def draw_factors(data: Any) -> Drawing:
    """A column for each factor: nodes above, time below."""
    factors = list(dict.fromkeys(row["factor"] for row in data["rows"]))
    with house_style():
        figure, panels = new_figure(11.0, 5.2, rows=2, columns=len(factors))
        for row, (unit, colour, label) in enumerate(
            (("nodes", ORANGE, "nodes"), ("time", BLUE, "time"))
        ):
            line = panels[row * len(factors) : (row + 1) * len(factors)]
            for axes, factor in zip(line, factors, strict=True):
                rows = [entry for entry in data["rows"] if entry["factor"] == factor]
                _factor(axes, factor, rows, unit, colour, data["centre"][factor])
                axes.sharey(line[0])
                if axes is not line[0]:
                    axes.tick_params(labelleft=False)
                if row:
                    axes.set_xlabel(NAMES[factor])
                    axes.axhline(data["limit"], color=GREY, linewidth=1.0, linestyle=":")
            line[0].set_ylabel(label)
            text = time_text if unit == "time" else "{:,.0f}".format
            line[0].yaxis.set_major_formatter(ticks(text))
        figure.suptitle("Nodes and time of a proof to 1e-6", x=0.01, ha="left", fontweight="bold")
    return figure


def _factor(
    axes: Axes, factor: str, rows: list[dict[str, Any]], unit: str, colour: str, centre: float
) -> None:
    values = [row["value"] for row in rows]
    axes.set_yscale("log", nonpositive="clip")
    if min(values) > 0:
        axes.set_xscale("log")
    else:
        axes.set_xscale("symlog", linthresh=min(value for value in values if value > 0))
    # The values themselves are the ticks: there are few.
    thousands = [f"{value / 1000:g}k" if value >= 1000 else f"{value:g}" for value in values]
    axes.set_xticks(values, thousands, fontsize=9)
    axes.minorticks_off()
    axes.fill_between(
        values,
        [row[f"lower quartile {unit}"] for row in rows],
        [row[f"upper quartile {unit}"] for row in rows],
        color=colour,
        alpha=0.2,
        linewidth=0,
    )
    axes.plot(values, [row[f"median {unit}"] for row in rows], "o-", color=colour, markersize=4.5)
    middle = next(row for row in rows if row["value"] == centre)
    axes.plot(
        [centre], [middle[f"median {unit}"]], "o", color=INK, markerfacecolor="none", markersize=10
    )
    axes.grid(color=PALE, linewidth=0.8)
    axes.tick_params(colors=GREY, labelcolor=INK)
