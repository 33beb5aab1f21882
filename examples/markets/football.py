"""
A football match
================

The states are goal differences. Home, draw, away and handicaps are claims on the same states, so
one clearing prices all of them: a handicap's bids meet offers on the result.
"""

import kpm_fast as kpm
from kpm_fast import sample

market, orders = sample.football(lines=2, levels=3, seed=4, opinion=1.2)
print(f"{len(market.states)} states: {', '.join(market.states)}")
print(f"{len(market.claims)} claims: {', '.join(market.claims)}")
result = kpm.clear(market, orders)

# %%
# Home, draw and away together pay one for certain, and cost that.
parts = sum(result[claim].price for claim in ("Home", "Draw", "Away"))
print(f"Home, Draw and Away: {parts:.12f}")

# %%
# The six claims that trade most.
volume = {claim: result[claim].fills.sum() for claim in market.claims}
most = sorted(volume, key=lambda claim: -volume[claim])[:6]
book = kpm.plot.book(result, [claim for claim in market.claims if claim in most])[0].figure

# %%
fills = kpm.plot.fills(result).figure
