"""The paper: its books, examples, statements and figures, and whether each was reproduced."""

from .simulations import (
    TABLE_3,
    TABLE_5,
    Bid,
    Run,
    Simulation,
    Statement,
    ambiguity_sweep,
    simulation_a,
    simulation_b,
)

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
