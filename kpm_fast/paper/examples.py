"""Examples 1 to 4 of the paper: from the order book of Table 1 to the cells of (17).

Table 2 prints 0.001 for order 5, and so do (22) and (24); its quantity in Table 1 is 0.002.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..clearing.clear import solve_cell, staircases
from ..model.market import Market
from ..model.orders import Orders
from .finding import Finding
from .simulations import STATES, Bid, Statement, uniform_prior

__all__ = ["CELL", "TABLE_1", "Restriction", "examples", "table_2"]

TABLE_1 = (
    Bid(1, 1, 0.18, 0.001),
    Bid(2, 2, 0.18, 0.001),
    Bid(3, 3, 0.18, 0.001),
    Bid(4, 4, 0.18, 0.001),
    Bid(5, 1, 0.20, 0.002),
    Bid(6, 1, 0.25, 0.001),
    Bid(7, 1, 0.20, 0.001),
)
CELL = (1, 2, 2, 2, 1)  # the subset that Example 3 picks for each security, counted from 1


@dataclass(frozen=True)
class Restriction:
    """A row of Table 2: what a cell implies for one order.

    Attributes
    ----------
    bid : Bid
    price_low, price_high : float
        Range of its security's price in the cell, money per share.
    fill_low, fill_high : float
        Range of fills that the limit order logic (18) leaves, shares.
    """

    bid: Bid
    price_low: float
    price_high: float
    fill_low: float
    fill_high: float


def book() -> tuple[Market, Orders]:
    """Table 1, with the Arrow-Debreu securities of (11)."""
    names = [str(i) for i in range(1, STATES + 1)]
    market = Market(np.eye(STATES), uniform_prior(), claims=names, states=names)
    orders = Orders(
        claim=[str(bid.security) for bid in TABLE_1],
        side=["buy"] * len(TABLE_1),
        price=[bid.price for bid in TABLE_1],
        quantity=[bid.quantity for bid in TABLE_1],
        order_id=[str(bid.order) for bid in TABLE_1],
    )
    return market, orders


def table_2(cell: Sequence[int] = CELL) -> tuple[Restriction, ...]:
    """Table 2 for a cell of Table 1's book; the cell's subsets are counted from 1."""
    pieces = staircases(*book())
    rows = []
    for bid in TABLE_1:
        low, high = pieces[bid.security - 1][cell[bid.security - 1] - 1][:2]
        inside, outside = high <= bid.price and low < bid.price, low >= bid.price and high > low
        rows.append(
            Restriction(
                bid,
                float(low),
                float(high),
                fill_low=bid.quantity if inside else 0.0,
                fill_high=0.0 if outside else bid.quantity,
            )
        )
    return tuple(rows)


def example_statements() -> tuple[Statement, ...]:
    """Statements of Examples 1 to 4, checked against the package's staircases and cell solver."""
    market, orders = book()
    pieces = staircases(market, orders)
    limits = [sorted({bid.price for bid in TABLE_1 if bid.security == k + 1}) for k in range(5)]
    distinct = [(len(claim) - 1) // 2 for claim in pieces]
    first = [[float(low), float(high)] for low, high in pieces[0][:, :2]]
    wanted = [[0.0, 0.18], [0.18, 0.18], [0.18, 0.2], [0.2, 0.2], [0.2, 0.25], [0.25, 0.25]]
    cells = math.prod(len(claim) for claim in pieces)
    rows = table_2()
    fixed = [row.bid.order for row in rows if row.fill_low == row.fill_high == row.bid.quantity]
    free = [row.bid.order for row in rows if row.fill_low < row.fill_high]
    solved = solve_cell(market, orders, [subset - 1 for subset in CELL])
    return (
        Statement(
            "Example 1: n = 3, 1, 1, 1, 0 distinct limits",
            distinct == [3, 1, 1, 1, 0] == [len(each) for each in limits],
            ", ".join(map(str, distinct)),
        ),
        Statement(
            "Example 2: seven subsets for security 1, (14), and three for security 2, (15)",
            first == [*wanted, [0.25, 1.0]] and len(pieces[1]) == 3 and len(pieces[4]) == 1,
            f"{len(pieces[0])} and {len(pieces[1])}",
        ),
        Statement("Example 3: 189 cells", cells == 189, f"{cells}"),
        Statement(
            "Table 2: in the cell (1, 2, 2, 2, 1) orders 1, 5, 6, 7 are filled, 2, 3, 4 are free",
            fixed == [1, 5, 6, 7] and free == [2, 3, 4],
            f"filled {', '.join(map(str, fixed))}; free {', '.join(map(str, free))}; "
            "order 5 has 0.002, where the paper prints 0.001",
        ),
        Statement(
            "Example 4: the cell is a convex problem, (22), with a solution",
            str(solved.status) == "optimal",
            f"certainty equivalent {solved.certainty_equivalent:.4g}",
        ),
    )


def examples() -> Finding:
    """Examples 1 to 4 as statements, Tables 1 and 2 as tables."""
    rows = table_2()
    return Finding(
        title="Examples 1 to 4: from an order book to its cells",
        statements=example_statements(),
        tables={
            "table_1": {
                "order": [bid.order for bid in TABLE_1],
                "quantity": [bid.quantity for bid in TABLE_1],
                "security": [bid.security for bid in TABLE_1],
                "price": [bid.price for bid in TABLE_1],
            },
            "table_2": {
                "order": [row.bid.order for row in rows],
                "security": [row.bid.security for row in rows],
                "price": [row.bid.price for row in rows],
                "price_low": [row.price_low for row in rows],
                "price_high": [row.price_high for row in rows],
                "fill_low": [row.fill_low for row in rows],
                "fill_high": [row.fill_high for row in rows],
            },
        },
    )
