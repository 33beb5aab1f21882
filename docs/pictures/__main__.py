"""``python -m docs.pictures --output docs/images``: draws every picture of the documentation."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from kpm_fast.clearing.clear import clear
from kpm_fast.cli.paper import FINDINGS
from kpm_fast.paper.figures import write_paper
from kpm_fast.paper.simulations import simulation_a, simulation_b
from kpm_fast.plots.book import draw_book
from kpm_fast.plots.style import require_matplotlib, save
from kpm_fast.sample import example_race_card

from .book_pictures import staircase
from .mechanisms import mechanisms
from .proof import proof


def _findings(folder: Path) -> list[Path]:
    """Draw the figures of the paper's other sections, as SVG alone: pages show nothing else."""
    paths = []
    for find in FINDINGS:
        for stem, draw in find().figures.items():
            bitmap, drawing = save(draw(), folder / stem)
            bitmap.unlink()
            paths.append(drawing)
    return paths


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw every picture of the documentation."""
    parser = argparse.ArgumentParser(
        prog="python -m docs.pictures", description="Draw every picture of the documentation."
    )
    parser.add_argument("--output", type=Path, default=Path("docs/images"), metavar="DIR")
    folder: Path = parser.parse_args(arguments).output
    require_matplotlib()
    paths = write_paper(folder, simulation_a(), simulation_b())
    paths += _findings(folder / "paper")
    paths += save(staircase(), folder / "staircase")
    paths += save(proof(), folder / "proof")
    paths += save(mechanisms(), folder / "mechanisms")
    market, orders = example_race_card()
    paths += save(draw_book(clear(market, orders)), folder / "race_card")
    for path in paths:
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
