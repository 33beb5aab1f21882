#include "risk/worst_state_maker.hpp"

#include <algorithm>

#include "kpm/kpm.hpp"
#include "risk/ties.hpp"

namespace kpm {

WorstStateMaker::WorstStateMaker(Eigen::Index states)
    : Maker(states), deviation_(Array::Zero(states)) {
  set_losses(deviation_);
}

double WorstStateMaker::set_losses(const ArrayView& losses) {
  const double top = losses.maxCoeff();
  const double rounding = tie_width(losses);
  deviation_ = losses - top;
  worst_states_ = 0;
  for (Eigen::Index i = 0; i < states(); ++i) {
    deviation_[i] = deviation_[i] >= -rounding ? 0.0 : deviation_[i];
    worst_states_ += deviation_[i] == 0.0 ? 1 : 0;
  }
  state_prices_ = (deviation_ == 0.0).select(Array::Constant(states(), 1.0), 0.0) /
                  static_cast<double>(worst_states_);
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
  const double top = (deviation_ + change).maxCoeff();
  if (prices != nullptr) {
    for (Eigen::Index i = 0; i < states(); ++i) {
      (*prices)[i] = deviation_[i] + change[i] == top ? 1.0 : 0.0;
    }
    *prices /= prices->sum();
  }
  return top;
}

}  // namespace kpm
