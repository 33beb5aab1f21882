// A claim's net demand as a function of its price: all J orders enter the algorithms through
// these staircases only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kpm/kpm.hpp"

namespace kpm {

/// Net demand of one claim. Limits l = 0..n-1 ascend within the payoff range; flat l lies below
/// limit l (flat n above the last), step l at limit l. Piece 2l is flat l, piece 2l + 1 step l.
struct Staircase {
  double price_min = 0.0;  ///< the claim's least payoff
  double price_max = 0.0;
  std::vector<double> limit;   ///< (n) distinct limits
  std::vector<double> buy;     ///< (n) quantity bid at the limit
  std::vector<double> sell;    ///< (n) quantity offered at the limit
  std::vector<double> bought;  ///< (n + 1) bids filled in full on each flat
  std::vector<double> sold;    ///< (n + 1) offers filled in full on each flat
  std::vector<double> demand;  ///< (n + 1) bought minus sold, never increasing
  double volume = 0.0;         ///< quantity of all orders, market and dead ones included

  int pieces() const { return 2 * static_cast<int>(limit.size()) + 1; }
  double span() const { return price_max - price_min; }
  static bool is_step(int piece) { return piece % 2 == 1; }
  Piece piece(int index) const;
};

/// Compile a book. The result has the same bits for every order of the input: within a claim the
/// orders are summed in sorted sequence.
std::vector<Staircase> compile_staircases(const Market& market, const Orders& orders);

}  // namespace kpm
