"""``result.report(path)``: a clearing as one HTML file, for readers without the package."""

from __future__ import annotations

import math
import os
from typing import Any, cast

import numpy as np

from .._version import __version__
from ..analysis.advice import verdict
from ..analysis.sweep import Sweep, sweep
from ..clearing.implied import where_trade_stops
from ..files.atomic_files import staged_text
from ..markup import SHARES, aligned, claim_columns, table, text
from ..model.certificate import Certificate
from ..model.maker_model import maker_model, maker_text
from ..model.makers import KnightianMaker
from ..model.status import Status
from ..model.words import message
from ..plots.book import draw_book
from ..plots.fills import draw_fills
from ..plots.panels import without_rounding
from ..plots.proof import draw_proof
from ..plots.risk import draw_risk
from ..plots.style import require_matplotlib
from ..plots.sweep import draw_sweep
from ..result import Result
from ..verification.certificate_checks import check_certificate
from ..verification.checks import Verification
from .figures import figure_html
from .page import page, section

__all__ = ["report_html", "write_report"]

_ROWS = 300  # of a table: nobody reads a page of a megabyte
_SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)  # of the ambiguity at which trade stops
_FACTORS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)  # of the market's ambiguity, if trade never stops
#: Time limit of a further clearing: a multiple of what this one took, and the least, in seconds.
_PATIENCE, _SLACK = 20.0, 1.0


def write_report(
    result: Result, path: str | os.PathLike[str], title: str | None, sensitivity: bool
) -> None:
    """Write the report of a clearing; see :meth:`kpm_fast.Result.report`."""
    html = report_html(result, title, sensitivity)
    with staged_text(path) as stream:
        stream.write(html)


def report_html(result: Result, title: str | None = None, sensitivity: bool = True) -> str:
    """Return the report of a clearing as HTML, the same for the same result."""
    require_matplotlib()
    filled = int(np.count_nonzero(result.fills))
    lead = (
        f"{message(result)} {filled:,} of {len(result.orders):,} orders are filled, "
        f"{result.volume:,.6g} shares in all."
    )
    sections = [
        _overview(result),
        _prices(result),
        _depth(result),
        _risk(result),
        *([_sensitivity(result)] if sensitivity else []),
        _checks(result),
        _proof(result),
        _fills(result),
    ]
    return page(
        title or "Clearing of a call auction",
        lead,
        sections,
        f"Written by kpm-fast {__version__}. Money and shares are in the units of the book.",
    )


def _overview(result: Result) -> tuple[str, str, str]:
    market = result.market
    money = {
        "certainty equivalent of the position": result.certainty_equivalent,
        "certainty equivalent without trading": result.no_trade_equivalent,
        "gain over not trading": result.gain,
        **(
            {"no clearing is worth more than": result.upper_bound}
            if result.rule == "maker_optimal"
            else {
                "worth if every order paid its limit (objective)": result.objective,
                "no fills have a greater objective than": result.upper_bound,
            }
        ),
        "expected wealth under the prior": result.expected_payoff,
        "wealth in the worst state": float(result.payoff.min()),
        "received for shares (revenue)": result.revenue,
    }
    money = {name: value for name, value in money.items() if not math.isnan(value)}
    values = np.asarray(without_rounding(np.array(list(money.values())), result), dtype=float)
    n_claims, n_states = market.payoffs.shape
    facts = {
        "market": f"{n_claims:,} claims that pay in {n_states:,} states",
        "orders": f"{len(result.orders):,}",
        "maker": _maker(result),
        "rule": result.rule.replace("_", " "),
        "orders at the clearing price share": result.allocation.replace("_", " "),
        "gap proven": f"{result.gap:.2g}, {result.relative_gap:.1g} of the notional that trades",
    }
    return section(
        "overview",
        "At a glance",
        table("The maker's position, in money", {"figure": list(money), "money": list(values)}),
        table("What was cleared", {"fact": list(facts), "value": list(facts.values())}),
    )


def _maker(result: Result) -> str:
    nats = " nats" if type(result.market.maker) is KnightianMaker else ""
    return maker_text(result.market) + nats


def _prices(result: Result) -> tuple[str, str, str]:
    return section(
        "prices",
        "Prices",
        "<p>All orders for a claim trade at one price, and claims with equal payoffs have equal "
        "prices.</p>"
        if result.rule != "pay_as_bid"
        else "<p>Every order pays its own limit; these are the prices it was compared with.</p>",
        _wide(table("Clearing prices and shares", claim_columns(result), rows=_ROWS, alike=SHARES)),
        _figure(
            draw_fills(result).figure,
            "fills",
            "Shares bought and sold",
            "Shares bought (right) and sold (left) of every claim; pale: willing to trade at the "
            "clearing price, but not filled.",
        ),
    )


def _depth(result: Result) -> tuple[str, str, str]:
    figure = draw_book(result)
    return section(
        "depth",
        "Depth of the book",
        _figure(
            figure,
            "depth",
            "Bids and offers of claims",
            "Bids (blue) and offers (orange), best first; bold is filled, the dashed line is the "
            "clearing price. If there are many claims, those that trade most are shown.",
        ),
    )


def _risk(result: Result) -> tuple[str, str, str]:
    columns = result.table("states")
    shown: dict[str, Any] = {"state": columns["state"]}
    for name, key in (
        ("prior", "prior"),
        ("state price", "state_price"),
        ("worst-case probability", "worst_case"),
    ):
        if key in columns:
            shown[name] = columns[key]
    shown["wealth before"] = columns["inventory"]
    shown["wealth after"] = without_rounding(columns["payoff"], result)
    return section(
        "risk",
        "The maker's risk by state",
        _figure(
            draw_risk(result).figure,
            "risk",
            "The maker's wealth by state",
            "The maker's wealth in every state, orange where it is below the certainty equivalent "
            "without trading. The dashed line is the certainty equivalent after trading.",
        ),
        _wide(table("States", shown, rows=_ROWS)),
    )


def _sensitivity(result: Result) -> tuple[str, str, str]:
    head = ("sensitivity", "Sensitivity to ambiguity")
    if maker_model(result.market)["kind"] != "knightian":
        return section(*head, "<p>This maker has no ambiguity that could be varied.</p>")
    swept = _swept(result)
    words = " ".join(verdict(swept.implied["prior"], result.market.ambiguity))
    columns = ("ambiguity", "gain", "expected_payoff", "worst_payoff", "volume")
    shown: dict[str, Any] = {
        name.replace("_", " "): [float(value) for value in swept[name]] for name in columns
    }
    for name in ("gain", "expected payoff", "worst payoff"):
        shown[name] = list(map(float, without_rounding(np.array(shown[name]), result)))
    shown["status"] = swept["status"]
    return section(
        *head,
        f"<p>{text(words)} The same book under other ambiguities:</p>",
        _figure(
            draw_sweep(swept.table, swept.implied, "gain").figure,
            "sensitivity",
            "Gain against ambiguity",
            "The maker's gain from trading at several ambiguities.",
        ),
        _wide(table("The same book under other ambiguities", shown)),
    )


def _swept(result: Result) -> Sweep:
    market, orders = result.market, result.orders
    own = market.ambiguity
    stop = where_trade_stops(market, orders)
    if 0.0 < stop < math.inf:
        radii = {share * stop for share in _SHARES}
    else:
        radii = {factor * (own or 0.01) for factor in _FACTORS if math.isfinite(own)} or {0.0, 1.0}
    seconds = float(result.stats.seconds.get("total", 0.0))
    return sweep(
        market,
        orders,
        ambiguity=sorted(radii | {own}),
        rule=result.rule,
        allocation=result.allocation,
        time_limit=max(_SLACK, _PATIENCE * seconds),
    )


def _checks(result: Result) -> tuple[str, str, str]:
    return section(
        "checks",
        "Checks",
        "<p>Every figure was computed again from the market and the orders, by code that is "
        "independent of the code that found the clearing.</p>",
        _verdict(result.verify(), "All {0} checks passed.", "{1} of {0} checks FAILED."),
    )


def _verdict(verification: Verification, good: str, bad: str) -> str:
    count, failed = len(verification.checks), len(verification.failed)
    mark, words = ("bad", bad) if failed else ("good", good)
    columns = {
        "what was checked": [check.name for check in verification.checks],
        "off by": [_deviation(check.figure) for check in verification.checks],
        "allowed": [_deviation(check.limit) for check in verification.checks],
        "": ["passed" if check.passed else "FAILED" for check in verification.checks],
    }
    return (
        f'<p class="{mark}">{text(words.format(count, failed))}</p>'
        f"{_wide(table('Checks', columns))}"
    )


def _deviation(value: float) -> str:
    return "0" if value == 0.0 else f"{value:.1e}"


def _proof(result: Result) -> tuple[str, str, str]:
    proven = result.status is Status.OPTIMAL
    head = ("proof", "Proof that nothing better exists" if proven else "What is proven")
    proof = result.certificate
    if result.rule != "maker_optimal":
        return section(
            *head,
            "<p>This rule is convex, and its state prices are the proof: by duality no fills have "
            f"an objective greater by more than {result.gap:.2g}. That is among the checks "
            "above.</p>",
            *([] if proof is None else [_checked(result)]),
        )
    if not isinstance(proof, Certificate):
        return section(
            *head,
            f"<p>The search proved that no clearing is better by more than {result.gap:.2g}. Its "
            "proof was not kept (<code>clear(..., certificate=True)</code> keeps it), so it is "
            "not checked here.</p>",
        )
    worth = aligned([result.certainty_equivalent, proof.upper_bound], 9)
    return section(
        *head,
        f"<p>{text(proof)}. The published one is worth {worth[0]}. Together the leaves cover every "
        "clearing, and the bound of each follows from one line of arithmetic, which was repeated "
        "here:</p>",
        _checked(result),
        _figure(
            draw_proof(result).figure,
            "bounds",
            "Bounds of the leaves",
            "The bound of every leaf, less what the published clearing is worth.",
        ),
    )


def _checked(result: Result) -> str:
    return _verdict(
        check_certificate(result.market, result.orders, result),
        "The proof holds: all {0} checks passed.",
        "The proof does NOT hold: {1} of {0} checks failed.",
    )


def _fills(result: Result) -> tuple[str, str, str]:
    rows = np.flatnonzero(result.fills)
    if not len(rows):
        return section("orders", "Filled orders", "<p>No order is filled.</p>")
    money = np.abs(result.table("orders")["payment"][rows])
    largest = np.sort(rows[np.argsort(-money, kind="stable")[:_ROWS]])
    columns = result.table("orders")
    shown: dict[str, Any] = {
        name: columns[key][largest]
        for name, key in (
            ("order", "order_id"),
            ("side", "side"),
            ("claim", "claim"),
            ("limit", "price"),
            ("quantity", "quantity"),
            ("filled", "fill"),
        )
    }
    shown["price"] = result.paid_prices[largest]
    shown["payment to the maker"] = columns["payment"][largest] + 0.0
    more = len(rows) - len(largest)
    rest = f"<p>… and {more:,} more, each for less money.</p>" if more else ""
    listed = table("Filled orders", shown, alike=("quantity", "filled"))
    return section("orders", "Filled orders", _wide(listed), rest)


def _wide(content: str) -> str:
    # Tables wider than the screen scroll in a region that the keyboard reaches.
    return f'<div class="wide" role="region" aria-label="Table" tabindex="0">{content}</div>'


def _figure(figure: Any, name: str, title: str, description: str) -> str:
    return figure_html(cast("Any", figure), name, title, description)
