// The demand of one cell, to the precision of the maker's own money.
#pragma once

#include <vector>

#include "book/scaled_market.hpp"
#include "book/staircase.hpp"
#include "book/traded_market.hpp"
#include "kpm/kpm.hpp"
#include "selection/selection.hpp"

namespace kpm {

/// A cell is solved to some 1e-12 of the money that trades in it. Where giants trade with the maker
/// and leave it so much in some states that these have no price, that may be more than all it has
/// in the others. What is left to decide is the change D of the demand y of the cell's steps,
///     maximise  sum_k pi_k D_k - rho(P'D - w - sum_k (pi_k - P_k) y_k),
/// a cell again, in units of what y leaves open; the maker's position under y, a difference of vast
/// sums, is computed with twice the digits.
class Refinement {
 public:
  /// Pieces, demand in shares and state prices, of the caller's claims and states.
  Refinement(const Market& market, const std::vector<Staircase>& stairs, std::vector<int> cell,
             std::vector<double> demand, const std::vector<double>& state_prices);

  /// Improve a demand that is right to `open`, money.
  void improve(double open);

  const std::vector<double>& demand() const { return demand_; }  ///< (claims) shares
  double certainty_equivalent() const;                           ///< of it, money

  /// What supports it: p and g, (states); empty if nothing was improved.
  const Array& worst_case() const { return worst_case_; }
  const Array& marginal_state_prices() const { return marginal_; }

 private:
  void set_prices(const std::vector<double>& state_prices);
  void keep_steps();
  Array position() const;
  void change(double unit);

  const Market* market_;  // a pointer, for refinements to be assignable
  const std::vector<Staircase>* stairs_;
  std::vector<int> cell_;
  std::vector<double> demand_;
  std::vector<double> price_;  // (claims) published
  ScaledMarket steps_;         // the claims on steps; money as in change()
  Array worst_case_, marginal_;
};

/// Refine what was chosen where money is counted in units far beyond the maker's own. If there
/// was a trial with giants scaled down, its cell where that is worth more: what the
/// giants trade hides from a search what cells are worth, too.
void refine(const Market& market, const TradedMarket& traded, const std::vector<Staircase>& stairs,
            const Choice* trial, Choice& choice);

}  // namespace kpm
