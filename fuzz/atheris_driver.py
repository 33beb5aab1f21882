"""Runs one atheris target: ``python -m fuzz.atheris_driver NAME [libFuzzer's arguments]``.

A process of its own, because libFuzzer ends it, and because the package is instrumented while it
is imported. No exit handler of Python runs, so its files stay in the temporary folder (TMPDIR):
``campaign`` gives it one and removes that afterwards.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

import atheris


def main() -> None:
    name, arguments = sys.argv[1], sys.argv[2:]
    with atheris.instrument_imports(include=["kpm_fast", "csv", "json", "zipfile"]):
        import kpm_fast  # noqa: F401

        from . import archives, folders
    scratch = Path(tempfile.mkdtemp())

    def mutator(data: bytes, max_size: int, seed: int) -> bytes:
        return archives.mutate(data, max_size, random.Random(seed).getrandbits(30), atheris.Mutate)

    own: dict[str, object] = {"custom_mutator": mutator} if name == "archive" else {}
    target = {"archive": archives.Target, "folder": folders.Target}[name](scratch)
    atheris.Setup([sys.argv[0], *arguments], target, **own)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
