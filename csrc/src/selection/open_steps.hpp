// Steps on which the optimum leaves demand open, and the way to the demand that is chosen there.
#pragma once

#include <utility>
#include <vector>

#include "selection/least_regret.hpp"

namespace kpm {

/// A step of one claim, whose demand may be anywhere between its ends.
struct OpenStep {
  int claim;
  double low, high;     // demand, perhaps cut short of what is asked
  double bids, offers;  // quantity at the limit
  double filled;        // demand where all of both are filled
};

/// The equally good demands of the steps about `demand` (claims), with the regret of each.
/// `directions` (steps + 1, d): along which nothing changes but that all losses that count rise by
/// the last row. `limits` (r, d): what each direction adds to what does not count and must not
/// begin to; `room` (r): how far that is from it.
FaceProblem face_of(const std::vector<OpenStep>& steps, const Array& demand,
                    const Matrix& directions, Matrix limits, Array room);

/// Demand moves towards `best` (steps), which a face has shown. Faces are identified with
/// tolerances: only as far as it is worth `least`.
template <class Worth>
void approach(const std::vector<OpenStep>& steps, const Array& best, const Worth& worth,
              double least, Array& demand) {
  constexpr int kHalvings = 40;  // of the way: what is left then is rounding
  Array trial = demand;
  double share = 1.0;
  for (int halving = 0; halving < kHalvings; ++halving, share *= 0.5) {
    for (std::size_t k = 0; k < steps.size(); ++k) {
      const double from = demand[steps[k].claim];
      const double to = best[static_cast<Eigen::Index>(k)];
      trial[steps[k].claim] = share < 1.0 ? from + share * (to - from) : to;
    }
    if (worth(trial) >= least) {
      demand = std::move(trial);
      return;
    }
  }
}

}  // namespace kpm
