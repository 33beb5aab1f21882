#include "ipm/disjoint_system.hpp"

#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

using Few = FewRows<DisjointCurvature::kBorder>;

Few::Row row_of(const MatrixSlice& rows, Eigen::Index k) {
  return {rows(k, 0), rows(k, 1), rows(k, 2)};
}

}  // namespace

DisjointCurvature::DisjointCurvature(const ScaledMarket& market, const RiskBlock& risk,
                                     Arena& arena)
    : sets_(market.disjoint),
      risk_(risk),
      scale_(arena.array(market.claims())),
      diagonal_(arena.array(market.claims())),
      own_(arena.array(market.claims())),
      bordered_(arena.array(market.claims())),
      cross_(arena.matrix(market.claims(), kBorder)),
      coupling_(arena.matrix(market.claims(), kBorder)) {}

void DisjointCurvature::factor(const Slice& scale) {
  const bool ball = risk_.has_ball();
  const double moves = ball ? 1.0 : 0.0;  // without a ball its variables must not move
  scale_ = scale;
  diagonal_.setZero();
  cross_.setZero();
  border_ = {};
  for (Eigen::Index i = 0; i < sets_.states(); ++i) {
    const RiskBlock::Curvature of = risk_.curvature(i);
    border_.add_square(of.of_g, {1.0, moves, 0.0});
    border_.add_square(of.of_p, {of.gp, moves * of.a_eta, moves * of.m});
    const int k = sets_.claim_of(i);
    if (k != DisjointClaims::kNone) {
      const double by_p = of.of_p * of.gp;
      diagonal_[k] += of.of_g + by_p * of.gp;
      cross_(k, 1) += moves * (of.of_g + by_p * of.a_eta);
      cross_(k, 2) += moves * by_p * of.m;
    }
  }
  own_ = 1.0 + scale_ * diagonal_ * scale_;
  schur_ = {};
  for (Eigen::Index k = 0; k < own_.size(); ++k) {
    cross_(k, 0) = diagonal_[k];
    coupling_.row(k) = (scale_[k] / own_[k]) * cross_.row(k);
    schur_.add_square(1.0, row_of(coupling_, k));
  }
  // Each state's squares at the demand that is best for them: s coupling, a change of its loss.
  for (Eigen::Index i = 0; i < sets_.states(); ++i) {
    const RiskBlock::Curvature of = risk_.curvature(i);
    const int k = sets_.claim_of(i);
    if (k == DisjointClaims::kNone) {
      schur_.add_square(of.of_g, {1.0, moves, 0.0});
      schur_.add_square(of.of_p, {of.gp, moves * of.a_eta, moves * of.m});
      continue;
    }
    const double s = scale_[k];
    const double left = 1.0 / own_[k];  // 1 - s coupling, without the subtraction
    schur_.add_square(of.of_g, {left, moves - s * coupling_(k, 1), -s * coupling_(k, 2)});
    schur_.add_square(of.of_p, {of.gp * left, moves * of.a_eta - of.gp * s * coupling_(k, 1),
                                moves * of.m - of.gp * s * coupling_(k, 2)});
  }
  const Few::Row of_mu = {0.0, 0.0, 1.0};
  border_.add_square(moves * risk_.slack_curvature(), of_mu);
  schur_.add_square(moves * risk_.slack_curvature(), of_mu);
  border_factor_ = {border_, kRedundantRow};
  schur_factor_ = {schur_, kRedundantRow};
  for (Eigen::Index k = 0; k < own_.size(); ++k) {
    const Few::Row cross = row_of(cross_, k);
    const double bordered = diagonal_[k] - Few::dot(cross, border_factor_.solve(cross));
    bordered_[k] = 1.0 + scale_[k] * bordered * scale_[k];
  }
}

void DisjointCurvature::solve_in_place(Slice& x) const {
  Few::Row pushed{};
  for (Eigen::Index k = 0; k < own_.size(); ++k) {
    for (int row = 0; row < kBorder; ++row) {
      pushed[row] += coupling_(k, row) * x[k];
    }
  }
  const Few::Row theta = schur_factor_.solve(pushed);
  for (Eigen::Index k = 0; k < own_.size(); ++k) {
    x[k] = x[k] / own_[k] + Few::dot(row_of(coupling_, k), theta);
  }
}

void DisjointCurvature::apply(const Slice& y, Slice& out) const {
  Few::Row pushed{};
  for (Eigen::Index k = 0; k < own_.size(); ++k) {
    for (int row = 0; row < kBorder; ++row) {
      pushed[row] += cross_(k, row) * y[k];
    }
  }
  const auto [kappa, d, mu] = border_factor_.solve(pushed);
  for (Eigen::Index k = 0; k < own_.size(); ++k) {
    out[k] = diagonal_[k] * (y[k] - kappa) - cross_(k, 1) * d - cross_(k, 2) * mu;
  }
}

DisjointPrices::DisjointPrices(const ScaledMarket& market, Arena& arena)
    : sets_(market.disjoint),
      mass_(arena.array(market.claims())),
      rest_(arena.array(market.claims())),
      lift_(arena.matrix(market.claims(), kBorder)) {}

void DisjointPrices::take_mass(const Slice& weight, const Slice& alone) {
  mass_.setZero();
  uncovered_ = total_ = 0.0;
  for (Eigen::Index i = 0; i < sets_.states(); ++i) {
    const int k = sets_.claim_of(i);
    (k == DisjointClaims::kNone ? uncovered_ : mass_[k]) += weight[i];
    total_ += weight[i];
  }
  rest_ = alone;
}

void DisjointPrices::factor(const Slice& weight, const Slice& alone) {
  take_mass(weight, alone);
  schur_factor_ = {};  // and so nothing comes of lift_
  across_ = {};
  factor_mass();
}

void DisjointPrices::factor(const Slice& weight, const Slice& alone, const Slice& slope,
                            const DisjointCurvature& curvature) {
  take_mass(weight, alone);
  across_ = {};
  Few schur = curvature.schur();
  for (Eigen::Index k = 0; k < mass_.size(); ++k) {
    rest_[k] += slope[k] * slope[k] / curvature.own(k);
    for (int row = 0; row < kBorder; ++row) {
      lift_(k, row) = slope[k] * curvature.coupling(k, row);
      across_[row] += lift_(k, row) * mass_[k] / (mass_[k] + rest_[k]);
    }
    schur.add_square(1.0 / (mass_[k] + rest_[k]), row_of(lift_, k));
  }
  schur_factor_ = {schur, kRedundantRow};
  factor_mass();
}

/// The pivot of the equation that state prices sum to one: zero where the claims cover all states
/// and no price has room. Then one of the prices follows from the others.
void DisjointPrices::factor_mass() {
  double left = uncovered_ + Few::dot(across_, schur_factor_.solve(across_));
  for (Eigen::Index k = 0; k < mass_.size(); ++k) {
    left += mass_[k] * (rest_[k] / (mass_[k] + rest_[k]));
  }
  inverse_mass_ = left > kRedundantRow * total_ ? 1.0 / left : 0.0;
}

void DisjointPrices::solve_in_place(Slice& x) const {
  Few::Row pushed{};
  double mass = 0.0;
  for (Eigen::Index k = 0; k < mass_.size(); ++k) {
    x[k] /= mass_[k] + rest_[k];
    mass += mass_[k] * x[k];
    for (int row = 0; row < kBorder; ++row) {
      pushed[row] += lift_(k, row) * x[k];
    }
  }
  const double tau = (mass - Few::dot(across_, schur_factor_.solve(pushed))) * inverse_mass_;
  for (int row = 0; row < kBorder; ++row) {
    pushed[row] += across_[row] * tau;
  }
  const Few::Row theta = schur_factor_.solve(pushed);
  for (Eigen::Index k = 0; k < mass_.size(); ++k) {
    x[k] += (mass_[k] * tau - Few::dot(row_of(lift_, k), theta)) / (mass_[k] + rest_[k]);
  }
}

}  // namespace kpm
