// A bound on every clearing in a box, valid for any multipliers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "book/corners.hpp"
#include "book/scaled_market.hpp"
#include "numerics/dense.hpp"

namespace kpm {

/// (g, p, lambda) of docs/theory.md. By the Donsker-Varadhan inequality, for any of them,
///   sum_k max over the run's corners of (pi y - (P_k.g) y + lambda_k pi)
///     + max_i (-sum_k lambda_k P_ki) + g.w + KL(g|p) / a
/// bounds the certainty equivalent of every clearing in the box, in plain arithmetic.
/// A corner is worth (pi - G)(y + lambda) + G lambda with G = P_k.g.
/// One allocation: every node of a search has its own.
class Multipliers {
 public:
  using View = Eigen::Map<const Array>;

  Multipliers() = default;
  /// All zero.
  Multipliers(Eigen::Index states, Eigen::Index claims);
  /// The prior's, lambda zero; they bound nothing before set().
  explicit Multipliers(const ScaledMarket& market);

  Slice worst_case() { return of_states(0); }             ///< (states) p
  Slice marginal_state_prices() { return of_states(1); }  ///< (states) g
  Slice lambda() { return of_claims(0); }                 ///< (claims)
  Slice value() { return of_claims(1); }                  ///< (claims) G = P g
  View worst_case() const { return of_states(0); }
  View marginal_state_prices() const { return of_states(1); }
  View lambda() const { return of_claims(0); }
  View value() const { return of_claims(1); }

  double divergence = 0.0;  ///< KL(g|p) / a
  double constant = 0.0;    ///< all of the bound but the maxima over corners

  /// Take p, g (summing to one) and lambda; with KL(g|p) / a.
  void set(const ScaledMarket& market, double divergence_of_g);
  /// Take another lambda.
  void set_lambda(const ScaledMarket& market, const ArrayView& other);

  /// The worth of a corner under them, and the best corner of pieces first .. last.
  double worth(int claim, double price, double demand) const {
    const double lambda_k = figures_[claim];
    const double value_k = figures_[room(claims_) + claim];
    return (price - value_k) * (demand + lambda_k) + value_k * lambda_k;
  }
  int best_corner(int claim, const Corners& corners, int first, int last) const;
  /// No corner from `first` to `last` is worth more, not even in the last bit: prices ascend,
  /// demands descend, and rounding keeps their order.
  double worth_at_most(int claim, const Corners& corners, int first, int last) const {
    const auto from = static_cast<std::size_t>(first);
    const auto to = static_cast<std::size_t>(last);
    return std::max(std::max(worth(claim, corners.price[from], corners.demand[from]),
                             worth(claim, corners.price[from], corners.demand[to])),
                    std::max(worth(claim, corners.price[to], corners.demand[from]),
                             worth(claim, corners.price[to], corners.demand[to])));
  }
  double most(int claim, const Corners& corners, int first, int last) const {
    const auto at = static_cast<std::size_t>(best_corner(claim, corners, first, last));
    return worth(claim, corners.price[at], corners.demand[at]);
  }

  double bound(const std::vector<Corners>& corners, const Box& box) const;
  /// Of all clearings.
  double bound(const std::vector<Corners>& corners) const;

 private:
  void sum_up(const ScaledMarket& market);

  /// Parts begin where pairs do: sums of parts take two figures at a time.
  static Eigen::Index room(Eigen::Index size) { return size + size % 2; }
  Eigen::Index start_of_claims(Eigen::Index part) const { return part * room(claims_); }
  Eigen::Index start_of_states(Eigen::Index part) const {
    return start_of_claims(2) + part * room(states_);
  }
  Slice of_claims(Eigen::Index part) { return {figures_.data() + start_of_claims(part), claims_}; }
  Slice of_states(Eigen::Index part) { return {figures_.data() + start_of_states(part), states_}; }
  View of_claims(Eigen::Index part) const {
    return {figures_.data() + start_of_claims(part), claims_};
  }
  View of_states(Eigen::Index part) const {
    return {figures_.data() + start_of_states(part), states_};
  }

  Eigen::Index states_ = 0;
  Eigen::Index claims_ = 0;
  Array figures_;  // lambda, value, p and g
};

/// Those of p, g (summing to one) and lambda; `divergence` is KL(g|p) / a.
Multipliers multipliers_of(const ScaledMarket& market, const ArrayView& worst_case,
                           const ArrayView& marginal_state_prices, const ArrayView& lambda,
                           double divergence);

}  // namespace kpm
