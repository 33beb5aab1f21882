"""Options on an index: vanilla calls and puts, digitals and ranges on one set of states."""

from __future__ import annotations

import itertools
import math
from statistics import NormalDist

from ..arrays import as_number
from ..errors import InputError
from ..model.market import DEFAULT_AMBIGUITY, Market
from ..model.orders import Orders
from .assemble import Claim, assemble
from .depth import Liquidity, choose_depth, require_count
from .draws import Draws
from .ladder import Ladder, tick_ladder

_SPOT = 100.0
_VANILLA_TICK = 0.05
_DIGITAL_TICK = 0.005
_WIDTH_IN_SDS = 5.0


def option_strip(
    states: int = 15,
    levels: int | tuple[int, int] | None = None,
    seed: int = 0,
    *,
    strikes: int = 5,
    volatility: float = 0.2,
    years: float = 0.25,
    liquidity: Liquidity = "liquid",
    crossed: float = 0.3,
    opinion: float = 1.0,
    risk_aversion: float = 1e-3,
    ambiguity: float = DEFAULT_AMBIGUITY,
) -> tuple[Market, Orders]:
    """Options of one expiry on an index that stands at 100.

    The states are buckets of the index at expiry, of equal width, the outer two open; every
    claim settles on the middle of the bucket (the outer two count as if closed). Each strike
    lies on an edge between buckets and has a call, a put and a digital that pays 1 above it;
    each pair of neighbouring strikes has a range claim that pays 1 between them. The index is
    log-normal without drift. Vanillas are priced in ticks of 0.05, claims that pay 1 in ticks of
    0.005.

    Depth, spread, distances and stakes are those of the recorded betting books: there are no
    option books to calibrate on.

    Parameters
    ----------
    states : int
        Number of buckets, from 2 to 200.
    levels : int or (int, int), optional
        Orders per side and claim, as in :func:`race_card`.
    seed : int
        Same seed, same book.
    strikes : int
        Number of strikes, from 1 to ``states - 1``; there are ``4 * strikes - 1`` claims.
    volatility, years : float
        Standard deviation of the index's logarithm over a year, and the time to expiry.
    liquidity, crossed, opinion, risk_aversion, ambiguity
        As in :func:`race_card`.

    Returns
    -------
    market : Market
    orders : Orders

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market, orders = kpm.sample.option_strip(seed=1)
    >>> len(market.claims) > 1, len(orders) > 1
    (True, True)
    """
    require_count("states", states, 2, 200)
    require_count("strikes", strikes, 1, states - 1)
    volatility, years = as_number(volatility, "volatility"), as_number(years, "years")
    sd = volatility * math.sqrt(years) if volatility > 0.0 and years > 0.0 else math.nan
    if not 1e-3 <= sd <= 0.25:
        raise InputError(
            f"volatility * sqrt(years) must lie in [0.001, 0.25], got {volatility!r} and {years!r}",
            field="volatility",
        )
    depth = choose_depth(liquidity, levels, crossed)
    width = _round_width(_WIDTH_IN_SDS * sd * _SPOT / states)
    edges = [_SPOT + width * (i - states // 2) for i in range(1, states)]
    middles = [edges[0] + width * (i - 0.5) for i in range(states)]
    index = NormalDist(math.log(_SPOT) - 0.5 * sd * sd, sd)
    below = [0.0, *(index.cdf(math.log(edge)) for edge in edges), 1.0]
    crowd = [max(high - low, 1e-9) for low, high in itertools.pairwise(below)]
    chosen = [edges[i] for i in _central(len(edges), strikes)]
    return assemble(
        Draws(seed),
        _claims(chosen, middles),
        _bucket_labels(edges),
        crowd,
        depth,
        opinion,
        risk_aversion,
        ambiguity,
    )


def _claims(strikes: list[float], middles: list[float]) -> list[Claim]:
    digital_ladder = tick_ladder(_DIGITAL_TICK, 1.0)
    calls, puts, digitals = [], [], []
    for strike in strikes:
        call = tuple(max(level - strike, 0.0) for level in middles)
        put = tuple(max(strike - level, 0.0) for level in middles)
        digital = tuple(float(level > strike) for level in middles)
        calls.append(Claim(f"Call {strike:g}", call, _vanilla_ladder(call)))
        puts.append(Claim(f"Put {strike:g}", put, _vanilla_ladder(put)))
        digitals.append(Claim(f"Above {strike:g}", digital, digital_ladder))
    ranges = [
        Claim(
            f"Between {low:g} and {high:g}",
            tuple(float(low < level < high) for level in middles),
            digital_ladder,
        )
        for low, high in itertools.pairwise(strikes)
    ]
    return calls + puts + digitals + ranges


def _vanilla_ladder(payoff: tuple[float, ...]) -> Ladder:
    return tick_ladder(_VANILLA_TICK, max(payoff))


def _round_width(width: float) -> float:
    """The width rounded to 1, 2 or 5 times a power of ten, so that strikes read well."""
    power = 10.0 ** math.floor(math.log10(width))
    step = next(step for step in (1.0, 2.0, 5.0, 10.0) if width <= math.sqrt(2.5) * step * power)
    return round(step * power, 6)


def _central(count: int, chosen: int) -> list[int]:
    """Indices of `chosen` out of `count` edges, evenly spaced about the middle."""
    stride = max((count - 1) // max(chosen, 1), 1) if chosen < count else 1
    first = (count - 1 - stride * (chosen - 1)) // 2
    return [first + stride * i for i in range(chosen)]


def _bucket_labels(edges: list[float]) -> list[str]:
    inner = [f"{low:g} to {high:g}" for low, high in itertools.pairwise(edges)]
    return [f"below {edges[0]:g}", *inner, f"above {edges[-1]:g}"]
