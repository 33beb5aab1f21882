"""Results of finished tasks by the hash of their inputs, from which stopped work resumes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import closing
from types import TracebackType
from typing import Any

import numpy as np

from .. import _version
from ..arrays import as_path
from ..errors import InputError

__all__ = ["UNFINISHED", "Finished", "content_hash"]

#: Statuses of clearings that are not kept, because another run could give a better one.
UNFINISHED = ("time_limit", "interrupted")

_FORMAT = b"kpm-fast finished tasks 1"


def content_hash(parts: Iterable[Any]) -> str:
    """Return the hash of arrays, by type, shape and bytes, and of anything else, by its ``repr``.

    The release is part of it: another release may publish another of several optimal clearings.
    """
    digest = hashlib.blake2b(_FORMAT + _version.__version__.encode(), digest_size=20)
    for part in parts:
        if isinstance(part, np.ndarray):
            content = np.ascontiguousarray(part)
            head, body = f"{content.dtype.str}{content.shape}".encode(), content.tobytes()
        else:
            head, body = b"repr", repr(part).encode("utf-8", "surrogatepass")
        # The lengths keep the boundary between two parts unambiguous.
        digest.update(f"{len(head)},{len(body)};".encode())
        digest.update(head)
        digest.update(body)
    return digest.hexdigest()


class Finished:
    """A file of finished tasks, an SQLite database: a task is in it whole or not at all.

    Several programs may use one file at the same time. Without a path nothing is kept.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self._database: Any = None
        if path is None:
            return
        import sqlite3  # some builds of Python have none

        self._path = as_path(path, "resume")
        self._error = sqlite3.Error
        try:
            self._database = sqlite3.connect(self._path, timeout=60.0, isolation_level=None)
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS finished (hash TEXT PRIMARY KEY, content BLOB NOT NULL)"
            )
        except sqlite3.Error as error:
            self.close()
            raise self._fault(error) from error

    def __enter__(self) -> Finished:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __bool__(self) -> bool:
        return self._database is not None

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def get(self, key: str) -> bytes | None:
        """Return the result of a task, or None if it is not finished, or cannot be read."""
        if self._database is None:
            return None
        try:
            query = "SELECT content FROM finished WHERE hash = ?"
            with closing(self._database.execute(query, (key,))) as rows:
                row = rows.fetchone()
        except self._error as error:
            raise self._fault(error) from error
        # Another program may have put text there, which is no result.
        return row[0] if row is not None and isinstance(row[0], bytes) else None

    def put(self, key: str, content: bytes) -> None:
        """Keep the result of a task."""
        if self._database is None:
            return
        try:
            self._database.execute("INSERT OR REPLACE INTO finished VALUES (?, ?)", (key, content))
        except self._error as error:
            raise self._fault(error) from error

    def _fault(self, error: Exception) -> InputError:
        return InputError(
            f"cannot be used to keep finished tasks: {error}", field="resume", file=self._path
        )
