"""``python docs/notebook.py``: docs/tutorial.ipynb from docs/tutorial.md, executed.

The page is the source; its blocks of Python become cells, its blocks of text are what they print.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

__all__ = ["cells_of", "executed", "notebook_of", "printed"]

DOCS = Path(__file__).parent
_BLOCK = re.compile(r"^```(python|text)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([\w-]+)\.md")


def cells_of(page: str) -> list[tuple[str, str]]:
    """Return the kinds (``markdown``, ``python``, ``text``) and contents of a page's parts."""
    cells: list[tuple[str, str]] = []
    at = 0
    for block in _BLOCK.finditer(page):
        cells.append(("markdown", page[at : block.start()].strip()))
        cells.append((block[1], block[2].rstrip("\n")))
        at = block.end()
    cells.append(("markdown", page[at:].strip()))
    return [(kind, text) for kind, text in cells if text]


def notebook_of(page: str) -> Any:
    """Return a page as a notebook that has not been executed."""
    from nbformat import v4

    cells = []
    for number, (kind, text) in enumerate(cells_of(page)):
        if kind == "text":
            continue
        new = v4.new_code_cell if kind == "python" else v4.new_markdown_cell
        # A fixed name for each cell, so that the file changes only where the page does.
        cells.append(new(text, id=f"cell-{number}"))
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return v4.new_notebook(cells=cells, metadata=kernel)


def executed(notebook: Any) -> Any:
    """Execute a notebook in a kernel of this Python; an error in a cell is raised."""
    from nbclient import NotebookClient

    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", record_timing=False, allow_errors=False
    )
    done = client.execute()
    done.metadata.pop("language_info", None)  # the release of Python that ran it
    return done


def printed(cell: Any) -> str:
    """Return what a cell has printed."""
    texts = [
        output["text"] for output in cell.get("outputs", []) if output["output_type"] == "stream"
    ]
    return "".join(texts).rstrip("\n")


def main() -> None:
    """Write the notebook."""
    notebook = executed(notebook_of((DOCS / "tutorial.md").read_text("utf-8")))
    text = json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True)
    (DOCS / "tutorial.ipynb").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
