"""The atheris target of saved clearings: whatever the file holds, only the package's own errors.

An input is the file. Checksums would stop nearly every change of it, so most mutations are made to
what an entry holds, and the archive is written again around it. A clearing that can be read is
checked, and the command line agrees.
"""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import kpm_fast as kpm
from kpm_fast.cli import command as cli

_RAW_SHARE = 8  # one mutation in so many is made to the bytes of the file


def pack(market: kpm.Market, orders: kpm.Orders, scratch: Path) -> bytes:
    """Return a saved clearing, with its proof, as an input of the target."""
    path = scratch / "clearing.npz"
    kpm.clear(market, orders, threads=1, node_limit=8, certificate=True).save(path)
    return path.read_bytes()


def mutate(
    data: bytes, max_size: int, seed: int, mutate_bytes: Callable[[bytes, int], bytes]
) -> bytes:
    """Change one entry of an archive, or its raw bytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = {info.filename: archive.read(info) for info in archive.infolist()}
    except Exception:  # zipfile raises a dozen kinds on damaged archives
        entries = {}
    if not entries or seed % _RAW_SHARE == 0:
        return mutate_bytes(data, max_size)
    name = sorted(entries)[seed // _RAW_SHARE % len(entries)]
    entries[name] = mutate_bytes(entries[name], len(entries[name]) + 64)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for key, value in entries.items():
            archive.writestr(zipfile.ZipInfo(key, (1980, 1, 1, 0, 0, 0)), value)
    return stream.getvalue()


class Target:
    """What is called with each input; files go to ``scratch``."""

    def __init__(self, scratch: Path) -> None:
        self._path = scratch / "clearing.npz"

    def __call__(self, data: bytes) -> None:
        self._path.write_bytes(data)
        try:
            result = kpm.load_result(self._path)
        except kpm.InputError:
            return
        valid = bool(result.verify())
        if result.certificate is not None:
            valid &= bool(kpm.check_certificate(result.market, result.orders, result))
        with contextlib.redirect_stdout(io.StringIO()):
            code = cli.main(["verify", str(self._path)])
        if code != (0 if valid else 1):
            raise AssertionError(f"exit code {code} for a clearing that is {valid = }")
