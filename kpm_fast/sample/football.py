"""One football match: match odds, Asian handicap lines and totals on one set of states."""

from __future__ import annotations

import math
from typing import Literal

from ..arrays import check_choice
from ..model.market import DEFAULT_AMBIGUITY, Market
from ..model.orders import Orders
from .assemble import Claim, assemble
from .depth import Liquidity, choose_depth, require_count
from .draws import Draws
from .ladder import odds_ladder

_GOALS = 25  # more goals per side are too unlikely to matter in a prior of six digits
_FAR = 4  # goal differences of four or more are one state

States = Literal["differences", "scores"]
_Key = tuple[int, int, int]  # home goals, away goals (both -1: more than listed), difference


def football(
    states: States = "differences",
    levels: int | tuple[int, int] | None = None,
    seed: int = 0,
    *,
    lines: int = 4,
    goals: int = 3,
    liquidity: Liquidity = "liquid",
    crossed: float = 0.3,
    opinion: float = 1.0,
    risk_aversion: float = 1e-3,
    ambiguity: float = DEFAULT_AMBIGUITY,
) -> tuple[Market, Orders]:
    """One match: home, draw and away, and half-goal handicaps and totals.

    Goals are independent Poisson draws; the sides' means are log-normal about 1.5 and 1.15. With
    "differences" the states are ``D <= -4, ..., D >= 4``. With "scores" each score of at most
    `goals` per side is a state, and every goal difference has one more state for all higher
    scores. Every claim's payoff is thus the same throughout a state.

    Both sides of a handicap are quoted, as exchanges do: "Home -1.5" and "Away +1.5" are two
    claims, each the complement of the other.

    Parameters
    ----------
    states : {"differences", "scores"}
        Totals are quoted with "scores" only: a goal difference does not tell the total.
    levels : int or (int, int), optional
        Orders per side and claim, as in :func:`race_card`.
    seed : int
        Same seed, same book.
    lines : int
        Number of handicap lines 0.5, 1.5, ... given to each side, from 0 to 4.
    goals : int
        Most goals per side that "scores" distinguishes, from 1 to 8; totals are quoted on
        the lines 0.5, ..., ``goals + 0.5``.
    liquidity, crossed, opinion, risk_aversion, ambiguity
        As in :func:`race_card`.

    Returns
    -------
    market : Market
    orders : Orders

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market, orders = kpm.sample.football(seed=1)
    >>> len(market.claims) > 1, len(orders) > 1
    (True, True)
    """
    check_choice(states, ("differences", "scores"), "states")
    require_count("lines", lines, 0, _FAR)
    require_count("goals", goals, 1, 8)
    depth = choose_depth(liquidity, levels, crossed)
    draws = Draws(seed)
    home, away = draws.lognormal(1.5, 0.3), draws.lognormal(1.15, 0.3)
    told_apart = goals if states == "scores" else -1
    weights = _state_weights(home, away, told_apart)
    keys = sorted(weights, key=lambda key: (key[0] < 0, key))
    claims = _result_claims(keys) + _handicap_claims(keys, lines)
    if states == "scores":
        claims += _total_claims(keys, goals)
    return assemble(
        draws,
        claims,
        [_label(key, states) for key in keys],
        [weights[key] for key in keys],
        depth,
        opinion,
        risk_aversion,
        ambiguity,
    )


def _state_weights(home: float, away: float, told_apart: int) -> dict[_Key, float]:
    """Probability of each state; scores above `told_apart` are merged by their difference."""
    weights: dict[_Key, float] = {}
    for scored in range(_GOALS):
        for conceded in range(_GOALS):
            difference = max(-_FAR, min(_FAR, scored - conceded))
            listed = max(scored, conceded) <= told_apart
            key = (scored, conceded, difference) if listed else (-1, -1, difference)
            weight = _poisson(home, scored) * _poisson(away, conceded)
            weights[key] = weights.get(key, 0.0) + weight
    return weights


def _poisson(mean: float, count: int) -> float:
    return math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))


def _result_claims(keys: list[_Key]) -> list[Claim]:
    return [
        _claim("Home", [difference > 0 for _, _, difference in keys]),
        _claim("Draw", [difference == 0 for _, _, difference in keys]),
        _claim("Away", [difference < 0 for _, _, difference in keys]),
    ]


def _handicap_claims(keys: list[_Key], lines: int) -> list[Claim]:
    claims = []
    for goals in range(-lines, lines):
        start = goals + 0.5  # the home side's handicap
        home = [difference + start > 0 for _, _, difference in keys]
        claims.append(_claim(f"Home {start:+g}", home))
        claims.append(_claim(f"Away {-start:+g}", [not wins for wins in home]))
    return claims


def _total_claims(keys: list[_Key], goals: int) -> list[Claim]:
    claims = []
    for whole in range(goals + 1):
        over = [home < 0 or home + away > whole for home, away, _ in keys]
        claims.append(_claim(f"Over {whole + 0.5:g}", over))
        claims.append(_claim(f"Under {whole + 0.5:g}", [not wins for wins in over]))
    return claims


def _claim(label: str, wins: list[bool]) -> Claim:
    return Claim(label, tuple(map(float, wins)), odds_ladder())


def _label(key: _Key, states: States) -> str:
    home, away, difference = key
    if home >= 0:
        return f"{home}-{away}"
    sign = "<=" if difference == -_FAR else ">=" if difference == _FAR else "="
    margin = f"D{sign}{difference}"
    return margin if states == "differences" else f"other {margin}"
