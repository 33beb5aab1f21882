"""A book on disk: a folder, one file, or the file of a saved clearing."""

from __future__ import annotations

import errno
import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import as_flag, as_path, check_choice
from ..errors import InputError, brief
from ..files.atomic_files import (
    check_finished,
    staged_binary,
    staged_files,
)
from ..files.csv_text import open_text
from ..files.input_file import check_regular, is_input_file
from ..files.tables import CsvTable, check_text, read_csv, write_csv
from ..model.book_types import check_book
from ..model.market import Market
from ..model.market_tables import market_of_tables
from ..model.order_form import OPTIONS, OrderForm
from ..model.orders import Orders
from ..model.outcome import Outcome
from .archive import read_outcome
from .book_file import SUFFIXES, BookParts, file_bytes, is_clearing, read_parts
from .maker_file import maker_statement, read_maker
from .market_json import checked_settings, json_of_file, settings_of

__all__ = [
    "BOOK_FILES",
    "check_form_of_clearing",
    "read_book",
    "read_market",
    "read_with_terms",
    "write_book",
]

_CLAIMS, _STATES, _ORDERS, _MARKET = "claims.csv", "states.csv", "orders.csv", "market.json"
_COMPRESSED = (".gz", ".bz2", ".xz", ".zip", ".zst")
_TABLES = (_CLAIMS, _STATES, _ORDERS)
#: The names under which :func:`read_book` looks for the files of a folder.
BOOK_FILES = (*(name + suffix for name in _TABLES for suffix in ("", *_COMPRESSED)), _MARKET)
_UNITS = ("price_unit", "quantity_unit")
_REPLACES = "overwrite=True (--force) replaces it"


def read_book(
    folder: str | os.PathLike[str],
    *,
    order_options: Mapping[str, Any] | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    risk_aversion: float | None = None,
    ambiguity: float | None = None,
    inventory: ArrayLike | Mapping[str, float] | None = None,
    normalize: bool = False,
) -> tuple[Market, Orders]:
    """Read a market and its orders from a folder or from one file.

    Parameters
    ----------
    folder : path
        A folder with ``claims.csv`` (header ``claim,<state>,...``; payoffs), ``states.csv``
        (header ``state,prior`` and optionally ``inventory``), ``orders.csv`` (see
        :meth:`Orders.from_csv`) and optionally ``market.json``, an object with ``risk_aversion``
        and ``ambiguity`` (a number, or ``"Infinity"``), or with ``maker``, an object with a
        ``kind`` and its parameters. Other files are ignored. A table may be compressed and called
        ``claims.csv.gz``, ``.bz2``, ``.xz``, ``.zip`` or ``.zst``.

        Or one file with all of these tables, whose first characters tell its format: JSON with a
        member for each; CSV with a title such as ``[claims]`` above each; Parquet of the orders
        with the market in its metadata, as :func:`write_book` writes it; or what
        :meth:`kpm_fast.Result.save` wrote.
    order_options : mapping, optional
        How the orders differ from that form: ``columns``, ``sides``, ``sell``, ``price_unit``,
        ``quantity_unit``, ``market_orders`` of :meth:`Orders.from_csv`.
    delimiter, decimal, encoding : str, optional
        Of all CSV tables; see :meth:`Orders.from_csv`. Default: found. ``decimal`` is also of the
        text in Parquet.
    risk_aversion, ambiguity, inventory : optional
        As for :class:`Market`; they take precedence over the files.
    normalize : bool
        Divide the prior of the tables by its sum, whatever that is.

    Returns
    -------
    market : Market
    orders : Orders
        Their claims are known to the market.

    Raises
    ------
    InputError
        Naming file, line (in JSON and Parquet the row), column and value; or that a program died
        while it wrote the folder.
    OSError
        If a file cannot be read.
    ImportError
        If the file is Parquet and there is no pyarrow.

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
    market, orders, _ = read_with_terms(
        folder,
        order_options=order_options,
        delimiter=delimiter,
        decimal=decimal,
        encoding=encoding,
        risk_aversion=risk_aversion,
        ambiguity=ambiguity,
        inventory=inventory,
        normalize=normalize,
    )
    return market, orders


def read_with_terms(
    folder: str | os.PathLike[str],
    *,
    order_options: Mapping[str, Any] | None,
    delimiter: str | None,
    decimal: str | None,
    encoding: str | None,
    risk_aversion: float | None = None,
    ambiguity: float | None = None,
    inventory: ArrayLike | Mapping[str, float] | None = None,
    normalize: bool,
) -> tuple[Market, Orders, dict[str, str]]:
    """Read a book as :func:`read_book` does; with it, of a saved clearing, rule and allocation."""
    path = as_path(folder, "folder")
    if order_options is not None and not isinstance(order_options, Mapping):
        raise InputError(
            f"must be a mapping, got {type(order_options).__name__}", field="order_options"
        )
    for name in order_options or ():
        check_choice(name, OPTIONS, "order_options")
    text: dict[str, Any] = {"delimiter": delimiter, "decimal": decimal, "encoding": encoding}
    normalize = as_flag(normalize, "normalize")
    changes = _stated(risk_aversion, ambiguity, inventory)
    if is_clearing(path):
        check_form_of_clearing({**(order_options or {}), **text, "normalize": normalize})
        cleared, market = _of_clearing(path, changes)
        terms = {"rule": cleared.rule, "allocation": cleared.allocation}
        return market, cleared.orders, terms
    parts = _parts(path, text, with_orders=True)
    market = _market_of(parts, {**changes, "normalize": normalize})
    return market, _orders_of(parts, path, market, order_options or {}), {}


def read_market(
    folder: str | os.PathLike[str],
    *,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    risk_aversion: float | None = None,
    ambiguity: float | None = None,
    inventory: ArrayLike | Mapping[str, float] | None = None,
    normalize: bool = False,
) -> Market:
    """Read the market of a book alone, as :func:`read_book` does: orders need not be there."""
    path = as_path(folder, "folder")
    text: dict[str, Any] = {"delimiter": delimiter, "decimal": decimal, "encoding": encoding}
    normalize = as_flag(normalize, "normalize")
    changes = _stated(risk_aversion, ambiguity, inventory)
    if is_clearing(path):
        check_form_of_clearing({**text, "normalize": normalize})
        return _of_clearing(path, changes)[1]
    parts = _parts(path, text, with_orders=False)
    return _market_of(parts, {**changes, "normalize": normalize})


def _stated(risk_aversion: Any, ambiguity: Any, inventory: Any) -> dict[str, Any]:
    """What is to take the place of the files' figures, by name."""
    given = {"risk_aversion": risk_aversion, "ambiguity": ambiguity, "inventory": inventory}
    return {name: value for name, value in given.items() if value is not None}


def check_form_of_clearing(form: Mapping[str, Any]) -> None:
    """Refuse options for the form of a book, which a saved clearing does not have.

    Raises
    ------
    InputError
        Naming the first that is not at its default.
    """
    for name, value in form.items():
        if value is not None and value is not False and not (name in _UNITS and value == 1):
            raise InputError(
                f"applies to tables, and this file is a saved clearing, got {brief(value)}",
                field=name,
            )


def _parts(path: Path, text: dict[str, Any], *, with_orders: bool) -> BookParts:
    if is_input_file(path) or (path.suffix.lower() in SUFFIXES and not path.exists()):
        return read_parts(path, **text, with_orders=with_orders)
    return _parts_of_folder(path, text)


def _market_of(parts: BookParts, market_keywords: dict[str, Any]) -> Market:
    if "maker" in parts.settings:
        stated = parts.settings["maker"]
        maker = read_maker(stated, parts.source, parts.states, market_keywords, parts.line)
        return market_of_tables(Market, parts.claims, parts.states, maker, {})
    keywords = {**parts.settings, **market_keywords}
    try:
        return market_of_tables(Market, parts.claims, parts.states, None, keywords)
    except InputError as error:
        if error.file is None and error.field in parts.settings.keys() - market_keywords.keys():
            raise error.located(parts.source, parts.line) from None
        raise


def _parts_of_folder(folder: Path, text: dict[str, Any]) -> BookParts:
    check_finished(folder)
    if not folder.exists():  # otherwise the error would name a file in it
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
    check_regular(folder)
    source = folder / _MARKET
    settings = _read_settings(source)
    claims = read_csv(_table(folder, _CLAIMS), ["claim"], **text)
    states = read_csv(_table(folder, _STATES), ["state"], ["prior", "inventory"], **text)
    orders = _Unread(_table(folder, _ORDERS), text)
    return BookParts(claims, states, orders, settings, source)


@dataclass
class _Unread:
    """A file of orders that is read only once the market has been checked."""

    path: Path
    text: dict[str, Any]


def _orders_of(parts: BookParts, path: Path, market: Market, options: Mapping[str, Any]) -> Orders:
    if isinstance(parts.orders, _Unread):
        return Orders.from_csv(parts.orders.path, market, **parts.orders.text, **options)
    if isinstance(parts.orders, CsvTable):
        form = OrderForm(**options)
        parts.orders.check(form.required, form.optional, form.renamable)
        return Orders._of_table(parts.orders, form, market)
    try:
        return Orders.from_frame(parts.orders, market, decimal=parts.decimal, **options)
    except InputError as error:
        raise error.located(path) from None


def _of_clearing(path: Path, changes: dict[str, Any]) -> tuple[Outcome, Market]:
    """Return a saved clearing, and its market with parameters of the maker changed."""
    cleared, _ = read_outcome(path, Outcome)
    return cleared, cleared.market.replace(**changes) if changes else cleared.market


def _table(folder: Path, name: str) -> Path:
    """Return the path of a table, or of its compressed form where only that exists."""
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

    A path that ends in ``.json``, ``.csv`` or ``.parquet``, in letters of either case, becomes one
    file, any other a folder, which is made if need be. Compressed tables of the book that it held
    are removed. ``overwrite=False`` refuses one that holds another book. Files appear complete or
    not at all; a program that dies while it replaces them leaves a file ``UNFINISHED``, and
    :func:`read_book` refuses the folder.

    Raises
    ------
    InputError
        If an order's claim is unknown to the market, a state is named ``claim``, the path is that
        of a compressed file, such as ``book.csv.gz``, or a label or identifier could not be read
        back: one with half a surrogate pair, more than 131,072 characters or, in an identifier,
        white space around it. Nothing is written then.

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
    >>> kpm.write_book(folder / "book.json", market, orders)
    >>> print((folder / "book.json").read_text(), end="")
    {
    "risk_aversion": 0.01,
    "ambiguity": 0.01,
    "claims": [
    {"claim": "0", "0": 1.0, "1": 0.0}
    ],
    "states": [
    {"state": "0", "prior": 0.5},
    {"state": "1", "prior": 0.5}
    ],
    "orders": [
    {"claim": "0", "side": "buy", "price": 0.6, "quantity": 10.0}
    ]
    }
    """
    check_book(market, orders)
    overwrite = as_flag(overwrite, "overwrite")
    check_text(market.claims, "claims", read_back=True)
    check_text(market.states, "states", read_back=True)
    if orders.has_order_id:
        check_text(orders.order_id, "order_id", read_back=True)
    labels = np.array(market.claims, dtype=object)
    order_table = {**orders.columns(), "claim": labels[orders.claim_index(market)]}
    if "claim" in market.states:
        raise InputError(
            "must not be 'claim', which is the first column of claims.csv",
            field="states",
            index=market.states.index("claim"),
        )
    claim_table: dict[str, Any] = {"claim": market.claims}
    claim_table.update(zip(market.states, market.payoffs.T, strict=True))
    stated = maker_statement(market)
    state_table: dict[str, Any] = {"state": market.states}
    if stated is None or hasattr(market.maker, "prior"):
        state_table["prior"] = market.maker.prior  # type: ignore[attr-defined]
    if market.inventory.any():
        state_table["inventory"] = market.inventory
    settings = settings_of(market, stated)
    tables = {"claims": claim_table, "states": state_table, "orders": order_table}
    path = as_path(folder, "folder")
    form = path.suffix.lower()
    if form in SUFFIXES and not path.is_dir():
        _write_file(path, file_bytes(form, tables, settings), overwrite)
        return
    inner = Path(path.stem).suffix.lower()
    if form in _COMPRESSED and inner in SUFFIXES and not path.is_dir():
        raise InputError(
            f"must end in {inner}, got {path.name!r}: a book is not compressed as it is written",
            field="folder",
        )

    def write(open_file: Callable[[str], TextIO]) -> None:
        for name, table in tables.items():
            write_csv(open_file(f"{name}.csv"), table)
        open_file(_MARKET).write(json.dumps(settings, indent=2) + "\n")

    if not overwrite:
        _check_no_other_book(path, write)
    replaced = [f"{table}{suffix}" for table in _TABLES for suffix in _COMPRESSED]
    with staged_files(folder, replaced=replaced) as open_file:
        write(open_file)


def _write_file(path: Path, content: bytes, overwrite: bool) -> None:
    if not overwrite and path.exists() and path.read_bytes() != content:
        raise InputError(f"already exists with other content; {_REPLACES}", file=path)
    with staged_binary(path) as stream:
        stream.write(content)


def _check_no_other_book(folder: Path, write: Callable[[Callable[[str], TextIO]], None]) -> None:
    """Refuse a folder in which a file of a book differs from what would be written."""
    present = [name for name in BOOK_FILES if (folder / name).exists()]
    if not present:
        return
    texts = {name: io.StringIO(newline="") for name in (*_TABLES, _MARKET)}
    write(texts.__getitem__)
    for name in present:
        same = name in texts and (folder / name).read_bytes() == texts[name].getvalue().encode()
        if not same:  # as a compressed table never is, which a plain one would hide
            raise InputError(
                f"already holds another book ({name}); {_REPLACES}",
                file=folder,
            )


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        with open_text(path, None, remedy="") as stream:  # encoding= is that of the tables
            text = stream.read()
    except FileNotFoundError:
        return {}
    return checked_settings(json_of_file(text, path), path)
