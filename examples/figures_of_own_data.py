"""
A researcher's day: own data, a sweep and figures
=================================================

How much does an ambiguity-averse maker earn, and what does it risk? A table of bids for call
options is cleared under many ambiguities and two risk aversions; the figures are ready for a paper.

``python figures_of_own_data.py FIGURES TABLE.csv`` does the same for a table of your own.
"""

import sys
from pathlib import Path

import numpy as np

import kpm_fast as kpm

here = Path(__file__).parent if "__file__" in globals() else Path.cwd()
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("figures")
table = Path(sys.argv[2]) if len(sys.argv) > 2 else here / "option_strip.csv"
folder.mkdir(parents=True, exist_ok=True)

# %%
# Own data: a table with a row for each order, ``strike,limit,contracts``, from a file. Its columns
# keep their names; offers would have negative numbers of contracts. A data frame is read by
# :meth:`~kpm_fast.Orders.from_frame` with the same options.
orders = kpm.Orders.from_csv(
    table,
    columns={"claim": "strike", "price": "limit", "quantity": "contracts"},
    sell="negative quantity",
)
print(f"{table.name}: {orders}")

# %%
# The market: the index ends on one of these levels, and each strike is a call. The maker's prior is
# a bell curve around the middle of the strikes.
strikes = sorted(set(orders.claim), key=float)
lowest, highest = float(strikes[0]), float(strikes[-1])
levels = np.linspace(lowest - (highest - lowest) / 2, highest + (highest - lowest) / 2, 9)
middle, deviation = (lowest + highest) / 2, 0.4 * (highest - lowest)
market = kpm.Market(
    np.maximum(levels - np.array(strikes, dtype=float)[:, None], 0.0),
    np.exp(-0.5 * ((levels - middle) / deviation) ** 2),
    normalize=True,
    risk_aversion=0.01,
    ambiguity=0.0,
    claims=strikes,
    states=[f"{level:g}" for level in levels],
)

# %%
# Where does trade stop, and what happens at ambiguities below? Orders that cross trade with each
# other at any ambiguity; the sweep then ends at the default.
stop = kpm.implied_ambiguity(market, orders)
print(f"Trade stops at {stop:.4f} nats.")
end = 1.1 * stop if 0.0 < stop < np.inf else 0.01
swept = kpm.sweep(market, orders, ambiguity=np.linspace(0.0, end, 12), risk_aversion=[0.01, 0.05])
expected = swept.plot("expected_payoff")
expected.savefig(folder / "expected.pdf")
worst = swept.plot("worst_payoff")
worst.savefig(folder / "worst.pdf")

# %%
# One of these makers in detail, drawn on axes of your own figure.
from matplotlib.figure import Figure  # noqa: E402

maker = market.replace(ambiguity=0.3 * end)
result = kpm.clear(maker, orders, certificate=True)
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
kpm.check_certificate(maker, orders, result).raise_if_failed()
print(result.message)
