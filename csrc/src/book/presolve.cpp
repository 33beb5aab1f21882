#include "book/presolve.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "numerics/golden.hpp"

namespace kpm {

namespace {

constexpr double kSame = kSameLimit;  // payoffs and limits of several claims, likewise
constexpr int kFew = 16;              // claims: comparing all pairs takes no time

const Staircase& staircase_of(int claim, const ScaledMarket& full,
                              const std::vector<Staircase>& stairs) {
  return stairs[static_cast<std::size_t>(full.original[static_cast<std::size_t>(claim)])];
}

}  // namespace

Presolve::Presolve(const ScaledMarket& full, const std::vector<Staircase>& stairs, bool merge)
    : full_(full) {
  std::vector<Corners> corners = find_corners(full, stairs);
  if (merge && !(full.claims() <= kFew && all_differ(full))) {
    groups_ = find_groups(full);
  }
  if (groups_.empty()) {
    corners_ = std::move(corners);
    return;
  }
  merged_.emplace(full.of_claims(firsts_of(groups_)));
  corners_.reserve(groups_.size());
  for (Group& group : groups_) {
    if (group.members.size() > 1) {
      arrange(group, full, stairs);
      corners_.push_back(join(group, full, stairs, false));
    } else {
      corners_.push_back(std::move(corners[static_cast<std::size_t>(group.members[0].claim)]));
    }
  }
}

std::vector<int> Presolve::firsts_of(const std::vector<Group>& groups) {
  std::vector<int> firsts;
  firsts.reserve(groups.size());
  for (const Group& group : groups) {
    firsts.push_back(group.members[0].claim);
  }
  return firsts;
}

std::vector<Presolve::Member> Presolve::members(int claim) const {
  if (same_claims()) {
    return {{claim, false, {}, {}}};
  }
  return groups_[static_cast<std::size_t>(claim)].members;
}

/// Whether a claim pays what the first one does, or one minus that.
bool Presolve::are_equivalent(const ScaledMarket& full, int first, int other, bool complement) {
  const double* const expected = &full.payoffs(first, 0);
  const double* const row = &full.payoffs(other, 0);
  const double offset = complement ? 1.0 : 0.0;
  const double sign = complement ? -1.0 : 1.0;
  for (Eigen::Index i = 0; i < full.states(); ++i) {
    if (std::abs(expected[i] - (offset + sign * row[i])) > kSame) {
      return false;
    }
  }
  return true;
}

bool Presolve::all_differ(const ScaledMarket& full) {
  for (int k = 1; k < full.claims(); ++k) {
    for (int first = 0; first < k; ++first) {
      if (are_equivalent(full, first, k, false) || are_equivalent(full, first, k, true)) {
        return false;
      }
    }
  }
  return true;
}

/// None where none has several members.
std::vector<Presolve::Group> Presolve::find_groups(const ScaledMarket& full) {
  std::vector<Group> groups;
  groups.reserve(static_cast<std::size_t>(full.claims()));
  // Comparing each claim with all before it would take longer than a clearing of thousands. Equal
  // claims have equal weighted sums of payoffs, and few others do.
  const Eigen::Index states = full.states();
  Array weights(states);
  for (Eigen::Index i = 0; i < states; ++i) {
    weights[i] = golden_weight(static_cast<double>(i + 1));
  }
  const double all = weights.sum();
  const double rounding = static_cast<double>(states) * std::numeric_limits<double>::epsilon();
  const double off = 2.0 * (kSame + rounding) * (all + 1.0);
  std::set<std::pair<double, std::size_t>> sums;  // of the groups' first claims

  for (int k = 0; k < full.claims(); ++k) {
    std::size_t found = groups.size();
    bool complement = false;
    const auto look = [&](double sum, bool as_complement) {
      const auto from = sums.lower_bound({sum - off, std::size_t{0}});
      for (auto at = from; at != sums.end() && at->first <= sum + off; ++at) {
        if (at->second < found &&
            are_equivalent(full, groups[at->second].members[0].claim, k, as_complement)) {
          found = at->second;
          complement = as_complement;
        }
      }
    };
    const double sum = dot(weights.data(), &full.payoffs(k, 0), states);
    look(all - sum, true);
    look(sum, false);
    if (found < groups.size()) {
      groups[found].members.push_back({k, complement, {}, {}});
      continue;
    }
    sums.emplace(sum, groups.size());
    groups.push_back({{{k, false, {}, {}}}, {}, {}});
  }
  if (static_cast<int>(groups.size()) == full.claims()) {
    groups.clear();
  }
  return groups;
}

/// Sort the limits of all members by the first claim's price, each member's kept distinct where
/// rounding would make them equal. Those of different members that differ only by rounding become
/// one; those of one member stay apart, since a cell has one piece of each member.
void Presolve::arrange(Group& group, const ScaledMarket& full,
                       const std::vector<Staircase>& stairs) {
  struct Limit {
    double price;
    std::size_t member, place;  // among the member's
  };
  std::size_t count = 0;
  for (const Member& member : group.members) {
    count += staircase_of(member.claim, full, stairs).limit.size();
  }
  std::vector<Limit> limits(count);
  Limit* next = limits.data();
  for (std::size_t m = 0; m < group.members.size(); ++m) {
    Member& member = group.members[m];
    const Staircase& own = staircase_of(member.claim, full, stairs);
    const std::size_t size = own.limit.size();
    member.limits.resize(size);
    member.apart.resize(size);
    double before = -kInfinity;
    for (std::size_t l = 0; l < size; ++l) {
      double price = full.price(member.claim, own.limit[member.complement ? size - 1 - l : l]);
      price = member.complement ? 1.0 - price : price;
      before = price > before ? price : std::nextafter(before, kInfinity);
      *next++ = {before, m, l};
    }
  }
  std::sort(limits.begin(), limits.end(), [](const Limit& a, const Limit& b) {
    return a.price < b.price || (a.price == b.price && a.member < b.member);
  });
  group.starts.resize(count + 1);
  group.prices.resize(count);
  int runs = 0;
  int prices = 0;
  double begun = -kInfinity;
  const Limit* const end = limits.data() + count;
  for (const Limit* first = limits.data(); first != end;) {
    const double price = first->price;
    bool fits = price <= begun + kSame;
    const Limit* last = first;
    for (; last != end && last->price == price; ++last) {
      const int* const of_member = group.members[last->member].limits.data();
      fits = fits && (last->place == 0 || of_member[last->place - 1] < runs - 1);
    }
    if (!fits) {
      begun = price;
      group.starts[static_cast<std::size_t>(runs++)] = prices;
    }
    for (; first != last; ++first) {
      Member& member = group.members[first->member];
      member.limits[first->place] = runs - 1;
      member.apart[first->place] = prices;
    }
    group.prices[static_cast<std::size_t>(prices++)] = price;
  }
  group.starts[static_cast<std::size_t>(runs)] = prices;
  group.starts.resize(static_cast<std::size_t>(runs) + 1);
  group.prices.resize(static_cast<std::size_t>(prices));
}

/// The sum of the members' staircases. A share of a complement counts as one share less of the
/// first claim at one minus its price: bids for it are offers. Bids are summed from the top, offers
/// from the bottom, as within a claim, so that orders which are not filled are in neither sum.
Corners Presolve::join(const Group& group, const ScaledMarket& full,
                       const std::vector<Staircase>& stairs, bool apart) {
  const std::size_t limits = apart ? group.prices.size() : group.starts.size() - 1;
  std::vector<double> bought(limits + 1, 0.0);  // limit l's at l
  std::vector<double> sold(limits + 1, 0.0);    // limit l's at l + 1
  for (const Member& member : group.members) {
    const int k = member.claim;
    const Staircase& own = staircase_of(k, full, stairs);
    const std::size_t count = own.limit.size();
    const std::vector<int>& places = apart ? member.apart : member.limits;
    const double always_bought = full.demand(k, own.bought[count]);
    const double always_sold = full.demand(k, own.sold[0]);
    bought[limits] += member.complement ? always_sold : always_bought;
    sold[0] += member.complement ? always_bought : always_sold;
    for (std::size_t l = 0; l < count; ++l) {
      const std::size_t at = member.complement ? count - 1 - l : l;
      const auto place = static_cast<std::size_t>(places[l]);
      const double buy = full.demand(k, own.buy[at]);
      const double sell = full.demand(k, own.sell[at]);
      bought[place] += member.complement ? sell : buy;
      sold[place + 1] += member.complement ? buy : sell;
    }
  }
  for (std::size_t l = limits; l-- > 0;) {
    bought[l] += bought[l + 1];
  }
  for (std::size_t l = 0; l < limits; ++l) {
    sold[l + 1] += sold[l];
  }
  Corners joint;
  joint.price = LargeArray<double>(2 * limits + 2);
  joint.demand = LargeArray<double>(2 * limits + 2);
  double* const price = joint.price.data();
  double* const demand = joint.demand.data();
  price[0] = 0.0;
  for (std::size_t l = 0; l <= limits; ++l) {
    demand[2 * l] = demand[2 * l + 1] = bought[l] - sold[l];
    if (l < limits) {
      const std::size_t first = apart ? l : static_cast<std::size_t>(group.starts[l]);
      price[2 * l + 1] = price[2 * l + 2] = group.prices[first];
    }
  }
  price[2 * limits + 1] = std::max(price[2 * limits], 1.0);
  return joint;
}

std::vector<Corners> Presolve::corners_apart(const ScaledMarket& full,
                                             const std::vector<Staircase>& stairs) const {
  std::vector<Corners> result = find_corners(market(), stairs);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (groups_[g].members.size() > 1) {
      result[g] = join(groups_[g], full, stairs, true);
    }
  }
  return result;
}

Box Presolve::box_apart(const Box& box) const {
  Box result = box;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const std::vector<int>& starts = groups_[g].starts;
    if (!starts.empty()) {
      // Step l covers the members' pieces from its first limit's step to its last one's.
      const auto first = static_cast<std::size_t>(box.first[g]);
      const auto last = static_cast<std::size_t>(box.last[g]);
      result.first[g] = 2 * starts[first / 2] + static_cast<int>(first % 2);
      result.last[g] = 2 * starts[(last + 1) / 2] - static_cast<int>(last % 2);
    }
  }
  return result;
}

std::vector<int> Presolve::restore(const std::vector<int>& cell) const {
  if (same_claims()) {
    return cell;
  }
  std::vector<int> full(static_cast<std::size_t>(full_.claims()), 0);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const int piece = cell[g];
    if (groups_[g].members.size() == 1) {
      full[static_cast<std::size_t>(groups_[g].members[0].claim)] = piece;
      continue;
    }
    for (const Member& member : groups_[g].members) {
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

Array Presolve::restore_demand(const ArrayView& demand, const std::vector<Piece>& pieces) const {
  if (same_claims()) {
    return demand;
  }
  Array full = Array::Zero(full_.claims());
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    double rest = demand[static_cast<Eigen::Index>(g)];
    double height = 0.0;
    for (const Member& member : groups_[g].members) {
      const Piece& piece = pieces[static_cast<std::size_t>(member.claim)];
      rest -= member.complement ? -piece.demand_high : piece.demand_low;
      height += piece.demand_high - piece.demand_low;
    }
    const double share = height > 0.0 ? std::clamp(rest / height, 0.0, 1.0) : 0.0;
    for (const Member& member : groups_[g].members) {
      const Piece& piece = pieces[static_cast<std::size_t>(member.claim)];
      const double part = share * (piece.demand_high - piece.demand_low);
      full[member.claim] = member.complement ? piece.demand_high - part : piece.demand_low + part;
    }
  }
  return full;
}

Array Presolve::restore_multipliers(const ArrayView& multipliers) const {
  if (same_claims()) {
    return multipliers;
  }
  Array full = Array::Zero(full_.claims());
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    full[groups_[g].members[0].claim] = multipliers[static_cast<Eigen::Index>(g)];
  }
  return full;
}

}  // namespace kpm
