"""Labels: labelled data are matched to claims and states by name, never by position."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Ints, as_floats, check_complete, first
from ..entries import (
    composed,
    entries_of,
    identifier,
    is_a,
    is_frame,
    label_texts,
    repeated,
    table_columns,
)
from ..errors import InputError, brief, count_text, suggestion
from ..files.decimal_comma import pointed_column

__all__ = [
    "Named",
    "align",
    "check_labels",
    "check_same_claims",
    "claim_positions",
    "claims_of",
    "default_labels",
    "has_column",
    "has_labelled_rows",
    "in_pandas",
    "integer_claims",
    "integers_as_labels",
    "labelled_claims",
    "named_entries",
    "named_table",
    "reordering",
    "states_of",
    "unknown_label",
]

_MOST_STATES = 10_000_000  # that are only counted: arrays of more would not fit anywhere
_SHOWN = 8  # labels of a set in a message
#: Types without labels. (As a union they would be built anew at each use.)
_PLAIN = (np.ndarray, list, tuple)
_UNLABELLED = (*_PLAIN, int, float)


class Named(NamedTuple):
    """Entries with the labels they came with, or None where they had none."""

    entries: Any
    labels: tuple[str, ...] | None


class NamedTable(NamedTuple):
    """Rows of entries with the labels of rows and columns, or None where they had none."""

    entries: Any
    rows: tuple[str, ...] | None
    columns: tuple[str, ...] | None


# -- what comes with labels ---------------------------------------------------------------------


def named_entries(value: Any, field: str, axis: str = "state") -> Named:
    """Separate a vector's entries from its labels.

    A mapping, a pandas Series and an xarray with coordinates have labels; a table or data frame has
    them in the column ``axis``, or for pandas in its index, and the entries in the column
    ``field``. Arrays, lists, and the series of polars and pyarrow have none.

    Raises
    ------
    InputError
        If a label appears twice or is neither text nor a number, or a table lacks a column.
    """
    if isinstance(value, _PLAIN):
        return Named(value, None)
    value = in_pandas(value)
    if is_frame(value):
        return _from_table(value, field, axis)
    if isinstance(value, Mapping):
        if axis in value and field in value and _is_column(value[axis]):
            return _from_table(value, field, axis)
        return Named(list(value.values()), label_texts(value.keys(), field))
    if is_a(value, "pandas", "Series"):
        return Named(entries_of(value), label_texts(value.index, field))
    return Named(entries_of(value), None)


def _from_table(frame: Any, field: str, axis: str) -> Named:
    table = table_columns(frame)
    if field not in table:
        found = ", ".join(map(repr, table))
        raise InputError(f"a table must have a column {field!r}, found {found}", field=field)
    if axis in table:
        return Named(entries_of(table[field]), label_texts(entries_of(table[axis]), field))
    if is_a(frame, "pandas", "DataFrame"):
        return Named(entries_of(table[field]), label_texts(frame.index, field))
    raise InputError(f"a table must have a column {axis!r} with the labels", field=field)


def in_pandas(value: Any) -> Any:
    """Return an xarray with coordinates as pandas has it, with states in columns if it says so."""
    if not is_a(value, "xarray", "DataArray") or value.ndim not in (1, 2) or not value.indexes:
        return value
    return (value.T if value.ndim == 2 and value.dims[0] == "state" else value).to_pandas()


def has_column(value: Any, name: str, axis: str) -> bool:
    """Whether a value is a table by ``axis`` and has a column of that name."""
    if is_frame(value):
        return name in table_columns(value)
    return isinstance(value, Mapping) and _is_column(value.get(axis)) and name in value


def named_table(value: Any, field: str = "payoffs", *, comma: bool = False) -> NamedTable:
    """Separate the entries of a table from its labels: rows are claims, columns are states.

    The rows of a data frame or table are named by its column ``claim``, else for pandas by its
    index, and its other columns are states. A mapping gives for each claim its payoffs by state,
    a list of labelled vectors for claims without names. With ``comma``, numbers that are text have
    decimal commas.
    """
    labelled = has_labelled_rows(value)
    if isinstance(value, _PLAIN) and not labelled:
        return NamedTable(value, None, None)
    value = in_pandas(value)
    framed = is_frame(value)
    if framed or (isinstance(value, Mapping) and _is_column(value.get("claim"))):
        table = table_columns(value)
        rows = None
        if "claim" in table:
            rows = label_texts(entries_of(table.pop("claim")), "claims")
        elif is_a(value, "pandas", "DataFrame"):
            rows = label_texts(value.index, "claims")
        columns = label_texts(table, "states")
        read = (pointed_column(c, field) if comma else c for c in table.values())
        entries = [as_floats(column, field) for column in read]
        return NamedTable(np.array(entries).T, rows, columns)
    if isinstance(value, Mapping):
        rows = label_texts(value.keys(), "claims")
        return NamedTable(rows=rows, **_vectors(value.values(), rows, field, comma=comma))
    if labelled:
        return NamedTable(rows=None, **_vectors(value, range(len(value)), field, comma=comma))
    return NamedTable(entries_of(value), None, None)


def has_labelled_rows(value: Any) -> bool:
    """Whether a list holds vectors that have labels, such as rows of a data frame."""
    return isinstance(value, list | tuple) and any(
        type(row) not in _UNLABELLED
        and (isinstance(row, Mapping) or is_a(in_pandas(row), "pandas", "Series"))
        for row in value
    )


def _vectors(
    given: Iterable[Any], rows: Sequence[str | int], field: str, *, comma: bool
) -> dict[str, Any]:
    """Return the entries of vectors in one order of states, and its labels if any has some."""
    vectors = [named_entries(row, field) for row in given]
    if comma:
        vectors = [Named(pointed_column(v.entries, field), v.labels) for v in vectors]
    names = next((vector.labels for vector in vectors if vector.labels is not None), None)
    entries = [
        vector.entries if names is None else _reordered(vector, names, f"{field}[{row!r}]", "state")
        for row, vector in zip(rows, vectors, strict=True)
    ]
    return {"entries": entries, "columns": names}


def _is_column(value: Any) -> bool:
    """Whether a value is a column of entries, not an entry and not a mapping of them."""
    return hasattr(value, "__len__") and not isinstance(value, str | bytes | Mapping)


# -- alignment ----------------------------------------------------------------------------------


def align(value: Any, labels: Sequence[str], field: str, axis: str = "state") -> Any:
    """Return the entries of a vector in the order of ``labels``.

    Parameters
    ----------
    value : array_like, mapping, pandas.Series, or table
        Data without labels (arrays, lists, the series of polars and pyarrow) are in the order of
        ``labels`` already and are returned as they are. Other data are matched by label, however
        Unicode spells it; integers are labels by their digits.
    labels : sequence of str
    field, axis : str
        What is aligned, and to what (``"state"`` or ``"claim"``): for messages, and the names of
        a table's columns.

    Raises
    ------
    InputError
        If the labels are not the same set; both sets are shown.
    """
    if isinstance(value, _PLAIN):
        return value
    named = named_entries(value, field, axis)
    if named.labels is None or named.labels == tuple(labels):
        return named.entries
    return _reordered(named, labels, field, axis)


def _reordered(named: Named, labels: Sequence[str], field: str, axis: str) -> Any:
    if named.labels is None:
        raise InputError(f"has no labels of {axis}s, as others have: {_shown(labels)}", field=field)
    order = reordering(named.labels, labels, field, axis)
    if isinstance(named.entries, np.ndarray):
        return named.entries[order]
    return [named.entries[place] for place in order]


def reordering(own: Sequence[str], labels: Sequence[str], field: str, axis: str) -> list[int]:
    """Return for each of ``labels`` its place in ``own``, which must be the same set, each once."""
    again = repeated(own)
    if again is not None:
        place, before, spelling = again
        raise InputError(
            f"has {axis} {own[place]!r} twice, as {axis} {before + 1} and {place + 1}{spelling}",
            field=field,
        )
    places = {composed(label): position for position, label in enumerate(own)}
    wanted = [composed(label) for label in labels]
    missing = [label for label, key in zip(labels, wanted, strict=True) if key not in places]
    if missing or len(own) != len(labels):
        known = set(wanted)
        surplus = [label for label in own if composed(label) not in known]
        parts = []
        if missing:
            parts.append(f"lacks {axis} {missing[0]!r}{suggestion(missing[0], surplus)}")
        if surplus:
            parts.append(f"has {surplus[0]!r}, which is not a {axis}")
        raise InputError(
            f"{' and '.join(parts)}; its labels are {_shown(own)}, the {axis}s are "
            f"{_shown(labels)}"
            + (
                " (an array, as from .to_numpy(), is taken in order)"
                if own and all(map(_is_count, own)) and not set(own) & set(labels)
                else ""
            ),
            field=field,
        )
    return [places[key] for key in wanted]


def _is_count(label: str) -> bool:
    return label.isascii() and label.isdigit()


def _shown(labels: Sequence[str]) -> str:
    shown = ", ".join(map(repr, labels[:_SHOWN]))
    return f"{shown} and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else shown or "none"


# -- the labels of a market ---------------------------------------------------------------------


def default_labels(count: int) -> tuple[str, ...]:
    """Return ``"0"``, ``"1"``, ... ."""
    return _DEFAULT[:count] if count <= len(_DEFAULT) else tuple(map(str, range(count)))


_DEFAULT = tuple(map(str, range(256)))


def claims_of(market: Any) -> tuple[str, ...]:
    """Return the labels of a market's claims; anything else in its place is refused."""
    claims = getattr(market, "claims", None)
    if not isinstance(claims, tuple):
        raise InputError(f"must be a Market, got {type(market).__name__}", field="market")
    return claims


def states_of(value: Any, field: str = "states") -> tuple[tuple[str, ...], bool]:
    """Return the labels of states that are given as such, or by their number; and whether named."""
    value = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | bytearray):
        check_complete(value, field)
        return label_texts(value, field), True
    try:
        if isinstance(value, bool | np.timedelta64):  # to Python and NumPy they are integers
            raise TypeError
        count = operator.index(value)
    except TypeError:
        reason = f"must be labels or their number, got {brief(value)}"
        raise InputError(reason, field=field) from None
    if count > _MOST_STATES:
        raise InputError(f"must be at most {_MOST_STATES:,}, got {count_text(count)}", field=field)
    return default_labels(max(count, 0)), False


def check_labels(labels: Any, count: int, field: str) -> tuple[str, ...]:
    """Return the labels of a market's claims or states: distinct text, one for each."""
    if isinstance(labels, str):
        raise InputError(f"must be a sequence of labels, got the text {labels!r}", field=field)
    check_complete(labels, field)
    try:
        names = tuple(entries_of(labels))
    except TypeError:
        raise InputError(
            f"must be a sequence of labels, got {brief(labels)}", field=field
        ) from None
    if len(names) != count:
        axis = "rows" if field == "claims" else "columns"
        raise InputError(
            f"must have a label for each of {count} {axis} of payoffs, got {len(names)}",
            field=field,
        )
    for position, name in enumerate(names):
        if not isinstance(name, str) or not name or name != name.strip():
            raise InputError(
                f"must be text, not empty, without surrounding white space, got {brief(name)}",
                field=field,
                index=position,
            )
    return label_texts(names, field)


class ClaimPositions(NamedTuple):
    """The positions of a market's claims: by composed label, and by integers that are labels."""

    by_label: Mapping[str, int]
    by_integer: Mapping[int, int]
    ordinal: bool  # integers that are labels are their own positions
    all_integers: bool


@lru_cache(maxsize=64)
def claim_positions(claims: tuple[str, ...]) -> ClaimPositions:
    """Index the labels of a market, once."""
    by_label = {composed(label): place for place, label in enumerate(claims)}
    by_integer = {int(label): place for label, place in by_label.items() if _is_integer(label)}
    return ClaimPositions(
        by_label,
        by_integer,
        all(number == place for number, place in by_integer.items()),
        len(by_integer) == len(claims),
    )


def _is_integer(label: str) -> bool:
    # Text such as "007", which is not how an integer is written, is not the label of one.
    return len(label) < 20 and _is_count(label) and str(int(label)) == label


def check_same_claims(given: Sequence[str], own: Sequence[str], field: str) -> None:
    """Refuse other claims, or the same in another order, than a market has."""
    if list(map(composed, given)) != list(map(composed, own)):
        raise InputError(f"must have the claims {list(own)}, got {list(given)}", field=field)


def unknown_label(label: str, known: Sequence[str], axis: str = "claim") -> str:
    """Say that a market has no such claim (or state), and which one may have been meant."""
    close = suggestion(label, known)
    return f"the market has no {axis} {brief(label)}{close or f'; it has {_shown(known)}'}"


def integer_claims(codes: Ints, claims: tuple[str, ...]) -> Ints:
    """Return the positions of claims that were named by integers.

    They are positions, unless some are labels as well: then they are labels where only that is
    possible, and refused where both are and differ.
    """
    known = claim_positions(claims)
    if known.ordinal and (not len(codes) or codes.max() < len(claims)):
        return codes
    distinct = np.unique(codes).tolist()
    as_positions = not distinct or (distinct[0] >= 0 and distinct[-1] < len(claims))
    as_labels = all(number in known.by_integer for number in distinct)
    if as_positions and not known.all_integers and known.by_integer.keys().isdisjoint(distinct):
        return codes
    if as_labels and not as_positions:
        return np.array([known.by_integer[number] for number in codes.tolist()], dtype=np.int64)
    if as_labels and all(known.by_integer[number] == number for number in distinct):
        return codes
    wrong = next(
        number
        for number in distinct
        if number not in known.by_integer or known.by_integer[number] != number
    )
    row = int(np.flatnonzero(codes == wrong)[0])
    if not as_positions and not known.by_integer:
        wrong = next(n for n in distinct if not 0 <= n < len(claims))
        row = int(np.flatnonzero(codes == wrong)[0])
        raise InputError(
            f"no claim with index {wrong}: the market has {len(claims)} claims "
            "(pass text to mean labels)",
            field="claim",
            index=row,
        )
    raise InputError(
        f"{wrong} may mean an index or a label: this column has "
        f"{_shown(list(map(str, distinct)))}, the claims are {_shown(claims)}; pass text, or a "
        "frame together with market=, to mean labels",
        field="claim",
        index=row,
    )


def labelled_claims(codes: Ints, labels: tuple[str, ...], claims: tuple[str, ...]) -> Ints:
    """Return the positions of claims that were named by text: ``codes`` point into ``labels``."""
    by_label = claim_positions(claims).by_label
    places = np.array([by_label.get(composed(label), -1) for label in labels], dtype=np.int64)
    index: Ints = places[codes] if len(codes) else np.zeros(0, dtype=np.int64)
    row = first(index < 0)
    if row is not None:
        raise InputError(unknown_label(labels[codes[row]], claims), field="claim", index=row)
    return index


def integers_as_labels(column: Any, claims: tuple[str, ...]) -> Any:
    """Return a column of integers as text if all labels of a market are integers.

    Whatever holds them: NumPy's, Python's, or whole floats.
    """
    if not claim_positions(claims).all_integers:
        return column
    entries = entries_of(column)
    if isinstance(entries, str | bytes | Mapping) or not hasattr(entries, "__len__"):
        return column
    if isinstance(entries, np.ndarray) and entries.dtype.kind in "iu" and entries.ndim == 1:
        return list(map(str, entries.tolist()))
    if not all(map(_is_whole, entries)):
        return column
    return [identifier(entry, "claim", row) for row, entry in enumerate(entries)]


def _is_whole(entry: Any) -> bool:
    """Whether an entry is an integer, or a float that is one."""
    if isinstance(entry, float | np.floating):
        return float(entry).is_integer()
    # To Python and NumPy truth values and durations are integers.
    return isinstance(entry, Integral) and not isinstance(entry, bool | np.timedelta64)
