// The one published clearing, in the caller's units.
#pragma once

#include <vector>

#include "api/selection.hpp"
#include "kpm/kpm.hpp"
#include "model/scaled_market.hpp"
#include "model/staircase.hpp"

namespace kpm {

/// Prices, fills and the maker's position of the chosen cell.
void publish(const Market& market, const Orders& orders, const std::vector<Staircase>& stairs,
             const ScaledMarket& scaled, const Choice& choice, Allocation allocation,
             Clearing& clearing);

/// Certainty equivalent of the published position, from the fills themselves. Scaled.
double value_of(const ScaledMarket& scaled, const Clearing& clearing, RiskMeasure& measure);

}  // namespace kpm
