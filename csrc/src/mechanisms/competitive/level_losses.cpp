#include "mechanisms/competitive/level_losses.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "book/staircase.hpp"
#include "numerics/linear_equations.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

constexpr int kRounds = 3;  // one is exact but for rounding

}  // namespace

void level_losses(const Auction& auction, MakerFunction& function, AuctionPoint& point) {
  std::vector<int> open;
  for (int k = 0; k < auction.market.claims(); ++k) {
    if (Staircase::is_step(point.piece[static_cast<std::size_t>(k)])) {
      open.push_back(k);
    }
  }
  const Array losses = auction.losses(point.demand);
  const Array below = losses.maxCoeff() - losses;
  std::vector<int> priced;
  for (int i = 0; i < auction.market.states(); ++i) {
    if (point.g[i] > below[i]) {  // of the two one vanishes: the other's size is no leftover
      priced.push_back(i);
    }
  }
  if (open.empty() || priced.size() < 2) {
    return;
  }
  const auto m = static_cast<Eigen::Index>(open.size());
  const auto c = static_cast<Eigen::Index>(priced.size());
  Eigen::MatrixXd system(c, m + 1);
  Vector missing(c);
  for (Eigen::Index i = 0; i < c; ++i) {
    const int state = priced[static_cast<std::size_t>(i)];
    for (Eigen::Index j = 0; j < m; ++j) {
      system(i, j) = auction.market.payoffs(open[static_cast<std::size_t>(j)], state);
    }
    system(i, m) = -1.0;
  }
  for (int round = 0; round < kRounds; ++round) {
    auction.pass();
    const Array loss = auction.losses(point.demand);
    const double level = loss.maxCoeff();
    for (Eigen::Index i = 0; i < c; ++i) {
      missing[i] = level - loss[priced[static_cast<std::size_t>(i)]];
    }
    const Vector change = least_norm_solution(system, missing, kIdleCondition);
    for (Eigen::Index j = 0; j < m; ++j) {
      const int k = open[static_cast<std::size_t>(j)];
      const Ladder& ladder = auction.ladder(k);
      const auto l = static_cast<std::size_t>(point.piece[static_cast<std::size_t>(k)] / 2);
      double& demand = point.demand[k];
      demand = std::clamp(demand + change[j], ladder.demand[l + 1], ladder.demand[l]);
    }
  }
  function.evaluate(auction.losses(point.demand));
  Array g = function.g();
  for (const int i : priced) {
    g[i] = point.g[i];
  }
  g /= g.sum();
  if ((point.p == point.g).all()) {
    point.p = g;
  }
  point.g = g;
}

}  // namespace kpm
