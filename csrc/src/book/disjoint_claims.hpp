// Claims that pay one on disjoint sets of states: Arrow-Debreu claims, the runners of a race.
#pragma once

#include <vector>

#include "numerics/dense.hpp"

namespace kpm {

/// Whether each state pays in at most one claim, and then exactly 1, with the claim of each state.
/// The payoffs P are then stored as one index per state: applying P or P' is O(N), and the systems
/// of an interior-point step are diagonal except for a few rows.
class DisjointClaims {
 public:
  static constexpr int kNone = -1;
  static constexpr Eigen::Index kFewest = 24;  ///< claims

  DisjointClaims() = default;
  explicit DisjointClaims(const Matrix& payoffs);

  bool disjoint() const { return disjoint_; }
  bool covering() const { return covering_; }  ///< the sets leave no state out

  /// The same where there are so many claims that it pays to know; else nothing is known.
  static DisjointClaims where_it_pays(const Matrix& payoffs) {
    return payoffs.rows() >= kFewest ? DisjointClaims(payoffs) : DisjointClaims();
  }

  Eigen::Index states() const { return static_cast<Eigen::Index>(claim_.size()); }

  /// The claim that pays in a state, or kNone.
  int claim_of(Eigen::Index state) const { return claim_[static_cast<std::size_t>(state)]; }

  /// P x of one number a state.
  template <class States, class Claims>
  void apply(const States& x, Claims& out) const {
    out.setZero();
    for (std::size_t i = 0; i < claim_.size(); ++i) {
      if (claim_[i] != kNone) {
        out[claim_[i]] += x[static_cast<Eigen::Index>(i)];
      }
    }
  }

  /// P' y of one number a claim, in a state.
  template <class Claims>
  double at(const Claims& y, Eigen::Index state) const {
    const int claim = claim_of(state);
    return claim == kNone ? 0.0 : y[claim];
  }

 private:
  bool disjoint_ = false;
  bool covering_ = false;
  std::vector<int> claim_;  // (states)
};

}  // namespace kpm
