#include "prices/disjoint_ranges.hpp"

#include <algorithm>

#include "numerics/tolerances.hpp"

namespace kpm {

const DisjointClaims& disjoint_sets(const ScaledMarket& market) {
  return market.claims() >= DisjointClaims::kFewest ? market.disjoint : market.few_sets;
}

DisjointRanges::DisjointRanges(const ScaledMarket& market, Arena& arena)
    : market_(market),
      sets_(disjoint_sets(market)),
      low_(arena.array(market.claims())),
      high_(arena.array(market.claims())),
      price_(arena.array(market.claims())),
      share_(arena.array(market.claims())),
      raised_(arena.span<char>(market.claims())) {
  for (int i = 0; i < market.states(); ++i) {
    const int k = sets_.claim_of(i);
    (k == DisjointClaims::kNone ? free_share_ : share_[k]) += market.prior[i];
  }
}

void DisjointRanges::reset() {
  for (int k = 0; k < market_.claims(); ++k) {
    set_range(k, 0.0, 1.0);
  }
}

bool DisjointRanges::feasible() {
  double least = 0.0;
  double most = 0.0;
  for (int k = 0; k < market_.claims(); ++k) {
    least += low_[k];
    most += high_[k];
  }
  const bool too_dear = least > 1.0 + kSimplexTolerance;
  const bool too_cheap = sets_.covering() && most < 1.0 - kSimplexTolerance;
  farkas_ = too_dear ? -1.0 : 1.0;
  return !too_dear && !too_cheap;
}

/// Of the claims that can be raised the first of the greatest weight; none where free states earn
/// as much.
int DisjointRanges::next(const ArrayView& weight) const {
  int best = -1;
  for (int k = 0; k < market_.claims(); ++k) {
    const bool pays = sets_.covering() || weight[k] > 0.0;
    if (raised_[k] == 0 && low_[k] < high_[k] && pays && (best < 0 || weight[k] > weight[best])) {
      best = k;
    }
  }
  return best;
}

void DisjointRanges::maximise(const ArrayView& weight, Slice& state_prices) {
  double rest = 1.0;
  for (int k = 0; k < market_.claims(); ++k) {
    price_[k] = low_[k];
    raised_[k] = 0;
    rest -= low_[k];
  }
  last_ = -1;
  multiplier_ = 0.0;
  bool more = true;
  for (int k = next(weight); more && k >= 0; k = next(weight)) {
    const double width = high_[k] - low_[k];
    more = rest > width;
    price_[k] = more ? high_[k] : low_[k] + rest;
    rest -= more ? width : rest;
    raised_[k] = 1;
    last_ = k;
    multiplier_ = -weight[k];
  }
  free_ = 0.0;
  if (more && sets_.covering()) {
    price_[std::max(last_, 0)] += rest;  // rounding, or what is tolerated
  } else if (more) {
    free_ = rest;
    last_ = -1;
    multiplier_ = 0.0;
  }
  for (int i = 0; i < market_.states(); ++i) {
    const int k = sets_.claim_of(i);
    const bool none = k == DisjointClaims::kNone;
    state_prices[i] =
        (none ? free_ : price_[k]) * (market_.prior[i] / (none ? free_share_ : share_[k]));
  }
}

bool DisjointRanges::unique_multipliers(double margin) const {
  for (int k = 0; k < market_.claims(); ++k) {
    if (!(price_[k] > margin)) {
      return false;
    }
  }
  return last_ < 0 ? free_ > margin
                   : price_[last_] - low_[last_] > margin && high_[last_] - price_[last_] > margin;
}

}  // namespace kpm
