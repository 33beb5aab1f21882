// The analytic centre of the state prices at which claim prices lie in given ranges.
#pragma once

#include "numerics/checkpoint.hpp"
#include "numerics/dense.hpp"

namespace kpm {

/// The weighted analytic centre:  maximise sum w_i ln g_i  over g on the simplex with
/// low <= P g <= high; the limit of CPCAM's prices as starting orders in proportion to w vanish.
/// With a row c of P less the limit for each end of a range that may bind, so that c.g >= 0 or
/// c.g = 0, the dual is
///   minimise  -sum w_i ln(1 - sum_r x_r c_ri),   x_r >= 0 for an end,   g_i = w_i / (1 - x.c_i),
/// whose gradient is the c.g. Newton's method on the active rows, the others at zero: a step ends
/// where one of them becomes inactive, and violated ends are added. O(R^2 N + R^3) per step.
///
/// `w` > 0 adds up to one, payoffs are (claims, states) in [0, 1]. False, and nothing written,
/// where rounding stops it before the prices meet their ranges: some state can have no price at
/// all. `checkpoint`, if any, is asked before each step.
bool find_analytic_centre(const Matrix& payoffs, const ArrayView& w, const ArrayView& low,
                          const ArrayView& high, Array& g, Checkpoint* checkpoint = nullptr);

}  // namespace kpm
