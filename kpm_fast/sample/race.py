"""Races: the winner's market, and winner and placed runners on one joint state space."""

from __future__ import annotations

import math
from itertools import permutations

from ..model.market import DEFAULT_AMBIGUITY, Market
from ..model.orders import Orders
from .assemble import Claim, assemble
from .depth import Liquidity, choose_depth, require_count
from .draws import Draws
from .ladder import odds_ladder

_RUNNERS = (
    "Amber Lantern",
    "Brass Kettle",
    "Cold Harbour",
    "Distant Thunder",
    "Evening Post",
    "Fair Copy",
    "Granite Song",
    "Hazel Lane",
    "Inkwell",
    "Juniper Hill",
    "Kestrel's Rest",
    "Long Division",
    "Marble Arch",
    "Northern Line",
    "Old Testament",
    "Paper Moon",
    "Quiet Word",
    "River Toll",
    "Silver Margin",
    "Tall Order",
    "Under Oath",
    "Velvet Rope",
    "Winter Wheat",
    "Yellow Ledger",
)
_STRENGTH_LN_SD = 1.15
_PLACE_EXPONENT = 0.75


def race_card(
    runners: int = 8,
    levels: int | tuple[int, int] | None = None,
    seed: int = 0,
    *,
    liquidity: Liquidity = "liquid",
    crossed: float = 0.3,
    opinion: float = 1.0,
    risk_aversion: float = 1e-3,
    ambiguity: float = DEFAULT_AMBIGUITY,
) -> tuple[Market, Orders]:
    """The winner's market of one race: a state and a claim for every runner.

    Chances of winning are proportional to log-normal strengths (ln-sd 1.15; recorded races
    have 0.6 to 1.3), prices are decimal odds, and each runner is quoted as recorded books are:
    see ``docs/samples.md``.

    Parameters
    ----------
    runners : int
        From 2 to 24.
    levels : int or (int, int), optional
        Orders per side and runner, or (bids, offers). Default: as deep as recorded books. With
        ``levels=n`` a runner has at most ``2 n`` limits, so that a race has at most
        ``(4 n + 1) ** runners`` cells.
    seed : int
        Same seed, same book.
    liquidity : {"liquid", "thin"}
        Minutes, or hours, before the start.
    crossed : float
        Share of the orders that arrive while the batch is open and cross; 0 gives a book at
        rest, in which a maker with the crowd's opinion does not trade.
    opinion : float
        The maker's prior is the crowd's probabilities to this power, renormalised.
    risk_aversion, ambiguity : float
        The maker's.

    Returns
    -------
    market : Market
    orders : Orders

    Examples
    --------
    >>> market, orders = race_card(runners=5, levels=2, seed=7)
    """
    require_count("runners", runners, 2, len(_RUNNERS))
    depth = choose_depth(liquidity, levels, crossed)
    draws = Draws(seed)
    names = _RUNNERS[:runners]
    ladder = odds_ladder()
    claims = [
        Claim(name, tuple(float(name == winner) for winner in names), ladder) for name in names
    ]
    strengths = _strengths(draws, runners)
    return assemble(draws, claims, names, strengths, depth, opinion, risk_aversion, ambiguity)


def win_place(
    runners: int = 6,
    levels: int | tuple[int, int] | None = None,
    seed: int = 0,
    *,
    liquidity: Liquidity = "liquid",
    crossed: float = 0.3,
    opinion: float = 1.0,
    risk_aversion: float = 1e-3,
    ambiguity: float = DEFAULT_AMBIGUITY,
) -> tuple[Market, Orders]:
    """Winner and two placed runners of one race, cleared together.

    A state is a pair (winner, other placed runner), hence ``runners * (runners - 1)`` states; a
    runner has a claim on winning and one on being among the first two. The other placed runner
    is drawn among the rest in proportion to strength to the power 0.75: the plain Harville
    formula (power 1) makes favourites come second more often than recorded place markets do.

    Parameters
    ----------
    runners : int
        From 3 to 16.
    levels, seed, liquidity, crossed, opinion, risk_aversion, ambiguity
        As in :func:`race_card`; `levels` counts for each claim.

    Returns
    -------
    market : Market
    orders : Orders

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market, orders = kpm.sample.win_place(seed=1)
    >>> len(market.claims) > 1, len(orders) > 1
    (True, True)
    """
    require_count("runners", runners, 3, 16)
    depth = choose_depth(liquidity, levels, crossed)
    draws = Draws(seed)
    names = _RUNNERS[:runners]
    ladder = odds_ladder()
    pairs = list(permutations(range(runners), 2))
    strengths = _strengths(draws, runners)
    seconds = [strength**_PLACE_EXPONENT for strength in strengths]
    total = math.fsum(seconds)
    crowd = [
        strengths[first] * seconds[second] / (total - seconds[first]) for first, second in pairs
    ]
    win = [
        Claim(f"{name} win", tuple(float(runner == pair[0]) for pair in pairs), ladder)
        for runner, name in enumerate(names)
    ]
    place = [
        Claim(f"{name} place", tuple(float(runner in pair) for pair in pairs), ladder)
        for runner, name in enumerate(names)
    ]
    states = [f"{names[first]} / {names[second]}" for first, second in pairs]
    return assemble(draws, win + place, states, crowd, depth, opinion, risk_aversion, ambiguity)


def _strengths(draws: Draws, runners: int) -> list[float]:
    return [draws.lognormal(1.0, _STRENGTH_LN_SD) for _ in range(runners)]
