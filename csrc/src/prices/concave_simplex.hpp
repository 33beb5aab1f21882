// The simplex method for concave, piecewise linear functions of the claim prices.
#pragma once

#include <cstddef>
#include <vector>

#include "prices/price_tableau.hpp"

namespace kpm {

/// maximise  sum_k h_k(P_k xi)  over the state prices, each h_k concave and piecewise linear.
///
/// A claim price that is not basic is at a breakpoint of its function. A step passes breakpoints as
/// long as it still gains, so that it is as long as a few of the ordinary method. There are no
/// ranges, and so every basis is feasible: what a price must not leave is the breakpoint before a
/// steep slope. A change of the functions keeps the basis, and if it is small a few pivots suffice.
class ConcaveSimplex : private PriceTableau<double> {
 public:
  /// `checkpoint`, if any, is passed at each step.
  ConcaveSimplex(const ScaledMarket& market, Arena& arena, Checkpoint* checkpoint = nullptr);

  /// h_k has slopes[0] up to points[0], slopes[n] from there to points[n], and so on: one slope
  /// more than points, which ascend, and none steeper than the one before.
  void set_function(int claim, const std::vector<double>& points,
                    const std::vector<double>& slopes);

  /// Go to the maximum from the basis at hand. False where that takes too many steps, or rounding
  /// leaves none: the multipliers are as good as those of any other basis.
  bool maximise();
  /// Keep the basis at hand, until the next call.
  void keep();
  /// Back to the basis kept. A function that has changed since is to be set again.
  void restore();
  /// Back to the first basis.
  void forget();

  double price(int claim) const { return value_[states_ + claim]; }
  double state_price(int state) const { return value_[state]; }
  /// Multiplier of pi_k = P_k xi, as in the dual bound (docs/theory.md).
  double multiplier(int claim) const { return multiplier_[claim]; }
  int pivots() const { return pivots_; }

 private:
  struct Function {
    std::vector<double> points, slopes;
    int below = 0;  ///< the piece that the price would descend on
    int above = 0;  ///< and ascend on: the next one at a breakpoint
  };

  void copy_basis(bool back);
  void evaluate();
  void price_out();
  void count_slope(int row);
  void price_moves();
  void exchange(int row, int entering);
  double slope(int column) const;
  int entering(double& gain, bool& rises) const;
  /// A step of one variable, and what ends it.
  struct Move {
    int entering;
    double direction;
    int piece = 0;     ///< of the entering price's function
    int leaving = -1;  ///< row; -1: the entering price stops at a breakpoint of its own
    double length = 0.0;
  };
  bool step(int entering, double gain, bool rises);
  bool pass_breakpoints(double gain, Move& move);
  void advance(const Move& move);
  double own_reach(const Move& move) const;
  double reach(int row) const;

  std::vector<Function> functions_;  // (claims)
  Slice value_;                      // (columns)
  Slice along_;                      // (places) minus the row of the slopes below
  Slice gain_;                   // (states) of a small basis: slopes of basic prices, as counted
  Slice counted_;                // (claims) of basic prices, as they are counted in it
  Slice multiplier_;             // (claims)
  Slice rate_, reach_;           // (rows) of the step in view
  std::vector<int> piece_;       // (rows) where it has got to
  std::vector<std::byte> kept_;  // all that a basis consists of
  int pivots_ = 0;
};

}  // namespace kpm
