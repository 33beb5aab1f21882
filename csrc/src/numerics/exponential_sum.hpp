// Sums of exponentials over many states, for moderate tilts.
#pragma once

#include "numerics/pair.hpp"
#include "numerics/state_sums.hpp"

namespace kpm {

/// f(t) = sum w_i e^{t x_i} for |x| <= 1 as a power series in t: one pass over the states, and
/// every t costs a polynomial.
class ExponentialSum {
 public:
  static constexpr int kHalf = StateSums::kPowers;
  static constexpr int kDegree = 2 * kHalf;
  static constexpr int kTerms = kDegree + 2;  ///< an even number
  /// Up to these |t| the powers to kDegree, and to kHalf, leave rounding relative to f''.
  static constexpr double kReach = 1.3;
  static constexpr double kHalfReach = 0.1;

  /// f(t) - f(0), f'(t) - f'(0) and f''(t): small ones have all their digits.
  struct Excess {
    Pair value, first, second;
  };

  /// The powers to kHalf of a multiple of four states; `raised` becomes w x^kHalf.
  void start(const double* weights, const double* x, Eigen::Index count, double* raised);
  /// And those to kDegree, from what start() left.
  void finish(const double* x, Eigen::Index count, double* raised);

  /// Instead, from the terms w x^k / k! of each state, a row of kTerms: over `count` of the rows.
  static void fill_terms(double weight, double x, double* row);
  void add_up(const double* rows, const Eigen::Index* which, Eigen::Index count);

  double moment(int k) const { return moments_[k]; }  ///< sum w x^k; k > 0 after start()
  double reach() const { return reach_; }
  Excess at(const Pair& t) const;

 private:
  void add_powers(int first, const double* weights, const double* x, Eigen::Index count,
                  double* raised);

  double moments_[kDegree + 1] = {};
  double coefficients_[kTerms] = {};  // over k!
  double reach_ = 0.0;
  int degree_ = 0;
};

}  // namespace kpm
