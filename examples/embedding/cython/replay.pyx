# cython: language_level=3, boundscheck=False, wraparound=False
"""Sends order events to an engine and clears its book after each batch, without Python in the loop.

    python setup.py build_ext --inplace && python -c "import replay; replay.main('../../race_card')"
"""
import numpy as np

import kpm_fast as kpm
from kpm_fast.kpm cimport *
from libc.stdint cimport int8_t, int32_t, int64_t, uint64_t
from libc.string cimport memset
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec


cdef double now() noexcept nogil:
    cdef timespec moment
    clock_gettime(CLOCK_MONOTONIC, &moment)
    return moment.tv_sec + 1e-9 * moment.tv_nsec


def main(folder, int events=100_000, int batch=100):
    market, orders = kpm.read_book(folder)
    cdef const double[:, ::1] payoffs = market.payoffs
    cdef const double[::1] prior = market.prior, inventory = market.inventory
    cdef const int64_t[::1] claim = orders.claim_index(market)
    cdef const int8_t[::1] side = orders.side
    cdef const double[::1] price = orders.price, quantity = orders.quantity
    cdef double[::1] fills = np.empty(len(orders))
    cdef double[::1] microseconds = np.empty(events // batch)
    cdef kpm_market c_market
    cdef kpm_engine *engine = NULL
    cdef kpm_result result
    cdef kpm_error error
    cdef uint64_t random = 1
    cdef int64_t j
    cdef int event
    cdef int32_t code = KPM_OK
    cdef double before, seconds, start, some
    # kpm_market(...) would leave undefined what it does not name.
    memset(&c_market, 0, sizeof(kpm_market))
    c_market.struct_size = sizeof(kpm_market)
    c_market.states, c_market.claims = payoffs.shape[1], payoffs.shape[0]
    c_market.payoffs, c_market.prior, c_market.inventory = &payoffs[0, 0], &prior[0], &inventory[0]
    c_market.risk_aversion, c_market.ambiguity = market.risk_aversion, market.ambiguity
    memset(&result, 0, sizeof(kpm_result))
    result.struct_size = sizeof(kpm_result)
    result.fills = &fills[0]
    code = kpm_engine_create(&c_market, quantity.shape[0], &engine)
    with nogil:
        for j in range(quantity.shape[0]):
            if code == KPM_OK:
                code = kpm_engine_add(engine, j, claim[j], side[j], price[j], quantity[j])
        start = now()
        for event in range(events):
            # An order is cancelled, comes back with some of its quantity, or moves by a tick.
            random = random * 6364136223846793005u + 1442695040888963407u
            j = <int64_t>((random >> 33) % <uint64_t>quantity.shape[0])
            some = quantity[j] * <double>(1 + (random >> 60)) / 16.0
            if kpm_engine_order(engine, j, NULL, NULL, NULL, NULL) != KPM_OK:
                code = kpm_engine_add(engine, j, claim[j], side[j], price[j], some)
            elif (random >> 59) & 1 == 0:
                code = kpm_engine_cancel(engine, j)
            else:
                code = kpm_engine_replace(engine, j, price[j] + 0.01 * (<double>(random >> 62) - 1.0),
                                          some)
            if code == KPM_OK and (event + 1) % batch == 0:
                before = now()
                code = kpm_engine_clear(engine, NULL, &result)
                microseconds[event // batch] = 1e6 * (now() - before)
            if code != KPM_OK:
                break
        seconds = now() - start
        kpm_engine_free(engine)
    if code != KPM_OK:
        error.struct_size = sizeof(kpm_error)
        kpm_last_error(&error)
        raise ValueError(error.message.decode())
    p50, p99, p999 = np.quantile(microseconds, [0.5, 0.99, 0.999])
    print(f"Cython: {events} events, {events / seconds:.0f} a second; a clearing of at most "
          f"{len(orders)} orders takes {p50:.1f} us (p50), {p99:.1f} (p99), {p999:.1f} (p99.9)")
    print(f"the maker is worth {result.certainty_equivalent:.6f}, at most {result.upper_bound:.6f}")
