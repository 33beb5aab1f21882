"""The hot path allocates nothing: counted by a preloaded ``malloc``."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "race_card"

COUNTER = r"""
#define _GNU_SOURCE
#include <stddef.h>
#include <stdatomic.h>
extern void *__libc_malloc(size_t size);
static atomic_long calls;
void *malloc(size_t size) { atomic_fetch_add(&calls, 1); return __libc_malloc(size); }
long malloc_calls(void) { return atomic_load(&calls); }
"""

PROGRAM = """
import ctypes, sys
import kpm_fast as kpm
count = ctypes.CDLL(None).malloc_calls
count.restype = ctypes.c_long
market, orders = kpm.read_book(sys.argv[1])
kpm.clear(market, orders, "enumerate", threads=1, prune_bounds=False)
before = count()
result = kpm.clear(market, orders, "enumerate", threads=1, prune_bounds=False)
print(result.stats.solved, count() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="preloads a malloc for glibc")
def test_solving_a_cell_allocates_nothing(tmp_path: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler to build the counting malloc with")
    if os.environ.get("LD_PRELOAD"):
        pytest.skip("something else is preloaded")
    source = tmp_path / "counter.c"
    source.write_text(COUNTER)
    library = tmp_path / "counter.so"
    built = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source)],
        capture_output=True,
        text=True,
    )
    if built.returncode != 0:
        pytest.skip(f"this C library has no __libc_malloc: {built.stderr.strip()[:200]}")
    output = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(EXAMPLE)],
        env={**os.environ, "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    solved, allocations = (int(field) for field in output.split())
    assert solved > 30_000
    # The walk makes a workspace and some vectors for each of its thousand tasks; the cells, none.
    assert allocations < solved / 2
