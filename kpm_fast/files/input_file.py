"""Files to read: regular ones, and pipes that this process has open, such as standard input."""

from __future__ import annotations

import io
import os
import stat
import threading
from pathlib import Path
from typing import cast

from ..errors import InputError

__all__ = [
    "STANDARD_INPUT",
    "check_regular",
    "is_input_file",
    "is_piped",
    "is_special",
    "open_input",
]

STANDARD_INPUT = "/dev/stdin"
_DESCRIPTORS = (Path("/dev/fd"), Path("/proc/self/fd"))


class _Pipe:
    """What comes through a pipe: a book is read in several passes, a pipe in one."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor  #: by which it was asked for last
        self._own = os.dup(descriptor)  # while this is open, the system gives no other its identity
        self._reading = threading.Lock()
        self._received: bytes | None = None

    def read(self, path: Path) -> bytes:
        """Return all bytes, once they have come."""
        with self._reading:
            if self._received is None:
                if self._own < 0:  # what had come is lost
                    raise InputError(
                        "was interrupted while it was read; pipe it in anew", file=path
                    )
                try:
                    with open(self._own, "rb", closefd=False) as stream:
                        self._received = stream.read()
                finally:
                    if self._received is None:
                        self._close()
            return self._received

    def leave(self) -> bool:
        """Close it if nobody reads it now; return whether it is closed."""
        if self._received is not None:
            self._close()
        return self._own < 0

    def _close(self) -> None:
        own, self._own = self._own, -1
        os.close(own)


#: The pipes that were asked for and are still open, by their identity.
_PIPES: dict[tuple[int, int] | None, _Pipe] = {}
_LOOKING_UP = threading.Lock()


def open_input(path: Path) -> io.BufferedReader:
    """Open a file to read its bytes from the first on, those of a pipe once all have come.

    Raises
    ------
    InputError
        If it is a pipe that is not open yet or whose reading was interrupted, or a device.
    OSError
        If it cannot be read; a folder is refused so by the system.
    """
    descriptor = _pipe(path)
    if descriptor is None:
        check_regular(path)
        return path.open("rb")
    received = _pipe_of(descriptor).read(path)
    return io.BufferedReader(cast("io.RawIOBase", io.BytesIO(received)))


def _pipe_of(descriptor: int) -> _Pipe:
    """Return an open pipe; forget those that the program has closed meanwhile."""
    with _LOOKING_UP:
        identity = _identity(descriptor)
        for other, pipe in list(_PIPES.items()):
            if other not in (identity, _identity(pipe.descriptor)) and pipe.leave():
                del _PIPES[other]
        if identity not in _PIPES:
            _PIPES[identity] = _Pipe(descriptor)
        found = _PIPES[identity]
        found.descriptor = descriptor
        return found


def _identity(descriptor: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(descriptor)
    except OSError:  # closed
        return None
    return status.st_dev, status.st_ino


def check_regular(path: Path) -> None:
    """Refuse to read a pipe, which may never open or have an end, and a device."""
    if is_special(path):
        raise InputError(
            "is neither a folder nor a regular file, such as a pipe, which is read but once; "
            f"pipe it into {STANDARD_INPUT} (kpm-fast: -)",
            file=path,
        )


def is_input_file(path: Path) -> bool:
    """Whether there is such a file, or such a pipe, that :func:`open_input` opens."""
    return path.is_file() or is_piped(path)


def is_piped(path: Path) -> bool:
    """Whether a path names a pipe that this process has open."""
    return _pipe(path) is not None


def is_special(path: Path) -> bool:
    """Whether a path is a device or a pipe."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _pipe(path: Path) -> int | None:
    """Return the descriptor of an open pipe: of standard input, or what a shell makes of <(...)."""
    if str(path) == STANDARD_INPUT:
        descriptor = 0
    elif path.parent in _DESCRIPTORS and path.name.isdecimal():
        descriptor = int(path.name)
    else:
        return None
    try:
        mode = os.fstat(descriptor).st_mode
    except (OSError, OverflowError):  # closed, or beyond the system's integers
        return None
    return descriptor if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) else None
