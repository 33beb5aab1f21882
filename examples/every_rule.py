"""
Two books under every rule and seven makers
===========================================

A race card and a strip of options, cleared by every rule that a maker has; quotes for claims that
nobody has ordered; trades in sequence; and a figure, written by
``python examples/every_rule.py FIGURE.png``.
"""

# sphinx_gallery_thumbnail_path = "images/mechanisms.png"

import math
import sys
import timeit
from functools import partial
from pathlib import Path

import numpy as np

import kpm_fast as kpm

RULES = ("maker_optimal", "competitive", "pay_as_bid", "pdca")
folder = Path(__file__).parent if "__file__" in globals() else Path.cwd()
books = {
    "race card": kpm.read_book(folder / "race_card"),
    "calls and puts": kpm.sample.option_strip(levels=2, seed=3, crossed=0.5, opinion=1.5),
}


def makers_of(market: kpm.Market) -> dict[str, kpm.Maker]:
    """The seven makers, all with the market's prior where they have one."""
    prior = dict(zip(market.states, market.prior.tolist(), strict=True))
    doubts = {s: {t: 0.9 * p + 0.1 * (s == t) for t, p in prior.items()} for s in prior}
    return {
        "Knightian": kpm.KnightianMaker(prior, market.risk_aversion, market.ambiguity),
        "LMSR, b = 1000": kpm.LMSR(1000.0, prior),
        "starting orders of 10": kpm.StartingOrders({s: 10 * p for s, p in prior.items()}),
        "worst state": kpm.WorstStateMaker(market.states),
        "polytope of priors": kpm.PolytopeMaker(doubts, market.risk_aversion),
        "log utility of 200": kpm.UtilityMaker(prior, 200.0),
        "quadratic, c = 100": kpm.QuadraticMaker(prior, 100.0),
    }


def rules_of(maker: kpm.Maker) -> list[str]:
    """The rules that a maker has."""
    lacks = {
        "maker_optimal": not isinstance(maker, kpm.KnightianMaker),  # LMSR is a case of it
        "pdca": not isinstance(maker, kpm.StartingOrders),  # it chooses among the fills of CPCAM
    }
    return [rule for rule in RULES if not lacks.get(rule)]


def from_shading(market: kpm.Market, orders: kpm.Orders, rule: str, worth: float) -> float:
    """The share of one more bidder's best surplus that comes from bidding less than the value.

    It would spend 10 on the first claim, and values it a quarter above what it is ``worth``.
    """
    value = 1.25 * worth
    surplus = []
    for bid in value * (1.0 - np.append(0.0, np.geomspace(1e-3, 0.5, 24))):
        more = kpm.Orders(
            [*orders.claim, market.claims[0]],
            [*orders.side, 1],
            [*orders.price, bid],
            [*orders.quantity, 10.0 / value],
        )
        result = kpm.clear(market, more, rule=rule)
        surplus.append(result.fills[-1] * (value - result.paid_prices[-1]))
    best = max(surplus)
    return 1.0 - surplus[0] / best if best > 0.0 else 0.0


results = {}
head = f"{'maker':<22} {'rule':<14} {'price':>8} {'gain':>6} {'worst':>9} {'traders':>8}"
for book, (own, orders) in books.items():
    rows = []
    for name, maker in makers_of(own).items():
        market = own.replace(maker=maker)
        for rule in rules_of(maker):
            result = kpm.clear(market, orders, rule=rule)
            results[book, name, rule] = result
            again = partial(kpm.clear, market, orders, rule=rule)
            seconds = min(timeit.repeat(again, number=1, repeat=9))
            shaded = from_shading(market, orders, rule, own.payoffs[0] @ own.prior)
            rows.append((name, rule, result, shaded, seconds))
    fastest = min(seconds for *_, seconds in rows)
    print(f"\n{book}: {len(own.states)} states, {len(own.claims)} claims, {len(orders)} orders")
    print(f"{head} {'shading':>8} {'time':>6}")
    for name, rule, result, shaded, seconds in rows:
        kept = 0.0 if rule == "pay_as_bid" else result.surplus
        gain, worst = (round(x, 2) + 0.0 for x in (result.gain, float(result.payoff.min())))
        print(
            f"{name:<22} {rule:<14} {result.claim_prices[0]:8.4f} {gain:6.2f} {worst:9.2f} "
            f"{kept:8.2f} {100 * shaded:6.1f} % {seconds / fastest:6.1f}"
        )

# Claims that nobody has ordered: either of the first two, and all but the favourite.
card, orders = books["race card"]
makers = makers_of(card)
first, second, *_ = card.states
favourite = card.states[card.prior.argmax()]
unordered = {
    "either of two": {runner: float(runner in (first, second)) for runner in card.states},
    "not the favourite": {runner: float(runner != favourite) for runner in card.states},
}
print(f"\n{'maker':<22} {'claim':<18} {'bid':>8} {'ask':>8}   (50 shares)")
for name, maker in makers.items():
    quotes = maker.quotes(unordered, 50.0)
    for claim, bid, ask in zip(quotes.claims, quotes["bid"], quotes["ask"], strict=True):
        print(f"{name:<22} {claim:<18} {bid:8.4f} {ask:8.4f}")

# Trades in sequence pay the difference of costs in all, whatever their order.
print()
for name, start in makers.items():
    maker, paid = start, []
    for claim in unordered.values():
        for side in ("buy", "sell", "buy"):
            trade, maker = maker.trade(claim, side, math.inf if side == "buy" else 0.3, 20.0)
            paid.append(trade.payment)
    difference = maker.cost(-maker.inventory) - start.cost(-start.inventory)
    off = abs(math.fsum(paid) - difference)
    assert off <= 1e-12, (name, off)
    print(f"{name:<22} {len(paid)} trades paid {difference:9.4f}, off by {off:.0e}")

# A row of the figure for prices and one for risk, a column for each rule.
MARKS = dict(zip(makers, ("o", "s", "p", "^", "h", "v", "d"), strict=True))
COLOURS = ("#0072B2", "#D55E00", "#56B4E9", "#009E73", "#E69F00", "#CC79A7", "#222222")
try:
    from matplotlib.figure import Figure
except ImportError:
    print("\nThe figure needs matplotlib.")
else:
    with kpm.plot.house_style():
        figure = Figure(figsize=(10.8, 6.8), layout="constrained")
        panels = figure.subplots(2, 3, sharex=True, sharey="row")
        runners = np.arange(1, len(card.states) + 1)
        for rule, (above, below) in zip(RULES, panels.T, strict=False):
            for number, (name, colour) in enumerate(zip(makers, COLOURS, strict=True)):
                if rule not in rules_of(makers[name]):
                    continue
                result = results["race card", name, rule]
                at = runners + 0.12 * (number - 3)
                style = {"color": colour, "marker": MARKS[name], "ls": "", "markersize": 5.5}
                above.plot(at, result.claim_prices - card.prior, label=name, **style)
                below.plot(at, result.payoff, **style)
            above.set_title(rule.replace("_", " "))
            below.set_xlabel("runner")
            below.set_xticks(runners)
            for axes in (above, below):
                axes.axhline(0.0, color="#8A8A8A", linewidth=0.8, zorder=1)
                for runner in runners[1::2]:
                    axes.axvspan(
                        runner - 0.5, runner + 0.5, color="#E3E3E3", alpha=0.4, linewidth=0
                    )
                axes.set_xlim(0.5, len(runners) + 0.5)
        panels[0, 0].set_ylabel("clearing price less the prior\n(money per share)")
        panels[1, 0].set_ylabel("maker's payoff if the runner wins\n(money)")
        panels[1, 0].set_yscale("symlog", linthresh=10.0, linscale=0.6)
        payoffs = (-1000, -100, -10, 0, 10, 100)
        panels[1, 0].set_yticks(payoffs, [f"{payoff:,}".replace("-", "−") for payoff in payoffs])
        panels[1, 0].set_ylim(-3000.0, 250.0)
        panels[1, 0].minorticks_off()
        figure.suptitle(
            "One race card under every maker and rule", x=0.02, ha="left", weight="bold"
        )
        figure.legend(
            *panels[0, 1].get_legend_handles_labels(), loc="outside lower center", ncols=4
        )
    if __name__ == "__main__" and len(sys.argv) > 1:
        figure.savefig(sys.argv[1], dpi=150)
