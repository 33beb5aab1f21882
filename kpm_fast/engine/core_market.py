"""What the core's engine is told of a market, and its hash where that is not all."""

from __future__ import annotations

import json
from hashlib import blake2b

import numpy as np

from ..arrays import Floats
from ..model.maker_form import maker_to_dict
from ..model.makers import KnightianMaker
from ..model.market import Market

__all__ = ["core_arguments", "hash_with_maker"]


def core_arguments(market: Market) -> tuple[Floats, Floats, Floats, float, float]:
    """Return the payoffs and the maker that the core's engine keeps.

    The core's engine searches for Knightian makers. For any other maker it keeps the orders only,
    which the convex rules then clear, and any maker will do in its place.
    """
    maker = market.maker
    if isinstance(maker, KnightianMaker):
        return market.payoffs, maker.prior, maker.inventory, maker.risk_aversion, maker.ambiguity
    states = market.payoffs.shape[1]
    return market.payoffs, np.full(states, 1.0 / states), np.zeros(states), 1.0, 0.0


def hash_with_maker(core_hash: int, market: Market) -> int:
    """Return the core's hash of market and orders, with a maker in it that the core cannot hold."""
    if isinstance(market.maker, KnightianMaker):
        return core_hash
    stated = maker_to_dict(market.maker)
    stated.pop("labels", None)  # the hash of a market is that of its numbers
    parts = json.dumps([core_hash, stated], sort_keys=True).encode()
    return int.from_bytes(blake2b(parts, digest_size=8).digest(), "big")
