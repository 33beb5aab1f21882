"""Exceptions of the package.

Whatever is wrong with an input is an :class:`InputError`; a book too large to enumerate is
a :class:`TooManyCellsError`. Both are also a :class:`ValueError`, so callers who do not care
for the hierarchy can ignore it. Limits that stop a solve are not errors: see
:class:`kpm_fast.Status`.
"""

from __future__ import annotations

import difflib
import math
import os
import re
import reprlib
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = [
    "InputError",
    "KpmError",
    "MissingAttributeError",
    "MissingDependencyError",
    "TooManyCellsError",
    "VerificationError",
    "brief",
    "count_text",
    "index_text",
    "suggestion",
]

#: Exact counts of more digits than this are left out of messages (never of attributes).
_DIGITS_SHOWN = 48
_CLAIMS_SHOWN = 20


class KpmError(Exception):
    """Base of every exception that the package raises on purpose."""


class InputError(KpmError, ValueError):
    """An input that cannot be used; names the field and index, or file and line.

    Parameters
    ----------
    reason : str
        What is wrong, with the offending value.
    field : str, optional
        The argument or column at fault.
    index : int or str or tuple, optional
        The position in that field: a row, a label, or a pair of labels.
    file : path, optional
        The file the field was read from.
    line : int, optional
        The line in that file, from 1.

    Attributes
    ----------
    reason, field, index, file, line
        As given, for programs that want to point at the fault themselves.
    """

    def __init__(
        self,
        reason: str,
        *,
        field: str | None = None,
        index: int | str | tuple[str, ...] | None = None,
        file: str | os.PathLike[str] | None = None,
        line: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field
        self.index = index
        self.file = os.fspath(file) if file is not None else None
        self.line = line

    def located(self, file: str | os.PathLike[str], line: int | None = None) -> InputError:
        """Return a copy that says which line of which file the fault came from.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> error = kpm.InputError("must be a number, got 'x'", field="price", index=3)
        >>> print(error.located("orders.csv", 5))
        orders.csv, line 5: price: must be a number, got 'x'
        """
        return InputError(self.reason, field=self.field, index=self.index, file=file, line=line)

    def __str__(self) -> str:
        parts = []
        if self.file is not None:
            parts.append(self.file if self.line is None else f"{self.file}, line {self.line}")
        if self.field is not None:
            # A line already says where; an index beside it would only be a second numbering.
            parts.append(self.field + (index_text(self.index) if self.line is None else ""))
        return ": ".join([*parts, self.reason])

    def __repr__(self) -> str:
        where = ("field", "index", "file", "line")
        given = [f"{n}={v!r}" for n in where if (v := getattr(self, n)) is not None]
        return f"{type(self).__name__}({', '.join([repr(self.reason), *given])})"


class MissingAttributeError(InputError, AttributeError):
    """An attribute that a market's maker does not have: ``hasattr`` says that it is absent."""


class TooManyCellsError(KpmError, ValueError):
    """A book with more cells than the caller allowed to enumerate.

    Parameters
    ----------
    cells : int
        The exact number of cells, the product of the pieces.
    pieces : sequence of int
        Pieces of each claim's staircase.
    cell_limit : int
        The limit that was exceeded.
    claims : sequence of str
        Labels of the claims.
    """

    def __init__(
        self, cells: int, pieces: Sequence[int], cell_limit: int, claims: Sequence[str]
    ) -> None:
        self.cells = cells
        self.pieces = tuple(pieces)
        self.cell_limit = cell_limit
        self.claims = tuple(claims)
        super().__init__(self._message())

    def __reduce__(self) -> tuple[Any, ...]:
        return TooManyCellsError, (self.cells, self.pieces, self.cell_limit, self.claims)

    def _message(self) -> str:
        shown = [
            f"{claim} {count}"
            for claim, count in zip(self.claims[:_CLAIMS_SHOWN], self.pieces, strict=False)
        ]
        if len(self.claims) > _CLAIMS_SHOWN:
            shown.append(f"and {len(self.claims) - _CLAIMS_SHOWN} more claims")
        count = count_text(self.cells)
        if "e" in count and _digits(self.cells) <= _DIGITS_SHOWN:
            count = f"{count} (exactly {self.cells})"
        return (
            f"the book has {count} cells, more than the limit of {count_text(self.cell_limit)}, "
            "and enumeration may have to solve each; pieces per claim, whose product this is: "
            f"{', '.join(shown)}; raise cell_limit (--cell-limit), or thin the book "
            "(fewer claims, or fewer distinct limits per claim)"
        )


class MissingDependencyError(KpmError, ImportError):
    """An optional package that the request needs is not installed."""


class VerificationError(KpmError):
    """A result that does not stand up to :meth:`kpm_fast.Result.verify`."""


_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 120
_REPR.maxlong = 60


def brief(value: object) -> str:
    """Return a caller's value for a message: short and in one line, whatever its ``repr`` does."""
    try:
        text = _REPR.repr(value)
    except Exception:  # an integer of thousands of digits; an object whose repr fails
        digits = f" of {_digits(abs(value))} digits" if isinstance(value, int) else ""
        text = f"<{type(value).__qualname__}{digits}>"
    return re.sub(r"\s*\n\s*", " ", text)


def count_text(count: int) -> str:
    """Write a count for people: ``1,234,567`` in full, ``8.1e+28`` from 10**12 on.

    Works for integers of any size, also beyond the range of a double.
    """
    digits = _digits(count)
    if digits <= 12:
        return f"{count:,}"
    tenths = round(count / 10 ** (digits - 2)) if digits < 300 else count // 10 ** (digits - 2)
    if tenths == 100:
        tenths, digits = 10, digits + 1
    return f"{tenths // 10}.{tenths % 10}e+{digits - 1}"


def _digits(count: int) -> int:
    """Return the number of decimal digits of a non-negative integer."""
    if count < 10:
        return 1
    digits = int(math.log10(count))  # may be one off next to a power of ten
    return digits + int(count >= 10**digits) + int(count >= 10 ** (digits + 1))


def index_text(index: int | str | tuple[str, ...] | None) -> str:
    """Write an index as it follows the name of its field, or nothing."""
    if index is None:
        return ""
    if isinstance(index, tuple):
        return "[" + ", ".join(repr(label) for label in index) + "]"
    return f"[{index!r}]"


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return ``": did you mean 'home'?"`` for a name that looks like a known one, or ``""``.

    Case, spaces, hyphens and underscores do not count.
    """
    plain = {_plain(other): other for other in known}
    close = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=0.7)
    return f": did you mean {plain[close[0]]!r}?" if close else ""


def _plain(name: str) -> str:
    return name.strip().casefold().replace(" ", "_").replace("-", "_")
