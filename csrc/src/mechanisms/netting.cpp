#include "mechanisms/netting.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/twofold.hpp"

namespace kpm {

namespace {

bool giants_cross(const Staircase& claim, double giant) {
  bool offered = false;
  for (std::size_t l = 0; l < claim.limit.size(); ++l) {
    offered = offered || claim.sell[l] > giant;
    if (offered && claim.buy[l] > giant) {
      return true;
    }
  }
  return false;
}

/// The piece on which demand is nearest to `base`: a flat if giants nearly cancel there, else the
/// step across it; -1 if they cancel at no price.
int meeting_piece(const Staircase& claim, double base, double giant) {
  std::size_t nearest = 0;
  for (std::size_t l = 1; l <= claim.limit.size(); ++l) {
    if (std::abs(claim.demand[l] - base) < std::abs(claim.demand[nearest] - base)) {
      nearest = l;
    }
  }
  const int flat = 2 * static_cast<int>(nearest);
  if (std::abs(claim.demand[nearest] - base) <= giant) {
    return flat;
  }
  const int step = claim.demand[nearest] > base ? flat + 1 : flat - 1;
  return step > 0 && step < claim.pieces() ? step : -1;
}

}  // namespace

std::optional<Netting> net_giants(const Staircase& claim, double giant) {
  return giants_cross(claim, giant) ? count_from(claim, 0.0, giant) : std::nullopt;
}

std::optional<Netting> count_from(const Staircase& claim, double base, double giant) {
  const int piece = meeting_piece(claim, base, giant);
  if (piece < 0) {
    return std::nullopt;
  }
  Netting result{claim.copy(), Staircase::is_step(piece) ? piece / 2 : -1};
  Staircase& net = result.staircase;
  const std::size_t limits = claim.limit.size();
  const auto flat = static_cast<std::size_t>((piece + 1) / 2);  // at it, or right above the step
  Twofold demand = claim.bought[limits] - Twofold(claim.sold[0]) - base;
  for (std::size_t l = 0; l < limits; ++l) {
    const bool above = l >= flat;
    demand += above ? claim.buy[l] : -claim.sell[l];
    net.buy[l] = above ? 0.0 : claim.buy[l] + claim.sell[l];
    net.sell[l] = above ? claim.buy[l] + claim.sell[l] : 0.0;
  }
  if (result.limit >= 0) {
    // Counted from where demand is the base, on the step: each end from the orders themselves, not
    // from the other end, which may dwarf it.
    const auto at = static_cast<std::size_t>(result.limit);
    const double all = net.buy[at];
    const Twofold below = demand + claim.buy[at] + claim.sell[at];
    net.buy[at] = std::clamp(static_cast<double>(below), 0.0, all);
    net.sell[at] = std::clamp(-static_cast<double>(demand), 0.0, all);
    demand += net.sell[at];
  }
  const auto always = static_cast<double>(demand);
  net.bought[limits] = std::max(0.0, always);
  net.sold[0] = std::max(0.0, -always);  // in this order: no zero below zero
  net.accumulate();
  net.volume = net.bought[0] + net.sold[limits];
  return result;
}

double net_beside(const Staircase& claim, std::size_t limit, double base) {
  Twofold demand = claim.bought[claim.limit.size()] - Twofold(claim.sold[0]) - base;
  for (std::size_t l = 0; l < claim.limit.size(); ++l) {
    if (l != limit) {
      demand += l > limit ? claim.buy[l] : -claim.sell[l];
    }
  }
  return static_cast<double>(demand);
}

}  // namespace kpm
