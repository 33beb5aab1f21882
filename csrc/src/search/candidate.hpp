// A cell worth keeping.
#pragma once

#include <vector>

#include "kpm/kpm.hpp"

namespace kpm {

/// Clearings whose certainty equivalents differ by no more, in scaled money, are equally good.
constexpr double kTie = 1e-11;

struct Candidate {
  double value = -kInfinity;  ///< certainty equivalent, scaled
  std::vector<int> cell;
};

}  // namespace kpm
