// The functions that attain the maximum at a kink of a maker's cost.
#pragma once

#include <vector>

#include "mechanisms/competitive/auction_program.hpp"
#include "mechanisms/competitive/point.hpp"

namespace kpm {

/// The functions that share in the maximum at a kink: states for a Knightian maker and the worst
/// state, vertices for a polytope. Empty where C is smooth: a ball of priors is while its radius
/// has a price, unless `kink` says that this price is nothing but rounding.
std::vector<int> tied_functions(const Auction& auction, const AuctionProgram& program, bool kink);

/// What functions that tie make of losses: their costs, and their gradients. A state's gradient is
/// its unit vector, of which nothing dense is kept.
class TiedFunctions {
 public:
  /// Borrows the maker and `which`.
  TiedFunctions(const ScaledMaker& maker, const std::vector<int>& which, Eigen::Index states);

  void evaluate(const Array& loss);
  const Vector& cost() const { return cost_; }
  /// The mixture of the gradients: a price for each state.
  Array mix(const Vector& weight) const;
  /// What each gradient prices claims at: (claims, functions).
  Matrix value(const Matrix& payoffs) const;
  /// Of the mixture's cost, as claims see it: (claims, claims).
  Matrix curvature(const Matrix& payoffs, const Matrix& values, const Vector& weight) const;
  /// Operations that the values of so many claims take, and the curvature where there is any.
  double operations(double claims) const;

 private:
  const ScaledMaker& maker_;
  const std::vector<int>& which_;
  const Eigen::Index states_;
  Vector cost_;
  Matrix gradient_;  // (vertices, states)
};

}  // namespace kpm
