"""Replays order events against a book and clears it after each batch, without Python in the loop.

python replay.py ../../race_card
"""

import sys
import time

import numba
import numpy as np

import kpm_fast as kpm
from kpm_fast import numba as kpm_numba

EVENTS, BATCH = 100_000, 100


@numba.njit(cache=True)
def replay(events, payoffs, prior, inventory, alpha, omega, claim, side, price, full, seed):
    """Clear after each batch; return the last clearing."""
    np.random.seed(seed)  # noqa: NPY002
    quantity = full.copy()
    clearing = kpm_numba.clear(
        payoffs, prior, inventory, alpha, omega, claim, side, price, quantity, 1e-8
    )
    for event in range(events):
        # An order is cancelled, or comes back with some of its quantity.
        j = np.random.randint(len(quantity))  # noqa: NPY002
        share = np.random.randint(1, 17) / 16.0  # noqa: NPY002
        quantity[j] = 0.0 if quantity[j] > 0.0 else full[j] * share
        if (event + 1) % BATCH == 0:
            clearing = kpm_numba.clear(
                payoffs, prior, inventory, alpha, omega, claim, side, price, quantity, 1e-8
            )
    return clearing


def main(folder):
    market, orders = kpm.read_book(folder)
    book = (
        market.payoffs,
        market.prior,
        market.inventory,
        market.risk_aversion,
        market.ambiguity,
        orders.claim_index(market),
        orders.side,
        orders.price,
        orders.quantity,
    )
    start = time.perf_counter()
    replay(0, *book, 1)
    print(f"Numba: ready after {time.perf_counter() - start:.2f} s")
    microseconds = []
    for seed in range(EVENTS // BATCH):  # one batch a call, to time it
        start = time.perf_counter()
        clearing = replay(BATCH, *book, seed)
        microseconds.append(1e6 * (time.perf_counter() - start) / 2)  # it clears before and after
    p50, p99, p999 = np.quantile(microseconds, [0.5, 0.99, 0.999])
    print(
        f"{EVENTS} events, {EVENTS / sum(microseconds) * 5e5:.0f} a second; a clearing of "
        f"{len(orders)} orders takes {p50:.1f} us (p50), {p99:.1f} (p99), {p999:.1f} (p99.9)"
    )
    print(
        f"the maker is worth {clearing.certainty_equivalent:.6f}, "
        f"at most {clearing.upper_bound:.6f}"
    )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "../../race_card")
