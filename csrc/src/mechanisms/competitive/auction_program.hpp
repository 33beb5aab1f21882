// The convex auction: traders' values against the maker's cost.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "ipm/narrow_system.hpp"
#include "ipm/predictor_corrector.hpp"
#include "mechanisms/competitive/maker_block.hpp"
#include "mechanisms/competitive/rung_block.hpp"
#include "numerics/semidefinite_cholesky.hpp"
#include "risk/maker_kinds.hpp"

namespace kpm {

/// maximise  sum v_k - C(P'y - w)   with (y_k, v_k) in the hull of ladder k: (5), (6), and (3).
///
/// A Newton step reduces the ladders to spreads and the maker to a sum of squares H = P (dg/dL)
/// P',
///   (1 + s H s) e = step_y / s - s step_G,    dy = s e,    s = root of the spread.
/// A demand that hardly changes where prices swing is thus no difference of long steps, whose
/// rounding the prices would magnify.
/// The bound  sum max over rungs of (value - G y) + g.w + C*(g)  holds for any g on the simplex:
/// the dual, in plain arithmetic. Cost per iteration: O(K^2 N + K^3); O(K N^2) where there are many
/// more claims than states.
class AuctionProgram {
 public:
  AuctionProgram(const ScaledMarket& market, const ScaledMaker& maker,
                 const std::vector<Ladder>& ladders, Arena& arena);

  /// Forget the best point, and begin with the rungs around these prices.
  void load(const ArrayView& prices);

  // What the predictor-corrector loop calls.
  void start(const Attempt& attempt);
  void update_residuals();
  void factor();
  void set_affine_rhs();
  void set_combined_rhs(double tau, bool second_order);
  void set_centering_rhs(double tau);
  void direction();
  double complementarity(Step along) const;
  double degree() const { return rungs_.degree() + maker_->degree(); }
  double nonlinearity() const { return maker_->weighted_residual() + bend_; }
  Step max_step(double share) const;
  Step shorten(Step along);
  void advance(Step along);
  bool near_convergence(double gap, double tolerance) const { return near_the_end(gap, tolerance); }
  bool keep_best(double tolerance);
  /// The maker's prices where the program stands.
  void write_prices(Array& g, Array& p) const;

  // The best point.
  const Array& demand() const { return best_demand_; }
  const Array& g() const { return best_g_; }
  const Array& worst_case() const { return best_p_; }
  const Array& weights() const { return best_weights_; }  ///< of the vertices
  double gap() const { return best_gap_; }
  double ambiguity_price() const { return best_ambiguity_price_; }
  double magnitude() const { return magnitude_; }

  /// P (dg/dL) P' of the last point: lower triangle.
  const MatrixSlice& curvature();

 private:
  const double* payoff(int k) const { return &market_.payoffs(k, 0); }
  void losses();
  void price_out();

  const ScaledMarket& market_;
  const std::vector<Ladder>& ladders_;
  RungBlock rungs_;
  std::unique_ptr<MakerFunction> function_;
  std::unique_ptr<MakerBlock> maker_;
  double start_ = 1.0, tau_ = 1.0, bound_ = kInfinity, magnitude_ = 0.0;
  double bend_ = 0.0;  // what the last step's prices missed by, times what is at stake

  Slice base_;                              // (states) losses without trade, less their maximum
  Slice loss_, dloss_;                      // (states)
  Slice price_, dprice_, stake_;            // (claims) G
  Slice scale_, ddemand_, e_, step_price_;  // (claims)
  Slice own_;                               // (claims) step_y / s: a claim's step by itself
  Slice projection_;                        // (root_size)
  MatrixSlice roots_, scaled_roots_;        // (claims, root_size)
  MatrixSlice matrix_, curvature_;          // (claims, claims)
  SemidefiniteCholesky factor_;
  std::optional<NarrowSystem> narrow_;  // in the place of matrix and factor
  MatrixSlice none_;                    // (claims, 0)
  Slice ones_, nothing_, unused_;       // (claims)

  Array best_demand_, best_g_, best_p_, best_weights_;
  double best_gap_ = kInfinity, best_ambiguity_price_ = 0.0;
};

}  // namespace kpm
