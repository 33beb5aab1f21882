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

/// Arrays are borrowed. Only the members that its kind names are read.
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

/// C(L) for each row of losses (rows, states).
void maker_costs(const MakerModel& model, const double* losses, std::int64_t rows, double* costs);

/// One g in dC(L) for each row of losses.
void maker_state_prices(const MakerModel& model, const double* losses, std::int64_t rows,
                        double* prices);

/// C*(g) for each row of state prices on the simplex, and at its vertices.
void maker_conjugates(const MakerModel& model, const double* prices, std::int64_t rows,
                      double* values);
void maker_vertex_conjugates(const MakerModel& model, double* values);

/// Bids and asks per share (claims, sizes) where the maker owes `losses`; `quantities` (claims,
/// sizes) of null: for the next share, (claims) each.
void maker_quotes(const MakerModel& model, const double* losses, const double* payoffs,
                  std::int64_t claims, const double* quantities, std::int64_t sizes, double* bid,
                  double* ask);

/// The value to the maker of trading at `prices` (claims): its certainty equivalent with
/// `net_demand` (claims) sold, less that with its inventory (states) alone. Computed from the
/// changes alone, so that it stays accurate whatever the wealth. `extra`: money paid on top of the
/// prices.
double maker_gain(const MakerModel& model, const double* inventory, const double* payoffs,
                  std::int64_t claims, const double* prices, const double* net_demand,
                  double extra = 0.0);

enum class TradeLimit : std::uint8_t {
  kPrice,   ///< of the next share
  kLoss,    ///< money in the worst state, the payment at cost included
  kBudget,  ///< money: what the trade costs
};

/// How many shares the maker sells up to a limit when it owes `losses`; may be infinite.
double maker_size(const MakerModel& model, const double* losses, const double* payoff,
                  TradeLimit limit, double value);

struct MakerTrade {
  double quantity = 0.0;     ///< sold
  double cost = 0.0;         ///< C(L + x a) - C(L)
  double first_price = 0.0;  ///< the marginal ask before
  double last_price = 0.0;   ///< what the last share cost; the limit, if that ended the trade
};

/// A single order to buy up to `quantity` shares while the next one costs no more than `limit`.
MakerTrade maker_trade(const MakerModel& model, const double* losses, const double* payoff,
                       double limit, double quantity);

}  // namespace kpm
