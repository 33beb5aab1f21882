// A maker's bids and asks, how much it trades up to a limit, and what a trade costs.
#pragma once

#include "kpm/kpm.hpp"
#include "numerics/dense.hpp"
#include "risk/maker.hpp"

namespace kpm {

/// Quotes of a maker at its present position. A claim is a row of payoffs; bids and asks are per
/// share.
class QuoteEngine {
 public:
  explicit QuoteEngine(Maker& maker);

  /// For the next share: ask = C'(L; a), bid = -C'(L; -a).
  void marginal(const Eigen::Map<const Matrix>& payoffs, double* bid, double* ask);

  /// For blocks: ask(s) = (C(L + s a) - C(L)) / s, bid(s) = (C(L) - C(L - s a)) / s, for the
  /// quantities s > 0 of each claim.
  void blocks(const Eigen::Map<const Matrix>& payoffs, const Eigen::Map<const Matrix>& quantities,
              double* bid, double* ask);

 private:
  Maker& maker_;
  Array change_;
};

/// The most of a claim that a maker sells from its present position up to a limit: scalar roots.
/// Buying is selling the negated payoff at the negated limit.
class TradeSize {
 public:
  TradeSize(Maker& maker, const ArrayView& losses, const ArrayView& payoff);

  /// sup {x <= most : C'(L + x a; a) <= price}: the fill of a single order.
  double to_price(double price, double most = kInfinity);
  /// sup {x : C(L + x a) - C(L) <= budget}: what of its certainty equivalent the maker stakes.
  double to_budget(double budget);
  /// How much until the worst state leaves a greater loss, a payment of C(L + x a) - C(L) included:
  /// the first x with max(L + x a) - (C(L + x a) - C(L)) = loss.
  double to_loss(double loss);

  /// C(L + x a) - C(L).
  double cost(double x);
  /// -C'(L + x a; -a), what the last of x shares sold costs. Moves the maker there.
  double last_price(double x);

 private:
  template <class Function>
  double last_below(Function&& function, double most);
  double price_at(double x);

  Maker& maker_;
  const Array losses_;
  const Array payoff_;
  Array change_;
  Array prices_;
  double largest_;  // |a|
};

}  // namespace kpm
