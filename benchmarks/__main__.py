"""``python -m benchmarks NAME``: runs one benchmark and prints its report."""

from __future__ import annotations

import sys

from stress.dispatch import dispatch

try:
    from . import instructions, reach, report
except ModuleNotFoundError as error:
    raise SystemExit(f"the benchmarks need {error.name}: pip install -e '.[bench]'") from error

BENCHMARKS = (report, reach, instructions)


def main(arguments: list[str] | None = None) -> int:
    return dispatch("python -m benchmarks", __doc__, BENCHMARKS, arguments)


if __name__ == "__main__":
    sys.exit(main())
