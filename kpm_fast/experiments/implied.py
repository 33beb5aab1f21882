"""How much ambiguity do order books imply? The radius at which trade stops, book by book.

By theorem B (docs/theory.md) a maker at constant wealth stops trading exactly at the ambiguity
Omega*, the divergence from its prior of the nearest prices at which no order is worth filling. A
maker far above it will never trade; far below it, ambiguity hardly matters.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .. import sample
from ..arrays import as_path
from ..clearing.clear import clear
from ..clearing.implied import implied_ambiguity
from ..errors import InputError
from ..model.market import Market
from ..model.orders import Orders
from ..plots.style import BLUE, GREY, ORANGE
from ..storage.book_folder import BOOK_FILES, read_book
from .experiment import Experiment, checked_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["implied"]

OPINION = 1.5  # the maker's prior is the crowd's to this power


def implied(
    books: int = 8, seed: int = 1, data: str | os.PathLike[str] | None = None
) -> Experiment:
    """Compute the implied ambiguity of uncrossed books for an opinionated maker.

    Parameters
    ----------
    books : int
        Generated books of each kind; ignored if ``data`` is given.
    seed : int
        Of the first generated book; the others follow.
    data : path, optional
        A folder that holds recorded books, at any depth, each a folder that
        :func:`kpm_fast.read_book` reads.
    """
    rows: dict[str, list[float | str]] = {
        "book": [],
        "states": [],
        "orders": [],
        "implied_ambiguity": [],
        "volume_below": [],
        "volume_above": [],
    }
    books, seed = checked_size(books, "books", seed)
    folder = None if data is None else as_path(data, "data")
    for name, market, orders in _books(books, seed, folder):
        weights = np.asarray(market.prior) ** OPINION
        wary = market.replace(prior=weights / weights.sum(), inventory=None)
        radius = implied_ambiguity(wary, orders)
        rows["book"].append(name)
        rows["states"].append(wary.payoffs.shape[1])
        rows["orders"].append(len(orders))
        rows["implied_ambiguity"].append(radius)
        for column, factor in (("volume_below", 0.9), ("volume_above", 1.1)):
            at = wary.replace(ambiguity=factor * radius) if np.isfinite(radius) else wary
            result = clear(at, orders, tolerance=1e-7, threads=1)
            rows[column].append(float(result.fills.sum()))
    radii = np.array(rows["implied_ambiguity"], dtype=float)
    stop = radii[np.isfinite(radii)]
    return Experiment(
        name="implied",
        question="At which ambiguity does a maker stop trading with a book?",
        answer=_answer(stop, len(radii)),
        table=rows,
        draw=lambda axes: _draw(axes, stop),
    )


def _books(books: int, seed: int, data: Path | None) -> Iterator[tuple[str, Market, Orders]]:
    """Yield the recorded books, or generated ones without orders that cross."""
    if data is not None:
        files = (file for file in data.rglob("orders.csv*") if file.name in BOOK_FILES)
        folders = sorted({file.parent for file in files})
        if not folders:
            raise InputError(f"no folder in {data} holds a book", field="data")
        for path in folders:
            yield path.name, *read_book(path)
        return
    for number in range(seed, seed + books):
        yield f"race card {number}", *sample.race_card(seed=number, crossed=0.0)
        yield f"football {number}", *sample.football(seed=number, crossed=0.0)
        # Strips that differed by their seed alone would have all but the same prior.
        strikes, volatility = 3 + number % 6, 0.1 * (1 + number % 4)
        yield (
            f"option strip {number}",
            *sample.option_strip(seed=number, strikes=strikes, volatility=volatility, crossed=0.0),
        )


def _answer(stop: NDArray[np.float64], books: int) -> str:
    if stop.size == 0:
        return f"In none of {books} books: orders cross in all of them, and trade at any ambiguity."
    crossed = books - stop.size
    text = (
        f"For a prior that is the crowd's to the power {OPINION:g}, trade in {stop.size} uncrossed "
        f"books stops between Ω = {stop.min():.2g} and {stop.max():.2g}, half of them by "
        f"{np.median(stop):.2g}."
    )
    return text + (f" In {crossed} more, orders cross and always trade." if crossed else "")


def _draw(axes: Axes, stop: NDArray[np.float64]) -> None:
    ordered = np.append(0.0, np.sort(stop))
    share = np.arange(stop.size + 1) / max(stop.size, 1)
    axes.step(ordered, 100.0 * share, where="post", color=BLUE)
    if stop.size:
        axes.axvline(float(np.median(stop)), color=ORANGE, linewidth=1.2, ls=(0, (2, 3)))
        axes.annotate(
            f"median {np.median(stop):.2g}",
            (float(np.median(stop)), 2.0),
            (5, 0),
            textcoords="offset points",
            color=ORANGE,
        )
    axes.set_title("Most books stop trading at a small ambiguity")
    axes.set_xlabel("ambiguity Ω (nats)")
    axes.set_ylabel("books that have stopped trading (%)")
    axes.set_ylim(0.0, 102.0)
    axes.grid(axis="y", color=GREY, alpha=0.25)
