"""Generators of order books with the statistics of recorded ones.

Each returns ``(market, orders)``, and the same book for the same seed on every machine:

>>> from kpm_fast import sample
>>> market, orders = sample.race_card(runners=5, levels=2, seed=7)

``docs/samples.md`` says what the generators are calibrated on and how close they come.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ..model.market import Market
from ..model.orders import Orders
from .football import football
from .options import option_strip
from .race import race_card, win_place

__all__ = [
    "KINDS",
    "example_race_card",
    "football",
    "option_strip",
    "race_card",
    "win_place",
]

KINDS: Mapping[str, Callable[..., tuple[Market, Orders]]] = MappingProxyType(
    {
        "race-card": race_card,
        "win-place": win_place,
        "option-strip": option_strip,
        "football": football,
    }
)
"""Every generator by the name that the command line gives it."""


def example_race_card() -> tuple[Market, Orders]:
    """The race card of ``examples/race_card``: small enough to enumerate, and it trades.

    The maker's opinion differs from the crowd's, so it takes a position and does not only match
    bids with offers.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market, orders = kpm.sample.example_race_card()
    >>> len(market.claims) > 1, len(orders) > 1
    (True, True)
    """
    return race_card(runners=6, levels=2, seed=43, crossed=0.5, opinion=1.5, ambiguity=0.01)
