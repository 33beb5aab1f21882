// The state prices of a cell that are nearest to the prior, with twice a double's digits.
#pragma once

#include <vector>

#include "book/scaled_market.hpp"
#include "numerics/arena.hpp"
#include "numerics/checkpoint.hpp"
#include "numerics/dense.hpp"
#include "numerics/semidefinite_cholesky.hpp"
#include "numerics/twofold.hpp"
#include "prices/price_simplex.hpp"

namespace kpm {

/// min KL(xi | q) over the state prices that earn the most in a cell, where claims are linearly
/// dependent to within e of their range: a strip of calls and puts printed with ten digits has e =
/// 1e-10. Then e decides which state prices meet all limits, the multipliers of those limits are of
/// the size of 1/e, and the entries of a Newton system in them of 1/e^2. So the method works in the
/// prices:
///   1. the simplex method describes the optimal face, and vertices of it that leave no state out
///      which can have a price; their mean lies inside;
/// 2. Newton's method on KL continues from there along directions that change no wanted price.
/// Those prices' payoffs are made orthonormal first, with all digits, which eliminates 1/e; ends of
/// price ranges are added as they are met and dropped as their multiplier requires. Every point on
/// the way meets all ranges, so it may be stopped anywhere with prices that the cell admits. Where
/// 4e-13 of a claim's range at its limit decide over more than 1e-10 of the notional, prices may
/// miss limits by as much: then the payoffs' rounding decides, not the orders. Claims that differ
/// by less than kSameClaim count as one. Cost per step: O(A^2 N + A^3) for A wanted prices, at some
/// thirty times a double's.
class PrecisePrices {
 public:
  /// `checkpoint`, if any, is passed at each pivot and at each step of Newton's method.
  PrecisePrices(const ScaledMarket& market, Arena& arena, Checkpoint* checkpoint = nullptr);

  /// Ranges of claim prices and the demand of the flats (steps have low = high). False if no state
  /// prices reach the cell.
  bool solve(const ArrayView& price_low, const ArrayView& price_high, const ArrayView& flat_demand);

  const Slice& state_prices() const { return xi_; }
  /// False where Newton's method did not converge: the prices earn as much, but others are nearer.
  bool nearest() const { return nearest_; }

 private:
  double most_within(double allowance, const ArrayView& price_low, const ArrayView& price_high,
                     const ArrayView& flat_demand);
  void pass();
  void find_inside();
  void note_vertex(Array& open);
  bool descend();
  void orthonormalise();
  void add_row(const double* payoff, int claim);
  double direction();
  double longest_step(int& blocking) const;
  double shorten(double step) const;
  double slope(double step) const;
  int end_to_drop();
  double price(int claim, const Array& of_states) const;

  static constexpr double kSameClaim = PrecisePriceSimplex::kSmallestPivot;

  const ScaledMarket& market_;
  Checkpoint* checkpoint_;
  PrecisePriceSimplex simplex_;
  Slice xi_;  // (states)
  bool nearest_ = false;

  // On the support: states that can have a price, in ascending order.
  std::vector<int> support_;
  std::vector<int> vanishing_;  // of these, as direction() found
  std::vector<int> active_;     // claims whose price must not change: first points, then ends met
  std::vector<char>
      end_;  // (claims) -1 the low end of a range, 1 the high end, 0 inside, 2 a point
  std::vector<char> kept_;  // (claims) an end that was met again at once: it stays
  Span<Twofold> inside_;    // (states) the point
  Span<Twofold> step_;      // (states)
  Grid<Twofold> basis_;     // (claims + 1, states) orthonormal: the constant, then active claims
  Grid<Twofold> triangle_;  // (claims + 1, claims + 1) payoffs = triangle basis
  std::vector<int> claim_;  // (rows of the basis) whose it is, -1 for the constant
  Grid<Twofold> gram_;      // (claims + 1, claims + 1)
  Grid<Twofold> scaled_;    // (claims + 1, states) scratch
  Span<Twofold> nu_;        // (claims + 1) multipliers of the basis
  Array gradient_;          // (states) of KL
  BasicSemidefiniteCholesky<Twofold> factor_;
};

}  // namespace kpm
