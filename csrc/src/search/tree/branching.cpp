#include "search/tree/branching.hpp"

#include <algorithm>

namespace kpm {

namespace {

constexpr double kUsual = 0.2;       // of the mean fall: what a claim not split yet is expected to
                                     // bring, as a few falls are far larger than most
constexpr double kLeastFall = 1e-4;  // of the gap

/// How far a value is outside a piece's ends.
double distance(int piece, double value, const std::vector<double>& ends) {
  const auto [low, high] =
      std::minmax(ends[static_cast<std::size_t>(piece)], ends[static_cast<std::size_t>(piece) + 1]);
  return std::max({low - value, value - high, 0.0});
}

}  // namespace

void PseudoCosts::learn(const Half& half, double bound) {
  if (half.claim < 0 || !(half.area > 0.0) || !(half.whole < kInfinity)) {
    return;  // of a node that had no bound nothing is learnt
  }
  const double ratio = std::max(half.whole - bound, 0.0) / half.area;
  seen_.resize(2 * claims_);
  for (Falls* const falls : {&seen_[at(half.claim, half.upper)], &all_}) {
    falls->sum += ratio;
    falls->count += 1.0;
  }
}

double PseudoCosts::score(int claim, double area, double gap) const {
  const double usual = all_.count > 0.0 ? kUsual * all_.sum / all_.count : 1.0;
  double product = 1.0;
  for (const bool upper : {false, true}) {
    const Falls falls = seen_.empty() ? Falls() : seen_[at(claim, upper)];
    const double ratio = (falls.sum + usual) / (falls.count + 1.0);
    product *= std::clamp(ratio * area, kLeastFall * gap, gap);
  }
  return product;
}

Split choose_split(const Box& box, const std::vector<Corners>& corners, const ArrayView& prices,
                   const ArrayView& demand, double gap, const PseudoCosts& costs) {
  Split best;
  double most = -1.0;
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
    const double area =
        distance(by_demand, prices[k], claim.price) * distance(by_price, demand[k], claim.demand);
    const double score = costs.score(k, area, gap);
    if (score > most || (score == most && area > best.area)) {
      most = score;
      best = {k, std::clamp((by_price + by_demand) / 2, first, last - 1), area};
    }
  }
  return best;
}

}  // namespace kpm
