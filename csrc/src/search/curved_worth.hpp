// What trades are worth with the curvature of the risk, where claims are disjoint.
#pragma once

#include "book/corners.hpp"
#include "book/scaled_market.hpp"
#include "risk/dual_bound.hpp"

namespace kpm {

/// Multipliers value demand by the risk's tangent, as if more of it cost no more: under them a
/// whole face of a hull is worth the same. Where claims are disjoint nothing takes back what a
/// claim's demand adds to the risk, so what it costs beyond the tangent is, to second order, a sum
/// over claims, of its square times
///     G (1 - G) (a + 1 / nu) / 2,   G the claim's value, nu = d rho / d Omega:
/// a Var_g for the p at hand, and, roughly, what p adds as it moves on the sphere of the ambiguity.
/// An estimate: it suggests and proves nothing.
class CurvedWorth {
 public:
  /// About the demand that the multipliers support, with nu, the price of ambiguity, there.
  CurvedWorth(const ScaledMarket& market, const Multipliers& multipliers, double ambiguity_price);

  /// Whether the curvature is known: neither where claims overlap nor at a kink.
  bool is_known() const { return bend_ > 0.0; }

  const Multipliers& multipliers() const { return multipliers_; }

  /// A price and demand of a claim, where `from` is the demand that the multipliers support.
  double worth(int claim, double price, double demand, double from) const {
    const double off = demand - from;
    return multipliers_.worth(claim, price, demand) - 0.5 * curvature(claim) * off * off;
  }

  /// The most on a piece.
  double most(int claim, const Corners& corners, int piece, double from) const;

 private:
  double curvature(int claim) const {
    const double value = multipliers_.value()[claim];
    return bend_ * value * (1.0 - value);
  }

  const Multipliers& multipliers_;
  double bend_;
};

}  // namespace kpm
