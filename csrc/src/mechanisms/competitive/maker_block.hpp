// A maker's cost inside the interior-point method: the interface that makers implement.
#pragma once

#include "ipm/predictor_corrector.hpp"
#include "numerics/arena.hpp"

namespace kpm {

/// C(L) = max over the simplex of g.L - C*(g), as a part of a Newton step. Losses in, marginal
/// state prices out: a maker keeps its own unknowns and reduces them to
///   dg = step_g + (sum of squares) dL.
class MakerBlock {
 public:
  MakerBlock() = default;
  MakerBlock(const MakerBlock&) = delete;
  MakerBlock& operator=(const MakerBlock&) = delete;
  virtual ~MakerBlock() = default;

  /// Centred for the given losses at products of about tau.
  virtual void start(const ArrayView& loss, double tau, const Attempt& attempt) = 0;
  /// Residuals and the reduced matrix for the losses at hand.
  virtual void update_residuals(const ArrayView& loss) = 0;

  /// dg/dL as a sum of root_size() squares: what they leave of a claim's payoff.
  virtual Eigen::Index root_size() const = 0;
  virtual void root(const double* payoff, double* root) const = 0;

  virtual void set_affine_rhs() = 0;
  virtual void set_combined_rhs(double tau, bool second_order) = 0;
  virtual void set_centering_rhs(double tau) = 0;
  /// dg for unchanged losses, into step_g().
  virtual void reduce() = 0;
  /// Recover the step from the change of the losses.
  virtual void recover_step(const ArrayView& dloss) = 0;

  virtual double complementarity(double along) const = 0;
  virtual double degree() const = 0;
  virtual double weighted_residual() const = 0;
  /// Raise `inverse_step` to the greatest relative decrease per unit step.
  virtual void ratio_test(double& inverse_step) const = 0;
  virtual double shorten(double step, double tau_now, double tau_full) = 0;
  /// By a step that shorten() returned, with the losses there.
  virtual void advance(double step, const ArrayView& loss) = 0;

  virtual const Slice& g() const = 0;  ///< (states), adds up to one at the solution
  virtual const Slice& step_g() const = 0;
  /// C*(g / sum g) or a little more, never less.
  virtual double conjugate() = 0;
  /// Where C's maximum over p is of several worst cases (a kink) it has no price.
  virtual double ambiguity_price() const { return 0.0; }
  /// The p, or weights of vertices, that conjugate() was taken at; unchanged where there is none.
  virtual void write_worst_case(Array& p) const { static_cast<void>(p); }
  /// Make root() that of C itself, for losses at which all residuals are as good as zero.
  virtual void prepare_curvature() {}
  /// What the vertices of a polytope weigh in g.
  virtual void write_weights(Array& weights) const { static_cast<void>(weights); }
};

}  // namespace kpm
