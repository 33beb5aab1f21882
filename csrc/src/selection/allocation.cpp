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

/// The limits from `low` on, but below `high`, are the clearing price itself: none on a flat. Bids
/// from `low` on are above it, and offers below `low` below it.
struct ClearingLimits {
  double low;
  double high;
};

ClearingLimits clearing_limits(const Staircase& claim, int piece) {
  const auto flat = static_cast<std::size_t>(piece / 2);
  return {claim.start_of_limit(flat),
          claim.start_of_limit(Staircase::is_step(piece) ? flat + 1 : flat)};
}

}  // namespace

std::vector<double> allocate(const Orders& orders, const std::vector<int>& places,
                             const std::vector<Staircase>& stairs,
                             const std::vector<std::int64_t>& cell, const std::vector<double>& net,
                             Allocation allocation) {
  std::vector<double> fills(static_cast<std::size_t>(orders.count));
  std::vector<ClearingLimits> clearing;
  clearing.reserve(stairs.size());
  for (std::size_t k = 0; k < stairs.size(); ++k) {
    clearing.push_back(clearing_limits(stairs[k], static_cast<int>(cell[k])));
  }
  struct AtLimit {
    std::vector<std::int64_t> bids, offers;
  };
  std::vector<AtLimit> at_limit;  // of each claim, if there are any
  for (std::int64_t j = 0; j < orders.count; ++j) {
    const auto k = static_cast<std::size_t>(places[static_cast<std::size_t>(orders.claim[j])]);
    const double limit = orders.price[j];
    const bool buys = orders.side[j] > 0;
    const bool above = limit >= clearing[k].low;
    // A factor, not a branch: in a large book nobody can guess an order's side and limit.
    fills[static_cast<std::size_t>(j)] = static_cast<double>(above == buys) * orders.quantity[j];
    if (above & (limit < clearing[k].high)) {
      fills[static_cast<std::size_t>(j)] = 0.0;
      at_limit.resize(stairs.size());
      (buys ? at_limit[k].bids : at_limit[k].offers).push_back(j);
    }
  }
  for (std::size_t k = 0; k < at_limit.size(); ++k) {
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
