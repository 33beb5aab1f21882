"""
An option that cannot be hedged
===============================

Nobody can trade the number of new jobs, so a maker of options on it cannot hedge by holding the
underlying: section 6.3 of the paper names non-farm payrolls as its first example. What protects it
is ambiguity. The greater it is, the closer the market comes to a pool that the traders fill
themselves, and the less the maker can lose, whatever is announced.
"""

import numpy as np

import kpm_fast as kpm

jobs = np.arange(-100, 401, 25)  # thousands, as announced
strikes = [50, 100, 150, 200, 250]
density = np.exp(-0.5 * ((jobs - 150) / 75.0) ** 2)
market = kpm.Market(
    np.array([jobs >= strike for strike in strikes], dtype=float),  # digital calls: pay 1 or 0
    density,
    normalize=True,
    risk_aversion=1e-3,
    claims=[f"{strike}k or more" for strike in strikes],
    states=[f"{job}k" for job in jobs],
)

# %%
# The crowd expects more jobs than the maker, and both sides trade.
rng = np.random.default_rng(63)
believed = np.exp(-0.5 * ((jobs - 175) / 75.0) ** 2)
fair = market.payoffs @ (believed / believed.sum())
claim = rng.integers(0, len(strikes), 80)
side = rng.choice([1, -1], 80)
limits = fair[claim] + side * rng.normal(0.0, 0.04, 80)
orders = kpm.Orders(claim, side, limits.round(2).clip(0.01, 0.99), rng.integers(10, 100, 80))
swept = kpm.sweep(market, orders, ambiguity=np.linspace(0.0, 0.08, 9))
for radius, volume, worst in zip(
    swept["ambiguity"], swept["volume"], swept["worst_payoff"], strict=True
):
    loss = max(0, -worst)
    print(f"ambiguity {radius:4.2f}: {volume:6.0f} shares trade, the maker can lose {loss:6.2f}")

# %%
# The maker's wealth in its worst state, against its ambiguity.
worst = swept.plot("worst_payoff")

# %%
# Its wealth by announced number, without ambiguity and with some.
confident = kpm.plot.risk(kpm.clear(market.replace(ambiguity=0.0), orders)).figure

# %%
doubtful = kpm.plot.risk(kpm.clear(market.replace(ambiguity=0.03), orders)).figure
