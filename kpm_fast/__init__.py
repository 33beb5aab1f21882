"""Exact clearing of combinatorial call auctions by a market maker who is wary of its model.

The Knightian pari-mutuel mechanism of Roh and Ye (2015): claims that pay in N states, a book of
limit orders, and a market maker with constant absolute risk aversion who fears that its
probabilities are wrong. :func:`clear` finds the state prices and fills that are best for the
maker in the worst case, subject to the limit order logic, and proves it.
"""

from .archive import load_result
from .audit import check_certificate
from .book import read_book, write_book
from .certificate import Certificate
from .engine import clear, solve_cell, staircases
from .errors import InputError, KpmError, TooManyCellsError, VerificationError
from .implied import implied_ambiguity, prior_from_quotes
from .market import Market
from .orders import Order, Orders
from .progress import Progress
from .result import CellResult, Result, Stats
from .status import Status
from .verify import Check, Verification

__version__ = "0.1.0"

__all__ = [
    "CellResult",
    "Certificate",
    "Check",
    "InputError",
    "KpmError",
    "Market",
    "Order",
    "Orders",
    "Progress",
    "Result",
    "Stats",
    "Status",
    "TooManyCellsError",
    "Verification",
    "VerificationError",
    "__version__",
    "check_certificate",
    "clear",
    "implied_ambiguity",
    "load_result",
    "prior_from_quotes",
    "read_book",
    "solve_cell",
    "staircases",
    "write_book",
]
