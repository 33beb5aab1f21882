"""Numbers that README and docs quote: marked spans, filled from the report's data.

``<!-- bench:KEY -->TEXT<!-- /bench -->`` holds what the sections of the report quote under KEY.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

_SPAN = re.compile(r"(<!-- bench:(\S+) -->)(.*?)(<!-- /bench -->)", re.DOTALL)
_MARK = re.compile(r"<!-- /?bench\b.*?-->")


class SpanError(ValueError):
    """A page marks a span badly."""


def spans(text: str) -> list[tuple[str, str]]:
    """Every span of a page: its key and what stands in it."""
    found = [(match[2], match[3]) for match in _SPAN.finditer(text)]
    if len(_MARK.findall(text)) != 2 * len(found) or any("<!--" in held for _, held in found):
        raise SpanError("a bench mark without its partner")
    return found


def unmeasured(text: str, quotes: Mapping[str, str]) -> list[str]:
    """The keys of a page that nothing measured."""
    return sorted({key for key, _ in spans(text)} - set(quotes))


def filled(text: str, quotes: Mapping[str, str]) -> str:
    """The page with every span saying what was measured; others stay as they are."""
    spans(text)  # badly marked pages are not touched
    return _SPAN.sub(lambda match: match[1] + quotes.get(match[2], match[3]) + match[4], text)


def fill(pages: Iterable[Path], quotes: Mapping[str, str]) -> tuple[list[Path], list[str]]:
    """Fill the spans of pages, all or none: the pages that changed, the keys nothing measured."""
    changed: dict[Path, str] = {}
    missing: set[str] = set()
    for page in pages:
        before = page.read_text(encoding="utf-8")
        try:
            after = filled(before, quotes)
        except SpanError as error:
            raise SpanError(f"{page}: {error}") from None
        missing |= set(unmeasured(before, quotes))
        if after != before:
            changed[page] = after
    for page, text in changed.items():
        page.write_text(text, encoding="utf-8")
    return list(changed), sorted(missing)
