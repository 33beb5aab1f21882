#include "risk/polytope_maker.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kpm/kpm.hpp"
#include "numerics/entropy.hpp"
#include "numerics/inner_products.hpp"
#include "numerics/semidefinite_cholesky.hpp"
#include "numerics/state_sums.hpp"
#include "risk/idle_room.hpp"
#include "risk/ties.hpp"

namespace kpm {

namespace {

constexpr double kLargest = 2.0;   // alpha |d|: larger changes lose nothing by a difference
constexpr double kOnHull = 1e-16;  // nats: 1e-8 in probability
constexpr double kSame = 1e-14;    // in probability: of a p that was found with its g
/// From here down a mean of e^x - 1 leaves less of its digits than the mean of e^x has.
constexpr double kFewDigits = -0.5;
constexpr int kIterations = 100;

}  // namespace

double certainty_equivalent(const double* prior, double a, const ArrayView& loss,
                            double* gradient) {
  double worst = -kInfinity;
  for (Eigen::Index i = 0; i < loss.size(); ++i) {
    if (prior[i] > 0.0) {
      worst = std::max(worst, loss[i]);
    }
  }
  double mean = 0.0;
  double mass = 0.0;
  double utility = 0.0;
  for (Eigen::Index i = 0; i < loss.size(); ++i) {
    const double p = prior[i];
    const double deviation = loss[i] - worst;
    if (p == 0.0) {
      gradient[i] = 0.0;
      continue;
    }
    const Power power = power_of(a * deviation);
    mass += p;
    mean += p * (a > 0.0 ? power.excess / a : deviation);
    gradient[i] = p * power.value;
    utility += gradient[i];
  }
  for (Eigen::Index i = 0; i < loss.size(); ++i) {
    gradient[i] /= utility;
  }
  mean /= mass;
  utility /= mass;
  return worst + (a * mean <= kFewDigits ? std::log(utility) / a : scaled_log1p(a, mean));
}

PolytopeFunction::PolytopeFunction(const Matrix& vertices, double risk_aversion, Arena& arena)
    : MakerFunction(vertices.cols(), arena),
      vertices_(vertices),
      a_(risk_aversion),
      possible_(arena.array(vertices.cols())),
      deviation_(arena.array(vertices.cols())),
      power_(arena.array(vertices.cols())),
      excess_(arena.array(vertices.cols())),
      value_(arena.array(vertices.rows())),
      gap_(arena.array(vertices.rows())) {
  possible_ = (vertices.colwise().maxCoeff().transpose().array() > 0.0).cast<double>();
}

/// The cost of deviations <= 0 on possible states, with the expectations by vertex and their gaps.
double PolytopeFunction::cost_of(const Slice& deviation) {
  const Eigen::Index priors = vertices_.rows();
  const Eigen::Index states = deviation.size();
  for (Eigen::Index i = 0; i < states; ++i) {
    const Power power = power_of(possible_[i] > 0.0 ? a_ * deviation[i] : 0.0);
    power_[i] = power.value;
    excess_[i] = a_ > 0.0 ? power.excess : possible_[i] * deviation[i];
  }
  for (Eigen::Index v = 0; v < priors; ++v) {
    value_[v] = dot(&vertices_(v, 0), excess_.data(), states);
  }
  const double most = value_.maxCoeff();
  if (a_ == 0.0) {
    mean_ = 1.0;
    gap_ = value_ - most;
    return most;
  }
  if (most > kFewDigits) {
    mean_ = 1.0 + most;
    gap_ = (value_ - most) / mean_;
    return std::log1p(most) / a_;
  }
  for (Eigen::Index v = 0; v < priors; ++v) {
    value_[v] = dot(&vertices_(v, 0), power_.data(), states);
  }
  mean_ = value_.maxCoeff();
  gap_ = (value_ - mean_) / mean_;
  return std::log(mean_) / a_;
}

double PolytopeFunction::evaluate(const ArrayView& loss) {
  double top = -kInfinity;
  for (Eigen::Index i = 0; i < loss.size(); ++i) {
    top = possible_[i] > 0.0 ? std::max(top, loss[i]) : top;
  }
  deviation_ = (loss - top) * possible_;
  cost_ = cost_of(deviation_);
  Eigen::Index best = 0;
  gap_.maxCoeff(&best);
  write_gradient(best, g_.transpose());
  p_ = vertices_.row(best).transpose().array();
  return top + cost_;
}

void PolytopeFunction::prepare_curvature() {
  flow_ = a_ * g_;
  centre_ = g_;
}

double PolytopeFunction::conjugate(const ArrayView& g, const ArrayView& p) const {
  if (a_ == 0.0) {
    return (g - p).abs().maxCoeff() <= kSame ? 0.0 : kInfinity;
  }
  return relative_entropy_of(g, p) / a_;
}

Array PolytopeFunction::idle_room(const PricedLosses& priced, const std::vector<int>& idle) const {
  return tilted_room(priced, idle, a_);
}

PolytopeMaker::PolytopeMaker(const Matrix& vertices, double risk_aversion)
    : Maker(vertices.cols()),
      vertices_(vertices),
      a_(risk_aversion),
      function_(vertices_, risk_aversion, arena_),
      elsewhere_(vertices_, risk_aversion, arena_),
      growth_(Array::Zero(vertices.cols())),
      moved_(Array::Zero(vertices.cols())),
      value_(Array::Zero(vertices.rows())),
      gap_(Array::Zero(vertices.rows())),
      prices_(Matrix::Zero(vertices.rows() + DotTile::kRows - 1, vertices.cols())) {
  attained_.reserve(static_cast<std::size_t>(vertices.rows()));
  set_losses(moved_);
}

double PolytopeMaker::set_losses(const ArrayView& losses) {
  const double cost = function_.evaluate(losses);
  const double width = tie_width(losses);
  const double spread = a_ > 0.0 ? std::min(1.0, -a_ * function_.deviation().minCoeff()) : 0.0;
  const double tied =
      (a_ > 0.0 ? a_ * width : width) + 8.0 * std::numeric_limits<double>::epsilon() * spread;
  gap_ = function_.gap();
  attained_.clear();
  state_prices_.setZero();
  for (Eigen::Index v = 0; v < gap_.size(); ++v) {
    if (gap_[v] >= -tied) {
      gap_[v] = 0.0;
      const auto row = static_cast<Eigen::Index>(attained_.size());
      function_.write_gradient(v, prices_.row(row).array());
      state_prices_ += prices_.row(row).transpose().array();
      attained_.push_back(v);
    }
  }
  state_prices_ /= static_cast<double>(attained_.size());
  return cost;
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

void PolytopeMaker::marginal_quotes(const double* payoffs, Eigen::Index rows, double* bid,
                                    double* ask) {
  const auto tied = static_cast<Eigen::Index>(attained_.size());
  const Eigen::Index even = states() / 2 * 2;
  Eigen::Index done = 0;
  for (; tied > 1 && done + DotTile::kRows <= rows; done += DotTile::kRows) {
    const double* const claims = payoffs + done * states();
    std::fill_n(bid + done, DotTile::kRows, kInfinity);
    std::fill_n(ask + done, DotTile::kRows, -kInfinity);
    for (Eigen::Index first = 0; first < tied; first += DotTile::kRows) {
      DotTile tile;
      dot_tile(claims, states(), &prices_(first, 0), states(), even, tile);
      for (Eigen::Index k = 0; k < DotTile::kRows; ++k) {
        for (Eigen::Index v = 0; v < std::min(DotTile::kRows, tied - first); ++v) {
          double price = tile.even[k][v];
          if (even < states()) {
            price += claims[k * states() + even] * prices_(first + v, even);
          }
          price = price + tile.odd[k][v] + 0.0;  // never -0
          bid[done + k] = std::min(bid[done + k], price);
          ask[done + k] = std::max(ask[done + k], price);
        }
      }
    }
  }
  Maker::marginal_quotes(payoffs + done * states(), rows - done, bid + done, ask + done);
}

/// Both sides from the same exponentials: of d from the lowest payoff, and their inverses.
bool PolytopeMaker::block_costs(const double* payoff, const double* shares, Eigen::Index sizes,
                                double* down, double* up) {
  const Eigen::Map<const Array> claim(payoff, states());
  const double low = claim.minCoeff();
  const double range = claim.maxCoeff() - low;
  const double largest = a_ * range * *std::max_element(shares, shares + sizes);
  if (!(largest > 0.0 && largest <= kLargest)) {
    return false;
  }
  for (Eigen::Index size = 0; size < sizes; ++size) {
    state_sums().expm1(largest <= kExpm1Series, a_ * shares[size], low, payoff, states(),
                       growth_.data());
    moved_ = -function_.power() * growth_ / (1.0 + growth_);
    growth_ *= function_.power();
    double most_up = -kInfinity;
    double most_down = -kInfinity;
    for (Eigen::Index v = 0; v < value_.size(); ++v) {
      const double* const prior = &vertices_(v, 0);
      const double gap = gap_[v];
      most_up = std::max(most_up, gap + dot(prior, growth_.data(), states()) / function_.mean());
      most_down = std::max(most_down, gap + dot(prior, moved_.data(), states()) / function_.mean());
    }
    up[size] = shares[size] * low + std::log1p(most_up) / a_;
    down[size] = shares[size] * low - std::log1p(most_down) / a_;
  }
  return true;
}

double PolytopeMaker::increment(const ArrayView& change, Array* prices) {
  const double low = change.minCoeff();
  if (low == change.maxCoeff()) {
    if (prices != nullptr) {
      *prices = state_prices_;
    }
    return low;
  }
  const Slice& possible = function_.possible();
  const double largest = (change * possible).abs().maxCoeff();
  if (a_ * largest <= kLargest) {
    // e^{alpha D} - 1 = max over vertices of their gap + E_p e^{alpha L} (e^{alpha d} - 1) / mean.
    const Slice& power = function_.power();
    for (Eigen::Index i = 0; i < states(); ++i) {
      growth_[i] =
          a_ > 0.0 ? power[i] * std::expm1(a_ * change[i] * possible[i]) : change[i] * possible[i];
    }
    for (Eigen::Index v = 0; v < value_.size(); ++v) {
      value_[v] = gap_[v] + dot(&vertices_(v, 0), growth_.data(), states()) / function_.mean();
    }
    const double most = value_.maxCoeff();
    if (prices != nullptr) {
      prices->setZero();
      for (Eigen::Index v = 0; v < value_.size(); ++v) {
        if (value_[v] == most) {
          moved_ = vertices_.row(v).transpose().array() * (a_ > 0.0 ? 1.0 : 0.0) * growth_;
          moved_ += vertices_.row(v).transpose().array() * power;
          *prices += moved_ / moved_.sum();
        }
      }
      *prices /= prices->sum();
    }
    return a_ > 0.0 ? std::log1p(most) / a_ : most;
  }
  moved_ = function_.deviation() + change;
  const double cost = elsewhere_.evaluate(moved_);
  if (prices != nullptr) {  // the mean of those that attain the maximum
    prices->setZero();
    for (Eigen::Index v = 0; v < value_.size(); ++v) {
      if (elsewhere_.gap()[v] == 0.0) {
        elsewhere_.write_gradient(v, moved_.transpose());
        *prices += moved_;
      }
    }
    *prices /= prices->sum();
  }
  return cost - function_.cost_of_deviation();
}

/// The likelihood of mixtures: minimise -sum g ln(V' theta) + sum theta over theta >= 0, whose
/// optimum sums to one. Primal-dual interior point with a system of one row a vertex.
double PolytopeMaker::conjugate(const ArrayView& g) {
  const Eigen::Index priors = vertices_.rows();
  for (Eigen::Index i = 0; i < states(); ++i) {
    if (g[i] > 0.0 && function_.possible()[i] == 0.0) {
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
  if (a_ == 0.0) {
    return relative_entropy_of(g, mixture) <= kOnHull ? 0.0 : kInfinity;
  }
  return function_.conjugate(g, mixture);
}

double PolytopeMaker::conjugate_at_vertex(Eigen::Index state) {
  const double most = vertices_.col(state).maxCoeff();
  if (a_ == 0.0) {
    return most == 1.0 ? 0.0 : kInfinity;
  }
  return most > 0.0 ? -std::log(most) / a_ : kInfinity;
}

}  // namespace kpm
