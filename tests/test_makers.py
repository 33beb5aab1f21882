"""Makers against numbers worked out elsewhere: tests/golden, to 1e-10."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from auction_books import golden, numbers
from makers import DRAWN, EXAMPLES

pytestmark = pytest.mark.cross_section

PI = np.array([0.5, 0.3, 0.2])
CLOSE = {"rel": 1e-10, "abs": 1e-13}


EXACT = golden("makers")["exact"]
SEQUENCE_MAKERS = {
    "lmsr": kpm.LMSR(1.0, PI),
    "scpm-log": kpm.StartingOrders(PI),
    "quad": kpm.QuadraticMaker(PI, 1.0),
}
SEQUENCES = [
    *((SEQUENCE_MAKERS[case["name"]], case) for case in golden("makers")["sequences"]),
    *(
        (
            kpm.KnightianMaker(
                numbers(case["inputs"]["prior"]),
                float(case["inputs"]["risk_aversion"]),
                float(case["inputs"]["ambiguity"]),
                numbers(case["inputs"]["inventory"]),
            ),
            case,
        )
        for case in golden("continuous_kpm")["sequences"]
    ),
]


@pytest.mark.parametrize(("maker", "case"), SEQUENCES, ids=[case["name"] for _, case in SEQUENCES])
@pytest.mark.parametrize("payment", ["cost", "final", "limit"])
def test_sequences(maker: kpm.Maker, case: dict[str, Any], payment: str) -> None:
    start, paid = maker, 0.0
    for step in case["trades"]:
        payoff = numbers(step["payoff"])
        if "marginal_quote_before" in step:
            quotes = maker.quotes([payoff])
            assert quotes["bid"][0] == pytest.approx(
                float(step["marginal_quote_before"]["bid"]), **CLOSE
            )
            assert quotes["ask"][0] == pytest.approx(
                float(step["marginal_quote_before"]["ask"]), **CLOSE
            )
        trade, maker = maker.trade(
            payoff, step["side"], float(step["limit"]), float(step["quantity"]), payment
        )
        paid += trade.payment
        assert trade.quantity == pytest.approx(float(step["fill"]), **CLOSE)
        assert trade.payment == pytest.approx(float(step["payment_by_rule"][payment]), **CLOSE)
        if "state_prices_after" in step:
            after = numbers(step["state_prices_after"])
            assert maker.state_prices() == pytest.approx(after, **CLOSE)
        else:
            states = maker.quotes(np.eye(len(payoff)))
            assert states["bid"] == pytest.approx(numbers(step["state_bids_after"]), **CLOSE)
            assert states["ask"] == pytest.approx(numbers(step["state_asks_after"]), **CLOSE)
    assert -maker.inventory == pytest.approx(numbers(case["outstanding"]), **CLOSE)
    wealth = numbers(case["maker_wealth_by_state"][payment])
    assert maker.inventory + paid == pytest.approx(wealth, **CLOSE)
    if payment == "cost":
        total = maker.cost(-maker.inventory) - start.cost(-start.inventory)
        assert paid == pytest.approx(total, rel=1e-12, abs=1e-13)
        assert paid == pytest.approx(float(case["cost_total"]), **CLOSE)


def test_lmsr_is_hanson_s() -> None:
    case = EXACT["lmsr_hanson"]
    maker = kpm.LMSR(case["b"])
    cost = maker.cost(case["buy"]) - maker.cost(case["q"])
    assert cost == pytest.approx(float(case["cost"]), **CLOSE)
    assert maker.state_prices(case["buy"]) == pytest.approx(numbers(case["price_after"]), **CLOSE)


def test_lmsr_is_that_of_the_notebook() -> None:
    case = EXACT["lmsr_cdetrio"]
    maker = kpm.LMSR(case["b"])
    plain = maker.cost(case["q"]) + case["b"] * np.log(len(case["q"]))
    assert plain == pytest.approx(float(case["C"]), **CLOSE)
    assert maker.state_prices(case["q"]) == pytest.approx(numbers(case["prices"]), **CLOSE)


def test_starting_orders_fill_two_of_five() -> None:
    case = EXACT["scpm_log_exact"]
    maker = kpm.StartingOrders(case["theta"])
    final, after = maker.trade([1, 0, 0], "buy", 0.5, 5, payment="final")
    cost, _ = maker.trade([1, 0, 0], "buy", 0.5, 5)
    assert final.quantity == pytest.approx(case["fill"], **CLOSE)
    assert final.payment == pytest.approx(case["pay_final"], **CLOSE)
    for value in (case["pay_cost_value"], case["check"]):
        assert cost.payment == pytest.approx(float(value), **CLOSE)
    assert after.state_prices() == pytest.approx(numbers(case["price_after"]), **CLOSE)


def test_log_utility() -> None:
    case = EXACT["utility_log_exact"]
    maker = kpm.UtilityMaker(numbers(case["prior"]), case["wealth"])
    for value in (case["C_value"], case["closed"]):
        assert maker.cost(case["outstanding"]) == pytest.approx(float(value), **CLOSE)
    prices = maker.state_prices(case["outstanding"])
    assert prices == pytest.approx(numbers(case["prices"]), **CLOSE)


def test_quadratic() -> None:
    case = EXACT["quadratic"]
    maker = kpm.QuadraticMaker(numbers(case["prior"]), case["c"])
    owed = numbers(case["outstanding"])
    assert maker.cost(owed) == pytest.approx(float(case["C"]), **CLOSE)
    assert maker.state_prices(owed) == pytest.approx(numbers(case["prices"]), **CLOSE)
    # Brier's rule: uniform prior, while prices are positive.
    q = np.array([0.3, -0.2, 0.1, 0.05])
    brier = (q**2).sum() / 4 - q.sum() ** 2 / (4 * len(q)) + q.sum() / len(q)
    assert kpm.QuadraticMaker(np.full(4, 0.25), 1.0).cost(q) == pytest.approx(brier, **CLOSE)


QUOTES = golden("quotes")


@pytest.mark.parametrize("name", QUOTES["answers"])
def test_quotes(name: str) -> None:
    inputs, answer = QUOTES["inputs"], QUOTES["answers"][name]
    maker = kpm.KnightianMaker(
        numbers(inputs["prior"]),
        float(inputs["risk_aversion"]),
        float(answer["ambiguity"]),
        numbers(answer["inventory"]),
    )
    payoffs = [numbers(inputs["claims"][claim]) for claim in answer["claims"]]
    marginal = maker.quotes(payoffs)
    sizes = [float(size) for size in next(iter(answer["claims"].values()))["block_per_share"]]
    blocks = maker.quotes(payoffs, np.tile(sizes, (len(payoffs), 1)))
    for side in ("bid", "ask"):
        for k, case in enumerate(answer["claims"].values()):
            assert marginal[side][k] == pytest.approx(float(case["marginal"][side]), **CLOSE)
            wanted = [float(block[side]) for block in case["block_per_share"].values()]
            assert blocks[side][k] == pytest.approx(wanted, **CLOSE)


FLAT = QUOTES["arrow_debreu_flat"]["ambiguity_to_bid_ask_by_state"]


@pytest.mark.parametrize("ambiguity", FLAT)
def test_arrow_debreu_quotes_at_constant_wealth(ambiguity: str) -> None:
    """The two roots of p ln(p/q) + (1-p) ln((1-p)/(1-q)) = Omega."""
    quotes = kpm.KnightianMaker(PI, 1.0, float(ambiguity)).quotes(np.eye(3))
    wanted = numbers(FLAT[ambiguity])
    assert np.c_[quotes["bid"], quotes["ask"]] == pytest.approx(wanted, **CLOSE)


@pytest.mark.parametrize("row", QUOTES["expansion"]["rows"], ids=lambda row: row["s"])
def test_blocks_grow_dearer_by_the_variance(row: dict[str, Any]) -> None:
    """ask(s) = EVaR + (alpha s / 2) Var under the worst case + O(s^2), at constant wealth."""
    inputs, expansion = QUOTES["inputs"], QUOTES["expansion"]
    alpha, shares, payoff = 0.01, float(row["s"]), numbers(inputs["claims"][expansion["claim"]])
    maker = kpm.KnightianMaker(PI, alpha, 0.02)
    margin, variance = float(expansion["EVaR"]), float(expansion["var"])
    ask = maker.quotes([payoff], shares)["ask"][0]
    assert ask == pytest.approx(float(row["ask"]), **CLOSE)
    assert maker.quotes([payoff])["ask"][0] == pytest.approx(margin, **CLOSE)
    first_order = margin + alpha * shares / 2 * variance
    assert first_order == pytest.approx(float(row["first_order"]), **CLOSE)
    error = float(row["error_over_s2"]) * shares**2
    assert ask - first_order == pytest.approx(error, rel=1e-6, abs=1e-14)


@pytest.mark.parametrize(("ambiguity", "ratio"), QUOTES["spread_ratio"])
def test_spreads_are_twice_the_root_of_two_omega_var(ambiguity: str, ratio: str) -> None:
    payoff = numbers(QUOTES["inputs"]["claims"]["spread 2,-1,0.5"])
    variance = PI @ payoff**2 - (PI @ payoff) ** 2
    spread = kpm.KnightianMaker(PI, 1.0, float(ambiguity)).quotes([payoff])["spread"][0]
    limit = 2 * np.sqrt(2 * float(ambiguity) * variance)
    assert spread / limit == pytest.approx(float(ratio), rel=1e-9)  # ten digits are given


def test_depth_is_what_a_lone_order_fills() -> None:
    """It is filled until wealth is level, where the next share's price jumps."""
    inputs, depth = QUOTES["inputs"], QUOTES["depth"]
    maker = kpm.KnightianMaker(PI, 0.01, 0.02, numbers(depth["inventory"]))
    payoff, limit = numbers(inputs["claims"][depth["claim"]]), float(depth["limit"])
    size = maker.size_to(payoff, "buy", price=limit)
    assert size == pytest.approx(float(depth["size"]), **CLOSE)
    orders = kpm.Orders([0], ["buy"], [limit], [1e3])
    fills = kpm.clear(kpm.Market([payoff], maker=maker), orders).fills
    assert fills[0] == pytest.approx(depth["engine_fill"], rel=1e-9)


def test_arrow_debreu_asks_are_the_loss_bound_s() -> None:
    case = golden("corollary_1")["loss_bound"]
    for row in case["rows"]:
        maker = kpm.KnightianMaker(numbers(case["prior"]), 1.0, float(row["ambiguity"]))
        quotes = maker.quotes(np.eye(3))
        assert quotes["ask"] == pytest.approx(numbers(row["pbar"]), **CLOSE)


@pytest.mark.parametrize("row", golden("corollary_1")["loss_bound"]["rows"])
@pytest.mark.parametrize("alpha", [1e-3, 1.0, 20.0])
def test_loss_bound_of_theorem_d(row: dict[str, Any], alpha: float) -> None:
    maker = kpm.KnightianMaker(PI, alpha, float(row["ambiguity"]))
    assert maker.loss_bound() == pytest.approx(float(row["loss_bound_alpha_1"]) / alpha, rel=1e-10)


@pytest.mark.parametrize("case", golden("corollary_1")["loss_bound"]["attained"])
def test_the_loss_bound_is_attained(case: dict[str, Any]) -> None:
    """By a trader who buys more and more of the least likely state."""
    maker = kpm.KnightianMaker(PI, 1.0, float(case["ambiguity"]))
    trade, _ = maker.trade([0, 0, 1], "buy", np.inf, case["t"])
    assert case["t"] - trade.payment == pytest.approx(float(case["loss"]), rel=1e-10)
    assert maker.loss_bound() == pytest.approx(float(case["bound"]), rel=1e-10)


def test_a_price_at_the_greatest_payoff_takes_no_more_from_the_maker() -> None:
    """Whatever the rounding of that price: no number of shares leads to the loss."""
    for seed in range(50):
        rng = np.random.default_rng(seed)
        maker = kpm.QuadraticMaker([0.5, 0.5], rng.uniform(0.1, 2.0), rng.normal(size=2))
        loss = 3.0 - min(0.0, maker.inventory.min())
        assert np.isinf(maker.size_to([0, 1], "buy", loss=loss)), seed
        assert np.isinf(maker.size_to([0, 1], "sell", loss=loss)), seed


def test_loss_bounds_of_the_others() -> None:
    assert kpm.LMSR(2.0, PI).loss_bound() == pytest.approx(-2 * np.log(0.2), rel=1e-12)
    assert kpm.UtilityMaker(PI, 10).loss_bound() == pytest.approx(10, rel=1e-12)
    wanted = 3 * (0.5**2 + 0.3**2 + 0.8**2)
    assert kpm.QuadraticMaker(PI, 3).loss_bound() == pytest.approx(wanted, rel=1e-12)
    assert kpm.WorstStateMaker(3).loss_bound() == float(EXACT["loss_bounds"]["worst_case"])
    assert kpm.StartingOrders(PI).loss_bound() == np.inf
    polytope = kpm.PolytopeMaker([PI, [0.1, 0.1, 0.8]], 2.0)
    assert polytope.loss_bound() == pytest.approx(-np.log(0.3) / 2, rel=1e-12)
    assert kpm.PolytopeMaker([PI, [0.1, 0.1, 0.8]], 0.0).loss_bound() == np.inf


def test_ambiguity_of_section_8_1() -> None:
    """Theorem G: a polytope ranks the lotteries as people do, a ball round the prior does not."""
    case = golden("ambiguity_8_1")
    maker = kpm.PolytopeMaker(numbers(case["vertices"]), 0.0)
    worth = maker.quotes(list(case["lotteries"].values()))["bid"]
    assert worth == pytest.approx(numbers(list(case["numeric"].values())), **CLOSE)
    exact = case["maxmin_value_u_of_1_is_1_u_of_0_is_0"]
    assert worth == pytest.approx([numbers(exact[name]) for name in case["lotteries"]], **CLOSE)
    ball = kpm.KnightianMaker(np.full(3, 1 / 3), 1.0, 0.1)
    red, black, green, red_black, black_green = ball.quotes(list(case["lotteries"].values()))["bid"]
    assert red == pytest.approx(black, rel=1e-14)
    assert red == pytest.approx(green, rel=1e-14)
    assert red_black == pytest.approx(black_green, rel=1e-14)


@pytest.mark.parametrize("row", golden("liquidity_aggregation_8_7_1")["rows"])
def test_liquidity_aggregation_of_section_8_7_1(row: dict[str, Any]) -> None:
    """Theorem H: one maker for calls and puts against two dealers."""
    maker = kpm.KnightianMaker([0.5, 0.5], float(row["risk_aversion"]), float(row["ambiguity"]))
    call, put, common = maker.cost([[10, 0], [0, 10], [10, 10]])
    assert call == pytest.approx(float(row["dealer_call"]), **CLOSE)
    assert put == pytest.approx(float(row["dealer_put"]), **CLOSE)
    assert common == pytest.approx(float(row["common"]), **CLOSE)
    assert call + put - common == pytest.approx(float(row["saving"]), **CLOSE)


MAKERS = [
    *EXAMPLES.values(),
    kpm.LMSR(3.0),  # whose prior is a market's
    kpm.WorstStateMaker(["home", "draw", "away"]),
]


def test_helpers_make_every_kind() -> None:
    public = [getattr(kpm, name) for name in kpm.__all__]
    kinds = {item for item in public if isinstance(item, type) and issubclass(item, kpm.Maker)}
    assert {type(maker) for maker in EXAMPLES.values()} == kinds - {kpm.Maker}
    assert DRAWN.keys() == EXAMPLES.keys()


@pytest.mark.parametrize("maker", MAKERS, ids=repr)
def test_makers_are_values(maker: kpm.Maker) -> None:
    copy = pickle.loads(pickle.dumps(maker))
    assert copy == maker
    assert maker.replace() == maker
    assert not copy.inventory.flags.writeable
    assert type(maker).__name__ in repr(maker)
    with pytest.raises(AttributeError):
        maker.inventory = np.zeros(3)
    _, traded = maker.trade([1, 0, 0], "buy", np.inf, 1)
    assert traded != maker
    assert type(traded) is type(maker)
    assert all(maker != other for other in MAKERS if other is not maker)


FAULTS = [
    (lambda: kpm.KnightianMaker([0.5, 0.4], 1, 0), "prior", None),
    (lambda: kpm.KnightianMaker([1.5, -0.5], 1, 0), "prior", "1"),
    (lambda: kpm.KnightianMaker([[0.5, 0.5]], 1, 0), "prior", None),
    (lambda: kpm.KnightianMaker(PI, 0, 0), "risk_aversion", None),
    (lambda: kpm.KnightianMaker(PI, 1, -1), "ambiguity", None),
    (lambda: kpm.KnightianMaker(PI, 1, np.nan), "ambiguity", None),
    (lambda: kpm.KnightianMaker(PI, 1, 0, [1, 2]), "inventory", None),
    (lambda: kpm.KnightianMaker(PI, 1, 0, [1, np.inf, 2]), "inventory", 1),
    (lambda: kpm.LMSR(0), "liquidity", None),
    (lambda: kpm.LMSR("much"), "liquidity", None),
    (lambda: kpm.LMSR(1).quotes([[]]), "payoffs", None),
    (lambda: kpm.LMSR(1).loss_bound(), "states", None),
    (lambda: kpm.LMSR(1).state_prices(), "states", None),
    (lambda: kpm.StartingOrders([1, 0]), "delta", 1),
    (lambda: kpm.WorstStateMaker(0), "states", None),
    (lambda: kpm.WorstStateMaker("abc"), "states", None),
    (lambda: kpm.PolytopeMaker([[0.5, 0.5], [0.9, 0.2]], 1), "priors", 1),
    (lambda: kpm.PolytopeMaker([[0.5, 0.5], [1.2, -0.2]], 1), "priors", ("1", "0")),
    (lambda: kpm.PolytopeMaker([0.5, 0.5], 1), "priors", None),
    (lambda: kpm.PolytopeMaker([PI], -1), "risk_aversion", None),
    (lambda: kpm.UtilityMaker(PI, 0), "wealth", None),
    (lambda: kpm.QuadraticMaker(PI, -1), "c", None),
    (lambda: MAKERS[0].cost([1, 2]), "losses", None),
    (lambda: MAKERS[0].cost([1, np.nan, 2]), "losses", 1),
    (lambda: MAKERS[0].cost([[1, 2, 3], [1, np.inf, 2]]), "losses", ("1", "1")),
    (lambda: MAKERS[0].conjugate([0.5, 0.5]), "g", None),
    (lambda: MAKERS[0].quotes([[1, 0]]), "payoffs", None),
    (lambda: MAKERS[0].quotes(np.eye(3), [1, 2]), "quantities", None),
    (lambda: MAKERS[0].quotes(np.eye(3), [1, 0, 2]), "quantities", 1),
    (lambda: MAKERS[0].quotes(np.eye(3), [[1], [2], [-1]]), "quantities", ("2", "0")),
    (lambda: MAKERS[0].size_to([1, 0, 0], "buy"), "size_to", None),
    (lambda: MAKERS[0].size_to([1, 0, 0], "buy", price=1, loss=2), "size_to", None),
    (lambda: MAKERS[0].size_to([1, 0, 0], "hold", price=1), "side", None),
    (lambda: MAKERS[0].size_to([1, 0, 0], "buy", price=np.nan), "price", None),
    (lambda: MAKERS[0].size_to([1, 0, 0], True, price=1), "side", None),
    (lambda: MAKERS[0].size_to([1, 0, 0], 2, price=1), "side", None),
    (lambda: MAKERS[0].trade([1, 0, 0], "buy", 1.0, np.inf), "quantity", None),
    (lambda: MAKERS[0].trade([1, 0, 0], "sell", -1e40, np.inf), "quantity", None),
    (lambda: MAKERS[0].size_to([1, 0, 0], "buy", budget=-1), "budget", None),
    (lambda: MAKERS[0].trade([1, 0], "buy", 1, 1), "payoff", None),
    (lambda: MAKERS[0].trade([1, 0, 0], "buy", np.nan, 1), "limit", None),
    (lambda: MAKERS[0].trade([1, 0, 0], "buy", 1, -1), "quantity", None),
    (lambda: MAKERS[0].trade([1, 0, 0], "buy", 1, np.inf), "quantity", None),
    (lambda: MAKERS[0].trade([1, 0, 0], "buy", 1, 1, "later"), "payment", None),
]


@pytest.mark.parametrize(("ask", "field", "index"), FAULTS)
def test_faults_are_named(ask: Any, field: str, index: Any) -> None:
    with pytest.raises(kpm.InputError) as caught:
        ask()
    assert (caught.value.field, caught.value.index) == (field, index)


@pytest.mark.parametrize("alpha", [-1, 1e-31, 1e31])
def test_a_polytope_s_risk_aversion_may_be_zero(alpha: float) -> None:
    assert kpm.PolytopeMaker([PI], 0).risk_aversion == 0
    with pytest.raises(kpm.InputError, match=r"risk_aversion: must be 0 or between 1e-30 and 1e"):
        kpm.PolytopeMaker([PI], alpha)


def test_quotes_are_a_table() -> None:
    maker = kpm.KnightianMaker(PI, 0.01, 0.02)
    quotes = maker.quotes(np.eye(3), [[1, 10], [1, 10], [1, 10]])
    frame = quotes.to_frame()
    assert list(frame.columns) == ["claim", "quantity", "bid", "ask"]
    assert frame["claim"].tolist() == ["0", "0", "1", "1", "2", "2"]
    assert frame["bid"].to_numpy() == pytest.approx(quotes["bid"].ravel(), rel=0)
    assert pickle.loads(pickle.dumps(quotes)) == quotes
    assert list(maker.quotes(np.eye(3)).to_frame().columns) == ["claim", "bid", "ask"]
    assert maker.quotes([1, 0, 0], 5).quantities.tolist() == [5]
    assert (quotes["spread"] > 0).all()
    with pytest.raises(KeyError):
        quotes["middle"]


def test_labelled_payoffs_are_never_taken_by_position() -> None:
    """A maker without labels numbers its states: numbers are aligned, other labels refused."""
    maker = kpm.KnightianMaker([0.5, 0.3, 0.2], risk_aversion=0.01, ambiguity=0.02)
    pandas = pytest.importorskip("pandas")
    named = pandas.DataFrame({"A": [0], "D": [0], "H": [1]}, index=["home"])
    series = pandas.Series({"H": 1.0, "D": 0.0, "A": 0.0})
    for refused in (
        lambda: maker.quotes(named),
        lambda: maker.quotes({"home": {"H": 1, "D": 0, "A": 0}}),
        lambda: maker.trade(series, "buy", 0.6, 1.0),
        lambda: maker.size_to(series, "buy", price=0.6),
        lambda: maker.cost(series),
        lambda: maker.state_prices({"H": 1.0, "D": 0.0, "A": 0.0}),
    ):
        with pytest.raises(kpm.InputError, match=r"H"):
            refused()
    numbered = pandas.DataFrame({"2": [0.0], "1": [0.0], "0": [1.0]}, index=["home"])
    quotes = maker.quotes(numbered)
    assert quotes.claims == ("home",)
    assert quotes["ask"][0] == maker.quotes([1, 0, 0])["ask"][0]
    assert maker.quotes({"home": [1, 0, 0]})["bid"][0] == maker.quotes([1, 0, 0])["bid"][0]
    assert maker.cost(pandas.Series({"1": 2.0, "0": 1.0, "2": 3.0})) == maker.cost([1, 2, 3])


@pytest.mark.parametrize("states", [0, -1, []])
def test_a_number_of_states_is_refused_as_it_was_given(states: Any) -> None:
    with pytest.raises(kpm.InputError) as caught:
        kpm.WorstStateMaker(states)
    assert str(caught.value) == f"states: must be at least 1, got {states!r}"


@pytest.mark.parametrize("maker", EXAMPLES.values(), ids=EXAMPLES)
def test_a_limit_without_end_is_never_reached(maker: kpm.Maker) -> None:
    payoff = [1.0, 0.0, -2.0]
    for side, sign in (("buy", 1), ("sell", -1)):
        assert maker.size_to(payoff, side, price=sign * np.inf) == np.inf
        assert maker.size_to(payoff, side, price=-sign * np.inf) == 0.0
        assert maker.size_to(payoff, side, loss=np.inf) == np.inf
        assert maker.size_to(payoff, side, loss=-np.inf) == 0.0
        assert maker.size_to(payoff, side, budget=np.inf) == np.inf
        assert maker.size_to(payoff, sign, budget=1.5) == maker.size_to(payoff, side, budget=1.5)


@pytest.mark.parametrize("maker", EXAMPLES.values(), ids=EXAMPLES)
def test_a_trade_of_as_much_as_its_limit_allows(maker: kpm.Maker) -> None:
    payoff = [1.0, 0.0, 0.0]
    quotes = maker.quotes([payoff])
    for side, sign, best, end in (("buy", 1, quotes.ask[0], 1), ("sell", -1, quotes.bid[0], 0)):
        for limit in (best, (best + end) / 2, 1 - end - sign, -sign * 1e40, -sign * np.inf):
            size = maker.size_to(payoff, side, price=np.clip(limit, -1e30, 1e30))
            if size == np.inf:  # of a polytope, whose last price is no payoff's
                with pytest.raises(kpm.InputError, match=r"^quantity: must be finite where"):
                    maker.trade(payoff, side, limit, np.inf)
                continue
            done, after = maker.trade(payoff, sign, limit, np.inf)
            assert done.side == side
            assert done.quantity == size
            asked, left = maker.trade(payoff, side, limit, size)
            assert (done, after) == (asked, left)
        with pytest.raises(kpm.InputError, match=r"^quantity: must be finite where the limit"):
            maker.trade(payoff, side, sign * np.inf, np.inf)


@pytest.mark.parametrize("maker", MAKERS, ids=repr)
def test_makers_and_trades_are_keys(maker: kpm.Maker) -> None:
    again = pickle.loads(pickle.dumps(maker))
    assert again == maker
    assert hash(again) == hash(maker)
    assert {maker: 1}[again] == 1
    moved = maker.replace(inventory=[1.0, 0.0, -0.0]) if maker.states else kpm.LMSR(2.0)
    assert moved != maker
    assert len({maker, again, moved}) == 2
    if maker.states:
        flat = [maker.replace(inventory=[zero] * 3) for zero in (0.0, -0.0)]
        assert flat[0] == flat[1]
        assert len(set(flat)) == 1
        asked = ((0.9, 1), (0.9, 1.0), (0.8, 1))
        assert len({maker.trade([1, 0, 0], "buy", *order)[0] for order in asked}) == 2


def test_starting_orders_show_their_money() -> None:
    assert repr(kpm.StartingOrders([5, 5])) == "StartingOrders(2 states, delta=5)"
    assert repr(kpm.StartingOrders([0.25, 9, 5])) == "StartingOrders(3 states, delta=0.25 to 9)"
