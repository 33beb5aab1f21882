"""Experiments: what ambiguity, shading, data and aggregation do to a maker and its traders.

``kpm-fast experiments`` runs them; each is a function that returns an :class:`Experiment`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from .aggregation import aggregation
from .calibration import calibration, radius_from_data
from .experiment import Experiment
from .frontier import frontier
from .implied import implied
from .shading import shading

__all__ = [
    "EXPERIMENTS",
    "Experiment",
    "aggregation",
    "calibration",
    "frontier",
    "implied",
    "radius_from_data",
    "shading",
]

EXPERIMENTS: Mapping[str, Callable[..., Experiment]] = MappingProxyType(
    {
        "implied": implied,
        "frontier": frontier,
        "shading": shading,
        "calibration": calibration,
        "aggregation": aggregation,
    }
)
"""Every experiment by the name that the command line gives it."""
