"""``kpm-fast sample``: write a generated book to a folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..model.market import DEFAULT_AMBIGUITY
from ..sample import KINDS
from ..storage.book_folder import write_book
from .named_path import named_path
from .typed_numbers import real, whole

_DESCRIPTION = """\
Write a generated order book as claims.csv, states.csv, orders.csv and market.json. The same
options give the same bytes on every machine. Options that a kind does not have are refused.
"""

# option -> the kinds whose generator takes it; other options are common to all
_OWN_OPTIONS = {
    "runners": ("race-card", "win-place"),
    "states": ("option-strip", "football"),
    "strikes": ("option-strip",),
    "lines": ("football",),
    "goals": ("football",),
}
_COMMON_OPTIONS = (
    "levels",
    "seed",
    "liquidity",
    "crossed",
    "opinion",
    "risk_aversion",
    "ambiguity",
)


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the ``sample`` command to an ``argparse`` sub-parser collection."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "sample",
        help="write a generated order book",
        description=_DESCRIPTION,
    )
    parser.add_argument(
        "kind",
        type=lambda name: name.replace("_", "-"),
        choices=list(KINDS),
        metavar="KIND",
        help=", ".join(KINDS),
    )
    parser.add_argument(
        "--output", type=named_path, metavar="DIR", help="folder to write (default: KIND)"
    )
    parser.add_argument(
        "--force", action="store_true", help="replace the book that the folder holds"
    )
    parser.add_argument("--seed", type=whole, default=0, help="same seed, same book (default: 0)")
    parser.add_argument(
        "--levels",
        type=_levels,
        metavar="N|BIDS,OFFERS",
        help="orders per side and claim (default: as deep as recorded books)",
    )
    parser.add_argument(
        "--liquidity", choices=["liquid", "thin"], help="spread and depth (default: liquid)"
    )
    parser.add_argument(
        "--crossed",
        type=real,
        metavar="SHARE",
        help="share of the orders that arrive across the spread (default: 0.3)",
    )
    parser.add_argument(
        "--opinion",
        type=real,
        metavar="POWER",
        help="prior = the crowd's probabilities to this power (default: 1)",
    )
    parser.add_argument(
        "--risk-aversion",
        type=real,
        metavar="ALPHA",
        help="of the maker, per unit of money (default: 0.001)",
    )
    parser.add_argument(
        "--ambiguity",
        type=real,
        metavar="OMEGA",
        help=f"of the maker, in nats (default: {DEFAULT_AMBIGUITY:g})",
    )
    parser.add_argument("--runners", type=whole, metavar="N", help="race-card and win-place")
    parser.add_argument(
        "--states", metavar="STATES", help="option-strip: a number; football: differences or scores"
    )
    parser.add_argument("--strikes", type=whole, metavar="N", help="option-strip")
    parser.add_argument("--lines", type=whole, metavar="N", help="football: handicaps per side")
    parser.add_argument(
        "--goals", type=whole, metavar="N", help="football: goals per side kept distinct"
    )
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Carry out the parsed command and return its exit code."""
    market, orders = KINDS[args.kind](**_options(args))
    folder: Path = args.output if args.output is not None else Path(args.kind)
    write_book(folder, market, orders, overwrite=args.force)
    print(
        f"{folder}: {len(market.prior)} states, {len(market.payoffs)} claims, "
        f"{len(orders.price)} orders"
    )
    return 0


def _options(args: argparse.Namespace) -> dict[str, Any]:
    given = {
        name: getattr(args, name)
        for name in (*_COMMON_OPTIONS, *_OWN_OPTIONS)
        if getattr(args, name) is not None
    }
    for name, kinds in _OWN_OPTIONS.items():
        if name in given and args.kind not in kinds:
            raise InputError(
                f"applies to {' and '.join(kinds)}, not to {args.kind}, got {given[name]!r}",
                field=f"--{name}",
            )
    if args.kind == "option-strip" and "states" in given:
        given["states"] = _whole_number("--states", given["states"])
    return given


def _whole_number(option: str, text: str) -> int:
    try:
        return whole(text)
    except argparse.ArgumentTypeError:
        raise InputError(f"must be a whole number here, got {text!r}", field=option) from None


def _levels(text: str) -> int | tuple[int, int]:
    try:
        numbers = [whole(part) for part in text.split(",")]
    except argparse.ArgumentTypeError:
        numbers = []
    if len(numbers) == 1:
        return numbers[0]
    if len(numbers) == 2:
        return numbers[0], numbers[1]
    raise argparse.ArgumentTypeError(f"must be one or two whole numbers, got {text!r}")
