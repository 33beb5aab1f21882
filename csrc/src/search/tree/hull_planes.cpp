#include "search/tree/hull_planes.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/convex_line.hpp"

namespace kpm {

namespace {

constexpr int kSteps = 4;            // for one lambda: roughly the best is as good
constexpr double kFirstStep = 0.05;  // of nu
constexpr double kNear = 0.05;       // of nu, from where the last tangent touched
constexpr double kClose = 1e-3;      // of nu

}  // namespace

HullPlanes::HullPlanes(const ScaledMarket& market, const std::vector<Corners>& corners,
                       const Box& box)
    : corners_(corners),
      box_(box),
      risk_(market),
      prices_(market),
      multipliers_(market),
      demand_(corners.size(), 0.0) {}

/// Where the claim's part of the risk has the slope of its hull: more demand is worth it below.
HullPlanes::Touch HullPlanes::touch(int claim, double lambda, SeparableRisk::Part& part) {
  const auto k = static_cast<std::size_t>(claim);
  const Corners& corners = corners_[k];
  const double nu = risk_.point()[1];
  auto above = static_cast<std::size_t>(box_.first[k]);  // corners on either side
  auto below = static_cast<std::size_t>(box_.last[k]) + 1;
  double low = corners.demand[below];
  double high = corners.demand[above];
  double& demand = demand_[k];
  demand = std::clamp(demand, low, high);
  multipliers_.lambda()[claim] = -lambda;
  for (double step = kNear * nu;; step = kInfinity) {
    part = risk_.of(claim, demand);
    multipliers_.value()[claim] = part.by_demand;
    const int corner = multipliers_.best_corner(claim, corners, box_.first[k], box_.last[k]);
    const auto best = static_cast<std::size_t>(corner);
    const bool more = corners.demand[best] > demand;
    (more ? low : high) = demand;
    (more ? above : below) = best;
    const double half = 0.5 * (low + high);
    const bool between = low < half && half < high;  // of a tiny nu no double may be
    if (high - low <= kClose * nu || !between) {
      const double apart = corners.demand[above] - corners.demand[below];
      const double from_below = (demand - corners.demand[below]) / apart;
      const double share = apart > 0.0 ? std::clamp(from_below, 0.0, 1.0) : 0.5;
      const double beyond = part.by_demand * (corners.demand[best] - demand);
      return {corners.price[best] * (corners.demand[best] - lambda) - beyond,
              share * corners.price[above] + (1.0 - share) * corners.price[below]};
    }
    const double next = demand + (more ? step : -step);
    demand = low < next && next < high ? next : half;
  }
}

HullPlanes::Plane HullPlanes::plane(double lambda, double& slope) {
  const auto [r, nu] = risk_.point();
  const SeparableRisk::Part others = risk_.of_others();
  Plane plane{risk_.point(),
              nu - r - others.value + prices_.value(lambda),
              {-1.0 - others.by_point[0], 1.0 - others.by_point[1]}};
  slope = prices_.slope(lambda);
  SeparableRisk::Part part;
  for (int k = 0; k < box_.claims(); ++k) {
    const Touch here = touch(k, lambda, part);
    plane.value += here.worth - part.value;
    plane.slope[0] -= part.by_point[0];
    plane.slope[1] -= part.by_point[1];
    slope -= here.price;
  }
  return plane;
}

double HullPlanes::add(const RiskPoint& point, double& lambda) {
  risk_.move_to(point);
  ConvexLine line(lambda, kFirstStep * point[1]);
  Plane best{point, kInfinity, {}};
  for (int step = 0; step < kSteps; ++step) {
    double slope = 0.0;
    const Plane here = plane(line.next(), slope);
    if (here.value < best.value) {
      best = here;
    }
    if (!line.add(here.value, slope)) {
      break;
    }
  }
  if (std::isfinite(best.value + best.slope[0] + best.slope[1])) {
    planes_.push_back(best);
  }
  lambda = line.best().at;
  return best.value;
}

double HullPlanes::bound(const RiskRectangle& rectangle, double threshold) const {
  double least = kInfinity;
  for (const Plane& plane : planes_) {
    least = std::min(least, plane.value + rectangle.most(plane.point, plane.slope));
    if (least < threshold) {
      break;
    }
  }
  return least;
}

}  // namespace kpm
