#include "mechanisms/levels.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

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

/// What a list of the levels would show, found without one.
struct Extent {
  explicit Extent(const std::vector<Staircase>& stairs) {
    for (const Staircase& claim : stairs) {
      if (claim.span() > 0.0) {
        add(claim);
      }
    }
  }

  double count = 0.0;
  double largest = 0.0;  // at a limit
  double least = kInfinity;

 private:
  void add(const Staircase& claim) {
    const double span = claim.span();
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
};

/// How many levels of a book, taken so many `times`, are less than `money`.
double count_below(const std::vector<Staircase>& stairs, double times, double money) {
  double below = 0.0;
  for (const Staircase& claim : stairs) {
    const double span = claim.span();
    const auto is_below = [&](double quantity) {
      return quantity > 0.0 && times * (quantity * span) < money ? 1.0 : 0.0;
    };
    for (const Figures* side : {&claim.buy, &claim.sell}) {
      for (std::size_t l = 0; span > 0.0 && l < side->size(); ++l) {
        below += is_below((*side)[l]);
      }
    }
    if (span > 0.0) {
      below += is_below(claim.bought[claim.limit.size()]) + is_below(claim.sold[0]);
    }
  }
  return below;
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
  memory_.reset(new double[2 * (limits + stairs.size())]);  // without zeros
  double* end = memory_.get();
  // Without a branch: see above.
  const auto add = [&](double quantity, double span) {
    *end = quantity * span;
    const double level = *end;
    end += quantity > 0.0 ? 1 : 0;
    return level;
  };
  for (const Staircase& claim : stairs) {
    const double span = claim.span();
    for (std::size_t l = 0; span > 0.0 && l < claim.limit.size(); ++l) {
      largest = std::max(largest, add(claim.buy[l], span));
      largest = std::max(largest, add(claim.sell[l], span));
    }
  }
  for (const Staircase& claim : stairs) {
    if (const double span = claim.span(); span > 0.0) {
      add(claim.bought[claim.limit.size()], span);
      add(claim.sold[0], span);
    }
  }
  notional = {memory_.get(), static_cast<std::size_t>(end - memory_.get())};
}

double Levels::median() const {
  if (notional.empty()) {
    return 1.0;
  }
  std::vector<double> sorted(notional.begin(), notional.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() - 1) / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

double Levels::giant() const {
  return std::min(kDwarfs * static_cast<double>(notional.size()) * median(), own);
}

bool has_giants(const Market& market, const std::vector<Staircase>& stairs) {
  const Extent book(stairs);
  if (book.largest > kOwn * own_money(market)) {
    return true;
  }
  const double times = kDwarfs * book.count;
  // None is less than the least, and the median is if more than half of them are.
  return book.largest > times * book.least &&
         count_below(stairs, times, book.largest) > 0.5 * (book.count - 1.0);
}

double Levels::smaller_half() const {
  if (notional.empty()) {
    return 1.0;
  }
  std::vector<double> sorted(notional.begin(), notional.end());
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
