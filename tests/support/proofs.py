"""Certificates made without the search: every cell of a small book a leaf, none merged."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
from scipy.optimize import linprog

import kpm_fast as kpm
from adapter import market_of, orders_of
from kpm_fast.verification import reference
from witness import Book

#: A small book with a claim of many payoffs.
MARKET = kpm.Market(
    [[1, 0, 0], [0, 1, 0], [2, -1, 0.5]],
    [0.3, 0.3, 0.4],
    inventory=[0.5, 0.0, -0.25],
    risk_aversion=0.8,
    ambiguity=0.1,
)
ORDERS = kpm.Orders(
    [0, 1, 0, 2, 2, 1],
    ["buy", "buy", "sell", "sell", "buy", "sell"],
    [0.6, 0.4, 0.5, 0.3, 0.2, 0.4],
    [1, 1, 0.5, 1.5, 1, 0.25],
)


class Unprovable(Exception):
    """Some cell is out of reach by less than the linear program can resolve."""


def separating_multipliers(payoffs: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the lambda, each at most 1 in size, that best separates the price ranges.

    Minimise sum_k max(lambda_k low_k, lambda_k high_k) + max_i(-sum_k lambda_k P_ki), a linear
    program in lambda, the K maxima and the last one; negative if no state prices reach the ranges.
    Claims are shifted to a least payoff of zero, which changes nothing but the digits.
    """
    least = payoffs.min(axis=1)
    payoffs, low, high = payoffs - least[:, None], low - least, high - least
    claims, states = payoffs.shape
    each, one = np.eye(claims), np.ones((states, 1))
    above = np.vstack(
        [
            np.hstack([np.diag(low), -each, np.zeros((claims, 1))]),
            np.hstack([np.diag(high), -each, np.zeros((claims, 1))]),
            np.hstack([-payoffs.T, np.zeros((states, claims)), -one]),
        ]
    )
    cost = np.concatenate([np.zeros(claims), np.ones(claims + 1)])
    bounds = [(-1, 1)] * claims + [(None, None)] * (claims + 1)
    answer = linprog(cost, A_ub=above, b_ub=np.zeros(len(above)), bounds=bounds, method="highs")
    if answer.fun > -1e-6:
        raise Unprovable
    return np.asarray(answer.x[:claims])


def prove(market: kpm.Market, orders: kpm.Orders, **options: Any) -> kpm.Result:
    """Clear a book by enumeration and certify every cell."""
    result = kpm.clear(market, orders, threads=1, **options)
    stairs = kpm.staircases(market, orders)
    rows: list[tuple[Any, ...]] = []
    for cell in itertools.product(*(range(len(steps)) for steps in stairs)):
        pieces = np.array([steps[j] for steps, j in zip(stairs, cell, strict=True)])
        found = kpm.solve_cell(market, orders, cell)
        if found.status is kpm.Status.INFEASIBLE:
            away = separating_multipliers(market.payoffs, pieces[:, 0], pieces[:, 1])
            rows.append((cell, cell, market.prior, market.prior, away, -np.inf))
        else:
            rows.append((cell, cell, *_reasons(market, result.scale, pieces, found)))
    proof = kpm.Certificate(*map(np.array, zip(*rows, strict=True)))
    upper = max(result.certainty_equivalent, proof.upper_bound)
    if upper > result.upper_bound + result.tolerance * result.scale:
        raise Unprovable
    return dataclasses.replace(result, upper_bound=upper, certificate=proof)


def _reasons(
    market: kpm.Market, scale: float, pieces: np.ndarray, found: kpm.CellResult
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return p, g, lambda and what they prove; huge multipliers are clipped, which loosens it."""
    p, g = found.worst_case, found.marginal_state_prices
    span = np.ptp(market.payoffs, axis=1)
    most = 1e3 * scale / np.where(span > 0, span, scale)
    multipliers = np.clip(found.multipliers, -most, most)
    book = (market.payoffs, market.inventory, market.risk_aversion)
    bound = reference.cell_bound(*book, pieces, p, g, multipliers)
    # Of a step that dwarfs what trades only a part is bounded by the cell's own multipliers.
    return p, g, multipliers, max(bound, found.dual_bound)


def prove_book(book: Book) -> kpm.Result:
    """:func:`prove` for a book of the witnesses."""
    return prove(market_of(book), orders_of(book))
