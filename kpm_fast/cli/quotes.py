"""The command ``kpm-fast quotes``: a maker's bids and asks for the claims of a book."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from rich.text import Text

from ..arrays import Floats
from ..errors import InputError
from ..files.atomic_files import staged_text
from ..files.tables import write_csv
from ..model.maker import Maker
from ..model.maker_input import checked_quantities
from ..model.quotes import Quotes
from . import book_options
from .fitted_table import print_table
from .named_path import named_path
from .several import Several, numbers
from .tables import plain_console

__all__ = ["add_parser"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of ``kpm-fast``."""
    parser = commands.add_parser(
        "quotes",
        help="quote the claims of a book",
        description="Print what a maker bids and asks, in money per share, before any order is "
        "filled. Orders are not read, and need not be there.",
        epilog="Exit codes: 0 done; 2 bad usage or input.",
    )
    parser.set_defaults(run=_run)
    book_options.add_book(parser)
    parser.add_argument(
        "--quantity",
        type=Several(numbers),
        metavar="Q,...",
        help="shares of a block, or of several (default: the next share)",
    )
    book_options.add_maker(parser, "the maker", kinds=True)
    book_options.add_options(parser)
    output = parser.add_argument_group("output")
    output.add_argument("--json", action="store_true", help="print only the quotes, as JSON")
    output.add_argument("--output", type=named_path, metavar="FILE", help="write them as CSV")
    output.add_argument("--quiet", action="store_true", help="print no table")


def _checked_sizes(sizes: list[float]) -> Floats:
    """Return the sizes of the blocks; an error names the option, not a claim's table of them."""
    try:
        return checked_quantities(sizes, len(sizes))[0][:, 0]
    except InputError as error:
        raise InputError(error.reason, field="--quantity") from None


def _run(args: argparse.Namespace) -> int:
    book_options.check_outputs(args, [("--output", args.output)])
    market = book_options.read_market_alone(args)
    maker = book_options.named_maker(args, market)
    quantities = None
    if args.quantity is not None:
        quantities = np.tile(_checked_sizes(args.quantity), (len(market.claims), 1))
    quotes = maker.quotes(market, quantities)
    if args.output is not None:
        with staged_text(args.output) as stream:
            write_csv(stream, quotes.table())
    if args.json:
        columns = {name: list(column) for name, column in quotes.table().items()}
        print(json.dumps({"maker": repr(maker), **columns}, indent=2, allow_nan=False))
    elif not args.quiet:
        _print(args.folder, maker, quotes)
    return 0


def _print(folder: Path, maker: Maker, quotes: Quotes) -> None:
    console = plain_console()
    console.print(Text(f"{folder}: {maker!r}"), soft_wrap=True)
    columns = quotes.table()
    rows: list[list[str | Text]] = []
    for claim, *sizes, bid, ask in zip(*columns.values(), strict=True):
        figures = [*(f"{size:g}" for size in sizes), f"{bid:.6f}", f"{ask:.6f}"]
        rows.append([Text(claim), *figures])
    print_table(console, "", list(columns), rows, labels=("claim",))
