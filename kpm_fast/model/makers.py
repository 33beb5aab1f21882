"""The makers of the family, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Floats, as_floats, as_number, exact_sum, first, frozen
from ..bounds import PRIOR_TOLERANCE, SMALLEST
from ..errors import InputError, brief
from .labels import states_of
from .maker import Maker
from .maker_input import (
    checked_inventory,
    checked_positive,
    checked_vector,
    labelled_rows,
    states_named_by,
)
from .priors import checked_prior

__all__ = [
    "LMSR",
    "KnightianMaker",
    "PolytopeMaker",
    "QuadraticMaker",
    "StartingOrders",
    "UtilityMaker",
    "WorstStateMaker",
]


@dataclass(frozen=True, init=False, eq=False, repr=False)
class KnightianMaker(Maker):
    """Constant absolute risk aversion under the worst probabilities near the prior.

    C(L) = rho(L) = (1/alpha) ln max {E_p exp(alpha L) : KL(p|q) <= Omega}, (25).

    Parameters
    ----------
    prior : array_like, shape (N,)
        Reference probabilities q >= 1e-200, which sum to 1 up to their own rounding.
    risk_aversion : float
        alpha per unit of money, between 1e-30 and 1e30.
    ambiguity : float
        Omega in nats, 0 to inf.
    inventory : array_like, shape (N,), optional
        Wealth by state, in money. Default: zero.

    Raises
    ------
    InputError
        Naming the field, the index and the value at fault.

    Examples
    --------
    >>> maker = KnightianMaker([0.5, 0.5], risk_aversion=1.0, ambiguity=0.1)
    >>> maker.cost([10, 0])
    9.6712283242596...
    """

    prior: Floats
    risk_aversion: float
    ambiguity: float
    inventory: Floats

    def __init__(
        self,
        prior: ArrayLike,
        risk_aversion: float,
        ambiguity: float,
        inventory: ArrayLike | None = None,
    ) -> None:
        beliefs, labels, names = _checked_prior(prior)
        radius = as_number(ambiguity, "ambiguity")
        if not radius >= 0:
            raise InputError(
                f"must be a number >= 0 (inf is allowed), got {ambiguity}", field="ambiguity"
            )
        self.__dict__.update(
            prior=beliefs,
            risk_aversion=checked_positive(risk_aversion, "risk_aversion"),
            ambiguity=radius,
            inventory=checked_inventory(inventory, labels),
            **names,
        )

    def _model(self) -> dict[str, Any]:
        return {
            "kind": "knightian",
            "states": self.states,
            "prior": self.prior,
            "risk_aversion": self.risk_aversion,
            "ambiguity": self.ambiguity,
        }


@dataclass(frozen=True, init=False, eq=False, repr=False)
class LMSR(KnightianMaker):
    """The logarithmic market scoring rule: C(L) = b ln E_q exp(L / b).

    The Knightian maker of risk aversion 1 / b without ambiguity. Hanson's cost
    b ln sum exp(L / b) is that of the uniform prior plus the constant b ln N.

    Parameters
    ----------
    liquidity : float
        b in money, between 1e-30 and 1e30.
    prior : array_like, shape (N,), optional
        Default: uniform, over as many states as ``inventory`` has, or else as the first losses,
        payoffs or market that it is used with: until then ``prior`` and ``inventory`` are
        empty and ``states`` is 0.
    inventory : array_like, shape (N,), optional
        Wealth by state, in money. Default: zero.

    Examples
    --------
    >>> maker = LMSR(100.0)
    >>> maker.state_prices([10, 0])
    array([0.52497919, 0.47502081])
    """

    liquidity: float

    def __init__(
        self,
        liquidity: float,
        prior: ArrayLike | None = None,
        inventory: ArrayLike | None = None,
    ) -> None:
        b = checked_positive(liquidity, "liquidity")
        if prior is not None:
            beliefs, labels, names = _checked_prior(prior)
        else:
            labels, named = (
                ((), False) if inventory is None else states_named_by(inventory, "inventory")
            )
            beliefs = frozen(np.full(len(labels), 1 / max(len(labels), 1)))
            names = _names(labels, named)
        self.__dict__.update(
            prior=beliefs,
            risk_aversion=1 / b,
            ambiguity=0.0,
            inventory=checked_inventory(inventory, labels),
            liquidity=b,
            **names,
        )

    def _bound(self, states: int, field: str) -> LMSR:
        if self.states == 0:
            if states == 0:
                raise InputError(
                    "must have states, which this maker has only if prior or inventory is given",
                    field=field,
                )
            return LMSR(self.liquidity, np.full(states, 1 / states))
        return super()._bound(states, field)

    def replace(self, **changes: Any) -> LMSR:
        """Return a copy with some parameters changed, validated like a new maker.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> kpm.LMSR(100.0, [0.5, 0.5]).replace(liquidity=50.0).liquidity
        50.0
        """
        own = {"liquidity": self.liquidity, "prior": self.prior, "inventory": self.inventory}
        unknown = set(changes) - set(own)
        if unknown:
            raise TypeError(f"LMSR has no parameter {min(unknown)!r}")
        if self.states == 0:
            own = {"liquidity": self.liquidity}
        return self._replaced(LMSR, own, changes)

    def __repr__(self) -> str:
        known = f"{self.states} states, " if self.states else ""
        return f"LMSR({known}liquidity={self.liquidity:g})"


@dataclass(frozen=True, init=False, eq=False, repr=False)
class StartingOrders(Maker):
    """A starting order of delta_i on every state: the maker of CPCAM (3), in sequence log SCPM.

    C(L) = min over t of t - sum delta_i ln(t - L_i), with state prices delta / (t - L).

    Parameters
    ----------
    delta : array_like, shape (N,)
        Money, each between 1e-30 and 1e30.
    inventory : array_like, shape (N,), optional
        Wealth by state, in money. Default: zero.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> maker = kpm.StartingOrders([10.0, 30.0])
    >>> maker.state_prices([0, 0]).round(6).tolist()  # in proportion to the orders
    [0.25, 0.75]
    """

    delta: Floats
    inventory: Floats

    def __init__(self, delta: ArrayLike, inventory: ArrayLike | None = None) -> None:
        labels, named = states_named_by(delta, "delta")
        orders = checked_vector(delta, "delta", labels=labels)
        wrong = first(orders < SMALLEST)
        if wrong is not None:
            raise InputError(
                f"must be at least {SMALLEST:g}, got {orders[wrong]}", field="delta", index=wrong
            )
        self.__dict__.update(
            delta=frozen(orders),
            inventory=checked_inventory(inventory, labels),
            **_names(labels, named),
        )

    def _model(self) -> dict[str, Any]:
        return {"kind": "starting_orders", "states": self.states, "delta": self.delta}

    def __repr__(self) -> str:
        least, most = self.delta.min(), self.delta.max()
        delta = f"{least:g}" if least == most else f"{least:g} to {most:g}"
        return f"StartingOrders({self.states} states, delta={delta})"


@dataclass(frozen=True, init=False, eq=False, repr=False)
class WorstStateMaker(Maker):
    """Only the worst state counts: C(L) = max L, the maker of (5) and of the LP (31).

    Parameters
    ----------
    states : int
        N >= 1; or a sequence of as many labels, which name the states.
    inventory : array_like, shape (N,), optional
        Wealth by state, in money. Default: zero.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> maker = kpm.WorstStateMaker(["won", "lost"])
    >>> maker.cost([10, 0])  # what it owes in the worst state: it takes no risk
    10.0
    """

    inventory: Floats

    def __init__(self, states: Any, inventory: ArrayLike | None = None) -> None:
        labels, named = states_of(states)
        if not labels:
            raise InputError(f"must be at least 1, got {brief(states)}", field="states")
        self.__dict__.update(
            inventory=checked_inventory(inventory, labels), **_names(labels, named)
        )

    def replace(self, **changes: Any) -> WorstStateMaker:
        """Return a copy with some parameters changed, validated like a new maker.

        Labels in ``states`` are other names for the same states.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> kpm.WorstStateMaker(2).replace(inventory=[1.0, 0.0]).inventory.tolist()
        [1.0, 0.0]
        """
        own: dict[str, Any] = {"states": self.states, "inventory": self.inventory}
        if "states" in changes:
            return WorstStateMaker(**{**own, **changes})
        return self._replaced(WorstStateMaker, own, changes)

    def _model(self) -> dict[str, Any]:
        return {"kind": "worst_state", "states": self.states}


@dataclass(frozen=True, init=False, eq=False, repr=False)
class PolytopeMaker(Maker):
    """Constant absolute risk aversion over the hull of several priors: Theorem 1, section 8.1.

    C(L) = (1/alpha) ln max over the priors of E_p exp(alpha L); for alpha = 0 the greatest E_p L.

    Parameters
    ----------
    priors : array_like, shape (M, N)
        The vertices, each >= 0 and summing to 1 within 1e-9; they are normalised.
    risk_aversion : float
        alpha per unit of money: 0, or between 1e-30 and 1e30.
    inventory : array_like, shape (N,), optional
        Wealth by state, in money. Default: zero.

    Examples
    --------
    >>> maker = PolytopeMaker([[1 / 3, 1 / 10, 17 / 30], [1 / 3, 2 / 5, 4 / 15]], 0.0)
    >>> maker.quotes([[0, 1, 0]])["bid"]
    array([0.1])
    """

    priors: Floats
    risk_aversion: float
    inventory: Floats

    def __init__(
        self, priors: ArrayLike, risk_aversion: float, inventory: ArrayLike | None = None
    ) -> None:
        labels, named = states_named_by(priors, "priors")
        table = as_floats(labelled_rows(priors, "priors", labels)[0], "priors")
        if table.ndim != 2 or 0 in table.shape:
            raise InputError(
                f"must have shape (M, N), a row for each prior, got shape {table.shape}",
                field="priors",
            )
        self.__dict__.update(
            priors=_checked_vertices(table),
            risk_aversion=checked_positive(risk_aversion, "risk_aversion", or_zero=True),
            inventory=checked_inventory(inventory, labels),
            **_names(labels, named),
        )

    def _model(self) -> dict[str, Any]:
        return {
            "kind": "polytope",
            "states": self.states,
            "priors": self.priors,
            "risk_aversion": self.risk_aversion,
        }


@dataclass(frozen=True, init=False, eq=False, repr=False)
class UtilityMaker(Maker):
    """Logarithmic utility of wealth, which trades at cost leave unchanged: Chen and Pennock.

    C(L) is the root of sum pi_i ln(m0 + C - L_i) = ln m0.

    Parameters
    ----------
    prior : array_like, shape (N,)
        Probabilities pi >= 1e-200, which sum to 1 as far as their own rounding allows.
    wealth : float
        m0 in money, between 1e-30 and 1e30: the most it can lose.
    inventory : array_like, shape (N,), optional
        What trades have added, by state, to ``wealth``. Default: zero.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> maker = kpm.UtilityMaker([0.5, 0.5], wealth=100.0)
    >>> maker.state_prices([20, 0]).round(4).tolist(), maker.loss_bound()
    ([0.5498, 0.4502], 100.0)
    """

    prior: Floats
    wealth: float
    inventory: Floats

    def __init__(self, prior: ArrayLike, wealth: float, inventory: ArrayLike | None = None) -> None:
        beliefs, labels, names = _checked_prior(prior)
        self.__dict__.update(
            prior=beliefs,
            wealth=checked_positive(wealth, "wealth"),
            inventory=checked_inventory(inventory, labels),
            **names,
        )

    def _model(self) -> dict[str, Any]:
        return {
            "kind": "utility",
            "states": self.states,
            "prior": self.prior,
            "wealth": self.wealth,
        }


@dataclass(frozen=True, init=False, eq=False, repr=False)
class QuadraticMaker(Maker):
    """State prices are the projection of pi + L / 2c: ``C(L) = max over g of g.L - c |g - pi|^2``.

    Parameters
    ----------
    prior : array_like, shape (N,)
        Probabilities pi >= 1e-200, which sum to 1 as far as their own rounding allows.
    c : float
        Money, between 1e-30 and 1e30.
    inventory : array_like, shape (N,), optional
        Wealth by state, in money. Default: zero.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> maker = kpm.QuadraticMaker([0.5, 0.5], c=100.0)
    >>> maker.state_prices([20, 0]).round(6).tolist()
    [0.55, 0.45]
    """

    prior: Floats
    c: float
    inventory: Floats

    def __init__(self, prior: ArrayLike, c: float, inventory: ArrayLike | None = None) -> None:
        beliefs, labels, names = _checked_prior(prior)
        self.__dict__.update(
            prior=beliefs,
            c=checked_positive(c, "c"),
            inventory=checked_inventory(inventory, labels),
            **names,
        )

    def _model(self) -> dict[str, Any]:
        return {"kind": "quadratic", "states": self.states, "prior": self.prior, "c": self.c}


def _checked_prior(value: ArrayLike) -> tuple[Floats, tuple[str, ...], dict[str, Any]]:
    """Return a prior, its states, and what a maker remembers of it: labels, and its own sum."""
    labels, named = states_named_by(value, "prior")
    checked_vector(value, "prior", labels=labels)
    prior, prior_sum = checked_prior(value, labels)
    return prior, labels, {**_names(labels, named), "_prior_sum": prior_sum}


def _names(labels: tuple[str, ...], named: bool) -> dict[str, Any]:
    """Return the labels of states that a maker was given; none if it was given none."""
    return {"_labels": labels} if named else {}


def _checked_vertices(table: Floats) -> Floats:
    wrong = first(~((table.ravel() >= 0) & (table.ravel() <= 1 + PRIOR_TOLERANCE)))
    if wrong is not None:
        row, state = divmod(wrong, table.shape[1])
        raise InputError(
            f"must be between 0 and 1, got {table[row, state]}",
            field="priors",
            index=(str(row), str(state)),
        )
    for row, prior in enumerate(table):
        mass = exact_sum(prior)
        if not abs(mass - 1) <= PRIOR_TOLERANCE:
            raise InputError(
                f"must sum to 1 within {PRIOR_TOLERANCE:g}, but sums to {mass!r}",
                field="priors",
                index=row,
            )
        # A correctly rounded sum within 2**-52 of 1 is left alone: copies keep every bit.
        table[row] /= mass if abs(mass - 1) > 2.0**-52 else 1.0
    return frozen(table)
