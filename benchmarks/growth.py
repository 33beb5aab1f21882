"""How cost grows: Theorem 3.

Theorem 3 says that the paper's enumeration is polynomial in the number of orders J: a book of K
claims with n distinct limits each has (2n + 1)^K cells. Here every cell is solved, bounds prune
nothing, on claims of which every cell has state prices; beside it the default method, which proves
the same optimum to 1e-8, on the same books and on larger ones. Exponents are fitted to the upper
half of the sizes by least squares in logarithms, with intervals of 95 %.
"""

from __future__ import annotations

import functools
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

import kpm_fast as kpm
from kpm_fast.plots.style import PALE, SERIES, house_style, new_figure

from . import books
from .exponent import Exponent
from .rounds import interleave
from .section import Section, time_text
from .verified import NotVerifiedError, verified

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

TITLE = "Growth"
STATES = 8  # more than claims, so that prices of all claims are free of each other
TOLERANCE = 1e-8
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
        "half of the sizes, with intervals of 95 %.",
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


SECTIONS = {"theorem_3": theorem_3}


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
            axes.yaxis.set_major_formatter(lambda value, _: time_text(value))
            axes.xaxis.set_major_formatter("{x:,.0f}")
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
    upper = np.array([np.median(sizes), sizes.max()])
    label = f"K = {points[0]['K']}: $J^{{{fit.power:.2f}}}$ ({fit.low:.2f} to {fit.high:.2f})"
    axes.plot(upper, fit.factor * upper**fit.power, color=colour, zorder=3, label=label)
