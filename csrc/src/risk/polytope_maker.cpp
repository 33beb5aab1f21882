#include "risk/polytope_maker.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kpm/kpm.hpp"
#include "numerics/entropy.hpp"
#include "numerics/semidefinite_cholesky.hpp"
#include "risk/ties.hpp"

namespace kpm {

namespace {

constexpr double kLargest = 2.0;   // alpha |d|: larger changes lose nothing by a difference
constexpr double kOnHull = 1e-16;  // nats: 1e-8 in probability
constexpr int kIterations = 100;

}  // namespace

PolytopeMaker::PolytopeMaker(const Matrix& vertices, double risk_aversion)
    : Maker(vertices.cols()),
      vertices_(vertices),
      a_(risk_aversion),
      possible_((vertices.colwise().maxCoeff().transpose().array() > 0.0).cast<double>()),
      deviation_(Array::Zero(vertices.cols())),
      power_(Array::Zero(vertices.cols())),
      excess_(Array::Zero(vertices.cols())),
      growth_(Array::Zero(vertices.cols())),
      moved_(Array::Zero(vertices.cols())),
      value_(Array::Zero(vertices.rows())),
      gap_(Array::Zero(vertices.rows())),
      prices_(Matrix::Zero(vertices.rows(), vertices.cols())) {
  attained_.reserve(static_cast<std::size_t>(vertices.rows()));
  set_losses(moved_);
}

/// The cost of deviations <= 0 on possible states, with the expectations by vertex and their gaps.
double PolytopeMaker::cost_of(const Array& deviation) {
  const Eigen::Index priors = vertices_.rows();
  for (Eigen::Index i = 0; i < states(); ++i) {
    const Power power = power_of(possible_[i] > 0.0 ? a_ * deviation[i] : 0.0);
    power_[i] = power.value;
    excess_[i] = a_ > 0.0 ? power.excess : possible_[i] * deviation[i];
  }
  double most = -kInfinity;
  for (Eigen::Index v = 0; v < priors; ++v) {
    value_[v] = dot(&vertices_(v, 0), excess_.data(), states());
    most = std::max(most, value_[v]);
  }
  if (a_ == 0.0) {
    mean_ = 1.0;
    gap_ = value_ - most;
    return most;
  }
  if (most > -0.5) {
    mean_ = 1.0 + most;
    gap_ = (value_ - most) / mean_;
    return std::log1p(most) / a_;
  }
  for (Eigen::Index v = 0; v < priors; ++v) {
    value_[v] = dot(&vertices_(v, 0), power_.data(), states());
  }
  mean_ = value_.maxCoeff();
  gap_ = (value_ - mean_) / mean_;
  return std::log(mean_) / a_;
}

/// The mean of the subgradients of the vertices that cost_of() found to attain the maximum.
void PolytopeMaker::mean_of_attained(Array& prices) const {
  prices.setZero();
  for (Eigen::Index v = 0; v < vertices_.rows(); ++v) {
    if (gap_[v] == 0.0) {
      const double mass = dot(&vertices_(v, 0), power_.data(), states());
      prices += vertices_.row(v).transpose().array() * power_ / mass;
    }
  }
  prices /= prices.sum();
}

double PolytopeMaker::set_losses(const ArrayView& losses) {
  double top = -kInfinity;
  for (Eigen::Index i = 0; i < states(); ++i) {
    top = possible_[i] > 0.0 ? std::max(top, losses[i]) : top;
  }
  deviation_ = (losses - top) * possible_;
  cost_ = cost_of(deviation_);
  const double width = tie_width(losses);
  const double spread = a_ > 0.0 ? std::min(1.0, -a_ * deviation_.minCoeff()) : 0.0;
  const double tied =
      (a_ > 0.0 ? a_ * width : width) + 8.0 * std::numeric_limits<double>::epsilon() * spread;
  attained_.clear();
  state_prices_.setZero();
  for (Eigen::Index v = 0; v < vertices_.rows(); ++v) {
    if (gap_[v] >= -tied) {
      gap_[v] = 0.0;
      const auto row = static_cast<Eigen::Index>(attained_.size());
      prices_.row(row) = (vertices_.row(v).transpose().array() * power_).matrix().transpose();
      prices_.row(row) /= prices_.row(row).sum();
      state_prices_ += prices_.row(row).transpose().array();
      attained_.push_back(v);
    }
  }
  state_prices_ /= static_cast<double>(attained_.size());
  return top + cost_;
}

double PolytopeMaker::slope(const ArrayView& direction) {
  double most = -kInfinity;
  for (Eigen::Index row = 0; row < static_cast<Eigen::Index>(attained_.size()); ++row) {
    most = std::max(most, dot(&prices_(row, 0), direction.data(), states()));
  }
  return most;
}

void PolytopeMaker::marginal_quote(const double* payoff, double* bid, double* ask) {
  *bid = kInfinity;
  *ask = -kInfinity;
  for (Eigen::Index row = 0; row < static_cast<Eigen::Index>(attained_.size()); ++row) {
    const double price = dot(&prices_(row, 0), payoff, states()) + 0.0;  // never -0
    *bid = std::min(*bid, price);
    *ask = std::max(*ask, price);
  }
}

double PolytopeMaker::increment(const ArrayView& change, Array* prices) {
  const double low = change.minCoeff();
  if (low == change.maxCoeff()) {
    if (prices != nullptr) {
      *prices = state_prices_;
    }
    return low;
  }
  const double largest = (change * possible_).abs().maxCoeff();
  const Eigen::Index priors = vertices_.rows();
  if (a_ * largest <= kLargest) {
    // e^{alpha D} - 1 = max over vertices of their gap + E_p e^{alpha L} (e^{alpha d} - 1) / mean.
    for (Eigen::Index i = 0; i < states(); ++i) {
      growth_[i] = a_ > 0.0 ? power_[i] * std::expm1(a_ * change[i] * possible_[i])
                            : change[i] * possible_[i];
    }
    double most = -kInfinity;
    for (Eigen::Index v = 0; v < priors; ++v) {
      value_[v] = gap_[v] + dot(&vertices_(v, 0), growth_.data(), states()) / mean_;
      most = std::max(most, value_[v]);
    }
    if (prices != nullptr) {
      prices->setZero();
      for (Eigen::Index v = 0; v < priors; ++v) {
        if (value_[v] == most) {
          moved_ = vertices_.row(v).transpose().array() * (a_ > 0.0 ? 1.0 : 0.0) * growth_;
          moved_ += vertices_.row(v).transpose().array() * power_;
          *prices += moved_ / moved_.sum();
        }
      }
      *prices /= prices->sum();
    }
    return a_ > 0.0 ? std::log1p(most) / a_ : most;
  }
  double top = -kInfinity;
  for (Eigen::Index i = 0; i < states(); ++i) {
    top = possible_[i] > 0.0 ? std::max(top, deviation_[i] + change[i]) : top;
  }
  moved_ = (deviation_ + change - top) * possible_;
  const double moved = cost_of(moved_);
  if (prices != nullptr) {
    mean_of_attained(*prices);
  }
  const double value = top + (moved - cost_);
  // Back to where the maker stands.
  cost_of(deviation_);
  for (const Eigen::Index v : attained_) {
    gap_[v] = 0.0;
  }
  return value;
}

/// The likelihood of mixtures: minimise -sum g ln(V' theta) + sum theta over theta >= 0, whose
/// optimum sums to one. Primal-dual interior point with a system of one row a vertex.
double PolytopeMaker::conjugate(const ArrayView& g) {
  const Eigen::Index priors = vertices_.rows();
  for (Eigen::Index i = 0; i < states(); ++i) {
    if (g[i] > 0.0 && possible_[i] == 0.0) {
      return kInfinity;
    }
  }
  Arena arena;
  SemidefiniteCholesky cholesky(priors, arena);
  Array theta = Array::Constant(priors, 1.0 / static_cast<double>(priors));
  Array slack = Array::Ones(priors);
  Array mixture(states());
  Matrix hessian(priors, priors);
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    mixture = (vertices_.transpose() * theta.matrix()).array();
    const Array weight = (g > 0.0).select(g / mixture, 0.0);
    const Array gradient = 1.0 - (vertices_ * weight.matrix()).array();
    const double mu = (theta * slack).sum() / static_cast<double>(priors);
    const double off = (gradient - slack).abs().maxCoeff();
    if (mu <= 1e-17 && off <= 1e-12) {
      break;
    }
    const Array curved = (g > 0.0).select(weight / mixture, 0.0);
    hessian.noalias() = vertices_ * curved.matrix().asDiagonal() * vertices_.transpose();
    hessian.diagonal().array() += slack / theta;
    cholesky.compute(hessian);
    const double target = 0.1 * mu;
    Array step = target / theta - gradient;
    cholesky.solve_in_place(step.data());
    const Array dslack = (target - slack * step) / theta - slack;
    double length = 1.0;
    for (Eigen::Index v = 0; v < priors; ++v) {
      length = step[v] < 0.0 ? std::min(length, -0.95 * theta[v] / step[v]) : length;
      length = dslack[v] < 0.0 ? std::min(length, -0.95 * slack[v] / dslack[v]) : length;
    }
    theta += length * step;
    slack += length * dslack;
  }
  mixture = (vertices_.transpose() * theta.matrix()).array();
  mixture /= mixture.sum();
  const double divergence = relative_entropy_of(g, mixture);
  if (a_ == 0.0) {
    return divergence <= kOnHull ? 0.0 : kInfinity;
  }
  return divergence / a_;
}

double PolytopeMaker::conjugate_at_vertex(Eigen::Index state) {
  const double most = vertices_.col(state).maxCoeff();
  if (a_ == 0.0) {
    return most == 1.0 ? 0.0 : kInfinity;
  }
  return most > 0.0 ? -std::log(most) / a_ : kInfinity;
}

}  // namespace kpm
