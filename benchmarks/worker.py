"""One section in a process of its own: ``python -m benchmarks.worker NAME [--quick]``, JSON out.

The section is the last line of standard output; what its code prints before that is ignored.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys

from . import chapters
from .processes import ROOT, one_thread
from .section import Section

_TAIL = 12  # lines of an error that the report shows


class SectionFailedError(RuntimeError):
    """A section's process ended without a section."""


def measure(name: str, quick: bool, time_limit: float) -> Section:
    """Measure one section in a new process, which is ended after ``time_limit`` seconds."""
    command = [sys.executable, "-m", __name__, name, *(["--quick"] if quick else [])]
    environment = one_thread()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that it can be ended together with its own children
    ) as process:
        try:
            output, errors = process.communicate(timeout=time_limit)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                raise SectionFailedError(f"not done after {time_limit:g} s") from None
            raise
    if process.returncode:
        last = "\n".join(errors.strip().splitlines()[-_TAIL:])
        raise SectionFailedError(f"exit status {process.returncode}\n{last}")
    return Section.from_dict(json.loads(output.splitlines()[-1]))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worker", description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args(arguments)
    section = chapters.sections(chapters.load())[options.name](options.quick)
    # A NaN or an infinity is no JSON and no measurement: it fails here.
    print("\n" + json.dumps(section.as_dict(), allow_nan=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
