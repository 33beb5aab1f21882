"""Section 8.1, the urn of Ellsberg: a set of priors explains what no single prior does."""

from __future__ import annotations

from ..model.makers import KnightianMaker, PolytopeMaker
from .finding import Finding
from .simulations import Statement

__all__ = ["LOTTERIES", "urn"]

LOTTERIES = {
    "R": (1.0, 0.0, 0.0),
    "B": (0.0, 1.0, 0.0),
    "G": (0.0, 0.0, 1.0),
    "RB": (1.0, 1.0, 0.0),
    "BG": (0.0, 1.0, 1.0),
}
"""What each lottery pays if a red, a blue or a green ball is drawn."""

_VERTICES = ((1 / 3, 0.1, 17 / 30), (1 / 3, 0.4, 4 / 15))  # of {(1/3, x, 2/3 - x) : .1 <= x <= .4}
_WORTH = {"R": 1 / 3, "B": 1 / 10, "G": 4 / 15, "RB": 13 / 30, "BG": 2 / 3}


def urn(ambiguity: float = 0.05) -> Finding:
    """Least expected payoff of the five lotteries, over the paper's priors and over a KL ball."""
    paper = PolytopeMaker(_VERTICES, risk_aversion=0.0)
    ball = KnightianMaker([1 / 3] * 3, risk_aversion=1e-9, ambiguity=ambiguity)
    names = list(LOTTERIES)
    # Owning a lottery is worth minus the cost of owing its negative.
    by_paper = [-float(paper.cost([-pay for pay in LOTTERIES[name]])) for name in names]
    by_ball = [-float(ball.cost([-pay for pay in LOTTERIES[name]])) for name in names]
    worth = dict(zip(names, by_paper, strict=True))
    told = ", ".join(f"{name} {worth[name]:.4f}" for name in names)
    return Finding(
        title="Section 8.1: an urn with balls of unknown colour",
        statements=(
            Statement(
                "(29a), (29b), (30): R is preferred to B and to G, and BG to RB",
                worth["R"] > max(worth["B"], worth["G"]) and worth["BG"] > worth["RB"],
                told,
            ),
            Statement(
                "least expected payoffs 1/3, 1/10, 4/15, 13/30, 2/3",
                all(abs(worth[name] - _WORTH[name]) < 1e-12 for name in names),
                told,
            ),
            Statement(
                "a KL ball around the uniform prior sees no difference between R, B and G",
                max(by_ball[:3]) - min(by_ball[:3]) < 1e-9,
                ", ".join(f"{value:.4f}" for value in by_ball),
            ),
        ),
        tables={
            "section_8_1": {
                "lottery": names,
                "least_expected_payoff": by_paper,
                f"in_a_ball_of_{ambiguity:g}_nats": by_ball,
            }
        },
    )
