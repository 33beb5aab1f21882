// The clearing that needs no maker: state prices at which every claim's net demand can be zero.
#pragma once

#include <optional>
#include <vector>

#include "book/scaled_market.hpp"
#include "book/staircase.hpp"
#include "selection/selection.hpp"

namespace kpm {

/// The state prices nearest to the prior at which every claim's net demand can be zero; none if
/// there are none. No size of an order enters.
std::optional<Choice> choose_no_trade(const ScaledMarket& scaled,
                                      const std::vector<Staircase>& stairs);

}  // namespace kpm
