// Which systems a market's steps are solved with.
#pragma once

#include <memory>

#include "ipm/step_system.hpp"

namespace kpm {

/// That of nested sets or of strikes; none where payoffs have neither structure.
std::unique_ptr<StepSystem> make_step_system(const ScaledMarket& market, const RiskBlock& risk,
                                             Arena& arena);

}  // namespace kpm
