"""Independent solutions of what kpm_fast computes, from the model, sharing no code with it.

``book``      problem (8) as plain data, and its staircases straight from the limit order logic
``cell``      one cell (27), split into a linear program in xi and a convex problem in the fills
``risk``      rho(L) in any arithmetic
``barrier``   the convex problem by a barrier method in any arithmetic, with a certified bound
``smooth``    the same by SciPy;  ``conic`` the same by CVXPY and Clarabel
``brute``     the paper's enumeration (28) in plain Python
``auction``   the convex rules' dual by CVXPY;  ``duality`` their gap at an answer in forty digits
"""

from witness.book import Book, Piece, all_cells, staircase
from witness.brute import Clearing, clear
from witness.cell import CellProblem, Infeasible, cell_problem
from witness.risk import Risk, rho

__all__ = [
    "Book",
    "CellProblem",
    "Clearing",
    "Infeasible",
    "Piece",
    "Risk",
    "all_cells",
    "cell_problem",
    "clear",
    "rho",
    "staircase",
]
