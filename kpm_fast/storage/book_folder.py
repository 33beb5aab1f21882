"""A book on disk: a folder with a market and its orders, or the file of a saved clearing."""

from __future__ import annotations

import io
import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from ..arrays import as_number, as_path
from ..errors import InputError
from ..files.atomic_files import check_finished, staged_files
from ..files.strict_json import parse_json
from ..files.tables import check_text, write_csv
from ..model.book_types import check_book
from ..model.market import Market
from ..model.orders import Orders
from ..model.outcome import Outcome
from .archive import read_outcome
from .maker_file import maker_statement, read_maker

__all__ = ["BOOK_FILES", "read_book", "read_terms", "write_book"]

_CLAIMS, _STATES, _ORDERS, _MARKET = "claims.csv", "states.csv", "orders.csv", "market.json"
#: What :func:`read_book` reads.
BOOK_FILES = (_CLAIMS, _STATES, _ORDERS, _MARKET)
_SETTINGS = ("risk_aversion", "ambiguity")
_COMPRESSED = (".gz", ".bz2", ".xz")


def read_book(
    folder: str | os.PathLike[str],
    *,
    order_options: Mapping[str, Any] | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    **market_keywords: Any,
) -> tuple[Market, Orders]:
    """Read a market and its orders from a folder, or from the file of a saved clearing.

    Parameters
    ----------
    folder : path
        What :meth:`kpm_fast.Result.save` wrote, or a folder. That holds ``claims.csv`` (header
        ``claim,<state>,...``; payoffs), ``states.csv`` (header ``state,prior`` and optionally
        ``inventory``), ``orders.csv`` (see :meth:`Orders.from_csv`) and optionally
        ``market.json``, an object with ``risk_aversion`` and ``ambiguity`` (a number, or
        ``"Infinity"``), or with ``maker``, an object with a ``kind`` and its parameters. Other
        files are ignored. A table may be compressed and called
        ``claims.csv.gz``, ``.bz2`` or ``.xz``.
    order_options : mapping, optional
        How the orders differ from that form: ``columns``, ``sides``, ``sell``, ``price_unit``,
        ``quantity_unit``, ``market_orders`` of :meth:`Orders.from_csv`.
    delimiter, decimal, encoding : str, optional
        Of all three tables; see :meth:`Orders.from_csv`. Default: found.
    **market_keywords
        ``risk_aversion``, ``ambiguity``, ``inventory``: take precedence over the files;
        ``normalize``.

    Returns
    -------
    market : Market
    orders : Orders
        Their claims are known to the market.

    Raises
    ------
    InputError
        Naming file, line, column and value; or that a program died while it wrote the folder.
    OSError
        If a file cannot be read.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    >>> orders = kpm.Orders([0], "buy", [0.6], [10])
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> kpm.write_book(folder / "book", market, orders)
    >>> kpm.read_book(folder / "book")[0] == market
    True
    """
    folder = as_path(folder)
    if folder.is_file():
        return _book_of_clearing(folder, order_options, market_keywords)
    check_finished(folder)
    settings = _read_settings(folder / _MARKET)
    text: dict[str, Any] = {"delimiter": delimiter, "decimal": decimal, "encoding": encoding}
    claims, states = _table(folder, _CLAIMS), _table(folder, _STATES)
    if "maker" in settings:
        stated = settings["maker"]
        maker = read_maker(stated, folder / _MARKET, states, text, market_keywords)
        market = Market.from_csv(claims, states, **text, maker=maker)
    else:
        market = Market.from_csv(claims, states, **text, **{**settings, **market_keywords})
    orders = Orders.from_csv(_table(folder, _ORDERS), market, **text, **(order_options or {}))
    return market, orders


def read_terms(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the ``rule`` and the ``allocation`` of a saved clearing; nothing for a folder."""
    path = as_path(path)
    if not path.is_file():
        return {}
    cleared, _ = read_outcome(path, Outcome)
    return {"rule": cleared.rule, "allocation": cleared.allocation}


def _book_of_clearing(
    path: Path, order_options: Mapping[str, Any] | None, keywords: dict[str, Any]
) -> tuple[Market, Orders]:
    """Return what a saved clearing cleared, with some of the maker's parameters changed."""
    for name, value in (order_options or {}).items():
        if value not in (None, False, 1):
            raise InputError("is for tables, and this is the file of a clearing", field=name)
    cleared, _ = read_outcome(path, Outcome)
    changes = {name: value for name, value in keywords.items() if name != "normalize"}
    return (cleared.market.replace(**changes) if changes else cleared.market), cleared.orders


def _table(folder: Path, name: str) -> Path:
    """Return the path of a table: itself, or compressed where only that is there."""
    if not (folder / name).exists():
        for suffix in _COMPRESSED:
            packed = folder / f"{name}{suffix}"
            if packed.exists():
                return packed
    return folder / name


def write_book(
    folder: str | os.PathLike[str], market: Market, orders: Orders, *, overwrite: bool = True
) -> None:
    """Write a market and its orders so that :func:`read_book` returns them, bit for bit.

    The folder is made if need be; ``overwrite=False`` refuses one that holds another book. Files
    appear complete or not at all; a program that dies while it replaces them leaves a file
    ``UNFINISHED``, and :func:`read_book` refuses the folder.

    Raises
    ------
    InputError
        If an order's claim is unknown to the market, a state is named ``claim``, or a label or
        identifier would not come back: with half a surrogate pair, more than
        131,072 characters or, in an identifier, white space around it. Nothing is written then.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    >>> orders = kpm.Orders([0], "buy", [0.6], [10])
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> kpm.write_book(folder / "book", market, orders)
    >>> sorted(path.name for path in (folder / "book").iterdir())
    ['claims.csv', 'market.json', 'orders.csv', 'states.csv']
    """
    check_book(market, orders)
    check_text(market.claims, "claims", read_back=True)
    check_text(market.states, "states", read_back=True)
    if orders.has_order_id:
        check_text(orders.order_id, "order_id", read_back=True)
    labels = np.array(market.claims, dtype=object)
    order_table = {**orders.columns(), "claim": labels[orders.claim_index(market)]}
    if "claim" in market.states:
        raise InputError("a state named 'claim' cannot be a column of claims.csv", field="states")
    claim_table: dict[str, Any] = {"claim": market.claims}
    claim_table.update(zip(market.states, market.payoffs.T, strict=True))
    stated = maker_statement(market)
    state_table: dict[str, Any] = {"state": market.states}
    if stated is None or hasattr(market.maker, "prior"):
        state_table["prior"] = market.maker.prior  # type: ignore[attr-defined]
    if market.inventory.any():
        state_table["inventory"] = market.inventory
    settings: dict[str, Any] = {"maker": stated}
    if stated is None:
        settings = {name: _json_number(getattr(market, name)) for name in _SETTINGS}

    def write(open_file: Callable[[str], TextIO]) -> None:
        write_csv(open_file(_CLAIMS), claim_table)
        write_csv(open_file(_STATES), state_table)
        write_csv(open_file(_ORDERS), order_table)
        open_file(_MARKET).write(json.dumps(settings, indent=2) + "\n")

    if not overwrite:
        _check_no_other_book(as_path(folder), write)
    with staged_files(folder) as open_file:
        write(open_file)


def _check_no_other_book(folder: Path, write: Callable[[Callable[[str], TextIO]], None]) -> None:
    """Refuse a folder where a file holds anything else than what would be written."""
    if not any((folder / name).exists() for name in BOOK_FILES):
        return
    texts = {name: io.StringIO(newline="") for name in BOOK_FILES}
    write(texts.__getitem__)
    for name, text in texts.items():
        path = folder / name
        if path.exists() and path.read_bytes() != text.getvalue().encode("utf-8"):
            raise InputError(
                f"already holds another book ({name}); overwrite=True (--force) replaces it",
                file=folder,
            )


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 text: {error}", file=path) from error
    try:
        settings = parse_json(text)
    except json.JSONDecodeError as error:
        raise InputError(f"not JSON: {error.msg}", file=path, line=error.lineno) from error
    except InputError as error:
        raise error.located(path) from None
    except (ValueError, RecursionError) as error:  # thousands of digits, or of brackets
        raise InputError(f"cannot be read: {error}", file=path) from error
    if not isinstance(settings, dict):
        raise InputError(f"must hold a JSON object, got {settings!r}", file=path)
    for name in settings:
        if name == "maker" and len(settings) == 1:
            return settings
        if name == "maker":
            raise InputError("states all of a maker: nothing beside it", field=name, file=path)
        if name not in _SETTINGS:
            raise InputError(
                f"unknown (known: {', '.join((*_SETTINGS, 'maker'))})", field=name, file=path
            )
    try:
        return {name: _from_json(value, name) for name, value in settings.items()}
    except InputError as error:
        raise error.located(path) from None


def _from_json(value: Any, field: str) -> float:
    return math.inf if value == "Infinity" else as_number(value, field)


def _json_number(value: float) -> float | str:
    return "Infinity" if math.isinf(value) else value  # JSON itself has no infinity
