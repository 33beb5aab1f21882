"""Books and clearings through standard input and other pipes that a process has open."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import kpm_fast as kpm
from command_line import MARKET, ORDERS
from containers import zipped
from programs import kpm_fast_command, run_command, run_program

pytestmark = [
    pytest.mark.skipif(not Path("/dev/fd").exists(), reason="no names for open pipes"),
    pytest.mark.unsanitized,
]
FORMS = (".csv", ".json", ".parquet")


@contextmanager
def pipe(data: bytes) -> Iterator[int]:
    """An open pipe through which these bytes come, more than it holds at once."""
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as stream:
            stream.write(data)

    sender = threading.Thread(target=write)
    sender.start()
    try:
        yield reading
    finally:
        os.close(reading)
        sender.join()


@contextmanager
def piped(data: bytes) -> Iterator[str]:
    """The name of such a pipe."""
    with pipe(data) as descriptor:
        yield f"/dev/fd/{descriptor}"


def book_bytes(form: str, folder: Path) -> bytes:
    if form == ".parquet":
        pytest.importorskip("pyarrow")
    path = folder / f"book{form}"
    kpm.write_book(path, MARKET, ORDERS)
    return path.read_bytes()


@pytest.mark.parametrize("form", FORMS)
def test_a_pipe_is_a_book(form: str, tmp_path: Path) -> None:
    with piped(book_bytes(form, tmp_path)) as name:
        assert kpm.read_book(name) == (MARKET, ORDERS)
        assert kpm.read_book(name, risk_aversion=2.0)[0].risk_aversion == 2.0


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zipped])
def test_a_pipe_of_orders_compressed_or_not(pack: Callable[[bytes], bytes]) -> None:
    rows = "".join(f"home,buy,0.{row},1\n" for row in range(10_000, 30_000))
    with piped(pack(f"claim,side,price,quantity\n{rows}".encode())) as name:
        assert len(kpm.Orders.from_csv(name)) == 20_000
    wrong, said = b"claim,side,price,quantity\nhome,buy,x,1\n", "line 2: price: not a number: 'x'"
    with piped(pack(wrong)) as name, pytest.raises(kpm.InputError, match=rf"^{name}, {said}$"):
        kpm.Orders.from_csv(name)


def test_a_pipe_is_a_clearing(tmp_path: Path) -> None:
    result = kpm.clear(MARKET, ORDERS)
    result.save(tmp_path / "saved.kpm")
    with piped((tmp_path / "saved.kpm").read_bytes()) as name:
        assert kpm.load_result(name) == result
        assert kpm.read_book(name) == (MARKET, ORDERS)


def kpm_fast(*arguments: str, data: bytes) -> subprocess.CompletedProcess[str]:
    with pipe(data) as descriptor:
        return run_command(kpm_fast_command(*arguments), stdin=descriptor)


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_commands_read_standard_input(name: str, tmp_path: Path) -> None:
    done = kpm_fast("clear", name, "--json", "--quiet", data=book_bytes(".csv", tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    fills = json.loads(done.stdout)["orders"]["fill"]
    assert fills == kpm.clear(MARKET, ORDERS).fills.tolist()
    kpm.clear(MARKET, ORDERS).save(tmp_path / "saved.kpm")
    done = kpm_fast("verify", name, data=(tmp_path / "saved.kpm").read_bytes())
    assert (done.returncode, done.stderr) == (0, "")
    done = kpm_fast("clear", name, data=b"[claims]\nclaim,H\nhome,1\n")
    assert done.returncode == 2
    assert done.stderr.startswith("kpm-fast: /dev/stdin: has no table [states]")


def test_a_file_of_an_option_may_be_piped(tmp_path: Path) -> None:
    kpm.write_book(tmp_path / "book", MARKET, ORDERS)
    arguments = ("clear", str(tmp_path / "book"), "--json", "--quiet")
    done = kpm_fast(
        *arguments, "--inventory", "/dev/stdin", data=b"state,inventory\nA,3\nD,2\nH,1\n"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["states"]["inventory"] == [1, 2, 3]


def test_a_closed_standard_input_is_no_file() -> None:
    text = """
import os
import kpm_fast as kpm
os.close(0)
try:
    kpm.Orders.from_csv("/dev/stdin")
except FileNotFoundError as error:
    print(error.filename)
"""
    assert run_program(text) == "/dev/stdin\n"


@pytest.mark.parametrize("number", [2**31, 2**64])
def test_a_number_beyond_the_systems_integers_is_no_open_file(number: int) -> None:
    with pytest.raises(FileNotFoundError, match=f"/dev/fd/{number}"):
        kpm.Orders.from_csv(f"/dev/fd/{number}")


def test_a_pipe_whose_reading_was_interrupted_is_refused() -> None:
    """What had come is lost: the rest is not taken for the book."""
    import fcntl  # where there are pipes with names
    import termios

    reading, writing = os.pipe()
    name = f"/dev/fd/{reading}"
    os.write(writing, b"claim,side,price,quantity\n")

    def interrupt_once_read() -> None:
        left = bytearray(b"1234")
        while any(left):
            fcntl.ioctl(writing, termios.FIONREAD, left)
        signal.pthread_kill(main, signal.SIGINT)

    main = threading.main_thread().ident
    assert main == threading.get_ident()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    sender = threading.Thread(target=interrupt_once_read)
    sender.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            kpm.Orders.from_csv(name)
    finally:
        signal.signal(signal.SIGINT, before)
        sender.join()
        os.close(writing)
    with pytest.raises(kpm.InputError, match="was interrupted while it was read"):
        kpm.Orders.from_csv(name)
    os.close(reading)
