// A small bounded-variable simplex on the state prices.
#pragma once

#include "prices/price_tableau.hpp"

namespace kpm {

/// The polytope of state prices xi on the simplex with claim prices pi = P xi in given ranges.
/// Ranges may be tightened and relaxed in any order; the basis is kept, so that each change costs
/// a few pivots (PriceTableau). Dual simplex restores feasibility, primal simplex maximises.
/// Largest violation or gain first; once a call has taken long, with perturbed costs or by least
/// index. That is finite except for rounding, so pivots are counted and the prices at hand returned
/// when they are too many.
///
/// A pivot as small as the least that counts leaves a double's tableau with 1e-6 of rounding, so
/// claims that differ by 1e-10 of their range are distinguished, and prices within their ranges
/// found, only with twice the digits: many times as slow, for use when the prices from
/// doubles miss their ranges.
template <class Real>
class BasicPriceSimplex : private PriceTableau<Real> {
 public:
  using PriceTableau<Real>::kCost;
  using PriceTableau<Real>::kSmallestPivot;

  /// `checkpoint`, if any, is passed at each step.
  BasicPriceSimplex(const ScaledMarket& market, Arena& arena, Checkpoint* checkpoint = nullptr);

  /// All ranges back to [0, 1] and a fresh basis.
  void reset();

  void set_range(int claim, double low, double high);

  /// Whether some xi satisfies all ranges, to within kSimplexTolerance of the payoff span. False is
  /// proven; true holds as far as violation() says.
  bool feasible();

  /// By how much the current prices leave their ranges.
  double violation() const;

  /// After feasible() said no: the claims' multipliers of a proof (Farkas),
  ///   sum_k max over the ranges of lambda_k pi_k + max_i (-sum_k lambda_k P_ki) < 0.
  double farkas_multiplier(int claim) const {
    const int column = states_ + claim;
    if (is_basic_[column]) {
      return basis_[farkas_row_] == column ? farkas_sign_ : 0.0;
    }
    return farkas_sign_ * static_cast<double>(farkas_[place_[column]]);
  }

  /// Maximise claim_weights . pi + state_weights . xi from a feasible basis; the optimum.
  double maximise(const ArrayView& claim_weights, const ArrayView& state_weights);

  /// Whether the multipliers at the last maximum are the only ones: nothing basic is within
  /// `margin` of a bound.
  bool unique_multipliers(double margin) const;

  /// Keep to the optimal face of the last maximise(): fixes what has a reduced cost of more than
  /// `tie` (complementary slackness with one dual optimum describes the whole face).
  void restrict_to_optimal_face(double tie);

  /// Give a price to all states that may have one on the face, and of which the basis allows some:
  /// a share each of half the room that it leaves. A point inside, at O(K N), until the next call.
  void enter_face();

  /// Whether restrict_to_optimal_face() has left one point: nothing else can move.
  bool is_vertex() const;

  const Real& value_of(int state) const { return value_[state]; }
  double state_price(int state) const { return static_cast<double>(value_[state]); }
  /// Whether restrict_to_optimal_face() has left the state's price free.
  bool is_open(int state) const { return low_[state] < high_[state]; }
  /// Multiplier of pi_k = P_k xi at the last maximum, as in the dual bound (docs/theory.md).
  double multiplier(int claim) const {
    return static_cast<double>(reduced_[states_ + claim] - cost_[states_ + claim]);
  }
  double range_low(int claim) const { return static_cast<double>(low_[states_ + claim]); }
  double range_high(int claim) const { return static_cast<double>(high_[states_ + claim]); }

 private:
  void evaluate();
  using typename PriceTableau<Real>::Column;
  void move(int entering, const Column& entries, const Real& change);
  void reduced_costs();
  void count_gain();
  Real help(const Real* entries, bool rises, int place) const;
  int entering_by_size(const Real* entries, bool rises) const;
  int entering_by_cost(const Real* entries, bool rises) const;
  void price_basis();

  using PriceTableau<Real>::states_;
  using PriceTableau<Real>::rows_;
  using PriceTableau<Real>::columns_;
  using PriceTableau<Real>::places_;
  using PriceTableau<Real>::nonbasic_;
  using PriceTableau<Real>::place_;
  using PriceTableau<Real>::basic_value_;
  using PriceTableau<Real>::basis_;
  using PriceTableau<Real>::is_basic_;

  Span<Real> low_, high_, value_;  // (columns)
  Span<Real> cost_, reduced_;      // (columns)
  Span<Real> along_;               // (places) scratch of reduced_costs()
  Span<Real> gain_;                // (states) of a small basis, in maximise()
  Span<char> at_high_;             // (columns) which bound a nonbasic variable sits at
  int farkas_row_ = 0;
  const Real* farkas_ = nullptr;  // its entries
  double farkas_sign_ = 0.0;
  bool priced_ = false;  // whether reduced_ are costs for which the basis is optimal
  bool exact_ = false;   // whether values are those of evaluate() for this basis and these ranges
};

using PriceSimplex = BasicPriceSimplex<double>;
using PrecisePriceSimplex = BasicPriceSimplex<Twofold>;

}  // namespace kpm
