"""Whatever stands where a public function takes an argument: an InputError, or an answer.

Each public function is called with one argument replaced by something foreign. What is wrong is
refused in the package's own words, naming the argument, and never by an error from inside.
"""

from __future__ import annotations

import datetime
import decimal
import fractions
import inspect
import math
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from kpm_fast.model.order_form import OPTIONS, OrderForm

MARKET = kpm.Market(np.eye(2), [0.5, 0.5])
ORDERS = kpm.Orders([0, 1], ["buy", "sell"], [0.6, 0.4], 1, order_id=["a", "b"])
RESULT = kpm.clear(MARKET, ORDERS, certificate=True)
QUOTES = MARKET.maker.quotes(MARKET)
SWEEP = kpm.sweep(MARKET, ORDERS, ambiguity=[0, 0.1])
BATCH = kpm.clear_many([(MARKET, ORDERS)])
CARD = Path(__file__).resolve().parent.parent / "examples" / "race_card"
COLUMNS = {"claim": ["0"], "side": ["buy"], "price": [0.5], "quantity": [1]}


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("no text for this")

    __str__ = __repr__


class Rambling:
    def __repr__(self) -> str:
        return "a\n  b\n" * 10**5


def na() -> Any:
    """The NA of pandas, which has no truth value and equals nothing."""
    try:
        import pandas as pd
    except ImportError:
        return None
    return pd.NA


FOREIGN: dict[str, Any] = {
    "None": None,
    "nan": math.nan,
    "inf": math.inf,
    "denormal": 5e-324,
    "negative": -1,
    "huge": 10**400,
    "more digits than Python writes": 10**5000,
    "unshowable": Unshowable(),
    "rambling": Rambling(),
    "NA": na(),
    "a masked entry": np.ma.masked,
    "beyond int64": 2**64,
    "true": True,
    "text": "abc",
    "no text": "",
    "null": "a\0b",
    "surrogate": "\ud800",
    "bytes": b"\xff\xfe",
    "empty list": [],
    "tuple": (),
    "set": {1},
    "mapping": {"a": 1},
    "ragged": [[1], [1, 2]],
    "complex": 1j,
    "decimal": decimal.Decimal("sNaN"),
    "fraction": fractions.Fraction(1, 3),
    "a number as an array": np.array(1.0),
    "empty array": np.zeros(0),
    "cube": np.zeros((2, 2, 2)),
    "objects": np.array([None, None], dtype=object),
    "texts": np.array(["a", "b"]),
    "dates": np.array(["2020-01-01", "NaT"], dtype="M8[ns]"),
    "duration": np.timedelta64(1, "s"),
    "records": np.zeros(2, dtype=[("a", "f8")]),
    "masked": np.ma.array([1.0, 2.0], mask=[False, True]),
    "date": datetime.date(2020, 1, 1),
    "class": int,
    "object": object(),
    "slice": slice(None),
    "ellipsis": ...,
}


def is_in_an_engine(name: Any) -> bool:
    """What can be no order's name is simply not there."""
    return name in kpm.Engine(MARKET)


CALLS: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (kpm.Market, {"payoffs": np.eye(2), "prior": [0.5, 0.5], "inventory": [0, 0]}),
    (
        kpm.Market,
        {"payoffs": np.eye(2), "prior": [0.5, 0.5], "normalize": False, "claims": ["a", "b"]},
    ),
    (kpm.Orders.from_frame, {"frame": COLUMNS, "market": MARKET, "market_orders": False}),
    (kpm.Orders.from_frame, {"frame": COLUMNS, "sell": None, "price_unit": 1, "quantity_unit": 1}),
    (ORDERS.claim_index, {"market": MARKET}),
    (
        kpm.clear,
        {
            "market": MARKET,
            "orders": ORDERS,
            "certificate": False,
            "prune_bounds": True,
            "presolve": True,
            "verbose": False,
            "rule": "maker_optimal",
        },
    ),
    (kpm.clear_many, {"books": [(MARKET, ORDERS)], "resume": None}),
    (
        kpm.Books,
        {"market": MARKET, "book": [0], "claim": [0], "side": 1, "price": 1, "quantity": 1},
    ),
    (kpm.sweep, {"market": MARKET, "orders": ORDERS, "ambiguity": [0.1], "rule": "competitive"}),
    (kpm.advise, {"market": MARKET, "orders": ORDERS}),
    (kpm.implied_ambiguity, {"market": MARKET, "orders": ORDERS}),
    (kpm.check_certificate, {"market": MARKET, "orders": ORDERS, "result": RESULT}),
    (kpm.uniform_prior, {"states": 2}),
    (kpm.WorstStateMaker, {"states": 2, "inventory": None}),
    (kpm.PolytopeMaker, {"priors": [[0.5, 0.5]], "risk_aversion": 1}),
    (kpm.LMSR, {"liquidity": 1.0, "prior": [0.5, 0.5], "inventory": None}),
    (kpm.StartingOrders, {"delta": [1.0, 1.0]}),
    (kpm.UtilityMaker, {"prior": [0.5, 0.5], "wealth": 10.0}),
    (MARKET.maker.quotes, {"payoffs": np.eye(2), "quantities": None}),
    (MARKET.maker.cost, {"losses": [0.0, 0.0]}),
    (MARKET.maker.size_to, {"payoff": [1.0, 0.0], "side": "buy", "price": 0.6}),
    (
        MARKET.maker.trade,
        {"payoff": [1.0, 0.0], "side": "buy", "limit": 0.6, "quantity": 1.0, "payment": "cost"},
    ),
    (kpm.solve_cell, {"market": MARKET, "orders": ORDERS, "cell": [0, 0], "max_iterations": 9}),
    (kpm.prior_from_quotes, {"payoffs": np.eye(2), "bid": [0.4, 0.4], "ask": [0.6, 0.6]}),
    (kpm.prior_from_density, {"levels": [1.0, 2.0], "density": [0.5, 0.5]}),
    (kpm.pool_odds, {"stakes": [1.0, 2.0]}),
    (MARKET.replace, {"claims": None, "maker": None, "risk_aversion": 1.0}),
    (
        lambda **order: kpm.Engine(MARKET).add(**order),
        {"claim": "0", "side": "buy", "price": 0.5, "quantity": 1.0, "order_id": "a"},
    ),
    (
        lambda **order: kpm.Engine(MARKET, ORDERS).replace(**order),
        {"order_id": "a", "price": 0.5, "quantity": 1.0},
    ),
    (lambda snapshot: kpm.Engine(MARKET).restore(snapshot), {"snapshot": b""}),
    (lambda market: setattr(kpm.Engine(MARKET), "market", market), {"market": MARKET}),
    (is_in_an_engine, {"name": "a"}),
    (RESULT.__getitem__, {"claim": "0"}),
    (RESULT.plot, {"kind": "risk", "claim": None}),
    (RESULT.to_frame, {"backend": "pandas", "table": "orders"}),
    (RESULT.table, {"name": "orders"}),
    (RESULT.to_json, {"indent": None}),
    (RESULT.order, {"order_id": "a"}),
    (RESULT.settle, {"state": "0"}),
    (SWEEP.to_frame, {"backend": "pandas"}),
    (BATCH.fills_of, {"number": 0}),
    (kpm.load_result, {"path": "none"}),
    (kpm.read_book, {"folder": CARD, "order_options": None}),
    (kpm.sample.race_card, {"levels": 2, "crossed": 0.1, "liquidity": "thin", "seed": 1}),
    (kpm.sample.football, {"levels": 2, "states": "differences"}),
    (kpm.sample.option_strip, {"levels": 2, "volatility": 0.2, "years": 1.0}),
]
DRAWN: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (kpm.plot.book, {"result": RESULT, "claims": None}),
    (kpm.plot.staircase, {"result": RESULT, "claim": None}),
    (kpm.plot.risk, {"result": RESULT}),
    (kpm.plot.fills, {"result": RESULT}),
    (kpm.plot.proof, {"result": RESULT}),
    (kpm.plot.quotes, {"quotes": QUOTES}),
    (kpm.plot.sweep, {"sweep": SWEEP, "y": "gain"}),
]


PATHS = {"path", "folder", "resume"}
SPOKEN_OF = {"number": "book"}  # that is what it is the number of


def names(message: str, argument: str) -> bool:
    """Whether a refusal speaks of the argument, or of an entry of it: ``claim`` of ``claims``.

    A file's name may stand before it. Of columns of different lengths any may be the wrong one, and
    ``sqrt(years)`` is refused with the volatility; one of ``price, loss, budget`` has to be there.
    """
    own = rf"([^:]*: )?{SPOKEN_OF.get(argument, argument.removesuffix('s'))}s?\b"
    together = ("must have an entry for each of", f"({argument})", "size_to: one of")
    return bool(re.match(own, message)) or any(text in message for text in together)


@pytest.mark.parametrize("call", range(len(CALLS) + len(DRAWN)))
def test_a_foreign_argument_is_refused_by_name_or_understood(
    call: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("pandas")
    if call >= len(CALLS):
        pytest.importorskip("matplotlib")
    function, arguments = [*CALLS, *DRAWN][call]
    for argument in arguments:
        refusals: list[str] = []
        for value in FOREIGN.values():
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                try:
                    function(**{**arguments, argument: value})
                except kpm.KpmError as error:
                    refusals.append(str(error))
                except OSError:
                    if argument not in PATHS:  # there text is a path, and no such file is there
                        raise
        assert refusals or function is is_in_an_engine, argument
        assert [text for text in refusals if not names(text, argument)] == []
        assert [text for text in refusals if "\n" in text or len(text) >= 500] == []


@pytest.mark.parametrize("flag", ["certificate", "prune_bounds", "presolve", "verbose"])
@pytest.mark.parametrize("value", ["no", "false", None, 2, 0.0, []])
def test_flags_of_a_clearing_are_flags(flag: str, value: Any) -> None:
    with pytest.raises(kpm.InputError, match=rf"^{flag}: must be True or False, got "):
        kpm.clear(MARKET, ORDERS, **{flag: value})
    assert kpm.clear(MARKET, ORDERS, **{flag: np.True_, "threads": 1}).status == "optimal"


def test_flags_of_forms_and_files_are_flags(tmp_path: Path) -> None:
    with pytest.raises(kpm.InputError, match=r"^market_orders: must be True or False, got 'no'"):
        kpm.Orders.from_frame(COLUMNS, market_orders="no")  # type: ignore[arg-type]
    with pytest.raises(kpm.InputError, match=r"^normalize: must be True or False, got 'no'"):
        kpm.Market(np.eye(2), [0.5, 0.5], normalize="no")  # type: ignore[arg-type]
    with pytest.raises(kpm.InputError, match=r"^overwrite: must be True or False, got 'no'"):
        kpm.write_book(tmp_path / "book", MARKET, ORDERS, overwrite="no")  # type: ignore[arg-type]
    assert not (tmp_path / "book").exists()


def test_options_of_orders_in_a_book_are_those_of_a_file_of_orders() -> None:
    assert list(inspect.signature(OrderForm).parameters) == list(OPTIONS)
    for name in ("price_units", "delimiter", 3):  # the delimiter is of all tables
        with pytest.raises(kpm.InputError, match=r"^order_options: must be one of columns, "):
            kpm.read_book(CARD, order_options={name: None})


@pytest.mark.parametrize("field", ["price_unit", "quantity_unit"])
@pytest.mark.parametrize("unit", [5e-324, 1e-31, 1e31, 1.7e308])
def test_units_keep_numbers_within_range(field: str, unit: float) -> None:
    """A limit divided by a denormal would be infinite: a market order."""
    with pytest.raises(kpm.InputError, match=rf"^{field}: must be between 1e-30 and 1e"):
        kpm.Orders.from_frame(COLUMNS, **{field: unit})


@pytest.mark.parametrize("make", [kpm.uniform_prior, kpm.WorstStateMaker])
@pytest.mark.parametrize("count", [10**7 + 1, 2**31, 2**63 - 1, 10**400])
def test_states_that_are_only_counted_are_not_too_many(
    make: Callable[[Any], Any], count: int
) -> None:
    with pytest.raises(kpm.InputError, match=r"^states: must be at most 10,000,000, got "):
        make(count)


@pytest.mark.parametrize("number", [1, -2, 2**63, None, 0.0, "nobody", [0]])
def test_a_batch_says_which_books_it_has(number: Any) -> None:
    for part in (BATCH.fills_of, BATCH.claim_prices, BATCH.state_prices, BATCH.payoff):
        with pytest.raises(kpm.InputError, match=r"^book: must be the name"):
            part(number)


@pytest.mark.parametrize(
    "index", [["order_id"], ["time"], ["claim"], ["order_id", "time"], ["claim", "side"]]
)
def test_an_index_that_is_named_like_a_column_is_that_column(index: list[str]) -> None:
    pandas = pytest.importorskip("pandas")
    columns = {"claim": ["1", "0"], "side": ["buy", "sell"], "price": [0.5, 0.25], "quantity": 1}
    frame = pandas.DataFrame({**columns, "order_id": ["p", "q"], "time": [2, 1]})
    expected = kpm.Orders.from_frame(frame, MARKET)
    assert kpm.Orders.from_frame(frame.set_index(index), MARKET) == expected
    kept = frame.set_index(index, drop=False)
    assert kpm.Orders.from_frame(kept, MARKET) == expected
    renamed = frame.rename(columns={"order_id": "ref"}).set_index("ref")
    assert kpm.Orders.from_frame(renamed, columns={"order_id": "ref"}) == expected
