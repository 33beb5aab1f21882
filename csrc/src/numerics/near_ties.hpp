// How close other clearings may come to one that has them to itself.
//
// Units are those of tolerances.hpp.
#pragma once

#include "numerics/tolerances.hpp"

namespace kpm {

/// Asked for so fine a gap, or a finer one, a tree goes on until nothing is better than the best
/// clearing by more than kTie.
constexpr double kFineTolerance = 1e-6;

/// A clearing is alone where nothing else is worth as much but for so little: several kTie, for
/// those that a search holds, and what the choice among them may cost.
constexpr double kNearTie = 8 * kTie;

/// Demand this close to the end of its step was meant to be there if that is worth as much and the
/// maker loses clearly inside: kFirm along the whole step, so that what is worth as much as the end
/// but for kNearTie lies this close to it.
constexpr double kNearEnd = 0.01;
constexpr double kFirm = kNearTie / kNearEnd;

}  // namespace kpm
