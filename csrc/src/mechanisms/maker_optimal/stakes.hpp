// The money at stake in a clearing, by which its gap is measured.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "book/scaled_market.hpp"
#include "book/staircase.hpp"
#include "kpm/kpm.hpp"
#include "mechanisms/levels.hpp"
#include "numerics/dense.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

/// What is at stake in a clearing, in scaled money: a lower bound on what trades, or the floor
/// where that is less.
class Stakes {
 public:
  Stakes(const Market& market, const ScaledMarket& scaled, const std::vector<Staircase>& stairs)
      : market_(market), scaled_(scaled), stairs_(stairs) {}

  /// Where nothing trades: what stands in the smaller half of the book, money.
  double smaller_half() const {
    if (smaller_half_ == 0.0) {
      smaller_half_ = Levels(market_, stairs_).smaller_half();
    }
    return smaller_half_;
  }

  double floor() const { return smaller_half() / scaled_.scale; }

  /// `cell` names the pieces of the scaled market's claims; `net` is their demand, or that of
  /// claims merged from them. Where the clearing's `value` is no more than that of no trade, which
  /// is zero at least, so little demand may be what its solver has left over: then as much is at
  /// stake as where nothing trades.
  double of(const std::vector<int>& cell, const ArrayView& net, double value) const {
    double filled = 0.0;
    for (int k = 0; k < scaled_.claims(); ++k) {
      const auto at = static_cast<std::size_t>(k);
      const Staircase& claim = stairs_[static_cast<std::size_t>(scaled_.original[at])];
      const auto l = static_cast<std::size_t>(cell[at] / 2);
      const std::size_t above = l + (Staircase::is_step(cell[at]) ? 1 : 0);
      filled += scaled_.demand(k, claim.bought[above] + claim.sold[l]);
    }
    const double traded = std::max(filled, net.abs().sum());
    const bool left_over = value <= 0.0 && traded <= kStepEnd;
    return left_over || !(traded > 0.0) ? std::max(traded, floor()) : traded;
  }

  /// No clearing, whatever its prices, has less at stake than this: what is filled for certain at
  /// the price of each claim at which that is least. None where nothing need be filled.
  double least() const {
    double filled = 0.0;
    for (int k = 0; k < scaled_.claims(); ++k) {
      const Staircase& claim =
          stairs_[static_cast<std::size_t>(scaled_.original[static_cast<std::size_t>(k)])];
      double least = kInfinity;
      for (std::size_t l = 0; l <= claim.limit.size(); ++l) {
        const std::size_t above = std::min(l + 1, claim.limit.size());  // on the limit, if any
        least = std::min(least, claim.bought[above] + claim.sold[l]);
      }
      filled += scaled_.demand(k, least);
    }
    return filled;
  }

 private:
  const Market& market_;
  const ScaledMarket& scaled_;
  const std::vector<Staircase>& stairs_;
  mutable double smaller_half_ = 0.0;  // once it is asked for
};

/// The notional of what the maker trades, money.
inline double notional(const std::vector<Staircase>& stairs, const std::vector<double>& demand) {
  double sum = 0.0;
  for (std::size_t k = 0; k < stairs.size(); ++k) {
    sum += stairs[k].span() * std::abs(demand[k]);
  }
  return sum;
}

/// The most that trading changes the maker's payoff in a state by, money.
inline double moved_by(const Market& market, const Clearing& clearing) {
  double most = 0.0;
  for (std::size_t i = 0; i < clearing.payoff.size(); ++i) {
    most = std::max(most, std::abs(clearing.payoff[i] - market.inventory[i]));
  }
  return most;
}

}  // namespace kpm
