// Claims that pay one on sets of states, any two nested or disjoint: digital options on one index.
#pragma once

#include <vector>

#include "numerics/dense.hpp"

namespace kpm {

/// A forest: below each claim the claims within its set. Every state belongs to the smallest set
/// that it is in, and pays in that claim and all above it. Applying P or P' is O(N + K), and the
/// systems of an interior-point step are solved along the forest.
class NestedClaims {
 public:
  static constexpr Eigen::Index kFewest = 24;  ///< claims

  NestedClaims() = default;
  explicit NestedClaims(const Matrix& payoffs);

  /// The same where there are so many claims that it pays to know; else nothing is known.
  static NestedClaims where_it_pays(const Matrix& payoffs) {
    return payoffs.rows() >= kFewest ? NestedClaims(payoffs) : NestedClaims();
  }

  bool nested() const { return !order_.empty(); }
  Eigen::Index states() const { return static_cast<Eigen::Index>(claim_.size()); }

  /// All claims, each after those within its set.
  const std::vector<int>& order() const { return order_; }

  /// The claim of the smallest set around a claim's, or around a state; the number of claims where
  /// there is none: the set of all states.
  int around(int claim) const { return around_[static_cast<std::size_t>(claim)]; }
  int claim_of(Eigen::Index state) const { return claim_[static_cast<std::size_t>(state)]; }

  /// P x of one number a state.
  void apply(const ArrayView& x, Eigen::Ref<Array> out) const;

  /// P' y of one number a claim.
  void apply_transposed(const ArrayView& y, Eigen::Ref<Array> out) const;

  /// Its least entry.
  double least_owed(const double* y) const;

 private:
  std::vector<double> sums_around(const double* y) const;

  std::vector<int> order_, around_;  // (claims)
  std::vector<int> claim_;           // (states)
};

}  // namespace kpm
