#include "risk/worst_state_maker.hpp"

#include <algorithm>

#include "kpm/kpm.hpp"
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
    : Maker(states), function_(states, arena_), deviation_(Array::Zero(states)) {
  set_losses(deviation_);
}

double WorstStateMaker::set_losses(const ArrayView& losses) {
  const double top = losses.maxCoeff();
  const double rounding = tie_width(losses);
  deviation_ = losses - top;
  deviation_ = (deviation_ >= -rounding).select(0.0, deviation_);
  worst_states_ = (deviation_ == 0.0).count();
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
  if (worst_states_ == 1) {
    Maker::marginal_quote(payoff, bid, ask);
    return;
  }
  *bid = kInfinity;
  *ask = -kInfinity;
  for (Eigen::Index i = 0; i < states(); ++i) {
    if (deviation_[i] == 0.0) {
      *bid = std::min(*bid, payoff[i]);
      *ask = std::max(*ask, payoff[i]);
    }
  }
  *bid += 0.0;  // never -0
  *ask += 0.0;
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
