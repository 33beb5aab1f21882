"""Files appear complete or not at all, at whatever line or call the writing is interrupted."""

from __future__ import annotations

import errno
import os
import stat
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import kpm_fast as kpm
from cut_short import CutShort
from kpm_fast.files import atomic_files as staging
from kpm_fast.files import zip_writer
from kpm_fast.storage import archive

pytestmark = pytest.mark.unsanitized

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")

MARKET = kpm.Market([[1.0, 0.0]], [0.5, 0.5])
ORDERS = kpm.Orders([0], [1], [0.7], [1.0])
NAMES = ("a.txt", "b.txt", "c.txt")


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def write(folder: Path, text: str) -> None:
    with staging.staged_files(folder) as open_file:
        for name in NAMES:
            open_file(name).write(text)


def test_files_of_a_folder_appear_together(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    with staging.staged_files(folder) as open_file:
        open_file("a.txt").write("1")
        open_file("b.txt").write("2")
        assert not (folder / "a.txt").exists()
    assert contents(folder) == {"a.txt": "1", "b.txt": "2"}


def test_a_failure_half_way_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    def write_half(folder: Path) -> None:
        with staging.staged_files(folder) as open_file:
            open_file("a.txt").write("new")
            open_file("b.txt").write("new")
            raise RuntimeError("half way")

    (tmp_path / "a.txt").write_text("old")
    for folder in (tmp_path, tmp_path / "not" / "there"):
        with pytest.raises(RuntimeError, match="half way"):
            write_half(folder)
    assert contents(tmp_path) == {"a.txt": "old"}


def test_cut_short_at_any_line_of_a_folder(tmp_path: Path) -> None:
    """Each file is the old or the new one; where there are some of both, the marker says so."""
    old, new = dict.fromkeys(NAMES, "old"), dict.fromkeys(NAMES, "new")
    seen = set()
    for line in range(1, 1000):
        folder = tmp_path / str(line)
        write(folder, "old")
        cut = CutShort(line, staging).run(write, folder, "new")
        found = contents(folder)
        marked = found.pop(staging.MARKER, None) is not None
        assert set(found) == set(NAMES)
        assert set(found.values()) <= {"old", "new"}
        assert marked or found in (old, new)
        seen.add((cut, marked, len(set(found.values()))))
        if not cut:
            assert (found, marked) == (new, False)
            break
        write(folder, "new")
        assert {name: text for name, text in contents(folder).items() if name in NAMES} == new
        assert not (folder / staging.MARKER).exists()
    assert seen >= {(True, False, 1), (True, True, 2), (False, False, 1)}


@pytest.mark.parametrize("there", [True, False])
def test_cut_short_at_any_line_of_a_file(there: bool, tmp_path: Path) -> None:
    result = kpm.clear(MARKET, ORDERS)
    result.save(tmp_path / "new")
    new = (tmp_path / "new").read_bytes()
    states = set()
    for line in range(1, 1000):
        folder = tmp_path / str(line)
        path = folder / "clearing"
        if there:
            folder.mkdir()
            path.write_bytes(b"old")
        cut = CutShort(line, staging).run(result.save, path)
        found = path.read_bytes() if path.exists() else None
        assert found in ((b"old" if there else None), new)
        states.add((cut, found == new))
        if not cut:
            break
    assert states >= {(True, False), (False, True)}


@pytest.mark.filterwarnings("error")  # of an archive that is completed as an object goes
def test_cut_short_at_any_line_of_an_archive(tmp_path: Path) -> None:
    """Ctrl-C comes out, and not what zipfile says of an entry that is still open."""
    result = kpm.clear(MARKET, ORDERS)
    path = tmp_path / "clearing"
    path.write_bytes(b"old")
    cuts, line = 0, 1
    while CutShort(line, zipfile, zip_writer, archive).run(result.save, path):
        assert contents(tmp_path) == {"clearing": "old"}
        cuts, line = cuts + 1, line + 1 + line // 40
    assert cuts > 100
    assert kpm.load_result(path) == result
    assert len(list(tmp_path.iterdir())) == 1


def error_of(function: Callable[..., object], *arguments: object) -> OSError | None:
    try:
        function(*arguments)
    except OSError as error:
        return error
    return None


@pytest.mark.parametrize("call", ["fsync", "replace", "open", "mkdir"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_an_error_of_any_call_names_the_file(
    call: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The n-th call of its kind fails: nothing temporary stays, no file is half a file."""
    where = os if call == "fsync" else Path
    original = getattr(where, call)
    for number in range(1, 100):
        folder = tmp_path / f"{number}"
        if call != "mkdir":
            write(folder, "old")
        left = number

        def fail(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                named = arguments if call == "replace" else ()
                raise OSError(code, os.strerror(code), *map(str, named[:1]))
            return original(*arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(where, call, fail)
            error = error_of(write, folder, "new")
        if error is None:  # a folder that cannot be synchronised is no error
            assert left > 0 or call == "fsync"
        else:
            assert error.errno == code
            assert str(tmp_path) in str(error.filename)
            assert ".tmp" not in str(error.filename)
        found = contents(folder) if folder.exists() else {}
        marked = found.pop(staging.MARKER, None) is not None
        assert set(found) in (set(NAMES), set())
        assert marked or len(set(found.values())) <= 1
        if left > 0:
            assert set(found.values()) == {"new"}
            return
    raise AssertionError("the call never succeeded")


def test_read_book_refuses_a_folder_left_unfinished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kpm.write_book(tmp_path, MARKET, ORDERS)
    original = Path.replace
    renamed = []

    def die(self: Path, target: Path) -> Path:
        renamed.append(target.name)
        if len(renamed) == 3:
            raise KeyboardInterrupt
        return original(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        with pytest.raises(KeyboardInterrupt):
            kpm.write_book(tmp_path, MARKET.replace(prior=[0.25, 0.75]), ORDERS)
    assert renamed[0] == staging.MARKER
    with pytest.raises(kpm.InputError, match=f"{staging.MARKER}: some files .* write them again"):
        kpm.read_book(tmp_path)
    kpm.write_book(tmp_path, MARKET, ORDERS)
    market, orders = kpm.read_book(tmp_path)
    assert (len(orders), market.prior.tolist()) == (1, [0.5, 0.5])


@posix
def test_rights_and_links_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    with staging.staged_text(link) as stream:
        stream.write("new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


@posix
def test_devices_and_pipes_are_written_to(tmp_path: Path) -> None:
    """They are not replaced by a file, though root could do that."""
    before = Path(os.devnull).stat()
    with staging.staged_binary(os.devnull) as stream:
        stream.write(b"nothing")
    with staging.staged_text(os.devnull) as text:
        text.write("nothing")
    assert Path(os.devnull).stat().st_rdev == before.st_rdev
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with staging.staged_text(pipe) as text:
        text.write("through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
def test_a_full_device_is_an_error_with_its_name() -> None:
    def write_to(path: str) -> None:
        with staging.staged_text(path) as stream:
            stream.write("too much")

    with pytest.raises(OSError, match="No space left") as caught:
        write_to("/dev/full")
    assert caught.value.filename == "/dev/full"


def test_a_folder_in_the_way(tmp_path: Path) -> None:
    """Noticed before anything is written."""
    (tmp_path / "b.txt").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        write(tmp_path, "new")
    assert caught.value.filename == str(tmp_path / "b.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["b.txt"]


def test_a_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError, match=r"exists|directory"):
            write(folder, "new")
    assert contents(tmp_path) == {"file": "old"}


def test_long_names(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 250)
    with staging.staged_text(path) as stream:
        stream.write("x")
    assert contents(tmp_path) == {path.name: "x"}
