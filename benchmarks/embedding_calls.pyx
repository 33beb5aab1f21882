# cython: language_level=3, boundscheck=False, wraparound=False
"""A clearing through kpm.pxd, timed where it is called: compiled and loaded by embedding.py."""
import numpy as np

from kpm_fast.kpm cimport *
from libc.stdint cimport int8_t, int64_t
from libc.string cimport memset
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec


cdef double now() noexcept nogil:
    cdef timespec moment
    clock_gettime(CLOCK_MONOTONIC, &moment)
    return moment.tv_sec + 1e-9 * moment.tv_nsec


cdef class Book:
    cdef const double[:, ::1] payoffs
    cdef const double[::1] prior, inventory, price, quantity
    cdef const int64_t[::1] claim
    cdef const int8_t[::1] side
    cdef double[::1] fills, claim_prices, net_demand, state_prices, payoff
    cdef kpm_market market
    cdef kpm_orders orders
    cdef kpm_settings settings
    cdef kpm_result result

    def __init__(self, market, orders, double tolerance):
        self.payoffs, self.prior, self.inventory = market.payoffs, market.prior, market.inventory
        self.claim, self.side = orders.claim_index(market), orders.side
        self.price, self.quantity = orders.price, orders.quantity
        claims, states = market.payoffs.shape
        # kpm_market(...) would leave undefined what it does not name.
        memset(&self.market, 0, sizeof(kpm_market))
        self.market.struct_size = sizeof(kpm_market)
        self.market.states, self.market.claims = states, claims
        self.market.payoffs, self.market.prior = &self.payoffs[0, 0], &self.prior[0]
        self.market.inventory = &self.inventory[0]
        self.market.risk_aversion, self.market.ambiguity = market.risk_aversion, market.ambiguity
        self.orders = kpm_orders(sizeof(kpm_orders), len(orders), &self.claim[0], &self.side[0],
                                 &self.price[0], &self.quantity[0], NULL)
        kpm_settings_init(&self.settings, sizeof(kpm_settings))
        self.settings.tolerance = tolerance
        self.fills, self.claim_prices, self.net_demand = np.empty(len(orders)), np.empty(claims), np.empty(claims)
        self.state_prices, self.payoff = np.empty(states), np.empty(states)
        memset(&self.result, 0, sizeof(kpm_result))
        self.result.struct_size = sizeof(kpm_result)
        self.result.fills = &self.fills[0]
        self.result.claim_prices = &self.claim_prices[0]
        self.result.net_demand = &self.net_demand[0]
        self.result.state_prices = &self.state_prices[0]
        self.result.payoff = &self.payoff[0]

    def cold(self):
        """Seconds of a clearing; negative where it fails."""
        cdef double seconds
        with nogil:
            seconds = now()
            if kpm_clear(&self.market, &self.orders, &self.settings, &self.result) == KPM_OK:
                seconds = now() - seconds
            else:
                seconds = -1.0
        return seconds

    def value(self):
        return self.result.certainty_equivalent
