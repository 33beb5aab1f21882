"""Types of the compiled core. Private: the public surface is :mod:`kpm_fast`.

Arrays must be C-contiguous and of the stated type; arrays that are returned are read-only. A
market or an order that breaks a rule for input is a ``ValueError``; settings have been checked.
``MemoryError``, and whatever ``progress`` raises, pass through.
"""

from collections.abc import Callable
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats, Ints

class CellSolution(TypedDict):
    """What the interior-point method found in one cell (27)."""

    status: str  # "optimal" | "infeasible" | "inaccurate"
    state_prices: Floats  # (N,) xi
    net_demand: Floats  # (K,) y
    certainty_equivalent: float  # money, at the returned point
    dual_bound: float  # money, by the Donsker-Varadhan inequality
    gap: float  # dual_bound - certainty_equivalent, money
    primal_residual: float  # largest violation, relative
    dual_residual: float
    iterations: int
    ambiguity_price: float  # money per nat: -d(certainty equivalent)/d(Omega)
    worst_case: Floats  # (N,) p
    marginal_state_prices: Floats  # (N,) g
    multipliers: Floats  # (K,) lambda, dual of pi = P xi
    seconds: float

class StopFlag:
    """Set by any thread, at any time, once and for all."""

    def set(self) -> None: ...
    def is_set(self) -> bool: ...

class Polls:
    """Counts polls of the limits, and stops a clearing at one of them: for tests."""

    def __init__(self, stop_at: int, signal: int = 0) -> None: ...  # negative: at none; or signals
    @property
    def count(self) -> int: ...
    @property
    def search(self) -> int: ...  # how many of them the search took; the rest are the selection's
    @property
    def longest(self) -> float: ...  # operations from one look to the next, at most

class ClearSettings:
    """How to clear; callbacks and stop flags are arguments of the call. Immutable."""

    def __init__(
        self,
        *,
        method: str,  # "branch-and-bound" | "enumerate"
        tolerance: float,  # relative to the scale
        threads: int,  # 0: this process's processors that no other clearing works on
        time_limit: float,  # seconds, may be inf
        node_limit: int,  # 0: none
        prune_bounds: bool,
        presolve: bool,
        certificate: bool,
        allocation: str,  # "pro_rata" | "time"
    ) -> None: ...
    def at_once(self) -> ClearSettings:
        """Return the same, but that threads do not wait for milliseconds of work: for tests."""

    def counting(self, polls: Polls) -> ClearSettings:
        """Return the same, but that every look counts: for tests, on one thread."""

class SolvedCell:
    """The answer for a cell, as it left the core."""

    def to_dict(self) -> CellSolution:
        """Make Python's numbers and arrays of it."""

class Progress(TypedDict):
    """A snapshot for the caller's callback."""

    elapsed: float  # seconds
    solved: int  # cells
    pruned_infeasible: float  # cells
    pruned_bound: float  # cells
    nodes: int  # of the tree
    open: int
    relaxations: int
    columns: int
    root_bound: float  # money
    certainty_equivalent: float  # best so far, money
    upper_bound: float  # money

class Certificate(TypedDict):
    """The leaves of a finished tree."""

    merged_into: Ints  # (K,) the claim whose staircase holds each claim's orders
    first: Ints  # (L, K) pieces of each claim's staircase
    last: Ints  # (L, K)
    worst_case: Floats  # (L, N)
    marginal_state_prices: Floats  # (L, N)
    multipliers: Floats  # (L, K)
    bound: Floats  # (L,) money; -inf where no state prices reach the box

class Work:
    """How much work a clearing was, until somebody asks."""

    def to_dict(self) -> Statistics: ...

class Statistics(TypedDict):
    """How much work a clearing was."""

    pieces: list[int]  # of each claim's staircase
    pruned_infeasible: float
    pruned_bound: float
    solved: int
    nodes: int
    open: int
    relaxations: int
    columns: int
    root_bound: float
    iterations: int  # of the interior-point method, all cells together
    threads: int  # used
    seconds: dict[str, float]  # by phase: compile, search, select, total

class Clearing(TypedDict):
    """One clearing as the core reports it."""

    status: str  # "optimal" | "time_limit" | "node_limit" | "interrupted" | "inaccurate"
    cell: Ints  # (K,) piece of each claim's staircase, numbered from the lowest price
    state_prices: Floats  # (N,)
    claim_prices: Floats  # (K,) payoffs @ state_prices; the limit itself on a step
    net_demand: Floats  # (K,) shares
    fills: Floats  # (J,) shares
    revenue: float  # money
    payoff: Floats  # (N,) money
    certainty_equivalent: float
    no_trade_equivalent: float
    upper_bound: float  # no clearing has a greater certainty equivalent
    scale: float  # money: the notional that trades, which tolerances refer to
    worst_case: Floats  # (N,)
    marginal_state_prices: Floats  # (N,)
    multipliers: Floats  # (K,)
    ambiguity_price: float  # money per nat
    certificate: Certificate | None
    stats: Work
    tolerance: None  # this and what follows: room for what makes a result of it
    allocation: None
    market: None
    orders: None

def staircases(
    payoffs: Floats,  # (K, N)
    claim: Ints,  # (J,)
    side: NDArray[np.int8],  # (J,) +1 buy, -1 sell
    price: Floats,  # (J,)
    quantity: Floats,  # (J,)
) -> list[Floats]:
    """One array (pieces, 4) a claim: price_low, price_high, demand_low, demand_high."""

def count_pieces(
    payoffs: Floats,
    claim: Ints,
    side: NDArray[np.int8],
    price: Floats,
    quantity: Floats,
) -> list[int]:
    """Pieces of each claim's staircase."""

def clear(
    payoffs: Floats,
    prior: Floats,
    inventory: Floats,
    risk_aversion: float,
    ambiguity: float,
    claim: Ints,
    side: NDArray[np.int8],
    price: Floats,
    quantity: Floats,
    time: Floats | None,  # (J,) only for allocation "time"; None: book order
    settings: ClearSettings,
    progress: Callable[[Progress], bool] | None,  # True stops
    stop: StopFlag | None,  # read without the GIL; once set it stops with "interrupted"
) -> Clearing:
    """Clear the book. The GIL is released; Ctrl-C stops with "interrupted"."""

def solve_cell(
    payoffs: Floats,
    prior: Floats,
    inventory: Floats,
    risk_aversion: float,
    ambiguity: float,
    claim: Ints,
    side: NDArray[np.int8],
    price: Floats,
    quantity: Floats,
    cell: Ints,  # (K,) valid piece indices
    tolerance: float,
    max_iterations: int,
) -> SolvedCell:
    """The interior-point method on one cell (27)."""

# A maker is stated as a dictionary: "kind", "states" and what the kind needs; see
# csrc/python/maker_model.hpp.

def maker_costs(maker: dict[str, Any], losses: Floats) -> Floats:
    """C(L) for each row of losses (R, N)."""

def maker_state_prices(maker: dict[str, Any], losses: Floats) -> Floats:
    """A gradient of C for each row of losses (R, N)."""

def maker_conjugates(maker: dict[str, Any], prices: Floats) -> Floats:
    """C*(g) for each row of state prices (R, N) on the simplex."""

def maker_vertex_conjugates(maker: dict[str, Any]) -> Floats:
    """C*(e_i), (N,)."""

def maker_quotes(
    maker: dict[str, Any],
    losses: Floats,  # (N,)
    payoffs: Floats,  # (K, N)
    quantities: Floats,  # (K, S); S = 0: the next share
) -> tuple[Floats, Floats]:
    """Bids and asks per share, (K, max(S, 1))."""

def maker_gain(
    maker: dict[str, Any],
    inventory: Floats,  # (N,)
    payoffs: Floats,  # (K, N)
    prices: Floats,  # (K,)
    net_demand: Floats,  # (K,) shares sold
    extra: float,  # money paid on top of the prices
) -> float:
    """What the trades are worth to the maker, with all its digits beside any wealth."""

def maker_size(
    maker: dict[str, Any],
    losses: Floats,  # (N,)
    payoff: Floats,  # (N,) of what is bought; negated to sell
    limit: str,  # "price" | "loss" | "budget"
    value: float,
) -> float:
    """Shares until the limit; may be infinite."""

def maker_trade(
    maker: dict[str, Any],
    losses: Floats,  # (N,)
    payoff: Floats,  # (N,) of what is bought; negated to sell
    limit: float,
    quantity: float,
) -> tuple[float, float, float, float]:
    """Shares filled, their cost, the marginal price before, the price of the last share."""

def project_prior(
    payoffs: Floats,
    prior: Floats,
    low: Floats,  # (K,) claim prices, money per share, may be infinite
    high: Floats,  # (K,)
) -> tuple[bool, bool, Floats, float]:
    """Whether state prices reach the ranges, whether they are the nearest; they, and KL in nats."""

def available_processors() -> int:
    """Processors that affinity and the CPU quotas of control groups leave this process."""

class Auction(TypedDict):
    """A clearing by a convex rule."""

    status: str  # "optimal" | "time_limit" | "interrupted" | "inaccurate"
    cell: Ints  # (K,) piece of each claim's staircase, numbered from the lowest price
    state_prices: Floats  # (N,) the maker's marginal state prices
    claim_prices: Floats  # (K,)
    net_demand: Floats  # (K,) shares
    fills: Floats  # (J,) shares
    revenue: float  # money, as the rule has it
    payoff: Floats  # (N,) money
    certainty_equivalent: float  # -C of the final losses
    no_trade_equivalent: float
    objective: float  # the certainty equivalent if every order paid its limit
    upper_bound: float  # of the objective, by duality
    scale: float  # money: the notional that trades, which the tolerance refers to
    worst_case: Floats  # (N,)
    marginal_state_prices: Floats  # (N,)
    multipliers: Floats  # (K,) zeros
    ambiguity_price: float
    pieces: list[int]
    iterations: int
    seconds: dict[str, float]

def clear_auction(
    maker: dict[str, Any],
    payoffs: Floats,  # (K, N)
    inventory: Floats,  # (N,)
    claim: Ints,
    side: NDArray[np.int8],
    price: Floats,
    quantity: Floats,
    time: Floats | None,  # (J,) only for allocation "time"; None: book order
    allocation: str,  # "pro_rata" | "time"
    rule: str,  # "competitive" | "pay_as_bid" | "pdca"
    tolerance: float,  # relative to the scale
    time_limit: float,  # seconds, may be infinite
    stop: StopFlag | None,
) -> Auction:
    """Clear the book by a convex rule.

    The GIL is released; Ctrl-C, and the flag once it is set, stop with "interrupted".
    """

class Batch(TypedDict):
    """Many clearings, as columns. B books, J orders in all."""

    status: NDArray[np.int8]  # (B,) as kpm::Status; -1 not reached, -2 refused
    # (B, 7) certainty and no-trade equivalent, objective, bound, revenue, scale, gain
    values: Floats
    fills: Floats  # (J,)
    claim_prices: Floats  # of all books, one after the other
    state_prices: Floats
    payoff: Floats
    claim_first: Ints  # (B + 1,) where in claim_prices a book begins
    state_first: Ints  # (B + 1,)
    faults: list[tuple[int, Fault]]  # book, what is wrong

def clear_many(
    markets: list[tuple[dict[str, Any], Floats, Floats]],  # maker, payoffs, inventory
    market_of: Ints,  # (B,)
    first: Ints,  # (B + 1,) rows of orders
    claim: Ints,  # (J,)
    side: NDArray[np.int8],
    price: Floats,
    quantity: Floats,
    time: Floats | None,
    settings: ClearSettings,  # time and node limits are of each book
    rule: str,
    stop: StopFlag | None,
) -> Batch:
    """Clear many books, each on one thread. The GIL is released; Ctrl-C and the flag stop."""

#: Field, rule in words, index, state and value; -1 where there is no index or state.
Fault = tuple[str, str, int, int, float]

def market_fault(
    payoffs: Floats, prior: Floats, inventory: Floats, risk_aversion: float, ambiguity: float
) -> Fault | None: ...
def price_fault(price: Floats) -> Fault | None: ...
def quantity_fault(quantity: Floats) -> Fault | None: ...
def plain_orders(
    claim: object, side: object, price: object, quantity: object, /
) -> tuple[Ints, NDArray[np.int8], Floats, Floats] | None: ...
def plain_market(
    payoffs: object,
    prior: object,
    inventory: object,
    risk_aversion: float,
    ambiguity: float,
    /,
) -> tuple[Floats, Floats, Floats] | None: ...
def build_info() -> dict[str, str]:
    """Compiler, flags and version the core was built with."""

class Engine:
    """A market and its orders. It serves one thread at a time: its owner holds a lock."""

    def __init__(
        self,
        maker: dict[str, Any],
        payoffs: Floats,  # (K, N)
        inventory: Floats,  # (N,)
        orders: int,  # to make room for
        numbers: dict[str, int],  # by name: changed with the book
        names: dict[int, str],  # by number
    ) -> None: ...
    def add(
        self, claim: int, side: int, price: float, quantity: float, order_id: int, name: str
    ) -> Fault | None: ...
    def cancel(self, order_id: int, name: str) -> Fault | None: ...
    def reduce(self, order_id: int, quantity: float) -> Fault | None:
        """Leave so much of it."""

    def replace(self, order_id: int, price: float, quantity: float) -> Fault | None: ...
    def remove_all(self) -> None: ...
    def set_market(
        self, maker: dict[str, Any], payoffs: Floats, inventory: Floats, owner: object, market: Any
    ) -> Fault | None:
        """Also set the owner's ``_market``, unless there is a fault."""

    def changes(self) -> int:
        """Return a number that changes with the orders; raise KpmError during a clearing."""

    def find(self, order_id: int) -> tuple[int, int, float, float]:
        """Return claim, side, price and quantity of an order that is in the book."""

    def orders(self) -> tuple[Ints, NDArray[np.int8], Floats, Floats, Ints]:
        """Return claim, side, price, quantity and id, (J,) each, by priority."""

    def clear(
        self,
        settings: ClearSettings,
        progress: Callable[[Progress], bool] | None,
        stop: StopFlag | None,
        cold: bool,
    ) -> Clearing: ...
    def clear_auction(
        self,
        allocation: str,
        rule: str,
        tolerance: float,
        time_limit: float,
        stop: StopFlag | None,
        cold: bool,
    ) -> Auction:
        """Clear the book by a convex rule; arguments as for the function."""

    def warm_clearings(self) -> int: ...
    def snapshot(self) -> bytes: ...
    def restore(self, snapshot: bytes) -> Fault | None: ...
    def state_hash(self) -> int: ...
