#include "selection/open_steps.hpp"

#include <cstddef>
#include <utility>

#include "numerics/tolerances.hpp"

namespace kpm {

FaceProblem face_of(const std::vector<OpenStep>& steps, const Array& demand,
                    const Matrix& directions, Matrix limits, Array room) {
  const auto m = static_cast<Eigen::Index>(steps.size());
  FaceProblem face;
  for (Array* array :
       {&face.start, &face.low, &face.high, &face.target, &face.below, &face.above}) {
    array->resize(m);
  }
  for (Eigen::Index k = 0; k < m; ++k) {
    const OpenStep& step = steps[static_cast<std::size_t>(k)];
    face.start[k] = demand[step.claim];
    face.low[k] = step.low;
    face.high[k] = step.high;
    face.target[k] = step.filled;
    face.below[k] = step.bids;
    face.above[k] = step.offers;
  }
  face.directions = directions.topRows(m);
  // Without room, rounding in what moves as all that counts does would block every direction.
  face.limits = std::move(limits);
  face.limits = (face.limits.array().abs() > kDirectionRounding).select(face.limits, 0.0);
  face.room = std::move(room);
  return face;
}

}  // namespace kpm
