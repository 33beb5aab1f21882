"""A solver in a process of its own, asked for one thing at a time through a pipe.

So no library's threads, allocator or start-up disturb another's, and rounds still interleave: while
one process is asked, the others wait for their turn without using a processor. Times are taken
inside the process; the pipe costs nothing that counts.
"""

from __future__ import annotations

import os
import pickle
import pkgutil
import subprocess
import sys
import traceback
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
        self._to: Any = self._process.stdin
        self._from: Any = self._process.stdout
        self._send(place, arguments)

    def __enter__(self) -> SolverProcess:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._to.close()
            self._process.wait(timeout=_GOODBYE)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self._process.kill()
            self._process.wait()
        self._from.close()

    def ask(self, method: str, *arguments: Any) -> Any:
        """The answer of one method; SolverProcessError with its traceback where it raised."""
        try:
            self._send(method, arguments)
            failed, answer = pickle.load(self._from)
        except (BrokenPipeError, EOFError):
            status = self._process.wait(timeout=_GOODBYE)
            raise SolverProcessError(f"the process ended with exit status {status}") from None
        if failed:
            raise SolverProcessError(answer)
        return answer

    def _send(self, *message: Any) -> None:
        pickle.dump(message, self._to)
        self._to.flush()


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the other end closes."""
    place, arguments = pickle.load(requests)
    served = pkgutil.resolve_name(f"{__package__}.{place}")(*arguments)
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
