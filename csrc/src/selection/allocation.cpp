#include "selection/allocation.hpp"

#include <algorithm>

namespace kpm {

namespace {

/// Fill the given orders, ascending in priority, until `amount` is used up.
void fill_in_turn(const Orders& orders, std::vector<std::int64_t>& queue, double amount,
                  std::vector<double>& fills) {
  if (orders.time != nullptr) {
    std::stable_sort(queue.begin(), queue.end(), [&](std::int64_t a, std::int64_t b) {
      return orders.time[a] < orders.time[b];
    });
  }
  for (const std::int64_t j : queue) {
    const double fill = std::min(orders.quantity[j], amount);
    fills[static_cast<std::size_t>(j)] = fill;
    amount -= fill;
  }
}

void share(const Orders& orders, std::vector<std::int64_t>& queue, double amount, double total,
           Allocation allocation, std::vector<double>& fills) {
  if (amount >= total || allocation == Allocation::kProRata) {
    for (const std::int64_t j : queue) {
      const double quantity = orders.quantity[j];
      fills[static_cast<std::size_t>(j)] =
          amount >= total ? quantity : std::min(quantity, quantity * (amount / total));
    }
  } else {
    fill_in_turn(orders, queue, amount, fills);
  }
}

}  // namespace

std::vector<double> allocate(const Orders& orders, const std::vector<int>& places,
                             const std::vector<Staircase>& stairs,
                             const std::vector<std::int64_t>& cell, const std::vector<double>& net,
                             Allocation allocation) {
  std::vector<double> fills(static_cast<std::size_t>(orders.count), 0.0);
  struct AtLimit {
    std::vector<std::int64_t> bids, offers;
  };
  std::vector<AtLimit> at_limit(stairs.size());
  for (std::int64_t j = 0; j < orders.count; ++j) {
    const auto k = static_cast<std::size_t>(places[static_cast<std::size_t>(orders.claim[j])]);
    const Staircase& claim = stairs[k];
    const double limit = orders.price[j];
    const bool buys = orders.side[j] > 0;
    const auto flat = static_cast<std::size_t>(cell[k] / 2);
    const bool step = Staircase::is_step(static_cast<int>(cell[k]));
    // The clearing price lies between limits flat - 1 and flat, or on limit `flat`.
    const bool above =
        flat < claim.limit.size() ? limit >= claim.limit[flat] : claim.above_range(limit);
    if (step && claim.is_at(flat, limit)) {
      (buys ? at_limit[k].bids : at_limit[k].offers).push_back(j);
    } else if (above == buys) {
      fills[static_cast<std::size_t>(j)] = orders.quantity[j];
    }
  }
  for (std::size_t k = 0; k < stairs.size(); ++k) {
    if (!Staircase::is_step(static_cast<int>(cell[k]))) {
      continue;
    }
    const auto l = static_cast<std::size_t>(cell[k] / 2);
    const double bids = stairs[k].buy[l];
    const double offers = stairs[k].sell[l];
    const Matched matched = match_at_limit(bids, offers, net[k]);
    share(orders, at_limit[k].bids, matched.bought, bids, allocation, fills);
    share(orders, at_limit[k].offers, matched.sold, offers, allocation, fills);
  }
  return fills;
}

}  // namespace kpm
