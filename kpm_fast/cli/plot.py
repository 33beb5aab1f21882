"""The command ``kpm-fast plot``: pictures of a book's clearing."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..clearing.clear import clear
from ..errors import InputError
from ..model.market import DEFAULT_AMBIGUITY
from ..plots.kinds import KINDS, draw
from ..plots.quotes import draw_quotes
from ..plots.style import require_matplotlib, save
from ..result import Result, load_result
from . import book_options
from .tables import PipeAwareConsole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["add_book", "add_parser", "cleared"]

_PICTURES = (*KINDS, "quotes")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of ``kpm-fast``."""
    parser = commands.add_parser(
        "plot",
        help="draw a clearing",
        description="Draw the clearing in a file that clear --save wrote, or clear the book in a "
        "folder and draw it.",
        epilog="Exit codes: 0 done; 2 bad usage or input, or no matplotlib.",
    )
    parser.set_defaults(run=_run)
    parser.add_argument("folder", metavar="FILE|FOLDER", type=Path)
    parser.add_argument(
        "--picture",
        nargs="+",
        choices=_PICTURES,
        default=["book"],
        help="one or several (default: book)",
    )
    parser.add_argument("--claim", help="which claim: of a staircase, or alone of a book")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="STEM",
        help="write STEM.png and STEM.svg, or STEM-PICTURE of each of several (default: the "
        "picture's name)",
    )
    add_book(parser)


def add_book(parser: argparse.ArgumentParser) -> None:
    """Add what else says which book is meant, as for `clear`."""
    maker = parser.add_argument_group("the maker, where a folder is cleared")
    maker.add_argument(
        "--risk-aversion", type=float, metavar="A", help="per unit of money, > 0 (default: 1)"
    )
    maker.add_argument(
        "--ambiguity",
        type=float,
        metavar="O",
        help=f"radius in nats, 0 to inf (default: {DEFAULT_AMBIGUITY:g})",
    )
    maker.add_argument(
        "--inventory", metavar="FILE|W,W,...", help="wealth by state, as for kpm-fast clear"
    )
    book_options.add_options(parser)
    parser.set_defaults(quiet=False)


def cleared(args: argparse.Namespace, *, certificate: bool) -> Result:
    """Return a saved clearing, or clear the book in a folder."""
    own = args.risk_aversion is None and args.ambiguity is None and args.inventory is None
    if own and book_options.is_file(args.folder):
        return load_result(args.folder)
    return clear(*book_options.read(args), certificate=certificate)


def _run(args: argparse.Namespace) -> int:
    require_matplotlib()
    if args.claim is None and "staircase" in args.picture:
        raise InputError("a staircase is one claim's", field="--claim")
    result = cleared(args, certificate="proof" in args.picture)
    console = PipeAwareConsole()
    for picture in args.picture:
        if picture == "quotes":
            quotes = result.market.maker.quotes(result.market)
            figure = cast("Figure", draw_quotes(quotes).figure)
        else:
            of_claim = args.claim if picture in ("book", "staircase") else None
            figure = draw(result, picture, of_claim)
        for path in save(figure, _stem(args, picture)):
            console.print(f"{path}", highlight=False, markup=False, soft_wrap=True)
    return 0


def _stem(args: argparse.Namespace, picture: str) -> Path:
    if args.output is None:
        return Path(picture)
    stem: Path = args.output
    return stem if len(args.picture) == 1 else stem.with_name(f"{stem.name}-{picture}")
