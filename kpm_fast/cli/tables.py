"""A result as tables for a terminal or a log file."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..arrays import Floats, Ints
from ..errors import count_text
from ..model.market import Market
from ..model.orders import Orders
from ..model.status import Status
from ..result import Result
from ..verification.checks import Verification

__all__ = ["PipeAwareConsole", "print_book", "print_result", "print_verification"]

_CLAIMS_SHOWN = 40
_STATES_SHOWN = 24
_FILLS_SHOWN = 16


class PipeAwareConsole(Console):
    """A console that reports a closed pipe to its caller, rather than exit with code 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def print_book(
    console: Console, folder: Path, market: Market, orders: Orders, pieces: list[int]
) -> None:
    """Print what is about to be cleared, in two lines."""
    n_claims, n_states = market.payoffs.shape
    cells = math.prod(pieces)
    _line(
        console,
        f"{folder}: {n_states:,} states, {n_claims:,} claims, {len(orders):,} orders, "
        f"{count_text(cells)} cell{'' if cells == 1 else 's'}",
    )
    _line(
        console,
        f"risk aversion {market.risk_aversion:g}, ambiguity {market.ambiguity:g}"
        + (", with inventory" if market.inventory.any() else ""),
    )


def print_result(console: Console, result: Result) -> None:
    """Print prices, states, the maker's position and the fills."""
    console.print(_claim_table(result))
    _more(console, len(result.market.claims) - _CLAIMS_SHOWN, "claims")
    console.print(_state_table(result))
    _more(console, len(result.market.states) - _STATES_SHOWN, "states")
    _print_fills(console, result)
    console.print(_position_table(result))


def print_verification(console: Console, title: str, verification: Verification) -> None:
    """Print the checks of a verification, those that failed in red."""
    table = _table(title, "check", "figure", "limit", "")
    for check in verification.checks:
        verdict = Text("ok", style="green") if check.passed else Text("FAILED", style="bold red")
        table.add_row(Text(check.name), f"{check.figure:.2e}", f"{check.limit:.2e}", verdict)
    console.print(table)


def _claim_table(result: Result) -> Table:
    columns = result.table("claims")
    table = _table("Prices", "claim", "price", "net demand", "bought", "sold", "orders filled")
    for k, claim in enumerate(result.market.claims[:_CLAIMS_SHOWN]):
        numbers = [columns[name][k] for name in ("price", "net_demand", "bought", "sold")]
        table.add_row(Text(claim), *map(_number, numbers), f"{columns['orders_filled'][k]:,}")
    return table


def _state_table(result: Result) -> Table:
    table = _table("States", "state", "prior", "state price", "worst case", "maker's payoff")
    vectors = (result.market.prior, result.state_prices, result.worst_case, result.payoff)
    for i, state in enumerate(result.market.states[:_STATES_SHOWN]):
        table.add_row(Text(state), *(_number(vector[i]) for vector in vectors))
    return table


def _print_fills(console: Console, result: Result) -> None:
    filled = np.flatnonzero(result.fills)
    if not len(filled):
        _line(console, f"None of the {len(result.orders):,} orders is filled.\n")
        return
    shown = _largest(result.fills, filled)
    table = _table("Fills", "order", "side", "claim", "limit", "quantity", "filled", "price")
    index = result.orders.claim_index(result.market)
    ids = result.orders.order_id
    for row in shown:
        order = result.orders[int(row)]
        table.add_row(
            Text(str(ids[row])),
            order.side,
            Text(result.market.claims[index[row]]),
            _number(order.price),
            _number(order.quantity),
            _number(result.fills[row]),
            _number(result.claim_prices[index[row]]),
        )
    console.print(table)
    _more(console, len(filled) - len(shown), "filled orders")


def _position_table(result: Result) -> Table:
    table = Table(
        title="Maker's position",
        title_justify="left",
        title_style="bold",
        box=None,
        show_header=False,
        pad_edge=False,
    )
    table.add_column()
    table.add_column(justify="right")
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
        "search": result.stats.work,
        "seconds": f"{result.stats.seconds.get('total', math.nan):.3g}",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _largest(fills: Floats, filled: Ints) -> Ints:
    """Return the rows with the largest fills, in book order."""
    if len(filled) <= _FILLS_SHOWN:
        return filled
    largest = np.argsort(-fills[filled], kind="stable")[:_FILLS_SHOWN]
    return np.sort(filled[largest])


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False
    )
    for name in columns:
        is_text = name in ("claim", "state", "order", "side", "check", "")
        table.add_column(
            name,
            justify="left" if is_text else "right",
            no_wrap=not is_text,
            overflow="fold",
        )
    return table


def _number(value: float, digits: int = 6) -> str:
    return f"{value:.{digits}g}"


def _more(console: Console, count: int, what: str) -> None:
    if count > 0:
        _line(console, f"... and {count:,} more {what}")


def _line(console: Console, text: str) -> None:
    console.print(Text(text), soft_wrap=True)
