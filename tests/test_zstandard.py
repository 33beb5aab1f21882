"""CSV files compressed with Zstandard, by whichever reader the interpreter has."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpm_fast as kpm

TEXT = b"claim,side,price,quantity\n" + b"".join(
    b"a,buy,0.%03d,%d\n" % (row, row) for row in range(1000)
)
BOOK = kpm.Orders("a", 1, [row / 1000 for row in range(1000)], list(range(1000)))
SKIPPABLE = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"  # a frame without data, as pzstd writes


@pytest.fixture(scope="module")
def package() -> Any:
    return pytest.importorskip("zstandard")


@pytest.fixture(params=["standard library", "package"])
def packed(request: pytest.FixtureRequest, package: Any, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The text, compressed, in an interpreter that has only one of the two readers."""
    name = "compression.zstd"
    if request.param == "package":
        monkeypatch.setitem(sys.modules, name, None)
    else:
        monkeypatch.setitem(sys.modules, "zstandard", None)
        if sys.version_info < (3, 14):  # its decompressors have the same methods
            library = ModuleType(name)
            new = package.ZstdDecompressor().decompressobj
            vars(library).update(ZstdDecompressor=new, ZstdError=package.ZstdError)
            monkeypatch.setitem(sys.modules, "compression", ModuleType("compression"))
            monkeypatch.setitem(sys.modules, name, library)
    return bytes(package.ZstdCompressor().compress(TEXT))


def test_a_compressed_file_is_its_text(tmp_path: Path, packed: bytes, package: Any) -> None:
    """Also in several frames, some of them without data."""
    path = tmp_path / "orders.csv"
    path.write_bytes(packed)
    assert kpm.Orders.from_csv(path) == BOOK
    parts = [package.ZstdCompressor().compress(part) for part in (TEXT[:999], b"", TEXT[999:])]
    path.write_bytes(parts[0] + SKIPPABLE + parts[1] + parts[2] + SKIPPABLE)
    assert kpm.Orders.from_csv(path) == BOOK


def test_every_cut_is_seen(tmp_path: Path, packed: bytes) -> None:
    """A truncated file is not read as a shorter book."""
    path = tmp_path / "orders.csv"
    for size in (*range(6, len(packed), 97), len(packed) - 1):
        path.write_bytes(packed[:size])
        with pytest.raises(kpm.InputError, match="is a damaged compressed file: it ends within"):
            kpm.Orders.from_csv(path)


def test_a_book_of_compressed_files(tmp_path: Path, packed: bytes, package: Any) -> None:
    (tmp_path / "orders.csv").write_bytes(packed)
    for name, text in (("claims", b"claim,s,t\na,1,0\n"), ("states", b"state,prior\ns,.5\nt,.5\n")):
        (tmp_path / f"{name}.csv").write_bytes(package.ZstdCompressor().compress(text))
    market, orders = kpm.read_book(tmp_path)
    assert (market.claims, orders) == (("a",), BOOK)


@given(st.binary(max_size=60), st.integers(0, 10**6), st.booleans())
def test_noise_is_an_input_error(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, place: int, at_end: bool
) -> None:
    compressor = pytest.importorskip("zstandard").ZstdCompressor(write_checksum=True)
    packed = compressor.compress(TEXT)
    at = len(packed) if at_end else 4 + place % (len(packed) - 4)
    path = tmp_path_factory.getbasetemp() / "noise.zst"
    path.write_bytes(packed[:at] + noise + packed[at + len(noise) :])
    with suppress(kpm.InputError):
        assert kpm.Orders.from_csv(path) == BOOK


def test_without_a_reader_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("compression.zstd", "zstandard"):
        monkeypatch.setitem(sys.modules, name, None)
    path = tmp_path / "orders.csv.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd....")
    with pytest.raises(kpm.InputError, match=r"csv\.zst.*needs Python 3\.14.*pip install zstand"):
        kpm.Orders.from_csv(path)
