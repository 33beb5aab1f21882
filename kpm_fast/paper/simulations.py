"""Section 5 of the paper: simulations A and B, as data.

H. Roh and Y. Ye, *Market Making with Model Uncertainty* (2015), clear five bids under five degrees
of ambiguity (simulation A, Table 3) and under two priors (simulation B, Table 5).
``docs/paper.md`` says which parameters the available text lacks and how they were chosen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..clearing.clear import clear
from ..model.market import Market
from ..model.orders import Orders

__all__ = [
    "TABLE_3",
    "TABLE_5",
    "Bid",
    "Run",
    "Simulation",
    "Statement",
    "ambiguity_sweep",
    "simulation_a",
    "simulation_b",
]

STATES = 5
LOT = 0.001  # shares: the unit of the paper's quantities, and of the fills it reports
LIMIT = 0.18  # money per share, of every order
EXACT = 1e-6  # lots: a fill this close to a whole number of lots is that number
RISK_AVERSION = 1.0  # the text lacks the value; any alpha with alpha * LOT small gives the same
AMBIGUITIES_A = (0.0, 0.2, 0.4, 1.0, 2.0)
AMBIGUITY_B = 0.05  # the text lacks the value


@dataclass(frozen=True)
class Bid:
    """A row of Table 3 or 5: a bid for the Arrow-Debreu security of one state."""

    order: int
    security: int
    price: float
    quantity: float


TABLE_3 = tuple(Bid(i, i, LIMIT, 2 * LOT if i == 1 else LOT) for i in range(1, STATES + 1))
TABLE_5 = tuple(Bid(i, i, LIMIT, LOT) for i in range(1, STATES + 1))


@dataclass(frozen=True)
class Run:
    """One clearing.

    Attributes
    ----------
    label : str
        What distinguishes the run within its simulation.
    ambiguity : float
        Omega.
    prior : tuple of float
        q, by state.
    fills : tuple of float
        Shares, by order.
    state_prices : tuple of float
        By state; where the orders do not determine them, those closest to the prior.
    certainty_equivalent : float
        Money.
    """

    label: str
    ambiguity: float
    prior: tuple[float, ...]
    fills: tuple[float, ...]
    state_prices: tuple[float, ...]
    certainty_equivalent: float

    @property
    def lots(self) -> tuple[int, ...]:
        """Fills to the nearest 0.001 share, the unit of the paper's figures."""
        return tuple(round(fill / LOT) for fill in self.fills)


@dataclass(frozen=True)
class Statement:
    """A result that the paper states, and whether it was reproduced.

    Attributes
    ----------
    text : str
        What the paper states.
    met : bool
        Whether it was reproduced, with fills rounded to the nearest lot.
    detail : str
        The numbers that decide.
    exact : bool
        Whether it was reproduced without rounding fills to lots.
    """

    text: str
    met: bool
    detail: str
    exact: bool = True

    @property
    def verdict(self) -> str:
        """``met``, ``met to the nearest lot`` or ``NOT MET``."""
        if not self.met:
            return "NOT MET"
        return "met" if self.exact else "met to the nearest lot"


@dataclass(frozen=True)
class Simulation:
    """A simulation of section 5: its order book, its runs, and the paper's statements on them."""

    name: str
    title: str
    book: tuple[Bid, ...]
    runs: tuple[Run, ...]
    statements: tuple[Statement, ...]

    @property
    def met(self) -> bool:
        """Whether every stated result was reproduced."""
        return all(statement.met for statement in self.statements)


def uniform_prior() -> tuple[float, ...]:
    """The prior of a maker who knows nothing."""
    return (1.0 / STATES,) * STATES


def exponential_prior() -> tuple[float, ...]:
    """Probabilities proportional to ``exp(i)`` for ``i = 1, ..., 5``; 63.6 % for state 5."""
    weights = [math.exp(i - STATES) for i in range(1, STATES + 1)]
    total = math.fsum(weights)
    return tuple(weight / total for weight in weights)


def simulation_a() -> Simulation:
    """The maker's aversion to ambiguity: Table 3 cleared at five values of Omega."""
    runs = ambiguity_sweep(AMBIGUITIES_A)
    by_ambiguity = {run.ambiguity: run for run in runs}
    small = "orders 1, 2, 3 filled, 4 and 5 declined"
    statements = [
        _fills_statement(f"Omega = {omega:g}: {small}", by_ambiguity[omega], (2, 1, 1, 0, 0))
        for omega in (0.0, 0.2)
    ]
    statements.append(
        _fills_statement(
            "Omega = 0.4: 0.001 share of security 2 filled",
            by_ambiguity[0.4],
            (None, 1, None, None, None),
        )
    )
    statements += [
        _fills_statement(f"Omega = {omega:g}: no order filled", by_ambiguity[omega], (0,) * STATES)
        for omega in (1.0, 2.0)
    ]
    title = "the maker's aversion to ambiguity"
    return Simulation("A", title, TABLE_3, runs, tuple(statements))


def simulation_b() -> Simulation:
    """The maker's prior: Table 5 cleared under the uniform and the exponential prior."""
    uniform = _run("uniform prior", TABLE_5, uniform_prior(), AMBIGUITY_B)
    exponential = _run("exponential prior", TABLE_5, exponential_prior(), AMBIGUITY_B)
    percentage = 100.0 * exponential.prior[-1]
    statements = (
        Statement(
            "exponential prior: state 5 has probability 63.6 %",
            round(percentage, 1) == 63.6,
            f"{percentage:.2f} %",
        ),
        _fills_statement("uniform prior: no order filled", uniform, (0,) * STATES),
        _fills_statement(
            "exponential prior: only orders 1, 2, 3 filled", exponential, (1, 1, 1, 0, 0)
        ),
    )
    title = "the maker's prior"
    return Simulation("B", title, TABLE_5, (uniform, exponential), statements)


def ambiguity_sweep(ambiguities: Iterable[float]) -> tuple[Run, ...]:
    """Clear Table 3 under the exponential prior at each of the given values of Omega."""
    prior = exponential_prior()
    return tuple(_run(f"Omega = {omega:g}", TABLE_3, prior, omega) for omega in ambiguities)


def _run(label: str, book: Sequence[Bid], prior: Sequence[float], ambiguity: float) -> Run:
    names = [str(i) for i in range(1, STATES + 1)]
    market = Market(
        np.eye(STATES),
        prior,
        risk_aversion=RISK_AVERSION,
        ambiguity=ambiguity,
        claims=names,
        states=names,
    )
    orders = Orders(
        claim=[str(bid.security) for bid in book],
        side=["buy"] * len(book),
        price=[bid.price for bid in book],
        quantity=[bid.quantity for bid in book],
        order_id=[str(bid.order) for bid in book],
    )
    result = clear(market, orders, method="enumerate")
    return Run(
        label=label,
        ambiguity=ambiguity,
        prior=tuple(prior),
        fills=tuple(result.fills.tolist()),
        state_prices=tuple(result.state_prices.tolist()),
        certainty_equivalent=float(result.certainty_equivalent),
    )


def _fills_statement(text: str, run: Run, expected: Sequence[int | None]) -> Statement:
    """Compare fills with the paper's, in lots; None stands for "not stated"."""
    pairs = [
        (fill / LOT, want)
        for fill, want in zip(run.fills, expected, strict=True)
        if want is not None
    ]
    return Statement(
        text,
        met=all(round(lots) == want for lots, want in pairs),
        detail=f"{', '.join(in_lots(fill) for fill in run.fills)} lots",
        exact=all(abs(lots - want) < EXACT for lots, want in pairs),
    )


def in_lots(fill: float) -> str:
    """A fill in units of 0.001 share, as a whole number if it is one to within `EXACT`."""
    lots = fill / LOT
    whole = round(lots)
    return str(whole) if abs(lots - whole) < EXACT else f"{lots:.3f}"
