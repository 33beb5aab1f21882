"""
One book under every rule and seven makers
==========================================

The race card of this folder, cleared by every rule that a maker has.
"""

# sphinx_gallery_thumbnail_path = "images/staircase.png"

from pathlib import Path

import numpy as np

import kpm_fast as kpm

folder = Path(__file__).parent if "__file__" in globals() else Path.cwd()
card, orders = kpm.read_book(folder / "race_card")
prior, n = card.prior, len(card.states)
makers = {
    "Knightian": kpm.KnightianMaker(prior, card.risk_aversion, card.ambiguity),
    "LMSR, b = 1000": kpm.LMSR(1000.0, prior),
    "starting orders of 10": kpm.StartingOrders(10 * prior),
    "worst state": kpm.WorstStateMaker(n),
    "polytope of priors": kpm.PolytopeMaker(0.9 * prior + 0.1 * np.eye(n), card.risk_aversion),
    "log utility of 200": kpm.UtilityMaker(prior, 200.0),
    "quadratic, c = 100": kpm.QuadraticMaker(prior, 100.0),
}
print(
    f"{'maker':<22} {'rule':<14} {'price of runner 1':>17} {'gain':>6} {'worst':>8} {'traders':>8}"
)
for name, maker in makers.items():
    market = card.replace(maker=maker)
    for rule in ("maker_optimal", "competitive", "pay_as_bid", "pdca"):
        if rule == "maker_optimal" and not isinstance(maker, kpm.KnightianMaker):
            continue  # the rule of problem (8) is for the Knightian maker, of which LMSR is a case
        if rule == "pdca" and not isinstance(maker, kpm.StartingOrders):
            continue  # PDCA chooses among the fills of CPCAM
        result = kpm.clear(market, orders, rule=rule)
        kept = 0.0 if rule == "pay_as_bid" else result.surplus
        print(
            f"{name:<22} {rule:<14} {result.claim_prices[0]:17.4f} {result.gain:6.2f} "
            f"{result.payoff.min():8.2f} {kept:8.2f}"
        )
