"""The convex rules on golden numbers, and the theorems about them."""

import math

import numpy as np
import pytest

import kpm_fast as kpm
from auction_books import (
    RULES,
    bids,
    close,
    golden,
    numbers,
)

pytestmark = pytest.mark.cross_section

# -- golden numbers -------------------------------------------------------------------------------


def partly_filled(result):
    return np.flatnonzero((result.fills > 0) & (result.fills < result.orders.quantity)).tolist()


@pytest.mark.parametrize("case", golden("cpcam")["cases"], ids=lambda case: case["name"])
def test_cpcam(case):
    answers = case["answers"]
    maker = kpm.StartingOrders(numbers(case["inputs"]["starting_order"]))
    market, orders = bids(case["inputs"], maker)
    result = kpm.clear(market, orders, rule="competitive")
    assert result.status is kpm.Status.OPTIMAL
    assert result.verify()
    close(result.fills, answers["x"])
    assert partly_filled(result) == case["partly_filled"]
    close(result.state_prices, answers["state_prices"])
    close(result.claim_prices, answers["prices"])
    close(result.objective, answers["objective"])
    rest = maker.delta / result.state_prices
    close(rest, answers["s"])
    close(result.net_demand @ market.payoffs + rest, np.full(len(rest), float(answers["M"])))
    close(result.payoff, answers["organiser_profit_at_clearing_prices"], 4.2e-11)
    by_limit = kpm.clear(market, orders, rule="pay_as_bid")
    close(by_limit.payoff, answers["organiser_profit_pay_as_bid"])
    close(by_limit.certainty_equivalent, answers["objective"])


def test_theorem_2_on_the_path_of_starting_orders():
    # F: 0 <= LP* - surplus(x(delta)) <= sum delta.
    data = golden("cpcam")
    inputs = data["cases"][1]["inputs"]
    lp = data["theorem_2"]["lp"]
    for row in data["theorem_2"]["path"]:
        delta = float(row["delta"])
        market, orders = bids(inputs, kpm.StartingOrders(np.full(3, delta)))
        result = kpm.clear(market, orders, rule="competitive")
        close(result.fills, row["x"])
        close(result.state_prices, row["state_prices"])
        losses = result.net_demand @ market.payoffs
        surplus = float(orders.price @ result.fills) - losses.max()
        close(surplus, row["surplus"])
        close(lp["value"] - surplus, row["lp_value_minus_surplus"], 1e-5)  # six digits are given
        assert -1e-12 <= lp["value"] - surplus <= 3 * delta + 1e-12
    market, orders = bids(inputs, kpm.WorstStateMaker(3))
    limit = kpm.clear(market, orders, rule="competitive")
    close(limit.fills, lp["x"])
    close(limit.state_prices, lp["dual"])
    close(limit.objective, lp["value"])


@pytest.mark.parametrize("case", golden("robust_6")["cases"], ids=lambda case: case["name"])
@pytest.mark.parametrize("rule", RULES)
def test_the_robust_problem_6(case, rule):
    inputs, answers = case["inputs"], case["answers"]
    maker = kpm.KnightianMaker(
        numbers(inputs["prior"]),
        float(inputs["risk_aversion"]),
        float(inputs["ambiguity"]),
        numbers(inputs["inventory"]),
    )
    market, orders = bids(inputs, maker)
    result = kpm.clear(market, orders, rule=rule)
    assert result.status is kpm.Status.OPTIMAL
    assert result.verify()
    close(result.fills, answers["x"])
    close(result.state_prices, answers["state_prices"])
    if "worst_case" in answers:  # not at the kink, where the prices say all
        assert partly_filled(result) == case["partly_filled"]
        close(result.worst_case, answers["worst_case"])
        close(result.claim_prices, answers["prices"])
        assert result.no_trade_equivalent == pytest.approx(float(answers["no_trade"]), 1e-10, 1e-15)
    competitive = rule == "competitive"
    name = "competitive_certainty_equivalent" if competitive else "certainty_equivalent"
    expected = float(answers[name])
    assert result.certainty_equivalent == pytest.approx(expected, rel=1e-10, abs=1e-15)


def test_without_orders_state_prices_are_pool_odds():
    pool = golden("cpcam")["pool"]
    stakes, answers = pool["inputs"]["starting_order"], pool["answers"]
    close(kpm.pool_odds(stakes), answers["payoff_per_dollar"], 1e-15)
    market = kpm.Market(np.eye(2), maker=kpm.StartingOrders(stakes))
    result = kpm.clear(market, kpm.Orders([], [], [], []), rule="competitive")
    close(result.state_prices, answers["state_prices"], 1e-14)
    close(stakes / result.state_prices, answers["shares"], 1e-14)
    close(stakes / result.state_prices, np.full(2, answers["M"]), 1e-14)
    close(result.payoff, answers["organiser_profit_at_clearing_prices"])


@pytest.mark.parametrize("stakes", [[], [0, 0], [0, -0.0], [1, -1], [1, math.inf], [[1, 2]]])
def test_pool_odds_names_what_is_wrong(stakes):
    with pytest.raises(kpm.InputError, match="stakes"):
        kpm.pool_odds(stakes)


def test_pool_odds_keeps_the_labels_of_outcomes():
    stakes = {"home": 50.0, "away": 100.0}
    assert kpm.pool_odds(stakes) == {"home": 3.0, "away": 1.5}
    pandas = pytest.importorskip("pandas")
    assert kpm.pool_odds(pandas.Series(stakes)) == {"home": 3.0, "away": 1.5}
    with pytest.raises(kpm.InputError, match=r"^stakes\['away'\]: must be finite and >= 0, got -1"):
        kpm.pool_odds({**stakes, "away": -1.0})


@pytest.mark.parametrize("none", [0.0, -0.0])
def test_an_outcome_without_stakes_would_pay_any_stake_without_end(none):
    assert kpm.pool_odds([none, 100, 300]).tolist() == [math.inf, 4.0, 4 / 3]
    assert kpm.pool_odds({"home": 50, "draw": none}) == {"home": 1.0, "draw": math.inf}


# -- theorems -------------------------------------------------------------------------------------


def test_theorem_b_trade_stops_at_the_implied_ambiguity():
    threshold = float(golden("paper_examples")["simulation_A_no_trade_threshold"]["Omega"])
    prior = np.exp(np.arange(1, 6))
    prior /= prior.sum()
    orders = kpm.Orders(np.arange(5), ["buy"] * 5, [0.18] * 5, [2e-3, 1e-3, 1e-3, 1e-3, 1e-3])
    for alpha in (0.1, 1.0, 10.0):
        for factor, trades in ((1 - 1e-6, True), (1 + 1e-6, False)):
            maker = kpm.KnightianMaker(prior, alpha, threshold * factor)
            market = kpm.Market(np.eye(5), maker=maker)
            result = kpm.clear(market, orders, rule="competitive")
            assert (result.volume > 0) == trades
            assert result.verify()


def test_the_chain_of_the_golden_book():
    data, readme = golden("chain"), golden("paper_examples")["readme_book"]
    payoffs = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]]
    market = kpm.Market(payoffs, [0.5, 0.3, 0.2], risk_aversion=0.01, ambiguity=0.02)
    orders = kpm.Orders(
        [0, 1, 2, 3, 0],
        ["buy", "buy", "buy", "sell", "sell"],
        [0.56, 0.25, 0.24, 0.72, 0.60],
        [20, 10, 15, 10, 5],
    )
    by_limit = kpm.clear(market, orders, rule="pay_as_bid")
    competitive = kpm.clear(market, orders, rule="competitive")
    close(by_limit.fills, data["fills_6"])
    close(competitive.state_prices, data["state_prices_competitive"])
    close(by_limit.certainty_equivalent, data["pay_as_bid"])
    close(competitive.certainty_equivalent, data["competitive"])
    assert competitive.no_trade_equivalent == data["no_trade"]
    best = kpm.clear(market, orders)
    close(best.certainty_equivalent, data["kpm"], 1e-13)
    close(best.certainty_equivalent, readme["certainty_equivalent"], 1e-13)
    close(best.net_demand, readme["net_demand"])
    close(best.claim_prices, readme["prices"])


#: Corollary 1's books that have inputs, which are with CPCAM's; ``with_a_seller`` has none.
CPCAM_INPUTS = {case["name"]: case["inputs"] for case in golden("cpcam")["cases"]}
LP_BOOKS = {book["name"]: book for book in golden("corollary_1")["books"]}
LP_BOOKS.pop("with_a_seller")
every_lp_book = pytest.mark.parametrize("book", LP_BOOKS.values(), ids=LP_BOOKS)


@every_lp_book
@pytest.mark.parametrize("above", [0.0, 1e-9, math.inf])
def test_corollary_1_maker_optimal_solves_the_linear_program(book, above):
    inputs = CPCAM_INPUTS[book["name"]]
    n_states = len(inputs["payoffs_NxJ"])
    maker = kpm.KnightianMaker(np.full(n_states, 1 / n_states), 1.0, math.log(n_states) + above)
    market, orders = bids(inputs, maker)
    result = kpm.clear(market, orders)
    surplus = float(orders.price @ result.fills) - (result.net_demand @ market.payoffs).max()
    close(result.fills, book["kpm_fills"])
    close(result.state_prices, book["kpm_state_prices"])
    close(surplus, book["lp_value"])
    close(surplus, book["kpm_surplus"])
    for answer, stored in (
        (result.certainty_equivalent, book["kpm_certainty_equivalent"]),
        (result.payoff.min(), book["kpm_worst_payoff"]),
    ):
        assert answer == pytest.approx(stored, abs=1e-10)


@every_lp_book
def test_theorem_c_a_maker_who_fears_everything_solves_the_linear_program(book):
    inputs = CPCAM_INPUTS[book["name"]]
    n_states = len(inputs["payoffs_NxJ"])
    fearful = kpm.KnightianMaker(np.full(n_states, 1 / n_states), 1.0, math.log(n_states) + 1e-9)
    for maker in (kpm.WorstStateMaker(n_states), fearful):
        market, orders = bids(inputs, maker)
        result = kpm.clear(market, orders, rule="competitive")
        close(result.objective, book["lp_value"])
        close(result.state_prices, book["kpm_state_prices"])
        assert result.certainty_equivalent == pytest.approx(0, abs=1e-9)


def payout(result, delta):
    """What orders and starting orders together are paid: the same in every state."""
    level = result.net_demand @ result.market.payoffs + delta / result.state_prices
    np.testing.assert_allclose(level, level[0], rtol=1e-11)
    return level[0]


def test_pdca_pays_out_most_of_the_fills_at_cpcams_prices():
    complementary, notebook = golden("pdca")["cases"]
    inputs, answers = complementary["inputs"], complementary["answers"]
    delta = numbers(inputs["starting_order"])
    market, orders = bids(inputs, kpm.StartingOrders(delta))
    result = kpm.clear(market, orders, rule="pdca")
    assert result.status is kpm.Status.OPTIMAL
    assert result.verify()
    close(result.state_prices, answers["state_prices"])
    close(result.fills, answers["x"])
    close(payout(result, delta), answers["M"])
    close(payout(result, delta), answers["payout_each_state"])
    premium = result.claim_prices @ result.net_demand + delta.sum()
    close(premium, answers["premium_collected"])

    inputs = CPCAM_INPUTS[notebook["name"]]
    delta = numbers(inputs["starting_order"])
    market, orders = bids(inputs, kpm.StartingOrders(delta))
    result = kpm.clear(market, orders, rule="pdca")
    close(result.state_prices, notebook["answers"]["state_prices"])
    close(payout(result, delta), float(notebook["answers"]["M"]))
    close(result.fills[16], float(notebook["answers"]["x_17"]))


@pytest.mark.parametrize("rule", ["pdca", "competitive"])
def test_what_pdca_pays_out_depends_on_the_form_of_a_claim(rule):
    """An offer of the complement takes from the payout what a bid adds: docs/mechanisms.md."""
    delta = np.ones(2)
    fills = []
    for other, side, price in (([1, 0], "buy", 0.8), ([0, 1], "sell", 0.2)):
        market = kpm.Market([[1, 0], other], maker=kpm.StartingOrders(delta))
        orders = kpm.Orders([0, 1], ["buy", side], [0.8, price], [4.0, 4.0])
        result = kpm.clear(market, orders, rule=rule)
        assert result.status is kpm.Status.OPTIMAL
        close(result.state_prices, [0.8, 0.2])
        fills.append(result.fills)
        if rule == "pdca":
            close(payout(result, delta), 5.0)
    expected = [[1.875, 1.875], [3.75, 0.0] if rule == "pdca" else [1.875, 1.875]]
    np.testing.assert_allclose(fills, expected, atol=1e-10)


def test_cpcam_and_pdca_have_the_same_prices():
    # PDCA's fills are another point of the same face; its M is the greatest of CPCAM's range.
    case = golden("pdca")["cases"][0]
    market, orders = bids(case["inputs"], kpm.StartingOrders(case["inputs"]["starting_order"]))
    result = kpm.clear(market, orders, rule="competitive")
    close(result.state_prices, case["answers"]["state_prices"])
    level = result.net_demand @ market.payoffs + np.array([1, 1]) / result.state_prices
    np.testing.assert_allclose(level, level[0], rtol=1e-12)
    least, most = numbers(case["answers"]["cpcam_range_of_M"])
    assert least - 1e-12 <= level[0] <= most + 1e-12
