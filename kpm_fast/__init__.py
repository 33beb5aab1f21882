"""Exact clearing of combinatorial call auctions by a market maker who is wary of its model.

The Knightian pari-mutuel mechanism of Roh and Ye (2015): claims that pay in N states, a book of
limit orders, and a market maker with constant absolute risk aversion who fears that its
probabilities are wrong. :func:`clear` finds the state prices and fills that are best for the
maker in the worst case, subject to the limit order logic, and proves it.
"""

from ._version import __version__
from .clearing.clear import clear, solve_cell, staircases
from .clearing.progress import Progress
from .errors import InputError, KpmError, TooManyCellsError, VerificationError
from .model.certificate import Certificate
from .model.market import Market
from .model.orders import Order, Orders
from .model.outcome import CellResult, Stats
from .model.status import Status
from .result import Result, load_result
from .storage.book_folder import read_book, write_book
from .verification.certificate_checks import check_certificate
from .verification.checks import Check, Verification

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
    "load_result",
    "read_book",
    "solve_cell",
    "staircases",
    "write_book",
]
