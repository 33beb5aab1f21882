#include "book/presolve.hpp"

#include <algorithm>
#include <cmath>

namespace kpm {

namespace {

constexpr double kSame = 1e-13;  // payoffs and limits, of the payoff range, that differ by rounding

}  // namespace

Presolve::Presolve(const ScaledMarket& full, const std::vector<Staircase>& stairs, bool merge)
    : full_claims_(full.claims()), market_(full), groups_(find_groups(full, stairs, merge)) {
  const auto claims = static_cast<Eigen::Index>(groups_.size());
  market_.original.resize(groups_.size());
  market_.offset.resize(claims);
  market_.span.resize(claims);
  market_.payoffs.resize(claims, full.states());
  std::vector<Corners> corners = find_corners(full, stairs);
  corners_.reserve(groups_.size());
  for (Eigen::Index k = 0; k < claims; ++k) {
    Group& group = groups_[static_cast<std::size_t>(k)];
    const int first = group[0].claim;
    market_.original[static_cast<std::size_t>(k)] = full.original[static_cast<std::size_t>(first)];
    market_.offset[k] = full.offset[first];
    market_.span[k] = full.span[first];
    market_.payoffs.row(k) = full.payoffs.row(first);
    corners_.push_back(group.size() > 1 ? join(group, corners)
                                        : std::move(corners[static_cast<std::size_t>(first)]));
  }
}

std::vector<Presolve::Group> Presolve::find_groups(const ScaledMarket& full,
                                                   const std::vector<Staircase>& stairs,
                                                   bool merge) const {
  std::vector<Group> groups;
  groups.reserve(static_cast<std::size_t>(full.claims()));
  for (int k = 0; k < full.claims(); ++k) {
    const Staircase& claim =
        stairs[static_cast<std::size_t>(full.original[static_cast<std::size_t>(k)])];
    if (claim.limit.empty() && claim.demand[0] == 0.0) {
      continue;
    }
    const auto row = full.payoffs.row(k).array();
    const auto alike = [&](const Group& group) {
      return ((full.payoffs.row(group[0].claim).array() - row).abs() <= kSame).all();
    };
    const auto opposite = [&](const Group& group) {
      return ((full.payoffs.row(group[0].claim).array() + row - 1.0).abs() <= kSame).all();
    };
    bool found = false;
    for (Group& group : groups) {
      const bool complement = merge && opposite(group);
      if (complement || (merge && alike(group))) {
        group.push_back({k, complement, {}});
        found = true;
        break;
      }
    }
    if (!found) {
      groups.push_back({{k, false, {}}});
    }
  }
  return groups;
}

/// The sum of the members' staircases. A complement demands one share less of the first claim, at
/// one minus its price, for each of its own.
Corners Presolve::join(Group& group, const std::vector<Corners>& corners) {
  struct Step {
    double price, drop;
    std::size_t member;
  };
  std::vector<Step> steps;
  double demand = 0.0;  // at the lowest price
  for (std::size_t m = 0; m < group.size(); ++m) {
    const Corners& own = corners[static_cast<std::size_t>(group[m].claim)];
    demand += group[m].complement ? -own.demand.back() : own.demand.front();
    for (std::size_t c = 1; c + 1 < own.price.size(); c += 2) {
      const double price = group[m].complement ? 1.0 - own.price[c] : own.price[c];
      steps.push_back({price, own.demand[c] - own.demand[c + 1], m});
    }
  }
  std::stable_sort(steps.begin(), steps.end(),
                   [](const Step& a, const Step& b) { return a.price < b.price; });

  Corners joint;
  const auto add = [&](double price) {
    joint.price.push_back(price);
    joint.demand.push_back(demand);
  };
  add(0.0);
  int limit = 0;
  for (std::size_t s = 0; s < steps.size(); ++limit) {
    const double price = steps[s].price;
    add(price);
    for (; s < steps.size() && steps[s].price <= price + kSame; ++s) {
      demand -= steps[s].drop;
      group[steps[s].member].limits.push_back(limit);
    }
    add(price);
  }
  add(1.0);
  return joint;
}

std::vector<int> Presolve::restore(const std::vector<int>& cell) const {
  std::vector<int> full(static_cast<std::size_t>(full_claims_), 0);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const int piece = cell[g];
    if (groups_[g].size() == 1) {
      full[static_cast<std::size_t>(groups_[g][0].claim)] = piece;
      continue;
    }
    for (const Member& member : groups_[g]) {
      // Its limits below the piece; on a step its own limit may be the one.
      const auto below = std::lower_bound(member.limits.begin(), member.limits.end(), piece / 2);
      const bool own =
          Staircase::is_step(piece) && below != member.limits.end() && *below == piece / 2;
      const auto count = static_cast<int>(below - member.limits.begin());
      const auto total = static_cast<int>(member.limits.size());
      const int lower = member.complement ? total - count - (own ? 1 : 0) : count;
      full[static_cast<std::size_t>(member.claim)] = 2 * lower + (own ? 1 : 0);
    }
  }
  return full;
}

}  // namespace kpm
