"""The site: ``sphinx-build -W -n docs build/site``. Nothing is fetched while it is built."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
import tempfile
from operator import attrgetter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT))

import kpm_fast  # noqa: E402

project = author = copyright = "kpm_fast developers"
project = "kpm_fast"
release = version = kpm_fast.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = [
    "pictures",
    "tutorial.ipynb",
    "gallery/*.py",
    "gallery/*.ipynb",
    "sg_execution_times.rst",
]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["config.cache"]  # the gallery is told what to do by functions

html_theme = "pydata_sphinx_theme"
html_title = f"kpm_fast {release}"
html_theme_options = {"show_prev_next": False, "header_links_before_dropdown": 6}
html_static_path = ["static"]
html_css_files = ["phone.css"]
html_show_sourcelink = html_copy_source = False
# Only the examples have pages below them; elsewhere the bar at the left would be empty.
html_sidebars: dict[str, list[str]] = {
    page: [] for page in ("api/index", *(path.stem for path in Path(__file__).parent.glob("*.md")))
}

autodoc_typehints = "none"  # the sections of the docstrings say them in words
numpydoc_show_class_members = False

_SCRATCH = tempfile.TemporaryDirectory()  # for what examples write


def _argv(config: Any, script: dict[str, Any]) -> list[str]:
    """Let an example write somewhere else than into the sources."""
    name = Path(script["src_file"]).stem
    if name == "every_rule":  # whose figure is shown, and need not be written
        return []
    return [str(Path(_SCRATCH.name) / (name if name.startswith("figures") else f"{name}.html"))]


def _figures(block: Any, script: dict[str, Any], config: Any) -> str:
    """Show the figures that a block of an example has named; pyplot knows nothing of them."""
    from matplotlib.figure import Figure
    from sphinx_gallery.scrapers import figure_rst

    shown = script.setdefault("_shown", set())
    paths = []
    for value in list(script["example_globals"].values()):
        if isinstance(value, Figure) and id(value) not in shown:
            shown.add(id(value))
            paths.append(next(script["image_path_iterator"]))
            value.savefig(paths[-1], dpi=100)
    return str(figure_rst(paths, config["src_dir"]))


sphinx_gallery_conf = {
    "examples_dirs": str(ROOT / "examples"),
    "gallery_dirs": "gallery",
    # Processes that an example starts cannot find it again from here.
    "filename_pattern": r"/(report_for_an_auditor|figures_of_own_data|every_rule|markets/\w+)\.py",
    # The others are for a reader of the folder.
    "ignore_pattern": r"examples/(?!report_|figures_of|every_rule|ten_th|markets)\w+(/.*)?\.py",
    "image_scrapers": (_figures,),
    "reset_argv": _argv,
    "reset_modules": (),
    "download_all_examples": False,
    "write_computation_times": False,
    "remove_config_comments": True,
}


def _reference() -> str:
    """Everything public, whatever ``kpm_fast.__all__`` says."""
    parts = ["# Reference of the package\n\nEverything that `import kpm_fast` offers.\n"]

    def add(title: str, directive: str, names: list[str], options: str = "") -> None:
        parts.append(f"## {title}\n")
        role = "class" if directive == "autoclass" else "func"
        parts.append("| | |\n|---|---|")
        for name in names:
            summary = (inspect.getdoc(attrgetter(name)(kpm_fast)) or "").partition("\n\n")[0]
            parts.append(f"| {{py:{role}}}`~kpm_fast.{name}` | {_as_cell(summary)} |")
        parts.append("")
        parts.extend(
            f"```{{eval-rst}}\n.. {directive}:: kpm_fast.{name}\n{options}```\n" for name in names
        )

    items = {name: getattr(kpm_fast, name) for name in kpm_fast.__all__}
    add("Functions", "autofunction", [n for n, item in items.items() if inspect.isfunction(item)])
    members = "   :members:\n   :inherited-members: tuple, str, ValueError, Exception, Executor\n"
    add("Classes", "autoclass", [n for n, item in items.items() if inspect.isclass(item)], members)
    for module in ("plot", "sample"):
        public = importlib.import_module(f"kpm_fast.{module}")
        names = [f"{module}.{n}" for n in public.__all__ if inspect.isfunction(getattr(public, n))]
        add(f"kpm_fast.{module}", "autofunction", names)
    return "\n".join(parts)


def _as_cell(summary: str) -> str:
    """Write the first sentence of a docstring as a table's cell in Markdown."""
    line = " ".join(summary.split()).replace("|", "\\|")
    line = re.sub(r":(?:\w+:)?\w+:`~?([\w.]+)`", r"`\1`", line)
    return re.sub(r"``([^`]+)``", r"`\1`", line)


def _write_reference() -> None:
    page = Path(__file__).parent / "api" / "index.md"
    page.parent.mkdir(exist_ok=True)
    text = _reference()
    if not page.exists() or page.read_text("utf-8") != text:
        page.write_text(text, "utf-8")


def _unlink_outside(app: Any, name: str, source: list[str]) -> None:
    """Pages also link to files beside docs/, which the site has not: leave their names."""
    source[0] = re.sub(r"\[([^\]]*)\]\(\.\./[^)]*\)", r"\1", source[0])


#: Notebooks have a style of their own for tables.
_CELLS = (
    "<style>.shown table { margin: 0.5rem 0; } .shown :is(td, th) { padding: 0.1rem 0.7rem; "
    'text-align: right; }</style><div class="shown">'
)


def _show_what_notebooks_show(app: Any, name: str, source: list[str]) -> None:
    """Put the tables and pictures of the notebook below the tutorial's blocks that make them."""
    if name != "tutorial":
        return
    notebook = json.loads((Path(__file__).parent / "tutorial.ipynb").read_text("utf-8"))
    for cell in notebook["cells"]:
        data = next((out["data"] for out in cell.get("outputs", ()) if "data" in out), {})
        if "image/png" in data:
            encoded = "".join(data["image/png"]).replace("\n", "")
            shown = f'<img alt="What the last line draws" src="data:image/png;base64,{encoded}">'
        elif "text/html" in data:
            shown = _CELLS + "".join(data["text/html"]).replace("\n", " ") + "</div>"
        else:
            continue
        block = f"```python\n{''.join(cell['source'])}\n```\n"
        assert source[0].count(block) == 1, block
        source[0] = source[0].replace(block, f"{block}\n```{{raw}} html\n{shown}\n```\n")


def setup(app: Any) -> None:
    """Called by Sphinx."""
    _write_reference()
    app.connect("source-read", _unlink_outside)
    app.connect("source-read", _show_what_notebooks_show)
