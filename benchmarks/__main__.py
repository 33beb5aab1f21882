"""``python -m benchmarks NAME``: runs one benchmark and prints its report."""

from __future__ import annotations

import argparse
import sys

try:
    from . import instructions, reach, report
except ModuleNotFoundError as error:
    raise SystemExit(f"the benchmarks need {error.name}: pip install -e '.[bench]'") from error

BENCHMARKS = (report, reach, instructions)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    subparsers = parser.add_subparsers(required=True, metavar="NAME")
    for benchmark in BENCHMARKS:
        name = benchmark.__name__.rpartition(".")[2]
        summary = (benchmark.__doc__ or "").partition("\n")[0]
        subparser = subparsers.add_parser(
            name,
            help=summary,
            description=benchmark.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        benchmark.add_arguments(subparser)
        subparser.set_defaults(run=benchmark.run)
    options = parser.parse_args(arguments)
    return int(options.run(options))


if __name__ == "__main__":
    sys.exit(main())
