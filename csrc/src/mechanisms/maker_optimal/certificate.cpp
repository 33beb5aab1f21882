#include "mechanisms/maker_optimal/certificate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "book/units.hpp"
#include "mechanisms/maker_optimal/whole_book.hpp"
#include "numerics/entropy.hpp"
#include "numerics/tolerances.hpp"
#include "numerics/twofold.hpp"

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

/// Where the demand of the claims that others are merged into is counted from; empty: from zero.
std::vector<double> merged_base(const ScaledMarket& full, const Presolve& book,
                                const std::vector<double>& riskless) {
  std::vector<double> base(riskless.size(), 0.0);
  for (int k = 0; !riskless.empty() && k < book.market().claims(); ++k) {
    Twofold money = 0.0;
    for (const Presolve::Member& member : book.members(k)) {
      const auto at = static_cast<std::size_t>(member.claim);
      const double demand = riskless[static_cast<std::size_t>(full.original[at])];
      money += Twofold(full.span[member.claim]) * (member.complement ? -demand : demand);
    }
    base[static_cast<std::size_t>(book.market().original[static_cast<std::size_t>(k)])] =
        static_cast<double>(money) / book.market().span[k];
  }
  return base;
}

/// Make p and g distributions, p within the ball, that bound the box. Returns the bound, money.
double bound_anew(Multipliers& multipliers, const ScaledMarket& market,
                  const std::vector<Corners>& corners, const Box& box, const WholeBook* whole) {
  Array p = multipliers.worst_case();
  Array g = multipliers.marginal_state_prices();
  Array lambda = multipliers.lambda();
  move_into_ball(p, market);
  g /= g.sum();
  if (whole != nullptr) {
    whole->support(box, p, g, lambda);
  }
  const bool simplex = market.kind == Ambiguity::kSimplex;
  if (simplex) {
    p = g;
  }
  const double divergence = simplex ? 0.0 : relative_entropy_of(g, p) / market.risk_aversion;
  multipliers = multipliers_of(market, p, g, lambda, divergence);
  return to_money(market, multipliers.bound(corners, box));
}

/// What rounding may hide in the bound of a box: sums over claims and states of terms, the largest
/// of which are the corners that the bound is of, or may be of where they tie; money. Multipliers
/// are published from nothing on, not from `base`, in the caller's shares.
double rounding_of(const Multipliers& multipliers, const ScaledMarket& market,
                   const std::vector<Corners>& corners, const Box& box,
                   const std::vector<double>& base) {
  const double sums =
      std::numeric_limits<double>::epsilon() * 4.0 *
      (market.states() + market.claims() + 32.0 - std::log(market.prior.minCoeff()));
  double terms = 0.0;
  for (int k = 0; k < market.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const Corners& claim = corners[at];
    const int first = box.first[at];
    const int last = box.last[at];
    const double most = multipliers.most(k, claim, first, last);
    double own = std::abs(multipliers.lambda()[k]);
    if (!base.empty()) {
      own += std::abs(market.demand(k, base[static_cast<std::size_t>(market.original[at])]));
    }
    double largest = 0.0;
    for (auto j = static_cast<std::size_t>(first); j < static_cast<std::size_t>(last) + 2; ++j) {
      const double demand = std::abs(claim.demand[j]);
      if (most - multipliers.worth(k, claim.price[j], claim.demand[j]) <= sums * (own + demand)) {
        largest = std::max(largest, demand);
      }
    }
    terms += own + largest;
  }
  return sums * market.scale * terms;
}

/// Before a leaf: its bound values every claim, and looks at every corner.
double operations_of_leaf(const ScaledMarket& market, const Box& box) {
  constexpr double kLogarithms = 50.0;  // of a state
  double corners = 0.0;
  for (std::size_t k = 0; k < box.first.size(); ++k) {
    corners += box.last[k] - box.first[k] + 2;
  }
  return market.states() * (market.claims() + kLogarithms) + corners;
}

/// One more leaf's multipliers, in the caller's units.
void append(const Multipliers& multipliers, const TradedMarket& traded, const ScaledMarket& market,
            Certificate& certificate) {
  const auto add = [](std::vector<double>& to, const std::vector<double>& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  const auto claims = static_cast<int>(certificate.merged_into.size());
  add(certificate.worst_case, to_vector(traded.restore(multipliers.worst_case())));
  add(certificate.marginal_state_prices,
      to_vector(traded.restore(multipliers.marginal_state_prices())));
  add(certificate.multipliers, original_multipliers(claims, market, multipliers.lambda()));
}

}  // namespace

Proof certify_whole(const TradedMarket& traded, const std::vector<Staircase>& stairs,
                    const Multipliers& support) {
  Certificate result;
  result.leaves = 1;
  result.merged_into.resize(stairs.size());
  std::iota(result.merged_into.begin(), result.merged_into.end(), std::int64_t{0});
  result.first.assign(stairs.size(), 0);
  for (const Staircase& claim : stairs) {
    result.last.push_back(claim.pieces() - 1);
  }
  const ScaledMarket& scaled = traded.market();
  const std::vector<Corners> corners = find_corners(scaled, stairs);
  Multipliers multipliers = support;
  const Box box = whole(corners);
  result.bound = {bound_anew(multipliers, scaled, corners, box, nullptr)};
  append(multipliers, traded, scaled, result);
  return {std::move(result), rounding_of(multipliers, scaled, corners, box, {})};
}

Proof certify(const Market& market, const TradedMarket& traded, const Presolve& book,
              const std::vector<Staircase>& stairs, const TradableBook* tradable,
              const std::vector<double>& riskless, const std::vector<Node>& leaves,
              Checkpoint& checkpoint) {
  const ScaledMarket& full = traded.market();
  const ScaledMarket& scaled = book.market();
  std::optional<WholeBook> whole;
  std::vector<Corners> own;
  if (tradable != nullptr) {
    whole.emplace(book, full, stairs, *tradable);
  } else {
    own = book.corners_apart(full, stairs);
  }
  const std::vector<Corners>& corners = whole ? whole->corners() : own;
  const auto claims = static_cast<std::size_t>(market.claims);
  Certificate result;
  result.merged_into.resize(claims);
  std::iota(result.merged_into.begin(), result.merged_into.end(), std::int64_t{0});
  std::vector<std::int64_t> end(claims);  // the last piece
  for (std::size_t k = 0; k < claims; ++k) {
    end[k] = stairs[k].pieces() - 1;
  }
  for (int k = 0; k < scaled.claims(); ++k) {
    const int source = scaled.original[static_cast<std::size_t>(k)];
    for (const Presolve::Member& member : book.members(k)) {
      const auto at =
          static_cast<std::size_t>(full.original[static_cast<std::size_t>(member.claim)]);
      result.merged_into[at] = source;
      end[at] = 0;
    }
  }
  const std::vector<double> base = merged_base(full, book, riskless);
  double most = -kInfinity;
  for (const Node& leaf : leaves) {
    most = std::max(most, leaf.bound);
  }
  double published = -kInfinity;  // the largest bound, money
  double rounded = -kInfinity;    // ... with what rounding may hide in it
  for (const Node& leaf : leaves) {
    checkpoint.pass(operations_of_leaf(scaled, leaf.box));
    const bool reached = leaf.bound > -kInfinity;
    std::vector<Box> boxes = {book.box_apart(leaf.box)};
    if (whole && reached) {
      Multipliers multipliers = leaf.multipliers;
      const double bound = bound_anew(multipliers, scaled, corners, boxes[0], &*whole);
      if (bound > to_money(scaled, most + kTie)) {
        boxes = whole->parts(boxes[0], leaf.multipliers.marginal_state_prices());
      }
    }
    for (const Box& box : boxes) {
      Multipliers multipliers = leaf.multipliers;
      double bound = -kInfinity;
      if (reached) {
        bound = bound_anew(multipliers, scaled, corners, box, whole ? &*whole : nullptr);
        published = std::max(published, bound);
        rounded = std::max(rounded, bound + rounding_of(multipliers, scaled, corners, box, base));
      }
      std::vector<std::int64_t> first(claims, 0);
      std::vector<std::int64_t> last = end;
      for (int k = 0; k < scaled.claims(); ++k) {
        const auto at = static_cast<std::size_t>(k);
        const auto source = static_cast<std::size_t>(scaled.original[at]);
        first[source] = box.first[at];
        last[source] = box.last[at];
      }
      result.first.insert(result.first.end(), first.begin(), first.end());
      result.last.insert(result.last.end(), last.begin(), last.end());
      append(multipliers, traded, scaled, result);
      // The proof that a leaf is out of reach does not depend on demand.
      for (std::size_t k = 0; reached && k < base.size(); ++k) {
        result.multipliers[result.multipliers.size() - claims + k] -= base[k];
      }
      result.bound.push_back(bound);
    }
  }
  result.leaves = static_cast<std::int64_t>(result.bound.size());
  return {std::move(result), rounded > published ? rounded - published : 0.0};
}

}  // namespace kpm
