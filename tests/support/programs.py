"""Children that tests start: programs and commands, none of which can outlive its test.

A child has a process group of its own, and the whole group is killed once its time is up or its
``with`` block ends: whatever a test waits for, a line, the end of a pipe or an exit code, comes to
an end. It starts with Python's default handling of Ctrl-C even where this process ignores SIGINT,
as everything does that a shell starts in the background, with ``nohup`` and ``&`` or as a worker
of pytest-xdist: an ignored signal would be inherited.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import pytest

import kpm_fast as kpm

LIFETIME = 600.0  # seconds, which only a fault can reach

_SUPPORT = Path(__file__).resolve().parent
_FOLDERS = (str(Path(kpm.__file__).resolve().parents[1]), str(_SUPPORT.parent), str(_SUPPORT))
_POSIX = os.name == "posix"
# A program ends itself if this process is killed while its children still run.
_LAST_RESORT = "import signal\nif hasattr(signal, 'alarm'): signal.alarm({seconds})\n"


class TookTooLongError(AssertionError):
    """A child was still running when its time was up."""


def environment() -> dict[str, str]:
    """The variables of a child: package and tests on its path, one thread for NumPy."""
    path = os.pathsep.join([*_FOLDERS, os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}


@contextlib.contextmanager
def start_command(
    command: Sequence[object],
    *,
    timeout: float = LIFETIME,
    text: bool = True,
    **options: Any,
) -> Iterator[subprocess.Popen[Any]]:
    """Start a command; its output and its errors are pipes unless ``options`` say otherwise."""
    settings: dict[str, Any] = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "env": environment(),
        "encoding": "utf-8" if text else None,
        **options,
    }
    words = [str(word) for word in command]
    with _sigint_is_passed_on():
        child = subprocess.Popen(words, start_new_session=_POSIX, **settings)
    expired = threading.Event()

    def end() -> None:
        expired.set()
        _kill(child)

    watchdog = threading.Timer(timeout, end)
    watchdog.daemon = True
    watchdog.start()
    try:
        yield child
    except Exception as error:
        if expired.is_set():  # the cause of whatever else went wrong
            raise TookTooLongError(_too_long(words, timeout)) from error
        raise
    finally:
        watchdog.cancel()
        watchdog.join()  # it may not kill once the child's number can be another's
        _kill(child)
        child.wait()
        for pipe in (child.stdin, child.stdout, child.stderr):
            _close(pipe)
    if expired.is_set():
        raise TookTooLongError(_too_long(words, timeout))


def run_command(
    command: Sequence[object], *, timeout: float = LIFETIME, text: bool = True, **options: Any
) -> subprocess.CompletedProcess[Any]:
    """Run a command to its end, whatever its exit code."""
    with start_command(command, timeout=timeout, text=text, **options) as child:
        out, err = child.communicate()
    return subprocess.CompletedProcess(child.args, child.returncode, out, err)


def start_program(
    text: str, *arguments: object, timeout: float = LIFETIME, **options: Any
) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    """Start a Python program given as text; its output and its errors are pipes of text."""
    text = _LAST_RESORT.format(seconds=int(timeout) + 60) + text
    command = [sys.executable, "-W", "ignore", "-c", text, *arguments]
    return start_command(command, timeout=timeout, **options)


def run_program(text: str, *arguments: object, timeout: float = LIFETIME, **options: Any) -> str:
    """Run a program; fail with its output unless it ends with code 0; return what it printed."""
    with start_program(text, *arguments, timeout=timeout, **options) as program:
        out, err = program.communicate()
    assert program.returncode == 0, (program.returncode, out, err[-2000:])
    return out


def c_compiler() -> str:
    """The C compiler that CC names, or ``cc``; skips the test where there is none."""
    compiler = shutil.which(os.environ.get("CC", "cc").split()[-1])
    if compiler is None:
        pytest.skip("no C compiler")
    return compiler


def kpm_fast_command(*arguments: object) -> list[str]:
    """The command line that runs ``kpm-fast`` in a process of its own."""
    return [sys.executable, "-m", "kpm_fast", *map(str, arguments)]


@contextlib.contextmanager
def _sigint_is_passed_on() -> Iterator[None]:
    """While a child is started: a signal that is handled here is the default one in the child."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _kill(child: subprocess.Popen[Any]) -> None:
    """Kill the child and all that it has started; a group that is gone is no error."""
    if not _POSIX:
        child.kill()
        return
    # PermissionError: what is left are zombies (macOS).
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _close(pipe: IO[Any] | None) -> None:
    if pipe is not None:
        with contextlib.suppress(BrokenPipeError):
            pipe.close()


def _too_long(words: Sequence[str], timeout: float) -> str:
    shown = " ".join(words)
    return f"killed after {timeout:g} s: {shown if len(shown) < 400 else shown[:400] + ' ...'}"
