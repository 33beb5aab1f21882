"""A figure that a notebook displays. Imports matplotlib, so it is imported where one is drawn."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

__all__ = ["Picture"]


class Picture(Figure):
    """A figure that shows itself as the value of a notebook's cell.

    A plain figure does so only if pyplot has been imported, which this package does not need.
    """

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        self.savefig(stream, format="png", dpi=100, metadata={"Software": None})
        return stream.getvalue()
