// The tolerances that say whether other clearings are nearly as good as the best.
//
// Units are those of tolerances.hpp.
#pragma once

#include "numerics/tolerances.hpp"

namespace kpm {

/// Where the gap asked for is smaller than this, a tree goes on after the proof until nothing is
/// better than the best clearing by more than kTie.
constexpr double kFineTolerance = 1e-6;

/// A clearing is alone where nothing else is worth as much, or less by no more than this: several
/// kTie, for the clearings that a search keeps and for what the choice among them may cost.
constexpr double kNearTie = 8 * kTie;

/// Demand this close to the end of its step was meant to be there if that is worth as much and the
/// maker loses clearly inside: kFirm along the whole step, so that what is worth as much as the end
/// but for kNearTie lies this close to it.
constexpr double kNearEnd = 0.01;
constexpr double kFirm = kNearTie / kNearEnd;

}  // namespace kpm
