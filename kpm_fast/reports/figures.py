"""Pictures inside an HTML page: vectors that follow its colours, with names for screen readers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..markup import text
from ..plots.style import BLUE, GREY, INK, ORANGE, PALE, PINK, house_style, svg_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["figure_html"]

#: Colours that the page sets, lighter ones on a dark background.
_VARIABLES = {
    INK: "currentColor",
    GREY: "var(--grey)",
    PALE: "var(--pale)",
    BLUE: "var(--blue)",
    ORANGE: "var(--orange)",
    PINK: "var(--pink)",
}


def figure_html(figure: Figure, name: str, title: str, description: str) -> str:
    """Return a figure as HTML, no network needed.

    Its colours are the page's, so that it can be read on a dark or light background. ``name``
    prefixes its identifiers, which would otherwise be those of the page's other figures.
    """
    with house_style():
        import matplotlib

        matplotlib.rcParams["svg.fonttype"] = "none"  # text that can be searched and read aloud
        metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
        drawing = svg_text(figure, transparent=True, metadata=metadata)
    drawing = drawing[drawing.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.S)
    drawing = re.sub(r"<!--.*?-->", "", drawing, flags=re.S)
    drawing = re.sub(r"\n\s*", "\n", drawing)
    drawing = re.sub(r'\bid="', f'id="{name}-', drawing)
    drawing = re.sub(r'(href="|url\()#', rf"\1#{name}-", drawing)
    for colour, variable in _VARIABLES.items():
        drawing = drawing.replace(colour.lower(), variable)
    drawing = drawing.replace("#000000", "currentColor")
    size = re.match(r"<svg[^>]*?>", drawing, flags=re.S)
    box = re.search(r'viewBox="([^"]*)"', size[0] if size else "")
    if size is None or box is None:
        raise AssertionError("matplotlib wrote a drawing without a view box")
    width = float(box[1].split()[2])
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{box[1]}" style="max-width:{1.35 * width:.0f}px" role="img" '
        f'aria-labelledby="{name}-title {name}-description">'
        f'<title id="{name}-title">{text(title)}</title>'
        f'<desc id="{name}-description">{text(description)}</desc>'
    )
    return (
        f'<figure aria-labelledby="{name}-caption">{opening}{drawing[size.end() :].rstrip()}'
        f'<figcaption id="{name}-caption">{text(description)}</figcaption></figure>'
    )
