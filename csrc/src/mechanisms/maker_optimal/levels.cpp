#include "mechanisms/maker_optimal/levels.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace kpm {

namespace {

constexpr double kOwn = 1e6;

/// Whether no order can be a giant, found without a list: the least level stands for the median.
bool clearly_none(const Market& market, const std::vector<Staircase>& stairs) {
  double least = kInfinity;
  double largest = 0.0;
  double count = 0.0;
  for (const Staircase& claim : stairs) {
    const double span = claim.span();
    if (!(span > 0.0)) {
      continue;
    }
    for (const Figures* side : {&claim.buy, &claim.sell}) {
      for (const double quantity : *side) {
        const double level = quantity * span;
        if (level > 0.0) {
          least = std::min(least, level);
          largest = std::max(largest, level);
          count += 1.0;
        }
      }
    }
    for (const double quantity : {claim.bought[claim.limit.size()], claim.sold[0]}) {
      const double level = quantity * span;
      if (level > 0.0) {
        least = std::min(least, level);
        count += 1.0;
      }
    }
  }
  return largest <= std::min(kDwarfs * count * least, kOwn * own_money(market)) || count == 0.0;
}

}  // namespace

double own_money(const Market& market) {
  const auto [least, most] =
      std::minmax_element(market.inventory, market.inventory + market.states);
  return std::max(1.0 / market.risk_aversion, *most - *least);
}

Levels::Levels(const Market& market, const std::vector<Staircase>& stairs) {
  own = kOwn * own_money(market);
  std::vector<double> always;
  std::size_t limits = 0;
  for (const Staircase& claim : stairs) {
    limits += claim.limit.size();
  }
  notional.reserve(2 * (limits + stairs.size()));
  always.reserve(2 * stairs.size());
  for (const Staircase& claim : stairs) {
    if (!(claim.span() > 0.0)) {
      continue;
    }
    const auto add = [&](std::vector<double>& to, double quantity) {
      if (quantity > 0.0) {
        to.push_back(quantity * claim.span());
      }
    };
    for (std::size_t l = 0; l < claim.limit.size(); ++l) {
      add(notional, claim.buy[l]);
      add(notional, claim.sell[l]);
    }
    add(always, claim.bought[claim.limit.size()]);
    add(always, claim.sold[0]);
  }
  for (const double level : notional) {
    largest = std::max(largest, level);
  }
  notional.insert(notional.end(), always.begin(), always.end());
}

double Levels::median() const {
  if (notional.empty()) {
    return 1.0;
  }
  std::vector<double> sorted = notional;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() - 1) / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

double Levels::giant() const {
  return std::min(kDwarfs * static_cast<double>(notional.size()) * median(), own);
}

bool has_giants(const Market& market, const std::vector<Staircase>& stairs) {
  if (clearly_none(market, stairs)) {
    return false;
  }
  const Levels levels(market, stairs);
  return levels.largest > levels.giant();
}

double Levels::smaller_half() const {
  if (notional.empty()) {
    return 1.0;
  }
  std::vector<double> sorted = notional;
  // Only these are put in order: their sum is that of the sorted list to the last bit.
  const auto middle =
      sorted.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(1, sorted.size() / 2));
  std::nth_element(sorted.begin(), middle - 1, sorted.end());
  std::sort(sorted.begin(), middle);
  return std::accumulate(sorted.begin(), middle, 0.0);
}

}  // namespace kpm
