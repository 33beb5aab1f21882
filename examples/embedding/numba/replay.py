"""Sends order events to an engine and clears its book after each batch, without Python in the loop.

python replay.py ../../race_card
"""

import sys
import time

import numba
import numpy as np

import kpm_fast as kpm
from kpm_fast import numba_engine

EVENTS, BATCH = 100_000, 100


@numba.njit(cache=True)
def send(engine, events, claim, side, price, quantity, seed):
    """Send events to the engine; return how many it refused."""
    np.random.seed(seed)  # noqa: NPY002
    refused = 0
    ids = numba_engine.orders(engine)[0]
    in_book = np.zeros(len(quantity), np.bool_)
    in_book[ids] = True
    for _ in range(events):
        # An order is cancelled, comes back with some of its quantity, or moves by a tick.
        j = np.random.randint(len(quantity))  # noqa: NPY002
        some = quantity[j] * np.random.randint(1, 17) / 16.0  # noqa: NPY002
        choice = np.random.randint(6)  # noqa: NPY002
        if not in_book[j]:
            code = numba_engine.add(engine, j, claim[j], side[j], price[j], some)
            in_book[j] = True
        elif choice < 3:
            code = numba_engine.cancel(engine, j)
            in_book[j] = False
        else:
            code = numba_engine.replace(engine, j, price[j] + 0.01 * (choice - 4), some)
        refused += code != 0
    return refused


@numba.njit(cache=True)
def clear(engine, states, claims):
    """Clear the book of the engine to the usual tolerance."""
    return numba_engine.clear(engine, states, claims, 1e-8)


def main(folder):
    market, orders = kpm.read_book(folder)
    engine = numba_engine.create(
        market.payoffs,
        market.prior,
        market.inventory,
        market.risk_aversion,
        market.ambiguity,
        len(orders),
    )
    book = (orders.claim_index(market), orders.side, orders.price, orders.quantity)
    for j, (claim, side, price, quantity) in enumerate(zip(*book, strict=True)):
        assert numba_engine.add(engine, j, claim, side, price, quantity) == 0
    claims, states = market.payoffs.shape
    start = time.perf_counter()
    send(engine, 0, *book, 1)
    clearing = clear(engine, states, claims)
    print(f"Numba: ready after {time.perf_counter() - start:.2f} s")
    microseconds = []
    in_events = 0.0
    for seed in range(EVENTS // BATCH):
        start = time.perf_counter()
        assert send(engine, BATCH, *book, seed) == 0
        between = time.perf_counter()
        clearing = clear(engine, states, claims)
        microseconds.append(1e6 * (time.perf_counter() - between))
        in_events += between - start
    numba_engine.free(engine)
    p50, p99, p999 = np.quantile(microseconds, [0.5, 0.99, 0.999])
    print(
        f"{EVENTS} events, {EVENTS / (in_events + 1e-6 * sum(microseconds)):.0f} a second; a "
        f"clearing of at most {len(orders)} orders takes {p50:.1f} us (p50), {p99:.1f} (p99), "
        f"{p999:.1f} (p99.9)"
    )
    print(
        f"the maker is worth {clearing.certainty_equivalent:.6f}, "
        f"at most {clearing.upper_bound:.6f}"
    )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "../../race_card")
