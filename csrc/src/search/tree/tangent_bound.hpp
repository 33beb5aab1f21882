// Bounds that account for the curvature of the risk.
#pragma once

#include <vector>

#include "book/corners.hpp"
#include "cell/cell_optimum.hpp"
#include "numerics/arena.hpp"
#include "numerics/semidefinite_cholesky.hpp"
#include "risk/dual_bound.hpp"
#include "risk/risk_measure.hpp"

namespace kpm {

/// A node's multipliers support the best demand; a piece a little off it looks as good as the best
/// to first order. The maker's risk curves, so what supports the demand moved onto the piece bounds
/// the piece lower: one evaluation of the risk instead of a cell.
class TangentBound {
 public:
  /// `near`: a clearing next to those whose demand will be supported, if one is known.
  TangentBound(const ScaledMarket& market, const std::vector<Corners>& corners, Arena& arena,
               const CellOptimum* near = nullptr);

  /// Support this demand, with the prices' multipliers lambda. False at a kink, where the risk has
  /// no curvature.
  bool support(const ArrayView& demand, const ArrayView& lambda);

  /// Where g itself lies within the ambiguity, S nats inside: support the demand by p = g, as at a
  /// kink. For any losses L, tilting g towards them by e, with l the deviation of ln(g / q),
  ///     e l + e^2 <= S, e^2 <= min g   =>   rho(L) >= E_g L + e sd_g(L):
  /// g (1 + e u) is a distribution within the ambiguity for a u of mean zero and deviation one.
  /// False where there is no such e.
  bool support_inside(const ArrayView& demand, const ArrayView& marginal_state_prices,
                      const ArrayView& lambda);

  /// The bound of every clearing of a box.
  double bound(const Box& box) const { return multipliers_.bound(corners_, box); }

  /// Whether the tangent at this demand, moved onto the box as little as possible, bounds all of
  /// the box below the threshold. Where nothing had to be moved that cannot be.
  bool rules_out(const Box& box, const ArrayView& demand, const ArrayView& lambda,
                 double threshold);

  /// Under the tangent, the most of a claim on pieces first .. last.
  double most(int claim, int first, int last) const {
    return multipliers_.most(claim, corners_[static_cast<std::size_t>(claim)], first, last);
  }

  /// Rises are those in this box from now on. A claim whose demand is the supported one all over it
  /// does not move; together such claims may still change losses by a deviation of `wobble` at
  /// most, and by twice that over the states.
  void set_box(const Box& box, double wobble = 0.0);

  /// How far the risk lies above its tangent at least, where the demand for a claim is `distance`
  /// off the supported one, wherever the others' demand lies in the box. With z what the losses
  /// change by, over a range |z|, and p held,
  ///     rho(L + z) - rho(L) - g.z  >=  (1/a) ln E_g e^{a (z - E_g z)}
  ///                                >=  (1/a) ln(1 + a^2 Var_g(z) / (2 + a |z|)).
  /// since e^x >= 1 + x + x^2 / (2 + |x|). The variance is at least distance^2 over the claim's
  /// diagonal entry of the inverse of the payoffs' covariance under g. Supported by p = g it is
  /// e (sd_g(z) - sd_g(L)) instead.
  double rise(int claim, double distance);

  /// Where `support_inside` supports: how far the demand for a claim can be off in a clearing of
  /// any box in which no other claims move, if it is worth no less than the bound less `shortfall`.
  /// Then e sd_g(z) <= shortfall + e sd_g(L), however large the box. Infinite where nothing is
  /// known: claims that move replace each other.
  double farthest(int claim, double shortfall);

 private:
  void set_demand(const ArrayView& demand);
  double variance(int claim);

  const ScaledMarket& market_;
  const std::vector<Corners>& corners_;
  RiskMeasure measure_;
  double rho_ = 0.0;         // of the demand supported last, or of a near one,
  double multiplier_ = 0.0;  // with the price of ambiguity there
  Slice demand_, loss_;
  Multipliers multipliers_;

  SemidefiniteCholesky factor_;
  std::vector<int> moving_;
  Matrix centred_, covariance_;  // of the payoffs of what moves
  Slice column_;                 // (moving)
  Slice variance_;        // (claims) the least that a demand of one off brings about; 0: unknown
  double lean_ = 0.0;     // e; 0: the risk is smooth
  double spread_ = 0.0;   // sd_g(L)
  double wobble_ = 0.0;   // of what does not move
  double regular_ = 0.0;  // what keeps the covariance regular, beyond its rounding
  double trusted_ = 1.0;  // share of a variance that rounding leaves
  double lost_ = 0.0;     // of a variance, to what keeps the covariance regular
  double reach_ = 0.0;    // the most that |z| can be
};

}  // namespace kpm
