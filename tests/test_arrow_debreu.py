"""CPCAM with a claim for each state: the scalar root against the interior-point method."""

import itertools

import mpmath
import numpy as np
import pytest

import kpm_fast as kpm
from strategies import fewer

pytestmark = pytest.mark.cross_section


def draw(seed, least_delta, most_delta):
    """Payoffs of claims on some of the states, orders with and without ties, and a maker."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 9))
    claims, count = int(rng.integers(1, n + 1)), int(rng.integers(0, 60))
    span = float(rng.choice([1.0, 100.0, 0.01]))
    payoffs = span * np.eye(n)[rng.permutation(n)[:claims]]
    price = np.round(rng.random(count), 1) if rng.random() < 0.5 else 2 * rng.random(count) / n
    orders = kpm.Orders(
        rng.integers(0, claims, count),
        rng.choice(["buy", "sell"], count),
        span * price,
        np.round(rng.exponential(10, count), 1),
    )
    delta = 10 ** rng.uniform(least_delta, most_delta) * rng.uniform(0.1, 1, n)
    inventory = rng.choice([0, 1, 100.0]) * rng.normal(size=n)
    return payoffs, orders, kpm.StartingOrders(span * delta, span * inventory)


def clear(payoffs, orders, maker):
    return kpm.clear(kpm.Market(payoffs, maker=maker), orders, rule="competitive")


def by_interior_point(payoffs, orders, maker):
    """The book with one more claim, which nobody trades: no longer an Arrow-Debreu book."""
    idle = np.ones(payoffs.shape[1])
    idle[0] = 0.5
    return clear(np.vstack([payoffs, idle]), orders, maker)


@pytest.mark.parametrize("seed", range(fewer(300, 60)))
def test_it_agrees_with_the_interior_point_method(seed):
    payoffs, orders, maker = draw(seed, 0, 4)
    root, other = clear(payoffs, orders, maker), by_interior_point(payoffs, orders, maker)
    assert root.status is kpm.Status.OPTIMAL
    assert root.verify()
    assert root.state_prices == pytest.approx(other.state_prices, abs=1e-9)
    largest = float(orders.quantity.max(initial=0.0))
    np.testing.assert_allclose(root.fills, other.fills, atol=1e-7 * largest)
    size = abs(root.objective) + root.scale + float(np.abs(maker.inventory).max())
    assert root.objective == pytest.approx(other.objective, abs=1e-10 * size)


@pytest.mark.parametrize("seed", range(fewer(300, 60)))
def test_tiny_starting_orders_cost_no_digits(seed):
    """Prices are delta / (t - L) in every state, to all digits that t - L has."""
    payoffs, orders, maker = draw(seed, -9, -2)
    result = clear(payoffs, orders, maker)
    assert result.status is kpm.Status.OPTIMAL
    assert result.gap <= 1e-13 * result.scale
    assert result.verify()
    losses = result.net_demand @ payoffs - maker.inventory
    left = maker.delta / result.state_prices  # t - L
    size = float(np.abs(losses).max()) + result.scale
    assert np.ptp(left + losses) <= 1e-12 * size


def exact_prices(payoffs, orders, maker):
    """To 60 digits: for a given t each state's price between two limits, and t by bisection."""
    mpf = mpmath.mpf
    states = payoffs.shape[1]
    wanted = [[] for _ in range(states)]
    span = mpf(payoffs.max())
    for k, side, price, quantity in zip(
        orders.claim, orders.side, orders.price, orders.quantity, strict=True
    ):
        wanted[int(payoffs[k].argmax())].append((side, mpf(price) / span, span * mpf(quantity)))

    def demand(i, g):
        return sum(s * q for s, limit, q in wanted[i] if s * (limit - g) > 0)

    def price(i, t):
        room, delta = t + mpf(maker.inventory[i]), mpf(maker.delta[i])
        limits = sorted({limit for _, limit, _ in wanted[i]})
        for low, high in itertools.pairwise([mpf(0), *limits, mpf("inf")]):
            left = room - demand(i, low + min(1, high - low) / 2)
            if low * left > delta:
                return low  # more would be wanted below, less above
            if left > 0 and delta <= high * left:
                return delta / left
        return mpf("inf")  # nothing is left of t

    top = sum(q for each in wanted for _, _, q in each) + sum(map(abs, map(mpf, maker.inventory)))
    low, high = -top, top + mpf(maker.delta.sum())
    for _ in range(150):
        t = (low + high) / 2
        low, high = (t, high) if sum(price(i, t) for i in range(states)) > 1 else (low, t)
    return np.array([float(price(i, high)) for i in range(states)])


@pytest.mark.parametrize("seed", range(fewer(20, 4)))
def test_its_prices_are_right_to_rounding(seed):
    payoffs, orders, maker = draw(seed, -6, 2)
    result = clear(payoffs, orders, maker)
    with mpmath.workdps(60):
        wanted = exact_prices(payoffs, orders, maker)
    assert result.state_prices == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("delta", [1e-8, 1e-3, 1.0])
def test_limits_that_add_up_to_one_leave_the_traders_least_disappointed(delta):
    """0.6 + 0.1 + 0.3 is a little less than one in floating point, 0.3 + 0.5 + 0.2 is not."""
    for limits in ([0.6, 0.1, 0.3], [0.3, 0.5, 0.2]):
        orders = kpm.Orders([0, 1, 2, 0], "buy", [*limits, limits[0]], [40.0, 20.0, 30.0, 5.0])
        result = clear(np.eye(3), orders, kpm.StartingOrders(np.full(3, delta)))
        assert result.status is kpm.Status.OPTIMAL
        assert result.state_prices == pytest.approx(limits, abs=1e-15)
        # Sets of all three cost one: y + c for every c. Rule 2 minimises sum (Q - y)^2 / Q.
        quantity, shift = np.array([45.0, 20.0, 30.0]), delta / np.array(limits)
        best = (3 + (shift / quantity).sum()) / (1 / quantity).sum()
        best = min(best, (quantity + shift).min())
        assert result.net_demand == pytest.approx(best - shift, abs=1e-6)
