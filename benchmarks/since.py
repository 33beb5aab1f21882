"""Books with the package of this checkout and of an older one: seconds, and instructions.

As a program, ``FILE seconds`` or ``FILE instructions``, it runs with the package of either. Books
travel as plain arrays, because the older package has neither these benchmarks' books nor all that
they are made with.
"""

from __future__ import annotations

import functools
import json
import pickle
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import kpm_fast as kpm
from kpm_fast.arrays import Floats

from .marked import Task, call_all, instructions, output_of, program
from .rounds import timed

HERE = Path(__file__).resolve().parents[1]
CALLS, TURNS = 4, 3  # of each book; of both packages, one after another

Books = Mapping[str, tuple[kpm.Market, kpm.Orders]]


class Since:
    """Books, and the options to clear them with, in both packages."""

    def __init__(self, other: Path, books: Books, **options: float) -> None:
        self.other, self.options = other, options
        self.plain = {name: _plain(*book) for name, book in books.items()}

    def seconds(self) -> tuple[Floats, Floats]:
        """Of each book here and there: the least, because other work only adds to it."""
        names = list(self.plain)
        turns = [
            [self._ask(of, "seconds", names) for of in (HERE, self.other)] for _ in range(TURNS)
        ]
        here, there = np.min(turns, axis=0)
        return here, there

    def instructions(self, names: Sequence[str]) -> tuple[Floats, Floats]:
        """Of some of the books here and there, in the core alone."""
        if not names:
            return np.empty(0), np.empty(0)
        here, there = (self._ask(of, "instructions", names) for of in (HERE, self.other))
        return np.array(here), np.array(there)

    def _ask(self, checkout: Path, what: str, names: Sequence[str]) -> list[float]:
        with tempfile.NamedTemporaryFile() as file:
            pickle.dump(([self.plain[name] for name in names], self.options), file)
            file.flush()
            if what == "instructions":
                return list(instructions(checkout, __name__, file.name, what).values())
            with program(checkout, __name__, file.name, what) as how:
                return list(output_of(how))


def _plain(market: kpm.Market, orders: kpm.Orders) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """The arguments of ``Market`` and of ``Orders``."""
    of = {
        name: np.array(getattr(market, name)).tolist()
        for name in ("payoffs", "prior", "inventory", "risk_aversion", "ambiguity")
    }
    claim = orders.claim_index(market)
    columns = (claim, orders.side, orders.price, orders.quantity)
    return of, tuple(np.array(column) for column in columns)


def _seconds(task: Task) -> float:
    return min(timed(task) for _ in range(CALLS))


def main(file: str, what: str) -> None:
    plain, options = pickle.loads(Path(file).read_bytes())
    tasks: dict[str, Task] = {
        str(at): functools.partial(
            kpm.clear, kpm.Market(**market), kpm.Orders(*orders), threads=1, **options
        )
        for at, (market, orders) in enumerate(plain)
    }
    if what == "instructions":
        call_all(tasks)
    else:
        print(json.dumps([_seconds(task) for task in tasks.values()]))


if __name__ == "__main__":
    main(*sys.argv[1:])
