"""A solver in a process of its own, asked for one thing at a time through a pipe.

So no library's threads, allocator or start-up disturb another's, and rounds still interleave: while
one process is asked, the others wait for their turn without using a processor. Times are taken
inside the process; the pipe costs nothing that counts.
"""

from __future__ import annotations

import importlib
import os
import pickle
import subprocess
import sys
import traceback
from types import TracebackType
from typing import Any, BinaryIO

from .processes import ROOT, one_thread

_GOODBYE = 10.0  # seconds


class SolverProcessError(RuntimeError):
    """An error in the other process."""


class SolverProcess:
    """An object that lives in another process; :meth:`ask` calls its methods.

    ``place`` is ``module:class`` in this folder; the object is made with ``arguments`` there. A
    context manager: leaving it ends the process.
    """

    def __init__(self, place: str, *arguments: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=ROOT,
            env=one_thread(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to: Any = self._process.stdin
        self._from: Any = self._process.stdout
        self._send((place, arguments))

    def __enter__(self) -> SolverProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._to.close()
            self._process.wait(timeout=_GOODBYE)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self._process.kill()
            self._process.wait()
        self._from.close()

    def ask(self, method: str, *arguments: Any) -> Any:
        """The answer of one method; SolverProcessError with its traceback where it raised."""
        self._send((method, arguments))
        try:
            failed, answer = pickle.load(self._from)
        except EOFError:
            raise self._ended() from None
        if failed:
            raise SolverProcessError(answer)
        return answer

    def _send(self, message: Any) -> None:
        try:
            pickle.dump(message, self._to)
            self._to.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def _ended(self) -> SolverProcessError:
        status = self._process.wait(timeout=_GOODBYE)
        return SolverProcessError(f"the process ended with exit status {status}")


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the other end closes."""
    place, arguments = pickle.load(requests)
    module, _, name = place.partition(":")
    served = getattr(importlib.import_module(f"{__package__}.{module}"), name)(*arguments)
    while True:
        try:
            method, values = pickle.load(requests)
        except EOFError:
            return
        try:
            answer = (False, getattr(served, method)(*values))
        except Exception:
            answer = (True, traceback.format_exc())
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)  # what libraries print must not get between the answers
        _serve(sys.stdin.buffer, output)
