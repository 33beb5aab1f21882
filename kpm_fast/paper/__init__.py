"""Section 5 of the paper: its books, runs, statements and figures."""

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
