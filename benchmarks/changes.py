"""An engine's clearing after a change of one order, beside a search of the same book.

An order drawn at random gets another quantity, and every second time another limit as well. One
engine clears from its last clearing where it can (*proved*: no search was needed), another searches
every time; their answers have the same bits, or the run fails. Limits are rounded to three digits,
or to seven, which makes nearly all of them different. Times are those of the clearing's own clock,
on one thread.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import kpm_fast as kpm
from kpm_fast.arrays import Floats

from .books import Book, arrow_debreu, even_chain, random_claims
from .rounds import one_core
from .section import Row, Section, range_text, time_text
from .verified import NotVerifiedError, verified

TITLE = "Clearings after a change"
TARGET_PROVED = 1.0 / 15.0  # of a search's time
TARGET_TIME = 25e-6  # seconds, books of five claims
TARGET_SEARCHED = 1.05  # times a cold clearing
DIGITS = (3, 7)
RATIOS = ("of a search, proved times", "of a search, others times", "proved, clearing time")
SERIES, QUICK_SERIES = (3, 300), (1, 40)  # and changes in each
BOOKS: dict[str, Callable[[int], Book]] = {
    "5 Arrow-Debreu claims, 200 orders": lambda seed: arrow_debreu(200, seed=seed),
    "5 Arrow-Debreu claims, 1,000 orders": lambda seed: arrow_debreu(1000, seed=seed),
    "8 Arrow-Debreu claims, 300 orders": lambda seed: arrow_debreu(300, states=8, seed=seed),
    "6 random 0/1 claims, 60 orders": lambda seed: random_claims(6, 6, 60, seed, stake=1.0),
    "6 random 0/1 claims, 200 orders": lambda seed: random_claims(6, 6, 200, seed, stake=1.0),
    "3 calls and 3 puts, 60 orders": lambda seed: even_chain(8, 3, 60, seed=seed),
    "3 calls and 3 puts, 200 orders": lambda seed: even_chain(8, 3, 200, seed=seed),
}


def changes(quick: bool) -> Section:
    """The table of single changes, by book and digits."""
    part = Section("Single changes, by book and digits of limits")
    series, count = QUICK_SERIES if quick else SERIES
    proved_ratios, searched_ratios, proved_times = (list[float]() for _ in range(3))
    with one_core():
        for name, make in BOOKS.items():
            row: Row = {"book": name}
            for digits in DIGITS:
                runs = [_series(make(seed), digits, count, seed) for seed in range(series)]
                warm, cold = (np.concatenate(times) for times in zip(*runs, strict=True))
                proved = np.isfinite(warm[:, 0])
                own: Row = {"proved share": float(proved.mean()), **dict.fromkeys(RATIOS)}
                if proved.any():
                    own[RATIOS[0]] = _ratio(warm[proved, 0], cold[proved])
                    proved_ratios.append(own[RATIOS[0]])
                    own[RATIOS[2]] = float(np.median(warm[proved, 0]))
                    if name.startswith("5"):
                        proved_times.append(own[RATIOS[2]])
                if not proved.all():
                    own[RATIOS[1]] = _ratio(warm[~proved, 1], cold[~proved])
                    searched_ratios.append(own[RATIOS[1]])
                row |= {f"{digits} digits: {column}": value for column, value in own.items()}
            part.rows.append(row)
    part.notes.append(
        f"{series} series of {count} changes of each kind. Medians; ratios are of the two "
        "clearings of one book."
    )
    part.aim(
        "a proved clearing in a fifteenth of a search's time",
        range_text(proved_ratios, "{:.2f}".format),
        max(proved_ratios, default=0.0) <= TARGET_PROVED,
        "The cell is solved and its neighbours are tested, demand is chosen among what ties, every "
        "order gets its fill, and the book is looked through for giants, search or no search.",
    )
    part.aim(
        f"{time_text(TARGET_TIME)} for a proved clearing of five claims",
        range_text(proved_times, time_text),
        max(proved_times, default=0.0) <= TARGET_TIME,
        "What it does: [engine](engine.md#what-a-clearing-starts-from).",
    )
    part.aim(
        f"{TARGET_SEARCHED:g} times a search where nothing is proved",
        range_text(searched_ratios, "{:.3f}".format),
        max(searched_ratios, default=0.0) <= TARGET_SEARCHED,
        "A vain attempt solves the last cell before the search begins.",
    )
    return part


def _ratio(mine: Floats, other: Floats) -> float:
    return float(np.median(mine / other))


def _series(book: Book, digits: int, count: int, seed: int) -> tuple[Floats, Floats]:
    """Seconds after each change: the warm clearing's, in the first column where it was proved and
    in the second where it was searched, the other NaN; and the search's."""
    market, orders = book
    draw = np.random.default_rng(seed)
    price = orders.price.round(digits).clip(10.0**-digits, None)
    claim = orders.claim_index(market)
    span = np.ptp(market.payoffs, axis=1)[claim]
    rounded = kpm.Orders(claim, orders.side, price, orders.quantity)
    warm, cold = (kpm.Engine(market, rounded) for _ in range(2))
    verified(warm.clear(threads=1), "an engine's book")
    found, searched = np.full((count, 2), np.nan), np.empty(count)
    for change in range(count):
        j = int(draw.integers(len(orders)))
        quantity = float(np.ceil(orders.quantity[j] * draw.uniform(0.5, 2.0)))
        limit = None
        if change % 2:
            noise = 0.02 * span[j] * draw.standard_normal()
            limit = float(np.clip(price[j] + noise, 10.0**-digits, span[j]).round(digits))
        for engine in (warm, cold):
            engine.replace(str(j), price=limit, quantity=quantity)
        before = warm.warm_clearings
        own, other = warm.clear(threads=1), cold.clear(threads=1, cold=True)
        if own.certainty_equivalent != other.certainty_equivalent or any(own.fills != other.fills):
            raise NotVerifiedError(f"change {change}: not the bits of a search")
        found[change, int(warm.warm_clearings == before)] = own.stats.seconds["total"]
        searched[change] = other.stats.seconds["total"]
    return found, searched


SECTIONS = {"changes": changes}
