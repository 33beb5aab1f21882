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

#: What came through each pipe, by its identity: a book is read in several passes, a pipe in one.
#: Nothing of one that is being read, or whose reading was interrupted: what had come is lost.
_RECEIVED: dict[tuple[int, int], bytes | None] = {}
_RECEIVING = threading.Lock()


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
    status = os.fstat(descriptor)
    with _RECEIVING:
        pipe = status.st_dev, status.st_ino
        if pipe not in _RECEIVED:
            _RECEIVED[pipe] = None
            with open(descriptor, "rb", closefd=False) as stream:
                _RECEIVED[pipe] = stream.read()
        received = _RECEIVED[pipe]
    if received is None:
        raise InputError("was interrupted while it was read; pipe it in anew", file=path)
    return io.BufferedReader(cast("io.RawIOBase", io.BytesIO(received)))


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
