"""The fuzzers' own machinery, without a fuzzer."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from fuzz import build, campaign

LIBFUZZER = """
import pathlib, sys, tempfile
tempfile.mkdtemp()
options = dict(word[1:].split("=", 1) for word in sys.argv[1:] if word.startswith("-"))
print("#8 DONE cov: 3 ft: 5 corp: 2", file=sys.stderr)
for name in {names}:
    pathlib.Path(options["artifact_prefix"] + name).write_text("input")
sys.exit({code})
"""


def _run(folder: Path, *names: str, code: int = 77, seconds: float = 0.0) -> campaign.Figures:
    """Run a program that leaves these inputs and ends with this code, as libFuzzer does."""
    return campaign.run(
        [sys.executable, "-c", LIBFUZZER.format(names=names, code=code)],
        corpus=folder / "corpus",
        seeds=folder / "seeds",
        findings=folder / "findings",
        seconds=seconds,
        keep_going=True,
        seed=1,
        longest=8,
    )


def test_a_finding_that_is_there_already_is_found_again(tmp_path: Path) -> None:
    """The second run is no better than the first: an input has the same name each time."""
    path = tmp_path / "findings" / "crash-1"
    for _ in range(2):
        assert _run(tmp_path, "crash-1").findings == [path]
    assert path.read_text() == "input"
    assert _run(tmp_path, "crash-2").findings == [path.with_name("crash-2")]
    assert _run(tmp_path, code=0).findings == []
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["corpus", "findings"]


def test_a_campaign_that_keeps_going_counts_a_finding_once(tmp_path: Path) -> None:
    figures = _run(tmp_path, "crash-1", seconds=2.0)
    assert figures.findings == [tmp_path / "findings" / "crash-1"]
    assert figures.executions % 8 == 0
    assert figures.executions > 8


def test_temporary_files_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program leaves a temporary folder behind each time."""
    shared = tmp_path / "shared"
    shared.mkdir()
    monkeypatch.setenv("TMPDIR", str(shared))
    monkeypatch.setattr(tempfile, "tempdir", None)  # read the variable again
    _run(tmp_path, "crash-1")
    _run(tmp_path, code=0)
    assert list(shared.iterdir()) == []


def test_slowness_is_no_finding_and_a_crash_without_input_an_error(tmp_path: Path) -> None:
    assert _run(tmp_path, "slow-unit-1", code=0).findings == []
    assert (tmp_path / "findings" / "slow-unit-1").exists()
    with pytest.raises(RuntimeError, match="code 77 and left no input"):
        _run(tmp_path, "slow-unit-1")


def test_the_target_is_built_again_for_whatever_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources, harness = tmp_path / "csrc" / "src", tmp_path / "fuzz" / "core"
    names = [sources / "one.cpp", sources / "two.cpp", harness / "target.cpp"]
    for path in [*names, sources / "one.hpp"]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
    made: list[str] = []

    def run(command: list[str]) -> None:
        made.append(Path(command[-1]).name)
        Path(command[-1]).write_text("made")

    command, tools = ["c++", "-O1"], ["1.0"]
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "OUTPUT", tmp_path / "build")
    monkeypatch.setattr(build, "_HARNESS", harness)
    monkeypatch.setattr(build, "_run", run)
    monkeypatch.setattr(build, "_compile_command", lambda flavour: list(command))
    monkeypatch.setattr(build, "_tools", lambda flavour: tools[0].encode())

    def rebuilt() -> list[str]:
        made.clear()
        build.build(build.PLAIN)
        return sorted(made)

    everything = ["core", "one.o", "target.o", "two.o"]
    assert rebuilt() == everything
    assert rebuilt() == []
    command[1] = "-O2"
    assert rebuilt() == everything
    tools[0] = "1.1"  # of the compiler or of Eigen
    assert rebuilt() == everything
    (sources / "one.hpp").write_text("changed")
    assert rebuilt() == everything
    names[0].write_text("changed")
    assert rebuilt() == ["core", "one.o"]
    (tmp_path / "build" / "plain" / "core").unlink()
    assert rebuilt() == ["core"]
    names[1].unlink()
    assert rebuilt() == ["core"]
    assert rebuilt() == []
