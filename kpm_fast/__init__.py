"""Combinatorial call auctions with an ambiguity-averse market maker, cleared to optimality.

The Knightian pari-mutuel mechanism of Roh and Ye (2015): claims that pay in N states, a book of
limit orders, and a market maker with constant absolute risk aversion who fears that its
probabilities are wrong. :func:`clear` finds the state prices and fills that are best for the
maker in the worst case, subject to the limit order logic, and proves it.
"""

from . import _built as _built  # first: it says what is wrong where nothing is compiled
from . import plot, sample
from ._version import __version__
from .analysis.advice import Advice, advise
from .analysis.sweep import Sweep, sweep
from .clearing.clear import clear, solve_cell, staircases
from .clearing.clear_many import clear_many
from .clearing.implied import implied_ambiguity, prior_from_quotes
from .clearing.pool import pool_odds
from .clearing.progress import Progress
from .clearing.stop_token import StopToken
from .embedding import get_include, get_libraries, get_library_dirs
from .engine.engine import Engine
from .errors import InputError, KpmError, TooManyCellsError, VerificationError
from .model.batch import Batch
from .model.books import Books
from .model.certificate import Certificate, DualCertificate
from .model.densities import prior_from_density, uniform_prior
from .model.extract import ClaimResult, OrderResult, Settlement
from .model.maker import Maker
from .model.makers import (
    LMSR,
    KnightianMaker,
    PolytopeMaker,
    QuadraticMaker,
    StartingOrders,
    UtilityMaker,
    WorstStateMaker,
)
from .model.market import Market
from .model.order import Order
from .model.orders import Orders
from .model.outcome import CellResult
from .model.quotes import Quotes, Trade
from .model.stats import Stats
from .model.status import Status
from .reports.report import write_report
from .result import Result, load_result, use_reports
from .storage.book_folder import read_book, write_book
from .verification.certificate_checks import check_certificate
from .verification.checks import Check, Verification

__all__ = [
    "LMSR",
    "Advice",
    "Batch",
    "Books",
    "CellResult",
    "Certificate",
    "Check",
    "ClaimResult",
    "DualCertificate",
    "Engine",
    "InputError",
    "KnightianMaker",
    "KpmError",
    "Maker",
    "Market",
    "Order",
    "OrderResult",
    "Orders",
    "PolytopeMaker",
    "Progress",
    "QuadraticMaker",
    "Quotes",
    "Result",
    "Settlement",
    "StartingOrders",
    "Stats",
    "Status",
    "StopToken",
    "Sweep",
    "TooManyCellsError",
    "Trade",
    "UtilityMaker",
    "Verification",
    "VerificationError",
    "WorstStateMaker",
    "__version__",
    "advise",
    "check_certificate",
    "clear",
    "clear_many",
    "get_include",
    "get_libraries",
    "get_library_dirs",
    "implied_ambiguity",
    "load_result",
    "plot",
    "pool_odds",
    "prior_from_density",
    "prior_from_quotes",
    "read_book",
    "sample",
    "solve_cell",
    "staircases",
    "sweep",
    "uniform_prior",
    "write_book",
]

use_reports(write_report)  # Result.report is below what clears anew for it
del use_reports, write_report
