"""The convex rules: independent witnesses, and what must hold for every maker."""

import json
import math
import pickle
from pathlib import Path

import numpy as np
import pytest

import kpm_fast as kpm
from auction_books import KINDS, MAKERS, RULES, as_orders, make_maker, random_book
from strategies import fewer
from witness.auction import dual_value
from witness.duality import bounds

pytestmark = pytest.mark.cross_section

BOOKS = fewer(100, 20)
every_maker = pytest.mark.parametrize(("name", "rule"), KINDS)


@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")  # how accurate is asserted
@pytest.mark.parametrize("name", MAKERS)
def test_witnesses_agree_on_random_books(name):
    for seed in range(BOOKS):
        rng, scale, payoffs, inventory, columns = random_book(seed)
        maker = make_maker(name, rng, scale, inventory)
        market = kpm.Market(payoffs, maker=maker)
        result = kpm.clear(market, as_orders(columns), rule="competitive")
        assert result.status is kpm.Status.OPTIMAL, seed
        assert result.gap <= 1e-9 * result.scale, seed
        verification = result.verify()
        assert verification, f"{seed}\n{verification}"
        # The fills attain the optimum of a cone solver's dual, by the maker's own cost as well.
        witness = dual_value(maker._model(), payoffs, inventory, columns)
        size = result.scale + abs(witness) + float(np.abs(inventory).max())
        agreement = (
            1e-9 if name in ("simplex", "worst", "hull", "quadratic") else 2e-7
        )  # logarithms
        assert result.objective == pytest.approx(witness, abs=agreement * size), seed
        losses = result.net_demand @ payoffs - inventory
        worth = math.fsum(result.orders.side * result.limits * result.fills) - maker.cost(losses)
        assert result.objective == pytest.approx(worth, abs=1e-10 * size)
        g = result.state_prices
        support = maker.cost(losses) + maker.conjugate(g) - float(g @ losses)
        assert support <= 1e-8 * size, seed  # g is a marginal price of the losses


@pytest.mark.parametrize("name", MAKERS)
def test_clearings_are_optimal_in_forty_digits(name):
    traded = 0
    for seed in range(fewer(40, 12)):
        rng, scale, payoffs, inventory, columns = random_book(seed)
        maker = make_maker(name, rng, scale, inventory)
        market = kpm.Market(payoffs, maker=maker)
        result = kpm.clear(market, as_orders(columns), rule="competitive")
        worth, most = bounds(result, maker._model(), inventory)
        size = result.scale + float(np.abs(inventory).max()) or 1.0
        assert 0 <= most - worth + 1e-30 * size <= 1e-12 * size, seed
        assert result.objective == pytest.approx(float(worth), abs=1e-12 * size), seed
        traded += result.volume > 0
    assert traded > 5


@pytest.mark.parametrize("name", ["ball", "simplex", "worst", "polytope", "hull"])
def test_no_book_stalls_where_prices_swing(name):
    """Traders meet at their limits, the losses of all states are alike: the last digits of demand
    decide the prices there."""
    for seed in range(fewer(200, 40)):
        rng, scale, payoffs, inventory, columns = random_book(seed)
        market = kpm.Market(payoffs, maker=make_maker(name, rng, scale, inventory))
        result = kpm.clear(market, as_orders(columns), rule="competitive")
        assert result.stats.iterations <= 60, seed  # 47 at most, where nothing trades


def test_nothing_stalls_where_traders_meet_each_other_on_every_claim():
    card, orders = kpm.read_book(Path(__file__).parent.parent / "examples" / "race_card")
    count = len(card.states)
    priors = 0.9 * card.prior + 0.1 * np.eye(count)
    for maker in (kpm.WorstStateMaker(count), kpm.PolytopeMaker(priors, card.risk_aversion)):
        result = kpm.clear(card.replace(maker=maker), orders, rule="competitive")
        assert result.stats.iterations <= 60  # in two or three units: giants stand in the book
        assert result.gap <= 1e-14 * result.scale


# -- what must hold -------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1.0, 1e3, 1e6, 1e9])
@every_maker
def test_an_idle_order_of_any_size_moves_nothing(name, rule, size):
    compared = 0
    for seed in range(6):
        rng, scale, payoffs, inventory, columns = random_book(seed)
        claim, side, price, quantity = columns
        span = np.ptp(payoffs, axis=1)
        if not len(claim) or not span.max() > 0:
            continue
        maker = make_maker(name, rng, scale, inventory)
        market = kpm.Market(payoffs, maker=maker)
        first = kpm.clear(market, as_orders(columns), rule=rule)
        k = int(span.argmax())
        at = first.claim_prices[k] - 0.4 * (first.claim_prices[k] - payoffs[k].min())
        if not first.claim_prices[k] - at > 1e-3 * span[k]:
            continue
        more = (
            np.append(claim, k),
            np.append(side, 1),
            np.append(price, at),
            np.append(quantity, size * scale),
        )
        second = kpm.clear(market, as_orders(more), rule=rule)
        assert second.status is kpm.Status.OPTIMAL
        assert second.fills[-1] == 0
        largest = max(float(first.fills.max(initial=0)), 1e-12 * scale)
        np.testing.assert_allclose(second.fills[:-1], first.fills, atol=1e-6 * largest)
        compared += 1
    assert compared >= 2


def test_a_lone_bid_pays_its_limit_or_what_it_is_worth():
    # The warning of docs/mechanisms.md.
    market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=1e-9, ambiguity=0.0)
    orders = kpm.Orders([0], ["buy"], [0.9], [1.0])
    greedy = kpm.clear(market, orders)
    fair = kpm.clear(market, orders, rule="competitive")
    by_limit = kpm.clear(market, orders, rule="pay_as_bid")
    assert greedy.claim_prices[0] == pytest.approx(0.9, abs=1e-9)
    assert fair.claim_prices[0] == pytest.approx(0.5, abs=1e-8)
    assert (greedy.revenue, fair.revenue, by_limit.revenue) == pytest.approx((0.9, 0.5, 0.9))


@pytest.mark.parametrize("name", MAKERS)
def test_one_state_and_market_orders(name):
    rng = np.random.default_rng(3)
    one = kpm.Market([[2.0]], maker=make_maker(name, rng, 1.0, np.zeros(1)))
    result = kpm.clear(
        one, kpm.Orders([0, 0], ["buy", "sell"], [3.0, 1.0], [1, 2]), rule="pay_as_bid"
    )
    assert result.status is kpm.Status.OPTIMAL
    assert result.verify()
    assert result.fills.tolist() == [1, 2]
    several = kpm.Market(np.eye(3), maker=make_maker(name, rng, 1.0, np.zeros(3)))

    forced = kpm.Orders([0, 1, 2], ["buy", "sell", "buy"], [math.inf, -math.inf, -1], [1, 1, 1])
    for rule in RULES:
        result = kpm.clear(several, forced, rule=rule)
        assert result.status is kpm.Status.OPTIMAL
        assert result.verify()
        assert result.fills.tolist() == [1, 1, 0]
        paid = result.table("orders")["payment"]
        assert math.fsum(paid) == pytest.approx(result.revenue)


@pytest.mark.parametrize("rule", RULES)
def test_results_are_values(rule, tmp_path):
    rng, scale, payoffs, inventory, columns = random_book(7)
    for name in MAKERS:
        maker = make_maker(name, rng, scale, inventory)
        result = kpm.clear(kpm.Market(payoffs, maker=maker), as_orders(columns), rule=rule)
        assert pickle.loads(pickle.dumps(result)) == result
        assert result.rule == rule
        assert rule in str(result)
        assert result.market.maker == maker
        result.save(tmp_path / "cleared.npz")
        assert kpm.load_result(tmp_path / "cleared.npz") == result
        read = json.loads(result.to_json())
        assert read["rule"] == rule
        for table in ("orders", "claims", "states"):
            assert len(result.to_frame(table=table))


# -- what is refused ------------------------------------------------------------------------------


def test_a_rule_that_a_maker_does_not_have_names_those_it_has():
    market = kpm.Market(np.eye(2), maker=kpm.WorstStateMaker(2))
    orders = kpm.Orders([0], ["buy"], [0.5], [1])
    with pytest.raises(kpm.InputError, match="one of competitive, pay_as_bid for WorstStateMaker"):
        kpm.clear(market, orders)
    with pytest.raises(
        kpm.InputError, match="for WorstStateMaker, got 'pdca', which is for StartingOrders"
    ):
        kpm.clear(market, orders, rule="pdca")
    with pytest.raises(kpm.InputError, match="must be one of maker_optimal, competitive"):
        kpm.clear(market, orders, rule="vickrey")
    for name, value in (("node_limit", 3), ("callback", print)):
        with pytest.raises(kpm.InputError, match=name):
            kpm.clear(market, orders, rule="competitive", **{name: value})


def test_a_market_has_what_its_maker_has():
    market = kpm.Market(np.eye(2), maker=kpm.StartingOrders([1, 2], [3, 4]))
    np.testing.assert_array_equal(market.inventory, [3, 4])
    for name in ("prior", "risk_aversion", "ambiguity"):
        with pytest.raises(kpm.InputError, match="StartingOrders, has none"):
            getattr(market, name)
    with pytest.raises(kpm.InputError, match="prior"):
        kpm.Market(np.eye(2))
    with pytest.raises(kpm.InputError, match="labels go by keyword, as claims= and states="):
        kpm.Market([[1, 0]], ["home"], ["yes", "no"], maker=kpm.WorstStateMaker(2))
    with pytest.raises(kpm.InputError, match="is already given by the maker"):
        kpm.Market(np.eye(2), [0.5, 0.5], maker=kpm.LMSR(1.0))
    with pytest.raises(kpm.InputError, match="maker"):
        kpm.Market(np.eye(2), maker="lmsr")
    with pytest.raises(kpm.InputError, match="maker"):
        kpm.Market(np.eye(2), maker=kpm.WorstStateMaker(3))
    knightian = kpm.Market(np.eye(2), maker=kpm.KnightianMaker([0.5, 0.5], 2.0, 0.1))
    assert knightian.risk_aversion == 2.0
    assert knightian.replace() == knightian
    assert pickle.loads(pickle.dumps(market)) == market
    assert market != kpm.Market(np.eye(2), maker=kpm.StartingOrders([1, 2]))
    assert market.replace(maker=kpm.LMSR(1.0)).maker == kpm.LMSR(1.0, [0.5, 0.5])


@pytest.mark.parametrize("field", ["fills", "state_prices", "revenue", "certainty_equivalent"])
def test_verify_finds_a_changed_figure(field):
    from dataclasses import replace

    rng, scale, payoffs, inventory, columns = random_book(7)
    maker = make_maker("orders", rng, scale, inventory)
    result = kpm.clear(kpm.Market(payoffs, maker=maker), as_orders(columns), rule="competitive")
    assert result.verify()
    value = getattr(result, field)
    other = value + 1e-3 * scale if np.isscalar(value) else np.roll(value, 1)
    assert not replace(result, **{field: other}).verify()


def test_a_price_on_a_giants_limit_is_found_in_the_units_of_what_trades():
    # The second claim clears at the limit of a giant order, of which a few shares trade.
    maker = kpm.UtilityMaker([0.5, 0.1, 0.4], 20.0)
    market = kpm.Market(np.eye(3), maker=maker)
    claim, side = [0, 1, 1, 2], ["buy", "buy", "sell", "sell"]
    price, small = [0.55, 0.12, 0.12, 0.3], [5.0, 40.0, 3.0, 4.0]
    wanted = kpm.clear(market, kpm.Orders(claim, side, price, small), rule="competitive")
    for giant in (1e4, 1e6, 1e8):
        quantity = [5.0, giant, 3.0, 4.0]
        result = kpm.clear(market, kpm.Orders(claim, side, price, quantity), rule="competitive")
        assert result.status is kpm.Status.OPTIMAL
        assert result.verify()
        assert 0 < result.net_demand[1] < 40
        assert result.state_prices == pytest.approx(wanted.state_prices, abs=1e-12)
        assert result.net_demand == pytest.approx(wanted.net_demand, abs=1e-9)


def test_the_race_card_is_cleared_by_a_maker_of_any_wealth():
    market, orders = kpm.read_book(Path(__file__).parent.parent / "examples" / "race_card")
    for wealth in (2.0, 20.0, 200.0, 2000.0):
        maker = kpm.UtilityMaker(market.prior, wealth)
        result = kpm.clear(market.replace(maker=maker), orders, rule="competitive")
        assert result.status is kpm.Status.OPTIMAL, wealth
        assert result.verify()
