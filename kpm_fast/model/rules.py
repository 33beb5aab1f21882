"""The rules by which a book is cleared, and by which equal orders share what trades."""

from __future__ import annotations

__all__ = ["ALLOCATIONS", "RULES"]

#: The first is the paper's (8); the others are convex programs.
RULES = ("maker_optimal", "competitive", "pay_as_bid", "pdca")
ALLOCATIONS = ("pro_rata", "time", "book_order")
