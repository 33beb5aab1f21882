"""Clearing a book: resolve labels, call the core, wrap its answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from .. import _core
from .._version import __version__
from ..arrays import Floats, Ints, as_flag, check_complete, refuse_flags
from ..errors import InputError, brief, count_text
from ..model.book_types import check_book
from ..model.certificate import Certificate
from ..model.immutable import construct
from ..model.labels import align
from ..model.maker_model import check_knightian, check_maker, maker_text
from ..model.market import Market
from ..model.orders import Orders
from ..model.outcome import CellResult
from ..model.stats import WORK, Stats
from ..model.status import STATUSES
from ..result import Result
from .auctions import clear_by_rule
from .options import MOST_ITERATIONS, check_cells, checked_count, checked_tolerance, without_times
from .progress import EnumerationLog, Progress, ProgressLog, TreeLog
from .settings import ClearSettings, without_search
from .stop_token import StopToken, flag_of

__all__ = ["clear", "clear_book", "solve_cell", "staircases"]


def clear(
    market: Market,
    orders: Orders,
    method: str = "auto",
    *,
    rule: str = "maker_optimal",
    tolerance: float = 1e-8,
    threads: int | None = None,
    time_limit: float | None = None,
    node_limit: int | None = None,
    cell_limit: int = 1_000_000,
    prune_bounds: bool = True,
    presolve: bool = True,
    allocation: str = "pro_rata",
    certificate: bool = False,
    callback: Callable[[Progress], bool | None] | None = None,
    stop: StopToken | None = None,
    verbose: bool = False,
) -> Result:
    """Clear a book: one price for each claim, and the fills that are worth most to the maker.

    Parameters
    ----------
    market : Market
    orders : Orders
    method : {"auto", "branch-and-bound", "enumerate"}
        ``"branch-and-bound"``, which is what ``"auto"`` chooses, proves the optimum with convex
        relaxations over runs of staircase pieces. ``"enumerate"`` is the paper's (28): solve every
        cell that can matter.
    rule : {"maker_optimal", "competitive", "pay_as_bid", "pdca"}
        Who sets the prices (``docs/mechanisms.md``). ``"maker_optimal"``, for the Knightian
        maker: prices and fills that are best for the maker under the limit order logic, (8).
        ``"competitive"``, for every maker: everybody trades at the maker's marginal state prices,
        which is CPCAM's rule. ``"pay_as_bid"``, for every maker: the same fills, and every order
        pays its limit, (5) and (6). ``"pdca"``, for :class:`StartingOrders`: the competitive
        prices, with the fills of the greatest payout. The last three are convex: one program,
        solved by an interior-point method on one thread, so that options of a search (``method``,
        ``node_limit``, ``callback``) are refused; the proof is ``result.state_prices``, which
        ``result.verify()`` checks. ``time_limit``, ``stop`` and Ctrl-C return where
        it was: fills that obey every limit, a bound that holds, and prices that are not yet the
        maker's own, so that it may be worth less to the maker than no trade.
    tolerance : float
        Optimality gap to prove, relative to the notional that trades, ``result.scale``: it does not
        depend on the units of money or shares, nor on orders that do not trade;
        0 < tolerance < 1.
    threads : int, optional
        1 to 1024. Default: the processors that affinity and a container's CPU quota leave this
        process, less those that its other clearings use. The answer is the same, bit for bit,
        for every number.
    time_limit : float, optional
        Seconds >= 0. Default: none. When it runs out before the gap is proven, the best point
        found is returned with status ``TIME_LIMIT``. A first clearing is found in any case, and its
        multipliers prove a bound.
    node_limit : int, optional
        Nodes of the tree, at least 1; not for the enumeration, which has none. Default: none. When
        it is reached before the gap is proven, the best point found is returned with status
        ``NODE_LIMIT``.
    cell_limit : int
        Enumeration refuses books with more cells.
    prune_bounds : bool
        When enumerating, skip cells that a cheap bound shows to be no better. ``False`` gives the
        paper's count.
    presolve : bool
        Merge claims with equal payoffs, and complements, before the search. Without it the answer
        is the same but takes longer.
    allocation : {"pro_rata", "time", "book_order"}
        How orders of one claim, side and limit at the clearing price share the volume: in
        proportion to quantity; by ``orders.time``, which is then required, with equal times in book
        order; or in book order alone.
    certificate : bool
        Also return ``result.certificate``, the proof that no clearing is better, for
        :func:`kpm_fast.check_certificate`: a :class:`Certificate`, or a :class:`DualCertificate`
        under a convex rule. Enumeration provides none.
    callback : callable, optional
        Called from time to time with a :class:`Progress`; returning True stops the search with
        status ``INTERRUPTED``. An exception it raises stops the search and reaches the caller,
        except ``KeyboardInterrupt``, which ends it as Ctrl-C does: with status ``INTERRUPTED``.
    stop : StopToken, optional
        Cancel it, from any thread, to stop the search with status ``INTERRUPTED``. Python delivers
        Ctrl-C to the main thread only; a clearing in another thread needs this.
    verbose : bool
        Print a banner, a row per report and a closing line.

    Returns
    -------
    Result

    Raises
    ------
    InputError
        Naming the argument and value, or an order whose claim the market does not have.
    TooManyCellsError
        With the exact number of cells and what to do about it.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    >>> orders = kpm.Orders([0], "buy", [0.6], [10])
    >>> result = kpm.clear(market, orders)
    >>> result.status.value, result.fills.tolist(), result.claim_prices.round(6).tolist()
    ('optimal', [10.0], [0.6])
    """
    settings = ClearSettings.of(
        method,
        rule,
        tolerance,
        threads,
        time_limit,
        node_limit,
        cell_limit,
        prune_bounds,
        presolve,
        allocation,
        certificate,
    )
    return clear_book(market, orders, settings, callback, stop, verbose)


def clear_book(
    market: Market,
    orders: Orders,
    settings: ClearSettings,
    callback: Callable[[Progress], bool | None] | None,
    stop: StopToken | None,
    verbose: bool,
    engine: _core.Engine | None = None,
    cold: bool = False,
) -> Result:
    """Clear a book as :func:`clear` does; ``engine``, if given, holds this market and orders.

    It starts from its last clearing, unless ``cold``.
    """
    check_book(market, orders)
    verbose = verbose is not False and as_flag(verbose, "verbose")
    check_maker(settings.rule, market)
    if settings.allocation == "time" and orders.time is None and len(orders):
        raise InputError(without_times(orders), field="allocation")
    flag = flag_of(stop)
    if settings.rule != "maker_optimal":
        if callback is not None:
            raise without_search(settings.rule, "callback")
        result = clear_by_rule(market, orders, settings, flag, engine, cold)
        if verbose:
            print(result)
        return result
    if callback is not None:
        _check_callback(callback)

    cells = 0
    if verbose or callback is not None or settings.enumerates:
        most = settings.cell_limit if settings.enumerates else math.inf
        cells = check_cells(market, *_book_arguments(market, orders)[1:], most)

    log: ProgressLog | None = None
    if verbose:
        log = EnumerationLog() if settings.enumerates else TreeLog()
        log.banner(_banner(market, orders, cells, settings))
    reporter = _reporter(cells, callback, log)
    if engine is None:
        answer = _answer(market, orders, settings, reporter, flag)
    else:
        answer = engine.clear(settings.core, reporter, flag, cold)
    result = _result(answer, market, orders, settings)
    if log is not None:
        log.close(str(result).split("\n  ", maxsplit=1)[0])
    return result


def _check_callback(callback: Any) -> None:
    if not callable(callback):
        raise InputError(f"must be callable, got {brief(callback)}", field="callback")
    if isinstance(callback, type):  # whose instances are true: it would stop the search
        raise InputError(
            f"must be a function of the progress, or an instance, got the class "
            f"{callback.__qualname__}",
            field="callback",
        )


def _answer(
    market: Market,
    orders: Orders,
    settings: ClearSettings,
    reporter: Callable[[_core.Progress], bool] | None,
    flag: _core.StopFlag | None,
) -> _core.Clearing:
    """Return the core's clearing of a book that no engine holds."""
    return _core.clear(
        market.payoffs,
        market.prior,
        market.inventory,
        market.risk_aversion,
        market.ambiguity,
        orders.claim_index(market),
        orders.side,
        orders.price,
        orders.quantity,
        orders.priority if settings.allocation == "time" else None,
        settings.core,
        reporter,
        flag,
    )


def solve_cell(
    market: Market,
    orders: Orders,
    cell: ArrayLike,
    *,
    tolerance: float = 1e-9,
    max_iterations: int = 100,
) -> CellResult:
    """Solve the convex problem (27) of one cell.

    Parameters
    ----------
    market : Market
    orders : Orders
    cell : array_like of int, Series or mapping, shape (K,)
        The piece of each claim's staircase, numbered from the lowest price; see
        :func:`staircases`. Labels are those of claims.
    tolerance : float
        Relative to the notional that can trade in the cell, whatever else stands in the book: what
        is filled for certain, and its steps; of a step that dwarfs what trades, about as much.
        Where nothing can, to the maker's own money: 1 / risk aversion, or the range of its
        inventory if that is more. 0 < tolerance < 1.
    max_iterations : int
        Each time the cell is solved, which is more than once beside such steps; at least 1.

    Returns
    -------
    CellResult

    Raises
    ------
    InputError
        Naming the argument or claim, and the value.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    >>> orders = kpm.Orders([0], "buy", [0.6], [10])
    >>> cell = kpm.solve_cell(market, orders, [1])  # the step at the limit of the bid
    >>> cell.status.value, cell.net_demand.round(6).tolist()
    ('optimal', [10.0])
    """
    tolerance = checked_tolerance(tolerance)
    iterations = checked_count(max_iterations, "max_iterations", 1, MOST_ITERATIONS)
    book = _book_arguments(market, orders)
    check_knightian(market, "whose problem (27) is")
    pieces = _checked_cell(cell, market.claims)
    try:
        solved = _core.solve_cell(
            market.payoffs,
            market.prior,
            market.inventory,
            market.risk_aversion,
            market.ambiguity,
            *book[1:],
            pieces.astype(np.int64),  # unsigned ones beyond its range become negative: refused
            tolerance,
            iterations,
        )
    except ValueError:  # everything else has been checked
        raise _without_piece(pieces, _core.count_pieces(*book), market.claims) from None
    values = cast("dict[str, Any]", solved.to_dict())
    values["status"] = STATUSES[values["status"]]
    return construct(CellResult, values)


def staircases(market: Market, orders: Orders) -> list[Floats]:
    """Return the net-demand staircase of each claim.

    Parameters
    ----------
    market : Market
    orders : Orders

    Returns
    -------
    list of ndarray, shape (pieces, 4)
        For each claim its pieces from the lowest price up, with the columns price_low,
        price_high, demand_low, demand_high. Flat pieces (one demand) and steps (one price)
        alternate: 2 n + 1 pieces for n distinct limits within the claim's payoff range. Limits
        less than 1e-13 of that range above the lowest of them are one, the lowest.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    >>> orders = kpm.Orders([0], "buy", [0.6], [10])
    >>> kpm.staircases(market, orders)[0].tolist()
    [[0.0, 0.6, 10.0, 10.0], [0.6, 0.6, 0.0, 10.0], [0.6, 1.0, 0.0, 0.0]]
    """
    return _core.staircases(*_book_arguments(market, orders))


def _book_arguments(market: Market, orders: Orders) -> tuple[Floats, Ints, Any, Floats, Floats]:
    """Return the arguments that pass a book to every function of the core."""
    check_book(market, orders)
    return (
        market.payoffs,
        orders.claim_index(market),
        orders.side,
        orders.price,
        orders.quantity,
    )


def _reporter(
    cells: int, callback: Callable[[Progress], bool | None] | None, log: ProgressLog | None
) -> Callable[[_core.Progress], bool] | None:
    """Return the function that the core reports progress to, or None if nobody listens."""
    if callback is None and log is None:
        return None

    def report(counts: _core.Progress) -> bool:
        progress = Progress(
            elapsed=counts["elapsed"],
            cells=cells,
            solved=counts["solved"],
            pruned_infeasible=int(counts["pruned_infeasible"]),
            pruned_bound=int(counts["pruned_bound"]),
            nodes=counts["nodes"],
            open=counts["open"],
            certainty_equivalent=counts["certainty_equivalent"],
            upper_bound=counts["upper_bound"],
        )
        if log is not None:
            log.row(progress)
        return callback is not None and bool(callback(progress))

    return report


def _result(
    answer: _core.Clearing,
    market: Market,
    orders: Orders,
    settings: ClearSettings,
) -> Result:
    """Turn the core's answer into a result: its keys are the fields' names."""
    values = cast("dict[str, Any]", answer)
    leaves = values["certificate"]
    if leaves is not None:
        values["certificate"] = construct(Certificate, leaves)
    # One by one: update() with keywords would make a dictionary of these first.
    values["status"] = STATUSES[values["status"]]
    values["tolerance"] = settings.tolerance
    values["allocation"] = settings.allocation
    values["market"] = market
    values["orders"] = orders
    values["stats"] = construct(Stats, {WORK: values["stats"]})
    return construct(Result, values)


def _banner(market: Market, orders: Orders, cells: int, settings: ClearSettings) -> list[str]:
    n_claims, n_states = market.payoffs.shape
    tree = "branch and bound over runs of pieces"
    return [
        f"kpm-fast {__version__}: {'enumeration of cells' if settings.enumerates else tree}",
        f"  book     {n_states:,} states, {n_claims:,} claims, {len(orders):,} orders, "
        f"{count_text(cells)} cells",
        f"  maker    {maker_text(market)}",
        f"  threads  {settings.threads or _core.available_processors()}",
    ]


def _checked_cell(cell: ArrayLike, claims: tuple[str, ...]) -> Ints:
    check_complete(cell, "cell")
    cell = align(cell, claims, "cell", "claim")
    try:
        index = np.asarray(cell)
    except ValueError:  # rows of several lengths
        index = np.asarray(cell, dtype=object)
    refuse_flags(index, cell, "cell")
    if index.dtype.kind not in "iu" or index.shape != (len(claims),):
        raise InputError(
            f"must be {len(claims)} integers, one piece for each claim, got {index.dtype} data "
            f"of shape {index.shape}",
            field="cell",
        )
    return cast("Ints", index)


def _without_piece(cell: Ints, pieces: list[int], claims: tuple[str, ...]) -> InputError:
    """Report the first claim that has no such piece, and which it has."""
    claim, piece, count = next(
        (claim, piece, count)
        for claim, piece, count in zip(claims, cell.tolist(), pieces, strict=True)
        if not 0 <= piece < count
    )
    return InputError(
        f"must be a piece from 0 to {count - 1}, got {piece}", field="cell", index=claim
    )
