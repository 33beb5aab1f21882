// The quantities that stand in a book, and whether one of them dwarfs the rest.
#pragma once

#include <memory>
#include <vector>

#include "book/staircase.hpp"
#include "kpm/kpm.hpp"

namespace kpm {

constexpr double kDwarfs = 64.0;  ///< so many times what could trade beside it

/// The money that counts to the maker, by its aversion and its inventory.
double own_money(const Market& market);

/// Quantities that stand at a limit, one after the other: (claim, limit, side), and on each side of
/// a claim what trades at every price. Notional is money: payoff range times quantity.
struct Levels {
  Levels(const Market& market, const std::vector<Staircase>& stairs);

  Figures notional;      ///< all of them, those at a limit first
  double largest = 0.0;  ///< of those at a limit
  double own;            ///< far more than counts to the maker

  /// Together, the smaller half of them (one at least); 1 if there is none. What one order can
  /// raise at most to the next larger level, and hardly lower.
  double smaller_half() const;
  double median() const;
  /// From here on one dwarfs all of them, were they as large as the median, or the maker.
  double giant() const;

 private:
  std::unique_ptr<double[]> memory_;
};

bool has_giants(const Market& market, const std::vector<Staircase>& stairs);

}  // namespace kpm
