"""The times of orders, of any type that can be ordered, ranked exactly.

Only the order of times matters to a clearing, so nothing is rounded before it is ranked: decimals,
long integers, text with nine decimals and nanoseconds of data frames keep every digit.
"""

from __future__ import annotations

import datetime
import decimal
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats, first, flag_among, frozen
from ..entries import clock_unit, entries_of, is_missing, plain_text, type_of, zone_of
from ..errors import InputError, brief

__all__ = ["parse_times"]

_EXACT = 2.0**53  # from here on not every integer is a double
_DAY = 86_400
_EPOCH = datetime.date(1970, 1, 1).toordinal()
_COARSE = ("Y", "M", "W", "D", "h", "m")  # units of NumPy's whose text lacks seconds
_FIRST, _END = np.datetime64("0001-01-01", "D"), np.datetime64("10000-01-01", "D")

#: Decimals of fifteen digits at most, which doubles distinguish and reproduce.
_SHORT = re.compile(r"[+-]?(?:\d{1,15}|(?=[\d.]{2,16}\Z)(?:\d+\.\d*|\.\d+))", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
#: ISO 8601 and its variant in FIX; the date or the time of day may be missing.
_ISO = re.compile(
    r"(?:(?P<year>\d{4})-?(?P<month>\d\d)-?(?P<day>\d\d)(?:[Tt -]\s?(?=\d)|$))?"
    r"(?:(?P<hour>\d\d):?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?"
    r"\s?(?P<zone>[Zz]|UTC|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_KINDS = {
    "number": "a number",
    "naive": "a date and time without a zone",
    "zoned": "a date and time with a zone",
    "clock": "a time of day",
}
_WANTED = "must be numbers or times (ISO 8601)"


class Moment(NamedTuple):
    """One time: the key by which it is compared, and its only spelling."""

    kind: str
    key: Any
    text: str


def parse_times(column: Any, length: int) -> tuple[NDArray[Any], Floats]:
    """Return times as they are shown, and doubles in the same order to sort by.

    Numbers whose every digit a double keeps are shown as doubles, which are sorted by themselves.
    Any others make the whole column exact text: decimals, or ISO 8601, in UTC where they have a
    zone. Equal times have equal text.

    Raises
    ------
    InputError
        Naming an entry that is missing, is not a time, or is of another kind than the first.
    """
    entries = entries_of(column)
    if isinstance(entries, np.ndarray) and entries.ndim > 1:
        raise InputError(f"must be one-dimensional, got shape {entries.shape}", field="time")
    flag = flag_among(entries) if isinstance(entries, list | tuple) else None
    if flag is not None:  # NumPy would make a number of it
        raise InputError(f"{_WANTED}, got {brief(entries[flag])}", field="time", index=flag)
    zone = zone_of(column)
    fast = None if zone == "clock" else _datetimes(entries, "Z" if zone else "")
    fast = fast or _long_integers(entries)
    if fast is not None:
        return fast
    doubles = None if zone else _doubles(entries)
    if doubles is not None:
        if doubles.ndim > 1:
            raise InputError(f"must be one-dimensional, got shape {doubles.shape}", field="time")
        row = first(~np.isfinite(np.atleast_1d(doubles)))
        if row is not None:
            value = np.atleast_1d(doubles)[row]
            raise InputError(f"must be finite, got {value}", field="time", index=row)
        times = frozen(np.full(length, doubles) if doubles.ndim == 0 else doubles)
        return times, times
    scalar = not isinstance(entries, list | tuple) and np.ndim(entries) == 0
    moments = _moments([entries] if scalar else entries, zone, clock_unit(type_of(column)))
    if scalar:
        moments = moments * length
    return _ranked(moments)


def _doubles(entries: Any) -> Floats | None:
    """Return entries as doubles if that is sure to keep every digit."""
    if isinstance(entries, str | bytes):
        return None
    if isinstance(entries, list) and entries and type(entries[0]) is str:
        if set(map(type, entries)) == {str} and all(map(_SHORT.fullmatch, entries)):
            return np.array(list(map(float, entries)), dtype=np.float64) + 0.0  # no -0
        return None
    try:
        array = np.asarray(entries)
    except ValueError:
        return None
    if array.dtype.char in "efd":
        given = isinstance(entries, np.ndarray | float)
        values = array.astype(np.float64) + 0.0
        # NumPy converts integers among floats to floats.
        return values if given or np.abs(values).max(initial=0.0) < _EXACT else None
    if array.dtype.kind in "iu":
        values = array.astype(np.float64)
        return values if np.abs(values).max(initial=0.0) < _EXACT else None
    if array.size == 0 and array.ndim == 1:
        return np.zeros(0)
    return None


def _datetimes(entries: Any, zone: str) -> tuple[NDArray[Any], Floats] | None:
    """Read an array of NumPy's datetimes at once, if none is missing or out of range."""
    if not isinstance(entries, np.ndarray) or entries.dtype.kind != "M" or entries.ndim != 1:
        return None
    coarse = np.datetime_data(entries.dtype)[0] in _COARSE
    seconds = entries.astype("datetime64[s]")
    if not ((seconds >= _FIRST) & (seconds < _END)).all():  # NaT fails both comparisons
        return None
    # NumPy writes those of the other byte order as other moments.
    moments = seconds if coarse else entries.astype(entries.dtype.newbyteorder("="))
    texts = np.datetime_as_string(moments).tolist()
    if len(texts) and "." in texts[0]:
        texts = [text.rstrip("0").rstrip(".") for text in texts]
    shown = np.empty(len(texts), dtype=object)
    shown[:] = [text + zone for text in texts] if zone else texts
    return frozen(shown), _dense(moments.astype(np.int64))


def _long_integers(entries: Any) -> tuple[NDArray[Any], Floats] | None:
    """Read an array of integers at once if doubles do not hold them all."""
    if not isinstance(entries, np.ndarray) or entries.dtype.kind not in "iu" or entries.ndim != 1:
        return None
    if not any(_is_inexact(value) for value in entries[np.abs(entries * 1.0) >= _EXACT].tolist()):
        return None
    shown = np.empty(len(entries), dtype=object)
    shown[:] = list(map(str, entries.tolist()))
    return frozen(shown), _dense(entries)


def _is_inexact(value: int) -> bool:
    """Whether the shortest spelling of an integer's double is another number."""
    return Decimal(repr(float(value))) != value


def _dense(values: NDArray[Any]) -> Floats:
    """Return the rank of each value among the distinct ones."""
    ranks = np.unique(values, return_inverse=True)[1]
    return frozen(ranks.reshape(values.shape).astype(np.float64))


def _moments(entries: Any, zone: str | None, unit: int | None) -> list[Moment]:
    """Read each entry; all must be of one kind."""
    read = _reader(entries, zone, unit)
    moments: list[Moment] = []
    for row, entry in enumerate(entries):
        try:
            if is_missing(entry) or _is_nat(entry):
                raise ValueError(f"is missing, got {entry}")
            moment = read(entry)
        except ValueError as error:
            raise InputError(str(error), field="time", index=row) from None
        if moments and moment.kind != moments[0].kind:
            raise InputError(
                f"is {_KINDS[moment.kind]} where time[0] is {_KINDS[moments[0].kind]}, and those "
                f"have no order, got {entry!s}",
                field="time",
                index=row,
            )
        moments.append(moment)
    return moments


def _is_nat(entry: Any) -> bool:
    return isinstance(entry, np.datetime64 | np.timedelta64) and bool(np.isnat(entry))


def _ranked(moments: list[Moment]) -> tuple[NDArray[Any], Floats]:
    if moments and moments[0].kind == "number":
        doubles = np.array([float(moment.text) for moment in moments])
        if np.isfinite(doubles).all() and all(
            moment.text == _decimal_text(Decimal(repr(value)))
            for moment, value in zip(moments, doubles.tolist(), strict=True)
        ):
            return frozen(doubles), doubles
    order = {key: rank for rank, key in enumerate(sorted({moment.key for moment in moments}))}
    text = np.empty(len(moments), dtype=object)
    text[:] = [moment.text for moment in moments]
    priority = np.array([float(order[moment.key]) for moment in moments], dtype=np.float64)
    return frozen(text), frozen(priority)


# -- entries ------------------------------------------------------------------------------------


def _reader(entries: Any, zone: str | None, unit: int | None) -> Callable[[Any], Moment]:
    """Return the function that reads a column's entries."""
    if unit is not None and zone == "clock":
        width = len(str(unit)) - 1

        def of_midnight(duration: Any) -> Moment:
            seconds, rest = divmod(int(duration.astype(np.int64)), unit)
            return _clock(seconds, f"{rest:0{width}d}" if width else "")

        return of_midnight
    if zone == "zone":
        return lambda entry: _iso(_datetime64_text(entry) + "Z")
    return _moment


def _moment(entry: Any) -> Moment:
    """Read one entry of any kind."""
    if isinstance(entry, str | bytes):
        text = plain_text(entry).strip()
        if _DECIMAL.fullmatch(text):
            return _number(_decimal(text))
        return _iso(text)
    if isinstance(entry, np.datetime64):
        return _iso(_datetime64_text(entry))
    if isinstance(entry, np.timedelta64):
        return _number(_duration(entry))
    if isinstance(entry, datetime.timedelta):
        nanoseconds = getattr(entry, "nanoseconds", 0)  # of pandas
        whole = (entry.days * _DAY + entry.seconds) * 10**6 + entry.microseconds
        return _number(Decimal(whole * 1000 + nanoseconds).scaleb(-9, _context(30)))
    if isinstance(entry, datetime.datetime):
        return _datetime(entry)
    if isinstance(entry, datetime.date):
        return _iso(entry.isoformat())
    if isinstance(entry, datetime.time):
        if entry.tzinfo is not None:
            raise ValueError(f"a time of day with a zone has no order, got {entry}")
        return _iso(entry.isoformat())
    if isinstance(entry, int | np.integer) and not isinstance(entry, bool):
        return _number(Decimal(int(entry)))
    if isinstance(entry, np.longdouble):
        return _number(_decimal(np.format_float_scientific(entry, unique=True)))
    if isinstance(entry, float | np.floating):
        return _number(_decimal(repr(float(entry))))
    if isinstance(entry, Decimal):
        return _number(_decimal(str(entry)))
    if hasattr(entry, "start_time"):  # pandas' spans of time, which may overlap
        raise ValueError(
            f"is a span of time, got {brief(entry)}; give where it starts (series.dt.start_time)"
        )
    raise ValueError(f"{_WANTED}, got {brief(entry)}")


def _context(digits: int) -> decimal.Context:
    return decimal.Context(prec=max(digits, 1), Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)


def _decimal(text: str) -> Decimal:
    if _DECIMAL.fullmatch(text) is None:
        raise ValueError(f"must be finite, got {text}")
    try:
        return Decimal(text)
    except decimal.InvalidOperation:
        raise ValueError(f"is beyond the range of decimals, got {brief(text)}") from None


def _number(value: Decimal) -> Moment:
    text = _decimal_text(value)
    return Moment("number", value, text)


def _decimal_text(value: Decimal) -> str:
    """Spell a decimal without superfluous zeros."""
    if value == 0:
        return "0"
    digits = _context(len(value.as_tuple().digits))
    short = value.normalize(digits)
    exponent = short.as_tuple().exponent
    plain = isinstance(exponent, int) and 0 < exponent <= 30
    return format(short, "f") if plain else str(short)


def _duration(entry: np.timedelta64) -> Decimal:
    """Return a duration in seconds."""
    unit, step = np.datetime_data(entry.dtype)
    scales = {"W": 604_800, "D": _DAY, "h": 3600, "m": 60, "s": 1}
    count = int(entry.astype(np.int64)) * step
    if unit in scales:
        return Decimal(count * scales[unit])
    exponents = {"ms": -3, "us": -6, "ns": -9, "ps": -12, "fs": -15, "as": -18}
    if unit not in exponents:
        raise ValueError(f"{_WANTED}, got {brief(entry)}")
    return Decimal(count).scaleb(exponents[unit], _context(40))


def _datetime64_text(entry: Any) -> str:
    moment = np.datetime64(entry)
    if np.isnat(moment):
        raise ValueError(f"is missing, got {entry}")
    unit = np.datetime_data(moment.dtype)[0]
    return str(moment if unit not in _COARSE else moment.astype("datetime64[s]"))


def _datetime(entry: datetime.datetime) -> Moment:
    offset = entry.utcoffset()
    nanoseconds = getattr(entry, "nanosecond", 0)  # of pandas
    day = entry.toordinal() - _EPOCH
    seconds = ((day * 24 + entry.hour) * 60 + entry.minute) * 60 + entry.second
    microseconds = seconds * 10**6 + entry.microsecond
    if offset is not None:
        microseconds -= offset // datetime.timedelta(microseconds=1)
    seconds, rest = divmod(microseconds, 10**6)
    kind = "naive" if offset is None else "zoned"
    return _dated(kind, seconds, f"{rest:06d}{nanoseconds:03d}")


def _iso(text: str) -> Moment:
    """Read ISO 8601: a date, a date and time, with or without zone, or a time of day."""
    match = _ISO.fullmatch(text)
    if match is None or (match["year"] is None and ":" not in text):
        raise ValueError(f"{_WANTED}, got {brief(text)}")
    try:
        seconds = _clock_seconds(match["hour"], match["minute"], match["second"])
        fraction = match["fraction"] or ""
        if match["year"] is None:
            if match["zone"] is not None:
                raise ValueError("a time of day with a zone has no order")
            return _clock(seconds, fraction)
        seconds += _day_of(match["year"], match["month"], match["day"]) * _DAY
    except ValueError as error:
        raise ValueError(f"is not a time: {error}, got {brief(text)}") from None
    if match["zone"] is None:
        return _dated("naive", seconds, fraction)
    return _dated("zoned", seconds - _offset(match["zone"]), fraction)


# Cached, since many times are on few days and within few minutes.
@lru_cache(maxsize=4096)
def _day_of(year: str, month: str, day: str) -> int:
    """Return the days since 1970."""
    return datetime.date(int(year), int(month), int(day)).toordinal() - _EPOCH


@lru_cache(maxsize=4096)
def _date_text(day: int) -> str:
    return datetime.date.fromordinal(day + _EPOCH).isoformat()


@lru_cache(maxsize=4096)
def _clock_seconds(hour: str | None, minute: str | None, second: str | None) -> int:
    clock = datetime.time(int(hour or 0), int(minute or 0), int(second or 0))
    return (clock.hour * 60 + clock.minute) * 60 + clock.second


def _offset(zone: str) -> int:
    """Return the seconds by which a zone is ahead of UTC."""
    if zone[0] not in "+-":
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    seconds = (int(digits[:2]) * 60 + int(digits[2:])) * 60
    return -seconds if zone[0] == "-" else seconds


def _clock(seconds: int, fraction: str) -> Moment:
    rest = fraction.rstrip("0")
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return Moment("clock", (seconds, rest), f"{text}.{rest}" if rest else text)


def _dated(kind: str, seconds: int, fraction: str) -> Moment:
    day, within = divmod(seconds, _DAY)
    try:
        date = _date_text(day)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"is not a time: {error}") from None
    _, (_, rest), clock = _clock(within, fraction)
    return Moment(kind, (seconds, rest), f"{date}T{clock}{'Z' if kind == 'zoned' else ''}")
