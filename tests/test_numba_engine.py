"""The engine of the C library for Numba, against ``kpm.Engine``."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm

pytest.importorskip("numba")

import numba

from kpm_fast import numba as kpm_numba
from kpm_fast import numba_engine, numba_makers

MARKET = kpm.Market(
    [[1, 0, 0], [0, 1, 0], [0, 1, 1]], [0.5, 0.3, 0.2], risk_aversion=0.02, ambiguity=0.05
)
OTHER = kpm.Market(MARKET.payoffs, [0.2, 0.3, 0.5], risk_aversion=0.1, ambiguity=0.0)


def arguments(market: kpm.Market) -> tuple[object, ...]:
    return (
        market.payoffs,
        market.prior,
        market.inventory,
        market.risk_aversion,
        market.ambiguity,
    )


def made(own_memory: bool) -> tuple[int, np.ndarray]:
    """An engine for the market, and the memory that must live as long."""
    if not own_memory:
        return numba_engine.create(*arguments(MARKET), 10), np.empty(0, np.uint8)
    memory = np.empty(numba_engine.size(3, 3, 60, 0, 0), np.uint8)
    try:
        return numba_engine.init(memory, *arguments(MARKET), 60, 0, 0), memory
    except RuntimeError:
        code, message = kpm_numba.last_error()
        assert code == 5  # KPM_UNSUPPORTED
        pytest.skip(message)


@pytest.mark.parametrize("own_memory", [False, True])
def test_events_and_clearings_are_those_of_the_engine(own_memory: bool) -> None:
    engine, memory = made(own_memory)
    model = kpm.Engine(MARKET)
    market = MARKET
    draw = np.random.default_rng(17)
    for command in range(600):
        name = int(draw.integers(40))
        price, quantity = draw.integers(0, 21) / 20, draw.integers(1, 2000) / 100
        if str(name) not in model:
            claim, side = int(draw.integers(3)), int(draw.choice([1, -1]))
            assert numba_engine.add(engine, name, claim, side, price, quantity) == 0
            model.add(
                MARKET.claims[claim], "buy" if side > 0 else "sell", price, quantity, str(name)
            )
        elif command % 3 == 0:
            assert numba_engine.cancel(engine, name) == 0
            model.cancel(name)
        elif command % 3 == 1:
            left = float(np.floor(model[str(name)].quantity / 2))
            assert numba_engine.reduce(engine, name, left) == 0
            model.reduce(name, left)
        else:
            assert numba_engine.replace(engine, name, price, quantity) == 0
            model.replace(name, price=price, quantity=quantity)
        if command == 300:
            market = OTHER
            assert numba_engine.set_market(engine, *arguments(OTHER)) == 0
            model.market = OTHER
        if command % 20 == 0:
            assert int(numba_engine.state_hash(engine)) == model.state_hash
            orders = model.orders
            ids, claims, sides, prices, quantities = numba_engine.orders(engine)
            assert [str(i) for i in ids] == orders.order_id.tolist()
            assert np.array_equal(claims, orders.claim_index(market))
            assert np.array_equal(sides, orders.side)
            assert np.array_equal(prices, orders.price)
            assert np.array_equal(quantities, orders.quantity)
            result = model.clear(allocation="book_order", threads=1)
            for clearing in (
                numba_engine.clear(engine, 3, 3, 1e-8),
                numba_engine.indicative(engine, 3, 3, 1e-8),
            ):
                assert clearing.status == 0
                for figure in ("state_prices", "claim_prices", "net_demand", "payoff"):
                    assert np.array_equal(getattr(clearing, figure), getattr(result, figure))
                assert clearing.upper_bound == result.upper_bound
                assert clearing.certainty_equivalent == result.certainty_equivalent
                assert len(clearing.fills) in (0, len(orders))
                assert np.array_equal(clearing.fills, result.fills[: len(clearing.fills)])
            bid, ask = numba_engine.quotes(engine, 3)
            quotes = model.quotes()
            assert np.array_equal(bid, quotes.bid)
            assert np.array_equal(ask, quotes.ask)
    numba_engine.free(engine)
    del memory  # the engine needed it until here


@pytest.mark.parametrize("own_memory", [False, True])
def test_snapshots_are_those_of_the_engine(own_memory: bool) -> None:
    engine, _memory = made(own_memory)
    model = kpm.Engine(MARKET)
    for name, quantity in enumerate((5.0, 7.25, 0.3)):
        assert numba_engine.add(engine, name, name, 1, 0.5, quantity) == 0
        model.add(name, "buy", 0.5, quantity, name)
    snapshot = numba_engine.snapshot(engine)
    assert len(snapshot) > 3 * 8
    before = numba_engine.state_hash(engine)
    assert numba_engine.cancel_all(engine) == 0
    assert numba_engine.order_count(engine) == 0
    assert numba_engine.restore(engine, snapshot) == 0
    assert numba_engine.order_count(engine) == 3
    assert numba_engine.state_hash(engine) == before == model.state_hash
    assert numba_engine.restore(engine, snapshot[:-1]) == 1
    with pytest.raises(kpm.InputError, match="snapshot"):
        kpm_numba.raise_last_error()
    numba_engine.free(engine)


def test_refused_commands_set_an_error_and_change_nothing() -> None:
    engine, _ = made(own_memory=False)
    assert numba_engine.add(engine, 7, 0, 1, 0.5, 1.0) == 0
    before = numba_engine.state_hash(engine)
    for code in (
        numba_engine.add(engine, 7, 0, 1, 0.5, 1.0),
        numba_engine.add(engine, 8, 3, 1, 0.5, 1.0),
        numba_engine.add(engine, 8, 0, 0, 0.5, 1.0),
        numba_engine.add(engine, 8, 0, 1, np.nan, 1.0),
        numba_engine.cancel(engine, 8),
        numba_engine.reduce(engine, 7, 2.0),
        numba_engine.replace(engine, 8, 0.5, 1.0),
        numba_engine.cancel(0, 8),
    ):
        assert code == 1
        with pytest.raises(kpm.InputError):
            kpm_numba.raise_last_error()
    assert numba_engine.state_hash(engine) == before
    with pytest.raises(kpm.InputError, match=r"^tolerance: must be .*, got 2$"):
        numba_engine.clear(engine, 3, 3, 2.0)
    with pytest.raises(ValueError, match="fills"):
        numba_engine.clear_into(engine, 1e-8, 1.0, *(np.empty(3) for _ in range(5)), np.empty(9))
    with pytest.raises(kpm.InputError, match=r"^prior: must sum to 1 .*, got 1\.1$"):
        numba_engine.create(np.eye(2), np.array([0.5, 0.6]), np.zeros(2), 1.0, 0.0, 1)
    with pytest.raises(ValueError, match="an entry for each"):
        numba_engine.create(np.eye(2), np.array([0.5]), np.zeros(2), 1.0, 0.0, 1)
    assert numba_engine.size(3, 0, 1, 1, 1) == 0
    numba_engine.free(engine)
    numba_engine.free(0)


@numba.njit
def add_from_compiled_code(
    engine: int, order_id: int, claim: int, side: int, price: float, quantity: float
) -> int:
    return numba_engine.add(engine, order_id, claim, side, price, quantity)


@pytest.fixture(params=[numba_engine.add, add_from_compiled_code])
def add(request: pytest.FixtureRequest) -> Any:
    """From Python and from compiled code, whose conversions differ."""
    return request.param


@pytest.fixture
def engine() -> Iterator[int]:
    created = numba_engine.create(*arguments(MARKET), 10)
    yield created
    numba_engine.free(created)


def rows(engine: int) -> list[tuple[int, ...]]:
    return [*zip(*(column.tolist() for column in numba_engine.orders(engine)[:3]), strict=True)]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ((1, 2, -1), (1, 2, -1)),
        ((2**53 + 1, 0, 1), (2**53 + 1, 0, 1)),
        ((2**63 - 1, 0, 1), (2**63 - 1, 0, 1)),
        ((-(2**63) + 1, 0, 1), (-(2**63) + 1, 0, 1)),
        ((np.uint64(2**63 - 1), 0, 1), (2**63 - 1, 0, 1)),
        ((np.int32(5), np.int8(1), np.int8(-1)), (5, 1, -1)),
        ((np.uint8(5), np.uint8(1), np.uint8(1)), (5, 1, 1)),
        ((np.uint64(5), np.uint64(1), np.uint64(1)), (5, 1, 1)),
        ((7.0, 1, -1), (7, 1, -1)),
        ((-7.0, 1.0, -1.0), (-7, 1, -1)),
        ((3, 1, -1.0), (3, 1, -1)),
    ],
)
def test_whole_numbers_of_any_type_are_kept(
    add: Any, engine: int, order: tuple[Any, ...], expected: tuple[int, ...]
) -> None:
    assert add(engine, *order, 0.5, 1.0) == 0
    assert rows(engine) == [expected]
    name, kind = expected[0], type(order[0])
    assert numba_engine.reduce(engine, kind(name), 0.5) == 0
    assert numba_engine.replace(engine, kind(name), 0.4, 0.5) == 0
    assert numba_engine.cancel(engine, kind(name)) == 0
    assert rows(engine) == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        *((0, value) for value in (1.5, 2.0**53, -(2.0**53), np.nan, np.inf, np.uint64(2**63))),
        *((1, value) for value in (-1, 3, 2**31, 2**32, 2**32 + 1, 2**63 - 1, 0.9, np.nan, 1e300)),
        *((2, value) for value in (0, 2, 2**31, 2**32 + 1, 2**32 - 1, -(2**32) - 1, 2**63 - 1)),
        *((2, value) for value in (1.5, -0.6, np.nan, -np.inf, 2.0**32 + 1)),
    ],
)
def test_no_number_is_cut_to_another(add: Any, engine: int, place: int, value: Any) -> None:
    """Numba makes 1 of 1.9 and of 2**32 + 1 where a signature has an integer of 32 bits."""
    order: list[Any] = [1, 1, 1]
    order[place] = value
    assert add(engine, 1, 1, 1, 0.5, 1.0) == 0
    try:
        assert add(engine, *order, 0.5, 1.0) == 1
    except ValueError as error:
        assert "ids, claims and sides must be" in str(error)  # noqa: PT017  # or a code
    assert rows(engine) == [(1, 1, 1)]
    if place == 0:
        for event in (
            lambda: numba_engine.cancel(engine, value),
            lambda: numba_engine.reduce(engine, value, 0.5),
            lambda: numba_engine.replace(engine, value, 0.4, 0.5),
        ):
            with pytest.raises(ValueError, match="ids, claims and sides must be"):
                event()
    assert rows(engine) == [(1, 1, 1)]


def test_sizes_are_not_cut() -> None:
    assert numba_engine.size(3, 3, 60, 0, 0) > 0
    for states, claims in ((2**32 + 3, 3), (3, 2**32 + 3), (-(2**32) + 3, 3)):
        assert numba_engine.size(states, claims, 60, 0, 0) == 0
        assert numba_makers.size(states, claims, 60, 0, 0, 0) == 0


@numba.njit
def cleared(price: Any, tolerance: float) -> Any:
    claim, side = np.array([0, 1]), np.array([1, 1], dtype=np.int8)
    return kpm_numba.clear(
        *(np.eye(2), np.array([0.5, 0.5]), np.zeros(2), 1.0, 0.0),
        *(claim, side, price, np.ones(2), tolerance),
    ).status


@numba.njit(nogil=True)
def added(engine: int, claim: int) -> int:
    if numba_engine.add(engine, 1, claim, 1, 0.5, 1.0) != 0:
        kpm_numba.raise_last_error()
    return numba_engine.order_count(engine)


def test_compiled_code_says_where_it_raises_what_was_refused() -> None:
    """With field, index and value, as Python does; and whatever the code around it."""
    assert cleared(np.array([0.5, 0.5]), 1e-8) == 0
    with pytest.raises(kpm.InputError) as caught:
        cleared(np.array([0.5, np.nan]), 1e-8)
    with pytest.raises(kpm.InputError) as expected:
        kpm.Orders([0, 1], "buy", np.array([0.5, np.nan]), 1.0)
    assert str(expected.value).startswith(str(caught.value))  # and how the command line reads it
    assert (caught.value.field, caught.value.index) == ("price", 1)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    with pytest.raises(kpm.InputError, match=r"^payoffs\['0', '1'\]: must be finite, got nan$"):
        kpm_numba.quotes(np.array([0.5, 0.5]), 1.0, 0.0, np.zeros(2), np.array([[1.0, np.nan]]))
    with pytest.raises(kpm.InputError, match=r"^tolerance: must be between 0 and 1, got 2$"):
        cleared(np.array([0.5, 0.5]), 2.0)
    engine = numba_engine.create(np.eye(2), np.array([0.5, 0.5]), np.zeros(2), 1.0, 0.0, 1)
    assert added(engine, 0) == 1
    with pytest.raises(kpm.InputError, match=r"^order_id: must not be in the book .*, got 1$"):
        added(engine, 0)
    with ThreadPoolExecutor() as pool:
        calls = [pool.submit(cleared, np.array([x, np.nan]), 1e-8) for x in (0.5, np.nan)]
        said = [str(call.exception()).partition(":")[0] for call in calls]
    assert said == ["price[1]", "price[0]"]
    numba_engine.free(engine)
