"""Makers of every kind: examples of three states, drawn ones, and the same maker in other terms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import kpm_fast as kpm

Draw = Callable[[np.random.Generator, int], kpm.Maker]

PRIOR = [0.5, 0.3, 0.2]
#: One of each kind, by the name that files have for it.
EXAMPLES: dict[str, kpm.Maker] = {
    "knightian": kpm.KnightianMaker(PRIOR, 0.1, 0.01),
    "lmsr": kpm.LMSR(10.0, PRIOR),
    "starting_orders": kpm.StartingOrders([3.0, 2.0, 1.0], [0.0, 1.0, 0.0]),
    "worst_state": kpm.WorstStateMaker(3, [5.0, 0.0, 1.0]),
    "polytope": kpm.PolytopeMaker([PRIOR, [0.4, 0.4, 0.2]], 0.1),
    "utility": kpm.UtilityMaker(PRIOR, 50.0),
    "quadratic": kpm.QuadraticMaker(PRIOR, 20.0),
}


def prior(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.dirichlet(np.ones(n)) * 0.98 + 0.02 / n


def wealth(rng: np.random.Generator, n: int) -> np.ndarray:
    """Different in all states, the same in some, or in all."""
    steps = rng.integers(-2, 3, n).astype(float)
    return [rng.normal(0, 2, n), steps, np.full(n, 1.5)][rng.integers(3)]


#: A maker of a kind on so many states.
DRAWN: dict[str, Draw] = {
    "knightian": lambda rng, n: kpm.KnightianMaker(
        prior(rng, n),
        10 ** rng.uniform(-2, 1),
        rng.choice([0.01, 0.3, 1.5, np.inf]),
        wealth(rng, n),
    ),
    "lmsr": lambda rng, n: kpm.LMSR(10 ** rng.uniform(-1, 2), prior(rng, n), wealth(rng, n)),
    "starting_orders": lambda rng, n: kpm.StartingOrders(
        prior(rng, n) * 10 ** rng.uniform(-1, 2), wealth(rng, n)
    ),
    "worst_state": lambda rng, n: kpm.WorstStateMaker(n, wealth(rng, n)),
    "polytope": lambda rng, n: kpm.PolytopeMaker(
        [prior(rng, n) for _ in range(3)], rng.choice([0.0, 0.1, 2.0]), wealth(rng, n)
    ),
    "utility": lambda rng, n: kpm.UtilityMaker(
        prior(rng, n), 10 ** rng.uniform(-1, 2), wealth(rng, n)
    ),
    "quadratic": lambda rng, n: kpm.QuadraticMaker(
        prior(rng, n), 10 ** rng.uniform(-1, 2), wealth(rng, n)
    ),
}


def of_states(maker: kpm.Maker, states: np.ndarray, weight: np.ndarray | float = 1.0) -> kpm.Maker:
    """The maker of these states of its own, each with a share ``weight`` of that one's prior."""
    inventory = maker.inventory[states]
    if isinstance(maker, kpm.WorstStateMaker):
        return kpm.WorstStateMaker(len(states), inventory)
    names = [name for name in ("prior", "priors", "delta") if hasattr(maker, name)]
    changes = {name: getattr(maker, name)[..., states] * weight for name in names}
    return maker.replace(inventory=inventory, **changes)


def in_money(maker: kpm.Maker, unit: float) -> kpm.Maker:
    """The maker with every amount of money multiplied by ``unit``."""
    powers = {"delta": 1, "wealth": 1, "c": 1, "liquidity": 1}
    if not isinstance(maker, kpm.LMSR):
        powers["risk_aversion"] = -1
    changes = {
        key: getattr(maker, key) * unit**power
        for key, power in powers.items()
        if hasattr(maker, key)
    }
    return maker.replace(inventory=maker.inventory * unit, **changes)
