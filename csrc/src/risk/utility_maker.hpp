// The maker with logarithmic utility of wealth: Chen and Pennock.
#pragma once

#include "risk/maker.hpp"

namespace kpm {

/// C(L) is the root of sum pi ln(m0 + C - L) = ln m0: trading leaves expected utility unchanged.
class UtilityMaker final : public Maker {
 public:
  UtilityMaker(const ArrayView& prior, double wealth);

  double set_losses(const ArrayView& losses) override;
  double slope(const ArrayView& direction) override {
    return dot(state_prices_.data(), direction.data(), states());
  }
  double increment(const ArrayView& change, Array* prices) override;
  double conjugate(const ArrayView& g) override;
  double conjugate_at_vertex(Eigen::Index state) override;

 private:
  const Array prior_;
  const double wealth_;
  Array left_;      ///< m0 + C - L: wealth by state,
  Array log_left_;  ///< and its logarithm, which a number too small for a double has, too
  Array gap_;
};

}  // namespace kpm
