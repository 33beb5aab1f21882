// A basis of the simplex methods on the state prices, as the inverse of the few equations in it.
#pragma once

#include "book/scaled_market.hpp"
#include "numerics/arena.hpp"
#include "numerics/dense.hpp"
#include "numerics/twofold.hpp"

namespace kpm {

/// The prices of the basic states follow from as many equations: that all state prices sum to one,
/// and the prices of the claims that are not basic. The inverse of these B equations is all that is
/// kept. Rows and columns of the tableau are products of it with payoffs, O(B (B + N + K)), and an
/// exchange takes O(B²). On a chain of options B is a tenth of N and of K.
///
/// A variable's slot is its column of the inverse, if it is a claim whose price is given, or its
/// row, if it is a basic state. Variables are the states, then the claims.
template <class Real>
class PriceBasis {
 public:
  /// For a market with payoffs by state, or of no size.
  PriceBasis(const ScaledMarket& market, Arena& arena);

  /// The first state alone.
  void start();
  /// The inverse without the rounding of many exchanges. False if there is too much of that.
  bool refresh();

  /// The tableau's column of a variable that is not basic: basic() is the entry of each that is.
  void load_column(int variable);
  /// The tableau's row of a basic variable: nonbasic() is the entry of each that is not.
  void load_row(int variable);
  /// nonbasic() := of a state what it gains, `gain`, less what its payoffs cost where equations
  /// have the prices at which basic states gain nothing; of a claim the price of its equation.
  void price_out(const Real* gain);
  /// basic() := the basic variables' values, from those of the others in `value`. Returns by how
  /// much equations were missed before a correction: what rounding has made of the inverse.
  double evaluate(const Span<Real>& value, const Span<char>& is_basic);

  const Real& basic(int variable) const {
    return variable < states_ ? step_[slot_[variable]] : by_claim_[variable - states_];
  }
  const Real& nonbasic(int variable) const {
    return variable < states_ ? by_state_[variable] : by_slot_[slot_[variable]];
  }

  /// The entering variable for the leaving one; its column is the last that was loaded.
  void exchange(int leaving, int entering);

  int size() const { return size_; }

  /// All that the basis consists of goes through these: pointers to numbers or indices, and counts.
  template <class Numbers, class Indices>
  void copy(Numbers&& numbers, Indices&& indices) {
    indices(&size_, 1);
    for (int p = 0; p < size_; ++p) {
      numbers(&inverse_(p, 0), size_);
    }
    indices(state_.begin(), size_);
    indices(claim_.begin(), size_);
    indices(slot_.begin(), states_ + claims_);
  }

 private:
  double payoff(int slot, int state) const {
    return slot == 0 ? 1.0 : market_.payoffs(claim_[slot], state);
  }
  void apply_inverse(const Span<Real>& right, Span<Real>& out) const;
  double multiply_out();
  void weigh_rows();
  void replicate(int claim);
  void add_worth();
  void subtract_costs();
  void subtract_product();

  void replace_state(int row, int state);
  void replace_claim(int column, int claim);
  void add(int state, int claim);
  void remove(int row, int column);

  const ScaledMarket& market_;
  int states_;
  int claims_;
  int size_ = 1;
  Grid<Real> inverse_;   // (most, most): row p, column q: of the p-th state for the q-th equation
  Grid<Real> rest_;      // (most, most) scratch of refresh()
  Span<int> state_;      // (most) basic states
  Span<int> claim_;      // (most) claims whose price is given; the first equation is no claim's
  Span<int> slot_;       // (variables)
  Span<Real> step_;      // (most) of the basic states
  Span<Real> by_slot_;   // (most) of the equations
  Span<Real> right_;     // (most)
  Span<Real> factor_;    // (most)
  Span<Real> by_state_;  // (states)
  Span<Real> by_claim_;  // (claims)
  Span<const double*> payoffs_;  // (most) rows of a sum
  Span<Real*> rows_;             // (most) of the inverse
};

}  // namespace kpm
