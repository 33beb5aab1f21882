"""Clearing by the convex rules: any maker of the family on the other side."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _core
from ..arrays import Floats
from ..model.certificate import DualCertificate
from ..model.immutable import construct
from ..model.maker_model import maker_model
from ..model.market import Market
from ..model.orders import Orders
from ..model.stats import Stats
from ..model.status import STATUSES, Status
from ..result import Result
from ..verification.auction_checks import dual_bound
from ..verification.maker_costs import mixture_weights
from .settings import ClearSettings

__all__ = ["clear_by_rule"]


def clear_by_rule(
    market: Market,
    orders: Orders,
    settings: ClearSettings,
    stop: _core.StopFlag | None,
    engine: _core.Engine | None,
    cold: bool,
) -> Result:
    """Clear by a convex rule; the arguments have been checked.

    ``engine``, if given, holds this market and orders, and the staircases of claims that no event
    has changed.
    """
    how = (
        "pro_rata" if settings.allocation == "pro_rata" else "time",
        settings.rule,
        settings.tolerance,
        math.inf if settings.time_limit is None else settings.time_limit,
        stop,
    )
    if engine is None:
        cleared = _core.clear_auction(
            maker_model(market),
            market.payoffs,
            market.inventory,
            orders.claim_index(market),
            orders.side,
            orders.price,
            orders.quantity,
            orders.priority if settings.allocation == "time" else None,
            *how,
        )
    else:
        cleared = engine.clear_auction(*how, cold)
    answer: dict[str, Any] = dict(cleared)
    answer["_objective"] = answer.pop("objective")
    cells = math.prod(answer.pop("pieces"))
    stats = Stats(
        cells=cells,
        pruned_infeasible=0,
        pruned_bound=0,
        solved=0,
        nodes=0,
        relaxations=1,
        columns=0,
        root_bound=answer["upper_bound"],
        iterations=answer.pop("iterations"),
        threads=1,
        seconds=answer.pop("seconds"),
    )
    answer.update(
        status=STATUSES[answer["status"]],
        tolerance=settings.tolerance,
        allocation=settings.allocation,
        market=market,
        orders=orders,
        stats=stats,
        certificate=None,
        rule=settings.rule,
    )
    result = construct(Result, answer)
    if settings.certificate:
        answer["certificate"], bound = _proof(result)
        if result.status is not Status.OPTIMAL:  # the prior that the core had is not published
            answer["upper_bound"] = max(result.upper_bound, bound)
    return result


@np.errstate(all="ignore")  # a bound may be infinite
def _proof(result: Result) -> tuple[DualCertificate, float]:
    """Return the published state prices, or those that bound better, as a proof; and the bound."""
    model, p = maker_model(result.market), result.worst_case

    held = float(np.abs(result.market.inventory).max())
    blur = 1e-11 * result.scale + 512 * 2.0**-52 * held

    def bound(g: Floats) -> float:
        return dual_bound(result, g, p, blur)

    prices = [result.state_prices, result.marginal_state_prices]
    if model["kind"] == "polytope" and result.status is not Status.OPTIMAL:
        mixture = mixture_weights(model["priors"], p) @ model["priors"]
        prices.insert(0, mixture / mixture.sum())
    g = min(prices, key=bound)
    proof = DualCertificate(g)
    if model["kind"] == "polytope":
        mixed = p if model["risk_aversion"] > 0 else g
        proof = DualCertificate(g, weights=mixture_weights(model["priors"], mixed))
    elif model["kind"] == "knightian":
        everything = model["ambiguity"] >= -math.log(model["prior"].min())
        proof = DualCertificate(g, g if everything else p)
    return proof, bound(g)
