"""The bytes of a snapshot: the core's book, the names of its orders, and a check of both."""

from __future__ import annotations

import zlib
from typing import Any

from ..errors import InputError

__all__ = ["damaged", "packed", "unpacked"]


def packed(book: bytes, names: bytes) -> bytes:
    """Return the two parts of a snapshot as one."""
    parts = len(book).to_bytes(8, "little") + book + names
    return parts + zlib.crc32(parts).to_bytes(4, "little")


def unpacked(snapshot: Any) -> tuple[bytes, bytes]:
    """Return the two parts that :func:`packed` joined.

    Raises
    ------
    InputError
        If they are not bytes, or damaged.
    """
    if not isinstance(snapshot, bytes):
        raise InputError(f"must be bytes, got {type(snapshot).__name__}", field="snapshot")
    parts, check = snapshot[:-4], snapshot[-4:]
    if zlib.crc32(parts).to_bytes(4, "little") != check:
        raise damaged()
    length = int.from_bytes(parts[:8], "little")
    return parts[8 : 8 + length], parts[8 + length :]


def damaged() -> InputError:
    """The error for bytes that hold no book."""
    return InputError("is not a snapshot of a book, or is damaged", field="snapshot")
