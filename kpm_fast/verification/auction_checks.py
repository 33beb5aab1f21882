"""Checks of a result by a convex rule, whose state prices prove that it is optimal."""

from __future__ import annotations

import math

import numpy as np

from ..arrays import Floats
from ..model.maker_model import maker_model
from ..model.outcome import Outcome
from ..model.status import Status
from . import maker_costs
from .checks import Check

__all__ = ["auction_checks", "dual_bound"]

_EPS = float(np.finfo(np.float64).eps)
_RELATIVE = 1e-12


def auction_checks(result: Outcome, scale: float) -> list[Check]:
    """Return the checks of money and optimality under the convex rules.

    ``scale`` is the notional that trades, which the tolerance refers to.

    Prices, fills and pieces are checked as those of every rule are. What remains is money, and the
    two sides of the duality: the value of the fills,

        sum of limits paid - C(claims paid - inventory),

    cannot exceed, for any state prices g,

        sum over orders of quantity (limit - price)^+ + g.inventory + C*(g),   price = P_k.g,


    so the gap between them at the published g is the most that other fills could gain.
    """
    return _AuctionVerifier(result, scale).checks()


class _AuctionVerifier:
    def __init__(self, result: Outcome, scale: float) -> None:
        self.result = result
        self.scale = scale
        self.model = maker_model(result.market)
        market, orders = result.market, result.orders
        claim = orders.claim_index(market)
        self.least, self.most = market.payoffs.min(axis=1), market.payoffs.max(axis=1)
        # A limit beyond the payoff range makes a market order: it counts as the range's end.
        self.limits = np.clip(orders.price, self.least[claim], self.most[claim])
        self.paid = orders.side * self.limits * result.fills
        total = np.bincount(claim, weights=orders.quantity, minlength=len(market.claims))
        largest = np.abs(market.payoffs).max(axis=1)
        traded = float(largest @ np.bincount(claim, result.fills, minlength=len(market.claims)))
        self.magnitude = float(np.abs(market.inventory).max()) + float(largest @ total)
        self.unit = _RELATIVE * traded + 8 * _EPS * self.magnitude
        self.rounding = self._rounding()

    def _rounding(self) -> float:
        """Return the rounding error of C and C*, money."""
        model, magnitude = self.model, self.magnitude
        least = 1.0
        if model["kind"] in ("knightian", "utility", "quadratic"):
            least = float(model["prior"].min())
        elif model["kind"] == "starting_orders":
            # C contains the sum of delta ln(t - L), whatever is traded.
            total = float(model["delta"].sum())
            magnitude += total * (1 + abs(math.log(total)) + abs(math.log(model["delta"].min())))
        if model["kind"] == "utility":
            magnitude += float(model["wealth"])
        elif model["kind"] == "quadratic":
            magnitude += float(model["c"])
        return (256 - 8 * math.log(least)) * _EPS * magnitude + 1e-11 * self.scale

    def checks(self) -> list[Check]:
        return [*self._money_checks(), *self._value_checks(), *self._optimality_checks()]

    def _money_checks(self) -> list[Check]:
        result, market = self.result, self.result.market
        at_limits = math.fsum(self.paid)
        uniform = float(result.claim_prices @ result.net_demand)
        expected = at_limits if result.rule == "pay_as_bid" else uniform
        wording = "limits paid" if result.rule == "pay_as_bid" else "claim prices @ net demand"
        payoff = market.inventory + (result.revenue - result.net_demand @ market.payoffs)
        return [
            Check(f"revenue = {wording}, in money", abs(expected - result.revenue), self.unit),
            Check(
                "payoff = inventory + revenue - claims paid, in money",
                float(np.abs(payoff - result.payoff).max()),
                self.unit,
            ),
            self._marginal_check(),
        ]

    def _marginal_check(self) -> Check:
        """At an optimum the maker's marginal prices are the traders'; elsewhere they support C."""
        result = self.result
        marginal = result.marginal_state_prices
        if result.status is Status.OPTIMAL:
            return Check(
                "marginal state prices = state prices",
                int(np.count_nonzero(marginal != result.state_prices)),
                0,
            )
        marginal, conjugate = maker_costs.supported(
            self.model, marginal, result.worst_case, self.rounding
        )
        cost = maker_costs.cost(self.model, -result.payoff)
        return Check(
            "C(losses) + C*(marginal state prices) = their product, in money",
            abs(cost + conjugate + float(marginal @ result.payoff)),
            self.rounding,
        )

    def _value_checks(self) -> list[Check]:
        result, inventory = self.result, self.result.market.inventory
        value = -maker_costs.cost(self.model, -result.payoff)
        idle = -maker_costs.cost(self.model, -inventory)
        return [
            Check(
                "certainty equivalent = -C(losses), in money",
                abs(value - result.certainty_equivalent),
                self.rounding,
            ),
            Check(
                "no-trade equivalent = -C(-inventory), in money",
                abs(idle - result.no_trade_equivalent),
                self.rounding,
            ),
        ]

    def _optimality_checks(self) -> list[Check]:
        result, market = self.result, self.result.market
        losses = result.net_demand @ market.payoffs - market.inventory
        value = math.fsum(self.paid) - maker_costs.cost(self.model, losses)
        bound = dual_bound(result, result.state_prices, result.worst_case, self.rounding)
        wanted = (1 + _RELATIVE) * result.tolerance * self.scale
        checks = [
            Check("scale, relative", abs(result.scale - self.scale) / self.scale, _RELATIVE),
            Check("objective, in money", abs(value - result.objective), self.rounding),
            Check(
                "duality: bound of the state prices at most upper_bound, in money",
                bound - result.upper_bound,
                self.rounding if result.status is Status.OPTIMAL else math.inf,
            ),
            Check(
                "duality: value at most the upper bound, in money",
                value - result.upper_bound,
                self.rounding,
            ),
        ]
        if result.status is Status.OPTIMAL:
            checks.append(
                Check(
                    "duality: gap of an optimal result, in money",
                    bound - value,
                    wanted + self.rounding,
                )
            )
        return checks


def dual_bound(result: Outcome, g: Floats, worst_case: Floats, blur: float) -> float:
    """Return the dual of the book at some state prices, or the mixture's (``supported``)."""
    market, orders = result.market, result.orders
    claim, model = orders.claim_index(market), maker_model(market)
    g, conjugate = maker_costs.supported(model, g, worst_case, blur)
    least, most = market.payoffs.min(axis=1), market.payoffs.max(axis=1)
    # Sums over states are taken above a claim's least payoff, as its price is.
    prices = least + (market.payoffs - least[:, None]) @ g
    gain = orders.side * (np.clip(orders.price, least[claim], most[claim]) - prices[claim])
    return math.fsum(
        [
            float(g @ market.inventory),
            conjugate,
            *(np.maximum(gain, 0) * orders.quantity).tolist(),
        ]
    )
