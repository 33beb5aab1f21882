#include "search/tree/curved_bound.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "numerics/convex_line.hpp"

namespace kpm {

namespace {

constexpr int kSteps = 40;           // for one lambda
constexpr double kFirstStep = 1e-3;  // of nu
constexpr double kNear = 4e-3;       // of nu
constexpr double kShare = 0.05;      // of what a bound is above its threshold: close enough
constexpr double kExact = 1e-14;
constexpr double kLeastBeyond = 0.7;  // logarithms of how far a slope may be off a price
constexpr double kMostBeyond = 50.0;
constexpr double kLeast = 1e-12;  // price of such a tangent

}  // namespace

CurvedBound::CurvedBound(const ScaledMarket& market, const std::vector<Corners>& corners)
    : corners_(corners), risk_(market), prices_(market) {}

/// The tangent of a piece far off grows so fast with nu that it says little at the corners of a
/// large rectangle. A tangent anywhere else is valid, too: slopes are kept near the prices, the
/// nearer the larger the rectangle is.
void CurvedBound::add_tangents(int claim, int first, int last) {
  const Corners& corners = corners_[static_cast<std::size_t>(claim)];
  for (int piece = first; piece <= last; ++piece) {
    const auto at = static_cast<std::size_t>(piece);
    const double top = corners.demand[at];
    const double bottom = corners.demand[at + 1];
    const double low = std::max(corners.price[at], kLeast);
    const double high = std::max(corners.price[at + 1], kLeast);
    double demand = top;
    if (Staircase::is_step(piece)) {
      demand = std::clamp(risk_.demand_at(claim, low), bottom, top);
    }
    SeparableRisk::Part part = risk_.of(claim, demand);
    if (!(part.by_demand <= beyond_ * high) || part.by_demand < low / beyond_) {
      demand = risk_.demand_at(claim, part.by_demand < low ? low / beyond_ : beyond_ * high);
      part = risk_.of(claim, demand);
    }
    const auto add = [&](std::size_t corner) {
      const double y = corners.demand[corner];
      const double worth = corners.price[corner] * y - part.value - part.by_demand * (y - demand);
      // What overflows bounds nothing.
      const bool finite = std::isfinite(worth);
      ends_.push_back({finite ? worth : kInfinity, corners.price[corner],
                       finite ? part.by_point : RiskPoint{}, piece});
    };
    add(at);
    add(at + 1);
  }
}

/// Mostly two or three of a claim's ends.
void CurvedBound::keep_near(double lambda) {
  if (std::abs(lambda - near_) <= width_) {
    return;
  }
  near_ = lambda;
  const RiskPoint half = offs_.back();
  width_ = std::max(half[0], kNear * risk_.point()[1]);
  kept_.clear();
  begin_of_kept_.assign(1, 0);
  for (std::size_t k = 0; k + 1 < begin_.size(); ++k) {
    const auto first = ends_.begin() + static_cast<std::ptrdiff_t>(begin_[k]);
    const auto last = ends_.begin() + static_cast<std::ptrdiff_t>(begin_[k + 1]);
    const auto here = [&](const End& end) { return end.worth - lambda * end.price; };
    const End& best = *std::max_element(
        first, last, [&](const End& a, const End& b) { return here(a) < here(b); });
    const double most = here(best);
    std::copy_if(first, last, std::back_inserter(kept_), [&](const End& end) {
      const double gain = width_ * std::abs(end.price - best.price) +
                          half[0] * std::abs(end.by_point[0] - best.by_point[0]) +
                          half[1] * std::abs(end.by_point[1] - best.by_point[1]);
      return !(here(end) + gain < most);
    });
    begin_of_kept_.push_back(kept_.size());
  }
}

const CurvedBound::End& CurvedBound::best_end(std::size_t claim, double lambda,
                                              const RiskPoint& off) const {
  std::size_t best = begin_of_kept_[claim];
  double most = worth(kept_[best], lambda, off);
  for (std::size_t end = best + 1; end < begin_of_kept_[claim + 1]; ++end) {
    const double here = worth(kept_[end], lambda, off);
    if (!(here <= most)) {
      most = here;
      best = end;
    }
  }
  return kept_[best];
}

CurvedBound::Sum CurvedBound::sum(double lambda, const RiskPoint& off) {
  keep_near(lambda);
  Sum sum{prices_.value(lambda), prices_.slope(lambda)};
  const auto [r, nu] = risk_.point();
  sum.value += nu + off[1] - r - off[0] - others_.value - others_.by_point[0] * off[0] -
               others_.by_point[1] * off[1];
  for (std::size_t k = 0; k + 1 < begin_.size(); ++k) {
    const End& end = best_end(k, lambda, off);
    sum.value += worth(end, lambda, off);
    sum.slope -= end.price;
  }
  return sum;
}

double CurvedBound::bound(const Box& box, const RiskRectangle& rectangle, double threshold,
                          double& lambda) {
  const RiskPoint middle = {rectangle.middle(0), rectangle.middle(1)};
  risk_.move_to(middle);
  beyond_ = std::exp(std::clamp(middle[1] / rectangle.half(1), kLeastBeyond, kMostBeyond));
  ends_.clear();
  begin_.assign(1, 0);
  for (int k = 0; k < box.claims(); ++k) {
    add_tangents(k, box.first[static_cast<std::size_t>(k)], box.last[static_cast<std::size_t>(k)]);
    begin_.push_back(ends_.size());
  }
  others_ = risk_.of_others();
  width_ = -1.0;  // nothing is kept yet
  const double half[] = {rectangle.half(0), rectangle.half(1)};
  offs_ = {{{-half[0], -half[1]}, {half[0], -half[1]}, {-half[0], half[1]}, {half[0], half[1]}}};
  ConvexLine line(lambda, kFirstStep * middle[1]);
  for (int step = 0; step < kSteps; ++step) {
    Sum most{-kInfinity, 0.0};
    for (const RiskPoint& off : offs_) {
      const Sum here = sum(line.next(), off);
      most = here.value <= most.value ? most : here;
    }
    const bool more = line.add(most.value, most.slope);
    const double best = line.best().value;
    if (!more || best < threshold ||
        best - line.bound() <= std::max(kShare * (line.bound() - threshold), kExact)) {
      break;
    }
  }
  lambda = line.best().at;
  return line.best().value;
}

bool CurvedBound::cut(double lambda, double threshold, Box& box) {
  const Box whole = box;
  box.first.assign(box.first.size(), 0);
  box.last.assign(box.last.size(), -1);  // nothing yet
  for (const RiskPoint& off : offs_) {
    const double all = sum(lambda, off).value;
    for (std::size_t k = 0; k < box.first.size(); ++k) {
      const double others = all - worth(best_end(k, lambda, off), lambda, off);
      for (std::size_t end = begin_[k]; end < begin_[k + 1]; ++end) {
        if (others + worth(ends_[end], lambda, off) < threshold) {
          continue;
        }
        const int piece = ends_[end].piece;
        const bool none = box.last[k] < box.first[k];
        box.first[k] = none ? piece : std::min(box.first[k], piece);
        box.last[k] = std::max(box.last[k], piece);
      }
    }
  }
  for (std::size_t k = 0; k < box.first.size(); ++k) {
    if (box.last[k] < box.first[k]) {
      box = whole;
      return false;
    }
  }
  return true;
}

CurvedBound::Middle CurvedBound::middle(const Box& box, double lambda) {
  const RiskPoint here{};
  ConvexLine line(lambda, kFirstStep * risk_.point()[1]);
  for (int step = 0; step < kSteps; ++step) {
    const Sum value = sum(line.next(), here);
    if (!line.add(value.value, value.slope) || line.best().value - line.bound() <= kExact) {
      break;
    }
  }
  Middle middle;
  middle.value = line.best().value;
  double widest = 0.0;
  for (std::size_t k = 0; k + 1 < begin_.size(); ++k) {
    const End& before = best_end(k, line.low().at, here);
    const End& behind = best_end(k, line.high().at, here);
    middle.cell.push_back(before.piece);
    const double apart = std::abs(before.price - behind.price);
    const auto [first, last] = std::minmax(before.piece, behind.piece);
    const int piece = first + (last - first - 1) / 2;
    if (apart > widest && box.first[k] <= piece && piece < box.last[k]) {
      widest = apart;
      middle.claim = static_cast<int>(k);
      middle.piece = piece;
    }
  }
  return middle;
}

}  // namespace kpm
