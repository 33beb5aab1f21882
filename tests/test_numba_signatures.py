"""What Numba calls of the C library, against the header: nothing checks it at run time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import kpm_fast as kpm

pytest.importorskip("numba")

from numba import types

from kpm_fast import numba as kpm_numba
from kpm_fast import numba_engine, numba_makers

HEADER = (Path(kpm.get_include()) / "kpm" / "kpm.h").read_text()
TYPES = {
    "void": types.void,
    "double": types.float64,
    "int32_t": types.int32,
    "int64_t": types.int64,
    "uint64_t": types.uint64,
    "size_t": types.uintp,
}


def type_of(declared: str) -> types.Type:
    """The type of a result or of a parameter, its name included."""
    if "*" in declared:
        return types.intp
    return TYPES[declared.split()[0]]


def prototypes() -> dict[str, types.Type]:
    """Each function of the header, as Numba would have to declare it."""
    found = {}
    text = re.sub(r"/\*.*?\*/", "", HEADER, flags=re.DOTALL)
    for result, name, parameters in re.findall(r"KPM_API ([^;(]*?)(\w+)\(([^)]*)\);", text):
        given = [] if parameters.strip() == "void" else parameters.split(",")
        found[name] = type_of(result)(*(type_of(parameter.strip()) for parameter in given))
    return found


def declared() -> dict[str, types.Type]:
    """Each function that one of the modules declares."""
    return {
        thing.symbol: thing.sig
        for module in (kpm_numba, numba_engine, numba_makers)
        for thing in vars(module).values()
        if isinstance(thing, types.ExternalFunction)
    }


def test_every_function_that_numba_calls_has_the_header_s_types() -> None:
    stated = prototypes()
    assert len(stated) >= 30
    ours = declared()
    assert len(ours) >= 18
    for name, signature in ours.items():
        assert (signature.return_type, signature.args) == (
            stated[name].return_type,
            stated[name].args,
        ), name


def test_every_function_without_structs_is_there_for_numba() -> None:
    """Those of an engine's book need no twin: they take numbers and arrays."""
    structs = re.compile(r"kpm_(market|orders|settings|result|maker|trade|error|limits)\b")
    text = re.sub(r"/\*.*?\*/", "", HEADER, flags=re.DOTALL)
    plain = {
        name
        for name, parameters in re.findall(r"(kpm_engine_\w+|kpm_\w+_flat)\(([^)]*)\);", text)
        if not structs.search(parameters) and not re.search(r"kpm_engine\*\* ", parameters)
    }
    assert plain - set(declared()) <= {"kpm_engine_order"}
