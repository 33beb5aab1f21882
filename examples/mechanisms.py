"""
Makers and rules side by side
=============================

One race card under three rules and seven makers, their quotes, trades in sequence, a figure:
``python examples/mechanisms.py [FIGURE.png]``.
"""

# sphinx_gallery_thumbnail_path = "images/mechanisms.png"

import math
import sys
from pathlib import Path

import kpm_fast as kpm

card, orders = kpm.read_book(Path(__file__).parent / "race_card")
prior = dict(zip(card.states, card.prior.tolist(), strict=True))
makers = {
    "Knightian": card.maker,
    "LMSR": kpm.LMSR(1000.0, prior),
    "starting orders": kpm.StartingOrders({runner: 10 * p for runner, p in prior.items()}),
    "worst state": kpm.WorstStateMaker(card.states),
    "polytope": kpm.PolytopeMaker(
        {"prior": prior, "flat": dict.fromkeys(prior, 1 / len(prior))}, card.risk_aversion
    ),
    "log utility": kpm.UtilityMaker(prior, 200.0),
    "quadratic": kpm.QuadraticMaker(prior, 100.0),
}

# The same book under every maker, by every rule that applies to it.
results = {}
for name, maker in makers.items():
    for rule in ("maker_optimal", "competitive", "pay_as_bid"):
        if rule != "maker_optimal" or isinstance(maker, kpm.KnightianMaker):
            results[name, rule] = kpm.clear(card.replace(maker=maker), orders, rule=rule)
print(f"{'maker':<16} {'rule':<14} {'price of 1':>10} {'filled':>8} {'gain':>6} {'worst':>9}")
for (name, rule), result in results.items():
    print(
        f"{name:<16} {rule:<14} {result.claim_prices[0]:10.4f} {result.volume:8.1f} "
        f"{result.gain:6.2f} {result.payoff.min():9.2f}"
    )

# Claims that nobody has ordered: either of the first two, and all but the favourite.
first, second, *_ = card.states
favourite = card.states[card.prior.argmax()]
unordered = {
    "either of two": {runner: float(runner in (first, second)) for runner in card.states},
    "not the favourite": {runner: float(runner != favourite) for runner in card.states},
}
print(f"\n{'maker':<16} {'claim':<18} {'bid':>8} {'ask':>8}   (50 shares)")
for name, maker in makers.items():
    quotes = maker.quotes(unordered, 50.0)
    for claim, bid, ask in zip(quotes.claims, quotes["bid"], quotes["ask"], strict=True):
        print(f"{name:<16} {claim:<18} {bid:8.4f} {ask:8.4f}")

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
    print(f"{name:<16} {len(paid)} trades paid {difference:9.4f}, off by {off:.0e}")

if len(sys.argv) > 1:
    from matplotlib.figure import Figure

    with kpm.plot.house_style():
        figure = Figure(figsize=(10.5, 4.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        runners = range(1, len(card.states) + 1)
        convex = [(name, results[name, "competitive"]) for name in makers]
        series = [("Knightian, maker optimal", results["Knightian", "maker_optimal"]), *convex]
        for number, (name, result) in enumerate(series):
            at = [runner + 0.09 * (number - 3.5) for runner in runners]
            marker = "osD^vPX*"[number]
            left.plot(at, result.claim_prices - card.prior, marker, label=name, markersize=6)
            right.plot(at, result.payoff, marker, markersize=6)
        left.set_title("Prices: makers and rules disagree")
        left.set_ylabel("clearing price less the prior")
        right.set_title("Risk: what each maker holds afterwards")
        right.set_ylabel("payoff if the runner wins (money)")
        right.set_yscale("symlog", linthresh=1.0)
        for axes in (left, right):
            axes.axhline(0.0, color="0.6", linewidth=0.8, zorder=0)
            axes.set_xlabel("runner")
            axes.set_xticks(list(runners))
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
        figure.savefig(sys.argv[1], dpi=150)
