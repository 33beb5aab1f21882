#include "risk/maker_function.hpp"

namespace kpm {

MakerFunction::MakerFunction(Eigen::Index states, Arena& arena)
    : g_(arena.array(states)), p_(arena.array(states)) {}

/// g_i = f_i(t - L_i) with slopes -flow_i: t moves by the flows' mean.
void MakerFunction::root(const double* payoff, double* root) const {
  const Eigen::Index n = g_.size();
  const Eigen::Map<const Array> x(payoff, n);
  Eigen::Map<Array> left(root, n);
  left = flow_.sqrt() * (x - (centre_ * x).sum());
}

Array MakerFunction::idle_room(const PricedLosses& priced, const std::vector<int>& idle) const {
  return (priced.loss.maxCoeff() - priced.loss(idle)).max(0.0);
}

}  // namespace kpm
