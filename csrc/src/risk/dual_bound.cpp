#include "risk/dual_bound.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "numerics/pair.hpp"

namespace kpm {

namespace {

constexpr int kBlock = 32;  // corners that are left out together, where none can be the best

/// The least that is owed in a state for `shift` of each claim.
double least_owed(const ScaledMarket& market, const Multipliers::View& shift) {
  if ((shift == 0.0).all()) {  // as where nothing trades
    return 0.0;
  }
  if (market.nested.nested()) {
    return market.nested.least_owed(shift.data());
  }
  if (market.strikes.exact()) {
    return market.strikes.least_owed(shift);
  }
  const Eigen::Index states = market.states();
  double least = kInfinity;
  Eigen::Index i = 0;
  if (!market.disjoint.disjoint()) {
    // Four states at a time: rows of payoffs are read as they lie, and no sum waits for another.
    // Each has the terms, and the bits, of owed().
    for (; i + 4 <= states; i += 4) {
      const auto owed = [&](Eigen::Index k, Eigen::Index at) -> Pair {
        return Eigen::Map<const Pair>(&market.payoffs(k, at)) * shift[k];
      };
      Pair first = owed(0, i);
      Pair second = owed(0, i + 2);
      for (Eigen::Index k = 1; k < market.claims(); ++k) {
        first += owed(k, i);
        second += owed(k, i + 2);
      }
      least = std::min(least, first.min(second).minCoeff());
    }
  }
  for (; i < states; ++i) {
    least = std::min(least, market.owed(shift, i));
  }
  return least;
}

}  // namespace

Multipliers::Multipliers(Eigen::Index states, Eigen::Index claims)
    : states_(states), claims_(claims), figures_(Array::Zero(2 * (room(states) + room(claims)))) {}

Multipliers::Multipliers(const ScaledMarket& market)
    : states_(market.states()),
      claims_(market.claims()),
      figures_(2 * (room(states_) + room(claims_))) {
  figures_.head(start_of_states(0)).setZero();
  worst_case() = marginal_state_prices() = market.prior;
}

void Multipliers::set(const ScaledMarket& market, double divergence_of_g) {
  const View prices = std::as_const(*this).marginal_state_prices();
  Slice values = value();
  market.value_claims(prices, values);
  divergence = divergence_of_g;
  sum_up(market);
}

void Multipliers::set_lambda(const ScaledMarket& market, const ArrayView& other) {
  lambda() = other;
  sum_up(market);
}

void Multipliers::sum_up(const ScaledMarket& market) {
  const View shift = std::as_const(*this).lambda();
  const double worst = -least_owed(market, shift);
  // A checker may sum in another order, so the bound includes the rounding that large multipliers
  // bring. Multipliers that diverge, where prices have no room, therefore bound nothing.
  const double terms = static_cast<double>(market.states() + market.claims() + 32);
  const double rounding = terms * std::numeric_limits<double>::epsilon();
  // So does that of sums as large as the wealth, which is nowhere negative, and of prices that add
  // up to one but for the last digits.
  const double wealth = (std::as_const(*this).marginal_state_prices() * market.inventory).sum();
  constant =
      wealth + divergence + worst + 4.0 * rounding * shift.abs().sum() + 0.5 * rounding * wealth;
}

int Multipliers::best_corner(int claim, const Corners& corners, int first, int last) const {
  const double* const price = corners.price.data();
  const double* const demand = corners.demand.data();
  const double value_k = value()[claim];
  const double lambda_k = lambda()[claim];
  // The product (pi - G)(y + lambda) is positive only between the price G and the demand -lambda,
  // where the staircase is decreasing: two binary searches and a short scan.
  const int at_price = corners.above_price(first, last + 1, value_k);
  const int at_demand = corners.below_demand(first, last + 1, -lambda_k);
  const int from = std::max(std::min(at_price, at_demand) - 1, first);
  const int to = std::min(std::max(at_price, at_demand), last + 1);
  int best = from;
  double most = -kInfinity;
  const auto product = [&](int p, int d) { return (price[p] - value_k) * (demand[d] + lambda_k); };
  const auto scan_all = [&](int a, int b) {
    for (int c = a; c <= b; ++c) {
      const double worth_c = product(c, c);
      if (worth_c > most) {
        most = worth_c;
        best = c;
      }
    }
  };
  // Of a long run only the blocks that may hold a corner better than the first of each. Rounding
  // keeps the order of prices and demands, so the first best corner is found to the last bit.
  const auto scan = [&](int a, int b) {
    if (b - a < 2 * kBlock) {
      scan_all(a, b);
      return;
    }
    double attained = -kInfinity;
    for (int c = a; c <= b; c += kBlock) {
      attained = std::max(attained, product(c, c));
    }
    for (int c = a; c <= b; c += kBlock) {
      const int end = std::min(c + kBlock - 1, b);
      const double limit = std::max(std::max(product(c, c), product(c, end)),
                                    std::max(product(end, c), product(end, end)));
      if (!(limit <= most) && !(limit < attained)) {
        scan_all(c, end);
      }
    }
  };
  scan(from, to);
  if (most < 0.0) {  // the run does not reach the point (G, -lambda): any corner may be largest
    most = -kInfinity;
    scan(first, last + 1);
  }
  return best;
}

Multipliers multipliers_of(const ScaledMarket& market, const ArrayView& worst_case,
                           const ArrayView& marginal_state_prices, const ArrayView& lambda,
                           double divergence) {
  Multipliers multipliers(market);
  multipliers.worst_case() = worst_case;
  multipliers.marginal_state_prices() = marginal_state_prices;
  multipliers.lambda() = lambda;
  multipliers.set(market, divergence);
  return multipliers;
}

double Multipliers::bound(const std::vector<Corners>& corners) const {
  double sum = constant;
  for (std::size_t k = 0; k < corners.size(); ++k) {
    sum += most(static_cast<int>(k), corners[k], 0, corners[k].pieces() - 1);
  }
  return sum;
}

double Multipliers::bound(const std::vector<Corners>& corners, const Box& box) const {
  double sum = constant;
  for (int k = 0; k < box.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    sum += most(k, corners[at], box.first[at], box.last[at]);
  }
  return sum;
}

}  // namespace kpm
