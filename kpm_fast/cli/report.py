"""The command ``kpm-fast report``: a clearing as one HTML file."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..reports.report import write_report
from . import book_options
from .named_path import named_path
from .plot import add_clearing, cleared
from .tables import PipeAwareConsole
from .verify import checks_of

__all__ = ["add_parser"]

_DEFAULT = Path("clearing.html")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of ``kpm-fast``."""
    parser = commands.add_parser(
        "report",
        help="write a clearing as one HTML file",
        description="Report a clearing that clear --save wrote, or clear a book, with its proof, "
        "and report that.",
        epilog="Exit codes: 0 done; 1 the checks of the clearing or of its proof failed, as the "
        "report says; 2 bad usage or input, or no matplotlib; 3 done, of a clearing that stopped "
        "at a limit or is inaccurate; 130 interrupted, or done, of one that was.",
    )
    parser.set_defaults(run=_run)
    add_clearing(parser)
    parser.add_argument(
        "--output",
        type=named_path,
        metavar="FILE",
        help=f"default: {_DEFAULT}, in the current folder, where no file has that name",
    )
    parser.add_argument("--title", help="the heading (default: the book's name)")
    parser.add_argument(
        "--no-sensitivity",
        action="store_true",
        help="do not clear the book again for other ambiguities",
    )


def _run(args: argparse.Namespace) -> int:
    output = _DEFAULT if args.output is None else args.output
    book_options.check_outputs(args, [("--output", output)])
    if args.output is None:
        book_options.refuse_existing([output])
    result, code = cleared(args, certificate=True)
    title = args.title or f"Clearing of {args.folder.resolve().name}"
    write_report(result, output, title, not args.no_sensitivity)
    console = PipeAwareConsole()
    console.print(f"{output}", highlight=False, markup=False, soft_wrap=True)
    return code if all(checks_of(result).values()) else 1
