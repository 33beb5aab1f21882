"""The same column in every container that may hold it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

__all__ = ["frames", "holders", "zipped"]


def holders(values: list[Any]) -> Iterator[tuple[str, Any]]:
    """A list as columns of every package, with the types these choose."""
    pandas, polars, pyarrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    yield "list", values
    yield "tuple", tuple(values)
    yield "view", dict(enumerate(values)).values()
    yield "object array", np.array([*values, None], dtype=object)[:-1]
    if not any(isinstance(value, bytes) for value in values):
        plain = np.array(values)
        if plain.dtype.kind not in "fU" or all(isinstance(v, float) for v in values):
            yield "array", plain
    series = pandas.Series(values, dtype=object)
    yield "pandas object", series
    yield "pandas filtered", pandas.concat([series, series]).iloc[len(values) :]
    yield "pandas inferred", series.infer_objects()
    yield "pandas category", series.astype("category")
    if not any(isinstance(value, bytes) for value in values):
        yield "pandas nullable", series.convert_dtypes()
        yield "pandas arrow", series.convert_dtypes(dtype_backend="pyarrow")
    yield "polars", polars.Series(values)
    arrow = pyarrow.array(values)
    yield "pyarrow", arrow
    yield "pyarrow chunks", pyarrow.chunked_array([arrow[:1], arrow[1:]])
    if isinstance(values[0], str):
        yield "pandas string", series.astype("string")
        yield "polars category", polars.Series(values).cast(polars.Categorical)
        yield "pyarrow dictionary", arrow.dictionary_encode()
        yield "bytes", [value and value.encode() for value in values]


def frames(columns: dict[str, list[Any]]) -> Iterator[tuple[str, Any]]:
    """Columns as every kind of table."""
    pandas, polars, pyarrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    yield "mapping", columns
    frame = pandas.DataFrame(columns)
    yield "pandas", frame
    yield "pandas reversed", frame.iloc[::-1].iloc[::-1]
    yield "polars", polars.DataFrame(columns)
    yield "polars lazy", polars.DataFrame(columns).lazy()
    table = pyarrow.table(columns)
    yield "pyarrow", table
    yield "pyarrow batch", table.combine_chunks().to_batches()[0]


def zipped(data: bytes, *more: str, name: str = "orders.csv") -> bytes:
    """A zip archive of files with the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in (name, *more):
            # An entry without a time of its own is of 1980: the same bytes in every process.
            archive.writestr(zipfile.ZipInfo(each), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()
