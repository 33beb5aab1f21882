// A random book as the structs of kpm.h, and arrays for its clearing.
#pragma once

#include <vector>

#include "kpm/kpm.h"
#include "random_book.hpp"

namespace kpm::test {

inline kpm_market c_market(const RandomBook& book) {
  return {sizeof(kpm_market),  book.states,       book.claims,
          book.payoffs.data(), book.prior.data(), book.inventory.data(),
          book.risk_aversion,  book.ambiguity,    nullptr};
}

inline kpm_orders c_orders(const RandomBook& book) {
  return {sizeof(kpm_orders),
          static_cast<std::int64_t>(book.claim.size()),
          book.claim.data(),
          book.side.data(),
          book.price.data(),
          book.quantity.data(),
          nullptr};
}

struct CBook {
  CBook(Random& random, int states, int claims, int count) : book(random, states, claims, count) {
    kpm_settings_init(&settings, sizeof settings);
  }

  kpm_market market() const { return c_market(book); }
  kpm_orders orders() const { return c_orders(book); }
  std::int32_t clear(kpm_result& result) const {
    const kpm_market m = market();
    const kpm_orders o = orders();
    return kpm_clear(&m, &o, &settings, &result);
  }

  RandomBook book;
  kpm_settings settings{};
};

/// All of a clearing, in memory of its own.
struct CResult {
  explicit CResult(const RandomBook& book)
      : by_state(4, std::vector<double>(static_cast<std::size_t>(book.states))),
        by_claim(3, std::vector<double>(static_cast<std::size_t>(book.claims))),
        fills(book.claim.size()),
        cell(static_cast<std::size_t>(book.claims)) {
    result.struct_size = sizeof result;
    result.state_prices = by_state[0].data();
    result.payoff = by_state[1].data();
    result.worst_case = by_state[2].data();
    result.marginal_state_prices = by_state[3].data();
    result.claim_prices = by_claim[0].data();
    result.net_demand = by_claim[1].data();
    result.multipliers = by_claim[2].data();
    result.fills = fills.data();
    result.cell = cell.data();
  }

  std::vector<std::vector<double>> by_state, by_claim;
  std::vector<double> fills;
  std::vector<std::int64_t> cell;
  kpm_result result{};
};

inline kpm_error last_error() {
  kpm_error error{};
  error.struct_size = sizeof error;
  kpm_last_error(&error);
  return error;
}

}  // namespace kpm::test
