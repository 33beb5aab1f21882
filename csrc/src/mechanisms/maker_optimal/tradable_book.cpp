#include "mechanisms/maker_optimal/tradable_book.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/entropy.hpp"
#include "prices/information_projection.hpp"
#include "risk/risk_measure.hpp"

namespace kpm {

namespace {

constexpr double kDwarfs = 64.0;  // times all levels, were they as large as the median one
constexpr double kPays = 64.0;    // the notional must fall by this factor
constexpr double kRoom = 2.0;     // times what could trade at most: to be exceeded by no optimum
constexpr int kThresholds = 6;
constexpr double kMargins[] = {0.25, 0.03125};  // of the way to the end of the price range

/// State prices, and what could trade at most by them.
struct Cut {
  Array state_prices;
  double most = 0.0;      // money: a level outside by a share m of its range trades most / m
  double notional = 0.0;  // of the book that is left
};

class Cutter {
 public:
  Cutter(const Market& market, const std::vector<Staircase>& stairs, const Levels& levels)
      : stairs_(stairs),
        floor_(levels.smaller_half()),
        scaled_(market, stairs, floor_),
        projection_(scaled_, arena_) {
    RiskMeasure measure(scaled_, arena_);
    no_trade_ = -measure.evaluate(-scaled_.inventory);
  }

  /// The cut that leaves least.
  Cut best(const Levels& levels) {
    Cut best = judge(scaled_.prior);
    double threshold = kDwarfs * static_cast<double>(levels.notional.size()) * levels.median();
    for (int t = 0; t < kThresholds && threshold < levels.largest; ++t, threshold *= kDwarfs) {
      for (const double margin : kMargins) {
        if (keep_outside(threshold, margin)) {
          Cut cut = judge(projection_.distribution());
          if (cut.notional < best.notional) {
            best = std::move(cut);
          }
        }
      }
    }
    return best;
  }

  TradableBook apply(const Cut& cut) const {
    TradableBook book;
    book.state_prices = cut.state_prices;
    book.stairs.reserve(stairs_.size());
    for (const Staircase& claim : stairs_) {
      book.stairs.push_back(claim.copy());
    }
    for (int k = 0; k < scaled_.claims(); ++k) {
      Staircase& claim = book.stairs[static_cast<std::size_t>(source(k))];
      const double price = scaled_.payoffs.row(k).dot(cut.state_prices.matrix());
      for (std::size_t l = 0; l < claim.limit.size(); ++l) {
        const double outside = price - scaled_.price(k, claim.limit[l]);
        double& quantity = outside > 0.0 ? claim.buy[l] : claim.sell[l];
        if (outside != 0.0) {
          quantity = std::min(quantity, kRoom * cut.most / std::abs(outside) / claim.span());
        }
      }
      claim.accumulate();
      claim.volume = claim.bought[0] + claim.sold[claim.limit.size()];
    }
    return book;
  }

 private:
  int source(int k) const { return scaled_.original[static_cast<std::size_t>(k)]; }

  /// Project the prior on state prices that leave every level beyond the threshold outside.
  bool keep_outside(double threshold, double margin) {
    projection_.clear();
    for (int i = 0; i < scaled_.states(); ++i) {
      projection_.add_state(i);
    }
    for (int k = 0; k < scaled_.claims(); ++k) {
      const Staircase& claim = stairs_[static_cast<std::size_t>(source(k))];
      double low = -kInfinity;
      double high = kInfinity;
      for (std::size_t l = 0; l < claim.limit.size(); ++l) {
        const double limit = scaled_.price(k, claim.limit[l]);
        if (claim.buy[l] * claim.span() > threshold) {
          low = std::max(low, limit + margin * (1.0 - limit));
        }
        if (claim.sell[l] * claim.span() > threshold) {
          high = std::min(high, limit - margin * limit);
        }
      }
      if (low > high) {
        return false;
      }
      projection_.set_range(k, low, high);
    }
    return projection_.settle();
  }

  /// What could trade by state prices, and the notional left when the rest is cut.
  Cut judge(const ArrayView& distribution) const {
    Cut cut;
    cut.state_prices = distribution / distribution.sum();
    const Array& g = cut.state_prices;
    double surplus = 0.0;                            // money
    std::vector<std::pair<double, double>> outside;  // of each such level: by how much, notional
    for (int k = 0; k < scaled_.claims(); ++k) {
      const Staircase& claim = stairs_[static_cast<std::size_t>(source(k))];
      const double price = scaled_.payoffs.row(k).dot(g.matrix());
      const auto take = [&](double by, double quantity) {
        const double notional = quantity * claim.span();
        if (by > 0.0) {
          outside.emplace_back(by, notional);
        } else {
          surplus -= by * notional;
          cut.notional += notional;
        }
      };
      take(price - 1.0, claim.bought[claim.limit.size()]);
      take(-price, claim.sold[0]);
      for (std::size_t l = 0; l < claim.limit.size(); ++l) {
        const double limit = scaled_.price(k, claim.limit[l]);
        take(price - limit, claim.buy[l]);
        take(limit - price, claim.sell[l]);
      }
    }
    const double divergence = relative_entropy_of(g, scaled_.prior) / scaled_.risk_aversion;
    const double rounding = 1e-14 * scaled_.inventory.maxCoeff();
    const double own = (g * scaled_.inventory).sum() - no_trade_ + divergence + rounding;
    // Never less than the smaller half of the levels: there is nothing to gain from cutting those.
    cut.most = floor_ * std::max(surplus / floor_ + own, 1.0);
    for (const auto& [by, notional] : outside) {
      cut.notional += std::min(notional, kRoom * cut.most / by);
    }
    return cut;
  }

  const std::vector<Staircase>& stairs_;
  Arena arena_;
  double floor_;
  ScaledMarket scaled_;
  InformationProjection projection_;
  double no_trade_ = 0.0;
};

}  // namespace

Levels::Levels(const std::vector<Staircase>& stairs) {
  std::vector<double> always;
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

double Levels::smaller_half() const {
  if (notional.empty()) {
    return 1.0;
  }
  std::vector<double> sorted = notional;
  std::sort(sorted.begin(), sorted.end());
  double sum = 0.0;
  for (std::size_t l = 0; l < std::max<std::size_t>(1, sorted.size() / 2); ++l) {
    sum += sorted[l];
  }
  return sum;
}

std::optional<TradableBook> tradable_book(const Market& market,
                                          const std::vector<Staircase>& stairs) {
  const Levels levels(stairs);
  const auto count = static_cast<double>(levels.notional.size());
  if (levels.largest <= kDwarfs * count * levels.median()) {
    return std::nullopt;
  }
  double whole = 0.0;
  for (const double level : levels.notional) {
    whole += level;
  }
  Cutter cutter(market, stairs, levels);
  const Cut cut = cutter.best(levels);
  if (!(kPays * cut.notional <= whole)) {
    return std::nullopt;
  }
  return cutter.apply(cut);
}

}  // namespace kpm
