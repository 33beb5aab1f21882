"""A clearing in HTML: tables that line up at the decimal point, and the summary of notebooks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from .model.outcome import Outcome
from .model.words import message
from .plots.panels import visible, without_rounding

__all__ = ["SHARES", "aligned", "claim_columns", "summary", "table", "text"]

_DIGITS = 6  # that the largest number of a column shows
_DIGITS_COMPARED = 8
_MOST_DECIMALS = 9
_LONG = 14  # letters of an entry that shall not be broken at every word
_CLAIMS = 20  # of a notebook's summary


def text(value: object) -> str:
    """Return text for HTML."""
    return escape(visible(str(value)), quote=True)


def aligned(values: Sequence[float] | Any, digits: int = _DIGITS) -> list[str]:
    """Write numbers with the same count of decimals, no more than they need.

    Where a column spans more than its digits can show, small numbers are written in full instead.
    """
    numbers = [float(value) + 0.0 for value in values]
    return [_number(value, _decimals(numbers, digits)) for value in numbers]


def _decimals(numbers: Sequence[float], digits: int) -> int:
    finite = [abs(value) for value in numbers if math.isfinite(value) and value != 0.0]
    if not finite:
        return 0
    decimals = min(max(digits - 1 - math.floor(math.log10(max(finite))), 0), _MOST_DECIMALS)
    while decimals > 0 and all(
        math.isclose(round(value, decimals - 1), value, rel_tol=1e-9, abs_tol=0.0)
        for value in finite
    ):
        decimals -= 1
    return decimals


def _number(value: float, decimals: int) -> str:
    written = f"{value:,.{decimals}f}"
    if value != 0.0 and math.isfinite(value) and float(written.replace(",", "")) == 0.0:
        return f"{value:.2g}"
    return written


def table(
    caption: str,
    columns: Mapping[str, Sequence[Any]],
    *,
    rows: int | None = None,
    alike: Sequence[str] = (),
) -> str:
    """Return a table with a caption; columns of numbers are aligned, the first heads its rows.

    Columns that are compared with each other, ``alike``, have the same count of decimals.
    """
    compared = [float(value) for name in alike for value in columns[name][:rows]]
    shared = _decimals(compared, _DIGITS_COMPARED)
    written: list[list[str]] = []
    numeric: list[bool] = []
    for name, column in columns.items():
        entries = list(column)[:rows]
        numbers = bool(entries) and all(isinstance(e, float | np.floating) for e in entries)
        numeric.append(
            numbers or (bool(entries) and all(isinstance(e, int | np.integer) for e in entries))
        )
        if name in alike:
            written.append([_number(float(e) + 0.0, shared) for e in entries])
        else:
            written.append(aligned(entries) if numbers else [_entry(e) for e in entries])
    classes = [
        " class=n" if numbers else " class=l" if max(map(len, column), default=0) > _LONG else ""
        for column, numbers in zip(written, numeric, strict=True)
    ]
    heads = "".join(
        f'<th scope="col"{kind}>{text(name)}</th>'
        for name, kind in zip(columns, classes, strict=True)
    )
    body = []
    for row in zip(*written, strict=True):
        first = "" if numeric[0] else classes[0]
        cells = [f'<th scope="row"{first}>{text(row[0])}</th>']
        cells += [
            f"<td{kind}>{text(cell)}</td>" for cell, kind in zip(row[1:], classes[1:], strict=True)
        ]
        body.append(f"<tr>{''.join(cells)}</tr>")
    total = len(next(iter(columns.values())))
    more = f"<p>… and {total - rows:,} more.</p>" if rows is not None and total > rows else ""
    return (
        f"<table><caption>{text(caption)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table>{more}"
    )


def _entry(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | np.integer) else str(value)


#: Columns of claims that are shares.
SHARES = ("bought", "sold", "maker sells")


def claim_columns(outcome: Outcome) -> dict[str, Any]:
    """Return what people want to know of claims, by the names of columns."""
    columns = outcome.table("claims")
    return {
        "claim": columns["claim"],
        "price": columns["price"],
        "bought": columns["bought"],
        "sold": columns["sold"],
        "maker sells": _shares(outcome, columns["net_demand"]),
        "orders filled": columns["orders_filled"],
    }


def _shares(outcome: Outcome, values: Any) -> Any:
    """Return shares with what rounding left of zero as zero."""
    traded = np.maximum(outcome.bought, outcome.sold)
    return np.where(np.abs(values) <= 1e-9 * traded, 0.0, values)


def summary(outcome: Outcome) -> str:
    """Return what a notebook shows of a result."""
    figures = {
        "worth to the maker, for certain": outcome.certainty_equivalent,
        "without trading": outcome.no_trade_equivalent,
        "in the worst state": outcome.payoff.min(),
        "in the best state": outcome.payoff.max(),
    }
    money = aligned(without_rounding(np.array(list(figures.values())), outcome))
    listed = "".join(
        f"<tr><th scope=row style='text-align:left'>{text(name)}</th>"
        f"<td style='text-align:right'>{value}</td></tr>"
        for name, value in zip(figures, money, strict=True)
    )
    prices = table("Prices and shares", claim_columns(outcome), rows=_CLAIMS, alike=SHARES)
    # A notebook knows no classes of ours.
    prices = prices.replace(" class=n>", " style='text-align:right'>").replace(" class=l>", ">")
    return (
        f"<div><p>{text(message(outcome))}</p>{prices}"
        f"<table><caption>The maker's wealth (money)</caption><tbody>{listed}</tbody></table></div>"
    )
