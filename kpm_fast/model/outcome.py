"""The outcome of clearing a book: values that print, pickle and convert to tables."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import _core
from ..arrays import Floats, Ints, as_integer, check_choice, exact_sum, frozen
from ..errors import InputError, brief
from ..files.atomic_files import staged_text
from ..files.strict_json import stated_number
from ..files.tables import make_frame
from .certificate import Certificate, DualCertificate
from .immutable import Value
from .limits import limits_in_reach
from .maker_model import maker_model, maker_text
from .market import Market
from .orders import Orders
from .outcome_figures import CELL_ARRAYS, OUTCOME_ARRAYS, axes_of_book, check_outcome
from .stats import Stats
from .status import Status

__all__ = ["CellResult", "Outcome"]

TABLES = ("orders", "claims", "states")
_DEEPEST = 64  # spaces an entry of JSON may be indented by
_CLAIMS_SHOWN = 8


@dataclass(frozen=True, eq=False, repr=False)
class Outcome(Value):
    """A cleared book. Immutable; arrays are read-only. Equal by value, ``stats`` aside.

    N states, K claims, J orders; money and shares in the units of the input.

    Attributes
    ----------
    status : Status
        Whether optimality is proven, or what stopped the search.
    fills : ndarray, shape (J,)
        Shares filled, in [0, quantity].
    state_prices : ndarray, shape (N,)
        xi: what a unit of money in each state costs; a probability vector.
    claim_prices : ndarray, shape (K,)
        Clearing prices pi = payoffs @ state_prices, money per share.
    net_demand : ndarray, shape (K,)
        y: shares bought less shares sold by the orders; the maker takes the other side.
    revenue : float
        Money the maker receives, claim_prices @ net_demand.
    payoff : ndarray, shape (N,)
        The maker's wealth in each state, inventory included.
    certainty_equivalent : float
        The certain amount worth as much to the maker as ``payoff``, under the worst case.
    no_trade_equivalent : float
        The same without trading. No published clearing is worth less (docs/theory.md, theorem A),
        except by a convex rule that was stopped.
    upper_bound : float
        No clearing has a greater certainty equivalent.
    worst_case : ndarray, shape (N,)
        p: the worst-case probabilities in (8), within KL(p|q) <= Omega.
    marginal_state_prices : ndarray, shape (N,)
        g: what the maker would pay for a little more money in each state; p tilted by marginal
        utility. A probability vector.
    ambiguity_price : float
        Certainty equivalent lost per nat of ambiguity, -d(certainty_equivalent)/d(Omega).
        Zero if only the worst states count, infinite at Omega = 0.
    multipliers : ndarray, shape (K,)
        lambda: duals of pi = payoffs @ xi in the winning cell, shares.
    cell : ndarray of int64, shape (K,)
        The piece of each claim's staircase that won, numbered from the lowest price.
    scale : float
        The notional that trades, which ``tolerance`` refers to: the sum over orders of payoff range
        times fill, money. Where nothing trades, the smaller half of the book's levels counts
        instead (docs/reference.md).
    tolerance : float
        The relative tolerance asked for.
    allocation : str
        How orders at the clearing price shared the volume: ``"pro_rata"``, ``"time"`` or
        ``"book_order"``.
    market : Market
    orders : Orders
        The input.
    stats : Stats
    certificate : Certificate, DualCertificate or None
        The proof of ``upper_bound``, where it was asked for.
    rule : str
        ``"maker_optimal"``: (8). ``"competitive"``: the fills that are worth most to traders and
        maker together, at the maker's marginal state prices; ``upper_bound`` then bounds
        :attr:`objective`. ``"pay_as_bid"``: the same fills, and every order pays its limit.
        ``"pdca"``: competitive, with the greatest payout among the fills that support the prices.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, claims=["home"])
    >>> result = kpm.clear(market, kpm.Orders(["home"], "buy", [0.6], [10]))
    >>> result.status, result.claim_prices.round(6).tolist(), result.fills.tolist()
    (<Status.OPTIMAL: 'optimal'>, [0.6], [10.0])
    >>> result.payoff.round(6).tolist()  # the maker's, by state
    [-4.0, 6.0]
    """

    _meaning = 1  # until 0.2 `scale` counted orders that do not trade
    _arrays = OUTCOME_ARRAYS

    status: Status
    fills: Floats
    state_prices: Floats
    claim_prices: Floats
    net_demand: Floats
    revenue: float
    payoff: Floats
    certainty_equivalent: float
    no_trade_equivalent: float
    upper_bound: float
    worst_case: Floats
    marginal_state_prices: Floats
    ambiguity_price: float
    multipliers: Floats
    cell: Ints
    scale: float
    tolerance: float
    allocation: str
    market: Market
    orders: Orders
    stats: Stats = field(compare=False)  # not part of the outcome
    certificate: Certificate | DualCertificate | None = None
    rule: str = "maker_optimal"
    _objective: float | None = None  # as the core states it; None: it follows from the others

    def _sizes(self) -> dict[str, int]:
        return axes_of_book(self.market, self.orders)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        check_outcome(self, self._sizes())

    # -- derived figures ----------------------------------------------------------------

    @property
    def gap(self) -> float:
        """``upper_bound - objective``, money, never negative."""
        return max(0.0, self.upper_bound - self.objective)

    @property
    def objective(self) -> float:
        """What the rule maximises, money, at most ``upper_bound``.

        ``"maker_optimal"``, whose prices are part of the choice: the certainty equivalent. The
        other rules: that if every order paid its limit.
        """
        if self.rule not in ("competitive", "pdca"):
            return self.certainty_equivalent
        stated = self._objective
        return self.certainty_equivalent + self.surplus if stated is None else stated

    @property
    def limits(self) -> Floats:
        """The most that each order would pay (a sale: the least it would take), shape (J,), money.

        Its limit, but within the range of the claim's payoffs, which also bounds market orders.
        """
        return frozen(limits_in_reach(self.market, self.orders))

    @property
    def surplus(self) -> float:
        """What the filled orders would have paid above ``claim_prices``, money, never negative."""
        index = self.orders.claim_index(self.market)
        spared = self.orders.side * (self.limits - self.claim_prices[index])
        return max(0.0, exact_sum(spared * self.fills))

    @property
    def paid_prices(self) -> Floats:
        """What each order pays per share, shape (J,), money: the clearing price, or its limit."""
        if self.rule == "pay_as_bid":
            return self.limits
        return frozen(self.claim_prices[self.orders.claim_index(self.market)])

    @property
    def gain(self) -> float:
        """``certainty_equivalent - no_trade_equivalent``, money, to full precision.

        It is computed from the changes due to trading, not as the difference of the two, which
        would lose all digits to cancellation beside a wealth of 1e14.
        """
        market = self.market
        return _core.maker_gain(
            maker_model(market),
            market.inventory,
            market.payoffs,
            self.claim_prices,
            self.net_demand,
            self.surplus if self.rule == "pay_as_bid" else 0.0,
        )

    @property
    def utility(self) -> float:
        """The objective of (8), -exp(-alpha CE); ``-inf`` where a double overflows.

        NaN where the maker is not Knightian.
        """
        if self._model["kind"] != "knightian":
            return math.nan
        return -_exp(-self.market.risk_aversion * self.certainty_equivalent)

    @property
    def ambiguity_multiplier(self) -> float:
        """mu of (25), in the paper's units of utility: alpha exp(-alpha CE) ambiguity_price."""
        if self.ambiguity_price == 0 or self._model["kind"] != "knightian":
            return 0.0
        alpha = self.market.risk_aversion
        # One exponential of a sum of logarithms: neither factor alone need fit a double.
        return _exp(
            math.log(alpha) + _log(self.ambiguity_price) - alpha * self.certainty_equivalent
        )

    @property
    def _model(self) -> dict[str, Any]:
        return maker_model(self.market)

    @property
    def bought(self) -> Floats:
        """Shares bought by the orders on each claim, shape (K,)."""
        return self._per_claim(np.where(self.orders.side > 0, self.fills, 0.0))

    @property
    def sold(self) -> Floats:
        """Shares sold by the orders on each claim, shape (K,)."""
        return self._per_claim(np.where(self.orders.side < 0, self.fills, 0.0))

    @property
    def volume(self) -> float:
        """Shares filled, all orders together."""
        return float(self.fills.sum())

    def _per_claim(self, weights: Floats) -> Floats:
        index = self.orders.claim_index(self.market)
        sums = np.bincount(index, weights=weights, minlength=len(self.market.claims))
        return frozen(sums.astype(np.float64, copy=False))

    # -- tables -------------------------------------------------------------------------

    def table(self, name: str = "orders") -> dict[str, Any]:
        """Return one of the three tables of the result as columns.

        Parameters
        ----------
        name : {"orders", "claims", "states"}
            ``orders``: order_id, claim, side, price, quantity, (time,) fill, clearing_price,
            payment (money to the maker, negative for sells). ``claims``: claim, price,
            net_demand, bought, sold, orders_filled, piece, multiplier. ``states``: state, prior,
            state_price, worst_case, marginal_state_price, inventory, payoff.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, claims=["home"])
        >>> result = kpm.clear(market, kpm.Orders(["home"], "buy", [0.6], [10]))
        >>> result.table("claims")["bought"].tolist()
        [10.0]
        """
        check_choice(name, TABLES, "name")
        if name == "orders":
            return self._order_table()
        return self._claim_table() if name == "claims" else self._state_table()

    def _order_table(self) -> dict[str, Any]:
        orders, index = self.orders, self.orders.claim_index(self.market)
        table = {
            "order_id": orders.order_id,
            "claim": np.array(self.market.claims, dtype=object)[index],
            "side": orders.side_names,
            "price": orders.price,
            "quantity": orders.quantity,
        }
        if orders.time is not None:
            table["time"] = orders.time
        table["fill"] = self.fills
        table["clearing_price"] = self.claim_prices[index]
        table["payment"] = orders.side * self.fills * self.paid_prices + 0.0  # no -0
        return table

    def _claim_table(self) -> dict[str, Any]:
        return {
            "claim": np.array(self.market.claims, dtype=object),
            "price": self.claim_prices,
            "net_demand": self.net_demand,
            "bought": self.bought,
            "sold": self.sold,
            "orders_filled": self._per_claim((self.fills > 0).astype(np.float64)).astype(np.int64),
            "piece": self.cell,
            "multiplier": self.multipliers,
        }

    def _state_table(self) -> dict[str, Any]:
        return {
            "state": np.array(self.market.states, dtype=object),
            **({"prior": prior} if (prior := self._model.get("prior")) is not None else {}),
            "state_price": self.state_prices,
            "worst_case": self.worst_case,
            "marginal_state_price": self.marginal_state_prices,
            "inventory": self.market.inventory,
            "payoff": self.payoff,
        }

    def to_frame(self, backend: str = "pandas", table: str = "orders") -> Any:
        """Return a table (see :meth:`table`) as a data frame.

        Parameters
        ----------
        backend : {"pandas", "polars", "pyarrow"}
            The package must be installed; none of them is a dependency.
        table : {"orders", "claims", "states"}

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, claims=["home"])
        >>> result = kpm.clear(market, kpm.Orders(["home"], "buy", [0.6], [10]))
        >>> result.to_frame("polars", "states").columns[:3]
        ['state', 'prior', 'state_price']
        """
        check_choice(table, TABLES, "table")
        return make_frame(self.table(table), backend)

    def to_dict(self) -> dict[str, Any]:
        """Return the whole outcome as plain Python values: numbers, text, lists, dictionaries."""
        figures = (
            "certainty_equivalent",
            "no_trade_equivalent",
            "upper_bound",
            "gap",
            "utility",
            "revenue",
            "volume",
            "ambiguity_price",
            "ambiguity_multiplier",
            "scale",
            "tolerance",
            "allocation",
        )
        return {
            "status": self.status.value,
            **{name: getattr(self, name) for name in figures},
            "rule": self.rule,
            "objective": self.objective,
            "surplus": self.surplus,
            **self._preferences(),
            **{
                name: {column: data.tolist() for column, data in self.table(name).items()}
                for name in ("claims", "states", "orders")
            },
            "stats": self.stats._to_dict(),
            **({} if self.certificate is None else {"certificate": self.certificate.to_dict()}),
        }

    def _preferences(self) -> dict[str, Any]:
        """Return the maker's parameters, without its beliefs, which are in the table of states."""
        model = self._model
        stated = {name: value for name, value in model.items() if np.isscalar(value)}
        if "prior" in model:
            stated["prior_sum"] = self.market.prior_sum
        return {"maker": stated.pop("kind"), **stated}

    def to_json(self, path: str | os.PathLike[str] | None = None, indent: int | None = None) -> str:
        """Return :meth:`to_dict` as JSON, and write it to a file if one is named.

        JSON has no infinities and no NaN: they are written as the strings ``"Infinity"``,
        ``"-Infinity"`` and ``"NaN"``, which ``float`` reads back. The file appears complete or
        not at all.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, claims=["home"])
        >>> result = kpm.clear(market, kpm.Orders(["home"], "buy", [0.6], [10]))
        >>> result.to_json()[:21]
        '{"status": "optimal",'
        """
        if indent is not None and not 0 <= as_integer(indent, "indent") <= _DEEPEST:
            raise InputError(f"must be 0 to {_DEEPEST} spaces, got {brief(indent)}", field="indent")
        text = json.dumps(_json_value(self.to_dict()), indent=indent, allow_nan=False)
        if path is not None:
            with staged_text(path) as stream:
                stream.write(text + "\n")
        return text

    # -- printing -----------------------------------------------------------------------

    def __repr__(self) -> str:
        return (
            f"Result({self.status}, certainty_equivalent={self.certainty_equivalent:.9g}, "
            f"gap={self.gap:.2g}, {len(self.orders)} orders, {len(self.market.claims)} claims)"
        )

    def __str__(self) -> str:
        filled = int(np.count_nonzero(self.fills))
        lines = [
            f"{self.status}: certainty equivalent {self.certainty_equivalent:.9g} "
            f"(no trade {self.no_trade_equivalent:.9g}), gap {self.gap:.2g}",
            f"{filled} of {len(self.orders)} orders filled, {self.volume:.6g} shares, "
            f"revenue {self.revenue:.9g}"
            + ("" if self.rule == "maker_optimal" else f", rule {self.rule}"),
            f"maker: {maker_text(self.market)}",
            f"{self.stats.work}, "
            f"{self.stats.seconds.get('total', math.nan):.3g} s on {self.stats.threads} thread(s)",
        ]
        claims = self.market.claims
        width = max(len(claim) for claim in ("claim", *claims[:_CLAIMS_SHOWN]))
        lines.append(f"  {'claim':<{width}}  {'price':>12}  {'net demand':>12}")
        for k, claim in enumerate(claims[:_CLAIMS_SHOWN]):
            lines.append(
                f"  {claim:<{width}}  {self.claim_prices[k]:12.6g}  {self.net_demand[k]:12.6g}"
            )
        if len(claims) > _CLAIMS_SHOWN:
            lines.append(f"  ... and {len(claims) - _CLAIMS_SHOWN} more claims")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class CellResult(Value):
    """The solution of the convex problem (27) of one cell.

    Attributes
    ----------
    status : Status
        ``OPTIMAL``, ``INFEASIBLE`` or ``INACCURATE``.
    state_prices : ndarray, shape (N,)
        xi.
    net_demand : ndarray, shape (K,)
        y, shares.
    certainty_equivalent, dual_bound, gap : float
        Money: the value at the returned point, a bound on every point of the cell, and the
        difference.
    primal_residual, dual_residual : float
        Largest violations, relative.
    iterations : int
    ambiguity_price : float
        Money per nat, as in :class:`kpm_fast.Result`.
    worst_case, marginal_state_prices : ndarray, shape (N,)
        p and g, as in :class:`kpm_fast.Result`.
    multipliers : ndarray, shape (K,)
        lambda, shares. With p and g it proves ``dual_bound``; where an order at the cell's price
        dwarfs what trades, of as much of it as may trade, and concavity bounds the rest.
    seconds : float

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, claims=["home"])
    >>> orders = kpm.Orders(["home"], "buy", [0.6], [10])
    >>> solved = kpm.solve_cell(market, orders, [2])  # above the bid: nothing trades
    >>> solved.status, solved.net_demand.tolist()
    (<Status.OPTIMAL: 'optimal'>, [0.0])
    """

    _arrays = CELL_ARRAYS

    status: Status
    state_prices: Floats
    net_demand: Floats
    certainty_equivalent: float
    dual_bound: float
    gap: float
    primal_residual: float
    dual_residual: float
    iterations: int
    ambiguity_price: float
    worst_case: Floats
    marginal_state_prices: Floats
    multipliers: Floats
    seconds: float = field(compare=False)


def _exp(exponent: float) -> float:
    try:
        return math.exp(exponent)
    except OverflowError:
        return math.inf


def _log(value: float) -> float:
    return math.log(value) if value > 0 else math.nan


def _json_value(value: Any) -> Any:
    if isinstance(value, float):
        return stated_number(value)
    if isinstance(value, dict):
        return {key: _json_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_json_value(item) for item in value]
    return value
