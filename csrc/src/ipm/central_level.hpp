// The multiplier that puts weights on the central path.
#pragma once

namespace kpm {

/// The level above all a_i at which the weights c_i / (level - a_i) add up to one, to a thousandth:
/// what is left is a residual like any other. `add(level, sum, slope)` adds up c / (level - a) and
/// c / (level - a)^2; `level` is one at which they add up to more.
template <class Add>
double central_level(double level, Add&& add) {
  constexpr double kEnough = 1e-3;
  constexpr int kSteps = 30;
  for (int n = 0; n < kSteps; ++n) {
    double sum = 0.0;
    double slope = 0.0;
    add(level, sum, slope);
    if (!(sum > 1.0 + kEnough)) {
      break;
    }
    // Newton's method for 1 / sum, which is concave: it stays below the level.
    level += sum * (sum - 1.0) / slope;
  }
  return level;
}

}  // namespace kpm
