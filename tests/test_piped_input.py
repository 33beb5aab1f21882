"""Books and clearings through standard input and other pipes that a process has open."""

from __future__ import annotations

import gzip
import json
import os
import signal
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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


ONE_ORDER = b"claim,side,price,quantity\nhome,buy,0.5,1\n"


def open_pipes() -> list[int]:
    """The identities of the pipes that this process has open, one for each descriptor."""
    found = []
    for path in Path("/dev/fd").iterdir():
        with suppress(OSError):  # that of the listing itself
            status = os.fstat(int(path.name))
            found += [status.st_ino] if stat.S_ISFIFO(status.st_mode) else []
    return found


def test_what_came_through_a_pipe_is_kept_no_longer_than_it_is_open() -> None:
    """And while it is kept no other pipe has its identity: the pipe itself is held open."""
    others = None
    for count in range(1, 6):
        with piped(ONE_ORDER + b"home,sell,0.6,2\n" * count) as name:
            held = os.fstat(int(Path(name).name)).st_ino
            assert len(kpm.Orders.from_csv(name)) == 1 + count
            assert len(kpm.Orders.from_csv(name)) == 1 + count
        assert open_pipes().count(held) == 1
        left = sorted(set(open_pipes()) - {held})
        assert others in (None, left)
        others = left


def test_a_pipe_that_has_not_ended_holds_up_no_other() -> None:
    reading, writing = os.pipe()
    counts: list[int] = []

    def read(name: str) -> threading.Thread:
        thread = threading.Thread(target=lambda: counts.append(len(kpm.Orders.from_csv(name))))
        thread.start()
        return thread

    slow = read(f"/dev/fd/{reading}")
    try:
        with piped(ONE_ORDER) as name:
            read(name).join(60)
        assert counts == [1]
    finally:
        os.write(writing, ONE_ORDER + b"home,buy,0.4,1\n")
        os.close(writing)
        slow.join()
        os.close(reading)
    assert counts == [1, 2]


def test_two_names_of_one_pipe_are_one_pipe() -> None:
    with pipe(ONE_ORDER) as first:
        assert len(kpm.Orders.from_csv(f"/dev/fd/{first}")) == 1
        second = os.dup(first)
        assert len(kpm.Orders.from_csv(f"/dev/fd/{second}")) == 1
    try:
        assert len(kpm.Orders.from_csv(f"/dev/fd/{second}")) == 1
    finally:
        os.close(second)
