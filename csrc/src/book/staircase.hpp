// A claim's net demand as a function of its price: all J orders enter the algorithms through
// these staircases only.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kpm/kpm.hpp"
#include "numerics/large_array.hpp"

namespace kpm {

/// A view of consecutive figures, owned by the staircase they belong to.
class Figures {
 public:
  Figures() = default;
  Figures(double* begin, std::size_t size) : begin_(begin), size_(size) {}

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  double& operator[](std::size_t l) { return begin_[l]; }
  double operator[](std::size_t l) const { return begin_[l]; }
  double* begin() { return begin_; }
  const double* begin() const { return begin_; }
  const double* end() const { return begin_ + size_; }

 private:
  double* begin_ = nullptr;
  std::size_t size_ = 0;
};

/// Limits of a claim that differ by no more than this fraction of its payoff range differ by
/// rounding only: .1 + .2 and .3 are one limit, the lowest of them. Kept apart they would give
/// cells with indistinguishable prices, between which the last digit would decide.
constexpr double kSameLimit = 1e-13;

/// Net demand of one claim. Limits l = 0..n-1 ascend strictly within the payoff range; flat l lies
/// below limit l (flat n above the last), step l at limit l. Piece 2l is flat l, piece 2l + 1 step
/// l.
struct Staircase {
  Staircase() = default;
  Staircase(Staircase&&) = default;
  Staircase& operator=(Staircase&&) = default;

  double price_min = 0.0;  ///< the claim's least payoff
  double price_max = 0.0;
  Figures limit;        ///< (n) distinct limits, of those that are one the lowest
  Figures buy;          ///< (n) quantity bid at the limit
  Figures sell;         ///< (n) quantity offered at the limit
  Figures bought;       ///< (n + 1) bids filled in full on each flat
  Figures sold;         ///< (n + 1) offers filled in full on each flat
  Figures demand;       ///< (n + 1) bought minus sold, never increasing
  double volume = 0.0;  ///< quantity of all orders that some price fills

  int pieces() const { return 2 * static_cast<int>(limit.size()) + 1; }
  double span() const { return price_max - price_min; }

  /// Whether the maker may take part: false where net demand is zero at every price.
  bool has_net_demand() const { return !limit.empty() || demand[0] != 0.0; }

  /// Whether a limit lies below all prices of the claim, or above them. At an end of the payoff
  /// range a trade gives one side something for nothing: the maker loses nothing by taking what is
  /// offered at the least payoff, nor by leaving what is bid at it, and so at the greatest. No
  /// clearing is better for a limit there, so it is beyond the range, except for a constant claim's
  /// one price.
  bool below_range(double price) const {
    return price_min < price_max ? price <= price_min : price < price_min;
  }
  bool above_range(double price) const { return price >= end_of_range(); }

  /// Orders from start_of_limit(l) on, but below start_of_limit(l + 1), are at limit l; the last of
  /// these, l = n, is where limits above all prices begin.
  double start_of_limit(std::size_t l) const {
    return l < limit.size() ? limit[l] : end_of_range();
  }

  /// The least limit above all prices of the claim.
  double end_of_range() const {
    return price_min < price_max ? price_max : std::nextafter(price_max, kInfinity);
  }

  static bool is_step(int piece) { return piece % 2 == 1; }
  Piece piece(int index) const;

  /// Make room for n limits, whose figures are to be written.
  void reserve(std::size_t n);

  /// Of those for which there is room, n are used.
  void shrink(std::size_t n);

  /// Sum up buy and sell over the limits: bought, sold and demand, from bought[n] and sold[0].
  void accumulate();

  Staircase copy() const;

 private:
  LargeArray<double> memory_;  // one allocation: a small book has little else
};

/// What is bid and offered at one limit.
struct Level {
  double price;
  double buy;
  double sell;
};

/// The staircase of a claim from its levels, ascending strictly; those of limits that are one but
/// for rounding become one. Level by level, so that one level is all that an order changes.
Staircase make_staircase(double price_min, double price_max, const Level* begin, const Level* end);

/// Compile a book. The result has the same bits for every order of the input: within a level the
/// quantities are summed in sorted sequence.
std::vector<Staircase> compile_staircases(const Market& market, const Orders& orders);

}  // namespace kpm
