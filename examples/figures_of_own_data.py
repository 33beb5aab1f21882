"""
A researcher's day: own data, a sweep and figures
=================================================

How much does an ambiguity-averse maker earn, and what does it risk? Your own book is cleared under
many ambiguities and two risk aversions; the figures are ready for a paper.
"""

import sys
from pathlib import Path

import numpy as np

import kpm_fast as kpm

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("figures")
folder.mkdir(parents=True, exist_ok=True)

# %%
# Your own data: here a crowd's bids for an option strip.
rng = np.random.default_rng(7)
levels = np.arange(80.0, 121.0, 5.0)  # of the index
density = np.exp(-0.5 * ((levels - 100.0) / 8.0) ** 2)
strikes = [90.0, 95.0, 100.0, 105.0, 110.0]
market = kpm.Market(
    np.maximum(levels - np.array(strikes)[:, None], 0.0),
    density,
    normalize=True,
    risk_aversion=0.01,
    ambiguity=0.0,
    claims=[f"call {strike:g}" for strike in strikes],
    states=[f"{level:g}" for level in levels],
)
fair = market.payoffs @ market.prior
rows = rng.integers(0, len(strikes), 60)
orders = kpm.Orders(
    [market.claims[k] for k in rows],
    "buy",
    (fair[rows] * (1.0 + 0.15 * rng.normal(size=60))).round(2),
    rng.integers(1, 10, 60),
)

# %%
# Where does trade stop, and what happens at ambiguities up to there?
stop = kpm.implied_ambiguity(market, orders)
print(f"Trade stops at {stop:.4f} nats.")
swept = kpm.sweep(
    market, orders, ambiguity=np.linspace(0.0, 1.1 * stop, 12), risk_aversion=[0.01, 0.05]
)
expected = swept.plot("expected_payoff")
expected.savefig(folder / "expected.pdf")
worst = swept.plot("worst_payoff")
worst.savefig(folder / "worst.pdf")

# %%
# One of these makers in detail, drawn on axes of your own figure.
from matplotlib.figure import Figure  # noqa: E402

result = kpm.clear(market.replace(ambiguity=0.3 * stop), orders, certificate=True)
with kpm.plot.house_style():
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
most = max(market.claims, key=lambda claim: abs(result[claim].net_demand))
kpm.plot.staircase(result, most, axes=left)
kpm.plot.risk(result, axes=right)
figure.savefig(folder / "one_maker.pdf")

# %%
# What others need to check it: the clearing with its proof.
result.save(folder / "clearing.kpm")
kpm.check_certificate(market.replace(ambiguity=0.3 * stop), orders, result).raise_if_failed()
print(result.message)
