"""The ``kpm-fast`` command: what all sub-commands share, and ``clear``."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar

from .._version import __version__
from ..clearing.clear import clear, staircases
from ..clearing.progress import Progress
from ..clearing.settings import METHODS
from ..embedding import OPTIONS
from ..errors import InputError, KpmError, TooManyCellsError
from ..files.atomic_files import MARKER, staged_files
from ..files.tables import write_csv
from ..model.rules import RULES
from ..model.status import Status
from ..result import Result
from ..storage.book_folder import BOOK_FILES
from . import (
    book_options,
    clearing_options,
    experiments,
    paper,
    plot,
    quotes,
    report,
    sample,
    sweep,
)
from . import verify as checking
from .clearing_options import EXIT_INTERRUPTED, EXIT_LIMIT
from .named_path import named, named_path
from .several import Parser
from .tables import plain_console, print_book, print_result
from .typed_numbers import whole

__all__ = ["main"]

EXIT_OK, EXIT_UNVERIFIED, EXIT_INPUT = range(3)
EXIT_REFUSED, EXIT_MEMORY = 4, 5
EXIT_FAULT = 70
EXIT_CLOSED_PIPE = 141
EXIT_TERMINATED = 143
_EXIT_CODES = (  # no docstring: python -OO has none
    "Exit codes: 0 cleared to optimality; 1 verification failed; 2 bad usage or input; 3 stopped "
    "at a limit or inaccurate, with the best point found; 4 refused, too many cells; 5 out of "
    "memory; 70 a fault of the program; 130 interrupted; 141 broken pipe; 143 terminated."
)
_POSITIONAL = ("folder", "file", "kind")  # arguments that are no options
_TABLES, _RESULT = ("orders", "claims", "states"), "result.json"
_OUTPUTS = (*(f"{name}.csv" for name in _TABLES), _RESULT)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the name of the program. Default: those of the process.
    """
    try:
        args = _parser().parse_args(argv)
    except KeyboardInterrupt:
        return _fail("interrupted", EXIT_INTERRUPTED)
    except OSError as error:  # of help or the version
        return _fail_of_system(error)
    except MemoryError:  # the parser imports, too: more in some locales than in others
        return _fail("out of memory", EXIT_MEMORY)
    with ExitStack() as stack:
        if sys.stderr is None:  # closed: print() would write to standard output instead
            nowhere = stack.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
            stack.enter_context(redirect_stderr(nowhere))
        if sys.stdout is None:
            return _fail("standard output is closed", EXIT_INPUT)
        if isinstance(sys.stdout, io.TextIOWrapper):
            stack.enter_context(_escape_unencodable(sys.stdout))
        return _exit_code(args)


@contextmanager
def _escape_unencodable(stream: io.TextIOWrapper) -> Iterator[None]:
    """Escape labels that a stream's encoding lacks, so that the rest of the output is not lost."""
    errors = stream.errors
    stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        with suppress(OSError):  # it flushes the stream, which may be a closed pipe
            stream.reconfigure(errors=errors)


def _exit_code(args: argparse.Namespace) -> int:
    """Carry out a command; report errors in one line."""
    try:
        with _unwound_when_terminated():
            code: int = args.run(args)
            sys.stdout.flush()  # a closed pipe or a full disk must show here, not at exit
    except TooManyCellsError as error:
        return _fail(error, EXIT_REFUSED)
    except InputError as error:
        return _fail(_named_as_option(error, args), EXIT_INPUT)
    except (KpmError, ImportError) as error:
        return _fail(error, EXIT_INPUT)
    except OSError as error:
        return _fail_of_system(error)
    except MemoryError:
        return _fail("out of memory", EXIT_MEMORY)
    except KeyboardInterrupt:
        return _fail("interrupted", EXIT_INTERRUPTED)
    except _Terminated:
        return _fail("terminated", EXIT_TERMINATED)
    except Exception:  # with the interpreter's own exit code, 1, it would pass for unverified
        traceback.print_exc()
        return _fail(
            "this is a fault of kpm-fast: please report it, with the lines above", EXIT_FAULT
        )
    return code


def _named_as_option(error: InputError, args: argparse.Namespace) -> InputError:
    """Name what the command line states, and no file or row, as the command line spells it."""
    field = str(error.field)
    given = None if field in _POSITIONAL else getattr(args, field, None)
    if given is None or given is False or error.file is not None or isinstance(error.index, int):
        return error
    return InputError(error.reason, field=f"--{field.replace('_', '-')}", index=error.index)


def _fail(reason: object, code: int) -> int:
    print("kpm-fast:", " ".join(str(reason).split()), file=sys.stderr)
    return code


def _fail_of_system(error: OSError) -> int:
    _abandon_output()
    if isinstance(error, BrokenPipeError):
        return EXIT_CLOSED_PIPE
    # Files are always named: without a name it was one of the standard streams.
    return _fail(f"{error.filename or 'output'}: {error.strerror or error}", EXIT_INPUT)


def _abandon_output() -> None:
    """Discard standard output if it cannot be written, since Python flushes it at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


class _Terminated(BaseException):
    """SIGTERM, as an exception: files that are being written are removed as it unwinds."""


@contextmanager
def _unwound_when_terminated() -> Iterator[None]:
    """Turn SIGTERM into an exception, unless it is handled elsewhere."""

    def stop(number: int, frame: object) -> None:
        raise _Terminated

    in_charge = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    )
    if in_charge:
        signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        if in_charge:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = Parser(
        prog="kpm-fast",
        description="Clear books of limit orders on the outcomes of one event, against a market "
        "maker that allows for errors in its own probabilities, and prove that no clearing is "
        "better.",
        epilog=f"{_EXIT_CODES} How to build on the C library say python -m kpm_fast "
        f"{', '.join(OPTIONS)}.",
    )
    parser.add_argument("--version", action="version", version=f"kpm-fast {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_clear(commands)
    checking.add_parser(commands)
    plot.add_parser(commands)
    report.add_parser(commands)
    quotes.add_parser(commands)
    paper.add_parser(commands)
    sweep.add_parsers(commands)
    experiments.add_parser(commands)
    sample.add_parser(commands)
    return parser


def _add_clear(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "clear",
        help="clear a book",
        description="Clear a book: one price for every claim, and how much of every order is "
        "filled.",
        epilog=_EXIT_CODES,
    )
    parser.set_defaults(run=_run_clear)
    book_options.add_book(parser)
    book_options.add_maker(parser, "the maker", kinds=True)
    book_options.add_options(parser)
    clearing_options.add_clearing(parser)
    solver = parser.add_argument_group("the search")
    solver.add_argument(
        "--method",
        choices=METHODS,
        default=METHODS[0],
        help="auto is branch-and-bound; enumerate is the paper's (28) (default: %(default)s)",
    )
    solver.add_argument(
        "--node-limit", type=whole, metavar="N", help="nodes at most (default: no limit)"
    )
    solver.add_argument(
        "--cell-limit",
        type=whole,
        default=1_000_000,
        metavar="N",
        help="refuse to enumerate more cells than this (default: %(default)s)",
    )
    solver.add_argument(
        "--no-prune-bounds",
        action="store_true",
        help="enumerate every feasible cell, as the paper does",
    )
    solver.add_argument(
        "--certificate", action="store_true", help="keep the proof (not with --method enumerate)"
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--json",
        nargs="?",
        const="-",
        type=named,
        metavar="PATH",
        help="write the result as JSON; without PATH or with -, to standard output only",
    )
    output.add_argument(
        "--output",
        type=named_path,
        metavar="DIR",
        help="write orders.csv, claims.csv, states.csv and result.json",
    )
    output.add_argument(
        "--save",
        type=named_path,
        metavar="FILE",
        help="write book and result to one file to verify later",
    )
    output.add_argument(
        "--verify", action="store_true", help="recompute every figure, and check a kept proof"
    )
    loudness = output.add_mutually_exclusive_group()
    loudness.add_argument("--quiet", action="store_true", help="print no tables")
    loudness.add_argument("--verbose", action="store_true", help="log the search to stderr")


def _run_clear(args: argparse.Namespace) -> int:
    book_options.check_outputs(args, _outputs(args))
    if args.output is not None:
        _refuse_book(args.output)
    book = clearing_options.read(args)
    market, orders, _ = book
    rule = clearing_options.rule_of(args, book)
    with (
        clearing_options.named_as_options(),
        _progress_bar(hidden=args.quiet or args.verbose) as show,
        redirect_stdout(sys.stderr),
    ):
        result = clear(
            market,
            orders,
            args.method,
            node_limit=args.node_limit,
            cell_limit=args.cell_limit,
            prune_bounds=not args.no_prune_bounds,
            certificate=args.certificate,
            callback=show if rule == RULES[0] else None,
            verbose=args.verbose,
            rule=rule,
            **clearing_options.given(args, book),
        )
    # Before anything is printed: its reader may close the pipe.
    if args.output is not None:
        _write_tables(args.output, result)
    if args.save is not None:
        result.save(args.save)
    if args.json not in (None, "-"):
        result.to_json(args.json, indent=2)
    # If standard output is for the JSON, the tables go to standard error.
    console = plain_console(sys.stderr if args.json == "-" else sys.stdout, quiet=args.quiet)
    searched = rule == RULES[0]  # cells, which a convex rule has none of
    pieces = [len(steps) for steps in staircases(market, orders)] if searched else None
    print_book(console, args.folder, market, orders, pieces)
    print_result(console, result)
    if args.json == "-":
        print(result.to_json(indent=2))
    if args.verify and not _verified(console, result):
        return EXIT_UNVERIFIED
    if result.status is Status.OPTIMAL:
        return EXIT_OK
    return EXIT_INTERRUPTED if result.status is Status.INTERRUPTED else EXIT_LIMIT


def _outputs(args: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    """The files that are to be written, whose names are those of a book's tables."""
    if args.output is not None:
        yield from (("--output", args.output / name) for name in _OUTPUTS)
    if args.save is not None:
        yield "--save", args.save
    if args.json not in (None, "-"):
        yield "--json", Path(args.json)


def _refuse_book(folder: Path) -> None:
    """Refuse a folder that holds a book and no results, whose names are the same."""
    if (folder / _RESULT).exists() or (folder / MARKER).exists():
        return
    for name in BOOK_FILES:
        if (folder / name).exists():
            raise InputError(
                f"{folder} holds a book ({name} and no {_RESULT}), which the results would replace "
                "or hide",
                field="--output",
            )


def _verified(console: Console, result: Result) -> bool:
    groups = checking.checks_of(result).values()
    for verification in groups:
        console.print()
        console.print(str(verification), markup=False, highlight=False, soft_wrap=True)
    failed = [check for verification in groups for check in verification.failed]
    if failed:
        _fail(f"verification failed: {failed[0].name}", EXIT_UNVERIFIED)
    return not failed


def _write_tables(folder: Path, result: Result) -> None:
    with staged_files(folder) as open_file:
        for name in _TABLES:
            write_csv(open_file(f"{name}.csv"), result.table(name))
        open_file(_RESULT).write(result.to_json(indent=2) + "\n")


@contextmanager
def _progress_bar(*, hidden: bool) -> Iterator[ShowProgress | None]:
    """Return a callback that draws on standard error, or None if that is not a terminal."""
    console = Console(stderr=True)
    if hidden or not console.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with ProgressBar(*columns, console=console, transient=True) as bar:
        yield ShowProgress(bar)


class ShowProgress:
    """A callback of :func:`kpm_fast.clear` that moves a bar.

    Nobody knows how far a tree has come: there the bar only moves, beside nodes and gap.
    """

    def __init__(self, bar: ProgressBar) -> None:
        self._bar = bar
        self._task = bar.add_task("clearing", total=None, note="")

    def __call__(self, progress: Progress) -> bool:
        gap = f"gap {progress.gap:.2g}"
        if progress.nodes:
            note = f"{progress.nodes:,} nodes, {progress.open:,} open, {gap}"
            self._bar.update(self._task, note=note)
        else:
            done = progress.fraction
            note = f"{100 * done:.0f} %, {progress.solved:,} cells solved, {gap}"
            self._bar.update(self._task, total=1.0, completed=done, note=note)
        return False
