"""Peak memory of one clearing, in a process of its own.

``python -m benchmarks.memory '{"kind": "arrow_debreu", "orders": 100000}'`` prints JSON. The book
is built and a small one cleared first, so that libraries are loaded; then the high-water mark of
resident memory is set back (``/proc/self/clear_refs``, Linux) and read again after the clearing.
Where it cannot be set back, the growth of ``ru_maxrss`` is what there is: a lower bound.
"""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import kpm_fast as kpm

from . import books
from .processes import ROOT


def measure(**case: Any) -> dict[str, Any]:
    """What one clearing needs, measured in a new process; see :func:`main` for the fields."""
    command = [sys.executable, "-m", __name__, json.dumps(case)]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=300
    )
    if done.returncode:
        raise RuntimeError(f"{case}: {done.stderr.strip()}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def clear_measured(kind: str, options: dict[str, Any], **arguments: Any) -> dict[str, Any]:
    """Clear ``books.<kind>(**arguments)`` and say how far the high-water mark rose."""
    book: books.Book = getattr(books, kind)(**arguments)
    market, orders = book
    kpm.clear(*books.simulation_a(0.4))
    most_open = 0

    def watch(progress: kpm.Progress) -> None:
        nonlocal most_open
        most_open = max(most_open, progress.open)

    gc.collect()
    reset = _reset_peak()
    before = _resident() if reset else _peak()
    result = kpm.clear(market, orders, callback=watch, **options)
    grown = _peak() - before
    corners = sum(len(stair) + 1 for stair in kpm.staircases(market, orders))
    claims, states = market.payoffs.shape
    answer = 8 * (3 * len(orders) + 4 * states + 5 * claims)  # what the result holds
    return {
        "states": states,
        "claims": claims,
        "orders": len(orders),
        "corners": corners,
        "nodes": result.stats.nodes,
        "open nodes": most_open,
        "memory": grown,
        "per corner memory": grown / corners,
        "result memory": answer,
        "exact": reset,
    }


def _reset_peak() -> bool:
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def _status(field: str) -> int | None:
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(field)), None)


def _resident() -> int:
    return _status("VmRSS:") or _peak()


def _peak() -> int:
    """The high-water mark in bytes; ``ru_maxrss`` counts KiB on Linux, bytes on macOS."""
    unit = 1 if sys.platform == "darwin" else 1024
    return _status("VmHWM:") or unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(arguments: list[str]) -> int:
    case = json.loads(arguments[0])
    kind, options = case.pop("kind"), case.pop("options", {})
    json.dump(clear_measured(kind, options, **case), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
