#include "ipm/make_step_system.hpp"

#include "ipm/nested_system.hpp"
#include "ipm/strike_system.hpp"

namespace kpm {

std::unique_ptr<StepSystem> make_step_system(const ScaledMarket& market, const RiskBlock& risk,
                                             Arena& arena) {
  if (market.nested.nested()) {
    return std::make_unique<NestedSystem>(market, risk, arena);
  }
  if (market.strikes.on_strikes()) {
    return std::make_unique<StrikeSystem>(market, risk, arena);
  }
  return nullptr;
}

}  // namespace kpm
