#include "mechanisms/trading_gain.hpp"

#include <cmath>
#include <limits>

#include "risk/maker_kinds.hpp"

namespace kpm {

TradingGain::TradingGain(const MakerModel& model, const double* inventory)
    : maker_(make_maker(model)), change_(model.states) {
  maker_->keep_ties_exact();
  maker_->set_losses(-Eigen::Map<const Array>(inventory, model.states));
}

double TradingGain::of(const double* payoffs, std::int64_t claims, const double* prices,
                       const double* net_demand, double extra) {
  const Eigen::Index states = change_.size();
  // A sum of products is accurate to this share of the sum of their absolute values.
  const double rounding = std::numeric_limits<double>::epsilon() * static_cast<double>(claims + 2);
  for (Eigen::Index i = 0; i < states; ++i) {
    double sum = 0.0;
    double size = 0.0;
    for (std::int64_t k = 0; k < claims; ++k) {
      const double owed = net_demand[k] * (payoffs[k * states + i] - prices[k]);
      sum += owed;
      size += std::abs(owed);
    }
    change_[i] = (std::abs(sum) <= rounding * size ? 0.0 : sum) - extra;
  }
  return 0.0 - maker_->increment(change_);  // never -0
}

}  // namespace kpm
