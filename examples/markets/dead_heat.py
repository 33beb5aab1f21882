"""
A dead heat
===========

Two runners may finish together, and then a bet on either pays half. That is a state of its own, in
which two claims pay one half: nothing else changes, and the prices still add up to one.
"""

import numpy as np

import kpm_fast as kpm

states = ["Ada", "Bea", "Cy", "Ada and Bea together"]
market = kpm.Market(
    {
        "Ada": [1, 0, 0, 0.5],
        "Bea": [0, 1, 0, 0.5],
        "Cy": [0, 0, 1, 0],
    },
    [0.38, 0.37, 0.23, 0.02],
    states=states,
    risk_aversion=0.005,
    ambiguity=0.0005,
)
orders = kpm.Orders(
    claim=["Ada", "Ada", "Bea", "Bea", "Cy", "Cy", "Ada"],
    side=["buy", "sell", "buy", "sell", "buy", "sell", "buy"],
    price=[0.50, 0.44, 0.36, 0.31, 0.22, 0.19, 0.48],
    quantity=[40, 25, 30, 10, 30, 15, 20],
    order_id=["a1", "a2", "b1", "b2", "c1", "c2", "a3"],
)
result = kpm.clear(market, orders)
print(result.claim_prices.round(4), "add up to", round(float(result.claim_prices.sum()), 12))

# %%
# In a dead heat every share of Ada or Bea pays half.
for state in states:
    settled = result.settle(state)
    ada, bea = settled.net[[0, 2]]
    print(f"{state:>20}: a1 {ada:7.2f}, b1 {bea:7.2f}, maker {settled.maker_net:7.2f}")
halved = result.settle("Ada and Bea together").net
assert np.isclose(halved[0], result.fills[0] * (0.5 - result.claim_prices[0]))

# %%
book = result.plot()

# %%
risk = kpm.plot.risk(result).figure
