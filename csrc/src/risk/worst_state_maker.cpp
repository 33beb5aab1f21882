#include "risk/worst_state_maker.hpp"

#include <algorithm>
#include <cstddef>

#include "kpm/kpm.hpp"
#include "numerics/extremes.hpp"
#include "risk/ties.hpp"

namespace kpm {

/// Uniform on the worst states.
double WorstStateFunction::evaluate(const ArrayView& loss) {
  const double value = loss.maxCoeff();
  double count = 0.0;
  for (Eigen::Index i = 0; i < g_.size(); ++i) {
    g_[i] = loss[i] == value ? 1.0 : 0.0;
    count += g_[i];
  }
  g_ /= count;
  p_ = g_;
  return value;
}

void WorstStateFunction::prepare_curvature() {
  flow_ = Array::Zero(g_.size());
  centre_ = g_;
}

WorstStateMaker::WorstStateMaker(Eigen::Index states)
    : Maker(states), function_(states, arena_), deviation_(Array::Zero(states)), at_worst_(states) {
  worst_.reserve(static_cast<std::size_t>(states));
  set_losses(deviation_);
}

double WorstStateMaker::set_losses(const ArrayView& losses) {
  const double top = losses.maxCoeff();
  const double rounding = exact_ties_ ? 0.0 : tie_width(losses);
  deviation_ = losses - top;
  deviation_ = (deviation_ >= -rounding).select(0.0, deviation_);
  worst_.clear();
  for (Eigen::Index i = 0; i < states(); ++i) {
    if (deviation_[i] == 0.0) {
      worst_.push_back(i);
    }
  }
  function_.evaluate(deviation_);
  state_prices_ = function_.g();
  return top;
}

double WorstStateMaker::slope(const ArrayView& direction) {
  double most = -kInfinity;
  for (Eigen::Index i = 0; i < states(); ++i) {
    most = deviation_[i] == 0.0 ? std::max(most, direction[i]) : most;
  }
  return most;
}

void WorstStateMaker::marginal_quote(const double* payoff, double* bid, double* ask) {
  if (worst_.size() == 1) {
    Maker::marginal_quote(payoff, bid, ask);
    return;
  }
  const auto tied = static_cast<Eigen::Index>(worst_.size());
  if (tied < states()) {
    for (Eigen::Index i = 0; i < tied; ++i) {
      at_worst_[i] = payoff[worst_[static_cast<std::size_t>(i)]];
    }
    payoff = at_worst_.data();
  }
  const Extremes found = extremes_of(payoff, tied);
  *bid = found.least + 0.0;  // never -0
  *ask = found.greatest + 0.0;
}

double WorstStateMaker::increment(const ArrayView& change, Array* prices) {
  if (prices == nullptr) {
    return (deviation_ + change).maxCoeff();
  }
  *prices = deviation_ + change;
  const double top = function_.evaluate(*prices);
  *prices = function_.g();
  return top;
}

}  // namespace kpm
