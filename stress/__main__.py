"""``python -m stress NAME``: runs one of them and prints its report."""

from __future__ import annotations

import argparse
import sys

from . import commands, degenerate, engine, extremes, soak

RUNS = (engine, commands, degenerate, extremes, soak)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m stress", description=__doc__)
    subparsers = parser.add_subparsers(required=True, metavar="NAME")
    for run in RUNS:
        name = run.__name__.rpartition(".")[2]
        summary = (run.__doc__ or "").partition("\n")[0]
        subparser = subparsers.add_parser(
            name,
            help=summary,
            description=run.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        run.add_arguments(subparser)
        subparser.set_defaults(run=run.run)
    options = parser.parse_args(arguments)
    return int(options.run(options))


if __name__ == "__main__":
    sys.exit(main())
