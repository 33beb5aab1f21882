"""Equivalent books: each function transforms a book so that its clearing follows exactly."""

from __future__ import annotations

from typing import Any

import numpy as np

from witness import Book

COLUMNS = ("claim", "side", "price", "quantity")


def order_subset(book: Book, rows: np.ndarray) -> Book:
    """These orders, in this order."""
    return book.with_(**{name: getattr(book, name)[rows] for name in COLUMNS})


def with_orders(book: Book, **extra: Any) -> Book:
    """More orders, after the others."""
    return book.with_(
        **{
            name: np.append(getattr(book, name), extra[name]).astype(getattr(book, name).dtype)
            for name in COLUMNS
        }
    )


def split_orders(book: Book, parts: np.ndarray) -> tuple[Book, np.ndarray]:
    """Each order j in ``parts[j]`` equal parts, and the order that each part belongs to."""
    origin = np.repeat(np.arange(book.orders), parts)
    shares = order_subset(book, origin)
    return shares.with_(quantity=book.quantity[origin] / parts[origin]), origin


def merged_orders(book: Book) -> tuple[Book, np.ndarray]:
    """Orders of one claim, side and limit as one, and the one that each order went into."""
    keys = list(zip(*(getattr(book, name).tolist() for name in COLUMNS[:3]), strict=True))
    distinct = list(dict.fromkeys(keys))
    into = np.array([distinct.index(key) for key in keys], dtype=int)
    first = np.array([keys.index(key) for key in distinct], dtype=int)
    merged = order_subset(book, first)
    return merged.with_(quantity=np.bincount(into, book.quantity, len(distinct))), into


def renamed(book: Book, states: np.ndarray, claims: np.ndarray) -> Book:
    """States and claims in another order."""
    return book.with_(
        payoffs=book.payoffs[np.ix_(claims, states)],
        prior=book.prior[states],
        inventory=book.inventory[states],
        claim=np.argsort(claims)[book.claim],
    )


def split_states(book: Book, share: np.ndarray) -> Book:
    """Each state split in two: copies follow the originals and take this share of their prior."""
    return book.with_(
        payoffs=np.tile(book.payoffs, 2),
        prior=np.append((1 - share) * book.prior, share * book.prior),
        inventory=np.tile(book.inventory, 2),
    )


def in_units(book: Book, money: float, share: float) -> Book:
    """In other units: one old unit is ``money`` new units of money or ``share`` new shares."""
    return book.with_(
        payoffs=book.payoffs * money,
        price=book.price * money,
        quantity=book.quantity * share,
        inventory=book.inventory * money * share,
        risk_aversion=book.risk_aversion / (money * share),
    )


def turned(book: Book, claim: int, constant: float) -> Book:
    """A claim replaced by ``constant`` less itself: its negative, or its complement.

    Buying the one at b is selling the other at ``constant`` - b.
    """
    own = book.claim == claim
    payoffs = book.payoffs.copy()
    payoffs[claim] = constant - payoffs[claim]
    return book.with_(
        payoffs=payoffs,
        side=np.where(own, -book.side, book.side),
        price=np.where(own, constant - book.price, book.price),
    )


def improved(book: Book, order: int, by: float) -> Book:
    """One order with a limit better for the maker: higher for a bid, lower for an offer."""
    price = book.price.copy()
    price[order] += book.side[order] * by
    return book.with_(price=price)
