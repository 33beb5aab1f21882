"""Every maker and rule of the C library, called by Numba, against ``kpm.clear``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kpm_fast as kpm

pytest.importorskip("numba")

from kpm_fast import numba as kpm_numba
from kpm_fast import numba_engine, numba_makers
from makers import EXAMPLES, PRIOR

PAYOFFS = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
RULES = {
    "maker_optimal": numba_makers.MAKER_OPTIMAL,
    "competitive": numba_makers.COMPETITIVE,
    "pay_as_bid": numba_makers.PAY_AS_BID,
    "pdca": numba_makers.PDCA,
}
ARRAYS = ("state_prices", "claim_prices", "net_demand", "fills", "payoff")
FIGURES = ("certainty_equivalent", "no_trade_equivalent", "upper_bound", "revenue", "scale")


def drawn_orders(seed: int, count: int) -> kpm.Orders:
    draw = np.random.default_rng(seed)
    return kpm.Orders(
        draw.integers(3, size=count),
        draw.choice(["buy", "sell"], count),
        draw.integers(1, 40, count) / 40,
        draw.integers(1, 500, count) / 10,
    )


def check(answer: tuple[np.ndarray, ...], result: kpm.Result) -> None:
    for name, array in zip(ARRAYS, answer, strict=False):
        assert np.array_equal(array, getattr(result, name)), name
    figures = answer[5]
    for name, figure in zip(FIGURES, figures, strict=False):
        assert figure == getattr(result, name), name
    assert figures[8] == 0
    assert figures[9] == result.objective


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", EXAMPLES)
def test_clearings_have_the_bits_of_python_where_the_maker_has_the_rule(
    name: str, rule: str
) -> None:
    maker = EXAMPLES[name]
    market, orders = kpm.Market(PAYOFFS, maker=maker), drawn_orders(5, 30)
    given = numba_makers.arguments(maker)
    book = (orders.claim_index(market), orders.side, orders.price, orders.quantity)
    engine = numba_makers.create(*given, market.inventory, PAYOFFS, 0)
    for j, (claim, side, price, quantity) in enumerate(zip(*book, strict=True)):
        assert numba_engine.add(engine, j, claim, side, price, quantity) == 0
    try:
        result = kpm.clear(market, orders, rule=rule)
    except kpm.InputError:
        with pytest.raises(kpm.InputError, match=r"^rule: must be .*competitive"):
            numba_makers.clear(*given, market.inventory, PAYOFFS, *book, RULES[rule], 1e-8)
        with pytest.raises(kpm.InputError, match=r"^rule: must be .*competitive"):
            numba_makers.engine_clear(engine, 3, 3, RULES[rule], 1e-8)
    else:
        check(
            numba_makers.clear(*given, market.inventory, PAYOFFS, *book, RULES[rule], 1e-8), result
        )
        by_time = kpm.clear(market, orders, rule=rule, allocation="book_order")
        check(numba_makers.engine_clear(engine, 3, 3, RULES[rule], 1e-8), by_time)
    model = kpm.Engine(market)
    for j, (claim, side, price, quantity) in enumerate(zip(*book, strict=True)):
        model.add(int(claim), int(side), float(price), float(quantity), j)
    assert int(numba_engine.state_hash(engine)) == model.state_hash
    bid, ask = numba_engine.quotes(engine, 3)
    quotes = maker.quotes(market)
    assert np.array_equal(bid, quotes.bid)
    assert np.array_equal(ask, quotes.ask)
    numba_engine.free(engine)


def test_an_engine_takes_one_maker_after_another_in_its_own_memory() -> None:
    first = EXAMPLES["knightian"]
    memory = np.empty(numba_makers.size(3, 3, 20, 0, 0, 2), np.uint8)
    assert len(memory) > numba_engine.size(3, 3, 20, 0, 0)
    try:
        engine = numba_makers.init(
            memory, *numba_makers.arguments(first), np.zeros(3), PAYOFFS, 20, 0, 0, 2
        )
    except RuntimeError:
        code, message = kpm_numba.last_error()
        assert code == 5  # KPM_UNSUPPORTED
        pytest.skip(message)
    orders = drawn_orders(6, 20)
    market = kpm.Market(PAYOFFS, maker=first)
    book = (orders.claim_index(market), orders.side, orders.price, orders.quantity)
    for j, (claim, side, price, quantity) in enumerate(zip(*book, strict=True)):
        assert numba_engine.add(engine, j, claim, side, price, quantity) == 0
    for maker in EXAMPLES.values():
        market = kpm.Market(PAYOFFS, maker=maker)
        given = numba_makers.arguments(maker)
        assert numba_makers.set_maker(engine, *given, market.inventory) == 0
        result = kpm.clear(market, orders, rule="competitive", allocation="book_order")
        check(numba_makers.engine_clear(engine, 3, 3, numba_makers.COMPETITIVE, 1e-8), result)
    three = numba_makers.arguments(kpm.PolytopeMaker([PRIOR, PRIOR, PRIOR], 0.1))
    assert numba_makers.set_maker(engine, *three, np.zeros(3)) == 1
    with pytest.raises(kpm.InputError, match="priors: must not be more rows than"):
        kpm_numba.raise_last_error()
    numba_engine.free(engine)
    del memory


def test_arrays_that_do_not_fit_together_are_refused() -> None:
    given = numba_makers.arguments(EXAMPLES["utility"])
    none = (np.zeros(0, np.int64), np.zeros(0, np.int8), np.zeros(0), np.zeros(0))
    with pytest.raises(ValueError, match="an entry for each state"):
        numba_makers.clear(*given, np.zeros(2), PAYOFFS, *none, 1, 1e-8)
    with pytest.raises(ValueError, match="an entry for each state"):
        numba_makers.create(*given, np.zeros(2), PAYOFFS, 1)
    with pytest.raises(ValueError, match="an entry for each state"):
        numba_makers.set_maker(0, *given, np.zeros(2))
    assert numba_makers.size(3, 3, 1, 1, 1, -1) == 0


def test_code_of_callers_comes_from_the_cache_the_second_time(tmp_path: Path) -> None:
    source = tmp_path / "mine.py"
    source.write_text(
        "import numba, numpy as np\n"
        "import kpm_fast as kpm\n"
        "from kpm_fast import numba_makers\n"
        "@numba.njit(cache=True)\n"
        "def price(kind, weights, a, b, c, inventory, payoffs, claim, side, limit, quantity):\n"
        "    return numba_makers.clear(kind, weights, a, b, c, inventory, payoffs, claim, side,\n"
        "                              limit, quantity, 1, 1e-8)[1][0]\n"
        "maker = numba_makers.arguments(kpm.UtilityMaker([0.5, 0.5], 50.0))\n"
        "print(price(*maker, np.zeros(2), np.array([[1.0, 0.0]]), np.zeros(1, np.int64),\n"
        "            np.ones(1, np.int8), np.full(1, 0.75), np.ones(1)),\n"
        "      sum(price.stats.cache_hits.values()))\n"
    )
    root = Path(kpm.__file__).parent.parent
    environment = {
        **os.environ,
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
        "PYTHONPATH": f"{root}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
    }
    first, second = (
        subprocess.run(
            [sys.executable, source],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
        ).stdout.split()
        for _ in range(2)
    )
    assert first[0] == second[0]
    assert (first[1], second[1]) == ("0", "1")


def test_no_kind_and_no_rule_is_cut_to_another() -> None:
    kind, *rest = numba_makers.arguments(EXAMPLES["knightian"])
    book = (np.zeros(3), PAYOFFS, [0], [1], [0.6], [1.0])
    inventory, payoffs, claim, side, price, quantity = map(np.array, book)
    order = (claim, side.astype(np.int8), price, quantity)
    engine = numba_makers.create(kind, *rest, inventory, payoffs, 10)
    try:
        for other in (2**32, -(2**32), 2**32 + 1, 2**62):
            with pytest.raises(kpm.InputError, match=r"^kind: "):
                numba_makers.clear(kind + other, *rest, inventory, payoffs, *order, 0, 1e-8)
            with pytest.raises(kpm.InputError, match=r"^kind: "):
                numba_makers.create(kind + other, *rest, inventory, payoffs, 10)
            assert numba_makers.set_maker(engine, kind + other, *rest, inventory) == 1
            with pytest.raises(kpm.InputError, match=r"^rule: "):
                numba_makers.clear(kind, *rest, inventory, payoffs, *order, 1 + other, 1e-8)
            assert "rule" in kpm_numba.last_error()[1]
            with pytest.raises(kpm.InputError, match=r"^rule: "):
                numba_makers.engine_clear(engine, 3, 3, 1 + other, 1e-8)
    finally:
        numba_engine.free(engine)


@pytest.mark.parametrize("other", [None, kpm.Market([[1, 0]], [0.5, 0.5]), "knightian"])
def test_arguments_of_what_is_no_maker_are_refused(other: object) -> None:
    with pytest.raises(kpm.InputError, match=r"^maker: must be a maker, got "):
        numba_makers.arguments(other)  # type: ignore[arg-type]


def test_arguments_of_a_maker_without_states_are_refused() -> None:
    with pytest.raises(kpm.InputError, match=r"^maker: must have states"):
        numba_makers.arguments(kpm.LMSR(5.0))
    assert numba_makers.arguments(kpm.LMSR(5.0, [0.5, 0.5]))[1].tolist() == [[0.5, 0.5]]
