"""
An operator's day: an exchange's file becomes a report for the auditor
======================================================================

The exchange writes its own columns, prices in pence, decimal commas and its own words for buy and
sell. Nothing is renamed by hand: options say which column holds what. The result is one HTML file
with prices, fills, the maker's risk and the proof that no clearing is better.
"""

import sys
from pathlib import Path

import kpm_fast as kpm

folder = Path(__file__).parent if "__file__" in globals() else Path.cwd()
target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("clearing.html")

# %%
# The market: what each claim pays by result, in pounds, and what the operator believes, both
# matched by label.
market = kpm.Market(
    {
        "Home": {"H": 1, "D": 0, "A": 0},
        "Draw": {"H": 0, "D": 1, "A": 0},
        "Away": {"H": 0, "D": 0, "A": 1},
        "Home or draw": {"H": 1, "D": 1, "A": 0},
    },
    {"A": 0.2, "D": 0.3, "H": 0.5},
    risk_aversion=0.01,
)
orders = kpm.Orders.from_csv(
    folder / "football" / "exchange.csv",
    market,
    columns={
        "order_id": "ref",
        "claim": "selection",
        "side": "bs",
        "price": "px",
        "quantity": "qty",
        "time": "entered",
    },
    sides={"B": "buy", "L": "sell"},
    price_unit=100,
)
print(orders, "- not read:", ", ".join(orders.ignored_columns))

# %%
# How much ambiguity may the maker have before trade stops?
print(kpm.advise(market, orders))

# %%
# Clear, with the proof kept, and ask about one order and one result of the match.
result = kpm.clear(market, orders, allocation="time", certificate=True)
print(result.message)
print(result.order("A1"))
settled = result.settle("D")
print(f"If it is a draw the maker is left with {settled.maker:.2f}.")

# %%
# A picture of it.
figure = result.plot()

# %%
# The file for the auditor; everything in it was computed again by independent code.
result.verify().raise_if_failed()
result.report(target, title="Saturday's match")
print(target)
