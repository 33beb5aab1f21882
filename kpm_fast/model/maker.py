"""The base of all makers: cost, state prices, quotes, sizes and single trades."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from .. import _core
from ..arrays import Floats, as_floats, as_number, check_choice, frozen
from ..bounds import LARGEST, PRIOR_TOLERANCE
from ..errors import InputError
from .immutable import Value, construct
from .labels import check_labels, default_labels, reordering
from .maker_input import (
    checked_limit,
    checked_quantities,
    checked_rows,
    labelled_rows,
    quantities_by_claim,
)
from .order_columns import side_sign
from .quotes import Quotes, Trade

__all__ = ["Maker"]

_Self = TypeVar("_Self", bound="Maker")

PAYMENTS = ("cost", "final", "limit")
_LIMITS = ("price", "loss", "budget")


class Maker(Value, ABC):
    """A market maker: a convex, increasing, cash-additive cost C(L) of owing L. Immutable.

    Attributes
    ----------
    inventory : ndarray of float64, shape (N,)
        The maker's wealth w by state, in money: it owes L = -w.
    labels : tuple of str
        Labels of the states: those of the vectors that it was made from, or of the market it
        belongs to; otherwise ``"0"``, ``"1"``, ... . Labelled vectors by state are aligned to
        these, and refused if their labels differ.
    """

    inventory: Floats

    # -- what a maker is ------------------------------------------------------------------------

    @abstractmethod
    def _model(self) -> dict[str, Any]:
        """Return the parameters as the core reads them."""

    @property
    def states(self) -> int:
        """The number N of states."""
        return len(self.inventory)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the states."""
        given: tuple[str, ...] | None = self.__dict__.get("_labels")
        return default_labels(self.states) if given is None else given

    def _labelled(self: _Self, labels: tuple[str, ...]) -> _Self:
        """Return the maker with these labels for its states, in their present order."""
        return construct(type(self), {**self.__dict__, "_labels": labels})

    def _of_prior_sum(self: _Self, prior_sum: float) -> _Self:
        """Return the maker that remembers what its prior summed to before it was normalised."""
        return construct(type(self), {**self.__dict__, "_prior_sum": prior_sum})

    def _named(self: _Self, labels: Any) -> _Self:
        """Return the maker with these labels, which may be invalid; None: the default ones."""
        given = default_labels(self.states) if labels is None else labels
        return self._labelled(check_labels(given, self.states, "states"))

    def _aligned(self: _Self, labels: tuple[str, ...], field: str) -> _Self:
        """Return the maker with its states in the order of ``labels``, or named by them.

        A maker without labels takes these, in its own order.
        """
        if "_labels" not in self.__dict__:
            return self._labelled(labels)
        if self.labels == labels:
            return self
        order = reordering(self.labels, labels, field, "state")
        values = {
            name: frozen(np.ascontiguousarray(value[..., order]))
            if isinstance(value, np.ndarray)
            else value
            for name, value in self.__dict__.items()
        }
        return construct(type(self), values)._labelled(labels)

    def _bound(self: _Self, states: int, field: str) -> _Self:
        """Return the maker for a number of states; errors name ``field``."""
        if states != self.states:
            raise InputError(
                f"must have {self.states} states, as the maker has, got {states}", field=field
            )
        return self

    def replace(self: _Self, **changes: Any) -> _Self:
        """Return a copy with some parameters changed, validated like a new maker.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> maker = kpm.LMSR(100.0, [0.5, 0.5])
        >>> maker.replace(liquidity=50.0).liquidity
        50.0
        """
        names = [item.name for item in fields(self)]  # type: ignore[arg-type]
        current = {name: getattr(self, name) for name in names}
        unknown = set(changes) - set(current)
        if unknown:
            raise TypeError(f"{type(self).__name__} has no parameter {min(unknown)!r}")
        return self._replaced(type(self), current, changes)

    def _replaced(
        self: _Self, kind: type[_Self], current: dict[str, Any], changes: dict[str, Any]
    ) -> _Self:
        """Make a maker with other parameters and the same labels of states."""
        labels = self.__dict__.get("_labels")
        if labels is None:
            return self._remembered(kind(**{**current, **changes}), changes)
        vectors = ("priors", "prior", "delta", "inventory")
        aligned = {
            name: labelled_rows(value, name, labels)[0] if name in vectors else value
            for name, value in changes.items()
        }
        changed = kind(**{**current, **aligned})
        if changed.states != len(labels):
            raise InputError(
                f"must have {len(labels)} states, as the labels have, got {changed.states}",
                field=next(iter(changes)),
            )
        return self._remembered(changed._labelled(labels), changes)

    def _remembered(self: _Self, changed: _Self, changes: dict[str, Any]) -> _Self:
        prior_sum = self.__dict__.get("_prior_sum")
        if prior_sum is None or "prior" in changes:
            return changed
        return changed._of_prior_sum(prior_sum)

    def __eq__(self, other: object) -> bool:
        same_values = super().__eq__(other)
        if same_values is not True:
            return same_values
        return isinstance(other, Maker) and self.labels == other.labels

    def __hash__(self) -> int:  # type: ignore[override]  # of a value that has none
        return hash((self._hash(), self.labels))

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.update(self.replace().__dict__)  # validated like a new maker

    # -- cost and prices ------------------------------------------------------------------------

    def cost(self, losses: ArrayLike) -> float | Floats:
        """Return C(L), the least cash for which the maker would owe L.

        Parameters
        ----------
        losses : array_like, shape (N,) or (R, N)
            Money owed in each state; rows are separate questions.

        Returns
        -------
        float or ndarray of shape (R,)
            Money.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> maker = kpm.LMSR(100.0)
        >>> round(maker.cost([10, 0]) - maker.cost([0, 0]), 6)
        5.124948
        """
        maker, rows, single = self._rows(losses, "losses")
        costs = _core.maker_costs(maker._model(), rows)
        return float(costs[0]) if single else frozen(costs)

    def state_prices(self, losses: ArrayLike | None = None) -> Floats:
        """Return a gradient g of C at L: the marginal value to the maker of money in each state.

        Parameters
        ----------
        losses : array_like, shape (N,) or (R, N), optional
            Default: what the maker owes now, ``-inventory``.

        Returns
        -------
        ndarray of shape (N,) or (R, N)
            Each sums to one. Where C has a kink: the prior on the worst states (Knightian), uniform
            on them (worst state), the mean of the vertices that attain the maximum (polytope).

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> maker = kpm.LMSR(100.0, [0.5, 0.5])
        >>> maker.state_prices([0, 0]).tolist()
        [0.5, 0.5]
        """
        if losses is None:
            losses = -self._bound(self.states, "states").inventory
        maker, rows, single = self._rows(losses, "losses")
        prices = _core.maker_state_prices(maker._model(), rows)
        return frozen(prices[0]) if single else prices

    def conjugate(self, g: ArrayLike) -> float | Floats:
        """Return C*(g) = sup over L of g.L - C(L).

        Parameters
        ----------
        g : array_like, shape (N,) or (R, N)
            State prices. Off the simplex (beyond 1e-9 in their sum) C* is infinite.

        Returns
        -------
        float or ndarray of shape (R,)
            Money, so that C(L) + C*(g) >= g.L, with equality where g is a gradient at L.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> maker = kpm.LMSR(100.0, [0.5, 0.5])
        >>> round(float(maker.conjugate([0.6, 0.4])), 6)
        2.013551
        """
        maker, rows, single = self._rows(g, "g")
        values = np.full(len(rows), math.inf)
        on = (rows >= 0).all(axis=1) & (np.abs(rows.sum(axis=1) - 1) <= PRIOR_TOLERANCE)
        if on.any():
            values[on] = _core.maker_conjugates(maker._model(), np.ascontiguousarray(rows[on]))
        return float(values[0]) if single else frozen(values)

    def loss_bound(self) -> float:
        """Return the most that trades at cost can take from the inventory in any state, in money.

        The greatest w_i + C(-w) + C*(e_i), however many trades there are; at constant wealth
        the greatest C*(e_i) - min C*. Infinite for a maker that can lose without limit.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> maker = kpm.LMSR(100.0, [0.5, 0.5])
        >>> round(maker.loss_bound(), 6)
        69.314718
        """
        maker = self._bound(self.states, "states")
        model = maker._model()
        wealth = maker.inventory - maker.inventory.min()  # no price depends on what all states have
        now = float(_core.maker_costs(model, -wealth[None, :])[0])
        bounds = wealth + now + _core.maker_vertex_conjugates(model)
        return max(0.0, float(bounds.max()))

    # -- quotes ---------------------------------------------------------------------------------

    def quotes(self, payoffs: Any, quantities: ArrayLike | None = None) -> Quotes:
        """Return the maker's bids and asks for claims, whether or not they have orders.

        Parameters
        ----------
        payoffs : array_like, shape (K, N), or Market
            Money that one share pays in each state. For a market, its claims are quoted, by the
            maker that this is called on. A frame or mapping names its claims and must name its
            states as the maker does (``labels``).
        quantities : scalar or array_like, shape (K,) or (K, S), optional
            Shares of a block, > 0; labels are those of claims. Default: the next, infinitesimal,
            share.

        Returns
        -------
        Quotes
            ``quotes["bid"]`` and ``quotes["ask"]`` in money per share, of shape (K,) or (K, S).

        Notes
        -----
        A block of s shares costs [C(L + s a) - C(L)] / s per share and fetches [C(L) - C(L - s a)]
        / s. The next share costs max {g.a : g in dC(L)} and fetches
        min {g.a : g in dC(L)}.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> maker = kpm.KnightianMaker([0.5, 0.3, 0.2], risk_aversion=0.01, ambiguity=0.02)
        >>> quotes = maker.quotes([[1, 0, 0], [1, 1, 0]])
        >>> quotes["bid"].round(4), quotes["ask"].round(4)
        (array([0.4003, 0.7163]), array([0.5997, 0.8756]))
        """
        claims = getattr(payoffs, "claims", None)
        names: tuple[str, ...] | None
        if isinstance(claims, tuple):  # a Market, whose module imports this one
            given, names = self._of_market(payoffs), claims
        else:
            given, names = labelled_rows(payoffs, "payoffs", self.labels)
        table = as_floats(given, "payoffs")
        if table.ndim == 1:
            table = table[None, :]
        maker, rows, _ = self._rows(table, "payoffs")
        names = names or default_labels(len(rows))
        asked = None if quantities is None else quantities_by_claim(quantities, names)
        sizes, shape = checked_quantities(asked, len(rows))
        bid, ask = _core.maker_quotes(maker._model(), -maker.inventory, rows, sizes)
        stated = None if quantities is None else frozen(sizes.reshape(shape))
        return construct(
            Quotes,
            {
                "claims": names,
                "quantities": stated,
                "bid": frozen(bid.reshape(shape)),
                "ask": frozen(ask.reshape(shape)),
            },
        )

    # -- sizes and trades -----------------------------------------------------------------------

    def size_to(
        self,
        payoff: ArrayLike,
        side: str | int,
        *,
        price: float | None = None,
        loss: float | None = None,
        budget: float | None = None,
    ) -> float:
        """Return how many shares can be traded up to a limit; exactly one of the three must be
        given.

        Parameters
        ----------
        payoff : array_like, shape (N,)
            Money that one share pays in each state.
        side : {"buy", "sell", 1, -1}
            Of the trader: the maker sells to a buyer.
        price : float
            Until the next share costs more (fetches less): the fill of a single order.
        loss : float
            Until the maker's outcome in its worst state, inventory and a payment at cost
            included, is -loss.
        budget : float
            Until the trade costs more than this at ``cost``, the certainty equivalent that the
            maker gives up; >= 0.

        Returns
        -------
        float
            Shares; infinite where the limit is never reached, as an infinite one is not.

        Raises
        ------
        InputError
            Naming the field and value at fault.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> maker = kpm.LMSR(100.0, [0.5, 0.5])
        >>> round(maker.size_to([1, 0], "buy", price=0.6), 6)
        40.546511
        """
        given = {"price": price, "loss": loss, "budget": budget}
        stated = [name for name, value in given.items() if value is not None]
        if len(stated) != 1:
            raise InputError(
                f"one of {', '.join(_LIMITS)} must be given, got {', '.join(stated) or 'none'}",
                field="size_to",
            )
        sign = side_sign(side)
        maker, row = self._payoff(payoff)
        (name,) = stated
        value = checked_limit(given[name], name)
        if name == "budget" and value < 0:
            raise InputError(f"must be >= 0, got {value}", field="budget")
        limit = sign * value if name == "price" else value
        if math.isinf(limit):
            return math.inf if limit > 0 else 0.0
        return _core.maker_size(maker._model(), -maker.inventory, sign * row, name, limit)

    def trade(
        self: _Self,
        payoff: ArrayLike,
        side: str | int,
        limit: float,
        quantity: float,
        payment: str = "cost",
    ) -> tuple[Trade, _Self]:
        """Fill one limit order; return what was traded, and the maker afterwards.

        Parameters
        ----------
        payoff : array_like, shape (N,)
            Money that one share pays in each state.
        side : {"buy", "sell", 1, -1}
            Of the order.
        limit : float
            Money per share; infinite (buy) or minus infinity (sell) is a market order.
        quantity : float
            Shares, >= 0; infinite is as many as the limit allows, which must be finitely many.
        payment : {"cost", "final", "limit"}
            ``cost``: C(L + x a) - C(L), however the order is split. ``final``:
            the price of the last share for all of them (SCPM). ``limit``: the order's limit, as a
            lone order pays in the auction (8), at most the claim's largest payoff.

        Returns
        -------
        trade : Trade
            With ``quantity`` filled, ``payment`` to the maker (negative to a seller) and
            ``price`` per share.
        maker : Maker
            With inventory w - x a. The payment is not included: add it with
            ``maker.replace(inventory=maker.inventory + trade.payment)``; no price depends on it.

        Notes
        -----
        x = sup {x <= quantity : C'(L + x a; a) <= limit}; a sell is a buy of the negated payoff
        at the negated limit.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> trade, maker = kpm.StartingOrders([1, 1, 1]).trade([1, 0, 0], "buy", 0.5, 5)
        >>> trade.quantity, round(trade.payment, 6)
        (2.0, 0.830101)
        """
        sign = side_sign(side)
        check_choice(payment, PAYMENTS, "payment")
        maker, row = self._payoff(payoff)
        price = as_number(limit, "limit")
        if math.isnan(price):
            raise InputError(f"must be a number, got {limit}", field="limit")
        shares = as_number(quantity, "quantity")
        if not (0 <= shares <= LARGEST or shares == math.inf):
            raise InputError(f"must be between 0 and {LARGEST:g}, got {quantity}", field="quantity")
        signed = sign * row
        # Beyond the largest payoff a limit is a market order.
        most = float(min(sign * price, signed.max()))
        if shares == math.inf:
            at = max(most, -LARGEST)
            shares = _core.maker_size(maker._model(), -maker.inventory, signed, "price", at)
            if shares > LARGEST:
                raise InputError(
                    f"must be finite where the limit, {price:g}, is never reached, got {quantity}",
                    field="quantity",
                )
        filled, cost, before, last = _core.maker_trade(
            maker._model(), -maker.inventory, signed, most, shares
        )
        paid = {"cost": cost, "final": last * filled, "limit": most * filled}[payment]
        done = construct(
            Trade,
            {
                "payoff": frozen(row),
                "side": "buy" if sign > 0 else "sell",
                "limit": price,
                "quantity": filled,
                "payment": paid if filled else 0.0,
                "price": sign * (paid / filled if filled else before),
                "rule": payment,
            },
        )
        return done, maker.replace(inventory=maker.inventory - filled * signed)

    # -- input ----------------------------------------------------------------------------------

    def _of_market(self, market: Any) -> Floats:
        """Return the payoffs of a market's claims in the order of the maker's states."""
        payoffs: Floats = market.payoffs
        names, own = market.states, self.labels
        if "_labels" not in self.__dict__ or names == own:
            return payoffs
        if names == default_labels(len(names)) and set(names) != set(own):  # it has no labels
            return payoffs
        return payoffs[:, reordering(names, own, "payoffs", "state")]

    def _rows(self: _Self, value: ArrayLike, field: str) -> tuple[_Self, Floats, bool]:
        rows, single = checked_rows(value, field, self.labels)
        return self._bound(rows.shape[1], field), rows, single

    def _payoff(self: _Self, payoff: ArrayLike) -> tuple[_Self, Floats]:
        maker, rows, single = self._rows(payoff, "payoff")
        if not single:
            raise InputError(f"must have shape (N,), got shape {rows.shape}", field="payoff")
        return maker, rows[0]

    def __repr__(self) -> str:
        parts = [
            f"{item.name}={getattr(self, item.name):g}"
            for item in fields(self)  # type: ignore[arg-type]
            if isinstance(getattr(self, item.name), float)
        ]
        return f"{type(self).__name__}({', '.join([f'{self.states} states', *parts])})"
