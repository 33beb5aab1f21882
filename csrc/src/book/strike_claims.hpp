// Claims on one index, each a line on either side of a strike: calls, puts, digitals, forwards.
#pragma once

#include <vector>

#include "numerics/dense.hpp"

namespace kpm {

/// States in the order of an index, and for each claim the strike between two of them on whose
/// either side it pays along a line. The index is found from the payoffs, up to its unit and
/// direction. Applying P or P' is O(N + K), but for the digits by which payoffs lie off their
/// lines, and the systems of an interior-point step are solved along the index.
class StrikeClaims {
 public:
  static constexpr Eigen::Index kFewest = 24;  ///< claims

  /// What a claim pays on one side: `value` in the state next to the strike, and from there on
  /// `slope` times the way along the index.
  struct Line {
    double value = 0.0, slope = 0.0;
  };

  struct Claim {
    int strike = 0;  ///< states below it
    Line below, above;
  };

  StrikeClaims() = default;
  explicit StrikeClaims(const Matrix& payoffs);

  /// The same where there are so many claims that it pays to know; else nothing is known.
  static StrikeClaims where_it_pays(const Matrix& payoffs) {
    return payoffs.rows() >= kFewest ? StrikeClaims(payoffs) : StrikeClaims();
  }

  bool on_strikes() const { return !order_.empty(); }
  Eigen::Index states() const { return static_cast<Eigen::Index>(states_.size()); }

  /// All claims, from the lowest strike to the highest.
  const std::vector<int>& order() const { return order_; }
  const Claim& claim(int k) const { return claims_[static_cast<std::size_t>(k)]; }

  /// The state at a place of the index, its level, from 0 to 1, and the way to the place after.
  int state(Eigen::Index place) const { return states_[static_cast<std::size_t>(place)]; }
  double level(Eigen::Index place) const { return levels_[static_cast<std::size_t>(place)]; }
  double gap(Eigen::Index place) const {
    return place + 1 < states() ? level(place + 1) - level(place) : 0.0;
  }

  /// What a claim pays there.
  double payoff(const Claim& claim, Eigen::Index place) const {
    return place < claim.strike
               ? claim.below.value + claim.below.slope * (level(place) - level(claim.strike - 1))
               : claim.above.value + claim.above.slope * (level(place) - level(claim.strike));
  }

  /// Whether payoffs lie on their lines but for what rounding makes of steep ones.
  bool exact() const { return exact_; }

  /// P x of one number a state.
  void apply(const ArrayView& x, Eigen::Ref<Array> out) const;

  /// P' y of one number a claim.
  void apply_transposed(const ArrayView& y, Eigen::Ref<Array> out) const;

  /// At most the least that is owed by the payoffs as they are, but for rounding. That is less than
  /// 2 (N + K) units in the last place of the sum of all |y|: no line, however steep, exceeds one.
  double least_owed(const ArrayView& y) const;

 private:
  std::vector<int> order_, states_;
  std::vector<double> levels_;
  std::vector<Claim> claims_;
  Array off_;  // (claims) by how much payoffs miss the lines
  bool exact_ = false;
};

}  // namespace kpm
