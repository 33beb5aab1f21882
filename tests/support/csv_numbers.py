"""Numbers in CSV files: those of a program are numbers to every other."""

from __future__ import annotations

import csv
import math
from collections.abc import Collection
from pathlib import Path


def check_numbers(folder: Path, words: Collection[str]) -> None:
    """Every entry of every CSV file of a folder is a number, but for columns of ``words``."""
    files = sorted(folder.glob("*.csv"))
    assert files
    for path in files:
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                for name, entry in row.items():
                    if name not in words:
                        assert not math.isnan(float(entry)), (path.name, name, entry)
