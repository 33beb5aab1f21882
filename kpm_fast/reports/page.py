"""The frame of a report: one page that needs no network, light or dark, and fit to print."""

from __future__ import annotations

from collections.abc import Sequence

from ..markup import text

__all__ = ["page", "section"]

_STYLE = """
:root { color-scheme: light dark; --ink: #222; --ground: #fff; --grey: #6b6b6b; --pale: #e3e3e3;
  --good: #00694d; --bad: #a33c00; --blue: #0072b2; --orange: #c45200; --pink: #cc79a7; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --ground: #16181b; --grey: #a5a5a5; --pale: #3a3d42; --good: #4cc9a4;
    --bad: #ff9a5c; --blue: #4aa8e8; --orange: #f28a45; --pink: #e3a0c6; } }
body { color: var(--ink); background: var(--ground); max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
p.lead { font-size: 1.1rem; } nav ul { display: flex; flex-wrap: wrap; gap: 0 1.2rem; padding: 0;
  list-style: none; } a { color: inherit; }
div.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 0.8rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: 0.2rem 0; }
th, td { padding: 0.15rem 0.9rem 0.15rem 0; text-align: left; vertical-align: top; }
th { font-weight: 500; } thead th { border-bottom: 1px solid var(--grey); color: var(--grey); }
.n { text-align: right; white-space: nowrap; } tbody tr { border-bottom: 1px solid var(--pale); }
.l { min-width: 14em; overflow-wrap: break-word; }
figure { margin: 1rem 0; } svg { width: 100%; height: auto; } svg text { fill: currentColor; }
figcaption { color: var(--grey); font-size: 0.9rem; }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
footer { color: var(--grey); font-size: 0.9rem; margin-top: 3rem; }
@media print {
  :root { color-scheme: light; --ink: #000; --ground: #fff; --grey: #555; --pale: #ddd;
    --good: #00694d; --bad: #a33c00; --blue: #0072b2; --orange: #c45200; --pink: #cc79a7; }
  @page { margin: 16mm; } body { max-width: none; margin: 0; font-size: 10pt; }
  nav { display: none; } table { font-size: 8.5pt; } th, td { padding-right: 0.6rem; }
  svg { max-height: 200mm; }
  figure, tr, p { break-inside: avoid; } h2, section > p, caption, thead { break-after: avoid; }
  tbody, tbody tr:first-child { break-before: avoid; }
  table:not(:has(tbody tr:nth-child(16))) { break-inside: avoid; }
  tbody tr:nth-child(-n+3) { break-after: avoid; }
  tbody tr:nth-last-child(-n+3) { break-before: avoid; }
  thead { display: table-header-group; }
  div.wide { overflow: visible; } }
"""


def section(name: str, title: str, *parts: str) -> tuple[str, str, str]:
    """Return a section of a page: its anchor, its title, its content."""
    return name, title, "\n".join(part for part in parts if part)


def page(title: str, lead: str, sections: Sequence[tuple[str, str, str]], foot: str) -> str:
    """Return a whole page."""
    links = "".join(f'<li><a href="#{name}">{text(head)}</a></li>' for name, head, _ in sections)
    body = "\n".join(
        f'<section aria-labelledby="{name}"><h2 id="{name}">{text(head)}</h2>\n{content}</section>'
        for name, head, content in sections
    )
    # Nothing may be loaded, so that nothing can be missing or tell others who reads this.
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{text(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<header><h1>{text(title)}</h1>
<p class="lead">{text(lead)}</p>
<nav aria-label="Contents"><ul>{links}</ul></nav></header>
<main>
{body}
</main>
<footer><p>{text(foot)}</p></footer>
</body>
</html>
"""
