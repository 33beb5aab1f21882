"""Options of the command line that say how a book is read, and the book they give."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..entries import composed, number, repeated
from ..errors import InputError, brief
from ..files.input_file import is_piped
from ..files.tables import read_csv
from ..model.labels import reordering
from ..model.limits import note_on_limits
from ..model.maker import Maker
from ..model.maker_form import files_of_text, maker_from_text
from ..model.market import DEFAULT_AMBIGUITY, Market
from ..model.order_form import OrderForm
from ..model.orders import Orders
from ..model.words import NOTEWORTHY
from ..storage.book_file import is_clearing
from ..storage.book_folder import BOOK_FILES, check_form_of_clearing, read_market, read_with_terms
from .named_path import input_path
from .several import Several
from .typed_numbers import real

__all__ = [
    "add_book",
    "add_inventory",
    "add_kind",
    "add_maker",
    "add_options",
    "check_form",
    "check_outputs",
    "is_file",
    "named_maker",
    "read",
    "read_market_alone",
    "refuse_existing",
]

_TEXT = ("delimiter", "decimal", "encoding")  # of the tables


def add_book(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names the book."""
    parser.add_argument(
        "folder",
        metavar="BOOK",
        type=input_path,
        help="a folder with claims.csv, states.csv and orders.csv, or one file with all of them "
        "(JSON, CSV, Parquet), or what clear --save wrote; - reads the file from standard input",
    )


def add_maker(parser: argparse.ArgumentParser, title: str, *, kinds: bool = False) -> None:
    """Add the group of options for the maker; with ``kinds``, for one of another kind as well."""
    maker = parser.add_argument_group(title)
    maker.add_argument(
        "--risk-aversion",
        type=real,
        metavar="A",
        help="per unit of money, > 0 (default: the book's, else 1)",
    )
    maker.add_argument(
        "--ambiguity",
        type=real,
        metavar="O",
        help=f"radius in nats, 0 to inf (default: the book's, else {DEFAULT_AMBIGUITY:g})",
    )
    add_inventory(maker)
    if kinds:
        add_kind(maker)


def add_kind(parser: argparse._ActionsContainer) -> None:
    """Add the option that names a maker of another kind."""
    parser.add_argument(
        "--maker",
        metavar="KIND:NAME=VALUE,...",
        help="another maker with the book's prior and inventory: lmsr:liquidity=B, "
        "starting_orders:delta=D, worst_state, polytope:risk_aversion=A,priors=FILE, "
        "utility:wealth=M, quadratic:c=C or knightian:ambiguity=O",
    )


def add_inventory(parser: argparse._ActionsContainer) -> None:
    """Add the option for the maker's wealth."""
    parser.add_argument(
        "--inventory",
        type=_Wealth(),
        metavar="FILE|W,W,...",
        help="wealth by state: a CSV file with columns state and inventory, numbers in the order "
        "of the states (--inventory=-1,2 if the first is negative), or STATE=W,...",
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the group of options for books of another form."""
    form = parser.add_argument_group("the form of the book")
    form.add_argument(
        "--columns",
        type=Several(_pairs),
        metavar="FIELD=NAME,...",
        help="names of the order columns: price=px,side=bs,time=timestamp",
    )
    form.add_argument(
        "--sides",
        type=Several(_pairs),
        metavar="WORD=SIDE,...",
        help="words for the sides: B=buy,lay=sell",
    )
    form.add_argument(
        "--sell",
        choices=["negative-quantity"],
        help="no side column: quantities to sell are negative",
    )
    form.add_argument(
        "--price-unit",
        type=real,
        default=1.0,
        metavar="U",
        help="price units per unit of money: 100 for prices in cents",
    )
    form.add_argument(
        "--quantity-unit",
        type=real,
        default=1.0,
        metavar="U",
        help="quantity units per share: 0.01 for lots of a hundred",
    )
    form.add_argument(
        "--market-orders", action="store_true", help="an order without a price is a market order"
    )
    form.add_argument(
        "--normalize", action="store_true", help="divide the prior by its sum, whatever it is"
    )
    form.add_argument(
        "--delimiter", type=_delimiter, metavar="C", help="of columns, or 'tab' (default: detected)"
    )
    form.add_argument("--decimal", choices=[".", ","], help="of numbers (default: detected)")
    form.add_argument(
        "--encoding", metavar="NAME", help="of the files (default: UTF-8, or as marked)"
    )


def read(args: argparse.Namespace) -> tuple[Market, Orders, dict[str, str]]:
    """Read the book that the command line names, in the form it says.

    With it come the rule and the allocation of a saved clearing, which is read once. What was not
    read, and a prior that was divided by its sum, are noted on standard error.
    """
    market, orders, terms = read_with_terms(args.folder, order_options=_form(args), **_given(args))
    market = _with_inventory(args, market)
    if not args.quiet:
        if orders.ignored_columns:
            _note(f"columns of the orders that are not read: {', '.join(orders.ignored_columns)}")
        if limits := note_on_limits(market, orders):
            _note(limits)
        _note_on_prior(market)
    return market, orders, terms


def check_outputs(args: argparse.Namespace, targets: Iterable[tuple[str, Path | None]]) -> None:
    """Refuse, before any work, to write over what is read, into the book, or twice to one file.

    What is read is the book, and the files of an inventory and of a maker's priors. ``targets`` are
    the options that name files to write, and the files; None where none is written.
    """
    sources = [args.folder, *(args.folder / name for name in BOOK_FILES)]
    if args.inventory is not None:
        sources.append(Path(args.inventory))
    if getattr(args, "maker", None) is not None:
        sources += files_of_text(args.maker)
    present = [source for source in sources if is_file(source)]
    of_book = {_place(args.folder / name) for name in BOOK_FILES}
    options: dict[Path, str] = {}
    for option, target in targets:
        if target is None:
            continue
        for source in present:
            if is_file(target) and target.samefile(source):
                raise InputError(f"{target} would overwrite {source}, an input", field=option)
        place = _place(target)
        if place in of_book:
            raise InputError(f"{target} would become part of the book {args.folder}", field=option)
        if place in options and (is_file(target) or not target.exists()):  # no device, no pipe
            raise InputError(f"{target} is what {options[place]} writes, too", field=option)
        options[place] = option


def refuse_existing(paths: Iterable[Path]) -> None:
    """Refuse, before any work, to write over a file that the command line does not name."""
    for path in paths:
        if os.path.lexists(path):
            raise InputError(
                f"{path} exists: name it by --output to write over it", field="--output"
            )


def _place(path: Path) -> Path:
    """The path without links; as it is where it cannot be one."""
    try:
        return Path(os.path.realpath(path))
    except ValueError:  # a null character
        return path


def check_form(args: argparse.Namespace) -> None:
    """Refuse a form of tables that makes no sense, or that a saved clearing does not have."""
    form = _form(args)
    OrderForm(**form)
    if is_clearing(args.folder):
        text = {name: getattr(args, name) for name in (*_TEXT, "normalize")}
        check_form_of_clearing({**form, **text})


def read_market_alone(args: argparse.Namespace) -> Market:
    """Read the market of the book that the command line names; its orders need not be there."""
    check_form(args)  # though no orders are read by it
    market = _with_inventory(args, read_market(args.folder, **_given(args)))
    if not args.quiet:
        _note_on_prior(market)
    return market


def _form(args: argparse.Namespace) -> dict[str, Any]:
    """The form of the orders, as keywords of :class:`OrderForm`."""
    return {
        "columns": args.columns,
        "sides": args.sides,
        "sell": args.sell and args.sell.replace("-", " "),
        "price_unit": args.price_unit,
        "quantity_unit": args.quantity_unit,
        "market_orders": args.market_orders,
    }


def _given(args: argparse.Namespace) -> dict[str, Any]:
    """The form of the files and what overrides them, as keywords of :func:`read_book`."""
    maker = {"risk_aversion": args.risk_aversion, "ambiguity": args.ambiguity}
    return {
        **{name: getattr(args, name) for name in _TEXT},
        "normalize": args.normalize,
        **{name: value for name, value in maker.items() if value is not None},
    }


def _with_inventory(args: argparse.Namespace, market: Market) -> Market:
    if args.inventory is None:
        return market
    path = Path(args.inventory)
    if is_file(path) or is_piped(path):
        return _with_inventory_of(path, market)
    return market.replace(inventory=_inventory(args.inventory))


def _note_on_prior(market: Market) -> None:
    if abs(market.prior_sum - 1) > NOTEWORTHY:
        _note(f"the prior sums to {market.prior_sum:.12g} and was divided by that")


def named_maker(args: argparse.Namespace, market: Market) -> Maker:
    """The maker of ``--maker``, or the book's own."""
    if args.maker is None:
        return market.maker
    for option in ("ambiguity", "risk_aversion"):
        if getattr(args, option) is not None:
            raise InputError(
                f"must be left out with --maker {args.maker!r}, whose parameters are stated with "
                f"it, got {getattr(args, option):g}",
                field=f"--{option.replace('_', '-')}",
            )
    return maker_from_text(args.maker, market)


def _note(text: str) -> None:
    print("kpm-fast: note:", " ".join(text.split()), file=sys.stderr)


def _pairs(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for pair in text.split(","):
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not (name and equals and value) or name in pairs:
            raise argparse.ArgumentTypeError(
                f"must be NAME=VALUE,..., each name once, got {text!r}"
            )
        pairs[name] = value
    return pairs


def _delimiter(text: str) -> str:
    return "\t" if text in ("tab", "\\t") else text


class _Wealth(Several):
    """Numbers, or numbers by state: read once the states are known. A file's name is one word."""

    def __init__(self) -> None:
        super().__init__(str)

    def takes(self, word: str) -> bool:
        try:
            for entry in word.rstrip(",").split(","):
                number(entry.rpartition("=")[2])
        except ValueError:
            return False
        return True


def _inventory(text: str) -> Any:
    """Read the inventory that the command line spells out."""
    try:
        if "=" not in text:
            return [number(entry) for entry in text.split(",")]
        pairs = [pair.rpartition("=") for pair in text.split(",")]
        inventory = {state.strip(): number(wealth) for state, _, wealth in pairs}
        if len(inventory) == len(pairs):
            return inventory
    except ValueError:
        pass
    raise InputError(
        f"must be a file or numbers separated by commas, got {brief(text)}",
        field="--inventory",
    )


def _with_inventory_of(path: Path, market: Market) -> Market:
    """Read the inventory of a file; what the market refuses of it has a line there."""
    table = read_csv(path, required=["state", "inventory"])
    states = table.text("state")
    known = set(map(composed, market.states))
    for row, state in enumerate(states):
        if composed(state) not in known:
            raise table.error(row, "state", f"the market has no state {state!r}")
    again = repeated(states)
    if again is not None:
        raise table.error(again[0], "state", f"{states[again[0]]!r} appears twice{again[2]}")
    if len(states) < len(known):
        found = set(map(composed, states))
        missing = next(state for state in market.states if composed(state) not in found)
        raise InputError(f"has no row for state {missing!r}", field="state", file=path)
    order = reordering(states, market.states, "inventory", "state")
    try:
        return market.replace(inventory=table.numbers("inventory")[order])
    except InputError as error:
        if error.index not in market.states:
            raise
        raise table.located(error, order[market.states.index(error.index)]) from None


def is_file(path: Path) -> bool:
    """Whether there is such a file; there is none for text that cannot be a file name."""
    try:
        return path.is_file()
    except ValueError:  # a null character
        return False
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise
