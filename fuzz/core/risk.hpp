// The maker's certainty equivalent, (25) minimised by golden sections in extended precision:
// slow, plain, and nothing in common with the core.
#pragma once

#include <vector>

namespace fuzz {

/// Sure money worth as much as `wealth` under the worst probabilities within `ambiguity` of
/// `prior`.
double certainty_equivalent(const std::vector<double>& wealth, const std::vector<double>& prior,
                            double risk_aversion, double ambiguity);

}  // namespace fuzz
