#include "search/tree/branching.hpp"

#include <algorithm>
#include <cmath>

namespace kpm {

namespace {

constexpr double kUsual = 0.2;       // of the mean fall: what a claim not split yet is expected to
                                     // bring, as a few falls are far larger than most
constexpr double kLeastFall = 1e-4;  // of the gap
constexpr double kOfArea = 0.1;      // beside what the curvature says that a hull overstates

/// How far a value is outside a piece's ends.
double distance(int piece, double value, const LargeArray<double>& ends) {
  const auto [low, high] =
      std::minmax(ends[static_cast<std::size_t>(piece)], ends[static_cast<std::size_t>(piece) + 1]);
  return std::max({low - value, value - high, 0.0});
}

/// Of equal scores the larger area goes first, then the first claim.
bool promises_more(const Split& a, const Split& b) {
  return a.score > b.score || (a.score == b.score && a.area > b.area);
}

/// The split of each claim that can be split; its area is that of the claim, a piece at its price
/// and one at its demand.
template <class Area, class Visit>
void score_splits(const Box& box, const std::vector<Corners>& corners, const ArrayView& prices,
                  const ArrayView& demand, double gap, const PseudoCosts& costs, Area&& area_of,
                  Visit&& visit) {
  for (int k = 0; k < box.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const int first = box.first[at];
    const int last = box.last[at];
    if (first == last) {
      continue;
    }
    const Corners& claim = corners[at];
    const int by_price = claim.piece_at_price(first, last, prices[k]);
    const int by_demand = claim.piece_at_demand(first, last, demand[k]);
    const double area = area_of(k, by_price, by_demand);
    const int toward_demand = by_price > by_demand ? by_price - 1 : by_price;
    visit(Split{k, std::clamp(toward_demand, first, last - 1), area, costs.score(k, area, gap)});
  }
}

/// How far claims are off their staircases: price times demand.
auto area_off(const std::vector<Corners>& corners, const ArrayView& prices,
              const ArrayView& demand) {
  return [&corners, &prices, &demand](int k, int by_price, int by_demand) {
    const Corners& claim = corners[static_cast<std::size_t>(k)];
    return distance(by_demand, prices[k], claim.price) *
           distance(by_price, demand[k], claim.demand);
  };
}

/// By how much a claim's point in the hull is worth more than the best of its staircase.
double overstated(int claim, const Box& box, const std::vector<Corners>& corners, double demand,
                  const CurvedWorth& curved) {
  const auto at = static_cast<std::size_t>(claim);
  double most = -kInfinity;
  for (int piece = box.first[at]; piece <= box.last[at]; ++piece) {
    most = std::max(most, curved.most(claim, corners[at], piece, demand));
  }
  const double hull = curved.multipliers().most(claim, corners[at], box.first[at], box.last[at]);
  return std::max(hull - most, 0.0);
}

}  // namespace

void PseudoCosts::learn(const Half& half, double bound) {
  // A box that no multipliers had bounded has no fall: it would be infinite.
  if (half.claim < 0 || !(half.area > 0.0) || !std::isfinite(half.whole)) {
    return;
  }
  const double ratio = std::max(half.whole - bound, 0.0) / half.area;
  seen_.resize(2 * claims_);
  for (Falls* const falls : {&seen_[at(half.claim, half.upper)], &all_}) {
    falls->sum += ratio;
    falls->count += 1.0;
  }
}

double score_of(double lower, double upper, double gap) {
  const double least = kLeastFall * gap;
  return std::clamp(lower, least, gap) * std::clamp(upper, least, gap);
}

double PseudoCosts::score(int claim, double area, double gap) const {
  const double usual = all_.count > 0.0 ? kUsual * all_.sum / all_.count : 1.0;
  const auto expected = [&](bool upper) {
    const Falls falls = seen_.empty() ? Falls() : seen_[at(claim, upper)];
    return (falls.sum + usual) / (falls.count + 1.0) * area;
  };
  return score_of(expected(false), expected(true), gap);
}

Split choose_split(const Box& box, const std::vector<Corners>& corners, const ArrayView& prices,
                   const ArrayView& demand, double gap, const PseudoCosts& costs,
                   const CurvedWorth* curved) {
  const auto off = area_off(corners, prices, demand);
  const auto area_of = [&](int k, int by_price, int by_demand) {
    const double area = off(k, by_price, by_demand);
    return curved == nullptr || !curved->is_known()
               ? area
               : overstated(k, box, corners, demand[k], *curved) + kOfArea * area;
  };
  Split best;
  score_splits(box, corners, prices, demand, gap, costs, area_of, [&](const Split& split) {
    if (best.claim < 0 || promises_more(split, best)) {
      best = split;
    }
  });
  return best;
}

void choose_splits(const Box& box, const std::vector<Corners>& corners, const ArrayView& prices,
                   const ArrayView& demand, double gap, const PseudoCosts& costs, std::size_t most,
                   std::vector<Split>& splits) {
  splits.clear();
  const auto keep_most = [&](const Split& split) {
    if (!(split.area > 0.0)) {
      return;
    }
    splits.insert(std::upper_bound(splits.begin(), splits.end(), split, promises_more), split);
    if (splits.size() > most) {
      splits.pop_back();
    }
  };
  score_splits(box, corners, prices, demand, gap, costs, area_off(corners, prices, demand),
               keep_most);
}

}  // namespace kpm
