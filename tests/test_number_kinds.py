"""True, False and text are no numbers, in any keyword that is one.

Text in a column is read, as files and frames have it, and a condition may be a claim's payoffs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm

RACE = Path(__file__).parent.parent / "examples" / "race_card"
MARKET = kpm.Market([[1, 0], [0, 1]], [0.5, 0.5], risk_aversion=0.01)
ORDERS = kpm.Orders([0], "buy", [0.6], [10])
MAKER = kpm.KnightianMaker([0.5, 0.5], 1.0, 0.1)
FRAME = {"book": [0], "claim": [0], "side": ["buy"], "price": [0.6], "quantity": [10]}


def engine() -> kpm.Engine:
    made = kpm.Engine(MARKET)
    made.add("0", "buy", 0.5, 5.0, "a")
    return made


def fault(books: kpm.Books) -> None:
    raise books.errors[0]


#: A keyword that is a number, or may be one, with a call that gives it.
SCALARS: dict[str, Callable[[Any], Any]] = {
    "Books.from_frame.price_unit": lambda v: kpm.Books.from_frame(FRAME, MARKET, price_unit=v),
    "Books.from_frame.quantity_unit": lambda v: kpm.Books.from_frame(
        FRAME, MARKET, quantity_unit=v
    ),
    "Engine.add.price": lambda v: engine().add("0", "buy", v, 1.0),
    "Engine.add.quantity": lambda v: engine().add("0", "buy", 0.5, v),
    "Engine.quotes.quantities": lambda v: engine().quotes(v),
    "Engine.reduce.quantity": lambda v: engine().reduce("a", v),
    "Engine.replace.price": lambda v: engine().replace("a", price=v),
    "Engine.replace.quantity": lambda v: engine().replace("a", quantity=v),
    "KnightianMaker.ambiguity": lambda v: kpm.KnightianMaker([0.5, 0.5], 1.0, v),
    "KnightianMaker.risk_aversion": lambda v: kpm.KnightianMaker([0.5, 0.5], v, 0.1),
    "LMSR.liquidity": lambda v: kpm.LMSR(v, [0.5, 0.5]),
    "Maker.quotes.quantities": lambda v: MAKER.quotes([[1, 0]], v),
    "Maker.size_to.budget": lambda v: MAKER.size_to([1, 0], "buy", budget=v),
    "Maker.size_to.loss": lambda v: MAKER.size_to([1, 0], "buy", loss=v),
    "Maker.size_to.price": lambda v: MAKER.size_to([1, 0], "buy", price=v),
    "Maker.trade.limit": lambda v: MAKER.trade([1, 0], "buy", v, 1.0),
    "Maker.trade.quantity": lambda v: MAKER.trade([1, 0], "buy", 0.9, v),
    "Market.ambiguity": lambda v: MARKET.replace(ambiguity=v),
    "Market.risk_aversion": lambda v: MARKET.replace(risk_aversion=v),
    "Orders.from_csv.price_unit": lambda v: kpm.Orders.from_csv("none.csv", price_unit=v),
    "Orders.from_csv.quantity_unit": lambda v: kpm.Orders.from_csv("none.csv", quantity_unit=v),
    "Orders.from_frame.price_unit": lambda v: kpm.Orders.from_frame(FRAME, price_unit=v),
    "Orders.from_frame.quantity_unit": lambda v: kpm.Orders.from_frame(FRAME, quantity_unit=v),
    "Books.price": lambda v: kpm.Books(MARKET, [0, 1], [0, 0], "buy", v, [1, 1]),
    "Books.quantity": lambda v: kpm.Books(MARKET, [0, 1], [0, 0], "buy", 0.5, v),
    "Orders.price": lambda v: kpm.Orders([0], "buy", v, [1]),
    "Orders.quantity": lambda v: kpm.Orders([0], "buy", [0.5], v),
    "PolytopeMaker.risk_aversion": lambda v: kpm.PolytopeMaker([[1, 0]], v),
    "QuadraticMaker.c": lambda v: kpm.QuadraticMaker([0.5, 0.5], v),
    "UtilityMaker.wealth": lambda v: kpm.UtilityMaker([0.5, 0.5], v),
    "advise.time_limit": lambda v: kpm.advise(MARKET, ORDERS, time_limit=v),
    "read_book.ambiguity": lambda v: kpm.read_book(RACE, ambiguity=v),
    "read_book.risk_aversion": lambda v: kpm.read_book(RACE, risk_aversion=v),
    "sweep.ambiguity": lambda v: kpm.sweep(MARKET, ORDERS, ambiguity=v),
    "sweep.risk_aversion": lambda v: kpm.sweep(MARKET, ORDERS, risk_aversion=v),
    "uniform_prior.states": lambda v: kpm.uniform_prior(v),
}
#: Columns: one entry for each state, order or claim.
COLUMNS: dict[str, Callable[[Any], Any]] = {
    "Books.price": lambda v: fault(kpm.Books(MARKET, [0, 0], [0, 0], "buy", [v, 0.5], 1)),
    "Books.quantity": lambda v: fault(kpm.Books(MARKET, [0, 0], [0, 0], "buy", 0.5, [v, 2])),
    "Books.time": lambda v: fault(kpm.Books(MARKET, [0, 0], [0, 0], "buy", 0.5, 1, [v, 2])),
    "Orders.time": lambda v: kpm.Orders([0, 0], "buy", 0.5, 1, time=[v, 2]),
    "Orders.price": lambda v: kpm.Orders([0, 0], "buy", [v, 0.5], 1),
    "Orders.quantity": lambda v: kpm.Orders([0, 0], "buy", 0.5, [v, 2.5]),
    "Books.by_row.values": lambda v: kpm.Books(MARKET, [0], [0], 1, 0.5, 1).by_row([v]),
    "KnightianMaker.inventory": lambda v: kpm.KnightianMaker([0.5, 0.5], 1.0, 0.1, [v, 0]),
    "KnightianMaker.prior": lambda v: kpm.KnightianMaker([v, 0.5], 1.0, 0.1),
    "LMSR.inventory": lambda v: kpm.LMSR(1.0, [0.5, 0.5], [v, 0]),
    "LMSR.prior": lambda v: kpm.LMSR(1.0, [v, 0.5]),
    "Maker.conjugate.g": lambda v: MAKER.conjugate([v, 0.5]),
    "Maker.cost.losses": lambda v: MAKER.cost([v, 0.5]),
    "Maker.state_prices.losses": lambda v: MAKER.state_prices([[v, 0.5]]),
    "Market.inventory": lambda v: MARKET.replace(inventory=[v, 0]),
    "Market.prior": lambda v: MARKET.replace(prior=[v, 0.5]),
    "PolytopeMaker.inventory": lambda v: kpm.PolytopeMaker([[1, 0]], 1.0, [v, 0]),
    "PolytopeMaker.priors": lambda v: kpm.PolytopeMaker([[v, 0]], 1.0),
    "QuadraticMaker.inventory": lambda v: kpm.QuadraticMaker([0.5, 0.5], 1.0, [v, 0]),
    "QuadraticMaker.prior": lambda v: kpm.QuadraticMaker([v, 0.5], 1.0),
    "StartingOrders.delta": lambda v: kpm.StartingOrders([v, 0.5]),
    "StartingOrders.inventory": lambda v: kpm.StartingOrders([0.5, 0.5], [v, 0]),
    "UtilityMaker.inventory": lambda v: kpm.UtilityMaker([0.5, 0.5], 1.0, [v, 0]),
    "UtilityMaker.prior": lambda v: kpm.UtilityMaker([v, 0.5], 1.0),
    "WorstStateMaker.inventory": lambda v: kpm.WorstStateMaker(2, [v, 0]),
    "pool_odds.stakes": lambda v: kpm.pool_odds([v, 2]),
    "prior_from_density.levels": lambda v: kpm.prior_from_density([v, 2.0, 3.0], [1.0, 1.0, 1.0]),
    "prior_from_density.density": lambda v: kpm.prior_from_density([1.0, 2.0], [v, 1.0]),
    "prior_from_quotes.ask": lambda v: kpm.prior_from_quotes([[1, 0]], [0.1], [v]),
    "prior_from_quotes.bid": lambda v: kpm.prior_from_quotes([[1, 0]], [v], [1.0]),
    "prior_from_quotes.prior": lambda v: kpm.prior_from_quotes([[1, 0]], [0.1], [1], [v, 0.5]),
    "read_book.inventory": lambda v: kpm.read_book(RACE, inventory=[v, 0, 0, 0, 0, 0]),
    "solve_cell.cell": lambda v: kpm.solve_cell(MARKET, ORDERS, [v, 0]),
    "sweep.prior": lambda v: kpm.sweep(MARKET, ORDERS, prior={"a": [v, 0.5]}),
}
for name in ("tolerance", "threads", "time_limit", "node_limit", "cell_limit"):
    SCALARS[f"clear.{name}"] = lambda v, name=name: kpm.clear(MARKET, ORDERS, **{name: v})
    SCALARS[f"clear_many.{name}"] = lambda v, name=name: kpm.clear_many([], **{name: v})
    SCALARS[f"Engine.clear.{name}"] = lambda v, name=name: engine().clear(**{name: v})
for name in ("tolerance", "max_iterations"):
    SCALARS[f"solve_cell.{name}"] = lambda v, name=name: kpm.solve_cell(
        MARKET, ORDERS, [0, 0], **{name: v}
    )
for kind in ("race_card", "win_place", "football", "option_strip"):
    for name in inspect.signature(getattr(kpm.sample, kind)).parameters:
        SCALARS[f"sample.{kind}.{name}"] = lambda v, kind=kind, name=name: getattr(
            kpm.sample, kind
        )(**{name: v})

#: Words, labels, objects, or checked as payoffs of claims, where a condition is a number.
OTHERS = {
    "Maker.quotes.payoffs", "Maker.size_to.payoff", "Maker.trade.payoff", "Market.payoffs",
    "Market.from_frame.payoffs", "Market.from_frame.prior", "Market.from_frame.inventory",
    "prior_from_quotes.payoffs", "WorstStateMaker.states", "Engine.add.claim", "Engine.add.side",
    "Orders.claim", "Orders.side", "Books.book", "Books.claim", "Books.side",
}  # fmt: skip
MADE_BY_USERS = {
    "Books", "Engine", "KnightianMaker", "LMSR", "Maker", "Market", "Orders", "PolytopeMaker",
    "QuadraticMaker", "StartingOrders", "UtilityMaker", "WorstStateMaker",
}  # fmt: skip


def stated() -> Iterator[str]:
    """The keywords of the public functions and classes that are annotated as numbers."""
    for name in kpm.__all__:
        value = getattr(kpm, name)
        functions = {name: value}
        if inspect.isclass(value):
            if name not in MADE_BY_USERS:
                continue
            methods = [m for m in vars(value) if not m.startswith("_")]
            functions |= {f"{name}.{m}": getattr(value, m) for m in methods}
        for owner, function in functions.items():
            if callable(function):
                for keyword in inspect.signature(function).parameters.values():
                    kind = str(keyword.annotation)
                    if any(word in kind for word in ("float", "ArrayLike")) or kind == "int":
                        yield f"{owner}.{keyword.name}"


def test_every_public_keyword_that_is_a_number_is_here() -> None:
    covered = SCALARS.keys() | COLUMNS.keys() | OTHERS
    labels = {name for name in stated() if name.rpartition(".")[2] in ("order_id", "claims")}
    assert set(stated()) - labels <= covered


FLAGS = [True, False, np.True_]
TEXT = ["1", "0.5", b"1", np.str_("1"), np.array("1")]


@pytest.mark.parametrize("name", SCALARS)
def test_flags_and_text_are_no_numbers(name: str) -> None:
    for value in [*FLAGS, np.array(True), *TEXT]:
        with pytest.raises(kpm.InputError) as caught:
            SCALARS[name](value)
        assert name.rpartition(".")[2] in str(caught.value) or "book" in str(caught.value)
        shown = value.item() if isinstance(value, np.generic | np.ndarray) else value
        assert str(shown) in str(caught.value)


@pytest.mark.parametrize("name", COLUMNS)
def test_flags_are_no_entries_of_a_column_of_numbers(name: str) -> None:
    for value in [*FLAGS, np.array(True)]:
        with pytest.raises(kpm.InputError) as caught:
            COLUMNS[name](value)
        assert caught.value.field is not None
        assert name.rpartition(".")[2] in str(caught.value)


@pytest.mark.parametrize("holder", [list, tuple, np.array, lambda v: np.array(v, dtype=object)])
def test_flags_are_found_in_any_column(holder: Any) -> None:
    for field in ("price", "quantity"):
        columns = {"price": 0.5, "quantity": 1.0, field: holder([True, True])}
        with pytest.raises(kpm.InputError, match=rf"^{field}\[0\]: must be numbers, got "):
            kpm.Orders([0, 0], "buy", **columns)
    with pytest.raises(kpm.InputError, match=r"^quantities: must be numbers, got "):
        MAKER.quotes([[1, 0], [0, 1]], holder([[True], [True]]))


def test_the_first_flag_among_numbers_is_named() -> None:
    with pytest.raises(kpm.InputError, match=r"^price\[2\]: must be numbers, got True$"):
        kpm.Orders([0, 0, 0], "buy", [0.5, 0.25, True], 1)


@pytest.mark.parametrize("flag", [True, np.True_, np.array(False)])
def test_a_flag_is_found_in_a_long_column(flag: Any) -> None:
    """Where there are many entries, their values say whether types need to be looked at."""
    for numbers in ([0.5] * 1000, [2] * 1000, [1.0] * 1000):
        assert len(kpm.Orders([0] * 1000, "buy", numbers, 1)) == 1000
        column = [*numbers[:700], flag, *numbers[701:]]
        with pytest.raises(kpm.InputError, match=r"^price\[700\]: must be numbers, got "):
            kpm.Orders([0] * 1000, "buy", column, 1)


def test_conditions_are_payoffs() -> None:
    outcome = np.array(["home", "away"])
    claim = outcome == "home"
    assert kpm.Market([claim], [0.5, 0.5]).payoffs.tolist() == [[1.0, 0.0]]
    assert MAKER.quotes([claim])["ask"] == MAKER.quotes([[1, 0]])["ask"]
    assert MAKER.size_to(claim, "buy", price=0.9) == MAKER.size_to([1, 0], "buy", price=0.9)


def test_text_in_a_column_is_read() -> None:
    read = kpm.Orders([0], "buy", ["0.6"], np.array(["10"]))
    assert read == ORDERS
    assert kpm.pool_odds(["50", "100"]).tolist() == kpm.pool_odds([50, 100]).tolist()


@pytest.mark.skipif(np.longdouble(2) ** 1100 == np.inf, reason="long doubles are doubles here")
def test_numbers_beyond_a_double_are_refused_of_every_type() -> None:
    """They would become infinite: a market order, or endless ambiguity."""
    beyond = r"is beyond the range of a double, got"
    market = kpm.Market([[1, 0]], [0.5, 0.5])
    for large in (np.longdouble("1e4000"), Decimal("1e400"), "1e400"):
        with pytest.raises(kpm.InputError, match=rf"^price\[0\]: {beyond}"):
            kpm.Orders([0], "buy", [large], [1.0])
        if isinstance(large, str):
            continue
        with pytest.raises(kpm.InputError, match=rf"^ambiguity: {beyond}"):
            kpm.Market([[1, 0]], [0.5, 0.5], ambiguity=large)
        with pytest.raises(kpm.InputError, match=rf"price: {beyond}"):
            kpm.Engine(market).add("0", "buy", large, 1.0)
    for infinite in (np.longdouble("inf"), Decimal("inf"), np.float32("inf")):
        assert kpm.Orders([0], "buy", [infinite], [1.0]).price.tolist() == [np.inf]
        assert kpm.Market([[1, 0]], [0.5, 0.5], ambiguity=infinite).ambiguity == np.inf


@pytest.mark.parametrize(
    "small",
    [Decimal("-1e-400"), Fraction(1, 10**400), np.longdouble("1e-400"), "1e-400"],
    ids=["decimal", "fraction", "long double", "text"],
)
def test_numbers_too_small_for_a_double_are_refused_of_every_type(small: Any) -> None:
    """They would become 0: no ambiguity, or an order of nothing."""
    if not isinstance(small, str) and small == 0:
        pytest.skip("long doubles are doubles here")
    close = r"is too small for a double, got"
    market = kpm.Market([[1, 0]], [0.5, 0.5])
    for holder in (list, lambda column: np.array(column, dtype=object)):
        with pytest.raises(kpm.InputError, match=rf"^price\[1\]: {close}"):
            kpm.Orders([0, 0], "buy", holder([0.5, small]), 1.0)
    with pytest.raises(kpm.InputError, match=rf"^payoffs: {close}.* at \(0, 1\)$"):
        kpm.Market([[1, small]], [0.5, 0.5])
    if isinstance(small, np.longdouble):
        with pytest.raises(kpm.InputError, match=rf"^quantity\[0\]: {close}"):
            kpm.Orders([0], "buy", [0.5], np.array([small]))
    if isinstance(small, str):
        return
    with pytest.raises(kpm.InputError, match=rf"^ambiguity: {close}"):
        kpm.Market([[1, 0]], [0.5, 0.5], ambiguity=small)
    with pytest.raises(kpm.InputError, match=rf"^price: {close}"):
        kpm.Engine(market).add("0", "buy", small, 1.0)


@pytest.mark.parametrize(
    "zero", [Decimal("-0e-999"), Fraction(0), np.longdouble(0), "0e-999", -0.0]
)
def test_zero_is_a_number_of_every_type(zero: Any) -> None:
    assert str(kpm.Orders([0], "buy", [zero], [1.0]).price.tolist()) == "[0.0]"
