"""The limits of input, once for Python; the core has the same in ``kpm/validation.hpp``."""

from __future__ import annotations

__all__ = ["LARGEST", "LEAST_PRIOR", "MOST_THREADS", "PRIOR_TOLERANCE", "SMALLEST"]

#: Magnitudes of money, shares and risk aversion: far wider than any market, and narrow enough for
#: their products to stay numbers.
LARGEST, SMALLEST = 1e30, 1e-30
#: States less likely than this are refused: squares of such numbers leave the range of a double.
LEAST_PRIOR = 1e-200
#: How far from one a prior, or state prices, may sum whatever their digits.
PRIOR_TOLERANCE = 1e-9
#: More than is of use: a typing error must not start a million.
MOST_THREADS = 1024
