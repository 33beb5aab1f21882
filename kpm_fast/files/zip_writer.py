"""Zip archives as they are written: complete, or not at all."""

from __future__ import annotations

import zipfile
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ZipWriter"]


class ZipWriter(zipfile.ZipFile):
    """Writes an archive whose stream is discarded where it does not become complete.

    ``ZipFile`` completes an archive after any exception, and once more as an object that nobody
    closed. Where Ctrl-C came while an entry was open, that raises a ``ValueError`` in its place.
    """

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()

    def __del__(self) -> None:
        """Leave an archive as it is."""

    def write_array(self, entry: str | zipfile.ZipInfo, array: NDArray[Any]) -> None:
        """Write an array in NumPy's format."""
        with self.open(entry, "w", force_zip64=True) as stream:
            np.lib.format.write_array(stream, array, version=(1, 0), allow_pickle=False)
