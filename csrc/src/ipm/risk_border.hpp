// The variables of the risk that all states share, which border the systems of a step.
#pragma once

#include "ipm/risk_block.hpp"
#include "numerics/arena.hpp"
#include "numerics/few_rows.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

/// kappa, d and mu. Of the curvature in H, kappa fixes the value of all states; d and mu move only
/// where there is a ball, and are solved last: by what is left of their rows once each has moved
/// the claims, a sum of squares.
class RiskBorder {
 public:
  static constexpr int kVariables = 3;
  static constexpr int kShared = 2;  // d and mu
  using Row = FewRows<kVariables>::Row;
  using Shared = FewRows<kShared>::Row;

  /// `places`: where the states' pushes and losses are kept, which several states may share.
  RiskBorder(const RiskBlock& risk, Eigen::Index claims, Eigen::Index places, Arena& arena)
      : risk_(risk),
        x_by_(arena.grid<double>(kShared, claims)),
        e_by_(arena.grid<double>(kShared, claims)),
        push_by_(arena.grid<double>(kShared, places)),
        loss_by_(arena.grid<double>(kShared, places)) {}

  /// `take(i, row)`: state i's row of the border.
  template <class Take>
  void load(Eigen::Index states, Take&& take) {
    const double moves = has_shared() ? 1.0 : 0.0;  // without a ball d and mu must not move
    FewRows<kVariables> rows{};
    for (Eigen::Index i = 0; i < states; ++i) {
      const RiskBlock::Curvature of = risk_.curvature(i);
      rows.add_square(of.of_g, {1.0, moves, 0.0});
      rows.add_square(of.of_p, {of.gp, moves * of.a_eta, moves * of.m});
      const double by_p = of.of_p * of.gp;
      take(i,
           Row{of.of_g + by_p * of.gp, moves * (of.of_g + by_p * of.a_eta), moves * by_p * of.m});
    }
    rows.add_square(moves * risk_.slack_curvature(), {0.0, 0.0, 1.0});
    factor_ = {rows, kRedundantRow};
  }

  Row solve(const Row& pushed) const { return factor_.solve(pushed); }

  /// What the border takes off the diagonal of who pushes it so.
  double taken_off(const Row& cross) const {
    return FewRows<kVariables>::dot(cross, factor_.solve(cross));
  }

  bool has_shared() const { return risk_.has_ball(); }

  // What d and mu do: to the claims, and to the states at a place.
  double* x_by(int row) { return &x_by_(row, 0); }
  double* e_by(int row) { return &e_by_(row, 0); }
  double* push_by(int row) { return &push_by_(row, 0); }
  double* loss_by(int row) { return &loss_by_(row, 0); }

  /// What is left of d and mu, once they have moved the rest: the squares that it is a sum of, at
  /// their least. `place(i)`: state i's; `alone(k)`: claim k's own.
  template <class Place, class Alone>
  void factor_shared(const Slice& weight, Eigen::Index claims, Place&& place, Alone&& alone) {
    FewRows<kShared> rows{};
    for (Eigen::Index i = 0; i < weight.size(); ++i) {
      const RiskBlock::Curvature of = risk_.curvature(i);
      const auto at = place(i);
      const double by_d = loss_by_(0, at);
      const double by_mu = loss_by_(1, at);
      rows.add_square(of.of_g, {by_d - 1.0, by_mu});
      rows.add_square(of.of_p, {of.gp * by_d - of.a_eta, of.gp * by_mu - of.m});
      rows.add_square(weight[i], {push_by_(0, at), push_by_(1, at)});
    }
    for (Eigen::Index k = 0; k < claims; ++k) {
      rows.add_square(1.0, {e_by_(0, k), e_by_(1, k)});
      rows.add_square(alone(k), {x_by_(0, k), x_by_(1, k)});
    }
    rows.add_square(risk_.slack_curvature(), {0.0, 1.0});
    shared_factor_ = {rows, kRedundantRow};
  }

  /// Let d and mu move a solution in which they are at zero, pushed by it.
  void move_shared(const Shared& pushed, Eigen::Index claims, double* x, double* e) const {
    const Shared theta = shared_factor_.solve(pushed);
    for (Eigen::Index k = 0; k < claims; ++k) {
      x[k] += x_by_(0, k) * theta[0] + x_by_(1, k) * theta[1];
      e[k] += e_by_(0, k) * theta[0] + e_by_(1, k) * theta[1];
    }
  }

 private:
  const RiskBlock& risk_;
  Grid<double> x_by_, e_by_;        // (kShared, claims)
  Grid<double> push_by_, loss_by_;  // (kShared, places)
  FewRows<kVariables>::Factor factor_;
  FewRows<kShared>::Factor shared_factor_;
};

}  // namespace kpm
