"""Each aim for speed beside what is measured now: met, or missed with the reason.

One row per question. Times are those of the call from Python, the median of a few on one thread
unless stated otherwise, each after the answer passed ``result.verify()``; a clearing that is not
proved by ``--time-limit`` counts as missed, with the gap it reached. Gaps are shares of the
notional that trades. Where a row names several seeds, the slowest counts. Chains are generated. The
second column is what was measured when the aim was set, on another machine and on books of the same
kind, not the same books.

A row that states a gap is about the proof to that gap. One that states none is about both: the
proof to 1e-6, and the call as it is made by default, which goes on until no other clearing can be
as good, and publishes that one answer.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from . import aims, books, cell, makers, paper_book, regressions
from .aims import Limits, Measured
from .document import prose_of, wrapped
from .load import Watch
from .machine import commit, describe
from .rounds import one_core
from .section import Row, show, table, time_text

TIME_LIMIT = 60.0


@dataclass(frozen=True)
class Question:
    """A row: what is asked, what it was, what it should be, and how it is measured."""

    text: str
    before: str
    reach: str  # with a place for each target; another chapter's aim if empty
    measure: Callable[..., Measured]  # of the targets and the limits
    targets: tuple[float, ...] = ()
    one_core: bool = True  # where more are of no use

    @property
    def aim(self) -> str:
        return self.reach.format(*self.targets, *map(time_text, self.targets))


QUESTIONS: dict[str, Question] = {
    "band": Question(
        "paper's book, alpha 1 to 10^4, Omega 0 to 1, worst over one PIQP update and solve",
        "5.9 to 17",
        "",
        regressions.band,
    ),
    "tuned": Question(
        "its cells with Clarabel tuned and kept, over the clearing, worst Omega",
        "534",
        "",
        aims.of_chapter(paper_book.cells, "Clarabel tuned"),
    ),
    "cell": Question(
        "one cell: Clarabel tuned, over the core",
        "20",
        "",
        aims.of_chapter(cell.solvers, "Clarabel, tuned"),
    ),
    "paper": Question(
        "the paper's book, over what it took when set, at each Omega of its table",
        "1",
        "none above {0:g}",
        regressions.paper_since,
        (1.0,),
    ),
    "recorded": Question(
        "recorded books, summed time, default tolerance",
        "1",
        "<= {0:g}, none above {1:g}",
        regressions.recorded,
        (0.5, 1.0),
    ),
    "million": Question(
        "10^6 Arrow-Debreu orders, an order", "76 ns", "{1}", aims.million_orders, (25e-9,)
    ),
    "fifty": Question(
        "N = K = 50, J = 5,000 to 1e-3: three seeds", "100 ms", "{1}", aims.fifty, (40e-3,)
    ),
    "arrow-debreu": Question(
        "Arrow-Debreu, N = K = 200: five seeds",
        "7.6 s",
        "{1}",
        aims.cleared(lambda seed: books.arrow_debreu(2000, states=200, seed=seed), 5),
        (50e-3,),
    ),
    "chain": Question(
        "option chain, 300 x 300",
        "21 s, inaccurate",
        "{1}",
        aims.cleared(lambda _: books.even_chain(300, 150, 3000)),
        (0.5,),
    ),
    "inventory-62": Question(
        "chain with inventory, 62 x 120 x 667",
        "1e-6 in 100 s",
        "1e-5 in {2}, 1e-6 in {3}",
        aims.with_inventory(62, 120, 667),
        (1.0, 20.0),
    ),
    "inventory-82": Question(
        "the same, 82 x 160 x 900: five seeds",
        "0 of 5 in 60 s",
        "1e-5 in {2}, 1e-6 in {3}",
        aims.with_inventory(82, 160, 900, 5),
        (5.0, 60.0),
    ),
    "inventory-117": Question(
        "the same, 117 x 230 x 460, as large as an index's: three seeds",
        "24 s to never",
        "1e-5 in {2}, 1e-6 in {3}",
        aims.with_inventory(117, 230, 460, 3),
        (5.0, 60.0),
    ),
    "digitals": Question(
        "1,000 states, 100 digitals: three seeds",
        "3 to 17 s",
        "{1}",
        aims.cleared(lambda seed: books.digitals(1000, 100, 1000, seed), 3),
        (1.0,),
    ),
    "eighty": Question(
        "random 0/1 claims, N = K = 80",
        "unproved",
        "{1}",
        aims.cleared(lambda _: books.random_claims(80, 80, 800, 0, stake=1.0)),
        (60.0,),
    ),
    "wide": Question(
        "20 states, 300 claims: an iteration",
        "23 ms",
        "{1} (46 times)",
        aims.more_claims_than_states,
        (0.5e-3,),
    ),
    "python": Question(
        "Python for a small book: call + validation",
        "15 + 45 µs",
        "{2} + {3}",
        aims.python_outside,
        (8e-6, 10e-6),
    ),
    "blocks": Question(
        "two-sided quotes, 1,000 x 100, blocks of 10 at an inventory",
        "2.8 ms",
        "",
        aims.of_chapter(makers.quotes, "blocks of 10"),
    ),
    "shares": Question(
        "the same, the next share",
        "",
        "",
        aims.of_chapter(makers.quotes, "a share, claims of 0 and 1, with an inventory"),
    ),
    "kink": Question(
        "the same at constant wealth, a kink",
        "2.6 ms",
        "",
        aims.of_chapter(makers.quotes, "a share, claims of 0 and 1, constant wealth"),
    ),
    "threads": Question(
        "two threads, whole search", "1.4 to 1.6", "{0:g}", aims.two_threads, (1.8,), one_core=False
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only", nargs="+", metavar="ROW", help=f"rows to measure: {', '.join(QUESTIONS)}"
    )
    parser.add_argument(
        "--time-limit",
        type=float,
        default=TIME_LIMIT,
        metavar="S",
        help=f"seconds for each clearing ({TIME_LIMIT:g})",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE.md", help="write the table as a page, too"
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds of the peers")
    parser.add_argument(
        "--against",
        type=Path,
        metavar="CHECKOUT",
        help="a built checkout of another commit, for the paper's and the recorded books",
    )


def run(options: argparse.Namespace) -> int:
    names = options.only or list(QUESTIONS)
    unknown = [name for name in names if name not in QUESTIONS]
    if unknown:
        print(f"error: no row {', '.join(unknown)}; rows are {', '.join(QUESTIONS)}")
        return 2
    limits = Limits(options.time_limit, options.against, options.quick)
    watch = Watch()
    rows = [_row(QUESTIONS[name], limits) for name in names]
    if options.output is not None:
        text = page(rows, options.against, watch.others())
        options.output.write_text(text, encoding="utf-8")
    show(table(rows))
    return 0


def _row(question: Question, limits: Limits) -> Row:
    with one_core() if question.one_core else nullcontext():
        found = question.measure(*question.targets, limits)
    return {
        "question": question.text,
        "when set": question.before,
        "aim": found.aim or question.aim,
        "now": found.text,
        "met, or why not": {True: "met", False: found.reason, None: "not measured"}[found.met],
    }


def page(rows: Sequence[Row], against: Path | None, others: float | None) -> str:
    """The table as a page of the documentation, with what it was measured on."""
    met = sum(row["met, or why not"] == "met" for row in rows)
    facts = [*describe(), ("measured", f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC")]
    if others is not None:
        facts.append(("other processes", f"kept {others:.2f} cores busy"))
    if against is not None:
        beside = f"is over {commit(against)}, on the same machine, in turns"
        facts.append(("over what it took when set", beside))
    parts = [
        "# Aims for speed",
        "Written by `python -m benchmarks reach --output docs/aims.md`.",
        prose_of(sys.modules[__name__]),
        f"{met} of {len(rows)} are met.",
        "\n".join(table(rows)),
        "What limits the search, and what was tried: [branch and bound](branch-and-bound.md).",
        "\n".join(wrapped(f"- {label}: {value}", hanging="  ") for label, value in facts),
    ]
    return "\n\n".join(parts) + "\n"
