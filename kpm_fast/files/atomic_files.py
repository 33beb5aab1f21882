"""Files that appear complete or not at all, whatever happens while they are written.

A file is written under a temporary name beside its destination, flushed to disk, and only then
renamed. A process killed before that leaves the destination as it was, and at worst a file
``.kpm-fast.*.tmp`` that nothing reads. Several files of one folder cannot be renamed at once: from
the first rename to the last a marker file stands in the folder.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, TextIO, TypeVar

from ..arrays import as_path
from ..errors import InputError
from .input_file import is_special

__all__ = [
    "MARKER",
    "check_finished",
    "naming_errors",
    "staged_binary",
    "staged_files",
    "staged_text",
]

_Stream = TypeVar("_Stream", bound=IO[Any])

#: Marks a folder whose files are being replaced, or were when the program died.
MARKER = "UNFINISHED"


@contextmanager
def staged_files(
    folder: str | os.PathLike[str], *, replaced: Iterable[str] = ()
) -> Iterator[Callable[[str], TextIO]]:
    """Write text files of one folder so that readers see all of them complete or none at all.

    Inside the block, ``open_file(name)`` opens a file. Only when the block ends without an
    exception are all of them renamed into place; otherwise they are removed and the folder is as
    before. Should the program die between two renames, a file ``UNFINISHED`` is left to say so.
    Files named in ``replaced`` are removed where they exist, after the renames.
    """
    folder = as_path(folder)
    with naming_errors(folder), ExitStack() as undo:
        _make_folder(folder, undo)
        staged: list[_Staged] = []

        def open_file(name: str) -> TextIO:
            staged.append(_Staged(folder / name, undo))
            return staged[-1].open_text()

        marker = folder / MARKER
        open_file(MARKER).write("The files of this folder were being replaced: write them again.\n")
        yield open_file
        _publish(folder, staged)
        for path in (folder / name for name in replaced):
            if path.is_file() or path.is_symlink():
                path.unlink()
        marker.unlink(missing_ok=True)
        undo.pop_all()


def staged_text(path: str | os.PathLike[str]) -> AbstractContextManager[TextIO]:
    """Write one text file that appears complete or not at all.

    A symbolic link is followed. A device or a pipe cannot be replaced and is written to directly.
    """
    return _staged_file(as_path(path), _Staged.open_text, _open_text)


def staged_binary(path: str | os.PathLike[str]) -> AbstractContextManager[BinaryIO]:
    """Write one binary file that appears complete or not at all, as :func:`staged_text`."""
    return _staged_file(as_path(path), _Staged.open, _open)


def check_finished(folder: Path) -> None:
    """Refuse a folder whose files were being replaced when the program died."""
    marker = folder / MARKER
    if marker.exists():
        raise InputError(
            "some files of this folder may be old and some new: a program that was replacing them "
            "has not finished; write them again",
            file=marker,
        )


@contextmanager
def _staged_file(
    path: Path, open_staged: Callable[[_Staged], _Stream], open_special: Callable[[Path], _Stream]
) -> Iterator[_Stream]:
    with naming_errors(path), ExitStack() as undo:
        if is_special(path):
            stream = open_special(path)
            with stream:
                yield stream
            return
        _make_folder(path.parent, undo)
        file = _Staged(path, undo)
        yield open_staged(file)
        _publish(file.target.parent, [file])
        undo.pop_all()


class _Staged:
    """One file on its way to its destination; ``undo`` discards it."""

    def __init__(self, path: Path, undo: ExitStack) -> None:
        self.target = path.resolve()  # a symbolic link stays one
        if self.target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        self.temporary = self.target.with_name(f".kpm-fast.{uuid.uuid4().hex}.tmp")
        self._streams: list[IO[Any]] = []  # the outermost last
        undo.callback(self._discard)

    def open(self) -> BinaryIO:
        with naming_errors(self.target, instead_of=self.temporary):
            stream = self.temporary.open("xb")
        self._streams.append(stream)
        return stream

    def open_text(self) -> TextIO:
        text = io.TextIOWrapper(self.open(), encoding="utf-8", newline="")
        self._streams.append(text)
        return text

    def finish(self) -> None:
        """Flush the file to disk under its temporary name, with the permissions of the old one."""
        with naming_errors(self.target):
            stream = self._streams[-1]
            stream.flush()
            os.fsync(stream.fileno())
            stream.close()
            if self.target.exists():
                self.temporary.chmod(stat.S_IMODE(self.target.stat().st_mode))

    def publish(self) -> None:
        with naming_errors(self.target, instead_of=self.temporary):
            self.temporary.replace(self.target)

    def _discard(self) -> None:
        for stream in reversed(self._streams):
            with suppress(OSError, ValueError):  # the file is discarded
                stream.close()
        self.temporary.unlink(missing_ok=True)


def _publish(folder: Path, staged: list[_Staged]) -> None:
    """Rename files in the order they were opened, once all of them are complete."""
    for file in staged:
        file.finish()
    for file in staged:
        file.publish()
    if os.name != "nt":  # Windows cannot open a folder
        with suppress(OSError):  # not every file system can; the files themselves are safe
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _open(path: Path) -> BinaryIO:
    return path.open("wb")


def _open_text(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="")


def _make_folder(folder: Path, undo: ExitStack) -> None:
    """Make a folder and its parents; ``undo`` removes those that are new and still empty."""

    def remove(path: Path) -> None:
        with suppress(OSError):
            path.rmdir()

    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        undo.callback(remove, path)
    folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def naming_errors(path: Path, instead_of: Path | None = None) -> Iterator[None]:
    """Name a file in system errors that name no file, or the temporary one."""
    try:
        yield
    except OSError as error:
        if error.filename is None or error.filename == str(instead_of):
            error.filename, error.filename2 = str(path), None
        raise
