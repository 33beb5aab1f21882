// A maker with a polytope of priors inside the interior-point method.
#pragma once

#include "mechanisms/competitive/maker_block.hpp"
#include "risk/maker_kinds.hpp"

namespace kpm {

/// C(L) is the saddle value  max over (g, v) of  g.L - KL(g|p)/a  with p = sum v B_v, v on the
/// simplex, as RiskBlock's over a ball: the unknowns are the exponents of g_i = p_i e^{a e_i} and
/// the weights, with phi_i = (e^{a e_i} - 1) / a and
///   L_i - e_i - c + t_i = 0,                t g -> 0
///   (B phi)_v - kappa + z_v = 0,            v z -> 0
///   sum v = 1,   sum p_i phi_i = 0.
/// Eliminating e, t and z leaves a system M in the weights, bordered by c and kappa' = kappa + c:
///   M dv = G dL - a f dc - dkappa' + h,     G = B g',  g' = gamma / (1 + a t)
///   dg = G' dv + a s (dL - dc + k1),        s = p g'.
/// It holds for a = 0, too. O(V^2 N + V^3) an iteration.
class PolytopeBlock final : public MakerBlock {
 public:
  PolytopeBlock(const ScaledMaker& maker, const MakerFunction& cost, Arena& arena);

  void start(const ArrayView& loss, double tau, const Attempt& attempt) override;
  void update_residuals(const ArrayView& loss) override;
  Eigen::Index root_size() const override { return count_ + vertices_; }
  void root(const double* payoff, double* root) const override;
  void set_affine_rhs() override;
  void set_combined_rhs(double tau, bool second_order) override;
  void set_centering_rhs(double tau) override;
  void reduce() override;
  void recover_step(const ArrayView& dloss) override;
  double complementarity(double along) const override;
  double degree() const override { return 2.0; }
  double weighted_residual() const override { return residual_; }
  void ratio_test(double& inverse_step) const override;
  double shorten(double step, double tau_now, double tau_full) override;
  void advance(double step, const ArrayView& loss) override;
  const Slice& g() const override { return g_; }
  const Slice& step_g() const override { return step_g_; }
  double conjugate() override;
  void write_worst_case(Array& p) const override { p = p_ / p_.sum(); }
  void write_weights(Array& weights) const override;

 private:
  struct Border {
    double c = 0.0, kappa = 0.0;
  };
  void centre(const ArrayView& loss, double tau);
  Border solve(double of_c, double of_kappa) const;
  void factor_system();
  void halve_in_place(Slice& x) const;
  void solve_in_place(Slice& x) const;
  void set_targets(double tau, double second_order);
  void refresh();

  const ScaledMaker& maker_;
  const MakerFunction& cost_;
  const Matrix& priors_;  // B
  const Eigen::Index count_, vertices_;
  const double a_;
  Slice g_, step_g_;
  // By state.
  Slice weight_, p_, gamma_, phi_, e_, t_, r1_, gp_, s_, k1_, target_t_;
  Slice dp_, eps_, dt_, dloss_, eta_, reach_, root_s_;
  // By vertex.
  Slice v_, z_, dv_, dz_, target_v_, r2_, f_, h_, by_f_, by_one_, moved_, inverse_;
  MatrixSlice scaled_;  // G
  MatrixSlice system_;  // M, then its factor but for the diagonal
  double c_ = 0.0, kappa_ = 0.0, dc_ = 0.0, dkappa_ = 0.0;
  double r4_ = 0.0, mass_ = 0.0, s1_ = 1.0;
  double f_f_ = 0.0, f_one_ = 0.0, one_one_ = 1.0;
  double of_c_ = 0.0, of_kappa_ = 0.0;
  double residual_ = 0.0;
};

}  // namespace kpm
