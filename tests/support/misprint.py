"""The book at which a formula of the paper is misprinted."""

from __future__ import annotations

import math

import numpy as np

from witness import Book, Piece

MISPRINT = Book(
    payoffs=np.eye(3),
    prior=np.array([0.3, 0.3, 0.4]),
    inventory=np.zeros(3),
    risk_aversion=1.0,
    ambiguity=0.1,
    claim=np.array([0, 1, 2]),
    side=np.array([1, 1, 1]),
    price=np.array([0.6, 0.6, 0.01]),
    quantity=np.array([1.0, 1.0, 100.0]),
)
FILL_FILL_NONE = (
    Piece(-math.inf, 0.6, 1.0, 1.0),
    Piece(-math.inf, 0.6, 1.0, 1.0),
    Piece(0.01, math.inf, 0.0, 0.0),
)
# L = (1 - p) e^0.01 + p e^-0.99, where (1 - p) ln((1 - p)/0.6) + p ln(p/0.4) = 0.1 and p < 0.4:
# revenue is 0.99 in every state, and one share is due in the first two.
MISPRINT_L = 0.887732195235739296650189151543
