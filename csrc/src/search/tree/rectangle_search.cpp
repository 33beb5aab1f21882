#include "search/tree/rectangle_search.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

constexpr int kClaims = 64;           // from which it pays, and the ambiguity:
constexpr double kAmbiguity = 5e-4;   // where it is less, trees are small, and nu is large
constexpr std::int64_t kMost = 2500;  // pieces looked at, a claim: a fraction of a second
constexpr double kNoMatter = 0.3;     // of what a bound is too high: what its rectangle adds to it
constexpr double kLeft = 10 * kTie;   // what is left is worth no more than this above the best
constexpr int kFew = 32;              // choices left that a few nodes make, and if there are more:
constexpr double kFiner = 3.2;        // how much nearer to the best what is left then has to be,
constexpr double kMore = 0.25;        // and how much longer it may take
constexpr int kMostCells = 8;         // that look better
constexpr double kOperations = 1e4;   // a claim, for one bound
// In units of nu about the relaxation's optimum:
constexpr RiskPoint kWide = {0.15, 0.25};  // half a rectangle whose size alone leaves it unbounded
constexpr int kDirections = 8;
constexpr double kTurn = 2.0 * static_cast<double>(EIGEN_PI);
constexpr double kFirst = 0.1;
constexpr int kDoublings = 6;

}  // namespace

bool RectangleSearch::serves(const ScaledMarket& market) {
  // Bounds beside a large inventory are as rough as its last digits.
  const double rounding = kGapRounding * (1.0 + market.inventory.maxCoeff());
  return market.claims() >= kClaims && market.disjoint.disjoint() &&
         market.kind == Ambiguity::kBall && market.ambiguity >= kAmbiguity &&
         rounding <= 0.1 * kTie;
}

RectangleSearch::RectangleSearch(const ScaledMarket& market, const std::vector<Corners>& corners,
                                 Checkpoint& checkpoint, LocalSearch& cells, const Box& box,
                                 const RiskPoint& around, double lambda)
    : market_(market),
      corners_(corners),
      checkpoint_(checkpoint),
      cells_(cells),
      around_(around),
      risk_(market),
      curved_(market, corners),
      planes_(market, corners, box),
      most_(kMost * market.claims()) {
  push({box, risk_.domain(corners, box), lambda, kInfinity});
}

std::optional<RectangleSearch::Left> RectangleSearch::run(double& best, double enough,
                                                          std::vector<Candidate>& found) {
  surround(best - kTie);
  std::optional<Left> left;
  for (double above = std::max(kLeft, enough);; above /= kFiner) {
    if (!search(above, best, found)) {
      return left;
    }
    left = all_open(best);
    if (left->choices <= kFew || above <= kTie || above == enough) {
      return left;
    }
    most_ =
        std::min(most_, pieces_ + static_cast<std::int64_t>(kMore * static_cast<double>(pieces_)));
  }
}

/// Until nothing open is worth more than so much above the best. False where that takes too long.
bool RectangleSearch::search(double above, double& best, std::vector<Candidate>& found) {
  while (!open_.empty() && open_.front().bound > best + above) {
    if (pieces_ > most_) {
      return false;
    }
    Part part = pop();
    const RiskRectangle domain = risk_.domain(corners_, part.box);
    bool empty = false;
    for (std::size_t side = 0; side < 2; ++side) {
      double& low = part.rectangle.low[side];
      double& high = part.rectangle.high[side];
      low = std::max(low, domain.low[side]);
      high = std::min(high, domain.high[side]);
      empty = empty || low > high;
    }
    if (!empty) {
      divide(std::move(part), best, found);
    }
  }
  return true;
}

/// Planes around the relaxation's optimum, just where hulls are worth less than the threshold.
void RectangleSearch::surround(double threshold) {
  for (int n = 0; n < kDirections; ++n) {
    double lambda = open_.front().lambda;
    double distance = kFirst;
    for (int step = 0; step < kDoublings; ++step) {
      const double angle = kTurn * n / kDirections;
      checkpoint_.pass(kOperations * market_.claims());
      if (planes_.add({around_[0] + distance * std::cos(angle) * around_[1],
                       around_[1] * std::exp(distance * std::sin(angle))},
                      lambda) < threshold) {
        break;
      }
      distance *= 2.0;
    }
  }
}

bool RectangleSearch::wide(const RiskRectangle& rectangle) const {
  return rectangle.half(0) > kWide[0] * around_[1] || rectangle.half(1) > kWide[1] * around_[1];
}

/// What the curvature in r or nu may add to a bound by tangents at the middle: the second
/// derivatives of the risk in these are 1 / nu + a and 2 Omega / nu, or nearly.
double RectangleSearch::bent(const RiskRectangle& rectangle, std::size_t side) const {
  const double half = rectangle.half(side);
  const double nu = rectangle.middle(1);
  const double bend = side == 0 ? 1.0 / nu + market_.risk_aversion : 2.0 * market_.ambiguity / nu;
  return 0.5 * bend * half * half;
}

/// By tangents of the pieces. Where a plane bounds the rectangle better, far from the relaxation's
/// optimum, by another plane too.
bool RectangleSearch::bounded_by_tangents(Part& part, double threshold) {
  look_at(part.box);
  const double bound = curved_.bound(part.box, part.rectangle, threshold, part.lambda);
  if (bound <= planes_.bound(part.rectangle, threshold)) {
    part.bound = std::min(part.bound, bound);
    return bound < threshold;
  }
  look_at(part.box);
  double lambda = part.lambda;
  planes_.add({part.rectangle.middle(0), part.rectangle.middle(1)}, lambda);
  return bounded_by_planes(part, threshold);
}

bool RectangleSearch::bounded_by_planes(Part& part, double threshold) const {
  part.bound = std::min(part.bound, planes_.bound(part.rectangle, threshold));
  return part.bound < threshold;
}

void RectangleSearch::look_at(const Box& box) {
  for (std::size_t k = 0; k < box.first.size(); ++k) {
    pieces_ += box.last[k] - box.first[k] + 1;
  }
  checkpoint_.pass(kOperations * box.claims());
}

void RectangleSearch::divide(Part part, double& best, std::vector<Candidate>& found) {
  const double threshold = best - kTie;
  if (bounded_by_planes(part, threshold)) {
    return;
  }
  if (wide(part.rectangle)) {
    halve(std::move(part));
    return;
  }
  if (bounded_by_tangents(part, threshold) || !curved_.cut(part.lambda, threshold, part.box)) {
    return;
  }
  const double bends = std::max(bent(part.rectangle, 0), bent(part.rectangle, 1));
  if (bends < kNoMatter * (part.bound - best)) {
    const CurvedBound::Middle middle = curved_.middle(part.box, part.lambda);
    if (middle.claim >= 0) {
      const auto at = static_cast<std::size_t>(middle.claim);
      Part other = part;
      part.box.last[at] = middle.piece;
      other.box.first[at] = middle.piece + 1;
      push(std::move(part));
      push(std::move(other));
      return;
    }
    if (middle.value > best + kTie && solved_ < kMostCells) {  // the cell is worth that, at least
      ++solved_;
      best = std::max(best, cells_.solve(middle.cell, found));
    }
  }
  halve(std::move(part));
}

/// Along the side that bends the bound more.
void RectangleSearch::halve(Part part) {
  pieces_ += market_.claims();
  checkpoint_.pass(kOperations);
  const std::size_t side = bent(part.rectangle, 0) > bent(part.rectangle, 1) ? 0 : 1;
  const double middle = part.rectangle.middle(side);
  Part other = part;
  part.rectangle.high[side] = middle;
  other.rectangle.low[side] = middle;
  push(std::move(part));
  push(std::move(other));
}

void RectangleSearch::push(Part&& part) {
  open_.push_back(std::move(part));
  std::push_heap(open_.begin(), open_.end(),
                 [](const Part& a, const Part& b) { return a.bound < b.bound; });
}

RectangleSearch::Part RectangleSearch::pop() {
  std::pop_heap(open_.begin(), open_.end(),
                [](const Part& a, const Part& b) { return a.bound < b.bound; });
  Part part = std::move(open_.back());
  open_.pop_back();
  return part;
}

/// The smallest box around all that is open and may be as good as the best.
RectangleSearch::Left RectangleSearch::all_open(double best) const {
  Left left;
  for (const Part& part : open_) {
    if (part.bound < best - kTie) {
      continue;
    }
    left.bound = std::max(left.bound, part.bound);
    if (left.box.first.empty()) {
      left.box = part.box;
    }
    for (std::size_t k = 0; k < part.box.first.size(); ++k) {
      left.box.first[k] = std::min(left.box.first[k], part.box.first[k]);
      left.box.last[k] = std::max(left.box.last[k], part.box.last[k]);
    }
  }
  for (std::size_t k = 0; k < left.box.first.size(); ++k) {
    left.choices += left.box.last[k] - left.box.first[k];
  }
  return left;
}

}  // namespace kpm
