"""Arrays in NumPy's file format: what NumPy writes is read, anything else is refused by name."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from kpm_fast.files.array_file import read_array


def saved(array: Any, version: tuple[int, int] = (1, 0)) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(array), version=version)
    return stream.getvalue()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3,), (2, 3), (0, 4), (2, 3, 4), (1, 10**5)])
@pytest.mark.parametrize("kind", ["<f8", ">f8", "<i8", "|i1", "|u1", "|b1", "<f4", "<U7", "|S3"])
def test_what_numpy_writes_is_read(kind: str, shape: tuple[int, ...], order: Any) -> None:
    numbers = np.arange(np.prod(shape, dtype=int)) % 3
    array = np.array(numbers.reshape(shape).astype(kind), order=order)
    read = read_array(io.BytesIO(saved(array)), "prices")
    assert read.dtype == array.dtype
    assert read.shape == shape
    assert np.array_equal(read, array)
    assert not read.flags.writeable


def with_header(text: str, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + data


ONE = "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not an array"),
        (saved([1.0])[:9], "is not an array"),
        (b"\x93NUMPI" + saved([1.0])[6:], "is not an array"),
        (saved([1.0], version=(2, 0)), "version (2, 0)"),
        (saved([1.0])[:40], "has the header"),
        (saved([1.0])[:-1], "must have 8 bytes of data for its shape (1,), got 7"),
        (saved([1.0]) + b"1", "must have 8 bytes of data for its shape (1,), got 9"),
        (saved(np.zeros(2, "<f8,<i8")), "has the header"),
        (saved(np.zeros(2, "V0")), "must have elements of a fixed size"),
        (with_header(ONE.replace("<f8", "|O"), b"0" * 8), "must have elements of a fixed size"),
        (with_header(ONE.replace("<f8", "<q9"), b"0" * 8), "q9"),
        (with_header(ONE.replace("(1,)", "(1)"), b"0" * 8), "has the header"),
        (with_header(ONE.replace("(1,)", "(-1,)"), b"0" * 8), "has the header"),
        (with_header(ONE.replace("(1,)", "(1, True)"), b"0" * 8), "has the header"),
        (with_header(ONE.replace("(1,)", "[" * 3000), b"0" * 8), "has the header"),
        (with_header(ONE.replace("1", "9" * 17)), "must have 799999999999999992 bytes"),
        (with_header(ONE.replace("1,", ", ".join(["9" * 18] * 40))), "bytes of data"),
        (with_header(ONE.replace("False", "exit()"), b"0" * 8), "has the header"),
        (with_header(ONE * 2, b"0" * 8), "has the header"),
    ],
)
def test_anything_else_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(kpm.InputError) as caught:
        read_array(io.BytesIO(content), "prices")
    assert caught.value.field == "prices"
    assert words in str(caught.value)
