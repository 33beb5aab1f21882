// The tableau of the simplex methods on the state prices.
#pragma once

#include <type_traits>

#include "book/scaled_market.hpp"
#include "numerics/arena.hpp"
#include "numerics/checkpoint.hpp"
#include "numerics/dense.hpp"
#include "numerics/twofold.hpp"
#include "prices/price_basis.hpp"

namespace kpm {

/// Rows sum xi = 1 and pi_k = P_k xi in the columns of the state prices, then the claim prices. The
/// tableau is condensed, a column for each nonbasic variable, and a pivot takes O(K N). Of a market
/// with payoffs by state only a PriceBasis is kept, and rows and columns are made when they are
/// wanted.
template <class Real>
class PriceTableau {
 public:
  /// The cost of an operation relative to that of a double.
  static constexpr double kCost = std::is_same_v<Real, double> ? 1.0 : 30.0;

  /// Smaller tableau entries are rounding: of the pivots, or, where those leave none, of the
  /// payoffs. Claims that differ by no more have one price to within kSimplexTolerance.
  static constexpr double kSmallestPivot = std::is_same_v<Real, double> ? 1e-10 : 5e-13;

 protected:
  /// A nonbasic variable's entries, by row.
  struct Column {
    const Real* first;
    Eigen::Index stride;
    const Real& operator[](int row) const { return first[row * stride]; }
  };

  /// `checkpoint`, if any, is passed at each pivot.
  PriceTableau(const ScaledMarket& market, Arena& arena, Checkpoint* checkpoint);

  /// That of the first basis: the first state's price and all claim prices.
  void build();
  /// That of the same basis without the rounding of the pivots that led there.
  void refresh();
  /// Whether a small basis has been computed afresh, as the pivot, as the row and the column have
  /// it, may be rounding: then another is to be looked for.
  bool refresh_for(const Real& in_row, const Real& in_column);
  /// The column of `entering` is the last that was looked at.
  void pivot(int row, int entering);
  /// A row's entries, by place, and a nonbasic variable's, until the next such call.
  const Real* row(int row) { return small_ ? load_row(row) : &tableau_(row, 0); }
  Column column(int variable) {
    return small_ ? load_column(variable) : Column{&tableau_(0, place_[variable]), places_ + 1};
  }
  /// Whether only a PriceBasis is kept.
  bool is_small() const { return small_; }
  /// By place, what nonbasic variables gain by moving, where that is known of all states before
  /// basic ones follow (PriceBasis).
  void write_gains(const Real* gain, Span<Real>& gains);
  /// The basic variables' values, into basic_value_, from the nonbasic ones' in `value`.
  void evaluate_basis(Span<Real> value);
  /// Before the next evaluation the first basis is to be taken.
  void forget_basis() { fresh_ = false; }
  /// The first basis where there is none; afresh after many pivots.
  void prepare();
  bool is_stale() const { return age_ >= refresh_; }
  /// About as many as a pivot takes.
  double operations() const {
    return static_cast<double>(small_ ? small_basis_.size() : rows_) *
           (small_ ? columns_ : states_);
  }

  const ScaledMarket& market_;
  Checkpoint* checkpoint_;
  int states_;
  int rows_;           // the simplex row, then one per claim
  int columns_;        // states, then claims
  int places_;         // as many as there are nonbasic variables
  int refresh_ = 200;  // pivots after which the tableau is computed afresh
  double smallest_pivot_ = kSmallestPivot;
  bool small_;  // whether there is a basis instead of a tableau
  PriceBasis<Real> small_basis_;
  Grid<Real> tableau_;      // (rows, places + 1): B^-1 [A | b] without the basic columns
  Span<int> nonbasic_;      // (places) whose column it is
  Span<int> place_;         // (columns) where it is, of those that are not basic
  Span<Real> basic_value_;  // (rows)
  Span<int> basis_;         // (rows)
  Span<int> moved_;         // (places) scratch of evaluate_basis()
  Span<char> is_basic_;     // (columns)
  int age_ = 0;             // pivots since the tableau was computed

 private:
  const Real* load_row(int row);
  Column load_column(int variable);
  void exchange(int row, int entering);
  void fill();

  Span<Real> row_, column_;  // (places), (rows): the last that were wanted of a small basis
  Span<char> wanted_;        // (columns) the basis that refresh() keeps
  Span<Real> factors_;       // (rows) scratch of pivot(), if rows are long
  Span<Real*> others_;       // (rows) that it changes
  bool fresh_ = false;       // false: the next tableau is that of the first basis
};

}  // namespace kpm
