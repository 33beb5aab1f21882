"""What the core is given is validated by the core: arrays can be written to after all, or damaged.

A book whose memory was changed is refused in every function, by field, index and value; a pickle is
validated as it is read, and shares no memory with the buffers that it came in.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from kpm_fast import _core
from kpm_fast.model.outcome_figures import NUMBERS
from makers import EXAMPLES

RULES = ("maker_optimal", "competitive", "pay_as_bid")
#: A column, what is written to its second entry, and the error's field.
DAMAGE = [
    ("price", np.nan, "price"),
    ("claim", -5, "claim"),
    ("claim", 2**40, "claim"),
    ("side", 0, "side"),
    ("quantity", -1.0, "quantity"),
    ("quantity", np.inf, "quantity"),
]


def market() -> kpm.Market:
    return kpm.Market([[1, 0], [0, 1]], [0.5, 0.5])


def orders() -> kpm.Orders:
    return kpm.Orders(claim=[0, 0], side="buy", price=[0.6, 0.7], quantity=[1, 2])


def books() -> kpm.Books:
    return kpm.Books(market(), ["a", "a"], [0, 0], "buy", [0.6, 0.7], [1, 2])


def damage(array: Any, value: Any, place: int = 1) -> None:
    array.flags.writeable = True
    array[place] = value


def refused(call: Callable[[], object], field: str, index: Any = 1) -> None:
    with pytest.raises(kpm.InputError) as caught:
        call()
    assert (caught.value.field, caught.value.index) == (field, index)


def doors(m: kpm.Market, o: kpm.Orders) -> list[Callable[[], object]]:
    return [
        *(lambda rule=rule: kpm.clear(m, o, rule=rule) for rule in RULES),
        lambda: kpm.solve_cell(m, o, [0, 0]),
        lambda: kpm.staircases(m, o),
    ]


@pytest.mark.parametrize(("column", "value", "field"), DAMAGE)
def test_damaged_orders_are_refused_in_every_function(column: str, value: Any, field: str) -> None:
    o = orders()
    damage(getattr(o, column), value)
    for call in doors(market(), o):
        if column == "claim":  # which Python looks up first, and refuses if it is beyond the claims
            with pytest.raises(kpm.InputError, match=r"^claim\[1\]: "):
                call()
        else:
            refused(call, field)
    for rule in RULES:
        b = books()
        damage(getattr(b, column), value)
        batch = kpm.clear_many(b, rule=rule)
        assert batch.status.tolist() == ["refused"]
        assert f"{field}[1]" in str(batch.errors[0])


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("name", "field"), [("prior", "prior"), ("inventory", "inventory")])
def test_damaged_markets_are_refused(rule: str, name: str, field: str) -> None:
    m = market()
    damage(getattr(m, name), np.nan)
    refused(lambda: kpm.clear(m, orders(), rule=rule), field)
    refused(lambda: kpm.Engine(m), field)
    m = market()
    damage(m.prior, [0.0, 1.0], slice(None))  # type: ignore[arg-type]
    refused(lambda: kpm.clear(m, orders(), rule=rule), "prior", 0)


@pytest.mark.parametrize("maker", EXAMPLES.values(), ids=EXAMPLES)
def test_damaged_makers_are_refused(maker: kpm.Maker) -> None:
    copy = pickle.loads(pickle.dumps(maker))
    damage(copy.inventory, np.nan, 0)
    payoff = np.eye(copy.states)[0]
    for call in (
        lambda: copy.quotes([payoff]),
        lambda: copy.trade(payoff, "buy", 0.9, 1.0),
        lambda: copy.size_to(payoff, "buy", price=0.9),
        copy.state_prices,
    ):
        with pytest.raises(kpm.InputError, match=r"losses"):
            call()


def test_arrays_of_another_shape_are_refused() -> None:
    o = orders()
    for name in ("price", "quantity", "side"):
        short = {"price": o.price, "quantity": o.quantity, "side": o.side, name: None}
        short[name] = getattr(o, name)[:1]
        for call in (_core.staircases, _core.count_pieces):
            columns = (short["side"], short["price"], short["quantity"])
            with pytest.raises(kpm.InputError, match=rf"{name}\[1\]: is missing"):
                call(market().payoffs, o.claim, *columns)  # type: ignore[arg-type]
    b = books()
    damage(b.first, 3)
    with pytest.raises(IndexError, match="no orders of those given"):
        kpm.clear_many(b)


def values() -> dict[str, Any]:
    m, b = market(), books()
    named = kpm.Orders(["0", "1"], "buy", [0.6, 0.7], [1, 2], ["a", "b"], [1.0, 2.0])
    result = kpm.clear(m, named, certificate=True)
    return {
        "market": m,
        "orders": named,
        "plain orders": orders(),
        "result": result,
        "certificate": result.certificate,
        "dual": kpm.clear(m, named, rule="competitive", certificate=True).certificate,
        "books": b,
        "batch": kpm.clear_many(b),
        "quotes": m.maker.quotes(m),
        **{f"maker {name}": maker for name, maker in EXAMPLES.items()},
        "lmsr": kpm.LMSR(5.0, [0.25, 0.75]),
    }


@pytest.mark.parametrize("name", values())
def test_unpickled_values_share_no_memory_with_buffers(name: str) -> None:
    value = values()[name]
    views: list[pickle.PickleBuffer] = []
    stream = pickle.dumps(value, protocol=5, buffer_callback=views.append)
    received = [bytearray(view.raw()) for view in views]
    copy = pickle.loads(stream, buffers=received)
    for buffer in received:
        buffer[:] = b"\xff" * len(buffer)  # for what comes next
    assert received
    assert copy == value
    for array in vars(copy).values() if hasattr(copy, "__dict__") else (copy.price, copy.claim):
        assert not isinstance(array, np.ndarray) or not array.flags.writeable


@pytest.mark.parametrize(
    ("name", "number", "message"),
    [
        ("orders", 0.6, r"^price\[0\]: must be a number"),
        ("plain orders", 0.6, r"^price\[0\]: must be a number"),
        ("books", 0.6, r"^price\[0\]: must be a number"),
        ("market", 0.5, r"^prior"),
        ("lmsr", 0.75, r"^prior\[1\]"),
    ],
)
def test_a_pickle_with_a_damaged_number_is_refused(name: str, number: float, message: str) -> None:
    stream = pickle.dumps(values()[name])
    bits = np.float64(number).tobytes()
    assert bits in stream
    damaged = stream.replace(bits, np.float64(np.nan).tobytes(), 1)
    with pytest.raises(kpm.InputError, match=message):
        pickle.loads(damaged)


def unpickled(value: Any, **changes: Any) -> Any:
    """What a pickle of a value restores where some of its fields were changed."""
    copy = object.__new__(type(value))
    copy.__setstate__(pickle.loads(pickle.dumps({**value.__getstate__(), **changes})))
    return copy


PICKLED: dict[str, Any] = {
    "result": kpm.clear(market(), orders(), certificate=True),
    "dual": kpm.clear(market(), orders(), rule="competitive", certificate=True),
    "cell": kpm.solve_cell(market(), orders(), [0, 0]),
    "claim": kpm.clear(market(), orders())["0"],
    "settlement": kpm.clear(market(), orders()).settle("0"),
    "trade": market().maker.trade([1, 0], "buy", 0.9, 1.0)[0],
    "batch": kpm.clear_many(books()),
}
ARRAYS = [(name, field) for name, value in PICKLED.items() for field in value._arrays]


@pytest.mark.parametrize(("name", "field"), ARRAYS)
def test_a_pickle_whose_shapes_disagree_is_refused(name: str, field: str) -> None:
    """As it is read, by the field's name, and not later by whatever uses the array first."""
    value = PICKLED[name]
    array = getattr(value, field)
    assert unpickled(value) == value
    others = [array[:, None], array[0], None]
    if name != "trade":  # whose payoff alone has a length
        others += [array[:-1], np.append(array, array[-1:])]
    for other in others:
        with pytest.raises(kpm.InputError) as caught:
            unpickled(value, **{field: other})
        # Where no other field states a length, the first array that has it does.
        known = [field] if name in ("result", "dual") else value._arrays
        assert caught.value.field in known
    kinds = [np.array(array, dtype=object), array.astype("f4")] if array.dtype != object else []
    for other in (array.astype(str), array.tolist(), *kinds):
        with pytest.raises(kpm.InputError, match=rf"^{field}: must be an array of "):
            unpickled(value, **{field: other})
    swapped = array.astype(array.dtype.newbyteorder(">"))
    assert unpickled(value, **{field: swapped}) == value


@pytest.mark.parametrize(
    ("name", "changes", "field"),
    [
        *(("result", {number: None}, number) for number in NUMBERS),
        ("result", {"fills": np.full(2, np.nan)}, "fills"),
        ("result", {"tolerance": 2.0}, "tolerance"),
        ("result", {"status": "optimal"}, "status"),
        ("result", {"rule": "pdca"}, "rule"),
        ("result", {"rule": ["pdca"]}, "rule"),
        ("result", {"allocation": "luck"}, "allocation"),
        ("result", {"market": None}, "market"),
        ("result", {"market": kpm.Market([[1, 0]], [0.5, 0.5])}, "claim_prices"),
        ("result", {"orders": orders()[:1]}, "fills"),
        ("result", {"orders": kpm.Orders(["x", "0"], 1, 0.5, 1)}, "claim"),
        ("result", {"stats": {}}, "stats"),
        ("result", {"_objective": "1"}, "_objective"),
        ("result", {"certificate": 1}, "certificate"),
        ("result", {"certificate": kpm.DualCertificate([1.0])}, "certificate.state_prices"),
        ("result", {"verify": print}, "verify"),
        ("batch", {"names": 1}, "names"),
        ("batch", {"names": ("a", "b")}, "status"),
        ("batch", {"first": np.array([0, 1])}, "first"),
        ("batch", {"_claim_first": np.array([2, 2])}, "_claim_first"),
    ],
)
def test_a_pickle_with_a_field_of_another_kind_is_refused(
    name: str, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(kpm.InputError) as caught:
        unpickled(PICKLED[name], **changes)
    assert caught.value.field == field


def test_a_pickled_market_takes_a_number_for_its_prior_s_sum_and_nothing_else() -> None:
    copy = pickle.loads(pickle.dumps(kpm.Market([[1, 0]], [1, 3], normalize=True)))
    assert copy.prior_sum == 4.0
    copy.__setstate__({"prior_sum": 2.0, "replace": print})
    assert copy.prior_sum == 2.0
    assert copy.replace(ambiguity=0.5).ambiguity == 0.5
    for damaged in ({}, {"prior_sum": "4"}):
        with pytest.raises(kpm.InputError, match=r"^prior_sum: must be a number"):
            copy.__setstate__(damaged)


@pytest.mark.parametrize("sizes", [None, 2.0, [[1.0, 2.0], [3.0, 4.0]]])
def test_pickled_quotes_have_a_row_for_each_claim(sizes: Any) -> None:
    quotes = market().maker.quotes(market(), sizes)
    assert unpickled(quotes) == quotes
    for field in ("bid", "ask", *(["quantities"] if sizes else [])):
        array = getattr(quotes, field)
        for other in (array[:1], array[0], array[:, None], array.astype("f4"), None):
            if field == "quantities" and other is None:
                continue
            with pytest.raises(kpm.InputError) as caught:
                unpickled(quotes, **{field: other})
            assert caught.value.field in ("bid", "ask", "quantities")
    with pytest.raises(kpm.InputError, match=r"^claims: must be a tuple"):
        unpickled(quotes, claims="01")
    with pytest.raises(kpm.InputError, match=r"^bid: has shape"):
        unpickled(quotes, claims=("0",))
    claim = PICKLED["claim"]
    with pytest.raises(kpm.InputError, match=r"^orders: must be Orders"):
        unpickled(claim, orders=None)


@pytest.mark.parametrize("field", ["cells", "nodes", "root_bound", "seconds"])
def test_a_pickle_of_damaged_work_is_refused(field: str) -> None:
    stats = PICKLED["result"].stats
    assert unpickled(stats) == stats
    with pytest.raises(kpm.InputError, match=rf"^stats\.{field}: is damaged, got '1'$"):
        unpickled(stats, **{field: "1"})
