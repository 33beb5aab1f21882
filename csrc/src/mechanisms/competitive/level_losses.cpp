#include "mechanisms/competitive/level_losses.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "book/staircase.hpp"
#include "mechanisms/competitive/tied_functions.hpp"
#include "numerics/linear_equations.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

constexpr int kRounds = 3;  // one is exact but for rounding

/// Claims on steps.
std::vector<int> open_claims(const AuctionPoint& point) {
  std::vector<int> open;
  for (std::size_t k = 0; k < point.piece.size(); ++k) {
    if (Staircase::is_step(point.piece[k])) {
      open.push_back(static_cast<int>(k));
    }
  }
  return open;
}

/// The demand nearest to the point's with which the prices agree, and the pieces.
void move_to_prices(const Auction& auction, double near, AuctionPoint& point) {
  for (int k = 0; k < auction.market.claims(); ++k) {
    const Ladder& ladder = auction.ladder(k);
    const double price = auction.market.payoffs.row(k).dot(point.g.matrix());
    const int rung = ladder.rung(price);
    int limit = rung;  // the nearer one of those around the price
    if (rung == static_cast<int>(ladder.limit.size()) ||
        (rung > 0 && price - ladder.limit[static_cast<std::size_t>(rung - 1)] <
                         ladder.limit[static_cast<std::size_t>(rung)] - price)) {
      --limit;
    }
    const auto l = static_cast<std::size_t>(std::max(limit, 0));
    int& piece = point.piece[static_cast<std::size_t>(k)];
    if (limit >= 0 && std::abs(price - ladder.limit[l]) <= near) {
      piece = 2 * limit + 1;
      point.demand[k] = std::clamp(point.demand[k], ladder.demand[l + 1], ladder.demand[l]);
    } else {
      piece = 2 * rung;
      point.demand[k] = ladder.demand[static_cast<std::size_t>(rung)];
    }
  }
}

}  // namespace

void level_losses(const Auction& auction, MakerFunction& function, AuctionPoint& point) {
  const std::vector<int> open = open_claims(point);
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

void level_functions(const Auction& auction, const std::vector<int>& tied, double near,
                     AuctionPoint& point) {
  move_to_prices(auction, near, point);
  const std::vector<int> open = open_claims(point);
  const auto m = static_cast<Eigen::Index>(open.size());
  TiedFunctions functions(auction.maker, tied, auction.market.states());
  functions.evaluate(auction.losses(point.demand));
  const Matrix payoffs = auction.market.payoffs(open, Eigen::all);
  Eigen::MatrixXd system(static_cast<Eigen::Index>(tied.size()), m + 1);
  system.leftCols(m) = functions.value(payoffs).transpose();
  system.col(m).setConstant(-1.0);
  // What reaches the end of its step stays there, and the others make up for it.
  bool stopped = true;
  for (Eigen::Index round = 0; round < m + kRounds && (stopped || round < kRounds); ++round) {
    auction.pass();
    auction.checkpoint.pass(functions.operations(static_cast<double>(m)));
    functions.evaluate(auction.losses(point.demand));
    const Vector missing = (functions.cost().maxCoeff() - functions.cost().array()).matrix();
    const Vector change = least_norm_solution(system, missing, kIdleCondition);
    stopped = false;
    for (Eigen::Index j = 0; j < m; ++j) {
      const int k = open[static_cast<std::size_t>(j)];
      const Ladder& ladder = auction.ladder(k);
      const auto l = static_cast<std::size_t>(point.piece[static_cast<std::size_t>(k)] / 2);
      const double wanted = point.demand[k] + change[j];
      point.demand[k] = std::clamp(wanted, ladder.demand[l + 1], ladder.demand[l]);
      if (point.demand[k] != wanted) {
        system.col(j).setZero();
        stopped = true;
      }
    }
  }
}

}  // namespace kpm
