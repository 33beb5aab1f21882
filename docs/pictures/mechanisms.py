"""One race card under every maker and rule: the figure of ``examples/every_rule.py``."""

from __future__ import annotations

import io
import runpy
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["mechanisms"]

_EXAMPLE = Path(__file__).parents[2] / "examples" / "every_rule.py"


def mechanisms() -> Figure:
    """Draw clearing prices less the prior, and payoffs, by runner: every maker, by every rule."""
    with redirect_stdout(io.StringIO()):
        return cast("Figure", runpy.run_path(str(_EXAMPLE))["figure"])
