"""The command ``kpm-fast verify``: check a saved clearing, and its proof if it has one."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rich.text import Text

from ..files.strict_json import stated_number
from ..model.certificate import Certificate
from ..model.rules import RULES
from ..model.status import Status
from ..result import Result, load_result
from ..verification.certificate_checks import check_certificate
from ..verification.checks import Verification
from .named_path import input_path
from .tables import plain_console, print_verification

__all__ = ["add_parser", "checks_of"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of ``kpm-fast``."""
    parser = commands.add_parser(
        "verify",
        help="check a saved clearing",
        description="Recompute every figure of a clearing saved by clear --save, and check the "
        "proof that none is better, if the file has one.",
        epilog="Exit codes: 0 valid; 1 not valid; 2 bad usage, or no such file.",
    )
    parser.set_defaults(run=_run)
    parser.add_argument(
        "file",
        metavar="FILE",
        type=input_path,
        help="what clear --save wrote, or - for standard input",
    )
    parser.add_argument("--json", action="store_true", help="print only the checks, as JSON")


def _run(args: argparse.Namespace) -> int:
    result = load_result(args.file)
    groups = checks_of(result)
    valid = all(groups.values())
    if args.json:
        print(json.dumps(_as_json(args.file, result, groups), indent=2, allow_nan=False))
    else:
        _print(args.file, result, groups)
    return 0 if valid else 1


def checks_of(result: Result) -> dict[str, Verification]:
    """Return the checks of a clearing and, where it has one, of its proof."""
    groups = {"clearing": result.verify()}
    if result.certificate is not None:
        groups["certificate"] = check_certificate(result.market, result.orders, result)
    return groups


def _print(file: Path, result: Result, groups: dict[str, Verification]) -> None:
    console = plain_console()
    proof = result.certificate

    def line(text: str, style: str = "") -> None:
        console.print(Text(text, style=style), soft_wrap=True)

    n_claims, n_states = result.market.payoffs.shape
    line(f"{file}: {n_states:,} states, {n_claims:,} claims, {len(result.orders):,} orders")
    bounded = {
        "certainty equivalent": result.certainty_equivalent,
        **({} if result.rule == RULES[0] else {"objective": result.objective}),
        "upper bound": result.upper_bound,
    }
    figures = "".join(f"{name} {value:.9g}, " for name, value in bounded.items())
    line(f"{result.status}: {figures}gap {result.gap:.2g}")
    if proof is not None:
        line(f"certificate: {proof}")
    line("")
    for name, verification in groups.items():
        print_verification(console, name.capitalize(), verification)
    failed = [check.name for group in groups.values() for check in group.failed]
    if failed:
        line(f"NOT VALID: {'; '.join(failed)}", "bold red")
    elif result.rule != RULES[0] and result.status is Status.OPTIMAL:
        line("Valid, and proven by duality: no fills are worth more by more than the gap.", "green")
    elif result.rule != RULES[0] and proof is not None:
        line(
            "Valid, but not proven optimal. Proven by duality is the bound: no fills have an "
            f"objective above {result.upper_bound:.9g}, {result.gap:.2g} more than these."
        )
    elif proof is None:
        line(
            "Valid. That no clearing is better is taken on trust: there is no certificate."
            if result.status is Status.OPTIMAL
            else f"Valid, but not proven optimal. The bound, {result.upper_bound:.9g}, is taken on "
            "trust: there is no certificate."
        )
    elif result.status is Status.OPTIMAL:
        line("Valid, and proven: no clearing is better by more than the gap.", "green")
    else:
        line(
            "Valid, but not proven optimal. Proven by the certificate is the bound: no clearing is "
            f"worth more than {result.upper_bound:.9g}, {result.gap:.2g} more than this one."
        )


def _as_json(file: Path, result: Result, groups: dict[str, Verification]) -> dict[str, object]:
    return {
        "file": str(file),
        "valid": all(groups.values()),
        # That it is optimal. The convex rules prove themselves: their checks are a primal and a
        # dual. What is proven of a clearing that was stopped is its bound.
        "proven": ("certificate" in groups or result.rule != RULES[0])
        and result.status is Status.OPTIMAL
        and all(groups.values()),
        "status": result.status.value,
        "message": result.message,
        "certainty_equivalent": stated_number(result.certainty_equivalent),
        "objective": stated_number(result.objective),
        "upper_bound": stated_number(result.upper_bound),
        "gap": stated_number(result.gap),
        "leaves": len(proof) if isinstance(proof := result.certificate, Certificate) else None,
        "checks": [
            {
                "group": name,
                "name": check.name,
                "figure": stated_number(check.figure),
                "limit": stated_number(check.limit),
                "passed": check.passed,
            }
            for name, group in groups.items()
            for check in group.checks
        ],
    }
