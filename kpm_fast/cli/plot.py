"""The command ``kpm-fast plot``: pictures of a book's clearing."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from ..plots.kinds import KINDS, draw
from ..plots.proof import check_has_tree
from ..plots.style import pictures, require_matplotlib, save
from ..result import Result, load_result
from ..storage.book_file import is_clearing
from . import book_options, clearing_options
from .named_path import named_path
from .several import names
from .tables import PipeAwareConsole

__all__ = ["add_clearing", "add_parser", "cleared", "drawn"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of ``kpm-fast``."""
    parser = commands.add_parser(
        "plot",
        help="draw a clearing",
        description="Draw a clearing that clear --save wrote, or clear a book and draw that.",
        epilog="Exit codes: 0 done; 2 bad usage or input, or no matplotlib; 3 done, of a clearing "
        "that stopped at a limit or is inaccurate; 130 interrupted, or done, of one that was.",
    )
    parser.set_defaults(run=_run)
    add_clearing(parser)
    parser.add_argument(
        "--picture",
        type=names(KINDS),
        metavar="NAME,...",
        default=["book"],
        help=f"{', '.join(KINDS)} (default: book)",
    )
    parser.add_argument(
        "--claim",
        help="the only claim drawn in pictures with a panel for each claim, book and staircase "
        "(default: all; of more than a dozen those that trade most)",
    )
    parser.add_argument(
        "--output",
        type=named_path,
        metavar="STEM",
        help="write STEM.png and STEM.svg, or STEM-PICTURE of each of several (default: the "
        "picture's name, in the current folder, where no file has it)",
    )


def add_clearing(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a saved clearing, or a book to clear and how."""
    book_options.add_book(parser)
    book_options.add_maker(parser, "the maker, where a book is cleared", kinds=True)
    clearing_options.add_clearing(parser, "the clearing, where a book is cleared")
    book_options.add_options(parser)
    parser.set_defaults(quiet=False)


def cleared(
    args: argparse.Namespace,
    *,
    certificate: bool,
    check_rule: Callable[[str], None] = lambda rule: None,
) -> tuple[Result, int]:
    """Return a saved clearing, or clear a book; and the exit code that says how it ended."""
    if clearing_options.is_as_saved(args) and is_clearing(args.folder):
        book_options.check_form(args)
        result = load_result(args.folder)
        check_rule(result.rule)
    else:
        result = clearing_options.cleared(args, certificate=certificate, check_rule=check_rule)
    return result, clearing_options.ended(result)


def _run(args: argparse.Namespace) -> int:
    require_matplotlib()
    for picture in args.picture:
        book_options.check_outputs(args, drawn("--output", _stem(args, picture)))
        if args.output is None:
            book_options.refuse_existing(pictures(_stem(args, picture)))
    if "proof" in args.picture:
        result, code = cleared(args, certificate=True, check_rule=check_has_tree)
    else:
        result, code = cleared(args, certificate=False)
    console = PipeAwareConsole()
    # All are drawn before one is written: a picture that cannot be leaves nothing behind.
    figures = [
        draw(result, picture, args.claim if picture in ("book", "staircase") else None)
        for picture in args.picture
    ]
    written = [
        path
        for picture, figure in zip(args.picture, figures, strict=True)
        for path in save(figure, _stem(args, picture))
    ]
    for path in written:
        console.print(f"{path}", highlight=False, markup=False, soft_wrap=True)
    return code


def drawn(option: str, stem: Path) -> list[tuple[str, Path]]:
    """Return the files that a picture of this stem is written to, with the option that says so."""
    return [(option, path) for path in pictures(stem)]


def _stem(args: argparse.Namespace, picture: str) -> Path:
    if args.output is None:
        return Path(picture)
    stem: Path = pictures(args.output)[0].with_suffix("")
    return stem if len(args.picture) == 1 else stem.with_name(f"{stem.name}-{picture}")
