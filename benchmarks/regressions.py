"""What is measured for the aims that compare with an older commit: by time, and by instructions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kpm_fast.arrays import Floats
from kpm_fast.paper import simulations as paper

from . import books, paper_book
from .aims import Limits, Measured, of_target
from .machine import commit
from .section import range_text
from .since import Since


def band(limits: Limits) -> Measured:
    """The paper's book over a quadratic program; and its worst maker over another checkout."""
    section = paper_book.band(limits.quick)
    found = of_target(section.targets[0])
    if found.met or limits.against is None:
        return found
    worst = paper_book.farthest(section.rows)
    book = books.simulation_a(worst["worst Omega"], worst["alpha"])
    since = Since(limits.against, {"": book}, tolerance=paper_book.GAP)
    here, there = since.seconds()
    mine, theirs = since.instructions([""])
    more = (
        f" The same clearing takes {here[0] / there[0]:.2f} times the time of "
        f"{commit(limits.against)} and {mine[0] / theirs[0]:.2f} times its instructions."
    )
    return replace(found, reason=found.reason + more)


def paper_since(each_times: float, limits: Limits) -> Measured:
    """The paper's book over another checkout."""
    if limits.against is None:
        return Measured("--against CHECKOUT compares", None)
    found = {f"{omega:g}": books.simulation_a(omega) for omega in paper.AMBIGUITIES_A}
    since = Since(limits.against, found, tolerance=paper_book.GAP)
    here, there = since.seconds()
    times = here / there
    mine, theirs = since.instructions(list(found))
    counts = (mine / theirs).tolist()
    return Measured(
        f"time {range_text(times.tolist(), '{:.2f}'.format)}, instructions of the core "
        f"{range_text(counts, '{:.2f}'.format)} times",
        bool(times.max() <= each_times),
        "; ".join(
            f"Omega = {name}: {time:.2f} times the time, {count:.2f} the instructions"
            for name, time, count in zip(found, times.tolist(), counts, strict=True)
            if time > each_times
        ),
    )


def recorded(sum_times: float, each_times: float, limits: Limits) -> Measured:
    """The recorded books' times over those of another checkout: as users call, and to 1e-6."""
    folder = books.data_folder()
    if folder is None:
        return Measured("the recorded books are not here (KPM_SHARED_DATA)", None)
    if limits.against is None:
        return Measured("--against CHECKOUT compares", None)
    found = {
        f"{case.name} (Omega = {case.ambiguity:g}, {case.opinion}, stake {case.stake:g})": case.book
        for case in books.recorded(folder)
    }
    texts, reasons, met = [], [], True
    for name, options in (("default", {}), ("1e-6", {"tolerance": 1e-6})):
        since = Since(limits.against, found, **options)
        mine, theirs = since.seconds()
        times, total = mine / theirs, mine.sum() / theirs.sum()
        text = f"{name}: {total:.2f} times, the slowest book {times.max():.2f} times"
        slow = [at for at in np.argsort(-times).tolist() if times[at] > 1.0]
        counted = slow
        if name == "default":  # what users call is what is judged
            met = bool(total <= sum_times and times.max() <= each_times)
            counted = [*slow, *np.flatnonzero(times <= 1.0).tolist()]
        here, there = since.instructions([list(found)[at] for at in counted])
        counts = here / there
        if name == "default":
            mean = np.exp(np.log(counts).mean())
            text += (
                f"; instructions {here.sum() / there.sum():.2f} times in sum, {mean:.2f} in the "
                f"geometric mean, above 1 for {sum(counts > 1.0)} books"
            )
        texts.append(text)
        own = dict(zip(slow, counts.tolist(), strict=False))  # slow ones were counted first
        reasons.append(f"{name}: {_slower(list(found), times, own)}")
    return Measured("; ".join(texts), met, "; ".join(reasons))


def _slower(names: list[str], times: Floats, counts: dict[int, float]) -> str:
    """The books that take longer than in the other checkout, and whether by instructions too."""
    most = ", ".join(
        f"{names[at]}: {times[at]:.2f} times the time, {count:.2f} the instructions"
        for at, count in [*counts.items()][:3]
    )
    more = sum(count > 1.0 for count in counts.values())
    return (
        f"{len(counts)} of {len(names)} books are slower, of which {more} take more instructions, "
        f"at most {max(counts.values(), default=1.0):.2f} times"
        f"{f'; the slowest {most}' * bool(counts)}"
    )
