"""Answers that stood their examination: nothing else has a time that counts."""

from __future__ import annotations

import kpm_fast as kpm

from . import books


class NotVerifiedError(RuntimeError):
    """An answer failed its checks: its time means nothing."""


def verified(result: kpm.Result, name: str) -> kpm.Result:
    """The result, if its figures can be recomputed and its proof, if any, holds."""
    checks = [result.verify()]
    if result.certificate is not None:
        checks.append(kpm.check_certificate(result.market, result.orders, result))
    for check in checks:
        if not check.passed:
            raise NotVerifiedError(f"{name}: {check}")
    return result


def root_gap(result: kpm.Result) -> float:
    """How far the first bound is above the clearing, as a share of the notional that trades."""
    return (result.stats.root_bound - result.certainty_equivalent) / result.scale


def examined(book: books.Book, name: str, tolerance: float) -> kpm.Result:
    """What ``clear`` answers, verified, after the proof of the same clearing was checked.

    The proof comes from a call of its own, with ``certificate=True``, which is not the one timed.
    """
    proof = verified(kpm.clear(*book, tolerance=tolerance, certificate=True), name)
    result = verified(kpm.clear(*book, tolerance=tolerance), name)
    difference = abs(result.certainty_equivalent - proof.certainty_equivalent)
    if not difference <= (tolerance + 1e-11) * result.scale:
        raise NotVerifiedError(f"{name}: clearing and proof differ by {difference:g} in value")
    return result
