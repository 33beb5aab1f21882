"""A result as tables for a terminal or a log file."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..arrays import Floats, Ints
from ..errors import count_text
from ..model.maker_model import maker_model, maker_text
from ..model.market import Market
from ..model.orders import Orders
from ..model.status import Status
from ..result import Result
from ..verification.checks import Verification
from .fitted_table import print_table, print_whole

__all__ = ["PipeAwareConsole", "plain_console", "print_book", "print_result", "print_verification"]

_UNKNOWN_WIDTH = 80
_PLAIN_WIDTH = 100  # columns, where there is no terminal to ask
_CLAIMS_SHOWN = 40
_STATES_SHOWN = 24
_FILLS_SHOWN = 16


class PipeAwareConsole(Console):
    """A console that reports a closed pipe to its caller instead of exiting with code 1.

    A width of zero, as in ``COLUMNS=0`` and of terminals that do not know theirs, would print
    nothing at all: it counts as unknown.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if self.width < 1:
            self.width = _UNKNOWN_WIDTH

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def plain_console(stream: TextIO | None = None, *, quiet: bool = False) -> PipeAwareConsole:
    """Return a console as wide as the terminal, or as ``COLUMNS`` says, else of 100 columns."""
    stream = sys.stdout if stream is None else stream
    known = stream.isatty() or "COLUMNS" in os.environ
    return PipeAwareConsole(
        file=stream, quiet=quiet, highlight=False, width=None if known else _PLAIN_WIDTH
    )


def print_book(
    console: Console, folder: Path, market: Market, orders: Orders, pieces: list[int] | None
) -> None:
    """Print what was cleared, in two lines; with pieces, how many cells a search has."""
    n_claims, n_states = market.payoffs.shape
    sizes = [f"{n_states:,} states", f"{n_claims:,} claims", f"{len(orders):,} orders"]
    if pieces is not None:
        cells = math.prod(pieces)
        sizes.append(f"{count_text(cells)} cell{'' if cells == 1 else 's'}")
    _line(console, f"{folder}: {', '.join(sizes)}")
    _line(
        console,
        maker_text(market) + (", with inventory" if market.inventory.any() else ""),
    )


def print_result(console: Console, result: Result) -> None:
    """Print prices, states, the fills and the maker's position, and how a stopped one ended."""
    _print_claims(console, result)
    _more(console, len(result.market.claims) - _CLAIMS_SHOWN, "claims")
    _print_states(console, result)
    _more(console, len(result.market.states) - _STATES_SHOWN, "states")
    _print_fills(console, result)
    print_whole(console, _position_table(result))
    if result.status is not Status.OPTIMAL:
        console.print(Text(result.message, style="yellow"), soft_wrap=True)


def print_verification(console: Console, title: str, verification: Verification) -> None:
    """Print the checks of a verification, those that failed in red."""
    rows: list[list[str | Text]] = []
    for check in verification.checks:
        verdict = Text("ok", style="green") if check.passed else Text("FAILED", style="bold red")
        rows.append([Text(check.name), f"{check.figure:.2e}", f"{check.limit:.2e}", verdict])
    print_table(console, title, ("check", "figure", "limit", ""), rows, labels=("check", ""))


def _print_claims(console: Console, result: Result) -> None:
    table = result.table("claims")
    rows: list[list[str | Text]] = []
    for k, claim in enumerate(result.market.claims[:_CLAIMS_SHOWN]):
        numbers = [table[name][k] for name in ("price", "net_demand", "bought", "sold")]
        rows.append([Text(claim), *map(_number, numbers), f"{table['orders_filled'][k]:,}"])
    columns = ("claim", "price", "net demand", "bought", "sold", "orders filled")
    expendable = ("orders filled", "sold", "bought")
    print_table(console, "Prices", columns, rows, labels=("claim",), expendable=expendable)


def _print_states(console: Console, result: Result) -> None:
    prior = maker_model(result.market).get("prior")
    named = () if prior is None else ("prior",)
    vectors = [result.state_prices, result.worst_case, result.payoff]
    if prior is not None:
        vectors.insert(0, prior)
    rows: list[list[str | Text]] = [
        [Text(state), *(_number(vector[i]) for vector in vectors)]
        for i, state in enumerate(result.market.states[:_STATES_SHOWN])
    ]
    columns = ("state", *named, "state price", "worst case", "maker's payoff")
    expendable = ("worst case", *named)
    print_table(console, "States", columns, rows, labels=("state",), expendable=expendable)


def _print_fills(console: Console, result: Result) -> None:
    filled = np.flatnonzero(result.fills)
    if not len(filled):
        _line(console, f"None of the {len(result.orders):,} orders is filled.\n")
        return
    shown = _largest(result.fills, filled)
    index = result.orders.claim_index(result.market)
    ids = result.orders.order_id
    paid = result.paid_prices
    rows: list[list[str | Text]] = []
    for row in shown:
        order = result.orders[int(row)]
        numbers = (
            order.price,
            order.quantity,
            result.fills[row],
            paid[row],
        )
        claim = Text(result.market.claims[index[row]])
        rows.append([Text(str(ids[row])), order.side, claim, *map(_number, numbers)])
    columns = ("order", "side", "claim", "limit", "quantity", "filled", "price")
    labels = ("order", "side", "claim")
    expendable = ("limit", "quantity", "side", "claim")
    print_table(console, "Fills", columns, rows, labels=labels, expendable=expendable)
    _more(console, len(filled) - len(shown), "filled orders")


def _position_table(result: Result) -> Table:
    optimal = result.status is Status.OPTIMAL
    filled = int(np.count_nonzero(result.fills))
    rows: dict[str, str | Text] = {
        "status": Text(str(result.status), style="green" if optimal else "yellow"),
        "orders filled": f"{filled:,} of {len(result.orders):,}",
        "shares filled": _number(result.volume),
        "revenue": _number(result.revenue),
        "certainty equivalent": _number(result.certainty_equivalent, 9),
        "without trading": _number(result.no_trade_equivalent, 9),
        "gain": _number(result.gain),
        "gap": f"{result.gap:.2g}",
        "worst payoff": _number(float(result.payoff.min())),
        **({} if result.rule == "maker_optimal" else {"rule": result.rule}),
        "search": result.stats.work,
        "seconds": f"{result.stats.seconds.get('total', math.nan):.3g}",
    }
    table = Table(
        title="Maker's position",
        title_justify="left",
        title_style="bold",
        box=None,
        show_header=False,
        pad_edge=False,
    )
    table.add_column(no_wrap=True, min_width=max(map(len, rows)))
    longest = max(len(word) for value in rows.values() for word in str(value).split())
    table.add_column(justify="right", min_width=longest)
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _largest(fills: Floats, filled: Ints) -> Ints:
    """Return the rows with the largest fills, in book order."""
    if len(filled) <= _FILLS_SHOWN:
        return filled
    largest = np.argsort(-fills[filled], kind="stable")[:_FILLS_SHOWN]
    return np.sort(filled[largest])


def _number(value: float, digits: int = 6) -> str:
    return f"{value + 0.0:.{digits}g}"  # no negative zero


def _more(console: Console, count: int, what: str) -> None:
    if count > 0:
        _line(console, f"... and {count:,} more {what}")


def _line(console: Console, text: str) -> None:
    console.print(Text(text), soft_wrap=True)
