#include "mechanisms/competitive/meet_limits.hpp"

#include <cstddef>
#include <vector>

#include "book/staircase.hpp"
#include "numerics/arena.hpp"
#include "numerics/semidefinite_cholesky.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

constexpr int kRounds = 60;
constexpr double kFade = 0.1;  // a state price keeps this share of itself at least, a round
constexpr double kFall = 0.5;  // more is no last digit,
constexpr double kRise = 2.0;  // nor is this

}  // namespace

void meet_limits(const Auction& auction, bool fade, AuctionPoint& point) {
  std::vector<int> open;
  for (int k = 0; k < auction.market.claims(); ++k) {
    if (Staircase::is_step(point.piece[static_cast<std::size_t>(k)])) {
      open.push_back(k);
    }
  }
  const auto m = static_cast<Eigen::Index>(open.size());
  if (m == 0) {
    return;
  }
  Matrix centred(m, point.g.size());
  Vector missing(m);
  Arena arena;
  SemidefiniteCholesky factor(m, arena);
  double least = kInfinity;
  Array g = point.g;
  for (int round = 0; round < kRounds; ++round) {
    auction.pass();
    for (Eigen::Index j = 0; j < m; ++j) {
      const int k = open[static_cast<std::size_t>(j)];
      const auto l = static_cast<std::size_t>(point.piece[static_cast<std::size_t>(k)] / 2);
      const double price = auction.market.payoffs.row(k).dot(g.matrix());
      missing[j] = auction.ladder(k).limit[l] - price;
      centred.row(j) = auction.market.payoffs.row(k).array() - price;
    }
    const double missed = missing.cwiseAbs().maxCoeff();
    if (!(missed < least)) {
      return;
    }
    least = missed;
    point.g = g;
    if (missed <= kPricesAgree) {
      return;
    }
    const Matrix weighted = centred * g.matrix().asDiagonal();
    const Matrix system = weighted * centred.transpose();
    factor.compute(system);
    factor.solve_in_place(missing);
    const Array change = 1.0 + (centred.transpose() * missing).array();
    if (!(change.maxCoeff() < kRise && (fade || change.minCoeff() > kFall))) {
      return;
    }
    g *= change.max(kFade);
    g /= g.sum();
  }
}

}  // namespace kpm
