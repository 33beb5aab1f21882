"""What the package returns are values: equal by value, fixed, copied and pickled as they are."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from makers import EXAMPLES, PRIOR

MARKET = kpm.Market(np.eye(3), PRIOR, claims=["ä", "<b>", "日本"], states=["x", "y|z", "z"])
ORDERS = kpm.Orders(
    ["ä", "<b>", "日本"], ["buy", "sell", "buy"], [0.6, 0.2, 0.3], [10, 5, 7], ["a", "b", "c"]
)
RESULT = kpm.clear(MARKET, ORDERS, certificate=True)


def books(price: float = 0.6) -> kpm.Books:
    columns = ["ä", "<b>", "日本"], ["buy", "sell", "buy"], [price, np.nan, 0.3], [10, 5, 7]
    return kpm.Books(MARKET, ["p", "q", "p"], *columns)


VALUES: dict[str, Any] = {
    "market": MARKET,
    "market of a maker": kpm.Market(np.eye(3), maker=kpm.UtilityMaker(PRIOR, 100.0)),
    "orders": ORDERS,
    "order": ORDERS[0],
    "result": RESULT,
    "result by a rule": kpm.clear(MARKET, ORDERS, rule="competitive"),
    "certificate": RESULT.certificate,
    "stats": RESULT.stats,
    "status": RESULT.status,
    "claim": RESULT["ä"],
    "order's result": RESULT.order("a"),
    "settlement": RESULT.settle("z"),
    "verification": RESULT.verify(),
    "check": RESULT.verify().checks[0],
    "sweep": kpm.sweep(MARKET, ORDERS, ambiguity=[0.0, 0.1]),
    "advice": kpm.advise(MARKET, ORDERS),
    "batch": kpm.clear_many([(MARKET, ORDERS), None]),
    "books": books(),
    "cell": kpm.solve_cell(MARKET, ORDERS, [0, 0, 0]),
    "quotes": MARKET.maker.quotes(MARKET),
    "blocks": MARKET.maker.quotes(MARKET, [1.0, 2.0, 3.0]),
    "trade": MARKET.maker.trade([1, 0, 0], "buy", 0.6, 1.0)[0],
    **EXAMPLES,
}
COPIES: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "pickle 2": lambda value: pickle.loads(pickle.dumps(value, 2)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("name", VALUES)
def test_a_copy_is_equal_and_cannot_be_written(name: str, how: str) -> None:
    value = VALUES[name]
    other = COPIES[how](value)
    assert other == value
    assert repr(other) == repr(value)
    assert str(other) == str(value)
    for held in vars(other).values() if hasattr(other, "__dict__") else ():
        assert not (isinstance(held, np.ndarray) and held.flags.writeable)


@pytest.mark.parametrize("name", [name for name in VALUES if name not in ("status",)])
def test_a_value_takes_no_attributes(name: str) -> None:
    value = VALUES[name]
    names = [attribute for attribute in dir(value) if not attribute.startswith("_")]
    for attribute in [*names, "another"]:
        with pytest.raises((AttributeError, TypeError)):
            setattr(value, attribute, 1)


@pytest.mark.parametrize("name", VALUES)
def test_a_value_differs_from_everything_else(name: str) -> None:
    value = VALUES[name]
    for other_name, other in VALUES.items():
        assert (value == other) == (name == other_name)
    for foreign in (None, 0, "text", object(), (), []):
        assert value != foreign


def test_books_are_equal_by_their_orders() -> None:
    assert books() == books()
    assert books() != books(0.7)
    assert books() != VALUES["orders"]
    assert str(books().errors[1]) == str(pickle.loads(pickle.dumps(books())).errors[1])
    with pytest.raises(TypeError, match="unhashable"):
        hash(books())


def test_a_token_belongs_to_its_process() -> None:
    token = kpm.StopToken()
    for how in COPIES.values():
        with pytest.raises(TypeError, match="a StopToken is not copied or pickled"):
            how(token)
    with pytest.raises(AttributeError):
        token.another = 1  # type: ignore[attr-defined]


def test_labels_come_in_any_container() -> None:
    pyarrow, polars, pandas = map(pytest.importorskip, ("pyarrow", "polars", "pandas"))

    class Labels:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.array(["a", "b"])

    names = ["a", "b"]
    for given in (
        np.array(names),
        np.array(names, dtype=object),
        dict.fromkeys(names).keys(),
        dict(enumerate(names)).values(),
        (name for name in names),
        pyarrow.array(names),
        pyarrow.chunked_array([names[:1], names[1:]]),
        pyarrow.array(names).dictionary_encode(),
        polars.Series(names),
        pandas.Index(names),
        pandas.Series(names, dtype="category"),
        Labels(),
    ):
        market = kpm.Market(np.eye(2), [0.5, 0.5], claims=given, states=["x", "y"])
        assert market.claims == ("a", "b")
        assert all(type(label) is str for label in market.claims)
