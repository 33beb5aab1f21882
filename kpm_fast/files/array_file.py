"""One array in NumPy's format ``.npy``, read from a stream that many threads may have alike.

NumPy reads the header of an array with ``ast.literal_eval``. Python 3.11 and 3.12 count the depth
of a syntax tree in one place for all threads, so that a thread switch in the middle of one, as any
callback of the garbage collector can cause, raises a ``SystemError`` on a sound file
(python/cpython#106905). What NumPy writes for an array of numbers has one form, which is all that
is read here.
"""

from __future__ import annotations

import math
import re
import struct
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, brief

__all__ = ["read_array"]

_MAGIC = b"\x93NUMPY"
_VERSION = b"\x01\x00"
_LENGTH = struct.Struct("<H")
_HEADER = re.compile(
    r"\{'descr': '(?P<type>[<>|][A-Za-z]\d{0,4})', "
    r"'fortran_order': (?P<by_column>True|False), "
    r"'shape': \((?P<shape>|\d{1,18},|(?:\d{1,18}, )+\d{1,18})\), \} *\n"
)


def read_array(stream: IO[bytes], field: str) -> NDArray[Any]:
    """Read the rest of a stream as one array; it may be read only.

    Parameters
    ----------
    stream : binary file
        Is read to its end. Nothing is allocated by what the header says, only by what is there.
    field : str
        What errors call the array.

    Returns
    -------
    ndarray
        Of the type and the order of axes that the stream states, not writeable.

    Raises
    ------
    InputError
        If the stream holds anything but a whole array of numbers, flags or text, as
        ``numpy.save`` writes it.

    Examples
    --------
    >>> import io
    >>> stream = io.BytesIO()
    >>> np.save(stream, [[1.0, 2.0, 3.0]])
    >>> read_array(io.BytesIO(stream.getvalue()), "prices")
    array([[1., 2., 3.]])
    """
    content = stream.read()
    start = len(_MAGIC) + len(_VERSION) + _LENGTH.size
    if len(content) < start or not content.startswith(_MAGIC):
        raise InputError("cannot be read: is not an array", field=field)
    if not content.startswith(_MAGIC + _VERSION):
        version = tuple(content[len(_MAGIC) : start - _LENGTH.size])
        raise InputError(f"is in version {version} of the array format, not read here", field=field)
    end = start + _LENGTH.unpack_from(content, start - _LENGTH.size)[0]
    text = content[start:end].decode("latin-1")
    header = _HEADER.fullmatch(text)
    if header is None:
        raise InputError(f"cannot be read: has the header {brief(text)}", field=field)
    try:
        kind = np.dtype(header["type"])
    except TypeError as error:
        raise InputError(f"cannot be read: {error}", field=field) from None
    if kind.hasobject or kind.itemsize == 0:
        raise InputError(f"must have elements of a fixed size, got {kind}", field=field)
    shape = tuple(map(int, re.findall(r"\d+", header["shape"])))
    size = math.prod(shape) * kind.itemsize
    if len(content) - end != size:
        raise InputError(
            f"must have {size} bytes of data for its shape {shape}, got {len(content) - end}",
            field=field,
        )
    array: NDArray[Any] = np.frombuffer(content, kind, offset=end)
    return array.reshape(shape, order="F" if header["by_column"] == "True" else "C")
