"""Zstandard-compressed files, read by the standard library or by the package ``zstandard``."""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable
from typing import IO, Any

from ..errors import InputError

__all__ = ["open_zstandard"]

_CHUNK = 4096  # compressed bytes at a time: even a file of zeros takes up little memory


def open_zstandard(raw: io.BufferedReader, mode: str = "rb") -> IO[bytes]:
    """Open a compressed file for reading, as :func:`gzip.open` does.

    By the standard library from Python 3.14 on, else by the package ``zstandard``.

    Raises
    ------
    InputError
        If neither is there; it names the package.
    EOFError, OSError
        As the stream is read: if the data end too soon, or are damaged.
    """
    new, error = _decompressor(raw.name)
    return io.BufferedReader(_Frames(raw, new, error))


def _decompressor(path: str) -> tuple[Callable[[], Any], type[Exception]]:
    """Return a factory of decompressors of one frame, and the exception that they raise."""
    try:
        library = importlib.import_module("compression.zstd")
    except ImportError:
        pass
    else:
        return library.ZstdDecompressor, library.ZstdError
    try:
        package = importlib.import_module("zstandard")
    except ImportError:
        raise InputError(
            "is compressed with Zstandard, which needs Python 3.14 or the package zstandard "
            "(pip install zstandard); or decompress the file first",
            file=path,
        ) from None
    return package.ZstdDecompressor().decompressobj, package.ZstdError


class _Frames(io.RawIOBase):
    """The data of all frames, one after the other.

    The package's own streams do not notice that a file has been cut off.
    """

    def __init__(
        self, raw: io.BufferedReader, new: Callable[[], Any], error: type[Exception]
    ) -> None:
        self._raw = raw
        self._new = new
        self._error = error
        self._frame: Any = None
        self._compressed = b""  # read, not yet decompressed
        self._data = memoryview(b"")  # decompressed, not yet asked for

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._data:
            self._compressed = self._compressed or self._raw.read(_CHUNK)
            if not self._compressed:
                if self._frame is not None:
                    raise EOFError("it ends within a frame")
                return 0
            self._frame = self._frame or self._new()
            try:
                self._data = memoryview(self._frame.decompress(self._compressed))
            except self._error as error:
                raise OSError(str(error)) from error
            self._compressed = b""
            if self._frame.eof:
                self._compressed, self._frame = self._frame.unused_data, None
        size = min(len(buffer), len(self._data))
        buffer[:size] = self._data[:size]
        self._data = self._data[size:]
        return size
