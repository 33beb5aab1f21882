"""Options of the command line that say how a book is cleared: the same for every command."""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..clearing.clear import clear
from ..errors import InputError
from ..model.maker_model import check_maker
from ..model.market import Market
from ..model.orders import Orders
from ..model.rules import ALLOCATIONS, RULES
from ..model.status import Status
from ..result import Result
from . import book_options
from .several import names
from .typed_numbers import real, whole

__all__ = [
    "EXIT_INTERRUPTED",
    "EXIT_LIMIT",
    "Book",
    "add_clearing",
    "all_ended",
    "cleared",
    "ended",
    "given",
    "is_as_saved",
    "named_as_options",
    "read",
    "rule_of",
]

EXIT_LIMIT, EXIT_INTERRUPTED = 3, 130
_TOLERANCE = 1e-8
_OPTIONS = (
    "allocation",
    "ambiguity",
    "cell_limit",
    "certificate",
    "method",
    "node_limit",
    "risk_aversion",
    "rule",
    "threads",
    "time_limit",
    "tolerance",
)


def add_clearing(
    parser: argparse.ArgumentParser, title: str = "the clearing", *, several_rules: bool = False
) -> argparse._ArgumentGroup:
    """Add the group of options for a clearing; with ``several_rules``, one by each."""
    group = parser.add_argument_group(title)
    if several_rules:
        group.add_argument(
            "--rule",
            dest="rules",
            type=names(RULES),
            metavar="NAME,...",
            help=f"{', '.join(RULES)} (default: that of a saved clearing, else {RULES[0]}, or "
            "every rule that another maker has)",
        )
    else:
        group.add_argument(
            "--rule",
            type=_with_underscores,
            choices=RULES,
            help=f"the pricing rule; {RULES[1]} and {RULES[2]} apply to every maker (default: "
            f"that of a saved clearing, else {RULES[0]})",
        )
    group.add_argument(
        "--allocation",
        type=_with_underscores,
        choices=ALLOCATIONS,
        help="how orders at the clearing price share: in proportion to quantity, by column time, "
        f"or by row (default: that of a saved clearing, else {ALLOCATIONS[0]})",
    )
    group.add_argument(
        "--tolerance",
        type=real,
        help=f"the gap to prove, as a share of the result's scale (default: {_TOLERANCE})",
    )
    group.add_argument(
        "--threads",
        type=whole,
        metavar="N",
        help="default: all processors that this process may use",
    )
    group.add_argument(
        "--time-limit",
        type=real,
        metavar="SECONDS",
        help="of each clearing, which returns what it has by then (default: none)",
    )
    return group


def _with_underscores(name: str) -> str:
    return name.replace("-", "_")


class Book(NamedTuple):
    """What the command line says to clear, read once."""

    market: Market
    orders: Orders
    terms: dict[str, str]  # the rule and the allocation of a saved clearing; else none


def read(args: argparse.Namespace) -> Book:
    """Read the book, with the maker of ``--maker``."""
    market, orders, terms = book_options.read(args)
    if args.maker is not None:
        market = market.replace(maker=book_options.named_maker(args, market))
    return Book(market, orders, terms)


def given(args: argparse.Namespace, book: Book) -> dict[str, Any]:
    """The options as keywords of :func:`kpm_fast.clear`, but the rule."""
    stated = {
        "allocation": args.allocation or book.terms.get("allocation"),
        "tolerance": args.tolerance,
        "threads": args.threads,
        "time_limit": args.time_limit,
    }
    return {name: value for name, value in stated.items() if value is not None}


def rule_of(args: argparse.Namespace, book: Book) -> str:
    """The rule that is named, or that of a saved clearing; one that the maker has."""
    rule: str = args.rule or book.terms.get("rule", RULES[0])
    with named_as_options():
        check_maker(rule, book.market)
    return rule


@contextmanager
def named_as_options() -> Iterator[None]:
    """Name options as the command line spells them, in what a clearing refuses."""
    try:
        yield
    except InputError as error:
        if error.field not in _OPTIONS:
            raise
        reason = re.sub(r"\b(rule|method)='([^']*)'", r"--\1 \2", error.reason)
        raise InputError(reason, field=f"--{error.field.replace('_', '-')}") from None


def is_as_saved(args: argparse.Namespace) -> bool:
    """Whether no option asks for another clearing than the one that is saved."""
    options = ("risk_aversion", "ambiguity", "inventory", "maker", "rule", "allocation")
    return all(getattr(args, name) is None for name in (*options, "tolerance", "time_limit"))


def cleared(
    args: argparse.Namespace, *, certificate: bool, check_rule: Callable[[str], None]
) -> Result:
    """Clear the book that the command line names, with its proof if that is asked for.

    ``check_rule`` refuses the rule of a saved clearing, before anything is cleared.
    """
    book = read(args)
    rule = rule_of(args, book)
    check_rule(rule)
    with named_as_options():
        return clear(
            book.market,
            book.orders,
            rule=rule,
            certificate=certificate,
            **given(args, book),
        )


def ended(result: Result) -> int:
    """Return the exit code of a clearing, and say on standard error how it ended if it stopped."""
    if result.status is Status.OPTIMAL:
        return 0
    print("kpm-fast: note:", " ".join(result.message.split()), file=sys.stderr)
    return EXIT_INTERRUPTED if result.status is Status.INTERRUPTED else EXIT_LIMIT


def all_ended(statuses: Sequence[str]) -> int:
    """Return the exit code of several clearings, and say how those ended that stopped."""
    unproven = Counter(status for status in statuses if status != Status.OPTIMAL)
    if not unproven:
        return 0
    kinds = ", ".join(f"{number} {status}" for status, number in unproven.items())
    print(
        f"kpm-fast: note: {unproven.total()} of {len(statuses)} clearings are not proven optimal: "
        f"{kinds}",
        file=sys.stderr,
    )
    return EXIT_INTERRUPTED if Status.INTERRUPTED.value in unproven else EXIT_LIMIT
