// The common interface of makers: a convex, increasing, cash-additive cost of owing.
#pragma once

#include "numerics/arena.hpp"
#include "numerics/dense.hpp"

namespace kpm {

/// C(L), the least cash for which the maker would owe L, with its subgradients, which are state
/// prices, and its conjugate C*, their penalty under the maker's beliefs: what its MakerFunction
/// says, and beyond that changes of C with all digits of the change, and both sides of its kinks.
///
/// A maker has current losses, set by set_losses(), to which slope(), the quotes and increment()
/// refer. These allocate nothing. Not for concurrent use by several threads.
class Maker {
 public:
  explicit Maker(Eigen::Index states) : state_prices_(Array::Zero(states)) {}
  Maker(const Maker&) = delete;
  Maker& operator=(const Maker&) = delete;
  virtual ~Maker() = default;

  Eigen::Index states() const { return state_prices_.size(); }

  /// From the next losses on, only equal ones tie. Quotes would then part positions that are equal
  /// but for the rounding of what led to them; a change of C has its digits only then.
  void keep_ties_exact() { exact_ties_ = true; }

  /// Set the current losses, finite money by state; returns C(losses).
  virtual double set_losses(const ArrayView& losses) = 0;

  /// One g in dC(L). Where there are several: the prior restricted to the worst states (Knightian),
  /// uniform on the worst states (worst state), the mean of the vertices that attain the maximum
  /// (polytope).
  const Array& state_prices() const { return state_prices_; }

  /// The directional derivative C'(L; a) = max {g.a : g in dC(L)}: the marginal ask of a, also at
  /// kinks. The marginal bid is -C'(L; -a).
  virtual double slope(const ArrayView& direction) = 0;

  /// Both marginal quotes: ask = C'(L; a), bid = -C'(L; -a). Makers with kinks have their own.
  virtual void marginal_quote(const double* payoff, double* bid, double* ask) {
    *bid = *ask = dot(payoff, state_prices_.data(), states()) + 0.0;  // never -0
  }

  /// The same for rows of payoffs.
  virtual void marginal_quotes(const double* payoffs, Eigen::Index rows, double* bid, double* ask) {
    for (Eigen::Index k = 0; k < rows; ++k) {
      marginal_quote(payoffs + k * states(), bid + k, ask + k);
    }
  }

  /// The costs C(L + s a) - C(L) and C(L) - C(L - s a) of blocks of s shares, where both sides or
  /// all sizes share work; false where they do not.
  virtual bool block_costs(const double* payoff, const double* shares, Eigen::Index sizes,
                           double* down, double* up) {
    static_cast<void>(payoff);
    static_cast<void>(shares);
    static_cast<void>(sizes);
    static_cast<void>(down);
    static_cast<void>(up);
    return false;
  }

  /// C(L + change) - C(L), to rounding of the change rather than of the losses. Where `prices` is
  /// given, one g in dC(L + change) is written to it.
  virtual double increment(const ArrayView& change, Array* prices = nullptr) = 0;

  /// C*(g) = sup over L of g.L - C(L) for g on the simplex; infinite where C is not supported by g.
  virtual double conjugate(const ArrayView& g) = 0;

  /// C*(e_i): what bounds the wealth in state i from below after any number of trades at cost,
  /// wealth_i >= -C(L) - C*(e_i). May be infinite.
  virtual double conjugate_at_vertex(Eigen::Index state) = 0;

 protected:
  Array state_prices_;
  Arena arena_;  ///< of its function
  bool exact_ties_ = false;
};

}  // namespace kpm
