"""CSV files and data frames, underneath markets and orders."""

from __future__ import annotations

import contextlib
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from kpm_fast.entries import entries_of
from kpm_fast.files import tables
from programs import run_program


def text_of(table: dict[str, object]) -> str:
    stream = io.StringIO()
    tables.write_csv(stream, table)
    return stream.getvalue()


def test_write_csv_keeps_every_bit() -> None:
    values = np.array([0.1, 1 / 3, 1e-300, -0.0, 1e22, math.inf, 5.0, 2**53 + 0.0])
    text = text_of({"x": values, "n": np.arange(8), "label": ["a,b", 'c"d', "e\nf", *"ghijk"]})
    assert text.startswith('x,n,label\n0.1,0,"a,b"\n')
    assert "\n5,6," in text
    column = [float(line.split(",")[0]) for line in text.split("\n")[1:] if "," in line]
    assert np.array(column).tobytes() == values.tobytes()


@pytest.mark.parametrize("column", [list, tuple, np.array])
@pytest.mark.parametrize(
    ("kind", "spelled"),
    [
        (np.float64, "5,0.1"),
        (np.float32, "5,0.10000000149011612"),
        (np.float16, "5,0.0999755859375"),
        (np.longdouble, "5,0.1"),
        (np.int64, "5,0"),
        (np.uint8, "5,0"),
        (np.str_, "5,0.1"),
        (np.bool_, "True,True"),
    ],
)
def test_write_csv_spells_numbers_of_any_kind(column: Any, kind: type, spelled: str) -> None:
    values = [kind(5), kind(0.1)]
    assert ",".join(text_of({"x": column(values)}).split("\n")[1:3]) == spelled


def test_write_csv_wants_equal_columns() -> None:
    with pytest.raises(ValueError, match="shorter"):
        text_of({"a": [1, 2], "b": [1]})


def test_quoted_line_breaks_count_as_lines(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('a,b\n"x\ny",1\nz,oops\n')
    table = tables.read_csv(path, ["a", "b"])
    assert table.text("a") == ["x\ny", "z"]
    assert len(table) == 2
    with pytest.raises(kpm.InputError, match=r"t\.csv, line 4: b: not a number: 'oops'"):
        table.numbers("b")


@pytest.mark.parametrize("backend", tables.BACKENDS)
def test_make_frame(backend: str) -> None:
    pytest.importorskip(backend)
    table = {"name": np.array(["a", "b"], dtype=object), "x": np.array([1.0, 2.0])}
    frame = tables.make_frame(table, backend)
    columns = tables.columns_of(frame, ["name", "x"])
    assert list(entries_of(columns["name"])) == ["a", "b"]
    assert list(entries_of(columns["x"])) == [1, 2]


def test_half_a_surrogate_pair() -> None:
    table: dict[str, object] = {"name": np.array(["a", "\ud800"], dtype=object)}
    with pytest.raises(
        kpm.InputError, match=r"name\[1\]: must not .* half a surrogate pair.*'\\ud800'"
    ):
        text_of(table)
    for backend in tables.BACKENDS:
        pytest.importorskip(backend)
        with contextlib.suppress(kpm.InputError):  # some versions of pandas take it as it is
            frame = tables.make_frame(table, backend)
            assert backend == "pandas"
            assert list(frame["name"]) == ["a", "\ud800"]


def test_make_frame_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(kpm.InputError, match="'excel'"):
        tables.make_frame({}, "excel")
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    with pytest.raises(ImportError, match="needs the package polars"):
        tables.make_frame({"x": [1]}, "polars")


def test_frames_are_optional() -> None:
    names = ("pandas", "polars", "pyarrow", "matplotlib", "scipy")
    code = f"import sys, kpm_fast; print([n for n in {names} if n in sys.modules])"
    assert run_program(code) == "[]\n"
