// The cost of blocks where it is a root of a sum of logarithms over the states.
#pragma once

#include "numerics/dense.hpp"

namespace kpm {

/// The change of C by a trade in one claim, d a share, for
///   Lambda(t) = sum w ln(1 + (t - d) / r),   r > 0 what is left in each state,
/// where it is the root of Lambda (log utility: w the prior), or the least value of t - Lambda
/// (starting orders: w these, and sum w / r = 1). The root's series in d, to the third order,
/// starts iterations that leave an error of the fourth: mostly one pass over the states. It has the
/// digits of the change.
class LogarithmicChange {
 public:
  LogarithmicChange(const ArrayView& weights, bool root);

  /// The position, by what is left. The claim is to be set again.
  void set_left(const ArrayView& left);
  void set_claim(const double* payoff);
  /// The cost of `shares`, and t; false where there are so many that logarithms are no short
  /// series.
  bool cost(double shares, double& cost, double& t) const;
  /// Of both sides, down that of buying: false where any is.
  bool costs(const double* payoff, const double* shares, Eigen::Index sizes, double* down,
             double* up);

 private:
  const Eigen::Index states_;
  const bool root_;
  Array w_, left_, claim_;  // (states, to whole lanes) the claim above its lowest payoff
  Array mean_, flow_;       // weights of the root's first order, and of the rest
  double least_left_ = 1.0, low_ = 0.0, range_ = 0.0;
  double first_ = 0.0, second_ = 0.0, third_ = 0.0;  // of the root in the shares
};

}  // namespace kpm
