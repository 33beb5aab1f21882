"""Child processes of tests: none outlives its time limit, and Ctrl-C reaches each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from programs import TookTooLongError, run_command, run_program, start_program

posix = pytest.mark.skipif(os.name != "posix", reason="signals and process groups are POSIX")

# It prints the process number of its child, which would keep the pipes open for a minute.
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture(params=[signal.SIG_IGN, signal.default_int_handler], ids=["ignored", "default"])
def sigint(request: pytest.FixtureRequest) -> Iterator[object]:
    """What this process does about Ctrl-C while it starts a child."""
    before = signal.signal(signal.SIGINT, request.param)
    yield request.param
    signal.signal(signal.SIGINT, before)


def is_running(number: int) -> bool:
    """Whether there is such a process; one that has ended may take a moment to be gone."""
    give_up = time.monotonic() + 10
    while time.monotonic() < give_up:
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.01)
    return True


@posix
def test_ctrl_c_reaches_a_child_of_a_process_that_ignores_it(sigint: object) -> None:
    with start_program("import time; print('up', flush=True); time.sleep(60)") as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "up\n"
        program.send_signal(signal.SIGINT)
        _, err = program.communicate()
    assert err.endswith("KeyboardInterrupt\n")
    assert signal.getsignal(signal.SIGINT) is sigint


@posix
def test_a_child_is_killed_with_its_own_when_its_time_is_up() -> None:
    """Even where the test waits for a line that never comes; a slow start gets more time."""
    lines: list[str] = []

    def wait_for_ever(timeout: float) -> None:
        with start_program(PARENT, timeout=timeout) as program:
            assert program.stdout is not None
            lines.append(program.stdout.readline())
            assert program.stdout.readline() == "never printed"

    for timeout in (1, 4, 16, 64):
        with pytest.raises(TookTooLongError, match=rf"killed after {timeout} s: .*python"):
            wait_for_ever(timeout)
        if lines[-1]:
            break
    assert not is_running(int(lines[-1]))


@posix
def test_a_child_does_not_outlive_a_test_that_fails() -> None:
    programs: list[tuple[subprocess.Popen[str], int]] = []

    def fail() -> None:
        with start_program(PARENT) as program:
            assert program.stdout is not None
            programs.append((program, int(program.stdout.readline())))
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    ((program, grandchild),) = programs
    assert program.returncode == -signal.SIGKILL
    assert not is_running(grandchild)


def test_a_command_that_takes_too_long() -> None:
    with pytest.raises(TookTooLongError, match=r"killed after 0\.2 s"):
        run_command([sys.executable, "-c", "import time; time.sleep(60)"], timeout=0.2)


def test_the_output_of_a_failed_program_is_shown() -> None:
    assert run_program("import sys; print(sys.argv[1])", 7) == "7\n"
    with pytest.raises(AssertionError, match="no luck"):
        run_program("raise SystemExit('no luck')")
