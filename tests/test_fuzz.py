"""The fuzzers' own machinery, without a fuzzer."""

from __future__ import annotations

import dataclasses
import itertools
import sys
import tempfile
from pathlib import Path

import pytest

import setup
from fuzz import build, campaign

pytestmark = pytest.mark.unsanitized

LIBFUZZER = """
import pathlib, sys, tempfile
tempfile.mkdtemp()
options = dict(word[1:].split("=", 1) for word in sys.argv[1:] if word.startswith("-"))
print("#8 DONE cov: 3 ft: 5 corp: 2", file=sys.stderr)
for name in {names}:
    path = options["artifact_prefix"] + name.replace("RUNS", options["runs"])
    pathlib.Path(path).write_text("input")
sys.exit({code})
"""


def _run(
    folder: Path, *names: str, code: int = 77, seconds: float = 0.0, runs: int = 0
) -> campaign.Figures:
    """Run a program that leaves these inputs and ends with this code, as libFuzzer does."""
    return campaign.run(
        [sys.executable, "-c", LIBFUZZER.format(names=names, code=code)],
        corpus=folder / "corpus",
        seeds=folder / "seeds",
        findings=folder / "findings",
        seconds=seconds,
        runs=runs,
        keep_going=True,
        seed=1,
        longest=8,
    )


def test_a_finding_that_is_there_already_is_found_again(tmp_path: Path) -> None:
    """An input has the same name each time: the second run finds its file in place."""
    path = tmp_path / "findings" / "crash-1"
    for _ in range(2):
        assert _run(tmp_path, "crash-1").findings == [path]
    assert path.read_text() == "input"
    assert _run(tmp_path, "crash-2").findings == [path.with_name("crash-2")]
    assert _run(tmp_path, code=0).findings == []
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["corpus", "findings"]


def test_a_campaign_that_keeps_going_counts_a_finding_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that goes on by a second whenever it is read: twice for each process."""
    clock = itertools.count()
    monkeypatch.setattr(campaign.time, "monotonic", lambda: float(next(clock)))
    figures = _run(tmp_path, "crash-1", seconds=6.0)
    assert figures.findings == [tmp_path / "findings" / "crash-1"]
    assert figures.executions == 3 * 8


def test_a_campaign_ends_after_so_many_runs(tmp_path: Path) -> None:
    """Eight with each finding: the second process is told of the four that are left."""
    figures = _run(tmp_path, "crash-RUNS", seconds=300.0, runs=12)
    assert [path.name for path in figures.findings] == ["crash-12", "crash-4"]
    assert figures.executions == 16


def test_temporary_files_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program leaves a temporary folder behind each time."""
    shared = tmp_path / "shared"
    shared.mkdir()
    monkeypatch.setenv("TMPDIR", str(shared))
    monkeypatch.setattr(tempfile, "tempdir", None)  # read the variable again
    _run(tmp_path, "crash-1")
    _run(tmp_path, code=0)
    assert list(shared.iterdir()) == []


def test_slow_inputs_are_no_findings_and_a_crash_without_input_raises(tmp_path: Path) -> None:
    assert _run(tmp_path, "slow-unit-1", code=0).findings == []
    assert (tmp_path / "findings" / "slow-unit-1").exists()
    with pytest.raises(RuntimeError, match="code 77 and left no input"):
        _run(tmp_path, "slow-unit-1")


def test_a_flavour_says_how_it_is_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And another version of the compiler builds in another folder: its objects are its own."""
    told: list[tuple[Path, dict[str, str]]] = []

    def cmake(
        source: Path,
        folder: Path,
        options: dict[str, str],
        target: str,
        *,
        compiler: str,
        quiet: bool,
    ) -> None:
        assert (source / "CMakeLists.txt").is_file()
        assert quiet
        assert compiler
        told.append((folder, options))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / target).touch()

    compiler = tmp_path / "c++"
    monkeypatch.delenv("KPM_PROGRAMS", raising=False)  # what was built elsewhere is not built here
    monkeypatch.setattr(setup, "cmake", cmake)
    monkeypatch.delenv("KPM_PROGRAMS", raising=False)
    monkeypatch.setattr(build, "OUTPUT", tmp_path / "build")
    for version in ("1.0", "1.1"):
        compiler.write_text(f"#!/bin/sh\necho {version}\n")
        compiler.chmod(0o755)
        for flavour in (build.PLAIN, build.REPLAY):
            program = build.build(dataclasses.replace(flavour, compiler=str(compiler)))
            assert program.name == "kpm_fuzz_core"
    plain, replay, newer, _ = (options for _, options in told)
    assert plain["KPM_SANITIZE"] == ""
    assert "address" in replay["KPM_SANITIZE"]
    assert plain == newer
    assert all(options["KPM_ASSERTIONS"] == "ON" for _, options in told)
    assert len({folder for folder, _ in told}) == 4
    # What is there already is not built again.
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "kpm_fuzz_core").touch()
    monkeypatch.setenv("KPM_PROGRAMS", str(tmp_path))
    assert build.build(build.PLAIN) == tmp_path / "plain" / "kpm_fuzz_core"
    assert len(told) == 4
