// The simplex method on the state prices, with its answers checked.
#pragma once

#include <optional>

#include "book/scaled_market.hpp"
#include "numerics/arena.hpp"
#include "prices/price_simplex.hpp"

namespace kpm {

/// PriceSimplex, but no answer relies on its tableau: prices are multiplied out, and a proof that
/// no prices reach the ranges (Farkas) is summed anew. An answer that fails is computed again with
/// twice the digits. A check costs O(K N), less than a pivot of a tableau.
class CheckedSimplex {
 public:
  /// `checkpoint`, if any, is passed at each pivot.
  CheckedSimplex(const ScaledMarket& market, Arena& arena, Checkpoint* checkpoint = nullptr)
      : market_(market),
        arena_(arena),
        checkpoint_(checkpoint),
        no_weight_(arena.array(market.states())),
        plain_(market, arena, checkpoint) {
    no_weight_.setZero();
  }

  /// As those of PriceSimplex.
  void reset() { plain_.reset(); }
  void set_range(int claim, double low, double high) { plain_.set_range(claim, low, high); }
  double range_low(int claim) const { return plain_.range_low(claim); }
  double range_high(int claim) const { return plain_.range_high(claim); }

  /// For a heuristic, to which no answer is worth twice the digits: from now on, or no longer, an
  /// answer that fails stays as it is. violation() tells.
  void keep_to_doubles(bool rough) { rough_ = rough; }

  /// Whether some state prices satisfy all ranges, to within kPriceTolerance.
  bool feasible();
  /// After feasible() said no.
  double farkas_multiplier(int claim) const {
    return asked_ != nullptr ? asked_->farkas_multiplier(claim) : plain_.farkas_multiplier(claim);
  }
  /// By how much the ranges are separated, relative to the sum of the multipliers: the proof.
  template <class Simplex>
  static double separation(const ScaledMarket& market, const Simplex& simplex);

  /// Maximise claim_weights . pi after feasible() said yes.
  void maximise(const ArrayView& claim_weights);
  double state_price(int state) const {
    return asked_ != nullptr ? asked_->state_price(state) : plain_.state_price(state);
  }
  double multiplier(int claim) const {
    return asked_ != nullptr ? asked_->multiplier(claim) : plain_.multiplier(claim);
  }
  bool unique_multipliers(double margin) const {
    return asked_ != nullptr ? asked_->unique_multipliers(margin)
                             : plain_.unique_multipliers(margin);
  }
  /// By how much the state prices at hand miss a range, the simplex or zero.
  double violation() const { return violation_; }

 private:
  template <class Simplex>
  double violation_of(const Simplex& simplex) const;
  bool feasible_precisely();

  const ScaledMarket& market_;
  Arena& arena_;
  Checkpoint* checkpoint_;
  Slice no_weight_;  // of states: claims alone count
  PriceSimplex plain_;
  std::optional<PrecisePriceSimplex> precise_;
  PrecisePriceSimplex* asked_ = nullptr;  // where the plain one's answer did not hold
  double violation_ = kInfinity;
  bool rough_ = false;
};

}  // namespace kpm
