"""``kpm-fast experiments``: a market maker's questions, answered by clearing many books."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..experiments import EXPERIMENTS, Experiment
from ..files.atomic_files import staged_files
from ..files.tables import write_csv
from ..plots.style import house_style, new_figure, require_matplotlib, save
from .named_path import named_path
from .several import names
from .tables import PipeAwareConsole

__all__ = ["add_parser", "page", "run", "write"]

#: The size of each experiment with ``--quick``.
_QUICK: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "implied": {"books": 2},
        "frontier": {"runs": 6},
        "shading": {"books": 4},
        "calibration": {"draws": 200},
        "aggregation": {"books": 6},
    }
)


def write(folder: Path, experiment: Experiment) -> list[Path]:
    """Write ``NAME.csv``, ``NAME.md``, ``NAME.png`` and ``NAME.svg`` into a folder.

    The page shows the figure below the question and above the answer, its caption. Returns the
    files.
    """
    name = experiment.name
    with staged_files(folder) as open_file:
        write_csv(open_file(f"{name}.csv"), experiment.table)
        open_file(f"{name}.md").write(page(experiment))
    with house_style():
        figure, (axes,) = new_figure(7.2, 4.2)
        experiment.draw(axes)
    return [folder / f"{name}.csv", folder / f"{name}.md", *save(figure, folder / name)]


def page(experiment: Experiment) -> str:
    """Return the question, the figure and the answer as Markdown."""
    picture = f"![{experiment.question}]({experiment.name}.svg)"
    return f"# {experiment.question}\n\n{picture}\n\n{experiment.answer}\n"


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the ``experiments`` command to an ``argparse`` sub-parser collection."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "experiments",
        help="answer a market maker's questions by clearing many books",
        description="Run experiments with fixed seeds and report what they show.",
        epilog="Exit codes: 0 done; 2 bad usage or input.",
    )
    parser.add_argument(
        "names",
        nargs="*",
        type=names(tuple(EXPERIMENTS)),
        metavar="NAME",
        help=f"which to run: {', '.join(EXPERIMENTS)} (default: all)",
    )
    parser.add_argument(
        "--output",
        type=named_path,
        metavar="DIR",
        help="also write tables (CSV), figures (PNG, SVG) and what they show (Markdown)",
    )
    parser.add_argument("--quick", action="store_true", help="few books: seconds, rough figures")
    parser.add_argument(
        "--data",
        type=named_path,
        metavar="DIR",
        help="folder of recorded books for `implied` (default: generated books)",
    )
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Carry out the parsed command."""
    chosen = [name for given in args.names for name in given]
    output: Path | None = args.output
    if output is not None:
        require_matplotlib()  # before anything is computed
    console = PipeAwareConsole()
    told = (_told(name, args) for name in chosen or EXPERIMENTS)
    # Where files are asked for, all are written before a reader can close the pipe.
    for experiment, paths in told if output is None else list(told):
        console.print(f"[bold]{experiment.question}[/]", highlight=False, soft_wrap=True)
        console.print(experiment.answer, highlight=False, markup=False, soft_wrap=True)
        for path in paths:
            console.print(f"  {path}", highlight=False, markup=False, soft_wrap=True)
        console.print()
    return 0


def _told(name: str, args: argparse.Namespace) -> tuple[Experiment, list[Path]]:
    """Run an experiment and write its files, if any are wanted."""
    options: dict[str, Any] = dict(_QUICK[name]) if args.quick else {}
    if name == "implied" and args.data is not None:
        options["data"] = args.data
    experiment = EXPERIMENTS[name](**options)
    return experiment, [] if args.output is None else write(args.output, experiment)
