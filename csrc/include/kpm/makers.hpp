// The makers of the family, by their parameters: convex, increasing, cash-additive costs C(L) of
// owing L. Everything here trusts its caller, as kpm.hpp does.
#pragma once

#include <cstdint>

namespace kpm {

enum class MakerKind : std::uint8_t {
  kKnightian,       ///< rho of (25): CARA over a KL ball; Omega = 0 and alpha = 1 / b is LMSR
  kStartingOrders,  ///< min_t t - sum delta ln(t - L): CPCAM (3), in sequence the log SCPM
  kWorstState,      ///< max L: (5), the LP (31)
  kPolytope,        ///< (1/alpha) ln max over the priors of E_p e^{alpha L}: Theorem 1, 8.1
  kUtility,         ///< the C with sum pi ln(m0 + C - L) = ln m0: Chen and Pennock's log utility
  kQuadratic,       ///< max over g of g.L - c |g - pi|^2
};

/// Arrays are borrowed. Only what its kind names is read.
struct MakerModel {
  MakerKind kind = MakerKind::kKnightian;
  int states = 0;
  const double* prior =
      nullptr;                 ///< (states) q or pi > 0, sums to one: Knightian, utility, quadratic
  double risk_aversion = 1.0;  ///< alpha, per unit of money: Knightian > 0, polytope >= 0
  double ambiguity = 0.0;      ///< Omega >= 0 in nats, may be infinite: Knightian
  const double* delta = nullptr;     ///< (states) > 0, money: starting orders
  int priors = 0;                    ///< rows of `vertices`
  const double* vertices = nullptr;  ///< (priors, states), each >= 0 and summing to one: polytope
  double wealth = 1.0;               ///< m0 > 0, money: utility
  double curvature = 1.0;            ///< c > 0, money: quadratic
};

}  // namespace kpm
