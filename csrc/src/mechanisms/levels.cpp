#include "mechanisms/levels.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>

#include "numerics/pair.hpp"

namespace kpm {

namespace {

constexpr double kOwn = 1e6;  // times own_money(), which keeps ten of sixteen digits beside it

/// The positive ones of figures of which none is negative. Without a branch: nobody can guess which
/// side of a limit is empty.
class Positive {
 public:
  void add(double figure) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &figure, sizeof bits);
    const std::uint64_t before = bits - 1;  // integers in the order of the figures; zero comes last
    least_ = std::min(least_, before);
    largest_ = std::max(largest_, figure);
    count_ += bits != 0 ? 1 : 0;
  }

  double count() const { return static_cast<double>(count_); }
  double largest() const { return largest_; }
  double least() const {
    if (count_ == 0) {
      return kInfinity;
    }
    double figure = 0.0;
    const std::uint64_t bits = least_ + 1;
    std::memcpy(&figure, &bits, sizeof figure);
    return figure;
  }

 private:
  std::uint64_t least_ = std::numeric_limits<std::uint64_t>::max();
  double largest_ = 0.0;
  std::int64_t count_ = 0;
};

/// The least and the largest quantity at a limit of a claim that nobody both buys and sells at any;
/// nothing where somebody does.
struct OneSided {
  explicit OneSided(const Staircase& claim) {
    Pair low(kInfinity, kInfinity);
    Pair high(0.0, 0.0);
    Pair smaller(0.0, 0.0);
    const auto add = [&](const Pair& buy, const Pair& sell) {
      const Pair larger = buy.max(sell);
      low = low.min(larger);
      high = high.max(larger);
      smaller = smaller.max(buy.min(sell));
    };
    const std::size_t count = claim.limit.size();
    std::size_t l = 0;
    for (; l + 2 <= count; l += 2) {
      add(Eigen::Map<const Pair>(claim.buy.begin() + l),
          Eigen::Map<const Pair>(claim.sell.begin() + l));
    }
    if (l < count) {
      add(Pair::Constant(claim.buy[l]), Pair::Constant(claim.sell[l]));
    }
    least = low.minCoeff();
    largest = high.maxCoeff();
    holds = smaller.maxCoeff() == 0.0 && least > 0.0;
  }

  double least, largest;
  bool holds;
};

/// Whether no order can be a giant, found without a list: the least level stands for the median.
bool clearly_none(const Market& market, const std::vector<Staircase>& stairs) {
  double count = 0.0;
  double largest = 0.0;  // at a limit
  double least = kInfinity;
  for (const Staircase& claim : stairs) {
    const double span = claim.span();
    if (!(span > 0.0)) {
      continue;
    }
    // Quantities: rounding keeps their order when they are multiplied by the span.
    Positive levels;
    if (const OneSided sides(claim); sides.holds) {
      largest = std::max(largest, sides.largest * span);
      least = std::min(least, sides.least * span);
      count += static_cast<double>(claim.limit.size());
    } else {
      for (const Figures* side : {&claim.buy, &claim.sell}) {
        for (const double quantity : *side) {
          levels.add(quantity);
        }
      }
      largest = std::max(largest, levels.largest() * span);
    }
    levels.add(claim.bought[claim.limit.size()]);
    levels.add(claim.sold[0]);
    least = std::min(least, levels.least() * span);
    count += levels.count();
  }
  return count == 0.0 || largest <= std::min(kDwarfs * count * least, kOwn * own_money(market));
}

}  // namespace

double own_money(const Market& market) {
  const auto [least, most] =
      std::minmax_element(market.inventory, market.inventory + market.states);
  return std::max(1.0 / market.risk_aversion, *most - *least);
}

Levels::Levels(const Market& market, const std::vector<Staircase>& stairs) {
  own = kOwn * own_money(market);
  std::size_t limits = 0;
  for (const Staircase& claim : stairs) {
    limits += claim.limit.size();
  }
  notional.resize(2 * (limits + stairs.size()));
  double* end = notional.data();
  // Without a branch: see above.
  const auto add = [&](double quantity, double span) {
    *end = quantity * span;
    end += quantity > 0.0 ? 1 : 0;
  };
  for (const Staircase& claim : stairs) {
    const double span = claim.span();
    for (std::size_t l = 0; span > 0.0 && l < claim.limit.size(); ++l) {
      add(claim.buy[l], span);
      add(claim.sell[l], span);
    }
  }
  largest = std::accumulate(notional.data(), end, 0.0,
                            [](double most, double level) { return std::max(most, level); });
  for (const Staircase& claim : stairs) {
    if (const double span = claim.span(); span > 0.0) {
      add(claim.bought[claim.limit.size()], span);
      add(claim.sold[0], span);
    }
  }
  notional.resize(static_cast<std::size_t>(end - notional.data()));
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
  const std::size_t half = std::max<std::size_t>(1, sorted.size() / 2);
  const auto last = sorted.begin() + static_cast<std::ptrdiff_t>(half) - 1;
  std::nth_element(sorted.begin(), last, sorted.end());
  // Summed in the book's order, which is canonical, and not in whatever order they are left in.
  double sum = 0.0;
  std::size_t below = 0;
  for (const double level : notional) {
    const bool counts = level < *last;
    sum += counts ? level : 0.0;
    below += counts ? 1 : 0;
  }
  return sum + static_cast<double>(half - below) * *last;
}

}  // namespace kpm
