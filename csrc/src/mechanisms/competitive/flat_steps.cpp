#include "mechanisms/competitive/flat_steps.hpp"

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "book/staircase.hpp"
#include "numerics/arena.hpp"
#include "numerics/inner_products.hpp"
#include "numerics/linear_equations.hpp"
#include "numerics/semidefinite_cholesky.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

constexpr double kFaint = 1e-6;  // a price below it is lost in the rounding of the others
constexpr double kSteep = 1e-6;  // of the sum of its parts: a slope below it is none
constexpr int kRounds = 40;
constexpr int kHalvings = 50;  // of a way

class FlatSteps {
 public:
  FlatSteps(const Auction& auction, MakerFunction& function, AuctionPoint& point)
      : auction_(auction), function_(function), point_(point) {}

  bool find();
  bool climb();

 private:
  Vector slope(double share);
  Vector slope() const;
  Vector direction();
  double room(std::size_t step, double change) const;

  const Auction& auction_;
  MakerFunction& function_;
  AuctionPoint& point_;
  std::vector<int> open_;
  Matrix moves_;   // (open, directions) of demand; below, of the others' losses
  Matrix beyond_;  // (directions, states) by how much more than the others' losses rise
  Vector way_;     // (directions)
};

/// The directions, and whether there are any.
bool FlatSteps::find() {
  const Array& g = point_.g;
  open_.clear();
  for (std::size_t k = 0; k < point_.piece.size(); ++k) {
    if (Staircase::is_step(point_.piece[k])) {
      open_.push_back(static_cast<int>(k));
    }
  }
  std::vector<int> clear;
  for (int i = 0; i < auction_.market.states(); ++i) {
    if (g[i] > kFaint) {
      clear.push_back(i);
    }
  }
  const auto m = static_cast<Eigen::Index>(open_.size());
  const Matrix payoffs = auction_.market.payoffs(open_, Eigen::all);
  Eigen::MatrixXd alike(static_cast<Eigen::Index>(clear.size()), m + 1);
  alike.leftCols(m) = payoffs(Eigen::all, clear).transpose();
  alike.col(m).setConstant(-1.0);
  auction_.pass();
  moves_ = kernel(alike, kDependentDirection);
  beyond_.setZero(moves_.cols(), g.size());
  bool any = false;
  for (Eigen::Index d = 0; d < beyond_.rows(); ++d) {
    for (Eigen::Index j = 0; j < m; ++j) {
      subtract_row(-moves_(j, d), &payoffs(j, 0), g.size(), &beyond_(d, 0));
    }
    for (Eigen::Index i = 0; i < g.size(); ++i) {
      const double rise = beyond_(d, i) - moves_(m, d);
      const bool rises = !(g[i] > kFaint) && std::abs(rise) > kDirectionRounding;
      beyond_(d, i) = rises ? rise : 0.0;
      any |= rises;
    }
  }
  return any;
}

/// What a move along each direction is worth after this share of the way.
Vector FlatSteps::slope(double share) {
  Array losses = auction_.losses(point_.demand);
  for (Eigen::Index d = 0; share > 0.0 && d < beyond_.rows(); ++d) {
    subtract_row(-share * way_[d], &beyond_(d, 0), losses.size(), losses.data());
  }
  function_.evaluate(losses);
  return slope();
}

/// The same where the function is.
Vector FlatSteps::slope() const {
  Vector worth(beyond_.rows());
  for (Eigen::Index d = 0; d < beyond_.rows(); ++d) {
    worth[d] = -dot(&beyond_(d, 0), function_.g().data(), beyond_.cols());
  }
  return worth;
}

/// Newton's, from where the function is.
Vector FlatSteps::direction() {
  const Eigen::Index d = beyond_.rows();
  function_.prepare_curvature();
  Matrix roots(d, function_.root_size());
  for (Eigen::Index j = 0; j < d; ++j) {
    function_.root(&beyond_(j, 0), &roots(j, 0));
  }
  Matrix curvature = Matrix::Zero(d, d);
  add_gram(roots, curvature);
  Arena arena;
  SemidefiniteCholesky factor(d, arena);
  factor.compute(curvature);
  Vector change = slope();
  factor.solve_in_place(change);
  return change;
}

/// The share of a change of demand that the step has room for.
double FlatSteps::room(std::size_t step, double change) const {
  const int k = open_[step];
  const Ladder& ladder = auction_.ladder(k);
  const auto l = static_cast<std::size_t>(point_.piece[static_cast<std::size_t>(k)] / 2);
  return change == 0.0 ? kInfinity
                       : (ladder.demand[change > 0.0 ? l : l + 1] - point_.demand[k]) / change;
}

/// To the first end of a step, or to the top of the way. False at the top of all ways.
bool FlatSteps::climb() {
  const Vector first_slope = slope(0.0);
  bool steep = false;
  for (Eigen::Index d = 0; d < beyond_.rows(); ++d) {
    const double parts = (beyond_.row(d).transpose().array().abs() * function_.g()).sum();
    steep |= std::abs(first_slope[d]) > kSteep * parts;
  }
  if (!steep) {
    return false;
  }
  way_ = direction();
  Array change(static_cast<Eigen::Index>(open_.size()));
  for (Eigen::Index j = 0; j < change.size(); ++j) {
    change[j] = dot(&moves_(j, 0), way_.data(), way_.size());
  }
  double end = kInfinity;
  std::size_t leaving = 0;
  for (std::size_t j = 0; j < open_.size(); ++j) {
    const double until = room(j, change[static_cast<Eigen::Index>(j)]);
    if (until < end) {
      end = until;
      leaving = j;
    }
  }
  if (!std::isfinite(end)) {
    return false;
  }
  double share = end;
  if (!(slope(end).dot(way_) >= 0.0)) {
    double low = 0.0;
    double high = end;
    for (int halving = 0; halving < kHalvings; ++halving) {
      share = 0.5 * (low + high);
      (slope(share).dot(way_) > 0.0 ? low : high) = share;
    }
  }
  for (std::size_t j = 0; j < open_.size(); ++j) {
    point_.demand[open_[j]] += share * change[static_cast<Eigen::Index>(j)];
  }
  if (share == end) {
    const int k = open_[leaving];
    int& piece = point_.piece[static_cast<std::size_t>(k)];
    piece += change[static_cast<Eigen::Index>(leaving)] > 0.0 ? -1 : 1;
    point_.demand[k] = auction_.ladder(k).demand[static_cast<std::size_t>(piece / 2)];
  }
  return true;
}

}  // namespace

bool climb_flat_steps(const Auction& auction, MakerFunction& function, AuctionPoint& point) {
  FlatSteps steps(auction, function, point);
  bool moved = false;
  for (int round = 0; round < kRounds && steps.find() && steps.climb(); ++round) {
    moved = true;
  }
  return moved;
}

}  // namespace kpm
