#include "search/tree/hull_planes.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/convex_line.hpp"

namespace kpm {

namespace {

constexpr int kSteps = 4;            // for one lambda: roughly the best is as good
constexpr double kFirstStep = 0.05;  // of nu

}  // namespace

HullPlanes::HullPlanes(const ScaledMarket& market, const std::vector<Corners>& corners,
                       const Box& box)
    : corners_(corners), box_(box), risk_(market), prices_(market) {}

/// The hull of the run, of points (demand, price (demand - lambda)), from the largest demand on.
void HullPlanes::find_hull(std::size_t claim, double lambda) {
  const Corners& corners = corners_[claim];
  const auto last = static_cast<std::size_t>(box_.last[claim]) + 1;
  hull_.clear();
  for (auto at = static_cast<std::size_t>(box_.first[claim]); at <= last; ++at) {
    const double demand = corners.demand[at];
    const Vertex next{demand, corners.price[at] * (demand - lambda), corners.price[at], 0.0};
    while (!hull_.empty()) {
      Vertex& before = hull_.back();
      const double apart = before.demand - next.demand;
      before.slope = apart > 0.0 ? (before.worth - next.worth) / apart : kInfinity;
      const bool below = apart > 0.0
                             ? hull_.size() > 1 && before.slope <= hull_[hull_.size() - 2].slope
                             : before.worth <= next.worth;
      if (!below) {
        break;
      }
      hull_.pop_back();
    }
    if (hull_.empty() || hull_.back().slope < kInfinity) {
      hull_.push_back(next);
    }
  }
  hull_.back().slope = kInfinity;
}

/// Where the claim's part of the risk has the slope of its hull: more demand is worth it below.
HullPlanes::Touch HullPlanes::touch(int claim, double lambda, SeparableRisk::Part& part) {
  find_hull(static_cast<std::size_t>(claim), lambda);
  // The first vertex below which demand is worth less than its risk.
  std::size_t above = 0;
  std::size_t vertex = hull_.size() - 1;
  part = risk_.of(claim, hull_[vertex].demand);
  while (above < vertex) {
    const std::size_t middle = above + (vertex - above) / 2;
    const SeparableRisk::Part here = risk_.of(claim, hull_[middle].demand);
    if (here.by_demand <= hull_[middle].slope) {
      vertex = middle;
      part = here;
    } else {
      above = middle + 1;
    }
  }
  double demand = hull_[vertex].demand;
  double price = hull_[vertex].price;
  if (vertex > 0 && part.by_demand < hull_[vertex - 1].slope) {  // on the edge before it
    const Vertex& from = hull_[vertex - 1];
    const double apart = from.demand - demand;
    const double low = demand;
    demand = std::clamp(risk_.demand_at(claim, from.slope), low, from.demand);
    price += (demand - low) / apart * (from.price - price);
    part = risk_.of(claim, demand);
  }
  double worth = -kInfinity;
  for (const Vertex& end : hull_) {
    worth = std::max(worth, end.worth - part.by_demand * (end.demand - demand));
  }
  return {worth, price};
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
