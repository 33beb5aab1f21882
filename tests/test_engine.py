"""The engine: a changing book, compared with a list of orders and its cold clearing."""

from __future__ import annotations

import copy
import json
import pickle
import threading
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

import kpm_fast as kpm
from adapter import assert_same_bits
from stress.figures import FIGURES

pytestmark = pytest.mark.cross_section

MARKET = kpm.Market(
    [[1, 0, 0], [0, 1, 0], [0, 1, 1]],
    [0.5, 0.3, 0.2],
    risk_aversion=0.02,
    ambiguity=0.05,
    claims=["home", "draw", "not home"],
)
OTHER = kpm.Market(
    MARKET.payoffs, [0.2, 0.3, 0.5], risk_aversion=0.1, ambiguity=0.0, claims=MARKET.claims
)
prices = st.one_of(
    st.integers(0, 20).map(lambda tick: tick / 20),
    st.sampled_from([-np.inf, np.inf, -0.0, 0.3 + 1e-16, 1.5]),
)
quantities = st.one_of(
    st.integers(0, 300).map(float),
    st.integers(0, 10_000).map(lambda cents: cents / 100),
    st.floats(0.001, 100.0),
)
claims = st.sampled_from(MARKET.claims)
sides = st.sampled_from(["buy", "sell"])
names = st.one_of(st.integers(-5, 30).map(str), st.sampled_from(["a", "b", "007", "x y"]))


class EngineAgainstList(RuleBasedStateMachine):
    """The model is a list of orders by priority."""

    in_book = Bundle("in_book")

    def __init__(self) -> None:
        super().__init__()
        self.engine = kpm.Engine(MARKET)
        self.model: list[list[Any]] = []  # id, claim, side, price, quantity
        self.market = MARKET
        self.kept: tuple[bytes, list[list[Any]], int] | None = None

    def place(self, name: str) -> int:
        return next((row for row, order in enumerate(self.model) if order[0] == name), -1)

    @rule(target=in_book, claim=claims, side=sides, price=prices, quantity=quantities)
    def add(self, claim: str, side: str, price: float, quantity: float) -> str:
        name = self.engine.add(claim, side, price, quantity)
        assert self.place(name) < 0
        self.model.append([name, claim, side, price, quantity])
        return name

    @rule(target=in_book, claim=claims, side=sides, price=prices, quantity=quantities, name=names)
    def add_named(self, claim: str, side: str, price: float, quantity: float, name: str) -> str:
        if self.place(name) >= 0:
            with pytest.raises(kpm.InputError, match="in the book already") as caught:
                self.engine.add(claim, side, price, quantity, name)
            assert caught.value.field == "order_id"
        else:
            assert self.engine.add(claim, side, price, quantity, name) == name
            self.model.append([name, claim, side, price, quantity])
        return name

    @rule(name=consumes(in_book))
    def cancel(self, name: str) -> None:
        row = self.place(name)
        if row < 0:
            with pytest.raises(kpm.InputError, match="of an order in the book"):
                self.engine.cancel(name)
        else:
            self.engine.cancel(name)
            del self.model[row]

    @rule(sure=st.integers(0, 9))
    def cancel_all(self, sure: int) -> None:
        if sure == 0:
            self.engine.cancel_all()
            self.model.clear()

    @rule(name=in_book, quantity=quantities)
    def reduce(self, name: str, quantity: float) -> None:
        row = self.place(name)
        if row < 0 or quantity > self.model[row][4]:
            with pytest.raises(kpm.InputError):
                self.engine.reduce(name, quantity)
        else:
            self.engine.reduce(name, quantity)
            self.model[row][4] = quantity

    @rule(name=in_book, price=st.none() | prices, quantity=st.none() | quantities)
    def replace(self, name: str, price: float | None, quantity: float | None) -> None:
        row = self.place(name)
        if row < 0:
            with pytest.raises(kpm.InputError, match="of an order in the book"):
                self.engine.replace(name, price, quantity)
            return
        self.engine.replace(name, price, quantity)
        order = self.model[row]
        limit = order[3] if price is None else price
        shares = order[4] if quantity is None else quantity
        stays = limit == order[3] and shares <= order[4]
        order[3:] = limit, shares
        if not stays:
            self.model.append(self.model.pop(row))

    @rule(market=st.sampled_from([MARKET, OTHER]))
    def change_market(self, market: kpm.Market) -> None:
        self.engine.market = self.market = market

    @rule()
    def keep(self) -> None:
        self.kept = (
            self.engine.snapshot(),
            [list(order) for order in self.model],
            self.engine.state_hash if self.market is MARKET else 0,
        )

    @rule()
    def go_back(self) -> None:
        if self.kept is not None:
            snapshot, model, known = self.kept
            self.engine.restore(snapshot)
            self.model = [list(order) for order in model]
            assert not known or self.market is not MARKET or self.engine.state_hash == known

    @rule(allocation=st.sampled_from(["pro_rata", "book_order"]), cold=st.booleans())
    def clear(self, allocation: str, cold: bool) -> None:
        before = self.engine.warm_clearings
        result = self.engine.clear(allocation=allocation, cold=cold, threads=1)
        assert self.engine.warm_clearings in ({before} if cold else {before, before + 1})
        book = self.orders()
        assert result.orders == book or not len(book)
        assert_same_bits(result, kpm.clear(self.market, book, allocation=allocation, threads=1))
        assert result.verify().passed

    def orders(self) -> kpm.Orders:
        columns = list(map(list, zip(*self.model, strict=True))) or [[] for _ in range(5)]
        name, claim, side, price, quantity = columns
        return kpm.Orders(claim, side, price, quantity, order_id=name)

    @invariant()
    def the_book_is_the_list(self) -> None:
        assert len(self.engine) == len(self.model)
        assert [list(order)[:5] for order in self.engine.orders] == [
            [claim, side, price, quantity, name]
            for name, claim, side, price, quantity in self.model
        ]

    @invariant()
    def the_hash_is_that_of_a_new_engine(self) -> None:
        assert kpm.Engine(self.market, self.orders()).state_hash == self.engine.state_hash


EngineAgainstList.TestCase.settings = settings(stateful_step_count=40, deadline=None)
TestEngineAgainstList = EngineAgainstList.TestCase


def some_orders() -> kpm.Orders:
    return kpm.Orders(
        ["home", "draw", "home"],
        ["buy", "buy", "sell"],
        [0.6, 0.5, 0.4],
        [100, 50, 30],
        order_id=["a", "b", "c"],
        time=[3, 1, 2],
    )


def test_hundreds_of_limits_come_and_go() -> None:
    """Enough limits that nodes of the tree that indexes them split and merge."""
    rng = np.random.default_rng(3)
    market = kpm.Market(np.eye(3), [0.5, 0.3, 0.2], risk_aversion=1e-4, ambiguity=0.05)
    engine = kpm.Engine(market)
    numbers = rng.permutation(800)
    ids = [
        engine.add(int(number % 2), 1 if number % 3 else -1, (number + 1) / 900, 1.0 + number % 7)
        for number in numbers.tolist()
    ]
    for left in (800, 500, 170, 30, 3, 0):
        while len(ids) > left:
            engine.cancel(ids.pop(int(rng.integers(len(ids)))))
        assert len(engine.orders) == left
        assert_same_bits(engine.clear(), kpm.clear(market, engine.orders))


def test_initial_orders_are_ranked_by_their_times() -> None:
    engine = kpm.Engine(MARKET, some_orders())
    assert engine.orders.order_id.tolist() == ["b", "c", "a"]
    assert engine.orders.time is None
    assert engine["a"] == kpm.Order("home", "buy", 0.6, 100.0, "a", None)
    assert "a" in engine
    assert "d" not in engine
    assert None not in engine


@pytest.mark.parametrize(
    ("arguments", "field", "match"),
    [
        (("away", "buy", 0.5, 1.0), "claim", "no claim 'away'"),
        ((7, "buy", 0.5, 1.0), "claim", "7"),
        (("home", "hold", 0.5, 1.0), "side", "hold"),
        (("home", True, 0.5, 1.0), "side", "True"),
        (("home", "buy", float("nan"), 1.0), "price", "nan"),
        (("home", "buy", "much", 1.0), "price", "much"),
        (("home", "buy", 0.5, -1.0), "quantity", "-1"),
        (("home", "buy", 0.5, float("inf")), "quantity", "inf"),
        (("home", "buy", 0.5, 1.0, "a"), "order_id", "'a'"),
        (("home", "buy", 0.5, 1.0, 2.5j), "order_id", "2.5j"),
    ],
)
def test_faults_name_field_and_value_and_change_nothing(
    arguments: tuple[Any, ...], field: str, match: str
) -> None:
    engine = kpm.Engine(MARKET, some_orders())
    before = engine.state_hash
    with pytest.raises(kpm.InputError, match=match) as caught:
        engine.add(*arguments)
    assert caught.value.field == field
    assert engine.state_hash == before


@pytest.mark.parametrize("side", [257, -255, 2**32 + 1, 0, 2])
def test_a_side_is_no_other_integer_to_the_core(side: int) -> None:
    core, names = kpm.Engine(MARKET)._kept
    rule = "must be +1 (buy) or -1 (sell)"
    assert core.add(0, side, 0.5, 1.0, 7, "7") == ("side", rule, -1, -1, side)
    assert core.orders()[4].size == len(names.tables[0]) == 0


def test_a_journal_may_lose_the_signs_of_zeros() -> None:
    """Of limits, payoffs, inventory and ambiguity: decimals and other formats do not keep them."""

    def replayed(zero: float) -> kpm.Engine:
        payoffs = np.where(MARKET.payoffs == 0.0, zero, MARKET.payoffs)
        market = kpm.Market(payoffs, MARKET.prior, np.full(3, zero), risk_aversion=1.0)
        engine = kpm.Engine(market)
        engine.add(0, "buy", zero, 5, order_id="a")
        engine.add(1, "buy", 0.5, zero, order_id="b")
        engine.add(2, "sell", 0.5, 3, order_id="c")
        engine.replace("c", price=zero)
        return engine

    kept, lost = replayed(-0.0), replayed(0.0)
    assert kept.state_hash == lost.state_hash
    one, other = kept.clear(), lost.clear()
    for name in FIGURES:  # but for the signs of their own zeros
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    restored = kpm.Engine(lost.market)
    restored.restore(kept.snapshot())
    assert restored.state_hash == lost.state_hash


def test_other_faults_name_field_and_value_too() -> None:
    engine = kpm.Engine(MARKET, some_orders())
    before = engine.state_hash
    has = engine["a"].quantity
    with pytest.raises(kpm.InputError) as caught:
        engine.reduce("a", 101)
    said = f"quantity: must not exceed the {has} that the order has, got 101.0"
    assert str(caught.value) == said
    wide = kpm.Engine(kpm.Market([[1, 0], [0, 1]], [0.5, 0.5], claims=["yes", "no"]))
    wide.add("no", "buy", 0.6, 1)
    narrow = kpm.Engine(kpm.Market([[1, 0]], [0.5, 0.5], claims=["yes"]))
    with pytest.raises(kpm.InputError) as caught:
        narrow.restore(wide.snapshot())
    assert str(caught.value) == "snapshot: must have the claims ['yes'], got ['yes', 'no']"
    assert len(narrow) == 0
    with pytest.raises(kpm.InputError, match="nan"):
        engine.replace("a", price=float("nan"))
    with pytest.raises(kpm.InputError, match="'z'"):
        engine.cancel("z")
    with pytest.raises(kpm.InputError, match="Market"):
        engine.market = None  # type: ignore[assignment]
    with pytest.raises(kpm.InputError, match="claims"):
        engine.market = kpm.Market([[1, 0]], [0.5, 0.5])
    with pytest.raises(kpm.InputError, match="tolerance"):
        engine.clear(tolerance=2)
    assert engine.state_hash == before


def test_a_damaged_snapshot_is_refused() -> None:
    engine = kpm.Engine(MARKET, some_orders())
    good, before = engine.snapshot(), engine.state_hash
    for at in range(len(good)):
        bad = good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :]
        for snapshot in (bad, good[:at]):
            with pytest.raises(kpm.InputError, match="snapshot"):
                engine.restore(snapshot)
    assert engine.state_hash == before
    empty = kpm.Engine(OTHER)
    empty.restore(good)
    assert empty.orders == engine.orders
    assert empty.add("home", "buy", 0.5, 1.0) == engine.add("home", "buy", 0.5, 1.0)


def test_a_snapshot_is_of_orders_for_claims_by_their_labels() -> None:
    engine = kpm.Engine(MARKET, some_orders())
    before = engine.state_hash
    for claims in (["x", "draw", "not home"], ["draw", "home", "not home"], None):
        other = kpm.Engine(MARKET.replace(claims=claims))
        other.add(0, "buy", 0.25, 1.0)
        with pytest.raises(kpm.InputError, match=r"^snapshot: must have the claims \['home'"):
            engine.restore(other.snapshot())
    assert engine.state_hash == before
    accent = kpm.Engine(kpm.Market([[1, 0]], [0.5, 0.5], claims=["\u00e9"]))
    accent.restore(kpm.Engine(kpm.Market([[1, 0]], [0.5, 0.5], claims=["e\u0301"])).snapshot())


def test_a_snapshot_that_states_no_claims_is_restored() -> None:
    """As those of earlier versions do."""
    engine, other = kpm.Engine(MARKET, some_orders()), kpm.Engine(MARKET)
    parts = engine.snapshot()[:-4]
    length = int.from_bytes(parts[:8], "little")
    following, names, _ = json.loads(parts[8 + length :])
    parts = parts[: 8 + length] + json.dumps([following, names]).encode()
    other.restore(parts + zlib.crc32(parts).to_bytes(4, "little"))
    assert other.state_hash == engine.state_hash


def test_an_engine_is_not_copied() -> None:
    """A copy that shared the orders would not know of the other's changes."""
    engine = kpm.Engine(MARKET, some_orders())
    for make in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match=r"snapshot\(\)"):
            make(engine)


def test_cold_is_a_flag() -> None:
    engine = kpm.Engine(MARKET)
    with pytest.raises(kpm.InputError, match="cold: must be True or False, got 'yes'"):
        engine.clear(cold="yes")  # type: ignore[arg-type]
    assert engine.clear(cold=np.True_) == engine.clear()  # type: ignore[arg-type]


def test_identifiers_that_were_used_are_not_given_again() -> None:
    engine = kpm.Engine(MARKET)
    for name, following in (("0", "1"), (7, "8"), ("-3", "9"), ("x", "10"), ("3", "11")):
        engine.add("home", "buy", 0.5, 1.0, name)
        engine.cancel(name)
        assert engine.add("home", "buy", 0.5, 1.0) == following
    engine.cancel_all()
    assert engine.add("home", "buy", 0.5, 1.0) == "12"
    begun = kpm.Engine(MARKET, kpm.Orders(["home"] * 3, "buy", 0.5, 1.0))
    begun.cancel("2")
    restored = kpm.Engine(MARKET)
    restored.restore(begun.snapshot())
    assert begun.add("home", "buy", 0.5, 1.0) == restored.add("home", "buy", 0.5, 1.0) == "3"
    before = kpm.Engine(MARKET).snapshot()
    begun.restore(before)
    assert begun.add("home", "buy", 0.5, 1.0) == "4"  # "3" is in the world
    for name in (2**63 - 1, 2**63 + 1):
        engine.add("home", "buy", 0.5, 1.0, name)
    assert [engine.add("home", "buy", 0.5, 1.0) for _ in range(2)] == [str(2**63), str(2**63 + 2)]


def test_numeric_ids_are_distinct_from_similar_text() -> None:
    engine = kpm.Engine(MARKET)
    for name in ("7", "07", "-7", "+7", "9" * 30, "", "ß"):
        engine.add("home", "buy", 0.5, 1.0, name)
    assert engine.orders.order_id.tolist() == ["7", "07", "-7", "+7", "9" * 30, "", "ß"]
    engine.cancel(7)
    assert "7" not in engine
    assert "07" in engine


def test_a_callback_may_look_at_the_book_that_is_cleared() -> None:
    """And do nothing else: docs/engine.md lists what answers."""
    market, orders = kpm.sample.example_race_card()
    engine = kpm.Engine(market, orders)
    name, saved = next(iter(engine)), engine.snapshot()
    answering: dict[str, Callable[[], Any]] = {
        "len": lambda: len(engine),
        "in": lambda: name in engine,
        "[]": lambda: engine[name],
        "market": lambda: engine.market,
        "quotes": lambda: engine.quotes(),
        "snapshot": engine.snapshot,
        "state_hash": lambda: engine.state_hash,
        "warm_clearings": lambda: engine.warm_clearings,
    }
    refused: dict[str, Callable[[], Any]] = {
        "orders": lambda: engine.orders,
        "for": lambda: list(engine),
        "add": lambda: engine.add(0, "buy", 0.5, 1),
        "add named": lambda: engine.add(0, "buy", 0.5, 1, order_id="new"),
        "cancel": lambda: engine.cancel(name),
        "cancel_all": engine.cancel_all,
        "reduce": lambda: engine.reduce(name, 0),
        "replace": lambda: engine.replace(name, price=0.5),
        "clear": engine.clear,
        "restore": lambda: engine.restore(saved),
        "set_market": lambda: setattr(engine, "market", market),
    }
    before = {call: answer() for call, answer in answering.items()}
    during: dict[str, Any] = {}

    def look(_: kpm.Progress) -> bool:
        during.update({call: answer() for call, answer in answering.items()})
        for call in refused.values():
            with pytest.raises(kpm.KpmError, match="callback"):
                call()
        return False

    engine.clear(callback=look)
    assert during == before
    assert engine.snapshot() == saved


def test_a_refused_order_takes_no_identifier() -> None:
    engine = kpm.Engine(MARKET, some_orders())
    before = engine.snapshot()
    for order in (
        ("home", "buy", 0.5, -1.0),
        ("home", "buy", 0.5, float("nan")),
        ("x", "buy", 0.5, 1),
    ):
        with pytest.raises(kpm.InputError):
            engine.add(*order)
        assert engine.snapshot() == before
    with pytest.raises(kpm.InputError, match="order_id"):
        engine.add("home", "buy", 0.5, 1.0, "a")
    assert engine.snapshot() == before
    assert engine.add("home", "buy", 0.5, 1.0) == "0"


def test_a_callback_may_not_change_the_book_that_is_cleared() -> None:
    engine = kpm.Engine(MARKET, some_orders())
    with pytest.raises(kpm.KpmError, match="callback"):
        engine.clear(callback=lambda _: engine.cancel("a"))
    assert len(engine) == 3
    assert engine.clear().status is kpm.Status.OPTIMAL


def test_threads_wait_for_each_other() -> None:
    engine = kpm.Engine(MARKET)
    results = []

    def work(name: str) -> None:
        for count in range(200):
            engine.add("home", "buy", 0.6, 1.0, f"{name}{count}")
            if count % 20 == 0:
                results.append(engine.clear(threads=1))
            if count % 2:
                engine.cancel(f"{name}{count}")

    team = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in team:
        thread.start()
    for thread in team:
        thread.join()
    assert len(engine) == 400
    for result in results:
        assert_same_bits(result, kpm.clear(MARKET, result.orders, threads=1))


def test_quotes_and_rules_are_those_of_the_market() -> None:
    engine = kpm.Engine(MARKET, some_orders())
    assert engine.quotes([5, 5, 5]) == MARKET.maker.quotes(MARKET, [5, 5, 5])
    result = engine.clear(rule="competitive")
    assert (
        result.fills.tobytes()
        == kpm.clear(MARKET, engine.orders, rule="competitive").fills.tobytes()
    )
