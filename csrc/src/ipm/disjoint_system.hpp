// The systems of an interior-point step where claims pay on disjoint sets of states.
#pragma once

#include "book/scaled_market.hpp"
#include "ipm/risk_block.hpp"
#include "numerics/arena.hpp"
#include "numerics/few_rows.hpp"

namespace kpm {

/// 1 + s H s with H = P (dg/dL) P' and s one number per claim. Each state is in at most one claim,
/// so H is diagonal except for the three numbers (kappa, d, mu) that all states share: they border
/// it, and eliminating the claims leaves a sum of squares in them as well. O(N + K) to factor and
/// to solve, without cancellation.
class DisjointCurvature {
 public:
  DisjointCurvature(const ScaledMarket& market, const RiskBlock& risk, Arena& arena);

  static constexpr int kBorder = 3;

  /// For the risk block's current point.
  void factor(const Slice& scale);

  /// x := (1 + s H s)^-1 x.
  void solve_in_place(Slice& x) const;

  /// out := H y.
  void apply(const Slice& y, Slice& out) const;

  /// The diagonal of 1 + s H s.
  double diagonal(Eigen::Index claim) const { return bordered_[claim]; }

  // (1 + s H s)^-1 = 1/own + coupling schur^-1 coupling', diagonal but for a few rows.
  double own(Eigen::Index claim) const { return own_[claim]; }
  double coupling(Eigen::Index claim, int row) const { return coupling_(claim, row); }
  const FewRows<kBorder>& schur() const { return schur_; }

 private:
  const DisjointClaims& sets_;
  const RiskBlock& risk_;
  Slice scale_;           // (claims) s
  Slice diagonal_;        // (claims) of H without the border
  Slice own_;             // (claims) 1 + s diagonal s
  Slice bordered_;        // (claims) the same of H as it is
  MatrixSlice cross_;     // (claims, kBorder) what demand does to the border
  MatrixSlice coupling_;  // (claims, kBorder) the same, times s over own
  FewRows<kBorder> border_, schur_;
  FewRows<kBorder>::Factor border_factor_, schur_factor_;
};

/// P (Xi - xi xi' / sum) P' + alone + b (1 + s H s)^-1 b with one weight per state in Xi: diagonal
/// except for the border of the curvature and the sum of the state prices. O(N + K).
class DisjointPrices {
 public:
  DisjointPrices(const ScaledMarket& market, Arena& arena);

  /// Where demand does not move: b = 0.
  void factor(const Slice& weight, const Slice& alone);
  void factor(const Slice& weight, const Slice& alone, const Slice& slope,
              const DisjointCurvature& curvature);

  void solve_in_place(Slice& x) const;

 private:
  static constexpr int kBorder = DisjointCurvature::kBorder;
  using Few = FewRows<kBorder>;

  void take_mass(const Slice& weight, const Slice& alone);
  void factor_mass();

  const DisjointClaims& sets_;
  Slice mass_;              // (claims) weights of the states that it pays in
  Slice rest_;              // (claims) what there is beside them on the diagonal
  MatrixSlice lift_;        // (claims, kBorder) b coupling
  double uncovered_ = 0.0;  // weight of the states that no claim pays in
  double total_ = 0.0;      // of all states
  Few::Factor schur_factor_;
  Few::Row across_{};  // border by mass
  double inverse_mass_ = 0.0;
};

}  // namespace kpm
