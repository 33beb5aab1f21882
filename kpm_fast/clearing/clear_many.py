"""``clear_many``: many books at once, in the core."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from typing import Any

import numpy as np

from .. import _core
from ..arrays import Floats, Ints, frozen
from ..errors import InputError, TooManyCellsError, brief
from ..model.batch import FIGURES, Batch
from ..model.book_types import check_book
from ..model.books import Books
from ..model.faults import error_of
from ..model.maker_model import check_maker, maker_model
from ..model.market import Market
from ..model.orders import Orders
from .chunks import check_executor, clear_in_chunks
from .options import check_cells, without_times
from .settings import ClearSettings
from .stop_token import StopToken, flag_of

__all__ = ["clear_many"]

# In the order of kpm::Status; the binding adds -1 and -2, which index the last two.
_STATUSES = np.array(
    [
        "optimal",
        "time_limit",
        "node_limit",
        "interrupted",
        "inaccurate",
        "infeasible",
        "refused",
        "interrupted",
    ],
    dtype=object,
)


def clear_many(
    books: Books | Mapping[str, tuple[Market, Orders]] | Iterable[tuple[Market, Orders]],
    threads: int | None = None,
    *,
    method: str = "auto",
    rule: str = "maker_optimal",
    tolerance: float = 1e-8,
    time_limit: float | None = None,
    node_limit: int | None = None,
    cell_limit: int = 1_000_000,
    prune_bounds: bool = True,
    presolve: bool = True,
    allocation: str = "pro_rata",
    stop: StopToken | None = None,
    executor: Executor | None = None,
    resume: str | os.PathLike[str] | None = None,
) -> Batch:
    """Clear many books, each on one thread, with the same bits as :func:`clear`.

    Parameters
    ----------
    books : Books, or iterable or mapping of (Market, Orders)
        The keys of a mapping are the names of its books.
        :class:`Books` holds columns, by far the fastest form for many small books of one market:
        constructing a :class:`Market` and :class:`Orders` for a tiny book takes longer than
        clearing it.
    threads : int, optional
        1 to 1024, each of which clears books from beginning to end. Default: the processors that
        affinity and a container's CPU quota leave this process, less those that other clearings
        work on.
    rule : {"maker_optimal", "competitive", "pay_as_bid", "pdca"}
        As for :func:`clear`, of every book. One whose maker does not have it is a row with its
        error.
    method, tolerance, prune_bounds, presolve, allocation
        As for :func:`clear`.
    time_limit, node_limit, cell_limit
        As for :func:`clear`, of each book.
    stop : StopToken, optional
        Cancel it, from any thread, to end the batch as Ctrl-C does, with an executor, too: what
        waits there is not begun, and tasks that have begun, a second of work at most, are awaited.
    executor : concurrent.futures.Executor, optional
        Where to clear: processes, or others with this interface (joblib's loky, Dask's
        ``client.get_executor()``). Tasks are sized at 0.2 to 1 s of work, one thread each. Neither
        the executor nor the division changes a bit. Default: the calling process.
    resume : path, optional
        A file that stores finished tasks under a hash of everything that determines them; it is
        created if necessary. A run that was stopped continues where it was, and one with further
        books appended clears only these. Tasks in which a time limit struck are not stored.

    Returns
    -------
    Batch
        Columns. A book that cannot be cleared is a row with its error. Ctrl-C ends the batch, and
        books not cleared by then have the status ``"interrupted"``; with an executor it is raised.

    Notes
    -----
    What ``clear`` says of one book alone is not part of the columns: ``certificate``, ``callback``
    and ``verbose`` are its own.

    Raises
    ------
    InputError
        Naming the option, or that ``resume`` is another kind of file. What is wrong with a book is
        in its row.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, claims=["home"])
    >>> good = kpm.Orders(["home"], "buy", [0.6], [10])
    >>> bad = kpm.Orders(["hoem"], "buy", [0.6], [10])
    >>> batch = kpm.clear_many([(market, good), (market, bad)])
    >>> batch.status.tolist(), batch.certainty_equivalent.round(4).tolist()
    (['optimal', 'refused'], [0.1722, nan])
    >>> print(batch.errors[1])
    books[1]: claim[0]: the market has no claim 'hoem': did you mean 'home'?
    """
    options = {
        "method": method,
        "rule": rule,
        "tolerance": tolerance,
        "threads": threads,
        "time_limit": time_limit,
        "node_limit": node_limit,
        "cell_limit": cell_limit,
        "prune_bounds": prune_bounds,
        "presolve": presolve,
        "allocation": allocation,
    }
    settings = ClearSettings.of(**options)
    flag = flag_of(stop)
    check_executor(executor)
    if isinstance(books, Books):
        columns = _of_columns(books, settings)
    elif isinstance(books, Mapping):
        columns = {**_of_pairs(books.values(), settings), "names": tuple(books)}
    else:
        columns = _of_pairs(books, settings)
    if isinstance(books, Books) and allocation == "time" and books.priority is None and len(books):
        raise InputError("'time' needs times, which the books do not have", field="allocation")
    if executor is None and resume is None:
        return _clear_columns(columns, options, flag)
    return clear_in_chunks(_clear_columns, columns, options, executor, resume, flag)


def _clear_columns(
    columns: dict[str, Any], options: dict[str, Any], stop: _core.StopFlag | None = None
) -> Batch:
    """Clear books in the core, in this process or as a task of an executor."""
    settings = ClearSettings.of(**options)
    answer = _core.clear_many(
        [(maker_model(m), m.payoffs, m.inventory) for m in columns["markets"]],
        columns["market_of"],
        columns["first"],
        columns["claim"],
        columns["side"],
        columns["price"],
        columns["quantity"],
        columns["priority"] if settings.allocation == "time" else None,
        settings.core,
        settings.rule,
        stop,
    )
    return _batch(answer, columns, settings.rule)


def _of_columns(books: Books, settings: ClearSettings) -> dict[str, Any]:
    check_maker(settings.rule, books.market)
    errors = dict(books.errors)
    if settings.enumerates:
        for number in set(range(len(books))).difference(errors):
            rows = slice(int(books.first[number]), int(books.first[number + 1]))
            columns = books.claim[rows], books.side[rows], books.price[rows], books.quantity[rows]
            try:
                check_cells(books.market, *columns, settings.cell_limit)
            except TooManyCellsError as error:
                errors[number] = InputError(str(error), field="books", index=number)
    return {
        "markets": [books.market],
        "market_of": np.zeros(len(books), dtype=np.int64),
        "first": books.first,
        "claim": books.claim,
        "side": books.side,
        "price": books.price,
        "quantity": books.quantity,
        "priority": books.priority,
        "names": books.names,
        "errors": errors,
    }


#: Takes the place of a book that cannot be cleared.
_EMPTY = (Market([[0.0]], [1.0]), Orders([], [], [], []))


def _of_pairs(books: Iterable[Any], settings: ClearSettings) -> dict[str, Any]:
    """Join pairs of market and orders; an invalid one is represented by its error."""
    markets: dict[int, tuple[int, Market]] = {}
    market_of: list[int] = []
    parts: list[tuple[Orders, Ints]] = []
    errors: dict[int, InputError] = {}
    if not isinstance(books, Iterable) or getattr(books, "ndim", 1) == 0:
        raise InputError(
            f"must be Books, or pairs of Market and Orders, got {type(books).__name__}",
            field="books",
        )
    for number, entry in enumerate(books):
        try:
            market, orders = _checked(entry, settings)
            index = orders.claim_index(market)
            if settings.enumerates:
                columns = index, orders.side, orders.price, orders.quantity
                check_cells(market, *columns, settings.cell_limit)
        except (InputError, TooManyCellsError) as error:
            reason = str(error)
            errors[number] = InputError(reason, field="books", index=number)
            market, orders = _EMPTY
            index = orders.claim_index(market)
        # By identity: the market is kept alive, so that no other object can have its id.
        place, _ = markets.setdefault(id(market), (len(markets), market))
        market_of.append(place)
        parts.append((orders, index))
    lengths = [len(orders) for orders, _ in parts]

    def joined(arrays: list[Any], kind: Any) -> Any:
        return np.concatenate([*arrays, np.empty(0, dtype=kind)]).astype(kind, copy=False)

    priority = None
    if settings.allocation == "time":
        priority = joined([orders.priority for orders, _ in parts if len(orders)], np.float64)
    return {
        "markets": [market for _, market in markets.values()],
        "market_of": np.array(market_of, dtype=np.int64),
        "first": np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64),
        "claim": joined([index for _, index in parts], np.int64),
        "side": joined([orders.side for orders, _ in parts], np.int8),
        "price": joined([orders.price for orders, _ in parts], np.float64),
        "quantity": joined([orders.quantity for orders, _ in parts], np.float64),
        "priority": priority,
        "names": tuple(range(len(parts))),
        "errors": errors,
    }


def _checked(entry: Any, settings: ClearSettings) -> tuple[Market, Orders]:
    if not isinstance(entry, tuple | list) or len(entry) != 2:
        raise InputError(f"must be a market with its orders, got {brief(entry)}")
    market, orders = entry
    check_book(market, orders)
    check_maker(settings.rule, market)
    if settings.allocation == "time" and orders.time is None and len(orders):
        raise InputError(without_times(orders), field="allocation")
    return market, orders


def _batch(answer: _core.Batch, columns: dict[str, Any], rule: str) -> Batch:
    errors: dict[int, InputError] = dict(columns["errors"])
    status = answer["status"].copy()
    values: Floats = answer["values"].copy()
    fills: Floats = answer["fills"]
    for number, fault in answer["faults"]:
        if number not in errors:  # else of what stands for the book
            errors[number] = InputError(str(error_of(fault)), field="books", index=number)
    if errors:
        bad = sorted(errors)
        status[bad] = -2
        values[bad] = np.nan
        fills = fills.copy()
        for number in bad:
            fills[columns["first"][number] : columns["first"][number + 1]] = np.nan
        frozen(fills)
    figures = {
        name: frozen(np.ascontiguousarray(values[:, place])) for place, name in enumerate(FIGURES)
    }
    return Batch(
        # An index of less than 64 bits ends the process in NumPy where memory runs out.
        status=frozen(_STATUSES.take(status)),
        **figures,
        rule=rule,
        fills=fills,
        first=frozen(columns["first"]),
        names=columns["names"],
        errors=errors,
        _claim_prices=answer["claim_prices"],
        _state_prices=answer["state_prices"],
        _payoff=answer["payoff"],
        _claim_first=answer["claim_first"],
        _state_first=answer["state_first"],
    )
