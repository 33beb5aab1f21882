#include "mechanisms/maker_optimal/certificate.hpp"

#include <algorithm>
#include <cmath>

#include "book/units.hpp"
#include "numerics/entropy.hpp"

namespace kpm {

namespace {

constexpr int kHalvings = 60;

/// Scale to one and, if need be, mix with the prior until KL(p | q) <= Omega.
void move_into_ball(Array& p, const ScaledMarket& market) {
  const Array& q = market.prior;
  p /= p.sum();
  if (market.kind == Ambiguity::kNone) {
    p = q;
    return;
  }
  if (market.kind == Ambiguity::kSimplex) {
    return;
  }
  double mix = 1e-15;
  for (int step = 0; step < kHalvings && relative_entropy_of(p, q) > market.ambiguity; ++step) {
    p = (1.0 - mix) * p + mix * q;
    mix = std::min(2.0 * mix, 1.0);
  }
}

}  // namespace

Certificate certify(const Market& market, const Presolve& book,
                    const std::vector<Staircase>& stairs, const TradableBook* tradable,
                    const std::vector<Node>& leaves) {
  const ScaledMarket& scaled = book.market();
  std::optional<WholeBook> whole;
  if (tradable != nullptr) {
    whole.emplace(scaled, stairs, *tradable);
  }
  const std::vector<Corners>& corners = whole ? whole->corners() : book.corners();
  const auto claims = static_cast<std::size_t>(market.claims);
  Certificate result;
  result.leaves = static_cast<std::int64_t>(leaves.size());
  for (const Node& leaf : leaves) {
    std::vector<std::int64_t> first(claims, 0);
    std::vector<std::int64_t> last(claims);
    for (std::size_t k = 0; k < claims; ++k) {
      last[k] = stairs[k].pieces() - 1;
    }
    for (int k = 0; k < scaled.claims(); ++k) {
      const auto at = static_cast<std::size_t>(k);
      const auto source = static_cast<std::size_t>(scaled.original[at]);
      first[source] = leaf.box.first[at];
      last[source] = leaf.box.last[at];
    }
    Multipliers multipliers = leaf.multipliers;
    double bound = -kInfinity;
    if (leaf.bound > -kInfinity) {
      move_into_ball(multipliers.worst_case, scaled);
      Array& g = multipliers.marginal_state_prices;
      g /= g.sum();
      if (whole) {
        whole->support(leaf.box, multipliers.worst_case, g, multipliers.lambda);
      }
      if (scaled.kind == Ambiguity::kSimplex) {
        multipliers.worst_case = g;
      }
      const double divergence =
          scaled.kind == Ambiguity::kSimplex
              ? 0.0
              : relative_entropy_of(g, multipliers.worst_case) / scaled.risk_aversion;
      multipliers.set(scaled, divergence);
      bound = to_money(scaled, multipliers.bound(corners, leaf.box));
    }
    const auto append = [](auto& to, const auto& from) {
      to.insert(to.end(), from.begin(), from.end());
    };
    append(result.first, first);
    append(result.last, last);
    append(result.worst_case, to_vector(multipliers.worst_case));
    append(result.marginal_state_prices, to_vector(multipliers.marginal_state_prices));
    append(result.multipliers, original_multipliers(market.claims, scaled, multipliers.lambda));
    result.bound.push_back(bound);
  }
  return result;
}

}  // namespace kpm
