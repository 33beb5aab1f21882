#include "numerics/extremes.hpp"

#include <algorithm>

#include "numerics/pair.hpp"

namespace kpm {

Extremes extremes_of(const double* numbers, Eigen::Index count) {
  constexpr Eigen::Index kTogether = 4;
  if (count < kTogether) {
    Extremes found{numbers[0], numbers[0]};
    double none = 0.0;  // NaN once there was a number without end
    for (Eigen::Index i = 0; i < count; ++i) {
      found.least = std::min(found.least, numbers[i]);
      found.greatest = std::max(found.greatest, numbers[i]);
      none += numbers[i] - numbers[i];
    }
    return {found.least + none, found.greatest + none};
  }
  // Two chains of two: a comparison waits for the one before it in its chain alone.
  const auto pair_at = [&](Eigen::Index i) -> Pair { return Eigen::Map<const Pair>(numbers + i); };
  Pair low[] = {pair_at(0), pair_at(2)};
  Pair high[] = {low[0], low[1]};
  Pair none(0.0, 0.0);
  const auto add = [&](Eigen::Index i) {
    for (const Eigen::Index chain : {0, 1}) {
      const Pair next = pair_at(i + 2 * chain);
      low[chain] = low[chain].min(next);
      high[chain] = high[chain].max(next);
      none += next - next;
    }
  };
  for (Eigen::Index i = 0; i + kTogether <= count; i += kTogether) {
    add(i);
  }
  add(count - kTogether);  // some of them once more
  const double without_end = none.sum();
  return {low[0].min(low[1]).minCoeff() + without_end,
          high[0].max(high[1]).maxCoeff() + without_end};
}

}  // namespace kpm
