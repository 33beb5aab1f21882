"""The picture of a proof: staircase, hull, tree and the tiling that proves a small book's clearing.

Everything in it is computed: the tree from certificates of the same search stopped after one node,
two nodes and so on, the relaxation's point by a barrier method of a few lines.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from kpm_fast.arrays import Floats
from kpm_fast.clearing.clear import clear, staircases
from kpm_fast.model.certificate import Certificate
from kpm_fast.model.market import Market
from kpm_fast.model.orders import Orders
from kpm_fast.plots.style import BLUE, GREEN, GREY, INK, ORANGE, PALE, house_style, new_figure
from kpm_fast.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Run = tuple[tuple[int, ...], tuple[int, ...]]  # first and last piece of each claim

__all__ = ["proof", "proof_book"]

_ORDERS = (  # claim, side, limit, shares
    ("home", "sell", 0.16, 4),
    ("home", "buy", 0.21, 4),
    ("home", "buy", 0.16, 6),
    ("home", "sell", 0.14, 9),
    ("home", "buy", 0.27, 9),
    ("draw", "sell", 0.88, 10),
    ("draw", "buy", 0.95, 7),
    ("draw", "buy", 0.44, 10),
    ("draw", "buy", 0.95, 6),
    ("draw", "buy", 0.60, 12),
)
_BARRIER_STEPS = 200
_SHRINK = 0.7  # of the barrier, after a full step
_LEAST_BARRIER = 1e-7  # money


def proof_book() -> tuple[Market, Orders]:
    """A book of two claims, small enough that its 81 cells can be drawn, yet not proved at once."""
    market = Market(
        [[1, 0, 0], [0, 1, 0]],
        [0.45, 0.35, 0.20],
        risk_aversion=0.02,
        ambiguity=0.0,
        claims=["home", "draw"],
        states=["home", "draw", "away"],
    )
    claim, side, price, quantity = zip(*_ORDERS, strict=True)
    return market, Orders(claim, side, price, quantity)


@dataclass
class _Node:
    """A node of the tree: a run, the bound it came with, and what it became."""

    run: Run
    bound: float
    children: list[_Node] = field(default_factory=list)
    cut: list[_Node] = field(default_factory=list)
    x: float = 0.0  # its place in the picture

    @property
    def leaf(self) -> bool:
        return not self.children


def proof() -> Figure:
    """Four panels: a run's hull, its children's hulls, the tree, the leaves that tile all cells."""
    market, orders = proof_book()
    result = clear(market, orders, certificate=True)
    root, best = _grow(market, orders, result)
    claim = next(k for k in range(2) if len({child.run[0][k] for child in root.children}) > 1)
    stairs = staircases(market, orders)
    with house_style():
        figure, (one, two, three, four) = new_figure(10.4, 9.2, 2, 2)
        figure.set_layout_engine("constrained", h_pad=0.14, w_pad=0.2)
        _draw_root(one, market, stairs, root, claim)
        _draw_children(two, market, stairs, root, claim, result)
        _draw_tree(three, root, best)
        _draw_tiling(four, market, root, result)
    return figure


def _grow(market: Market, orders: Orders, result: Result) -> tuple[_Node, list[float]]:
    """The tree, from the leaves after each node, and the best clearing after each."""
    ends = tuple(len(stair) - 1 for stair in staircases(market, orders))
    root = _Node(((0,) * len(ends), ends), result.stats.root_bound)
    nodes, best = {root.run: root}, []
    for limit in range(1, result.stats.nodes + 1):
        stopped = clear(market, orders, certificate=True, node_limit=limit)
        best.append(stopped.certainty_equivalent)
        proof = stopped.certificate
        if not isinstance(proof, Certificate):
            raise AssertionError("a certificate was asked for")
        leaves = {
            (tuple(first), tuple(last)): bound
            for first, last, bound in zip(
                proof.first.tolist(), proof.last.tolist(), proof.bound.tolist(), strict=True
            )
        }
        split = [run for run in nodes if run not in leaves]
        for run, node in nodes.items():
            if run in leaves and node.leaf:
                node.bound = min(node.bound, leaves[run])
        for run in split:
            node = nodes.pop(run)
            parts = [
                _Node(inner, bound)
                for inner, bound in sorted(leaves.items())
                if inner not in nodes and _contains(run, inner)
            ]
            # The two halves are what the search looks at; the rest was cut off.
            halves = sorted(parts, key=lambda part: -part.bound)[:2]
            node.children = [part for part in parts if part in halves]
            node.cut = [part for part in parts if part not in halves]
            nodes |= {part.run: part for part in parts}
            if node is not root:  # what the halves begin with is what became of its bound
                node.bound = max(part.bound for part in parts)
    return root, best


def _contains(outer: Run, inner: Run) -> bool:
    return all(a <= b for a, b in zip(outer[0], inner[0], strict=True)) and all(
        a >= b for a, b in zip(outer[1], inner[1], strict=True)
    )


def _corners(stair: Floats, first: int, last: int) -> Floats:
    """(corners, 2) price and demand along the pieces first .. last."""
    run = stair[first : last + 1]
    return np.vstack([run[:, [0, 3]], run[-1, [1, 2]]])


def _relax(market: Market, stairs: list[Floats], run: Run) -> tuple[Floats, Floats]:
    """Prices and demands of the relaxation, without ambiguity: a barrier method.

    Weights of the corners and state prices are positive; Newton's method on the barrier's
    conditions of optimality, from a start that meets no equation yet.
    """
    corners = [_corners(stair, a, b) for stair, a, b in zip(stairs, run[0], run[1], strict=True)]
    owner = np.repeat(np.arange(len(corners)), [len(points) for points in corners])
    price, demand = np.vstack(corners).T
    claims, states = market.payoffs.shape
    mine = np.equal.outer(np.arange(claims), owner).astype(float)
    equations = np.block(
        [
            [mine, np.zeros((claims, states))],
            [mine * price, -market.payoffs],
            [np.zeros((1, len(owner))), np.ones((1, states))],
        ]
    )
    right = np.r_[np.ones(claims), np.zeros(claims), 1.0]
    losses_of = (mine * demand).T @ market.payoffs  # by corner and state
    x = np.r_[1.0 / mine.sum(axis=1)[owner], np.full(states, 1.0 / states)]
    size, barrier, alpha = len(owner), float(np.ptp(price * demand)), market.risk_aversion
    for _ in range(_BARRIER_STEPS):
        losses = losses_of.T @ x[:size] - market.inventory
        weights = market.prior * np.exp(alpha * (losses - losses.max()))
        g = weights / weights.sum()
        gradient = np.r_[losses_of @ g - price * demand, np.zeros(states)] - barrier / x
        hessian = np.diag(barrier / x**2)
        spread = losses_of @ (np.diag(g) - np.outer(g, g)) @ losses_of.T
        hessian[:size, :size] += alpha * spread
        rows = len(right)
        system = np.block([[hessian, equations.T], [equations, np.zeros((rows, rows))]])
        step = np.linalg.lstsq(system, np.r_[-gradient, right - equations @ x], rcond=None)[0]
        dx = step[: len(x)]
        share = min(1.0, 0.9 / max(float((-dx / x).max()), 1e-9))
        x = x + share * dx
        if share == 1.0 and barrier > _LEAST_BARRIER:
            barrier *= _SHRINK
    return mine @ (x[:size] * price), mine @ (x[:size] * demand)


def _hull(points: Floats) -> Floats:
    """The convex hull of points in the plane, in order."""

    def chain(ordered: list[tuple[float, float]]) -> list[tuple[float, float]]:
        kept: list[tuple[float, float]] = []
        for point in ordered:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], point) <= 0:
                kept.pop()
            kept.append(point)
        return kept[:-1]

    unique = sorted({(float(a), float(b)) for a, b in points})
    return np.array(chain(unique) + chain(unique[::-1])) if len(unique) > 2 else np.array(unique)


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _draw_stair(axes: Axes, stair: Floats, first: int, last: int, colour: str) -> None:
    points = _corners(stair, first, last)
    axes.plot(points[:, 0], points[:, 1], color=colour, linewidth=2.4, zorder=3)


def _draw_hull(axes: Axes, stair: Floats, first: int, last: int, colour: str) -> None:
    outline = _hull(_corners(stair, first, last))
    axes.fill(outline[:, 0], outline[:, 1], color=colour, alpha=0.16, linewidth=0, zorder=1)
    axes.plot(*np.vstack([outline, outline[:1]]).T, color=colour, linewidth=0.9, zorder=2)


def _stair_axes(axes: Axes, market: Market, stair: Floats, claim: int) -> None:
    axes.set_xlabel(f"price of “{market.claims[claim]}”")
    axes.set_ylabel("net demand (shares)")
    axes.set_xlim(0.0, 1.0)
    low, high = stair[:, 2].min(), stair[:, 3].max()
    axes.set_ylim(low - 0.06 * (high - low), high + 0.10 * (high - low))


def _label(axes: Axes, text: str, point: Any, offset: tuple[float, float], **look: Any) -> None:
    line = {"arrowstyle": "-", "color": look.get("color", INK), "linewidth": 0.8, "shrinkB": 5}
    axes.annotate(
        text,
        point,
        xytext=offset,
        textcoords="offset points",
        va="center",
        arrowprops=line | {"relpos": (0.0 if offset[0] > 0 else 1.0, 0.5)},
        zorder=8,
        **look,
    )


def _draw_root(axes: Axes, market: Market, stairs: list[Floats], root: _Node, claim: int) -> None:
    stair, (first, last) = stairs[claim], (root.run[0][claim], root.run[1][claim])
    prices, demands = _relax(market, stairs, root.run)
    _stair_axes(axes, market, stair, claim)
    _draw_hull(axes, stair, first, last, BLUE)
    _draw_stair(axes, stair, first, last, INK)
    point = (float(prices[claim]), float(demands[claim]))
    axes.plot(*point, "o", color=ORANGE, markersize=9, zorder=6)
    text = f"best point of all\nhulls: off the stairs,\nso a bound, {root.bound:.3f}"
    _label(axes, text, point, (-24.0, 92.0), color=ORANGE)
    axes.set_title("1  Relax: staircases become hulls")


def _draw_children(
    axes: Axes, market: Market, stairs: list[Floats], root: _Node, claim: int, result: Result
) -> None:
    stair = stairs[claim]
    _stair_axes(axes, market, stair, claim)
    _draw_stair(axes, stair, root.run[0][claim], root.run[1][claim], PALE)
    for child, colour, offset in zip(
        root.children, (BLUE, GREEN), ((-36.0, 24.0), (40.0, 26.0)), strict=True
    ):
        first, last = child.run[0][claim], child.run[1][claim]
        prices, demands = _relax(market, stairs, child.run)
        _draw_hull(axes, stair, first, last, colour)
        _draw_stair(axes, stair, first, last, colour)
        point = (float(prices[claim]), float(demands[claim]))
        axes.plot(*point, "o", color=colour, markersize=8, zorder=6)
        _label(axes, f"≤ {child.bound:.3f}", point, offset, color=colour, weight="bold")
    best = (float(result.claim_prices[claim]), float(result.net_demand[claim]))
    axes.plot(*best, "*", color=INK, markersize=13, zorder=7)
    text = f"best clearing: {result.certainty_equivalent:.3f}"
    _label(axes, text, best, (-40.0, 88.0), color=INK)
    axes.annotate(
        "grey: cut off, the\nbound shows it to\nbe worse",
        (0.03, 0.05),
        xycoords="axes fraction",
        color=GREY,
        va="bottom",
    )
    axes.set_title("2  Split: smaller hulls, lower bounds")


def _draw_tree(axes: Axes, root: _Node, best: list[float]) -> None:
    places = itertools.count()
    depths: list[int] = []

    def place(node: _Node, depth: int) -> None:
        depths.append(depth)
        for child in node.children:
            place(child, depth + 1)
        inner = [child.x for child in node.children]
        node.x = sum(inner) / len(inner) if inner else float(next(places))

    def draw(node: _Node, depth: int) -> None:
        for child in node.children:
            axes.plot([node.x, child.x], [-depth, -depth - 1], color=GREY, linewidth=1.2, zorder=1)
            draw(child, depth + 1)
        colour = _verdict(node, best[-1]) if node.leaf else INK
        axes.annotate(
            f"≤ {node.bound:.3f}",
            (node.x, -depth),
            ha="center",
            va="center",
            color=colour,
            weight="bold",
            bbox={"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": colour},
            zorder=3,
        )

    place(root, 0)
    draw(root, 0)
    axes.set_xlim(-0.6, next(places) - 0.4)
    axes.set_ylim(-max(depths) - 0.9, 0.4)
    axes.set_axis_off()
    axes.set_title(f"3  Repeat, until no bound is above {best[-1]:.3f}")
    found = ", ".join(f"{value:.3f}" for value in dict.fromkeys(best))
    axes.annotate(
        f"clearings found on the way: {found}",
        (0.0, 0.0),
        xycoords="axes fraction",
        color=INK,
        va="bottom",
    )


def _verdict(leaf: _Node, best: float) -> str:
    """Orange for the leaf that holds the best clearing, blue for what is worse."""
    return ORANGE if leaf.bound > best - 1e-6 * abs(best) else BLUE


def _leaves(node: _Node) -> list[_Node]:
    inner = [leaf for child in (*node.children, *node.cut) for leaf in _leaves(child)]
    return inner or [node]


def _draw_tiling(axes: Axes, market: Market, root: _Node, result: Result) -> None:
    from matplotlib.patches import Rectangle

    best = result.certainty_equivalent
    for leaf in _leaves(root):
        (x, y), (right, top) = leaf.run
        colour = _verdict(leaf, best)
        width, height = right - x + 1, top - y + 1
        axes.add_patch(
            Rectangle(
                (x - 0.5, y - 0.5),
                width,
                height,
                facecolor=colour,
                alpha=0.38 if colour == ORANGE else 0.12,
                linewidth=0,
            )
        )
        axes.add_patch(
            Rectangle(
                (x - 0.5, y - 0.5), width, height, fill=False, edgecolor=colour, linewidth=1.4
            )
        )
        axes.annotate(
            f"≤ {leaf.bound:.3f}",
            (x + 0.5 * width - 0.5, y + 0.5 * height - 0.5),
            ha="center",
            va="center",
            rotation=90 if height > 2 * width else 0,
            color=colour,
            weight="bold",
            bbox={"boxstyle": "square,pad=0.15", "facecolor": "white", "alpha": 0.7, "lw": 0},
            zorder=4,
        )
    ends = root.run[1]
    axes.set_xlim(-0.5, ends[0] + 0.5)
    axes.set_ylim(-0.5, ends[1] + 0.5)
    axes.set_xticks(range(ends[0] + 1))
    axes.set_yticks(range(ends[1] + 1))
    axes.tick_params(length=0)
    for x, y in itertools.product(range(ends[0] + 1), range(ends[1] + 1)):
        axes.plot([x], [y], ".", color=GREY, markersize=2.0, alpha=0.6, zorder=2)
    axes.set_xlabel(f"piece of “{market.claims[0]}”")
    axes.set_ylabel(f"piece of “{market.claims[1]}”")
    axes.set_title(f"4  Proof: {len(_leaves(root))} leaves tile all {result.stats.cells} cells")
