"""The market: what the claims pay, what the maker believes and how cautious it is."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .. import _core
from ..arrays import Floats, as_flag, as_number, frozen, same
from ..errors import InputError, MissingAttributeError, brief
from ..files.csv_text import check_decimal
from ..files.decimal_comma import pointed_column
from ..files.tables import read_csv
from .faults import error_of
from .labels import check_labels, default_labels, has_column, named_entries, named_table
from .maker import Maker
from .makers import KnightianMaker
from .market_tables import market_of_tables
from .payoffs import payoff_table
from .priors import BY_NORMALIZE, EXACT, checked_prior, state_vector

__all__ = ["DEFAULT_AMBIGUITY", "Market", "remember_prior_sum"]

#: Nats. Below the ambiguity at which trade stops in most books (theorem B; docs/reference.md).
DEFAULT_AMBIGUITY = 0.01

_KNIGHTIAN = ("prior", "risk_aversion", "ambiguity")


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Market:
    """A market of K claims on N states, and its maker. Immutable.

    Parameters
    ----------
    payoffs : array_like, data frame or mapping, shape (K, N)
        Money that one share of claim k pays in state i; any numbers up to 1e30 in magnitude that
        are all equal or differ by 1e-50 or more. K, N >= 1. A data frame's columns are states; its
        claims are named by its column ``claim``, else, for pandas, by its index. A mapping gives
        for each claim its payoffs by state.
    prior : array_like, Series or mapping, shape (N,)
        The maker's reference probabilities q >= 1e-200. Their sum must be 1 up to their own
        rounding (see Notes), and they are then divided by it.
    inventory : array_like, Series or mapping, shape (N,), optional
        The maker's wealth w in each state before trading, in money, up to 1e30 in magnitude.
        Default: zero.
    risk_aversion : float, optional
        Constant absolute risk aversion alpha, per unit of money; 1e-30 <= alpha <= 1e30.
        Default: 1.
    ambiguity : float, optional
        Radius Omega of the set of probabilities {p : KL(p|q) <= Omega}, in nats;
        0 <= Omega <= inf. Zero is expected utility; at infinity only the worst state counts.
        Default: 0.01, below the ambiguity at which trade stops in most books;
        :func:`kpm_fast.implied_ambiguity` computes that ambiguity for a given book.
    maker : Maker, optional
        Who takes the other side, instead of ``prior``, ``inventory``, ``risk_aversion`` and
        ``ambiguity``, which are those of a :class:`KnightianMaker`; for any other maker the market
        has only the inventory, and ``hasattr`` says so. Its states are aligned by label where it
        has labels; otherwise they are in the market's order, and ``market.maker`` takes the
        market's labels.
    claims, states : sequence of str, optional
        Distinct labels. Default: those that ``payoffs``, else ``prior`` or ``maker``, came with,
        else ``"0"``, ``"1"``, ... Labels are not empty and neither start nor end with white space.
    normalize : bool
        Accept a prior of any positive, finite sum, and divide it by that sum. Not with ``maker``,
        whose prior is divided already.

    Attributes
    ----------
    payoffs, prior, inventory : ndarray of float64
        Read-only copies of the parameters.
    risk_aversion, ambiguity : float
    claims, states : tuple of str
    prior_sum : float
        The sum of the prior as given, also to the maker; 1 where there is none.

    Raises
    ------
    InputError
        Naming the field, the index or label, and the value at fault.

    Notes
    -----
    In the notation of the paper's problem (8), row k of ``payoffs`` is the payoff vector that
    the columns A_j of all orders for claim k share.

    Labelled data (a mapping, a pandas Series or data frame, a table with a column ``state`` or
    ``claim``) are aligned by label, integers by their digits; their labels must be those of the
    market, or an error shows both sets. Arrays, lists and the series of polars and pyarrow have no
    labels and are in the market's order.

    A prior may sum to 1 within 1e-9, or within what the rounding of its own type (float32) or of
    its digits (six, say) explains, up to 1e-4 at most. ``prior_sum`` reports the sum; beyond that
    ``normalize=True`` is needed.

    Examples
    --------
    >>> payoffs = {"home": {"H": 1, "D": 0, "A": 0}, "draw": {"H": 0, "D": 1, "A": 0}}
    >>> market = Market(payoffs, {"A": 0.2, "D": 0.3, "H": 0.5})
    >>> market.claims, market.states, market.prior.tolist()
    (('home', 'draw'), ('H', 'D', 'A'), [0.5, 0.3, 0.2])
    """

    payoffs: Floats
    prior: Floats
    inventory: Floats
    risk_aversion: float
    ambiguity: float
    claims: tuple[str, ...]
    states: tuple[str, ...]
    prior_sum: ClassVar[float]  # of the instance, but no parameter

    def __init__(
        self,
        payoffs: ArrayLike | Mapping[str, Any],
        prior: ArrayLike | Mapping[str, float] | None = None,
        inventory: ArrayLike | Mapping[str, float] | None = None,
        risk_aversion: float | None = None,
        ambiguity: float | None = None,
        claims: Sequence[str] | None = None,
        states: Sequence[str] | None = None,
        *,
        normalize: bool = False,
        maker: Maker | None = None,
    ) -> None:
        if maker is None:
            if risk_aversion is None:
                risk_aversion = 1.0
            if ambiguity is None:
                ambiguity = DEFAULT_AMBIGUITY
            if (
                type(risk_aversion) is float
                and type(ambiguity) is float
                and type(normalize) is bool
                and self._of_plain(
                    payoffs, prior, inventory, risk_aversion, ambiguity, claims, states
                )
            ):
                return
        table, claim_labels, state_labels = payoff_table(
            payoffs, [] if prior is None else prior, claims, states, maker
        )
        if maker is None:
            attributes = _of_prior(
                prior, inventory, risk_aversion, ambiguity, state_labels, normalize=normalize
            )
            fault = _core.market_fault(
                table,
                attributes["prior"],
                attributes["inventory"],
                attributes["risk_aversion"],
                attributes["ambiguity"],
            )
        else:
            given = {
                "prior": prior is not None,
                "inventory": inventory is not None,
                "risk_aversion": risk_aversion is not None,
                "ambiguity": ambiguity is not None,
                "normalize": as_flag(normalize, "normalize"),
            }
            attributes = _of_maker(maker, state_labels, given)
            # The maker has been checked already; the payoffs are, with any prior in its place.
            alike = np.full(len(state_labels), 1 / len(state_labels))
            fault = _core.market_fault(table, alike, attributes["inventory"], 1.0, 0.0)
        if fault is not None:
            raise error_of(fault, claim_labels, state_labels)
        # Frozen: the instance's dictionary is filled at once, which costs least.
        self.__dict__.update(
            payoffs=frozen(table), claims=claim_labels, states=state_labels, **attributes
        )

    def _of_plain(
        self,
        payoffs: Any,
        prior: Any,
        inventory: Any,
        risk_aversion: float,
        ambiguity: float,
        claims: Sequence[str] | None,
        states: Sequence[str] | None,
    ) -> bool:
        """Take arrays of doubles that are right as they are; whether they were."""
        plain = _core.plain_market(payoffs, prior, inventory, risk_aversion, ambiguity)
        if plain is None:
            return False
        table, probabilities, money = plain
        prior_sum = math.fsum(probabilities.tolist())
        if abs(prior_sum - 1.0) > EXACT:
            return False
        n_claims, n_states = table.shape
        self.__dict__.update(
            payoffs=table,
            prior=probabilities,
            inventory=money,
            risk_aversion=risk_aversion,
            ambiguity=ambiguity,
            # Written out: two calls are a good part of the time that a market takes.
            claims=default_labels(n_claims)
            if claims is None
            else check_labels(claims, n_claims, "claims"),
            states=default_labels(n_states)
            if states is None
            else check_labels(states, n_states, "states"),
            prior_sum=prior_sum,
        )
        return True

    @classmethod
    def from_csv(
        cls,
        claims_path: str | os.PathLike[str],
        states_path: str | os.PathLike[str],
        *,
        delimiter: str | None = None,
        decimal: str | None = None,
        encoding: str | None = None,
        maker: Maker | None = None,
        **keywords: Any,
    ) -> Market:
        """Read a market from two CSV files.

        Parameters
        ----------
        claims_path : path
            Header ``claim,<state>,<state>,...``; a row per claim with its payoffs.
        states_path : path
            Header ``state,prior`` and optionally ``inventory``; a row per state. Its order of
            states becomes the market's; the claims file may have another.
        delimiter, decimal, encoding : str, optional
            Of both files; default: detected, as :meth:`Orders.from_csv` does.
        maker : Maker, optional
            Instead of the prior and the inventory, which the file then need not have and which
            are not read.
        **keywords
            ``inventory``, ``risk_aversion``, ``ambiguity``, ``normalize``: as for
            :class:`Market`; they take precedence over the file.

        Raises
        ------
        InputError
            Naming file and line; both files if their states differ.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> import pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "claims.csv").write_text("claim,H,A\\nhome,1,0\\n")
        >>> _ = (folder / "states.csv").write_text("state,prior\\nH,0.6\\nA,0.4\\n")
        >>> kpm.Market.from_csv(folder / "claims.csv", folder / "states.csv").prior.tolist()
        [0.6, 0.4]
        """
        text: dict[str, Any] = {"delimiter": delimiter, "decimal": decimal, "encoding": encoding}
        payoff_table = read_csv(claims_path, ["claim"], **text)
        state_table = read_csv(states_path, ["state"], ["prior", "inventory"], **text)
        return market_of_tables(cls, payoff_table, state_table, maker, keywords)

    @classmethod
    def from_frame(
        cls,
        payoffs: Any,
        prior: Any,
        inventory: Any = None,
        *,
        decimal: str | None = None,
        **keywords: Any,
    ) -> Market:
        """Build a market from data frames and other labelled data, by label alone.

        As :class:`Market`, but unlabelled data are refused, and the prior's table may also hold the
        inventory.

        Parameters
        ----------
        payoffs : data frame, table or mapping
            A row for each claim, named by the column ``claim`` (for pandas else by the index), and
            a column for each state, in the order that becomes the market's.
        prior, inventory : Series, mapping, data frame or table
            By state. A table has the column ``state`` (for pandas else the index) and ``prior`` or
            ``inventory``; that of the prior may have both.
        decimal : {".", ","}, optional
            Of numbers that are text. Default: the point.
        **keywords
            ``risk_aversion``, ``ambiguity``, ``normalize`` and others of :class:`Market`.

        Raises
        ------
        InputError
            Naming what has no labels, or both sets of labels where they differ.

        Examples
        --------
        >>> claims = {"claim": ["home", "draw"], "H": [1, 0], "D": [0, 1], "A": [0, 0]}
        >>> states = {"state": ["A", "D", "H"], "prior": [0.2, 0.3, 0.5], "inventory": [3, 2, 1]}
        >>> market = Market.from_frame(claims, states)
        >>> market.states, market.prior.tolist(), market.inventory.tolist()
        (('H', 'D', 'A'), [0.5, 0.3, 0.2], [1.0, 2.0, 3.0])
        """
        check_decimal(decimal, None)
        comma = decimal == ","
        entries, rows, columns = named_table(payoffs, comma=comma)
        if rows is None or columns is None:
            raise InputError(
                "has no labels of claims and states; Market takes plain arrays", field="payoffs"
            )
        if inventory is None and has_column(prior, "inventory", "state"):
            inventory = prior
        for field, value in (("prior", prior), ("inventory", inventory)):
            if value is not None and named_entries(value, field).labels is None:
                raise InputError("has no labels of states; Market takes plain arrays", field=field)
        if comma:  # read as it says, and no longer in the frames
            payoffs = {
                claim: dict(zip(columns, row, strict=True))
                for claim, row in zip(rows, entries, strict=True)
            }
            prior, inventory = (
                None if value is None else _pointed_vector(value, field)
                for field, value in (("prior", prior), ("inventory", inventory))
            )
        return cls(payoffs, prior, inventory, **keywords)

    @property
    def maker(self) -> Maker:
        """Who takes the other side: :class:`KnightianMaker`, unless another was given."""
        given: Maker | None = self.__dict__.get("_maker")
        if given is not None:
            return given
        own = KnightianMaker(self.prior, self.risk_aversion, self.ambiguity, self.inventory)
        own.__dict__.update(_labels=self.states, _prior_sum=self.prior_sum)  # nobody has it yet
        return own

    def __getattr__(self, name: str) -> Any:
        # Attributes that only a market with a Knightian maker has.
        if name in _KNIGHTIAN and "_maker" in self.__dict__:
            owner = type(self.__dict__["_maker"]).__name__
            raise MissingAttributeError(f"the market's maker, {owner}, has none", field=name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _parameters(self) -> dict[str, Any]:
        """Return the parameters that make an equal market, by name."""
        if "_maker" in self.__dict__:
            names: Sequence[str] = ("payoffs", "claims", "states", "maker")
        else:
            names = [field.name for field in fields(self)]
        return {name: getattr(self, name) for name in names}

    def replace(self, **changes: Any) -> Market:
        """Return a copy with some parameters changed, validated like a new market.

        Another prior, risk aversion or ambiguity makes a Knightian maker of one that was given.
        Other ``claims`` or ``states`` rename what is not given anew; nothing changes its place.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5])
        >>> market.replace(ambiguity=0.2).ambiguity
        0.2
        """
        current = self._parameters()
        names = [field.name for field in fields(self)]
        if unknown := set(changes) - {*names, "normalize", "maker"}:
            raise TypeError(f"Market has no parameter {min(unknown)!r}")
        for name in ("risk_aversion", "ambiguity"):  # where None would mean the default
            if name in changes and changes[name] is None:
                raise InputError("must be a number, got None", field=name)
        if changes.get("maker") is not None:
            current = {name: current[name] for name in ("payoffs", "claims", "states")}
        elif "maker" in current and not changes.keys().isdisjoint(_KNIGHTIAN):
            current = self._knightian_parameters(changes)
        elif "maker" in current:
            if "states" in changes:  # other names for the same states, as of the payoffs
                current["maker"] = current["maker"]._named(changes["states"])
            if "inventory" in changes:
                current["maker"] = current["maker"].replace(inventory=changes.pop("inventory"))
        market = Market(**{**current, **changes})
        if changes.keys().isdisjoint(("prior", "maker")):
            remember_prior_sum(market, self.prior_sum)
        return market

    def _knightian_parameters(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Return what makes a Knightian maker of the given one, with the changes."""
        names = [field.name for field in fields(self) if field.name not in changes]
        lacking = [name for name in names if not hasattr(self, name)]
        if lacking:
            changed = [name for name in _KNIGHTIAN if name in changes]
            field = next((name for name in changed if not hasattr(self.maker, name)), changed[0])
            has = f"no {lacking[0]} to go with it" if hasattr(self.maker, field) else "none"
            other = "replace(maker=...) changes the maker"
            if "maker" in changes:
                other = f"a Knightian maker needs {', '.join(_KNIGHTIAN[:2])} and {_KNIGHTIAN[2]}"
            raise InputError(f"{type(self.maker).__name__} has {has}; {other}", field=field)
        return {name: getattr(self, name) for name in names}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Market):
            return NotImplemented
        mine, others = self._parameters(), other._parameters()
        return mine.keys() == others.keys() and all(
            mine[name] == others[name] if name == "maker" else same(mine[name], others[name])
            for name in mine
        )

    __hash__ = None  # type: ignore[assignment]  # equal by arrays, which have no hash

    def __reduce__(self) -> tuple[Any, ...]:
        # Through the constructor: unpickled arrays would otherwise be writeable.
        return _rebuilt, (self._parameters(),), {"prior_sum": self.prior_sum}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Nothing else: an entry of a method's name would take its place.
        remember_prior_sum(self, as_number(state.get("prior_sum"), "prior_sum"))

    def __repr__(self) -> str:
        n_claims, n_states = self.payoffs.shape
        if "_maker" in self.__dict__:
            return f"Market({n_claims} claims, {n_states} states, maker={self.maker!r})"
        return (
            f"Market({n_claims} claims, {n_states} states, "
            f"risk_aversion={self.risk_aversion:g}, ambiguity={self.ambiguity:g})"
        )


def _rebuilt(parameters: dict[str, Any]) -> Market:
    try:
        return Market(**parameters)
    except TypeError as error:  # a name that this release does not know
        raise InputError(
            f"was pickled by another release of kpm-fast: {error}", field="Market"
        ) from None


def _of_prior(
    prior: Any,
    inventory: Any,
    risk_aversion: Any,
    ambiguity: Any,
    states: tuple[str, ...],
    *,
    normalize: bool,
) -> dict[str, Any]:
    """Return the attributes of a market whose maker is given by its numbers."""
    if prior is None:
        raise InputError(
            "must be given unless a maker is (uniform_prior(states) prefers no state)",
            field="prior",
        )
    probabilities, prior_sum = checked_prior(
        prior, states, normalize=normalize, remedy=BY_NORMALIZE
    )
    money = np.zeros(len(states))
    if inventory is not None:
        money = state_vector(inventory, states, "inventory")
    return {
        "prior": probabilities,
        "inventory": frozen(money),
        "risk_aversion": as_number(risk_aversion, "risk_aversion"),
        "ambiguity": as_number(ambiguity, "ambiguity"),
        "prior_sum": prior_sum,
    }


def _of_maker(maker: Any, states: tuple[str, ...], given: dict[str, bool]) -> dict[str, Any]:
    """Return the attributes that a market takes from its maker."""
    if not isinstance(maker, Maker):
        raise InputError(f"must be a maker, got {brief(maker)}", field="maker")
    for name in (name for name, stated in given.items() if stated):
        hint = "; labels go by keyword, as claims= and states=" if name == "prior" else ""
        raise InputError(f"is already given by the maker{hint}", field=name)
    bound = maker._bound(len(states), "maker")._aligned(states, "maker")
    attributes: dict[str, Any] = {
        "_maker": bound,
        "inventory": bound.inventory,
        "prior_sum": bound.__dict__.get("_prior_sum", 1.0),
    }
    if isinstance(bound, KnightianMaker):
        attributes |= {name: getattr(bound, name) for name in _KNIGHTIAN}
    return attributes


def remember_prior_sum(market: Market, prior_sum: float) -> None:
    """Store in a new market what its prior summed to before it was first normalised."""
    market.__dict__["prior_sum"] = prior_sum


def _pointed_vector(value: Any, field: str) -> dict[str, Any]:
    """Return labelled numbers that are text with points for their decimal commas."""
    entries, labels = named_entries(value, field)
    return dict(zip(labels or (), pointed_column(entries, field), strict=True))
