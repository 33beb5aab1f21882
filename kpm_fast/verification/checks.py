"""The checks of a clearing as values: what must hold, by how much it fails, what is allowed."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import VerificationError

__all__ = ["Check", "Verification"]


@dataclass(frozen=True)
class Check:
    """One check of a result.

    Attributes
    ----------
    name : str
        What must hold.
    figure : float
        By how much it fails, in the unit that the name states.
    limit : float
        The most that is allowed.
    """

    name: str
    figure: float
    limit: float

    @property
    def passed(self) -> bool:
        """Whether the figure is within its limit; NaN is not."""
        return bool(self.figure <= self.limit)


@dataclass(frozen=True)
class Verification:
    """The checks of a result. True if all passed; prints as a table.

    Attributes
    ----------
    checks : tuple of Check

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    >>> verification = kpm.clear(market, kpm.Orders([0], "buy", [0.6], [10])).verify()
    >>> verification.passed, all(check.figure <= check.limit for check in verification.checks)
    (True, True)
    """

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether all checks passed."""
        return all(check.passed for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)

    def raise_if_failed(self) -> None:
        """Raise :class:`kpm_fast.VerificationError`, naming the checks, if any failed.

        Examples
        --------
        >>> import kpm_fast as kpm
        >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
        >>> orders = kpm.Orders([0], "buy", [0.6], [10])
        >>> kpm.clear(market, orders).verify().raise_if_failed()
        """
        if not self.passed:
            reasons = (f"{c.name}: {c.figure:.3g} > {c.limit:.3g}" for c in self.failed)
            raise VerificationError("; ".join(reasons))

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        width = max(len(check.name) for check in self.checks)
        lines = [f"{'check':<{width}}  {'figure':>9}  {'limit':>9}"]
        for check in self.checks:
            verdict = "ok" if check.passed else "FAILED"
            lines.append(
                f"{check.name:<{width}}  {check.figure:9.2e}  {check.limit:9.2e}  {verdict}"
            )
        passed = len(self.checks) - len(self.failed)
        lines.append(f"{passed} of {len(self.checks)} checks passed")
        return "\n".join(lines)
