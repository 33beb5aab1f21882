"""
An option strip with a smile
============================

Calls on an index whose implied volatility is higher for low strikes. The maker's prior has one
volatility; the crowd knows better, and the clearing prices show its smile.
"""

import math

import numpy as np
from matplotlib.figure import Figure

import kpm_fast as kpm

YEARS, FORWARD = 0.25, 100.0
strikes = np.arange(80.0, 121.0, 5.0)


def call_price(strike: float, volatility: float) -> float:
    """Black's price of a call, without interest."""
    spread = volatility * math.sqrt(YEARS)
    high = math.log(FORWARD / strike) / spread + spread / 2
    normal = [0.5 * math.erfc(-x / math.sqrt(2)) for x in (high, high - spread)]
    return FORWARD * normal[0] - strike * normal[1]


def implied_volatility(strike: float, price: float) -> float:
    """Black's price, solved for the volatility by bisection."""
    low, high = 1e-3, 3.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if call_price(strike, middle) < price else (low, middle)
    return low


# %%
# The states are levels of the index; the maker believes in one volatility of 20 %.
levels = np.linspace(50.0, 160.0, 111)
spread = 0.2 * math.sqrt(YEARS)
density = np.exp(-0.5 * ((np.log(levels / FORWARD) + spread**2 / 2) / spread) ** 2) / levels
market = kpm.Market(
    np.maximum(levels - strikes[:, None], 0.0),
    density,
    normalize=True,
    risk_aversion=1e-4,
    ambiguity=0.001,
    claims=[f"call {strike:g}" for strike in strikes],
    states=[f"{level:g}" for level in levels],
)

# %%
# The crowd bids and offers around a smile: 1, 2 and 3 % below and above its prices.
smile = 0.2 + 0.25 * (np.log(strikes / FORWARD)) ** 2 * 4 - 0.15 * np.log(strikes / FORWARD)
fair = np.array([call_price(k, v) for k, v in zip(strikes, smile, strict=True)])
rows = []
for depth in (1, 2, 3):
    for claim, price in zip(market.claims, fair, strict=True):
        rows.append((claim, "buy", price * (1 - 0.01 * depth), 40 * depth))
        rows.append((claim, "sell", price * (1 + 0.01 * depth), 40 * depth))
orders = kpm.Orders(*zip(*rows, strict=True))
result = kpm.clear(market, orders)
print(result.message)

# %%
# Volatilities implied by the maker's own prices, by the crowd's, and by the clearing's.
own = market.payoffs @ market.prior
prior = [implied_volatility(k, p) for k, p in zip(strikes, own, strict=True)]
cleared = [implied_volatility(k, p) for k, p in zip(strikes, result.claim_prices, strict=True)]
with kpm.plot.house_style():
    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    axes = figure.subplots()
    for name, line, style in (
        ("crowd", smile, "o"),
        ("maker's prior", prior, "--"),
        ("clearing", cleared, "-"),
    ):
        axes.plot(strikes, 100 * np.array(line), style, label=name)
    axes.set_xlabel("strike")
    axes.set_ylabel("implied volatility (%)")
    axes.set_title("The clearing follows the crowd's smile")
    axes.legend()
