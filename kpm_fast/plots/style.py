"""The look of the package's figures, and how they are saved."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError, MissingDependencyError
from ..files.atomic_files import staged_binary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "house_style",
    "new_figure",
    "numbered_ids",
    "pictures",
    "require_matplotlib",
    "save",
    "svg_text",
]

#: Whoever entered last would otherwise leave behind the settings of who entered first. Blocks may
#: be nested.
_LOCK = threading.RLock()
_HASHED = re.compile(r'(?<=["#])([A-Za-z_]\w*?)[0-9a-f]{10}(?=["\)])')  # ids and references

# Okabe and Ito's palette: distinguishable with any kind of colour vision.
BLUE = "#0072B2"
ORANGE = "#D55E00"
GREEN = "#009E73"
PINK = "#CC79A7"
YELLOW = "#E69F00"
SKY = "#56B4E9"
INK = "#222222"
GREY = "#8A8A8A"
PALE = "#E3E3E3"
SERIES = (BLUE, ORANGE, GREEN, PINK, YELLOW)

_FONT = "DejaVu Sans"  # matplotlib's own: the same pictures everywhere
#: For what it has no letters: fonts of Linux, Windows and macOS, of which those installed are used.
_OTHER_FONTS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "WenQuanYi Micro Hei"),
    *("Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "Hiragino Sans", "PingFang SC"),
    *("Apple SD Gothic Neo", "Arial Unicode MS", "Noto Sans Devanagari", "Noto Sans Thai"),
    *("Nirmala UI", "Leelawadee UI", "Noto Emoji", "Segoe UI Emoji", "Segoe UI Symbol"),
)

_STYLE: dict[str, Any] = {
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlepad": 12.0,
    "axes.titlesize": 12.0,
    "axes.titleweight": "bold",
    "figure.dpi": 100.0,
    "font.size": 10.0,
    "legend.frameon": False,
    "lines.linewidth": 2.0,
    "lines.solid_capstyle": "round",
    "savefig.dpi": 200.0,
    "svg.fonttype": "path",
    "svg.hashsalt": "kpm-fast",
    "text.color": INK,
    "xtick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
}


def require_matplotlib() -> None:
    """Raise :class:`MissingDependencyError` unless matplotlib can be imported."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            "figures need matplotlib: pip install 'kpm-fast[plot]'"
        ) from error


@contextmanager
def house_style() -> Iterator[None]:
    """Apply the style of this package's pictures within the block, whatever your settings are.

    Fonts, lines, and a palette that is distinguishable with any kind of colour vision. Figures
    created inside keep most of it; save inside as well, for the resolution. Threads take turns:
    matplotlib's settings are those of the process. Do not wait inside for threads that draw in
    this style, as ``Result.plot`` does: they would wait for the end of the block.

    Returns
    -------
    context manager

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> from matplotlib.figure import Figure
    >>> with kpm.plot.house_style():
    ...     figure = Figure(figsize=(4, 3), layout="constrained")
    ...     lines = figure.subplots().plot([1, 2, 3], [2, 3, 5])
    >>> lines[0].get_color()
    '#0072B2'
    """
    require_matplotlib()
    import matplotlib
    from matplotlib.rcsetup import cycler

    with _LOCK, matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        matplotlib.rcParams["font.family"] = _fonts()
        matplotlib.rcParams["axes.prop_cycle"] = cycler("color", SERIES)
        yield


@lru_cache(maxsize=1)
def _fonts() -> list[str]:
    """Return the fonts that letters are looked for in, one after the other."""
    from matplotlib.font_manager import get_font_names

    installed = set(get_font_names())
    return [_FONT, *(name for name in _OTHER_FONTS if name in installed)]


def new_figure(
    width: float, height: float, rows: int = 1, columns: int = 1
) -> tuple[Figure, list[Axes]]:
    """Make a figure with a grid of axes, given row by row; sizes in inches.

    It does not become pyplot's current figure: no window, no global state, nothing to close.
    """
    from .picture import Picture

    figure = Picture(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    return figure, list(axes.ravel())


def svg_text(figure: Figure, **options: Any) -> str:
    """Return a figure as SVG: same figure, same text."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", **options)
    return numbered_ids(stream.getvalue())


def numbered_ids(svg: str) -> str:
    """Number matplotlib's identifiers as they appear.

    They are hashes of exact coordinates, and the layout's last bits depend on where its variables
    happen to lie in memory: the same picture would be another file.
    """
    known: dict[str, str] = {}

    def numbered(found: re.Match[str]) -> str:
        return known.setdefault(found[0], f"{found[1]}{len(known) + 1}")

    return _HASHED.sub(numbered, svg)


def pictures(stem: Path) -> tuple[Path, Path]:
    """Return the two files that :func:`save` writes.

    The stem may have points of its own (``v1.2``); only an ending of pictures is left out.

    Raises
    ------
    InputError
        If it names a folder and no file.
    """
    if stem.suffix.lower() in (".png", ".svg"):
        stem = stem.with_suffix("")
    if stem.name in ("", ".."):
        raise InputError(f"must name a file, got {str(stem)!r}", field="output")
    return stem.with_name(f"{stem.name}.png"), stem.with_name(f"{stem.name}.svg")


def save(figure: Figure, stem: Path) -> list[Path]:
    """Write ``stem.png`` and ``stem.svg``: same figure, same bytes."""
    png, svg = pictures(stem)
    with house_style():
        with staged_binary(png) as stream:
            figure.savefig(stream, format="png", metadata={"Software": None})
        with staged_binary(svg) as stream:
            drawing = svg_text(figure, metadata={"Date": None, "Creator": None})
            stream.write(drawing.encode("utf-8"))
    return [png, svg]
