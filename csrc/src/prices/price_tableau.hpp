// The tableau of the simplex methods on the state prices.
#pragma once

#include <type_traits>

#include "book/scaled_market.hpp"
#include "numerics/arena.hpp"
#include "numerics/checkpoint.hpp"
#include "numerics/dense.hpp"
#include "numerics/twofold.hpp"

namespace kpm {

/// Rows sum xi = 1 and pi_k = P_k xi in the columns of the state prices, then the claim prices. The
/// tableau is condensed, a column for each nonbasic variable, and a pivot takes O(K N).
template <class Real>
class PriceTableau {
 public:
  /// The cost of an operation relative to that of a double.
  static constexpr double kCost = std::is_same_v<Real, double> ? 1.0 : 30.0;

  /// Smaller tableau entries are rounding: of the pivots, or, where those leave none, of the
  /// payoffs. Claims that differ by no more have one price to within kSimplexTolerance.
  static constexpr double kSmallestPivot = std::is_same_v<Real, double> ? 1e-10 : 5e-13;

 protected:
  static constexpr int kRefresh = 200;  ///< pivots after which the tableau is computed afresh

  /// `checkpoint`, if any, is passed at each pivot.
  PriceTableau(const ScaledMarket& market, Arena& arena, Checkpoint* checkpoint);

  /// That of the first basis: the first state's price and all claim prices.
  void build();
  /// That of the same basis without the rounding of the pivots that led there.
  void refresh();
  void pivot(int row, int entering);
  /// The basic variables' values, into basic_value_, from the nonbasic ones' in `value`.
  void evaluate_basis(const Span<Real>& value);
  /// Before the next evaluation the first basis is to be taken.
  void forget_basis() { fresh_ = false; }
  /// The first basis where there is none; afresh after many pivots.
  void prepare();
  bool is_stale() const { return age_ >= kRefresh; }

  const ScaledMarket& market_;
  Checkpoint* checkpoint_;
  int states_;
  int rows_;                // the simplex row, then one per claim
  int columns_;             // states, then claims
  int places_;              // as many as there are nonbasic variables
  Grid<Real> tableau_;      // (rows, places + 1): B^-1 [A | b] without the basic columns
  Span<int> nonbasic_;      // (places) whose column it is
  Span<int> place_;         // (columns) where it is, of those that are not basic
  Span<Real> basic_value_;  // (rows)
  Span<int> basis_;         // (rows)
  Span<int> moved_;         // (places) scratch of evaluate_basis()
  Span<char> is_basic_;     // (columns)
  int age_ = 0;             // pivots since the tableau was computed

 private:
  Span<char> wanted_;   // (columns) the basis that refresh() keeps
  Span<Real> factors_;  // (rows) scratch of pivot(), if rows are long
  Span<Real*> others_;  // (rows) that it changes
  bool fresh_ = false;  // false: the next tableau is that of the first basis
};

}  // namespace kpm
