"""
A podium: win and place
=======================

A state says who comes first and who second, so that claims on the winner and claims on a place are
claims on the same states. A place costs at least what the win costs, because it pays whenever the
win does.
"""

import kpm_fast as kpm
from kpm_fast import sample

market, orders = sample.win_place(runners=5, levels=3, seed=2, opinion=1.3)
print(f"{len(market.states)} states such as {market.states[0]!r}")
print(f"{len(market.claims)} claims: {', '.join(market.claims)}")
result = kpm.clear(market, orders)
print(result.message)

# %%
# The prices of wins add up to one, those of places to two, because two runners are placed.
half = len(market.claims) // 2
print(f"wins {result.claim_prices[:half].sum():.6f}, places {result.claim_prices[half:].sum():.6f}")
for win, place in zip(result.claim_prices[:half], result.claim_prices[half:], strict=True):
    assert win <= place + 1e-12

# %%
book = result.plot()
