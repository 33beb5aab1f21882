"""``sweep``: one book under many makers."""

from __future__ import annotations

import inspect
import itertools
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import as_number, check_choice, check_complete
from ..clearing.chunks import check_executor
from ..clearing.clear import clear
from ..clearing.implied import where_trade_stops
from ..clearing.settings import check_keywords
from ..errors import InputError, brief
from ..files.tables import make_frame
from ..model.book_types import check_book
from ..model.immutable import FrozenDict
from ..model.maker_model import check_maker, is_knightian, maker_model, rules_of
from ..model.market import Market
from ..model.orders import Orders
from ..model.rules import RULES
from ..model.status import Status
from ..storage.finished import UNFINISHED, Finished, content_hash

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Sweep", "check_column", "check_options", "shown", "sweep"]

_PARAMETERS = ("prior", "rule", "risk_aversion", "ambiguity")
_WORDS = ("prior", "rule", "status")  # the columns that are not numeric
_FIGURES = (
    "status",
    "certainty_equivalent",
    "gain",
    "upper_bound",
    "volume",
    "revenue",
    "expected_payoff",
    "worst_payoff",
    "spread",
    "seconds",
)
_SHOWN = ("gain", "volume", "expected_payoff", "worst_payoff", "spread", "status")
_NOTHING = 1e-11  # of the notional that trades: rounding where orders are matched to each other
_NOT_CLEARED = (Status.INTERRUPTED.value, *[math.nan] * (len(_FIGURES) - 1))
_CHUNK_SECONDS = 0.5  # of work in a task: an executor's overhead for one is milliseconds


_Case = tuple[Market, str]  # a maker, and the rule it is cleared by


@dataclass(frozen=True)
class Sweep:
    """The clearings of a book under many makers, one row each. Immutable.

    Attributes
    ----------
    table : mapping of str to tuple
        Columns ``prior``, ``rule``, ``risk_aversion``, ``ambiguity``, then of each clearing
        ``status``, ``certainty_equivalent``, ``gain`` (over not trading), ``upper_bound``,
        ``volume`` (shares), ``revenue``, ``expected_payoff`` (under the maker's prior),
        ``worst_payoff``, ``spread`` (the maker's ask less its bid for the next share before
        trading, mean over the claims; money per share) and ``seconds``. Money and shares as in
        the book.
    implied : mapping of str to float
        The implied ambiguity of the book by prior, NaN where the inventory differs between states.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    >>> found = kpm.sweep(market, kpm.Orders([0], "buy", [0.6], [10]), ambiguity=[0.0, 0.1])
    >>> len(found), found["ambiguity"], found["status"]
    (2, (0.0, 0.1), ('optimal', 'optimal'))
    >>> {prior: round(nats, 4) for prior, nats in found.implied.items()}
    {'prior': 0.0201}
    """

    table: Mapping[str, tuple[Any, ...]]
    implied: Mapping[str, float]

    def __post_init__(self) -> None:
        for name in ("table", "implied"):
            object.__setattr__(self, name, FrozenDict(getattr(self, name)))

    __hash__ = None  # type: ignore[assignment]  # equal by tables, which have no hash

    def __len__(self) -> int:
        return len(self.table["status"])

    def __getitem__(self, column: str) -> tuple[Any, ...]:
        return self.table[column]

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return the table as a data frame of pandas, polars or pyarrow.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
        >>> orders = kpm.Orders([0], "buy", [0.6], [10])
        >>> kpm.sweep(market, orders, ambiguity=[0.0, 0.1]).to_frame()["volume"].round(6).tolist()
        [10.0, 0.0]
        """
        return make_frame({name: list(column) for name, column in self.table.items()}, backend)

    def plot(self, y: str = "certainty_equivalent") -> Figure:
        """Draw a column against ambiguity, one line per prior, rule and risk aversion.

        Parameters
        ----------
        y : str
            A numeric column.

        Returns
        -------
        matplotlib.figure.Figure
            With the implied ambiguity of every prior as a dashed line.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
        >>> orders = kpm.Orders([0], "buy", [0.6], [10])
        >>> figure = kpm.sweep(market, orders, ambiguity=[0.0, 0.01, 0.03]).plot("volume")
        >>> figure.axes[0].get_ylabel()
        'volume (shares)'
        """
        from ..plots.sweep import draw_sweep

        check_column(y)
        if np.isnan(self.table["ambiguity"]).all():
            raise InputError(
                "has no values to draw against: the maker is not Knightian", field="ambiguity"
            )
        return cast("Figure", draw_sweep(self.table, self.implied, y).figure)

    def __repr__(self) -> str:
        return f"Sweep({len(self)} clearings of one book)"

    def __str__(self) -> str:
        varied = [name for name in _PARAMETERS if len(set(self.table[name])) > 1]
        if not varied and not np.isnan(self.table["ambiguity"]).any():
            varied = ["ambiguity"]
        names = [*varied, *_SHOWN]
        rows = [names, *zip(*(shown(self, name) for name in names), strict=True)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(entry.rjust(width) for entry, width in zip(row, widths, strict=True))
            for row in rows
        )


def shown(sweep: Sweep, name: str, digits: int = 6) -> list[str]:
    """Return a column as text."""
    column = sweep[name]
    return list(column) if name in _WORDS else [f"{value + 0.0:.{digits}g}" for value in column]


def check_column(name: str, field: str = "y") -> None:
    """Refuse anything but a numeric column."""
    columns = {*_PARAMETERS, *_FIGURES}.difference(_WORDS)
    if not isinstance(name, str) or name not in columns:
        raise InputError(f"must be a numeric column, got {brief(name)}", field=field)


def sweep(
    market: Market,
    orders: Orders,
    *,
    ambiguity: Sequence[float] | float | None = None,
    risk_aversion: Sequence[float] | float | None = None,
    prior: Mapping[str, ArrayLike] | None = None,
    rule: Sequence[str] | str | None = None,
    executor: Executor | None = None,
    resume: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Sweep:
    """Clear one book under every combination of the given parameters of the maker.

    Parameters
    ----------
    market : Market
        Parameters that are not swept are taken from it. With another maker than the Knightian one,
        only rules can be swept, and the columns of parameters that it lacks are NaN.
    orders : Orders
    ambiguity, risk_aversion : sequence of float, optional
        Values as for :class:`Market`.
    prior : mapping of str to (N,) array_like, optional
        Priors by a name for each.
    rule : str or sequence of str, optional
        As for :func:`kpm_fast.clear`. Default: ``"maker_optimal"``; of another maker than the
        Knightian one, every rule that it has.
    executor : concurrent.futures.Executor, optional
        Where to clear: threads, processes, or others with this interface (joblib's loky, Dask's
        ``client.get_executor()``). Tasks are cut to about half a second of work, and each clears
        with one thread. Rows, ``seconds`` aside, do not depend on it. Default: the calling process,
        one by one.
    resume : path, optional
        A file that stores finished rows under a hash of everything that determines them; it is
        created if necessary. A sweep that was stopped, or that has further values, clears only what
        is missing.
    **options
        Passed on to :func:`kpm_fast.clear`: ``tolerance``, ``time_limit``, ...

    Returns
    -------
    Sweep
        Rows in the order of the product: the last parameter, ambiguity, runs fastest. Ctrl-C, or
        ``stop``, ends all: rows not cleared by then have the status ``"interrupted"`` and NaN.

    Raises
    ------
    InputError
        Naming the parameter, the position in its sequence and the value, before any work.
    TypeError
        If an option is not one of those of :func:`kpm_fast.clear`.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    >>> orders = kpm.Orders([0], "buy", [0.6], [10])
    >>> result = kpm.sweep(market, orders, ambiguity=[0.0, 0.01, 0.1])
    >>> [round(volume, 6) for volume in result["volume"]]
    [10.0, 10.0, 0.0]
    """
    check_book(market, orders)
    check_options(sweep, options)
    check_executor(executor)
    cases = list(_cases(market, ambiguity, risk_aversion, prior, _rules(rule, market)))
    with Finished(resume) as finished:
        rows = _all_rows([case for _, case in cases], orders, options, executor, finished)
    columns: dict[str, tuple[Any, ...]] = {
        "prior": tuple(name for name, _ in cases),
        "rule": tuple(rule for _, (_, rule) in cases),
        **{
            name: tuple(maker_model(maker).get(name, math.nan) for _, (maker, _) in cases)
            for name in ("risk_aversion", "ambiguity")
        },
    }
    columns |= dict(zip(_FIGURES, zip(*rows, strict=True), strict=True))
    implied = {name: where_trade_stops(maker, orders) for name, (maker, _) in dict(cases).items()}
    return Sweep(columns, implied)


def check_options(caller: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """Refuse options that ``clear`` lacks, naming the function that was called."""
    own = {name: None for name in inspect.signature(caller).parameters if name != "options"}
    known = own | dict.fromkeys(inspect.signature(clear).parameters)
    check_keywords(caller.__name__, options, [*known])


def _rules(given: Sequence[str] | str | None, market: Market) -> list[str]:
    if given is None:
        return [RULES[0]] if is_knightian(market) else [*rules_of(market)]
    if not isinstance(given, str | Iterable) or getattr(given, "ndim", 1) == 0:
        raise InputError(
            f"must be one of {', '.join(RULES)}, or several of them, got {brief(given)}",
            field="rule",
        )
    check_complete(given, "rule")
    rules = [given] if isinstance(given, str) else list(given)
    if not rules:
        raise InputError("must name at least one rule, got none", field="rule")
    for index, name in enumerate(rules):
        check_choice(name, RULES, "rule", None if isinstance(given, str) else index)
    return list(map(str, rules))


def _cases(
    market: Market,
    ambiguity: Sequence[float] | float | None,
    risk_aversion: Sequence[float] | float | None,
    prior: Mapping[str, ArrayLike] | None,
    rules: list[str],
) -> Iterator[tuple[str, _Case]]:
    """Every combination, validated before any work is done."""
    for rule in rules:
        check_maker(rule, market)
    if not is_knightian(market):
        given = {"ambiguity": ambiguity, "risk_aversion": risk_aversion, "prior": prior}
        for field in (field for field, values in given.items() if values is not None):
            raise InputError(
                f"can be varied for the Knightian maker only, and the market's is "
                f"{type(market.maker).__name__}, got {brief(given[field])}; change it with "
                "market.replace(maker=...)",
                field=field,
            )
        yield from (("prior", (market, rule)) for rule in rules)
        return
    if prior is not None and not isinstance(prior, Mapping):
        raise InputError(
            f"must be a mapping from names to probabilities, got {brief(prior)}",
            field="prior",
        )
    priors = (
        {"prior": market}
        if prior is None
        else {
            str(name): _replaced(market, "prior", value, str(name)) for name, value in prior.items()
        }
    )
    aversions = _values(risk_aversion, market.risk_aversion, "risk_aversion")
    radii = _values(ambiguity, market.ambiguity, "ambiguity")
    if not priors:
        raise InputError("must name at least one prior, got none", field="prior")
    for values, field in ((aversions, "risk_aversion"), (radii, "ambiguity")):
        for index, value in enumerate(values):
            _replaced(market, field, value, index)
    for (name, base), rule, alpha, omega in itertools.product(
        priors.items(), rules, aversions, radii
    ):
        yield name, (base.replace(risk_aversion=alpha, ambiguity=omega), rule)


def _values(given: Sequence[float] | float | None, own: float, field: str) -> list[float]:
    if given is None:
        return [own]
    if np.ndim(np.asarray(given, dtype=object)) == 0:
        return [as_number(given, field)]
    values = np.asarray(given, dtype=object).ravel().tolist()
    if not values:
        raise InputError("must have at least one value, got none", field=field)
    return [_number_at(index, value, field) for index, value in enumerate(values)]


def _number_at(index: int, value: Any, field: str) -> float:
    try:
        return as_number(value, field)
    except InputError as error:
        raise InputError(error.reason, field=field, index=index) from None


def _replaced(market: Market, field: str, value: Any, index: int | str) -> Market:
    try:
        return market.replace(**{field: value})
    except InputError as error:
        if error.field == field and error.index is None:
            raise InputError(str(error).partition(": ")[2], field=field, index=index) from None
        raise


def _all_rows(
    cases: list[_Case],
    orders: Orders,
    options: dict[str, Any],
    executor: Executor | None,
    finished: Finished,
) -> list[tuple[Any, ...]]:
    """Return the row of each case, and store those that are not in ``finished`` yet."""
    keys = [_key(case, orders, options) for case in cases] if finished else []
    kept = [_kept(finished.get(key)) for key in keys] or [None] * len(cases)
    rows = {place: row for place, row in enumerate(kept) if row is not None}
    missing = [place for place in range(len(cases)) if place not in rows]

    def add(places: list[int], found: list[tuple[Any, ...]]) -> None:
        for place, row in zip(places, found, strict=True):
            rows[place] = row
            if keys and row[0] not in UNFINISHED:
                finished.put(keys[place], json.dumps(row).encode())

    # The first clearing is made in this process: it reveals at once what is wrong with the options
    # and how many clearings fit into a task.
    started, ended = time.perf_counter(), False
    for place in missing[:1]:
        add([place], [_row(cases[place], orders, options)])
        ended = _was_stopped(rows[place], options)
    seconds = max(time.perf_counter() - started, 1e-6)
    rest = missing[1:]
    if executor is None or ended:
        for place in rest:
            add([place], [_NOT_CLEARED if ended else _row(cases[place], orders, options)])
            ended = ended or _was_stopped(rows[place], options)
    else:
        size = max(1, min(int(_CHUNK_SECONDS / seconds), len(rest) // 4 + 1))
        chunks = [rest[at : at + size] for at in range(0, len(rest), size)]
        tasks: list[Future[list[tuple[Any, ...]]]] = [
            executor.submit(_rows, [cases[place] for place in chunk], orders, options)
            for chunk in chunks
        ]
        try:
            for chunk, task in zip(chunks, tasks, strict=True):
                add(chunk, task.result())
        except BaseException:
            for task in tasks:
                task.cancel()
            raise
    return [rows[place] for place in range(len(cases))]


def _was_stopped(row: tuple[Any, ...], options: Mapping[str, Any]) -> bool:
    """Whether nobody waits for the others either; a callback ends one clearing."""
    return row[0] == Status.INTERRUPTED.value and options.get("callback") is None


def _key(case: _Case, orders: Orders, options: Mapping[str, Any]) -> str:
    """Hash everything that determines a row, which the number of threads does not."""
    maker, rule = case
    return content_hash(
        [
            "sweep",
            rule,
            sorted((name, value) for name, value in options.items() if name != "threads"),
            *(maker.payoffs, maker.inventory),
            *(part for item in sorted(maker_model(maker).items()) for part in item),
            *(orders.claim_index(maker), orders.side, orders.price, orders.quantity),
            orders.priority,
        ]
    )


def _kept(content: bytes | None) -> tuple[Any, ...] | None:
    """Return a stored row; None if there is none, or it cannot be read."""
    try:
        row = None if content is None else tuple(json.loads(content))
    except (ValueError, TypeError):
        return None
    return row if row is not None and len(row) == len(_FIGURES) else None


def _rows(cases: Sequence[_Case], orders: Orders, options: Mapping[str, Any]) -> list[Any]:
    """A task of an executor: one thread, since the executor has its own."""
    return [_row(case, orders, {"threads": 1, **options}) for case in cases]


def _row(case: _Case, orders: Orders, options: Mapping[str, Any]) -> tuple[Any, ...]:
    maker, rule = case
    result = clear(maker, orders, rule=rule, **options)
    nothing = _NOTHING * result.scale

    def clean(money: float) -> float:
        return 0.0 if abs(money) <= nothing else money

    return (
        result.status.value,
        result.certainty_equivalent,
        clean(result.gain),
        result.upper_bound,
        result.volume,
        result.revenue,
        clean(result.expected_payoff),
        clean(float(result.payoff.min())),
        float(maker.maker.quotes(maker).spread.mean()),
        result.stats.seconds["total"],
    )
