"""The load by other processes meanwhile: whether times were taken on an idle machine."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

IDLE = 0.05  # cores that others may keep busy on a machine that counts as idle


class Watch:
    """Counts from its creation until asked; children must have been waited for."""

    def __init__(self) -> None:
        self._start, self._busy, self._own = time.perf_counter(), _busy(), _own()

    def own(self) -> float:
        """Processor seconds of this process and of its children."""
        return _own() - self._own

    def others(self) -> float | None:
        """Cores that other processes, or other guests of the same host, kept busy on average.

        None where the system does not say.
        """
        busy = _busy()
        if busy is None or self._busy is None:
            return None
        wall = time.perf_counter() - self._start
        # Ticks of 10 ms: rounding may leave a slightly negative number.
        return max(0.0, (busy - self._busy - self.own()) / wall)


def _own() -> float:
    """Processor seconds of this process and of its children, as far as they have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _busy() -> float | None:
    """Processor seconds of the whole machine, with what a hypervisor withheld (Linux)."""
    try:
        line = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
    except OSError:
        return None
    user, nice, system, _idle, _wait, interrupt, soft, steal = map(int, line.split()[1:9])
    return (user + nice + system + interrupt + soft + steal) / os.sysconf("SC_CLK_TCK")
