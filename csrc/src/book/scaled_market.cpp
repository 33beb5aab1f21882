#include "book/scaled_market.hpp"

#include <cmath>

namespace kpm {

Ambiguity kind_of(const ArrayView& prior, double ambiguity) {
  const double least = prior.minCoeff();
  if (ambiguity <= kNegligibleAmbiguity * least) {
    return Ambiguity::kNone;
  }
  return ambiguity >= -std::log(least) ? Ambiguity::kSimplex : Ambiguity::kBall;
}

ScaledMarket::ScaledMarket(const Market& market, const std::vector<Staircase>& stairs,
                           double unit) {
  const int n = market.states;

  original.reserve(stairs.size());
  double notional = 0.0;
  for (int k = 0; k < market.claims; ++k) {
    const Staircase& claim = stairs[static_cast<std::size_t>(k)];
    if (claim.span() > 0.0) {
      original.push_back(k);
      notional += claim.span() * claim.volume;
    }
  }
  scale = unit > 0.0 ? unit : notional > 0.0 ? notional : 1.0;

  const auto active = static_cast<Eigen::Index>(original.size());
  offset.resize(active);
  span.resize(active);
  payoffs.resize(active, n);
  for (Eigen::Index k = 0; k < active; ++k) {
    const int source = original[static_cast<std::size_t>(k)];
    const Staircase& claim = stairs[static_cast<std::size_t>(source)];
    offset[k] = claim.price_min;
    span[k] = claim.span();
    const double* const row = market.payoffs + static_cast<std::ptrdiff_t>(source) * n;
    for (int i = 0; i < n; ++i) {
      payoffs(k, i) = (row[i] - offset[k]) / span[k];
    }
  }
  find_structure();

  prior = Eigen::Map<const Array>(market.prior, n);
  const Eigen::Map<const Array> money(market.inventory, n);
  inventory_floor = money.minCoeff();
  inventory = (money - inventory_floor) / scale;
  risk_aversion = market.risk_aversion * scale;
  ambiguity = market.ambiguity;
  kind = kind_of(prior, ambiguity);
}

ScaledMarket ScaledMarket::of_claims(const std::vector<int>& claims) const {
  const auto count = static_cast<Eigen::Index>(claims.size());
  ScaledMarket part;
  part.scale = scale;
  part.inventory_floor = inventory_floor;
  part.original.resize(claims.size());
  part.offset.resize(count);
  part.span.resize(count);
  part.payoffs.resize(count, states());
  for (Eigen::Index k = 0; k < count; ++k) {
    const int kept = claims[static_cast<std::size_t>(k)];
    part.original[static_cast<std::size_t>(k)] = original[static_cast<std::size_t>(kept)];
    part.offset[k] = offset[kept];
    part.span[k] = span[kept];
    part.payoffs.row(k) = payoffs.row(kept);
  }
  part.find_structure();
  part.prior = prior;
  part.inventory = inventory;
  part.risk_aversion = risk_aversion;
  part.ambiguity = ambiguity;
  part.kind = kind;
  return part;
}

void ScaledMarket::find_structure() {
  disjoint = DisjointClaims::where_it_pays(payoffs);
  few_sets = payoffs.rows() < DisjointClaims::kFewest ? DisjointClaims(payoffs) : DisjointClaims();
  nested = disjoint.disjoint() ? NestedClaims() : NestedClaims::where_it_pays(payoffs);
  strikes = of_sets() ? StrikeClaims() : StrikeClaims::where_it_pays(payoffs);
  narrow = !structured() && payoffs.rows() >= kNarrowClaims &&
           payoffs.rows() >= kNarrow * payoffs.cols();
  by_state =
      strikes.exact() && payoffs.rows() >= kSmallBasis ? Matrix(payoffs.transpose()) : Matrix();
}

double ScaledMarket::price(int k, double original_price) const {
  return (original_price - offset[k]) / span[k];
}

double ScaledMarket::demand(int k, double original_demand) const {
  return original_demand * (span[k] / scale);
}

}  // namespace kpm
