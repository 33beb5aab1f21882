"""The kpm-fast command on system errors: full disks, closed pipes, little memory, signals."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from kpm_fast.cli import command as cli
from kpm_fast.files import atomic_files as staging
from programs import (
    environment,
    kpm_fast_command,
    run_command,
    run_program,
    start_command,
    start_program,
)
from strategies import fewer

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX files and signals"),
    pytest.mark.unsanitized,
]
linux = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")

TABLES = ("claims.csv", "orders.csv", "result.json", "states.csv")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough orders that writing files takes most of the time."""
    folder = tmp_path_factory.mktemp("faults") / "book"
    draw = np.random.default_rng(0)
    market = kpm.Market(np.eye(3), [0.3, 0.3, 0.4])
    count = 4000
    orders = kpm.Orders(
        draw.integers(3, size=count), draw.choice([1, -1], count), draw.random(count), 1.0
    )
    kpm.write_book(folder, market, orders)
    return folder


def run(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    return run_command(kpm_fast_command(*arguments), **options)


def assert_one_line(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """An error is one line of standard error and its exit code."""
    assert done.returncode == cli.EXIT_INPUT, done
    assert done.stderr.startswith("kpm-fast: ")
    assert done.stderr.count("\n") == 1
    for word in words:
        assert word in done.stderr


# -- standard output -----------------------------------------------------------------------------


@linux
@pytest.mark.parametrize("arguments", [["clear", "--json", "-", "--quiet"], ["clear", "--verify"]])
def test_standard_output_is_full(book: Path, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = run(arguments[0], book, *arguments[1:], stdout=full)
    assert_one_line(done, "output", "No space left on device")


@linux
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["clear", "-h"], ["paper", "-h"]])
def test_help_does_not_fit(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = run(*arguments, stdout=full)
    assert_one_line(done, "output", "No space left on device")


def test_standard_output_is_closed(book: Path) -> None:
    done = run_command(["sh", "-c", 'exec "$@" >&-', "sh", *kpm_fast_command("clear", book)])
    assert_one_line(done, "standard output is closed")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_standard_output_cannot_encode_a_label(tmp_path: Path, encoding: str) -> None:
    market = kpm.Market([[1, 0]], [0.5, 0.5], claims=["日本"], states=["né", "é"])
    kpm.write_book(tmp_path / "book", market, kpm.Orders(["日本"], 1, 0.6, 1))
    saved = tmp_path / "saved.npz"
    for arguments in (
        ["clear", tmp_path / "book", "--verify", "--save", saved],
        ["verify", saved],
    ):
        variables = {**environment(), "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
        done = run_command(kpm_fast_command(*arguments), text=False, env=variables)
        assert (done.returncode, done.stderr) == (0, b"")
        label = "日本" if encoding == "utf-8" else "\\u65e5\\u672c"
        assert arguments[0] == "verify" or label in done.stdout.decode(encoding)
    assert kpm.load_result(saved).market == market


@pytest.mark.parametrize("folder", ["book", "nowhere"])
def test_standard_output_stays_the_callers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    market = kpm.Market([[1, 0]], [0.5, 0.5], claims=["日本"])
    kpm.write_book(tmp_path / "book", market, kpm.Orders(["日本"], 1, 0.6, 1))
    stream = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    code = cli.main(["clear", str(tmp_path / folder)])
    assert code == (0 if folder == "book" else cli.EXIT_INPUT)
    assert stream.errors == "strict"


@pytest.mark.parametrize(("folder", "code"), [(None, 0), ("nowhere", cli.EXIT_INPUT)])
def test_standard_error_is_closed(book: Path, folder: str | None, code: int) -> None:
    """Nothing that belongs there turns up in standard output."""
    clearing = kpm_fast_command("clear", folder or book, "--json")
    done = run_command(["sh", "-c", 'exec "$@" 2>&-', "sh", *clearing])
    assert done.returncode == code
    if code:
        assert done.stdout == ""
    else:
        assert json.loads(done.stdout)["status"] == "optimal"


@pytest.mark.parametrize("options", [[], ["--json"], ["--verify"]])
def test_the_reader_leaves_early(book: Path, options: list[str]) -> None:
    """As in ``kpm-fast clear BOOK | head -1``."""
    with start_command(kpm_fast_command("clear", book, *options)) as program:
        program.stdout.readline()
        program.stdout.close()
        err = program.stderr.read()
        code = program.wait()
    # Whatever fits into the pipe may have been written before it was closed.
    assert code in (0, cli.EXIT_CLOSED_PIPE)
    assert "Traceback" not in err
    assert "BrokenPipe" not in err


# -- files ---------------------------------------------------------------------------------------

LIMITED = """
import resource, sys
from kpm_fast.cli import command as cli

size, (_, hard) = int(sys.argv[1]), resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))  # Python ignores SIGXFSZ
code = cli.main(sys.argv[2:])
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))  # for counters that are written at the end
sys.exit(code)
"""


def write_arguments(kind: str, book: Path, target: Path) -> list[object]:
    return {
        "output": ["clear", book, "--quiet", "--output", target],
        "json": ["clear", book, "--quiet", "--json", target / "result.json"],
        "save": ["clear", book, "--quiet", "--save", target / "clearing.npz"],
        "sample": ["sample", "race-card", "--levels", "40", "--force", "--output", target],
        "paper": ["paper", "--output", target],
    }[kind]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def with_fonts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables under which matplotlib has its list of fonts, and need not write one first."""
    pytest.importorskip("matplotlib")
    variables = {**environment(), "MPLCONFIGDIR": str(tmp_path_factory.mktemp("matplotlib"))}
    run_program("import matplotlib.font_manager", env=variables)
    return variables


@pytest.mark.parametrize("kind", ["output", "json", "save", "sample", "paper"])
@pytest.mark.parametrize("size", [0, 100])
def test_a_file_may_not_grow(
    kind: str, size: int, book: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Existing files stay as they were, to the byte; no new one appears."""
    variables = request.getfixturevalue("with_fonts") if kind == "paper" else environment()
    target = tmp_path / "made"
    for there in (False, True):
        if there:
            target.mkdir()
            for name in ("orders.csv", "result.json", "clearing.npz", "figure_1.png"):
                (target / name).write_text("old")
        before = contents(target) if there else None
        arguments = write_arguments(kind, book, target)
        done = run_command([sys.executable, "-c", LIMITED, size, *arguments], env=variables)
        assert_one_line(done, str(target), "File too large")
        assert (contents(target) if target.exists() else None) == before


@pytest.fixture
def little_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 200 kB, where mounting is allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "none", str(place)]
    try:
        done = run_command(mount, timeout=20)
    except FileNotFoundError:
        pytest.skip("no mount")
    if done.returncode:
        pytest.skip("mounting is not permitted")
    yield place
    assert run_command(["umount", place], timeout=20).returncode == 0


@pytest.mark.parametrize("kind", ["output", "json", "save"])
def test_a_full_disk(kind: str, book: Path, little_disk: Path) -> None:
    filler = little_disk / "filler"
    filler.write_bytes(b"x" * 195_000)
    before = contents(little_disk)
    done = run(*write_arguments(kind, book, little_disk / "made"))
    assert_one_line(done, "made", "No space left on device")
    assert contents(little_disk) == before
    filler.unlink()
    assert kind != "save" or run(*write_arguments(kind, book, little_disk / "made")).returncode == 0


@pytest.mark.parametrize("kind", ["output", "json", "save", "sample"])
def test_a_folder_that_cannot_be_made(kind: str, book: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = run(*write_arguments(kind, book, tmp_path / "file" / "below"))
    assert_one_line(done, str(tmp_path / "file"))
    assert contents(tmp_path) == {"file": b"in the way"}


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
@pytest.mark.parametrize("kind", ["output", "json", "save", "sample"])
def test_a_folder_that_may_not_be_written(kind: str, book: Path, tmp_path: Path) -> None:
    target = tmp_path / "locked"
    target.mkdir(mode=0o555)
    assert_one_line(run(*write_arguments(kind, book, target)), str(target), "Permission denied")
    assert contents(target) == {}


# -- memory --------------------------------------------------------------------------------------


LITTLE_MEMORY = """
import resource, sys
from kpm_fast.cli import command as cli

used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
more = 1024 * int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (used + more, resource.RLIM_INFINITY))
sys.exit(cli.main(sys.argv[2:]))
"""


def test_no_memory_to_read_the_arguments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether that takes any depends on the locale, whose translations the parser looks for."""

    def no_memory(**_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("kpm_fast.cli.command.Parser", no_memory)
    assert cli.main(["clear", "book"]) == cli.EXIT_MEMORY
    assert capsys.readouterr() == ("", "kpm-fast: out of memory\n")


@linux
@pytest.mark.parametrize("kilobytes", [16, 256, 1000, 2500, 4000])
def test_little_memory(kilobytes: int, tmp_path: Path) -> None:
    """One line and an exit code of its own, for ``clear`` and ``verify``; nothing is written."""
    draw = np.random.default_rng(0)
    count = 20_000
    market = kpm.Market(np.eye(3), [0.3, 0.3, 0.4])
    orders = kpm.Orders(
        draw.integers(3, size=count), draw.choice([1, -1], count), draw.random(count), 1.0
    )
    kpm.write_book(tmp_path / "book", market, orders)
    saved = tmp_path / "saved.npz"
    kpm.clear(market, orders).save(saved)
    made = tmp_path / "made"
    writing = ["clear", tmp_path / "book", "--output", made, "--save", made / "saved.npz"]
    # With a little more, "verify" fails inside OpenBLAS, which has its own message.
    for arguments in (writing, ["verify", saved]) if kilobytes <= 1000 else (writing,):
        done = run_command([sys.executable, "-c", LITTLE_MEMORY, kilobytes, *arguments])
        assert (done.returncode, done.stderr) == (cli.EXIT_MEMORY, "kpm-fast: out of memory\n")
        assert not made.exists() or not any(made.iterdir())


# -- signals -------------------------------------------------------------------------------------


# Exit codes and what is written to standard error.
ANSWERS = {
    signal.SIGTERM: [
        (cli.EXIT_TERMINATED, "kpm-fast: terminated\n"),
        (-signal.SIGTERM, ""),  # between two commands
    ],
    signal.SIGINT: [
        (cli.EXIT_INTERRUPTED, "kpm-fast: interrupted\n"),
        (cli.EXIT_INTERRUPTED, ""),  # inside the search: the best clearing so far is written
    ],
}


@pytest.mark.parametrize("blow", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_killed_while_it_writes(blow: signal.Signals, book: Path, tmp_path: Path) -> None:
    """Each file is whole, old or new; a mixture is marked; only SIGKILL leaves temporary files.

    The command writes the same folder again and again; the signal comes at a random moment after
    the package is imported. The command prints its one line, or nothing if it had no time to.
    """
    target = tmp_path / "made"
    program = (
        "import sys\n"
        "from kpm_fast.cli import command as cli\nprint('ready', flush=True)\n"
        "code = cli.main(sys.argv[1:])\nprint('once', flush=True)\n"
        "while code == 0: code = cli.main(sys.argv[1:])\n"
        "sys.exit(code)"
    )
    options = ["--risk-aversion", "0.001", "--inventory", "300,0,0"]
    expected = {}
    for name, more in (("old", []), ("new", options)):
        folder = tmp_path / name
        assert run("clear", book, "--quiet", "--output", folder, *more).returncode == 0
        expected[name] = contents(folder)
    tables = [name for name in TABLES if name != "result.json"]  # it holds the time taken
    assert all(expected["old"][name] != expected["new"][name] for name in tables)
    moments, codes = random.Random(int(blow)), []
    for _ in range(fewer(6, 4)):
        assert run("clear", book, "--quiet", "--output", target).returncode == 0
        arguments = ["clear", str(book), "--quiet", "--output", str(target), *options]
        with start_program(program, *arguments) as running:
            assert running.stdout is not None
            for _ in range(moments.choice([1, 2])):  # ready, once
                running.stdout.readline()
            time.sleep(moments.uniform(0, 0.2))
            running.send_signal(blow)
            _, err = running.communicate()
        found = contents(target)
        marked = found.pop(staging.MARKER, None) is not None
        litter = [name for name in found if name.endswith(".tmp")]
        for name in litter:
            del found[name]
            (target / name).unlink()
        assert set(found) == set(TABLES)
        status = json.loads(found["result.json"])["status"]
        versions = {
            next((age for age, files in expected.items() if files[name] == found[name]), "best yet")
            for name in tables
        }
        # Ctrl-C inside the search is answered with the best clearing that it had found.
        assert "best yet" not in versions or (blow is signal.SIGINT and status == "interrupted")
        if blow is signal.SIGKILL:
            assert running.returncode == -signal.SIGKILL
            continue
        assert litter == []
        assert marked or len(versions) == 1
        if running.returncode == -signal.SIGINT:
            # Between two commands, or while arguments are read: Python's own KeyboardInterrupt.
            assert err.endswith("\nKeyboardInterrupt\n")
        else:
            assert (running.returncode, err) in ANSWERS[blow]
        codes.append(running.returncode)
    # Some signals came while a command was running.
    assert blow is signal.SIGKILL or max(codes) > 0


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file that cannot be read")
@pytest.mark.parametrize("command", ["clear", "verify", "quotes", "report"])
def test_a_file_that_cannot_be_read_is_named(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([command, "/proc/self/mem"]) == cli.EXIT_INPUT
    assert capsys.readouterr().err.startswith("kpm-fast: /proc/self/mem: ")


@linux
@pytest.mark.parametrize("read", [kpm.load_result, kpm.Orders.from_csv, kpm.read_book])
def test_what_has_no_end_or_never_opens_is_not_read(
    read: Callable[[str], object], tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in ("/dev/zero", str(pipe)):
        with pytest.raises(kpm.InputError) as caught:
            read(path)
        assert str(caught.value) == (
            f"{path}: is neither a folder nor a regular file, such as a pipe, which is read but "
            "once; pipe it into /dev/stdin (kpm-fast: -)"
        )


@pytest.mark.parametrize("flags", [["-O"], ["-OO"], ["-W", "error"]])
def test_without_assertions_without_docstrings_and_without_warnings(
    flags: list[str], book: Path
) -> None:
    for words in (["--help"], ["clear", "--help"], ["clear", book, "--verify"], ["advise", book]):
        done = run_command([sys.executable, *flags, "-m", "kpm_fast", *words])
        assert (done.returncode, done.stderr) == (0, "")
        assert "--help" not in words or "Exit codes: 0 cleared to optimality;" in done.stdout


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_no_book(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path(os.devnull)):
        for command in ("clear", "quotes"):
            done = run(command, path)
            assert_one_line(done, str(path), "is neither a folder nor a regular file")
