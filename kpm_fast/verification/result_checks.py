"""Checking a result against its market and orders, in plain NumPy."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats, Ints, exact_sum
from ..model.maker_model import is_knightian, rules_of
from ..model.outcome import Outcome
from ..model.rules import ALLOCATIONS
from ..model.status import Status
from . import reference
from .auction_checks import auction_checks
from .checks import Check, Verification

__all__ = ["verify"]

_EPS = float(np.finfo(np.float64).eps)
_RELATIVE = 1e-12  # of a claim's payoff span, or of what was traded
_SLACK = 10.0  # tolerances that a solver's own duals are allowed
_NO_AMBIGUITY = 1e-30  # nats; moves no certainty equivalent by more than rounding
_ROUNDED = 64 * _EPS  # relative, of the ambiguity
_KL_FLOOR = 1e-18  # nats; two probability vectors 1e-9 apart


def verify(result: Outcome) -> Verification:
    """Recompute every figure of a result from its market and orders.

    What a search ruled out is taken on trust (``upper_bound``, the counts of cells); that an
    optimal point is the best of its own cell is proven here, by weak duality.

    Returns
    -------
    Verification
    """
    with np.errstate(all="ignore"):  # a tampered result may overflow; its checks then fail
        form = _form_checks(result)
        if not all(check.passed for check in form):
            return Verification(tuple(form))  # nothing else is well defined
        return Verification((*form, *_Verifier(result).checks()))


# -- form ---------------------------------------------------------------------------------------


def _form_checks(result: Outcome) -> list[Check]:
    """Check shapes, finite numbers and settings, so that the rest can compute at all."""
    n_claims, n_states = result.market.payoffs.shape
    shapes = {
        "fills": (len(result.orders),),
        **dict.fromkeys(("claim_prices", "net_demand", "multipliers", "cell"), (n_claims,)),
        **dict.fromkeys(
            ("state_prices", "payoff", "worst_case", "marginal_state_prices"), (n_states,)
        ),
    }
    arrays = {name: np.asarray(getattr(result, name)) for name in shapes}
    misshapen = sum(arrays[name].shape != shape for name, shape in shapes.items())
    numbers = ("revenue", "certainty_equivalent", "no_trade_equivalent", "scale", "tolerance")
    not_finite = sum(not math.isfinite(getattr(result, name)) for name in numbers)
    if not misshapen:
        not_finite += sum(int((~np.isfinite(array)).sum()) for array in arrays.values())
    proven = result.status is Status.OPTIMAL
    bound_ok = math.isfinite(result.upper_bound) if proven else result.upper_bound > -math.inf
    settings_ok = (
        0 < result.tolerance < 1
        and result.allocation in ALLOCATIONS
        and result.rule in rules_of(result.market)
    )
    return [
        Check("arrays have their shapes", misshapen, 0),
        Check("numbers are finite", not_finite + (not bound_ok), 0),
        Check("settings in range", float(not settings_ok), 0),
    ]


# -- substance ----------------------------------------------------------------------------------


class _Verifier:
    """The recomputation of one result; every method checks one group of its figures."""

    def __init__(self, result: Outcome) -> None:
        self.result = result
        market, orders = result.market, result.orders
        self.knightian = is_knightian(market)
        self.payoffs = market.payoffs
        self.claim = orders.claim_index(market)
        self.rows = _rows_by_claim(self.claim, len(market.claims))
        self.books = [
            reference.ClaimBook(
                self.payoffs[k], orders.side[rows], orders.price[rows], orders.quantity[rows]
            )
            for k, rows in enumerate(self.rows)
        ]
        self.span = np.ptp(self.payoffs, axis=1)
        # Sums over states are taken above a claim's least payoff: state prices sum to one only up
        # to rounding, which is much for a claim that pays 1e6 or 1e6 + 1e-6.
        self.least = self.payoffs.min(axis=1)
        self.above = self.payoffs - self.least[:, None]
        self.largest = np.abs(self.payoffs).max(axis=1)
        # Prices are sums of N products: exact to 1e-12 of the span, or as the payoffs allow.
        self.price_slack = _RELATIVE * self.span + 8 * _EPS * self.largest
        #: Shares that the orders of each claim trade, with each other too. Other orders are in no
        #: figure, so they must not loosen a check.
        self.traded = np.bincount(self.claim, result.fills, len(market.claims)).astype(np.float64)
        self.scale = reference.scale(self.span, self.traded, self.books)
        magnitude = float(np.abs(market.inventory).max() + self.largest @ self.traded)
        #: The rounding of a sum of wealth and trades, money. Exponents of the worst case are as
        #: large as -ln q, and their rounding grows with them.
        least = market.prior.min() if self.knightian else 1.0
        self.rounding = (128 - 4 * math.log(least)) * _EPS * magnitude
        #: What a solver that stops at the tolerance can leave, money.
        self.slack = _SLACK * result.tolerance * self.scale + self.rounding
        if result.status is Status.INACCURATE:
            self.slack = math.inf  # the bound holds; what supports the point is not promised
        elif result.status is not Status.OPTIMAL and 0 < result.gap < math.inf:
            self.slack += _SLACK * result.gap  # the point may be that far from optimal

    def checks(self) -> list[Check]:
        known = [self._cell_check(), *self._price_checks(), *self._fill_checks()]
        if not known[0].passed:
            return known  # a cell that does not exist has no pieces to compare with
        if self.result.rule != "maker_optimal":
            return [
                *known,
                *self._piece_checks(),
                _probability_check("worst case", self.result.worst_case),
                *auction_checks(self.result, self.scale),
                *self._dual_form_checks(),
            ]
        return [
            *known,
            *self._piece_checks(),
            *self._money_checks(),
            *self._risk_checks(),
            *self._optimality_checks(),
            *self._search_checks(),
        ]

    def _cell_check(self) -> Check:
        counts = np.array([book.pieces for book in self.books])
        cell = self.result.cell
        wrong = (cell < 0) | (cell >= counts) | (cell != np.round(cell))
        return Check("pieces of the cell exist", int(wrong.sum()), 0)

    def _price_checks(self) -> list[Check]:
        result = self.result
        xi = result.state_prices
        off = np.abs(self.above @ xi - (result.claim_prices - self.least))
        difference = off / _unit(self.price_slack)
        return [
            _probability_check("state prices", xi),
            Check("claim prices = payoffs @ state prices, in allowances", _largest(difference), 1),
            *self._projection_checks(),
        ]

    def _projection_checks(self) -> list[Check]:
        """Check what only a result that is optimal promises: the nearest of all state prices."""
        if self.result.rule != "maker_optimal":
            return []  # the maker's own: nothing else supports the fills
        name = "state prices nearest to the prior at the claim prices, nats"
        if self.result.status is not Status.OPTIMAL:
            return [Check(name, 0.0, 1e-10)]
        xi = self.result.state_prices
        if xi.min() < 0:
            return [Check(name, math.inf, 1e-10)]
        excess = reference.projection_excess(xi, self.result.market.prior, self.payoffs)
        return [Check(name, excess, 1e-10)]

    def _fill_checks(self) -> list[Check]:
        result, orders = self.result, self.result.orders
        fills, quantity = result.fills, orders.quantity
        outside = (fills < 0) | (fills > quantity)
        margin = orders.side * (orders.price - result.claim_prices[self.claim])
        slack = self.price_slack[self.claim]
        broken = ((margin > slack) & (fills != quantity)) | ((margin < -slack) & (fills != 0))
        net = np.array([fills[rows] @ orders.side[rows] for rows in self.rows])
        gross = np.array([fills[rows].sum() for rows in self.rows])
        difference = np.abs(net - result.net_demand) / _unit(_RELATIVE * gross)
        return [
            Check("fills within [0, quantity]", int(outside.sum()), 0),
            Check("orders obey the limit order logic", int(broken.sum()), 0),
            Check("net demand = bought - sold, in 1e-12 of volume", _largest(difference), 1),
        ]

    def _piece_checks(self) -> list[Check]:
        result, orders = self.result, self.result.orders
        low_price, high_price, low_demand, high_demand = self._pieces().T
        price, demand = result.claim_prices, result.net_demand
        off_price = np.maximum(low_price - price, price - high_price) / _unit(self.price_slack)
        off_demand = np.maximum(low_demand - demand, demand - high_demand)
        on_step = result.cell % 2 == 1
        # Orders of a book are in time order where they have no times.
        priority = orders.priority if result.allocation == "time" else None
        priority = np.zeros(len(orders)) if priority is None else priority
        wrong, apart = 0, 0.0
        for k, rows in enumerate(self.rows):
            expected, tied = reference.expected_fills(
                self.books[k].ranks,
                int(result.cell[k]),
                float(demand[k]),
                orders.side[rows],
                orders.quantity[rows],
                None if result.allocation == "pro_rata" else priority[rows],
            )
            difference = np.abs(result.fills[rows] - expected)
            wrong += int(np.count_nonzero(difference[~tied]))
            apart = max(apart, _largest(difference[tied]) / (_RELATIVE * self.traded[k] or 1.0))
        return [
            Check("claim prices on their pieces, in allowances", _largest(off_price), 1),
            Check(
                "claim prices on a step = its limit",
                int(np.count_nonzero((price != low_price) & on_step)),
                0,
            ),
            Check(
                "net demand on its piece, in 1e-12 of what the claim trades",
                _largest(off_demand / _unit(_RELATIVE * self.traded)),
                1,
            ),
            Check("fills are what their piece implies", wrong, 0),
            Check(
                f"fills at the clearing price ({result.allocation}), in 1e-12 of trades", apart, 1
            ),
        ]

    def _money_checks(self) -> list[Check]:
        result, inventory = self.result, self.result.market.inventory
        net = float(np.abs(result.net_demand) @ self.largest)
        unit = _RELATIVE * net + 4 * _EPS * float(self.largest @ self.traded)
        revenue = abs(float(result.claim_prices @ result.net_demand) - result.revenue)
        payoff = inventory + (result.revenue - result.net_demand @ self.payoffs)
        apart = np.abs(payoff - result.payoff)
        return [
            Check("revenue = claim prices @ net demand, in money", revenue, unit),
            Check(
                "payoff = inventory + revenue - claims paid, in money",
                _largest(apart),
                unit + 4 * _EPS * float(np.abs(inventory).max()),
            ),
        ]

    def _risk_checks(self) -> list[Check]:
        result, market = self.result, self.result.market
        alpha, omega, p = market.risk_aversion, market.ambiguity, result.worst_case
        loss, g = -result.payoff, result.marginal_state_prices
        rho, slope_check = self._risk_and_slope()
        idle, _ = reference.worst_case_risk(-market.inventory, market.prior, alpha, omega)
        spent = reference.divergence(p, market.prior)
        close = 1e-11 * self.scale + self.rounding
        tilted = _tilted_value(loss, p, alpha)
        dual = float(g @ loss) - reference.divergence(g, p) / alpha
        return [
            Check("certainty equivalent, in money", abs(-rho - result.certainty_equivalent), close),
            Check("no-trade equivalent, in money", abs(-idle - result.no_trade_equivalent), close),
            _probability_check("worst case", p),
            Check(
                "worst case within the ambiguity, nats",
                max(0.0, spent - omega) if omega < math.inf else 0.0,
                1e-9 * omega + _KL_FLOOR if omega < math.inf else 0.0,
            ),
            Check("worst case attains the risk, in money", abs(rho - tilted), self.slack),
            _probability_check("marginal state prices", g),
            Check("marginal state prices attain the risk, in money", abs(rho - dual), self.slack),
            slope_check,
        ]

    def _risk_and_slope(self) -> tuple[float, Check]:
        """Return the risk of the published payoff, and the check of its slope in the ambiguity."""
        market, loss = self.result.market, -self.result.payoff
        alpha, omega = market.risk_aversion, market.ambiguity
        # The slope falls with Omega, next to a kink so fast that the rounding of Omega matters.
        beyond = omega * (1 + _ROUNDED)
        # The worst states' mass is rounded as the one is that the prior adds up to.
        kink = reference.kink(loss, market.prior, alpha)
        if beyond < kink <= beyond + min(4 * _EPS, 1e-6 * kink):
            beyond = kink
        near = (omega, omega * (1 - _ROUNDED), beyond)
        rho, slopes = reference.worst_case_slopes(loss, market.prior, alpha, near)
        return rho, self._slope_check(*slopes)

    def _dual_form_checks(self) -> list[Check]:
        """Check the other duals and counts of a convex rule, which its state prices prove."""
        result = self.result
        stats = result.stats
        searched = (
            stats.solved,
            stats.pruned_infeasible,
            stats.pruned_bound,
            stats.nodes,
            stats.columns,
            stats.relaxations - 1,
        )
        price = result.ambiguity_price
        known = Check("ambiguity price, which this maker has not", abs(price), 0)
        if self.knightian and result.status is Status.OPTIMAL:
            known = self._risk_and_slope()[1]
        elif self.knightian:  # of a point of the program, which the published fills are not
            known = Check("ambiguity price is not negative", float(not price >= 0), 0)
        return [
            Check("multipliers, which this rule has not", _largest(np.abs(result.multipliers)), 0),
            known,
            self._count_check(),
            Check("counts of a search, which this rule has not", max(map(abs, searched)), 0),
        ]

    def _slope_check(self, slope: float, steeper: float, flatter: float) -> Check:
        """Check the ambiguity price, which rounding blurs as much as it blurs the payoffs."""
        result = self.result
        price, spread = result.ambiguity_price, float(np.ptp(result.payoff))
        omega = result.market.ambiguity
        if price == math.inf and omega <= _NO_AMBIGUITY and spread > 0:
            figure = 0.0  # the slope at zero, infinite for any risk, which is valid so close to it
        else:
            nearest = min(max(price, min(slope, flatter)), max(slope, steeper))
            figure = abs(price - nearest) if price >= 0 else math.inf
        # Payoffs a rounding apart have a slope of that size over sqrt(2 Omega), be they all payoffs
        # or those of all likely states.
        apart = spread > self.rounding
        blur = 0.0 if apart else math.inf
        if omega > 0:
            blur = self.rounding / math.sqrt(2 * omega)
        if apart and math.isfinite(slope):
            blur += slope * (1e-6 + self.rounding / spread)
        # Rounding moves a state's tilted weight by a factor of exp(alpha times it). Where that is
        # large no weight is known, and payoffs that far apart have any slope up to spread / Omega.
        doubt = min(1.0, result.market.risk_aversion * self.rounding)
        if omega > 0 and math.isfinite(slope):
            blur += doubt * (slope + self.rounding / omega)
        limit = self.slack + blur
        return Check("ambiguity price = -d(certainty equivalent)/d(Omega)", figure, limit)

    def _optimality_checks(self) -> list[Check]:
        result, market = self.result, self.result.market
        pieces = self._pieces()
        pieces[:, :2] -= self.least[:, None]
        bound = reference.cell_bound(
            self.above,
            market.inventory,
            market.risk_aversion,
            pieces,
            result.worst_case,
            result.marginal_state_prices,
            result.multipliers,
        )
        value, gap = result.certainty_equivalent, result.gap
        excess = abs(result.scale - self.scale) / self.scale
        optimal = result.status is Status.OPTIMAL
        wanted = (1 + _RELATIVE) * result.tolerance * self.scale
        # Multipliers so large that rounding exceeds what they prove, prove nothing.
        multiplier_rounding = 64 * _EPS * float(np.abs(result.multipliers) @ self.span)
        checks = [
            Check("scale, relative", excess, _RELATIVE),
            Check(
                "bound of the winning cell at most its value, in money",
                bound - value,
                # A limit may come before the best point of the cell is found, and may hide that
                # rounding keeps it from being found: no other status promises it.
                self.slack + min(multiplier_rounding, wanted) if optimal else math.inf,
            ),
            Check(
                "value at most the upper bound, in money", value - result.upper_bound, self.rounding
            ),
        ]
        if optimal:
            checks.append(Check("gap of an optimal result, in money", gap, wanted))
        return checks

    def _search_checks(self) -> list[Check]:
        stats, status = self.result.stats, self.result.status
        cells = self._cells()
        stopped = status not in (Status.OPTIMAL, Status.INACCURATE)
        if stopped or stats.nodes:  # a tree proves its bound by its leaves; see check_certificate
            # Half: as for the gap of an inaccurate result, which is checked there. A time limit or
            # Ctrl-C may come after the proof, too: in the selection among optima.
            within = 0.5 * self.result.tolerance * self._stake() - self.rounding
            proven = status is Status.NODE_LIMIT and self.result.gap <= within
            consistent = status is not Status.INFEASIBLE and not proven
        else:
            done = stats.solved + stats.pruned_infeasible + stats.pruned_bound
            # The core counts in doubles, which are exact up to 2**53.
            consistent = abs(done - cells) <= cells // 2**50
        counts = (
            stats.solved,
            stats.pruned_infeasible,
            stats.pruned_bound,
            stats.nodes,
            stats.relaxations,
            stats.columns,
            stats.iterations,
        )
        times = list(stats.seconds.values())
        sane = (
            min(counts) >= 0
            and stats.threads >= 1
            and stats.relaxations <= stats.nodes
            and (not stats.nodes or stats.pruned_infeasible + stats.pruned_bound == 0)
            and min(times, default=0.0) >= 0
            and max(times, default=0.0) <= stats.seconds.get("total", math.inf)
        )
        return [
            self._count_check(),
            Check("status fits the cells accounted for", float(not consistent), 0),
            Check("counts and times in range", float(not sane), 0),
        ]

    def _stake(self) -> float:
        """Return what others than giants have at stake, at most: a tree may go on until then."""
        market = self.result.market
        wealth = float(np.ptp(market.inventory))
        giant = reference.giant(self.span, self.books, max(1.0 / market.risk_aversion, wealth))
        return min(self.scale, giant)

    def _cells(self) -> int:
        return math.prod(book.pieces for book in self.books)

    def _count_check(self) -> Check:
        wrong = self.result.stats.cells != self._cells()
        return Check("cells = product of the pieces", float(wrong), 0)

    def _pieces(self) -> Floats:
        """Return the ends of the cell's pieces, a row for each claim."""
        cell = self.result.cell.astype(np.int64).tolist()
        return np.array([book.piece(piece) for book, piece in zip(self.books, cell, strict=True)])


def _rows_by_claim(claim: Ints, n_claims: int) -> list[Ints]:
    """Return the rows of each claim's orders, in book order."""
    order = np.argsort(claim, kind="stable")
    ends = np.searchsorted(claim[order], np.arange(1, n_claims))
    return [rows.astype(np.int64) for rows in np.split(order, ends)]


def _probability_check(name: str, p: Floats) -> Check:
    """Check non-negative entries that sum to one."""
    figure = max(-float(p.min()), abs(exact_sum(p) - 1.0))
    return Check(f"{name}: a probability vector", figure, 4 * _EPS * math.sqrt(len(p)))


def _tilted_value(loss: Floats, p: Floats, risk_aversion: float) -> float:
    """Return (1/alpha) ln E_p exp(alpha L), shifted to the largest loss that counts."""
    support = p > 0
    if not support.any():
        return math.nan
    top = float(loss[support].max())
    exponent = risk_aversion * (loss[support] - top)
    return top + reference.log_mean_exp(p[support], exponent) / risk_aversion


def _unit(size: Floats) -> Floats:
    """Return divisors: a zero size means that only zero is allowed."""
    return np.where(size > 0, size, np.finfo(np.float64).tiny)


def _largest(values: Floats | NDArray[np.float64]) -> float:
    """Return the largest of values that may be empty; NaN if any is."""
    return float(np.max(values)) if values.size else 0.0
