"""Many books as tasks of an executor: split, hashed, cleared, and joined."""

from __future__ import annotations

import io
import json
import math
import os
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, as_completed
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..arrays import frozen
from ..errors import InputError, brief
from ..files.array_file import read_array
from ..files.zip_writer import ZipWriter
from ..model.batch import FIGURES, Batch
from ..model.maker_model import maker_model
from ..storage.finished import UNFINISHED, Finished, content_hash

__all__ = ["check_executor", "clear_in_chunks"]

#: Least and most seconds of work in a task: an executor's overhead for one is milliseconds.
_SECONDS = (0.2, 1.0)
_TASKS = 64  # as many are enough to keep the workers of a large executor busy to the end
_SAMPLE_ORDERS, _SAMPLE_BOOKS = 2_000, 64

_BY_BOOK = ("status", *FIGURES)
_FLAT = ("fills", "_claim_prices", "_state_prices", "_payoff")
_OFFSETS = ("first", "_claim_first", "_state_first")

_Columns = dict[str, Any]
_Task = Callable[[_Columns, dict[str, Any], "_core.StopFlag | None"], Batch]
_LOOK = 0.01  # seconds from one look at a token to the next, while tasks are awaited


def check_executor(executor: Any) -> None:
    """Refuse anything but an executor, such as a number of workers or a class of executors."""
    submits = callable(getattr(executor, "submit", None)) and not isinstance(executor, type)
    if executor is not None and not submits:
        raise InputError(
            f"must be an executor, which has submit(), got {brief(executor)}", field="executor"
        )


def clear_in_chunks(
    task: _Task,
    columns: _Columns,
    options: dict[str, Any],
    executor: Executor | None,
    resume: str | os.PathLike[str] | None,
    stop: _core.StopFlag | None,
) -> Batch:
    """Clear the books of ``columns`` in chunks, with the same result as clearing them at once.

    Parameters
    ----------
    task : callable
        ``task(columns, options, stop)`` clears a chunk; an executor finds it by its name and
        gives it no flag, which other processes could not see.
    columns : dict
        As :func:`kpm_fast.clear_many` makes them.
    options : dict
        As of :func:`kpm_fast.clear_many`.
    executor : Executor or None
        None: here, one chunk after the other. Ctrl-C is raised only where there is one.
    resume : path or None
        The file of finished chunks.
    stop : StopFlag or None
        Once it is set, no chunk is begun.
    """
    with Finished(resume) as finished:
        if executor is None:
            parts = _cleared_here(task, columns, options, finished, stop)
        else:
            parts = _cleared_there(task, columns, options, executor, finished, stop)
    return _joined(parts, columns)


def _cleared_here(
    task: _Task,
    columns: _Columns,
    options: dict[str, Any],
    finished: Finished,
    stop: _core.StopFlag | None,
) -> list[Batch]:
    """Clear one chunk after the other until all are done, or one was stopped.

    Ctrl-C ends it as it ends one call of the core: the core notices it inside of a chunk, Python
    between two of them.
    """
    count = len(columns["first"]) - 1
    parts: list[Batch] = []
    try:
        sample = _sample(task, columns, options, finished, stop)
        parts.append(sample[0])
        for bounds in _bounds(columns, sample, finished, options):
            if _is_cut(parts[-1]):
                break
            parts.append(_done_here(task, columns, bounds, options, finished, stop)[0])
    except KeyboardInterrupt:
        pass
    begun = sum(map(len, parts))
    if begun < count or not parts:
        raised = _core.StopFlag()
        raised.set()
        parts.append(task(_chunk(columns, begun, count), options, raised))
    return parts


def _cleared_there(
    task: _Task,
    columns: _Columns,
    options: dict[str, Any],
    executor: Executor,
    finished: Finished,
    stop: _core.StopFlag | None,
) -> list[Batch]:
    """Give all chunks but the first to an executor."""
    sample = _sample(task, columns, options, finished, stop)
    if _is_cut(sample[0]) and not _is_set(stop):
        raise KeyboardInterrupt  # which the core noticed
    parts = {0: sample[0]}
    bounds = dict(_bounds(columns, sample, finished, options))
    waiting: dict[Future[Batch], tuple[int, str]] = {}
    try:
        for first, last in bounds.items():
            if _is_set(stop):
                parts[first], _ = _done_here(task, columns, (first, last), options, finished, stop)
                continue
            chunk = _chunk(columns, first, last)
            key = _key(chunk, options) if finished else ""
            kept = _unpacked(finished.get(key))
            if kept is not None:
                parts[first] = kept
            else:
                future = executor.submit(task, chunk, {**options, "threads": 1}, None)
                waiting[future] = first, key
        for future in _completed(waiting, stop):
            first, key = waiting.pop(future)
            if _is_set(stop) and future.cancelled():  # nothing of it was begun: the core says so
                batch = task(_chunk(columns, first, bounds[first]), options, stop)
            else:
                batch = future.result()
            parts[first] = batch
            _keep(finished, key, batch)
    except BaseException:
        for future, (_, key) in waiting.items():
            if not future.cancel() and future.done() and future.exception() is None:
                _keep(finished, key, future.result())
        raise
    return [parts[first] for first in sorted(parts)]


def _is_cut(batch: Batch) -> bool:
    """Whether Ctrl-C or a flag stopped it."""
    return "interrupted" in batch.status


def _is_set(stop: _core.StopFlag | None) -> bool:
    return stop is not None and stop.is_set()


def _completed(
    waiting: Iterable[Future[Batch]], stop: _core.StopFlag | None
) -> Iterator[Future[Batch]]:
    """Yield futures as they complete, or in order where an executor has a class of its own.

    Once the flag is set, those that have not begun are cancelled, and done.
    """
    futures = list(waiting)
    while stop is not None and futures:
        if stop.is_set():
            for future in futures:
                future.cancel()
        done = [future for future in futures if future.done()]
        yield from done
        futures = [future for future in futures if future not in done]
        if not done:
            time.sleep(_LOOK)
    own = not all(isinstance(future, Future) for future in futures)
    yield from futures if own else as_completed(futures)


def _sample_size(columns: _Columns) -> int:
    """Return the number of books in the first chunk: independent of any clock, so repeatable."""
    count = len(columns["first"]) - 1
    mean = len(columns["claim"]) / max(count, 1)
    return max(1, min(_SAMPLE_BOOKS, int(_SAMPLE_ORDERS / max(mean, 1.0))))


def _sample(
    task: _Task,
    columns: _Columns,
    options: dict[str, Any],
    finished: Finished,
    stop: _core.StopFlag | None,
) -> tuple[Batch, float]:
    """Clear the first chunk in this process: its time shows how many books fit into a task."""
    sample = min(len(columns["first"]) - 1, _sample_size(columns))
    return _done_here(task, columns, (0, sample), options, finished, stop)


def _bounds(
    columns: _Columns, sample: tuple[Batch, float], finished: Finished, options: dict[str, Any]
) -> Iterator[tuple[int, int]]:
    """Yield where the chunks behind the first begin and end."""
    count = len(columns["first"]) - 1
    size = _chunk_size(columns, sample, finished, options)
    for first in range(len(sample[0]), count, size):
        yield first, min(first + size, count)


def _chunk_size(
    columns: _Columns, sample: tuple[Batch, float], finished: Finished, options: dict[str, Any]
) -> int:
    """Return the number of books in a task: that of an earlier run, else one by the time taken.

    Runs that begin with the same books use the same number, so that a run with further books
    appended finds the chunks of the earlier one.
    """
    key = content_hash(["size", _key(_chunk(columns, 0, len(sample[0])), options)])
    kept = finished.get(key)
    if kept is not None and kept.isdigit() and int(kept):
        return int(kept)
    batch, seconds = sample
    each = max(seconds / max(len(batch), 1), 1e-7)
    wanted = each * (len(columns["first"]) - 1) / _TASKS
    size = max(1, math.ceil(min(max(wanted, _SECONDS[0]), _SECONDS[1]) / each))
    if not _is_cut(batch):  # else the time says nothing
        finished.put(key, str(size).encode())
    return size


def _done_here(
    task: _Task,
    columns: _Columns,
    bounds: tuple[int, int],
    options: dict[str, Any],
    finished: Finished,
    stop: _core.StopFlag | None,
) -> tuple[Batch, float]:
    chunk = _chunk(columns, *bounds)
    key = _key(chunk, options) if finished else ""
    kept = _unpacked(finished.get(key))
    if kept is not None:
        return kept, 0.0
    started = time.perf_counter()
    batch = task(chunk, options, stop)
    seconds = time.perf_counter() - started
    _keep(finished, key, batch)
    return batch, seconds


def _chunk(columns: _Columns, first: int, last: int) -> _Columns:
    """Return the columns of some of the books, with the markets of these."""
    rows = slice(int(columns["first"][first]), int(columns["first"][last]))
    used, market_of = np.unique(columns["market_of"][first:last], return_inverse=True)
    priority = columns["priority"]
    return {
        "markets": [columns["markets"][place] for place in used.tolist()],
        "market_of": market_of.astype(np.int64),
        "first": columns["first"][first : last + 1] - columns["first"][first],
        **{name: columns[name][rows] for name in ("claim", "side", "price", "quantity")},
        "priority": None if priority is None else priority[rows],
        "names": tuple(range(last - first)),
        "errors": {n - first: e for n, e in columns["errors"].items() if first <= n < last},
    }


def _key(chunk: _Columns, options: dict[str, Any]) -> str:
    """Hash everything that determines a chunk's clearing, which the number of threads does not."""
    parts: list[Any] = [sorted((n, v) for n, v in options.items() if n != "threads")]
    for market in chunk["markets"]:
        parts += [market.payoffs, market.inventory]
        for name, value in sorted(maker_model(market).items()):
            parts += [name, value]
    parts += [
        chunk[name]
        for name in ("market_of", "first", "claim", "side", "price", "quantity", "priority")
    ]
    return content_hash([*parts, sorted(chunk["errors"])])


def _keep(finished: Finished, key: str, batch: Batch) -> None:
    if finished and not np.isin(batch.status, UNFINISHED).any():
        finished.put(key, _packed(batch))


def _packed(batch: Batch) -> bytes:
    arrays = {name: getattr(batch, name) for name in (*FIGURES, *_FLAT, *_OFFSETS)}
    words = {
        "status": batch.status.tolist(),
        "rule": batch.rule,
        "errors": [[number, str(error.reason)] for number, error in batch.errors.items()],
    }
    arrays["words"] = np.frombuffer(json.dumps(words).encode(), dtype=np.uint8)
    stream = io.BytesIO()
    with ZipWriter(stream, "w") as archive:
        for name, array in arrays.items():
            archive.write_array(f"{name}.npy", array)
    return stream.getvalue()


def _unpacked(content: bytes | None) -> Batch | None:
    """Return a stored batch; None if there is none, or it cannot be read."""
    if content is None:
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            words = json.loads(_column(archive, "words").tobytes())
            arrays = {name: _column(archive, name) for name in (*FIGURES, *_FLAT, *_OFFSETS)}
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    errors = {
        number: InputError(reason, field="books", index=number)
        for number, reason in words["errors"]
    }
    status = frozen(np.array(words["status"], dtype=object))
    names = tuple(range(len(status)))
    return Batch(status=status, names=names, rule=words["rule"], errors=errors, **arrays)


def _column(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(f"{name}.npy") as entry:
        return read_array(entry, name)


def _joined(parts: list[Batch], columns: _Columns) -> Batch:
    """Join batches; a book's error names its number among all of them."""
    arrays: dict[str, Any] = {
        name: frozen(np.concatenate([getattr(part, name) for part in parts]))
        for name in (*_BY_BOOK, *_FLAT)
    }
    for name in _OFFSETS:
        total, pieces = 0, [np.zeros(1, dtype=np.int64)]
        for part in parts:
            offsets = getattr(part, name)
            pieces.append(offsets[1:] + total)
            total += int(offsets[-1])
        arrays[name] = frozen(np.concatenate(pieces))
    errors: dict[int, InputError] = {}
    before = 0
    for part in parts:
        for number, error in part.errors.items():
            place = before + number
            errors[place] = InputError(error.reason, field="books", index=place)
        before += len(part)
    errors.update(columns["errors"])
    return Batch(
        names=columns["names"],
        rule=parts[0].rule,
        errors=dict(sorted(errors.items())),
        **arrays,
    )
