// A claim's demand as the traders' value of it: what the convex rules maximise.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "book/scaled_market.hpp"
#include "book/staircase.hpp"
#include "numerics/large_array.hpp"

namespace kpm {

/// A staircase's demand in scaled units, cut at a reach: computed where it is asked for, which is
/// at a few of a million limits.
class ScaledDemand {
 public:
  ScaledDemand() = default;
  ScaledDemand(const Figures& shares, double unit, double reach)
      : shares_(shares), unit_(unit), reach_(reach) {}

  std::size_t size() const { return shares_.size(); }
  double operator[](std::size_t l) const { return scaled(shares_[l]); }
  double front() const { return scaled(shares_[0]); }
  double back() const { return scaled(shares_[size() - 1]); }
  /// Whether anything is cut.
  bool is_cut() const { return std::max(front(), -back()) >= reach_; }
  /// Whether this rung is.
  bool is_cut(std::size_t l) const { return std::abs((*this)[l]) >= reach_; }
  /// The first rung whose demand is not above the given one; size() if there is none.
  std::size_t first_within(double most) const {
    return static_cast<std::size_t>(
        std::partition_point(shares_.begin(), shares_.end(),
                             [&](double shares) { return scaled(shares) > most; }) -
        shares_.begin());
  }

 private:
  double scaled(double shares) const { return std::clamp(shares * unit_, -reach_, reach_); }

  Figures shares_;
  double unit_ = 1.0;
  double reach_ = kInfinity;
};

/// The rungs of one claim in scaled units: between limits, net demand is one of demand[0 .. n],
/// which never increases, and value[l] is what the traders bid for the claim's net demand at rung
/// l: concave in the demand with slope limit[l] between rungs l + 1 and l. Its constant is such
/// that orders which every price fills are worth nothing and the first rung's bids all they bid,
/// but counted from a rung in the middle: a giant far from the prices must not cost its digits.
/// It reads the staircase, which must outlive it.
class Ladder {
 public:
  Ladder() = default;
  Ladder(Ladder&&) = default;
  Ladder& operator=(Ladder&&) = default;

  /// Of claim k, counted from the rung at `price`.
  void read(const ScaledMarket& market, int k, const Staircase& claim, double price, double reach);

  int rungs() const { return static_cast<int>(demand.size()); }
  /// The rung of a price: the demand of prices just above the limits below it.
  int rung(double price) const;

  Figures limit;             ///< (n)
  ScaledDemand demand;       ///< (n + 1)
  LargeArray<double> value;  ///< (n + 1), less value at rung `origin`
  int origin = 0;

 private:
  LargeArray<double> scaled_limits_;  // where they are not the staircase's own
};

/// One claim after the other, those of the scaled market, counted from the rungs at `prices`. No
/// demand is larger than `reach`: orders beyond it are cut short.
std::vector<Ladder> find_ladders(const ScaledMarket& market, const std::vector<Staircase>& stairs,
                                 const ArrayView& prices, double reach);

}  // namespace kpm
