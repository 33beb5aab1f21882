"""
A race card
===========

Six runners and a claim on each; one of them wins, so the prices of all claims add up to one. Bets
on one runner pay for bets on another, so that the maker takes only the difference.
"""

from pathlib import Path

import kpm_fast as kpm

here = Path(__file__).parent if "__file__" in globals() else Path.cwd()
market, orders = kpm.read_book(here.parent / "race_card")
result = kpm.clear(market, orders)
print(result.message)
print(f"The prices add up to {result.claim_prices.sum():.6f}.")

# %%
# Bids and offers on each runner, filled ones in bold.
book = result.plot()

# %%
# What is left for the maker: its wealth for each possible winner.
risk = kpm.plot.risk(result).figure
