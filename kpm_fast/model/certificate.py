"""The proof that no clearing is better than the one found."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Floats, Ints, as_floats, frozen
from ..errors import InputError
from .immutable import Value

__all__ = ["Certificate", "DualCertificate"]


@dataclass(frozen=True, eq=False, repr=False)
class Certificate(Value):
    """Leaves of a search tree that cover every clearing, each with a bound and its proof.

    A leaf is a run of consecutive pieces on each claim's staircase: the clearings whose price
    and net demand lie on it. L leaves, N states, K claims; docs/certificate.md has the
    inequality, :func:`kpm_fast.check_certificate` checks it. Immutable; equal by value.

    Parameters
    ----------
    first, last : array_like of int, shape (L, K)
        The run of each claim, both ends included: pieces numbered from the lowest price, as
        :func:`kpm_fast.staircases` returns them.
    worst_case : array_like, shape (L, N)
        p: a probability vector with KL(p|q) <= Omega.
    marginal_state_prices : array_like, shape (L, N)
        g: a probability vector that is zero wherever p is.
    multipliers : array_like, shape (L, K)
        lambda: shares, for claim prices in money per share of the market's own payoffs.
    bound : array_like, shape (L,)
        Money: no clearing in the leaf has a greater certainty equivalent. Minus infinity for a
        leaf that no state prices reach; lambda alone proves that, and p and g are the prior.
    merged_into : array_like of int, shape (K,), optional
        The claim whose staircase holds each claim's orders: itself, or one with equal payoffs, or
        the complement, up to scale and offset. A claim merged into another has one piece, without
        demand. By default none is merged.

    Attributes
    ----------
    first, last, merged_into : ndarray of int64
    worst_case, marginal_state_prices, multipliers, bound : ndarray of float64
        Read-only copies of the parameters.

    Raises
    ------
    InputError
        If arrays disagree in shape, or runs are not integers.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    >>> orders = kpm.Orders([0], "buy", [0.6], [10])
    >>> proof = kpm.clear(market, orders, certificate=True).certificate
    >>> proof.leaves, proof.unreached, round(proof.upper_bound, 6)
    (1, 0, 0.17219)
    """

    first: Ints
    last: Ints
    worst_case: Floats
    marginal_state_prices: Floats
    multipliers: Floats
    bound: Floats
    merged_into: Ints = None  # type: ignore[assignment]  # an array once it is made

    def __post_init__(self) -> None:
        self._merge_none()
        for item in fields(self):
            convert = _as_ints if item.name in _INTEGERS else as_floats
            object.__setattr__(
                self, item.name, frozen(convert(getattr(self, item.name), item.name))
            )
        if self.bound.ndim != 1:
            raise InputError(
                f"must be one-dimensional, got shape {self.bound.shape}", field="bound"
            )
        for name, model in (
            ("first", self.first),
            ("last", self.first),
            ("multipliers", self.first),
            ("worst_case", self.worst_case),
            ("marginal_state_prices", self.worst_case),
        ):
            shape, wanted = getattr(self, name).shape, (self.leaves, *model.shape[1:])
            if len(shape) != 2 or shape != wanted:
                raise InputError(
                    f"must be a table of {self.leaves} rows, one for each leaf, with as many "
                    f"columns as the other tables, got shape {shape}",
                    field=name,
                )
        own, claims = self.merged_into, self.first.shape[1]
        if own.shape != (claims,):
            raise InputError(
                f"must have shape ({claims},), one entry for each claim, got shape {own.shape}",
                field="merged_into",
            )
        outside = (own < 0) | (own >= claims)
        wrong = np.flatnonzero(outside | (own[np.where(outside, 0, own)] != own))
        if wrong.size:
            k = int(wrong[0])
            raise InputError(
                f"must be {k}, or a claim that is not merged into another, got {own[k]}",
                field="merged_into",
                index=k,
            )

    def _merge_none(self) -> None:
        """Fill in the default: no claim is merged into another."""
        given: Any = self.merged_into
        if given is None:
            claims = np.shape(self.first)[1:2]
            object.__setattr__(self, "merged_into", frozen(np.arange(*claims or (0,))))

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__post_init__()

    @property
    def merged(self) -> int:
        """Claims that are merged into another."""
        return int(np.count_nonzero(self.merged_into != np.arange(len(self.merged_into))))

    @property
    def leaves(self) -> int:
        """L, the number of leaves."""
        return len(self.bound)

    @property
    def unreached(self) -> int:
        """Leaves that no state prices reach."""
        return int(np.count_nonzero(self.bound == -np.inf))

    @property
    def upper_bound(self) -> float:
        """The largest bound of a leaf, money; minus infinity without leaves."""
        return float(self.bound.max(initial=-np.inf))

    def to_dict(self) -> dict[str, Any]:
        """Return the arrays as nested lists, by name.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
        >>> orders = kpm.Orders([0], "buy", [0.6], [10])
        >>> proof = kpm.clear(market, orders, certificate=True).certificate
        >>> sorted(proof.to_dict())[:3]
        ['bound', 'first', 'last']
        """
        return {item.name: getattr(self, item.name).tolist() for item in fields(self)}

    def __len__(self) -> int:
        return self.leaves

    def __repr__(self) -> str:
        return f"Certificate({self.leaves} leaves, upper_bound={self.upper_bound:.9g})"

    def __str__(self) -> str:
        one = self.leaves == 1
        return (
            f"{self.leaves:,} lea{'f' if one else 'ves'}, {self.unreached:,} of them "
            f"unreachable; no clearing is worth more than {self.upper_bound:.9g}"
        )


@dataclass(frozen=True, eq=False, repr=False)
class DualCertificate(Value):
    """State prices that bound what any fills are worth: the proof of a convex rule's clearing.

    docs/certificate.md has the inequality, :func:`kpm_fast.check_certificate` checks it.
    It has no leaves, hence no length. Immutable; equal by value.

    Parameters
    ----------
    state_prices : array_like, shape (N,)
        g: a probability vector.
    worst_case : array_like, shape (N,), optional
        Of a Knightian maker, p: a probability vector with KL(p|q) <= Omega.
    weights : array_like, shape (V,), optional
        Of a polytope maker: those of its V priors, whose mixture is p.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    >>> orders = kpm.Orders([0], "buy", [0.6], [10])
    >>> proof = kpm.clear(market, orders, rule="competitive", certificate=True).certificate
    >>> proof.state_prices.round(4).tolist()
    [0.5949, 0.4051]
    """

    state_prices: Floats
    worst_case: Floats = ()  # type: ignore[assignment]  # arrays once they are made
    weights: Floats = ()  # type: ignore[assignment]

    def __post_init__(self) -> None:
        for item in fields(self):
            array = as_floats(getattr(self, item.name), item.name)
            if array.ndim != 1:
                raise InputError(
                    f"must be one-dimensional, got shape {array.shape}", field=item.name
                )
            object.__setattr__(self, item.name, frozen(array))

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__post_init__()

    def to_dict(self) -> dict[str, Any]:
        """Return the arrays that there are as lists, by name.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> kpm.DualCertificate([0.5, 0.5]).to_dict()
        {'state_prices': [0.5, 0.5]}
        """
        given = ((item.name, getattr(self, item.name)) for item in fields(self))
        return {name: array.tolist() for name, array in given if len(array)}

    def __repr__(self) -> str:
        return f"DualCertificate({len(self.state_prices)} states)"

    def __str__(self) -> str:
        return f"prices of {len(self.state_prices):,} states, by duality"


_INTEGERS = ("first", "last", "merged_into")


def _as_ints(value: ArrayLike, field: str) -> Ints:
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise InputError(f"must be integers, got {array.dtype} data", field=field)
    return np.array(array, dtype=np.int64, order="C", copy=True)
