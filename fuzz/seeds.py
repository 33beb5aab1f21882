"""Writes the seed corpora again: ``python -m fuzz.seeds``.

Seeds are books from the tests' strategies, the example and the paper's, as each target reads them.
Files are named by their content, so that a seed that exists is not written twice; nothing is
removed, because what fuzzing found stays as well.
"""

from __future__ import annotations

import hashlib
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import kpm_fast as kpm
from benchmarks.books import simulation_a

from . import archives, books, folders

HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
Book = tuple[kpm.Market, kpm.Orders]
_DRAWN = 60  # from each strategy


def drawn() -> Iterator[Book]:
    """Books from the strategies of the tests, the same ones each time."""
    tests = HERE.parent / "tests"
    sys.path[:0] = [str(tests), str(tests / "support")]
    from hypothesis import HealthCheck, Phase, given, settings

    from adapter import market_of, orders_of
    from strategies import books as any_book
    from strategies import related_books

    found: list[Book] = []
    quiet = settings(
        max_examples=_DRAWN,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    for strategy in (any_book(max_orders=20), related_books()):
        quiet(given(strategy)(lambda book: found.append((market_of(book), orders_of(book)))))()
    yield from found


def known() -> Iterator[Book]:
    """The shipped example, and the paper's five bids with and without ambiguity."""
    yield kpm.read_book(HERE.parent / "examples" / "race_card")
    for ambiguity in (0.0, 0.4, 1.0):
        yield simulation_a(ambiguity)


def add(folder: Path, seed: bytes) -> None:
    """Write a seed unless it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.sha1(seed).hexdigest()[:16]
    if not path.exists():
        path.write_bytes(seed)


def main() -> int:
    draw = random.Random(1)
    everything = [*known(), *drawn()]
    for market, orders in everything:
        if books.fits(market, orders):
            options = draw.randrange(64)
            seed = books.encode(market, orders, options=options, node_limit=draw.choice([1, 8, 64]))
            add(CORPUS / "core", seed)
    for market, orders in everything[:: len(everything) // 12]:
        add(CORPUS / "folder", folders.pack(market, orders))
        with tempfile.TemporaryDirectory() as scratch:
            add(CORPUS / "archive", archives.pack(market, orders, Path(scratch)))
    commands = random.Random(2)
    for _ in range(24):
        add(CORPUS / "engine", commands.randbytes(commands.randrange(100, 900)))
    for folder in sorted(CORPUS.iterdir()):
        sizes = [path.stat().st_size for path in folder.iterdir()]
        print(f"{folder.name}: {len(sizes)} seeds, {sum(sizes):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
