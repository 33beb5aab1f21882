// A bound on every clearing in a box, whatever the origin of the multipliers.
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
struct Multipliers {
  Array worst_case;             ///< (states) p
  Array marginal_state_prices;  ///< (states) g
  Array lambda;                 ///< (claims)
  Array value;                  ///< (claims) G = P g
  double constant = 0.0;        ///< all of the bound but the maxima over corners

  void reserve(const ScaledMarket& market);

  /// Take p, g (summing to one) and lambda; `divergence` is KL(g|p) / a.
  void set(const ScaledMarket& market, double divergence);

  /// The worth of a corner under them, and the best corner of pieces first .. last.
  double worth(int claim, double price, double demand) const {
    return (price - value[claim]) * (demand + lambda[claim]) + value[claim] * lambda[claim];
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
};

/// Those of p, g (summing to one) and lambda; `divergence` is KL(g|p) / a.
Multipliers multipliers_of(const ScaledMarket& market, const Array& worst_case,
                           const Array& marginal_state_prices, const Array& lambda,
                           double divergence);

}  // namespace kpm
