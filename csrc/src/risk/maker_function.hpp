// A maker's cost as a function: value, gradient, curvature and conjugate, exact to rounding.
#pragma once

#include <vector>

#include "kpm/kpm.hpp"
#include "numerics/arena.hpp"
#include "numerics/dense.hpp"

namespace kpm {

/// Where a conjugate is a sum over states, its terms: state prices satisfy
///   L_i - 2c (g_i - pi_i) + s_i = t,     g_i s_i = delta_i.
struct PriceTerms {
  double curvature = 0.0;         ///< c
  const Slice* orders = nullptr;  ///< delta; null: none
  /// m, where the orders are W pi for the W that makes sum pi ln s = ln m; 0 elsewhere.
  double wealth = 0.0;
};

/// A book's losses, and what the maker makes of them.
struct PricedLosses {
  const Array& loss;
  double cost;     ///< C(loss)
  const Array& g;  ///< state prices
  const Array& p;  ///< what they are tilted from
};

/// C(L) as the maximum of smooth functions: of one where C is smooth, of several at a kink. Each
/// maker's file has its own, in whatever unit of money its parameters are: quotes and trades build
/// a Maker on it, and the convex rules use it as it is, in the units of a book.
class MakerFunction {
 public:
  MakerFunction(Eigen::Index states, Arena& arena);
  MakerFunction(const MakerFunction&) = delete;
  MakerFunction& operator=(const MakerFunction&) = delete;
  virtual ~MakerFunction() = default;

  /// C(loss) - C(0), and a subgradient in g(): of one of the functions that attain the maximum.
  virtual double evaluate(const ArrayView& loss) = 0;
  const Slice& g() const { return g_; }
  /// A Knightian maker's worst case; elsewhere what g() was tilted from, or g() itself.
  const Slice& worst_case() const { return p_; }
  double ambiguity_price() const { return ambiguity_price_; }

  /// dg/dL where C was last evaluated, off its kinks, as a sum of root_size() squares; `root` is
  /// what they leave of a claim's payoff.
  virtual void prepare_curvature() = 0;
  virtual Eigen::Index root_size() const { return g_.size(); }
  virtual void root(const double* payoff, double* root) const;

  /// C*(g) + C(0), where a Knightian or polytope maker's infimum over p is replaced by the given p.
  virtual double conjugate(const ArrayView& g, const ArrayView& p) const = 0;

  /// Losses that differ by less have prices much alike; infinite where prices jump.
  virtual double resolution() const { return kInfinity; }
  /// Of a maker whose conjugate is a sum over states.
  virtual PriceTerms price_terms() const { return {}; }
  /// How much more each of the states `idle`, of almost no price, may lose before its price is
  /// something, where C is smooth: as its prices grow by themselves, and up to the worst loss at
  /// most.
  virtual Array idle_room(const PricedLosses& priced, const std::vector<int>& idle) const;

 protected:
  Slice g_, p_;  // (states)
  double ambiguity_price_ = 0.0;
  // What prepare_curvature() finds: how fast prices flow, about which mean.
  Array flow_, centre_;
};

}  // namespace kpm
