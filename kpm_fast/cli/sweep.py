"""The commands ``kpm-fast sweep`` and ``kpm-fast advise``."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..analysis.advice import advise, telling_ambiguities
from ..analysis.sweep import Sweep, check_column, shown, sweep
from ..entries import number
from ..errors import InputError
from ..files.atomic_files import staged_text
from ..files.tables import write_csv
from ..model.maker_model import is_knightian
from ..model.rules import RULES
from ..plots.style import require_matplotlib, save
from . import book_options, clearing_options
from .fitted_table import print_table
from .named_path import named_path
from .plot import drawn
from .several import Several
from .tables import PipeAwareConsole

__all__ = ["add_parsers", "grid"]

# On a narrow terminal the last are left out first.
_SHOWN = (
    "gain",
    "status",
    "volume",
    "expected_payoff",
    "worst_payoff",
    "spread",
)

_ADVISED = ("ambiguity", "gain", "status", "expected_payoff", "worst_payoff", "volume")

_EXIT_CODES = (
    "Exit codes: 0 done; 2 bad usage or input; 3 done, with clearings that stopped at a limit or "
    "are inaccurate; 130 interrupted."
)


def grid(text: str) -> list[float]:
    """Read ``0,0.01,0.1`` or ``start:stop:count``, both ends included.

    Raises
    ------
    InputError
        Naming what is not a number.
    """
    parts = text.split(":") if ":" in text else text.split(",")
    try:
        values = [number(part) for part in parts]
    except ValueError:
        raise InputError(f"must be numbers, got {text!r}", field="grid") from None
    if ":" not in text:
        return values
    if len(values) != 3 or values[2] not in range(1, 100_001):
        raise InputError(
            f"must be start:stop:count with a count from 1 to 100,000, got {text!r}", field="grid"
        )
    if not math.isfinite(values[1] - values[0]):
        raise InputError(f"must go from one finite number to another, got {text!r}", field="grid")
    return [float(value) for value in np.linspace(values[0], values[1], int(values[2]))]


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both commands to the parser of ``kpm-fast``."""
    parser = commands.add_parser(
        "sweep",
        help="clear a book under many makers",
        description="Clear a book for every combination of ambiguity, risk aversion and rule, or "
        "with another maker by every rule.",
        epilog="Grids are 0,0.01,0.1 or start:stop:count. With neither, ambiguities up to the one "
        f"at which trade stops. {_EXIT_CODES}",
    )
    parser.set_defaults(run=_run_sweep)
    book_options.add_book(parser)
    parser.add_argument(
        "--ambiguity",
        dest="ambiguities",
        type=Several(grid),
        metavar="GRID",
        help="nats (default: the book's)",
    )
    parser.add_argument(
        "--risk-aversion",
        dest="risk_aversions",
        type=Several(grid),
        metavar="GRID",
        help="per unit of money (default: the book's)",
    )
    maker = parser.add_argument_group("the maker")
    book_options.add_inventory(maker)
    book_options.add_kind(maker)
    clearing_options.add_clearing(parser, "the clearings", several_rules=True)
    book_options.add_options(parser)
    parser.set_defaults(ambiguity=None, risk_aversion=None, quiet=False)
    parser.add_argument(
        "--output", type=named_path, metavar="FILE", help="write all columns as CSV"
    )
    parser.add_argument(
        "--plot", type=named_path, metavar="STEM", help="draw STEM.png and STEM.svg"
    )
    parser.add_argument("--column", default="gain", help="what --plot draws (default: %(default)s)")
    advice = commands.add_parser(
        "advise",
        help="say where trade stops, and what the maker can lose",
        description="Help choose the ambiguity of a Knightian maker for a book: where trade "
        "stops, which is the same under every rule, and what is gained below.",
        epilog=_EXIT_CODES,
    )
    advice.set_defaults(run=_run_advise)
    book_options.add_book(advice)
    book_options.add_maker(advice, "the maker", kinds=True)
    clearing_options.add_clearing(advice, "the clearings")
    book_options.add_options(advice)
    advice.set_defaults(quiet=False)


def _run_sweep(args: argparse.Namespace) -> int:
    if args.plot is not None:
        check_column(args.column, "--column")  # before anything is cleared
        require_matplotlib()
    pictures = [] if args.plot is None else drawn("--plot", args.plot)
    book_options.check_outputs(args, [*pictures, ("--output", args.output)])
    book = clearing_options.read(args)
    market, orders, terms = book
    if args.plot is not None and not is_knightian(market):
        raise InputError("needs a maker with an ambiguity, against which it draws", field="--plot")
    grids: dict[str, Any] = {
        name: values
        for name, values in (
            ("ambiguity", args.ambiguities),
            ("risk_aversion", args.risk_aversions),
            ("rule", args.rules),
        )
        if values is not None
    }
    if not grids.keys() - {"rule"} and is_knightian(market):
        grids["ambiguity"] = telling_ambiguities(market, orders)
    if args.rules is None and terms:
        grids["rule"] = terms["rule"]
    with clearing_options.named_as_options():
        result = sweep(market, orders, **grids, **clearing_options.given(args, book))
    console = PipeAwareConsole()
    written = []  # before anything is printed: its reader may close the pipe
    if args.output is not None:
        with staged_text(args.output) as stream:
            write_csv(stream, {name: list(column) for name, column in result.table.items()})
        written.append(args.output)
    if args.plot is not None:
        written += save(result.plot(args.column), args.plot)
    named = [name for name in ("rule", "risk_aversion") if len(set(result[name])) > 1]
    if is_knightian(market):
        named.append("ambiguity")
    _print(console, result, (*named, *_SHOWN), kept=len(named) + 1)
    for path in written:
        console.print(f"{path}", highlight=False, markup=False, soft_wrap=True)
    return clearing_options.all_ended(result["status"])


def _run_advise(args: argparse.Namespace) -> int:
    console = PipeAwareConsole()
    book = clearing_options.read(args)
    rule = args.rule or book.terms.get("rule", RULES[0])
    with clearing_options.named_as_options():
        advice = advise(book.market, book.orders, rule=rule, **clearing_options.given(args, book))
    verdict, _, _ = str(advice).partition("\n\n")  # its table does not fit every terminal
    console.print(verdict, highlight=False, markup=False, soft_wrap=True)
    _print(console, advice.frontier, _ADVISED, kept=2)
    return clearing_options.all_ended(advice.frontier["status"])


def _print(console: PipeAwareConsole, swept: Sweep, names: Sequence[str], kept: int) -> None:
    """Print columns of a sweep; on a narrow terminal only the first ``kept`` are sure to stay."""
    columns = [name.replace("_", " ") for name in names]
    rows = [list(row) for row in zip(*(shown(swept, name) for name in names), strict=True)]
    print_table(console, "", columns, rows, expendable=columns[: kept - 1 : -1])
