"""``python -m fuzz TARGET``: looks for inputs that break a target, for so long or so many inputs.

Targets:
    core      books, cleared by the C++ core (libFuzzer; Clang with its run-time libraries)
    engine    commands to an engine through kpm.h, valid and hostile (likewise)
    folder    books on disk: CSV and JSON (atheris, from the extra "fuzz")
    archive   saved clearings, as `kpm-fast verify` reads them (atheris)
    replay    the inputs of fuzz/corpus/core and engine once, with any compiler; --valgrind runs
              under that

Seeds are in fuzz/corpus. New inputs and findings go to build/fuzz/TARGET. Without libFuzzer, `core`
and `engine` replay their seeds instead and say so. The exit code is 1 if anything was found.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

from . import build, campaign

SEEDS = Path(__file__).resolve().parent / "corpus"
_LONGEST = {"core": 1500, "engine": 1000, "folder": 4096, "archive": 16384}  # bytes
_COMPILED = ("core", "engine")  # of C++
_UNDER_VALGRIND = 12  # every so many seeds one: it is 50 times as slow


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", choices=["core", "engine", "folder", "archive", "replay"])
    parser.add_argument("--seconds", type=float, default=60.0, help="default: 60")
    parser.add_argument("--runs", type=int, default=0, help="at most so many inputs; default: any")
    parser.add_argument("--corpus", type=Path, help="default: build/fuzz/TARGET/corpus")
    parser.add_argument("--seed", type=int, default=0, help="of the mutations; default: any")
    parser.add_argument("--keep-going", action="store_true", help="do not end at the first finding")
    parser.add_argument(
        "--valgrind", action="store_true", help="with replay: a sample of the seeds"
    )
    options = parser.parse_args(arguments)
    if options.target == "replay":
        return replay(valgrind=options.valgrind)
    if options.target in _COMPILED and not build.can_fuzz():
        print(f"{build.FUZZER.compiler} with libFuzzer is not to be had: replaying the seeds")
        return _replay(options.target, valgrind=False)
    folder = build.OUTPUT / options.target
    figures = campaign.run(
        _command(options.target),
        corpus=options.corpus or folder / "corpus",
        seeds=SEEDS / options.target,
        findings=folder / "findings",
        seconds=options.seconds,
        runs=options.runs,
        keep_going=options.keep_going,
        seed=options.seed,
        longest=_LONGEST[options.target],
    )
    print(f"{options.target}: {figures}")
    for path in figures.findings:
        print(f"found: {path}")
    return 1 if figures.findings else 0


def _command(target: str) -> list[str]:
    if target in _COMPILED:
        return [str(build.build(build.FUZZER, target))]
    if importlib.util.find_spec("atheris") is None:
        raise SystemExit("atheris is not installed: pip install -e '.[fuzz]'")
    return [sys.executable, "-m", "fuzz.atheris_driver", target]


def replay(*, valgrind: bool) -> int:
    """Run the targets on their seeds once: a regression test wherever there is a compiler."""
    return max(_replay(target, valgrind=valgrind) for target in _COMPILED)


def _replay(target: str, *, valgrind: bool) -> int:
    seeds = sorted(map(str, (SEEDS / target).iterdir()))
    program = str(build.build(build.PLAIN if valgrind else build.REPLAY, target))
    command = [program, *seeds]
    if valgrind:
        check = ["valgrind", "--quiet", "--error-exitcode=9", "--leak-check=full"]
        command = [*check, program, *seeds[::_UNDER_VALGRIND]]
    environment = {**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1"}
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, env=environment)
    if done.returncode:
        print(done.stderr)
    return int(done.returncode != 0)


if __name__ == "__main__":
    # So that a campaign that is terminated keeps its findings and removes its temporary files.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main())
