"""What a clearing says about a claim, an order or a state; and its messages."""

from __future__ import annotations

import dataclasses
import math
import pickle
import re

import numpy as np
import pytest
from hypothesis import given

import kpm_fast as kpm
from adapter import market_of, orders_of
from strategies import books
from witness import Book

MARKET = kpm.Market(
    {"home": {"H": 1, "D": 0, "A": 0}, "draw": {"H": 0, "D": 1, "A": 0}},
    {"H": 0.3, "D": 0.3, "A": 0.4},
    inventory=[0.5, 0, 0.25],
    risk_aversion=0.8,
)
ORDERS = kpm.Orders(
    ["home", "draw", "home", "draw"],
    ["buy", "buy", "sell", "buy"],
    [0.6, 0.4, 0.5, 0.2],
    [1, 1, 0.5, 2],
    order_id=["o17", "o18", "o19", "p1"],
)


@pytest.fixture(scope="module")
def result() -> kpm.Result:
    return kpm.clear(MARKET, ORDERS)


def test_a_claim(result: kpm.Result) -> None:
    home = result["home"]
    assert home.price == result.claim_prices[0]
    assert home.net_demand == result.net_demand[0]
    assert home.orders == ORDERS[[0, 2]]
    assert home.fills.tolist() == result.fills[[0, 2]].tolist()
    assert home.bought - home.sold == pytest.approx(home.net_demand, abs=1e-14)
    assert not home.fills.flags.writeable
    assert pickle.loads(pickle.dumps(home)) == home
    assert home.to_frame()["order_id"].tolist() == ["o17", "o19"]


def test_rows_keep_their_numbers() -> None:
    bare = kpm.Orders(["home", "draw", "draw"], "buy", [0.5, 0.5, 0.6], 1, time=[3, 1, 2])
    draw = kpm.clear(MARKET, bare)["draw"]
    assert draw.orders.order_id.tolist() == ["1", "2"]
    assert draw.orders.time is not None
    assert draw.orders.time.tolist() == [1, 2]


def test_integers_are_labels_by_their_digits() -> None:
    market = kpm.Market([[1, 0], [0, 1]], [0.5, 0.5], claims=["1", "0"])
    result = kpm.clear(market, kpm.Orders(["1"], "buy", [0.6], [1]))
    assert result[1].claim == "1"
    assert result[1].bought > 0 == result[0].bought
    assert result.order(0) == result.order("0")
    assert result.settle(1) == result.settle("1")


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda r: r["hoem"], "claim: the market has no claim 'hoem': did you mean 'home'"),
        (lambda r: r["x"], "claim: the market has no claim 'x'; it has 'home', 'draw'"),
        (lambda r: r[True], "claim: must be a label, got True"),
        (lambda r: r[0:1], "claim: must be a label, got slice"),
        (lambda r: r.order("o018"), "order_id: the book has no order 'o018': did you mean 'o18'"),
        (lambda r: r.order(None), "order_id: must be a label, got None"),
        (lambda r: r.settle("h"), "state: the market has no state 'h'"),
    ],
)
def test_unknown_labels(result: kpm.Result, ask: object, message: str) -> None:
    with pytest.raises(kpm.InputError) as caught:
        ask(result)  # type: ignore[operator]
    assert str(caught.value).startswith(message)


def test_a_result_is_not_iterable(result: kpm.Result) -> None:
    with pytest.raises(TypeError):
        list(result)  # type: ignore[call-overload]


def test_an_order_says_why_it_is_filled_or_not(result: kpm.Result) -> None:
    for row, name in enumerate(["o17", "o18", "o19", "p1"]):
        order = result.order(name)
        assert order.fill == result.fills[row]
        assert order.payment == result.table("orders")["payment"][row]
        better = (order.limit - order.clearing_price) * (1 if order.side == "buy" else -1)
        word = "better" if better > 1e-9 else "worse" if better < -1e-9 else "is the clearing price"
        assert word in order.reason
        assert str(order).startswith(f"{name}: ")


def test_an_order_of_nothing_is_not_said_to_be_filled() -> None:
    orders = kpm.Orders(["home", "home"], "buy", [0.9, 0.9], [0, 1])
    result = kpm.clear(MARKET, orders)
    assert result.order("0").reason == "it asks for no shares"


@given(books())
def test_what_traders_get_the_maker_pays(book: Book) -> None:
    """For every rule and state: a settlement adds up, and leaves the maker the stated payoff."""
    market, orders = market_of(book), orders_of(book)
    for rule in ("maker_optimal", "pay_as_bid"):
        result = kpm.clear(market, orders, rule=rule, threads=1)
        for i, state in enumerate(market.states):
            settled = result.settle(state)
            money = float(np.abs(settled.payout).sum() + np.abs(settled.premium).sum())
            rounding = 1e-9 * (money + abs(settled.maker) + abs(market.inventory[i]) + 1e-300)
            assert settled.maker == result.payoff[i]
            assert math.fsum(settled.net) == -settled.maker_net
            assert abs(settled.maker - market.inventory[i] - settled.maker_net) <= rounding
            assert not np.signbit(settled.payout[settled.payout == 0]).any()


def test_a_settlement_beside_a_vast_inventory_keeps_its_digits() -> None:
    market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, inventory=[1e17, 1e17])
    settled = kpm.clear(market, kpm.Orders([0], "buy", [0.6], [10])).settle(0)
    assert settled.net.tolist() == pytest.approx([4.0])
    assert settled.maker_net == -settled.net[0]


@given(books())
def test_nothing_that_is_exported_is_minus_zero(book: Book) -> None:
    market, orders = market_of(book), orders_of(book)
    for rule in ("maker_optimal", "pay_as_bid"):
        result = kpm.clear(market, orders, rule=rule, threads=1)
        for name in ("orders", "claims", "states"):
            for column, values in result.table(name).items():
                numbers = np.array([v for v in values if isinstance(v, float)])
                assert not np.signbit(numbers[numbers == 0.0]).any(), (name, column)
        assert re.search(r"-0(\.0)?\b(?![.\d])", result.to_json()) is None


@given(books())
def test_claims_and_orders_agree_with_the_tables(book: Book) -> None:
    market, orders = market_of(book), orders_of(book)
    result = kpm.clear(market, orders, threads=1)
    rows = 0
    for k, claim in enumerate(market.claims):
        part = result[claim]
        rows += len(part.orders)
        assert part.price == result.claim_prices[k]
        table = part.table()
        for name, fill in zip(table["order_id"], table["fill"], strict=True):
            assert result.order(name).fill == fill
    assert rows == len(orders)


def test_expected_payoff_and_gap(result: kpm.Result) -> None:
    assert result.expected_payoff == pytest.approx([0.3, 0.3, 0.4] @ result.payoff)
    assert result.relative_gap == result.gap / result.scale <= result.tolerance
    without_prior = MARKET.replace(maker=kpm.WorstStateMaker(3))
    assert math.isnan(kpm.clear(without_prior, ORDERS, rule="competitive").expected_payoff)


def test_message_says_how_it_ended() -> None:
    def said(market: kpm.Market = MARKET, orders: kpm.Orders = ORDERS, **options: object) -> str:
        return kpm.clear(market, orders, **options).message  # type: ignore[arg-type]

    assert said().startswith("Proven optimal")
    assert "book is empty" in said(orders=kpm.Orders([], [], [], []))
    for status, words in (
        (kpm.Status.INTERRUPTED, "Interrupted: this is the best"),
        (kpm.Status.TIME_LIMIT, "Stopped at the time limit: "),
        (kpm.Status.NODE_LIMIT, "Stopped at the limit on nodes: "),
        (kpm.Status.INACCURATE, "The search finished, but rounding "),
    ):
        stopped = dataclasses.replace(kpm.clear(MARKET, ORDERS), status=status)
        assert stopped.message.startswith(words)
    rounded = MARKET.replace(prior=[3, 3, 4], normalize=True)
    assert "The prior added up to 10 and was divided by that." in said(rounded)
    frame = {"claim": ["home"], "side": ["buy"], "price": [0.5], "quantity": [1], "trader": ["x"]}
    read = kpm.Orders.from_frame(frame)
    assert said(orders=read).endswith("not read: trader.")
