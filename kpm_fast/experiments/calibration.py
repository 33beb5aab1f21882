"""How much ambiguity do n observations leave? A radius from data, and its coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..arrays import as_number
from ..clearing.options import checked_count
from ..errors import InputError, MissingDependencyError, brief
from ..plots.style import BLUE, GREEN, GREY, ORANGE
from .experiment import Experiment, checked_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["calibration", "radius_from_data"]

CONFIDENCE = 0.95
STATES = (3, 5, 10, 20)
OBSERVATIONS = (50, 100, 300, 1000)
LEAST_EXPECTED = 5  # observations of each state


def radius_from_data(observations: int, states: int, confidence: float = CONFIDENCE) -> float:
    """The ambiguity left by ``observations`` when the maker's prior is their frequencies.

    2 n KL(p | empirical) is about chi-squared with N - 1 degrees of freedom (Wilks), so the ball of
    this radius contains the true distribution with about the given probability.

    Parameters
    ----------
    observations : int
        n, of the outcome; at least 1.
    states : int
        N, at least 2.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    float
        Omega, nats.

    Raises
    ------
    InputError
        Naming the argument and its value.

    Examples
    --------
    >>> round(radius_from_data(300, 5), 4)
    0.0158
    """
    observations = checked_count(observations, "observations", 1)
    states = checked_count(states, "states", 2)
    level = as_number(confidence, "confidence")
    if not 0 < level < 1:
        raise InputError(f"must be between 0 and 1, got {brief(confidence)}", field="confidence")
    try:
        from scipy.stats import chi2
    except ImportError as error:
        raise MissingDependencyError(
            "quantiles of chi-squared need SciPy: pip install 'kpm-fast[experiments]'"
        ) from error
    return float(chi2.ppf(level, states - 1)) / (2.0 * observations)


def calibration(draws: int = 4000, seed: int = 1) -> Experiment:
    """Count how often the ball of :func:`radius_from_data` contains the true distribution.

    Parameters
    ----------
    draws : int
        Samples for each number of states and observations.
    seed : int
        Of the samples.
    """
    draws, seed = checked_size(draws, "draws", seed)
    columns = ("states", "observations", "radius", "coverage", "coverage_uniform")
    rows: dict[str, list[float]] = {column: [] for column in columns}
    for states in STATES:
        for n in OBSERVATIONS:
            random = np.random.default_rng([seed, states, n])
            if n < 2 * LEAST_EXPECTED * states:
                continue
            # Every state is expected at least five times (Cochran's rule for chi-squared).
            least = LEAST_EXPECTED / n
            truth = least + (1.0 - states * least) * random.dirichlet(np.ones(states), size=draws)
            radius = radius_from_data(n, states)
            rows["states"].append(states)
            rows["observations"].append(n)
            rows["radius"].append(radius)
            rows["coverage"].append(_coverage(truth, n, radius, random))
            uniform = np.full((draws, states), 1.0 / states)
            rows["coverage_uniform"].append(_coverage(uniform, n, radius, random))
    low, high = min(rows["coverage"]), max(rows["coverage"])
    even = rows["coverage_uniform"]
    return Experiment(
        name="calibration",
        question="Which ambiguity follows from n observations of the outcome?",
        answer=f"chi-squared(N - 1, 0.95) / 2n nats hold the truth in {100 * low:.0f} to "
        f"{100 * high:.0f} % of samples, for {min(STATES)} to {max(STATES)} states and "
        f"{min(OBSERVATIONS)} to {max(OBSERVATIONS)} observations, where each state is "
        f"expected at least {LEAST_EXPECTED} times. With all states equally likely that is "
        f"{100 * min(even):.0f} to {100 * max(even):.0f} %.",
        table=rows,
        draw=lambda axes: _draw(axes, rows),
    )


def _coverage(
    truth: NDArray[np.float64], observations: int, radius: float, random: np.random.Generator
) -> float:
    """Return the share of samples, one for each row of `truth`, whose ball contains that row."""
    prior = random.multinomial(observations, truth) / observations
    with np.errstate(divide="ignore"):  # a state never observed: outside every ball
        divergence = (truth * np.log(truth / prior)).sum(axis=1)
    return float((divergence <= radius).mean())


def _draw(axes: Axes, rows: dict[str, list[float]]) -> None:
    for states, colour in zip(STATES, (BLUE, ORANGE, GREEN, GREY), strict=True):
        mine = [i for i, value in enumerate(rows["states"]) if value == states]
        axes.plot(
            [rows["observations"][i] for i in mine],
            [100.0 * rows["coverage"][i] for i in mine],
            "o-",
            color=colour,
            markeredgecolor="white",
            label=f"{states} states",
        )
    axes.axhline(100.0 * CONFIDENCE, color=GREY, linewidth=1.0, ls=(0, (2, 3)))
    axes.set_xscale("log")
    axes.set_xticks(OBSERVATIONS, [f"{n:,}" for n in OBSERVATIONS])
    axes.minorticks_off()
    low, high = 100.0 * min(rows["coverage"]), 100.0 * max(rows["coverage"])
    axes.set_title(
        f"Ω = χ²(N − 1, 95 %) / 2n holds the truth in {low:.0f} to {high:.0f} % of samples"
    )
    axes.set_xlabel("observations n")
    axes.set_ylabel("samples inside the ball (%)")
    axes.set_ylim(85.0, 100.0)
    axes.legend(frameon=False, loc="lower right")
