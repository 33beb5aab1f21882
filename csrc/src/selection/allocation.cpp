#include "selection/allocation.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "numerics/large_array.hpp"

namespace kpm {

namespace {

/// What orders at a claim's clearing price, on one side, are filled of.
struct AtLimit {
  double share = 1.0;       // of each quantity
  double left = kInfinity;  // for those whose turn has not come
};

AtLimit at_limit_of(double amount, double total, Allocation allocation) {
  if (amount >= total) {
    return {};
  }
  if (allocation == Allocation::kProRata) {
    return {amount / total, kInfinity};
  }
  return {1.0, amount};
}

double fill(double quantity, AtLimit& side) {
  const double filled = std::min(std::min(quantity, quantity * side.share), side.left);
  side.left -= filled;
  return filled;
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

constexpr int kAt = 1;  // where a limit lies: below its claim's clearing price, at it, above it

/// The quantity or nothing, by a mask: compilers make a branch of a factor that is zero or one.
double in_full_if(bool filled, double quantity) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &quantity, sizeof bits);
  bits &= std::uint64_t{0} - static_cast<std::uint64_t>(filled);
  std::memcpy(&quantity, &bits, sizeof bits);
  return quantity;
}

/// An order that waits for its turn.
struct Waiting {
  std::size_t side;  // of all claims' sides
  double time;
  std::int64_t order;

  bool operator<(const Waiting& other) const {
    return side != other.side   ? side < other.side
           : time != other.time ? time < other.time
                                : order < other.order;
  }
};

}  // namespace

std::vector<double> allocate(const Orders& orders, const std::vector<int>& places,
                             const std::vector<Staircase>& stairs,
                             const std::vector<std::int64_t>& cell, const std::vector<double>& net,
                             Allocation allocation) {
  std::vector<ClearingLimits> clearing;
  std::vector<AtLimit> at_limit(2 * stairs.size());  // of each claim: offers, bids
  clearing.reserve(stairs.size());
  for (std::size_t k = 0; k < stairs.size(); ++k) {
    const auto piece = static_cast<int>(cell[k]);
    clearing.push_back(clearing_limits(stairs[k], piece));
    if (Staircase::is_step(piece)) {
      const auto l = static_cast<std::size_t>(piece / 2);
      const double bids = stairs[k].buy[l];
      const double offers = stairs[k].sell[l];
      const Matched matched = match_at_limit(bids, offers, net[k]);
      at_limit[2 * k] = at_limit_of(matched.sold, offers, allocation);
      at_limit[2 * k + 1] = at_limit_of(matched.bought, bids, allocation);
    }
  }
  const bool by_time = allocation == Allocation::kTime && orders.time != nullptr;
  std::vector<double> fills = zeros(static_cast<std::size_t>(orders.count));
  std::vector<Waiting> waiting;
  for (std::int64_t j = 0;; ++j) {
    std::size_t side = 0;
    // Orders off the clearing price, nearly all of a large book: a loop that holds nothing else,
    // and no branch on an order's side or limit, which nobody can guess.
    for (; j < orders.count; ++j) {
      const auto k = static_cast<std::size_t>(places[static_cast<std::size_t>(orders.claim[j])]);
      const double limit = orders.price[j];
      const int buys = orders.side[j] > 0 ? 1 : 0;
      const int place = (limit >= clearing[k].low ? 1 : 0) + (limit >= clearing[k].high ? 1 : 0);
      fills[static_cast<std::size_t>(j)] = in_full_if(place == 2 * buys, orders.quantity[j]);
      if (place == kAt) {
        side = 2 * k + static_cast<std::size_t>(buys);
        break;
      }
    }
    if (j == orders.count) {
      break;
    }
    if (by_time && at_limit[side].left < kInfinity) {
      waiting.push_back({side, orders.time[j], j});
    } else {
      fills[static_cast<std::size_t>(j)] = fill(orders.quantity[j], at_limit[side]);
    }
  }
  std::sort(waiting.begin(), waiting.end());
  for (const Waiting& next : waiting) {
    fills[static_cast<std::size_t>(next.order)] =
        fill(orders.quantity[next.order], at_limit[next.side]);
  }
  return fills;
}

}  // namespace kpm
