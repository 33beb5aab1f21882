"""Properties of every maker: quotes, sizes, sequences, symmetries and limits of parameters."""

from __future__ import annotations

import math

import numpy as np
import pytest

import kpm_fast as kpm
from makers import DRAWN, Draw, in_money, of_states, prior
from strategies import fewer

pytestmark = pytest.mark.cross_section

CASES = fewer(60, 15)


every_maker = pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)


def payoffs(rng: np.random.Generator, claims: int, states: int) -> np.ndarray:
    """Claims that pay or not, and others."""
    if rng.random() < 0.5:
        return rng.integers(0, 2, (claims, states)).astype(float)
    return rng.normal(0, 1, (claims, states))


def varied(rng: np.random.Generator, states: int) -> np.ndarray:
    """A claim whose payoffs are not all the same."""
    while True:
        claim = payoffs(rng, 1, states)[0]
        if np.ptp(claim) > 0:
            return claim


def owed(maker: kpm.Maker) -> np.ndarray:
    return -maker.inventory


@every_maker
def test_quotes_are_those_of_a_convex_cost(draw: Draw) -> None:
    rng = np.random.default_rng(3)
    for _ in range(CASES):
        n = int(rng.integers(1, 7))
        maker, table = draw(rng, n), payoffs(rng, 4, n)
        sizes = np.tile(10.0 ** np.array([-6, -2, 0, 1.5]), (4, 1))
        next_share, blocks = maker.quotes(table), maker.quotes(table, sizes)
        bids = np.column_stack([blocks["bid"][:, ::-1], next_share["bid"]])
        asks = np.column_stack([next_share["ask"], blocks["ask"]])
        ladder = np.column_stack([table.min(axis=1), bids, asks, table.max(axis=1)])
        assert (np.diff(ladder, axis=1) >= -1e-10 * (1 + np.abs(table).max())).all(), maker
        # Selling is buying the negated claim.
        assert maker.quotes(-table)["ask"] == pytest.approx(-next_share["bid"], abs=1e-12)
        assert maker.quotes(-table, sizes)["bid"] == pytest.approx(-blocks["ask"], abs=1e-12)
        # Two claims together cost no more than each, for the next share.
        together = maker.quotes(table[:2] + table[2:])["ask"]
        assert (together <= next_share["ask"][:2] + next_share["ask"][2:] + 1e-10).all()
        # A constant costs itself.
        for quantities in (None, 3.0):
            constant = maker.quotes(np.full((1, n), 0.7), quantities)
            assert constant["bid"] == pytest.approx(0.7, rel=1e-13)
            assert constant["ask"] == pytest.approx(0.7, rel=1e-13)
        # The same wealth in every state changes nothing.
        richer = maker.replace(inventory=maker.inventory + 16.0)
        assert richer.quotes(table)["ask"] == pytest.approx(next_share["ask"], abs=1e-9)
        # One share of every state pays one.
        states = maker.quotes(np.eye(n))
        assert states["ask"].sum() >= 1 - 1e-12
        assert states["bid"].sum() <= 1 + 1e-12
        # A block is what its cost says.
        cost = maker.cost(owed(maker) + 3.0 * table) - maker.cost(owed(maker))
        assert maker.quotes(table, 3.0)["ask"] == pytest.approx(cost / 3, abs=1e-9)


@every_maker
def test_the_order_of_states_does_not_matter(draw: Draw) -> None:
    rng = np.random.default_rng(5)
    for _ in range(CASES):
        n = int(rng.integers(2, 7))
        maker, order = draw(rng, n), rng.permutation(n)
        table = payoffs(rng, 3, n)
        other = of_states(maker, order)
        for quantities in (None, 2.0):
            own, its = maker.quotes(table, quantities), other.quotes(table[:, order], quantities)
            assert its["bid"] == pytest.approx(own["bid"], abs=1e-11)
            assert its["ask"] == pytest.approx(own["ask"], abs=1e-11)
        assert other.state_prices() == pytest.approx(maker.state_prices()[order], abs=1e-11)


@every_maker
@pytest.mark.parametrize("unit", [1e-8, 1e9])
def test_the_unit_of_money_does_not_matter(draw: Draw, unit: float) -> None:
    rng = np.random.default_rng(6)
    for _ in range(CASES):
        n = int(rng.integers(2, 7))
        maker, table = draw(rng, n), payoffs(rng, 3, n)
        other = in_money(maker, unit)
        for quantities in (None, 2.0):
            block = None if quantities is None else quantities * unit
            own, its = maker.quotes(table, quantities), other.quotes(table, block)
            assert its["bid"] == pytest.approx(own["bid"], rel=1e-9, abs=1e-11)
            assert its["ask"] == pytest.approx(own["ask"], rel=1e-9, abs=1e-11)


def answers(maker: kpm.Maker, table: np.ndarray, limits: np.ndarray, unit: float) -> np.ndarray:
    """Quotes, trades and sizes, a column for each claim that pays ``unit`` times as much a share.

    Sizes beyond 1e7 count as infinite: what changes there are the last digits of a loss.
    """
    block = 1.937 / unit  # wealth is in steps of one: no kink lies there
    quoted = [maker.quotes(unit * table, size) for size in (None, block)]
    rows = [quotes[name] / unit for quotes in quoted for name in ("bid", "ask")]
    for payment in ("cost", "final", "limit"):
        made = [
            maker.trade(unit * claim, "buy", unit * limit, block, payment)[0]
            for claim, limit in zip(table, limits, strict=True)
        ]
        rows += [[trade.quantity * unit for trade in made], [trade.payment for trade in made]]
    for side in ("buy", "sell"):
        for most in ({"budget": 0.5}, {"loss": owed(maker).max() + 0.5}):
            rows.append([maker.size_to(unit * claim, side, **most) * unit for claim in table])
    found = np.array(rows)
    return np.where(found > 1e7, np.inf, found)


@every_maker
def test_quotes_trades_and_sizes_follow_what_is_only_said_otherwise(draw: Draw) -> None:
    """Claims and states in another order, a state in two parts, and shares that are smaller."""
    rng = np.random.default_rng(12)
    for _ in range(CASES // 2):
        n = int(rng.integers(2, 6))
        maker, table = draw(rng, n), np.array([varied(rng, n) for _ in range(3)])
        ask = maker.quotes(table)["ask"]
        limits = ask + 0.01 + rng.uniform(0.2, 0.8, 3) * (table.max(axis=1) - ask)
        first = answers(maker, table, limits, 1.0)

        claims = rng.permutation(3)
        assert answers(maker, table[claims], limits[claims], 1.0).tobytes() == (
            first[:, claims].tobytes()
        )
        near = {"rel": 1e-6, "abs": 1e-7}
        for unit in (2.0**-20, 1e6):
            assert answers(maker, table, limits, unit) == pytest.approx(first, **near)
        states = rng.permutation(n)
        moved = of_states(maker, states)
        assert answers(moved, table[:, states], limits, 1.0) == pytest.approx(first, **near)
        if isinstance(maker, kpm.QuadraticMaker):
            continue  # its cost depends on how finely states are divided
        into, weight = np.append(np.arange(n), 0), np.ones(n + 1)
        weight[0], weight[n] = 0.25, 0.75
        finer = of_states(maker, into, weight)
        assert answers(finer, table[:, into], limits, 1.0) == pytest.approx(first, **near)


@every_maker
def test_trades_keep_their_limits_and_the_loss_bound(draw: Draw) -> None:
    rng = np.random.default_rng(7)
    for _ in range(CASES):
        n = int(rng.integers(2, 7))
        start = maker = draw(rng, n)
        paid = 0.0
        for _ in range(8):
            claim = payoffs(rng, 1, n)[0]
            side = rng.choice(["buy", "sell"])
            limit = rng.uniform(claim.min(), claim.max())
            trade, after = maker.trade(claim, side, limit, rng.exponential(1.0))
            sign = 1 if side == "buy" else -1
            assert sign * trade.price <= sign * limit + 1e-9 or trade.quantity == 0
            change = sign * trade.quantity * claim
            assert after.inventory == pytest.approx(maker.inventory - change, abs=1e-13)
            maker, paid = after, paid + trade.payment
        size = 1 + np.abs(maker.inventory).max() + abs(start.cost(owed(start)))
        # Theorem D: whatever the trades, no state loses more than the bound.
        worst = (start.inventory - (maker.inventory + paid)).max()
        assert worst <= start.loss_bound() + 1e-9 * size


@every_maker
def test_the_loss_bound_keeps_its_digits_beside_a_vast_inventory(draw: Draw) -> None:
    """Wealth that every state has changes no bit of it."""
    rng = np.random.default_rng(11)
    for _ in range(CASES):
        maker = draw(rng, int(rng.integers(2, 7)))
        wealth = rng.integers(0, 16, size=len(maker.inventory)).astype(float)
        bound = maker.replace(inventory=wealth).loss_bound()
        for vast in (2.0**30, -(2.0**40), 2.0**48):
            assert maker.replace(inventory=wealth + vast).loss_bound() == bound


@every_maker
def test_many_payments_at_cost_total_the_difference_to_1e_12(draw: Draw) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(2, 7))
        start = maker = draw(rng, n)
        paid, largest = [], 1.0
        for _ in range(40):
            claim = rng.normal(size=n).round(2)
            limit = np.inf if rng.random() < 0.5 else float(rng.normal())
            trade, maker = maker.trade(claim, "buy", limit, rng.exponential(1.0))
            paid.append(trade.payment)
            largest = max(largest, float(np.abs(maker.inventory).max()) / 50)
        total = maker.cost(owed(maker)) - start.cost(owed(start))
        assert abs(math.fsum(paid) - total) <= 1e-12 * largest


@every_maker
def test_payments_rank_cost_final_limit(draw: Draw) -> None:
    rng = np.random.default_rng(8)
    for _ in range(CASES):
        n = int(rng.integers(2, 6))
        maker, claim = draw(rng, n), payoffs(rng, 1, n)[0]
        limit = rng.uniform(claim.min(), claim.max() + 0.2)
        for side in ("buy", "sell"):
            trades = [
                maker.trade(claim, side, limit, 2.0, payment)[0]
                for payment in ("cost", "final", "limit")
            ]
            cost, final, most = (trade.payment for trade in trades)
            assert len({trade.quantity for trade in trades}) == 1
            assert cost <= final + 1e-9
            assert final <= most + 1e-9


@every_maker
def test_sizes_reach_their_limits(draw: Draw) -> None:
    rng = np.random.default_rng(9)
    for _ in range(CASES):
        n = int(rng.integers(2, 6))
        maker, claim = draw(rng, n), varied(rng, n)
        now = maker.cost(owed(maker))
        for side, sign in (("buy", 1.0), ("sell", -1.0)):
            # A price: a little less is cheaper for the next share, a little more is not.
            quote = maker.quotes(claim)["ask" if sign > 0 else "bid"][0]
            best = (sign * claim).max()
            price = sign * (sign * quote + rng.uniform(0.1, 0.9) * (best - sign * quote))
            size = maker.size_to(claim, side, price=price)
            if np.isfinite(size) and 0 < size < 1e6:
                around = [
                    maker.replace(inventory=maker.inventory - sign * x * claim).quotes(claim)
                    for x in (size * (1 - 1e-8), size * (1 + 1e-8))
                ]
                before, after = (quotes["ask" if sign > 0 else "bid"][0] for quotes in around)
                assert sign * before <= sign * price + 1e-6, (maker, claim, side, size)
                assert sign * after >= sign * price - 1e-6, (maker, claim, side, size)
            assert maker.size_to(claim, side, price=sign * best) == np.inf
            worse = quote - sign * 0.01
            assert maker.size_to(claim, side, price=worse) == 0
            # A budget: the cost of the block.
            budget = rng.exponential(1.0)
            size = maker.size_to(claim, side, budget=budget)
            if np.isfinite(size):
                cost = maker.cost(owed(maker) + sign * size * claim) - now
                assert cost == pytest.approx(budget, rel=1e-7, abs=1e-9), (maker, claim, side)
            # A loss: the worst state after payment.
            loss = owed(maker).max() + rng.exponential(1.0)
            size = maker.size_to(claim, side, loss=loss)
            within = min(size, 1e4) * np.linspace(0, 1, 7)[:, None]
            moved = owed(maker) + sign * within * claim
            worst = moved.max(axis=1) - (maker.cost(moved) - now)
            assert (worst <= loss + 1e-7).all()
            if size < 1e4:
                assert worst[-1] == pytest.approx(loss, abs=1e-6), (maker, claim, side)
        assert maker.size_to(claim, "buy", loss=owed(maker).max() - 0.1) == 0


@pytest.mark.parametrize("seed", range(fewer(40, 8)))
def test_a_trade_is_the_auction_of_one_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 5))
    maker = DRAWN["knightian"](rng, n)
    claim = varied(rng, n)
    side = str(rng.choice(["buy", "sell"]))
    limit, quantity = rng.uniform(claim.min(), claim.max()), rng.exponential(3.0)
    trade, _ = maker.trade(claim, side, limit, quantity, payment="limit")
    market = kpm.Market([claim], maker.prior, maker.inventory, maker.risk_aversion, maker.ambiguity)
    result = kpm.clear(market, kpm.Orders([0], [side], [limit], [quantity]), tolerance=1e-12)
    sign = 1 if side == "buy" else -1
    # The value is flat where the fill is best: compare what both are worth.
    worth = [
        sign * limit * x - maker.cost(owed(maker) + sign * x * claim)
        for x in (trade.quantity, result.fills[0])
    ]
    assert worth[0] == pytest.approx(worth[1], abs=1e-9 * (1 + abs(worth[1])))
    assert worth[0] >= worth[1] - 1e-12 * (1 + abs(worth[1]))


def test_limits_of_parameters() -> None:
    """Omega -> 0 is LMSR, a large Omega the worst state; alpha -> 0 a polytope's expectation."""
    rng = np.random.default_rng(10)
    for _ in range(CASES):
        n = int(rng.integers(2, 6))
        q, inventory = prior(rng, n), rng.normal(0, 2, n)
        table, alpha = payoffs(rng, 3, n), 10 ** rng.uniform(-1, 1)
        lmsr = kpm.LMSR(1 / alpha, q, inventory)
        worst = kpm.WorstStateMaker(n, inventory)
        plain = kpm.KnightianMaker(q, alpha, 0.0, inventory)
        nearly = kpm.KnightianMaker(q, alpha, 1e-18, inventory)
        wary = kpm.KnightianMaker(q, alpha, -np.log(q.min()), inventory)
        for quantities in (None, 2.0):
            wanted = lmsr.quotes(table, quantities)["ask"]
            assert plain.quotes(table, quantities)["ask"] == pytest.approx(wanted, rel=1e-12)
            assert nearly.quotes(table, quantities)["ask"] == pytest.approx(wanted, abs=1e-6)
            feared = worst.quotes(table, quantities)["ask"]
            assert wary.quotes(table, quantities)["ask"] == pytest.approx(feared, abs=1e-12)
        vertices = np.array([prior(rng, n), prior(rng, n)])
        bold = kpm.PolytopeMaker(vertices, 1e-9, inventory)
        neutral = kpm.PolytopeMaker(vertices, 0.0, inventory)
        wanted = neutral.quotes(table, 2.0)["ask"]
        assert bold.quotes(table, 2.0)["ask"] == pytest.approx(wanted, abs=1e-6)
        # A polytope of a single prior is LMSR.
        single = kpm.PolytopeMaker([q], alpha, inventory)
        assert single.quotes(table, 2.0)["ask"] == pytest.approx(
            lmsr.quotes(table, 2.0)["ask"], rel=1e-12
        )


def test_the_spread_of_little_ambiguity() -> None:
    """At constant wealth about 2 sqrt(2 Omega Var a), without a trade."""
    q, claim = np.array([0.4, 0.35, 0.25]), np.array([2.0, -1.0, 0.5])
    variance = q @ claim**2 - (q @ claim) ** 2
    errors = []
    for omega in (1e-4, 1e-6, 1e-8):
        spread = kpm.KnightianMaker(q, 1.0, omega).quotes(claim)["spread"][0]
        errors.append(spread / (2 * np.sqrt(2 * omega * variance)) - 1)
    assert np.abs(errors) == pytest.approx(0, abs=1e-3)
    assert abs(errors[2]) < abs(errors[0]) / 50


@pytest.mark.parametrize("omega", [0.0, 0.02, 0.3])
def test_the_depth_of_a_flat_maker(omega: float) -> None:
    """ask(s) = EVaR(a) + (alpha s / 2) Var(a) + O(s^2), the variance under the worst case."""
    q, claim, alpha = np.array([0.4, 0.35, 0.25]), np.array([2.0, -1.0, 0.5]), 0.5
    maker = kpm.KnightianMaker(q, alpha, omega)
    first = maker.quotes(claim)["ask"][0]
    s = 1e-4
    # After a little of the claim the marginal prices are the worst case, tilted by nothing.
    p = maker.replace(inventory=-1e-9 * claim).state_prices()
    assert p @ claim == pytest.approx(first, rel=1e-7)
    variance = p @ claim**2 - (p @ claim) ** 2
    slope = (maker.quotes(claim, s)["ask"][0] - first) / s
    assert slope == pytest.approx(alpha / 2 * variance, rel=1e-3)


def test_ties_that_trades_lead_to_are_ties() -> None:
    """0.1 + 0.2 and 0.3 are one position: the spread of ambiguity is back."""
    flat = kpm.KnightianMaker([0.5, 0.3, 0.2], 1.0, 0.05)
    traded = flat.replace(inventory=np.array([0.1 + 0.2, 0.3, 0.3]))
    table = np.eye(3)
    for side in ("bid", "ask"):
        assert traded.quotes(table)[side] == pytest.approx(flat.quotes(table)[side], rel=1e-12)


def test_the_same_bits_whatever_is_asked_before() -> None:
    rng = np.random.default_rng(11)
    maker = DRAWN["knightian"](rng, 5)
    table = payoffs(rng, 6, 5)
    together = maker.quotes(table, 1.5)
    for k in (5, 2, 0):
        alone = maker.quotes(table[k], 1.5)
        assert alone["bid"][0] == together["bid"][k]
        assert alone["ask"][0] == together["ask"][k]


def test_blocks_agree_with_differences_of_costs() -> None:
    """Near kinks, where the worst case leaves for other states, and where it does not move."""
    rng = np.random.default_rng(12)
    for _ in range(fewer(2000, 400)):
        n = int(rng.integers(2, 7))
        q = rng.dirichlet(np.full(n, rng.choice([0.3, 1, 3]))) * (1 - 1e-6) + 1e-6 / n
        alpha, omega = 10 ** rng.uniform(-2, 1), 10 ** rng.uniform(-3, 0.6)
        inventory = rng.normal(0, 10 ** rng.uniform(-2, 1.5), n) / alpha
        maker = kpm.KnightianMaker(q, alpha, omega, inventory)
        claim, shares = payoffs(rng, 1, n)[0], 10 ** rng.uniform(-1, 0.3) / alpha
        blocks, now = maker.quotes(claim, shares), maker.cost(-inventory)
        rounding = 1e-13 * (np.abs(inventory).max() + shares) / shares
        for side, sign in (("ask", 1.0), ("bid", -1.0)):
            wanted = sign * (maker.cost(sign * shares * claim - inventory) - now) / shares
            margin = 1e-10 * (1e-3 + np.ptp(claim)) + rounding
            assert blocks[side][0] == pytest.approx(wanted, abs=margin), maker


@every_maker
def test_constants_of_any_size_cost_themselves(draw: Draw) -> None:
    rng = np.random.default_rng(13)
    for shares in (1e-25, 1.0, 1e25):
        maker = draw(rng, 3)
        quotes = maker.quotes(np.full((1, 3), 0.4), shares)
        assert quotes["bid"] == pytest.approx(0.4, rel=1e-13)
        assert quotes["ask"] == pytest.approx(0.4, rel=1e-13)


def test_a_vast_block_of_the_quadratic_maker_pays_its_least() -> None:
    maker = kpm.QuadraticMaker([0.5, 0.3, 0.2], 2.0, [1e-9, 0, 2e-9])
    quotes = maker.quotes([1.0, -2.5, 0.0], 1e20)
    assert quotes["ask"][0] == pytest.approx(1.0, rel=1e-12)
    assert quotes["bid"][0] == pytest.approx(-2.5, rel=1e-12)


@pytest.mark.parametrize("states", [4, 7, 100])
def test_where_states_or_priors_tie_a_quote_is_the_extreme_of_their_prices(states):
    """However many tie and however many claims are quoted together, each has the same bits."""
    rng = np.random.default_rng(states)
    payoffs = rng.normal(size=(11, states))
    wealth = rng.integers(0, 2, states) * 5.0
    worst = payoffs[:, wealth == wealth.min()]
    for inventory, prices in ((wealth, worst), (np.zeros(states), payoffs)):
        quotes = kpm.WorstStateMaker(states, inventory).quotes(payoffs)
        np.testing.assert_array_equal(quotes.bid, prices.min(axis=1))
        np.testing.assert_array_equal(quotes.ask, prices.max(axis=1))
    for tied in (1, 2, 4, 5, 9):
        priors = rng.dirichlet(np.ones(states), tied)
        for risk_aversion in (0.0, 0.1):
            maker = kpm.PolytopeMaker(priors, risk_aversion)
            quotes = maker.quotes(payoffs)
            np.testing.assert_allclose(quotes.bid, (payoffs @ priors.T).min(axis=1), atol=1e-14)
            np.testing.assert_allclose(quotes.ask, (payoffs @ priors.T).max(axis=1), atol=1e-14)
            alone = [maker.quotes(payoff[None]) for payoff in payoffs]
            np.testing.assert_array_equal(quotes.bid, [one.bid[0] for one in alone])
            np.testing.assert_array_equal(quotes.ask, [one.ask[0] for one in alone])
