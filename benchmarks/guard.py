"""Whether a case moved against a stored baseline, or is within its noise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from .distribution import interval

FORMAT = 1
FLOOR = 0.05  # what the same build moves by from one run to the next, of its ratio
INSTRUCTIONS_FLOOR = 0.01  # counts are repeatable, but other libraries are counted too

SLOWER, FASTER, SAME, NEW, GONE = "SLOWER", "faster", "same", "new", "GONE"
_BAD = (SLOWER, GONE)


@dataclass(frozen=True)
class Measured:
    """A case's time over the reference kernel's: median over rounds, and its interval."""

    ratio: float
    low: float
    high: float
    instructions: int | None = None

    @classmethod
    def of(cls, ratios: ArrayLike, instructions: int | None = None) -> Measured:
        """From the ratio of each round."""
        values = np.asarray(ratios, dtype=float)
        return cls(float(np.median(values)), *interval(values), instructions)

    @property
    def noise(self) -> float:
        """The wider half of the interval, relative to the median."""
        return max(self.high - self.ratio, self.ratio - self.low) / self.ratio


@dataclass(frozen=True)
class Change:
    """What became of a case: its ratio over the baseline's, and how far noise may move that."""

    case: str
    verdict: str
    times: float | None = None
    allowance: float | None = None
    instructions: float | None = None  # over the baseline's

    @property
    def bad(self) -> bool:
        return self.verdict in _BAD


def changes(baseline: Mapping[str, Measured], now: Mapping[str, Measured]) -> list[Change]:
    """Every case of either side, in order."""
    found = []
    for case in dict.fromkeys((*now, *baseline)):
        if case not in now:
            found.append(Change(case, GONE))
        elif case not in baseline:
            found.append(Change(case, NEW))
        else:
            found.append(_change(case, baseline[case], now[case]))
    return found


def _change(case: str, old: Measured, new: Measured) -> Change:
    times = new.ratio / old.ratio
    allowance = max(FLOOR, float(np.hypot(old.noise, new.noise)))
    counts = None
    if old.instructions and new.instructions:
        counts = new.instructions / old.instructions
    more = counts is not None and counts > 1 + INSTRUCTIONS_FLOOR
    fewer = counts is not None and counts < 1 - INSTRUCTIONS_FLOOR
    if times > 1 + allowance or more:
        verdict = SLOWER
    elif times < 1 / (1 + allowance) or fewer:
        verdict = FASTER
    else:
        verdict = SAME
    return Change(case, verdict, times, allowance, counts)


def save(path: Path, machine: Mapping[str, str], now: Mapping[str, Measured]) -> None:
    values = {
        "format": FORMAT,
        "machine": dict(machine),
        "cases": {case: asdict(measured) for case, measured in now.items()},
    }
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def load(path: Path) -> tuple[dict[str, str], dict[str, Measured]]:
    """The baseline's machine and cases."""
    values = json.loads(path.read_text(encoding="utf-8"))
    if values.get("format") != FORMAT:
        raise ValueError(f"{path}: not a baseline of format {FORMAT}")
    return values["machine"], {
        case: Measured(**measured) for case, measured in values["cases"].items()
    }
