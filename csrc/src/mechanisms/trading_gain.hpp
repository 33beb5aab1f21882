// What trades are worth to a maker, to full precision.
#pragma once

#include <cstdint>
#include <memory>

#include "kpm/makers.hpp"
#include "risk/maker.hpp"

namespace kpm {

/// For a maker at its inventory: the certainty equivalent with trades less that without, computed
/// from the changes. As a difference of the two it would lose all digits beside a wealth of 1e14.
class TradingGain {
 public:
  /// `inventory` (states) of money.
  TradingGain(const MakerModel& model, const double* inventory);

  /// Of `net_demand` (claims) shares sold at `prices` (claims), and `extra` money paid on top.
  double of(const double* payoffs, std::int64_t claims, const double* prices,
            const double* net_demand, double extra);

 private:
  std::unique_ptr<Maker> maker_;
  Array change_;  // (states) of what the maker owes
};

}  // namespace kpm
