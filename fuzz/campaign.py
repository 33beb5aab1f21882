"""One run of libFuzzer on a target: seeds in, findings and figures out."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

_STATUS = re.compile(r"#(\d+)\D.*?cov: (\d+) ft: (\d+) corp: (\d+)")
_TIMEOUT = 60  # seconds for one input: a machine may have other work to do
_MEMORY = 3000  # MB
_NO_FINDING = "slow-unit"  # says how busy the machine was


@dataclass
class Figures:
    """What a run did.

    Attributes
    ----------
    executions, edges, features, corpus : int
        Inputs run; edges of the control flow reached; what libFuzzer told apart by edges and how
        often they were taken; inputs that it keeps because they reach something of their own.
    seconds : float
    findings : list of Path
        Inputs that ended the process, ran out of time or of memory.
    """

    executions: int = 0
    edges: int = 0
    features: int = 0
    corpus: int = 0
    seconds: float = 0.0
    findings: list[Path] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.executions:,} executions in {self.seconds:.0f} s "
            f"({self.executions / max(self.seconds, 1e-9):.0f} a second), {self.edges:,} edges, "
            f"{self.features:,} features, {self.corpus:,} inputs kept, "
            f"{len(self.findings)} findings"
        )


def run(
    command: list[str],
    *,
    corpus: Path,
    seeds: Path,
    findings: Path,
    seconds: float,
    keep_going: bool,
    seed: int,
    longest: int,
    runs: int = 0,
) -> Figures:
    """Run a libFuzzer program, again after each finding if it is to ``keep_going``.

    It ends after so many seconds, or so many ``runs`` if that is not zero.
    """
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    figures = Figures()
    start = time.monotonic()
    while True:
        left = round(seconds - (time.monotonic() - start))
        options = [
            f"-max_total_time={max(left, 1)}",
            f"-max_len={longest}",
            f"-runs={(runs - figures.executions) if runs else -1}",
            f"-seed={seed}",  # 0: any
            f"-timeout={_TIMEOUT}",
            f"-rss_limit_mb={_MEMORY}",
        ]
        # Inputs are named by their content: one found before would hide in the folder of all.
        with tempfile.TemporaryDirectory(dir=findings.parent, prefix="running-") as own:
            options.append(f"-artifact_prefix={own}/")
            try:
                code = _watch([*command, *options, str(corpus), str(seeds)], figures)
            finally:  # whatever ends it, what was found stays
                found = _move(Path(own), findings)
        figures.seconds = time.monotonic() - start
        figures.findings = sorted({*figures.findings, *found})
        if code != 0 and not found:
            raise RuntimeError(f"{command[0]} ended with code {code} and left no input behind")
        done = left <= 1 or 0 < runs <= figures.executions
        if code == 0 or not keep_going or done:
            return figures


def _move(own: Path, findings: Path) -> list[Path]:
    """Move what one process left to ``findings``; return what of it is a finding."""
    moved = [path.replace(findings / path.name) for path in own.iterdir()]
    return [path for path in moved if not path.name.startswith(_NO_FINDING)]


def _watch(command: list[str], figures: Figures) -> int:
    """Run one process to its end; print what is not routine."""
    done = 0
    with (
        # libFuzzer ends the process at once: it cannot remove its own files.
        tempfile.TemporaryDirectory(prefix="kpm-fuzz-") as scratch,
        subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            errors="replace",
            env={**os.environ, "TMPDIR": scratch},
        ) as process,
    ):
        assert process.stderr is not None
        try:
            for line in process.stderr:
                status = _STATUS.match(line)
                if status is None:
                    if not line.startswith(("#", "INFO:", "Done ", "\t")):
                        print(line, end="", flush=True)
                    continue
                done, figures.edges, figures.features, figures.corpus = map(int, status.groups())
        except BaseException:  # the process would be waited for, to the end of its time
            process.terminate()
            raise
    figures.executions += done
    return process.returncode
