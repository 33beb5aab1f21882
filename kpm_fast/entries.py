"""The entries of a column, whatever holds it: plain values, numbers and identifiers.

Lists, NumPy arrays, pandas, polars, pyarrow and CSV files are read by the same rules, so that a
book is the same whatever carried it.
"""

from __future__ import annotations

import math
import numbers
import re
import sys
import unicodedata
from collections.abc import Iterable, KeysView, Mapping, Sequence, ValuesView
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np

from .errors import InputError, brief

__all__ = [
    "check_range",
    "clock_unit",
    "composed",
    "entries_of",
    "identifier",
    "is_a",
    "is_frame",
    "is_missing",
    "label_texts",
    "number",
    "plain_text",
    "repeated",
    "table_columns",
    "text_of",
    "type_of",
    "unwritable",
    "zone_of",
]

#: What is its own entries. (A union of types would be made anew for each question.)
_PLAIN = (np.ndarray, list, tuple, str, int, float)

#: Python's own ``float`` also takes ``2_0`` and the digits of every script.
_NUMBER = re.compile(
    r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:inf(?:inity)?)|[+-]?nan",
    re.ASCII | re.IGNORECASE,
)
_SURROGATE = re.compile("[\ud800-\udfff]")  # half of a character, of which there is no UTF-8
_ZERO = re.compile(r"[+-]?[0.]+(?:[eE].*)?", re.ASCII)


# -- containers ---------------------------------------------------------------------------------


def is_frame(value: Any) -> bool:
    """Whether a value is a data frame or a table of pandas, polars or pyarrow."""
    return (
        is_a(value, "pandas", "DataFrame")
        or is_a(value, "polars", "DataFrame", "LazyFrame")
        or is_a(value, "pyarrow", "Table", "RecordBatch")
    )


def is_a(value: Any, package: str, *names: str) -> bool:
    """Whether a value is of a class of a package, which need not be installed."""
    module = sys.modules.get(package)
    kinds = tuple(getattr(module, name) for name in names if hasattr(module, name))
    return bool(kinds) and isinstance(value, kinds)


def entries_of(column: Any) -> Any:
    """Return a column as a NumPy array or a list that holds every digit of it.

    What is no column of a known package comes back as it is.
    """
    if isinstance(column, _PLAIN):
        return column
    if is_a(column, "pandas", "Series", "Index"):
        return _pandas_entries(column)
    if is_a(column, "polars", "Series"):
        return _polars_entries(column)
    if is_a(column, "pyarrow", "Array", "ChunkedArray"):
        return _arrow_entries(column)
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(column, pandas.api.extensions.ExtensionArray):
        return _pandas_entries(pandas.Series(column))
    if hasattr(column, "__array__"):
        return np.asarray(column)
    if isinstance(column, range | KeysView | ValuesView):
        return list(column)
    return column


def table_columns(table: Any) -> dict[str, Any]:
    """Return the columns of a data frame, a table or a mapping by name, each name once."""
    if is_a(table, "polars", "LazyFrame"):
        table = table.collect()
    if is_a(table, "pandas", "DataFrame"):
        texts = label_texts(table.columns, "columns")
        return {text: table.iloc[:, place] for place, text in enumerate(texts)}
    if is_a(table, "pyarrow", "Table", "RecordBatch"):
        texts = label_texts(_arrow_names(table.schema), "columns")
        return dict(zip(texts, table.columns, strict=True))
    if is_frame(table) or isinstance(table, Mapping):
        names = list(table.keys() if isinstance(table, Mapping) else table.columns)
        return {
            text: table[name]
            for text, name in zip(label_texts(names, "columns"), names, strict=True)
        }
    raise InputError(
        "must be a pandas or polars data frame, a pyarrow table or a mapping of columns, "
        f"got {type(table).__name__}",
        field="frame",
    )


def label_texts(labels: Iterable[Any], field: str) -> tuple[str, ...]:
    """Return labels as text, each once."""
    texts = tuple(identifier(label, field, place) for place, label in enumerate(labels))
    again = repeated(texts)
    if again is not None:
        place, before, spelling = again
        raise InputError(
            f"must be distinct, "
            f"got {brief(texts[place])}, which index {before} has as well{spelling}",
            field=field,
            index=place,
        )
    return texts


def composed(label: str) -> str:
    """Return a label with its accents composed (Unicode's NFC), in which labels are compared.

    What keyboards and file systems write as one character or as a letter and an accent is the same
    text to its reader, and the same label; each is kept and shown as it came.
    """
    return label if label.isascii() else unicodedata.normalize("NFC", label)


def repeated(labels: Sequence[str]) -> tuple[int, int, str] | None:
    """Return the place of the first label that came before, and its place there, or None.

    With them comes what a message adds where the two look the same and are spelled differently.
    """
    if len(set(map(composed, labels))) == len(labels):
        return None
    seen: dict[str, int] = {}
    for place, label in enumerate(labels):
        before = seen.setdefault(composed(label), place)
        if before != place:
            other = labels[before]
            spelling = f" (spelled {other!a} there, {label!a} here)" if other != label else ""
            return place, before, spelling
    return None


def _pandas_entries(column: Any) -> Any:
    kind = column.dtype
    if isinstance(kind, np.dtype):
        return column.to_numpy()
    name = type(kind).__name__
    if name == "CategoricalDtype":
        codes = np.asarray(column.cat.codes if hasattr(column, "cat") else column.codes)
        values = entries_of(kind.categories)
        if len(codes) and codes.min() < 0:  # missing
            table = np.empty(len(values) + 1, dtype=object)
            table[:-1] = list(values)  # of times in nanoseconds NumPy would make integers
            return table.take(codes)
        return np.asarray(values, None if isinstance(values, np.ndarray) else object).take(codes)
    if name == "DatetimeTZDtype":
        naive = column.dt if hasattr(column, "dt") else column
        utc = naive.tz_convert("UTC")
        return (utc.dt if hasattr(utc, "dt") else utc).tz_localize(None).to_numpy()
    if name == "ArrowDtype":
        return _arrow_entries(column.array.__arrow_array__())
    whole = getattr(kind, "numpy_dtype", None)
    if isinstance(whole, np.dtype) and whole.kind in "biuf" and not column.isna().any():
        return column.to_numpy(dtype=whole)
    if name == "StringDtype":
        try:
            return column.to_numpy()
        except MemoryError:
            raise
        except Exception:  # pyarrow, which may hold it, has an error of its own for bad text
            return _arrow_entries(column.array.__arrow_array__())
    return column.to_numpy(dtype=object)


def _polars_entries(column: Any) -> Any:
    kind = column.dtype
    name = str(getattr(kind, "base_type", lambda: kind)())
    if name in ("Datetime", "Date", "Duration"):
        return column.to_numpy()
    if name == "Time":  # as Python's own it would lose its nanoseconds
        return column.to_physical().cast(sys.modules["polars"].Duration("ns")).to_numpy()
    plain = kind.is_float() or (kind.is_integer() and "128" not in name) or name == "Boolean"
    if plain and not column.null_count():
        return column.to_numpy()
    return column.to_list()


def _arrow_entries(column: Any) -> Any:
    types = sys.modules["pyarrow"].types
    kind = column.type
    if types.is_dictionary(kind):
        return _arrow_entries(column.cast(kind.value_type))
    if types.is_time(kind):
        counts = column.cast("int64" if types.is_time64(kind) else "int32").cast("int64")
        return _arrow_entries(counts.cast(sys.modules["pyarrow"].duration(kind.unit)))
    plain = types.is_integer(kind) or types.is_boolean(kind)
    timed = types.is_timestamp(kind) or types.is_duration(kind) or types.is_date(kind)
    if types.is_floating(kind) or timed or (plain and not column.null_count):
        whole = column.combine_chunks() if hasattr(column, "combine_chunks") else column
        return whole.to_numpy(zero_copy_only=False)
    try:
        return column.to_pylist()
    except UnicodeDecodeError:
        return list(map(_arrow_entry, column))


def _arrow_entry(scalar: Any) -> Any:
    """Return an entry of a column of text, of which pyarrow checks nothing; bytes if it is none.

    Whatever reads the column refuses these, and knows its name.
    """
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return scalar.as_buffer().to_pybytes() if hasattr(scalar, "as_buffer") else scalar


def _arrow_names(schema: Any) -> list[str]:
    """Return the names of columns, which pyarrow does not check either."""
    try:
        return list(schema.names)
    except UnicodeDecodeError as error:
        raise InputError(f"must be UTF-8, got {brief(error.object)}", field="columns") from None


def zone_of(column: Any) -> str | None:
    """Say what :func:`entries_of` leaves out of a column of times.

    ``"zone"``: they have a zone, and come as UTC. ``"clock"``: they are times of day, and come as
    durations since midnight, in counts of which a second has :func:`clock_unit`.
    """
    kind = type_of(column)
    if getattr(kind, "tz", None) is not None or getattr(kind, "time_zone", None) is not None:
        return "zone"
    return "clock" if clock_unit(kind) else None


def type_of(column: Any) -> Any:
    """Return the type of a column of pandas, polars or pyarrow, or None."""
    kind = getattr(column, "dtype", None)
    kind = getattr(column, "type", None) if kind is None else kind
    return getattr(kind, "pyarrow_dtype", kind)


def clock_unit(kind: Any) -> int | None:
    """Return how many of a type's counts a second has, if it is one of times of day."""
    if type(kind).__module__.startswith("polars"):
        return 10**9 if str(kind) == "Time" else None
    if type(kind).__module__.startswith("pyarrow") and str(kind).startswith(("time32", "time64")):
        return {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}.get(getattr(kind, "unit", ""))
    return None


# -- entries ------------------------------------------------------------------------------------


def is_missing(value: Any) -> bool:
    """Whether a value is None, NaN or NaT, or the NA of pandas, which equals nothing."""
    if value is None or type(value).__name__ == "MaskedConstant":
        return True
    try:
        return bool(value != value)
    except (TypeError, ArithmeticError):  # of pandas; a signalling NaN
        return True
    except Exception:  # an array, or a series: each package has errors of its own
        return False


def plain_text(value: Any) -> str:
    """Return text as ``str``; bytes are UTF-8."""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"must be UTF-8, got {brief(value)}") from error
    return text_of(value) if isinstance(value, str) else str(value)


def text_of(value: str) -> str:
    """Return text as ``str`` itself: of an enumeration's members ``str`` would give the name."""
    return value if type(value) is str else str.__str__(value)


def number(value: Any) -> float:
    """Return an entry as a double; NaN if it is missing.

    Raises
    ------
    ValueError
        Saying what is wrong, with the value.
    """
    if isinstance(value, str | bytes):
        return _spelled(plain_text(value))
    if isinstance(value, list | tuple | set | dict | complex | np.datetime64 | np.timedelta64):
        raise ValueError(f"must be numbers, got {brief(value)}")
    if is_missing(value):
        return math.nan
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"must be numbers, got {brief(value)}") from None
    check_range(value, result)
    return result


def check_range(value: Any, double: float) -> None:
    """Refuse a number of a longer type of which a double keeps nothing.

    Raises
    ------
    ValueError
        Saying at which end of the range of doubles it is.
    """
    if math.isinf(double) and value != double:
        raise ValueError(f"is beyond the range of a double, got {brief(value)}")
    if double == 0 and value != 0:
        raise ValueError(f"is too small for a double, got {brief(value)}")


def _spelled(text: str) -> float:
    spelling = text.strip()
    if _NUMBER.fullmatch(spelling) is None:
        raise ValueError(f"must be numbers, got {brief(text)}")
    result = float(spelling)
    if math.isinf(result) and spelling.lstrip("+-")[0] not in "iI":
        raise ValueError(f"is beyond the range of a double, got {brief(text)}")
    if result == 0 and _ZERO.fullmatch(spelling) is None:
        raise ValueError(f"is too small for a double, got {brief(text)}")
    return result


def unwritable(texts: Sequence[str]) -> int | None:
    """Return the place of the first text that no file can hold, or None."""
    if "".join(texts).isascii():
        return None
    return next((place for place, text in enumerate(texts) if _SURROGATE.search(text)), None)


def identifier(value: Any, field: str, index: int) -> str:
    """Return an identifier or a label as text.

    Text and bytes are taken as they are, integers by their digits; so are floats that are whole,
    as pandas makes integers of a column that had a gap, while all their digits are certain.

    Raises
    ------
    InputError
        For anything else, missing entries included.
    """
    if isinstance(value, str):
        if unwritable([value]) is not None:
            raise InputError(
                f"must not contain half a surrogate pair, which UTF-8 cannot hold, got {value!a}",
                field=field,
                index=index,
            )
        return text_of(value)
    if is_missing(value):
        raise InputError(f"is missing, got {value}", field=field, index=index)
    if isinstance(value, bytes):
        try:
            return plain_text(value)
        except ValueError as error:
            raise InputError(str(error), field=field, index=index) from None
    # To NumPy a duration is an integer.
    if not isinstance(value, bool | np.bool_ | np.timedelta64):
        if isinstance(value, numbers.Integral | UUID):
            try:
                return str(value if isinstance(value, UUID) else int(value))
            except ValueError:  # Python's limit, as against attacks by their conversion
                reason = f"has too many digits, got {brief(value)}: give it as text"
                raise InputError(reason, field=field, index=index) from None
        if isinstance(value, float | np.floating):
            bits = 53 if isinstance(value, float) else int(np.finfo(value).nmant) + 1
            # From here on it may be the rounded form of another integer.
            if not abs(float(value)) < 2.0**bits:
                raise InputError(
                    f"a float this large may have lost digits, "
                    f"got {brief(value)}: give identifiers as "
                    "text or integers",
                    field=field,
                    index=index,
                )
            return str(int(value)) if value == int(value) else str(value)
        if isinstance(value, Decimal) and value.is_finite():
            whole = value == value.to_integral_value()
            return str(int(value)) if whole and value.adjusted() < 400 else str(value)
    raise InputError(f"must be text or a number, got {brief(value)}", field=field, index=index)
