// The market in the units the algorithms work in.
#pragma once

#include <vector>

#include "book/disjoint_claims.hpp"
#include "book/nested_claims.hpp"
#include "book/staircase.hpp"
#include "book/strike_claims.hpp"
#include "kpm/kpm.hpp"
#include "numerics/arena.hpp"
#include "numerics/dense.hpp"

namespace kpm {

/// Which part of the ambiguity set matters. The general case covers the others in the limit, but
/// not in floating point.
enum class Ambiguity : std::uint8_t {
  kNone,     ///< Omega = 0: the prior itself, expected utility
  kBall,     ///< a KL ball whose boundary can be reached
  kSimplex,  ///< Omega >= -ln(min q): every distribution, the worst state decides
};

Ambiguity kind_of(const ArrayView& prior, double ambiguity);

/// Payoffs run over [0, 1], money is counted in units of the book's notional, inventory from its
/// worst state. All three are exact symmetries of (8): a claim's least payoff is paid and received
/// in every state alike, and rho is cash-additive. Constant claims affect nothing and are left out.
struct ScaledMarket {
  /// Money in units of the notional of the staircases, or of `unit` if that is not zero.
  ScaledMarket(const Market& market, const std::vector<Staircase>& stairs, double unit = 0.0);

  /// The same with these of its claims only.
  ScaledMarket of_claims(const std::vector<int>& claims) const;
  /// What the payoffs allow to be done faster: whenever they have been changed.
  void find_structure();

  /// Whether claims pay on disjoint or nested sets of states, and steps are solved along these.
  bool of_sets() const { return disjoint.disjoint() || nested.nested(); }

  /// Whether they are solved along sets or strikes, without matrices.
  bool structured() const { return of_sets() || strikes.on_strikes(); }

  int states() const { return static_cast<int>(prior.size()); }
  int claims() const { return static_cast<int>(original.size()); }

  double price(int k, double original_price) const;
  double demand(int k, double original_demand) const;

  /// P x: what the claims are worth under one number a state.
  template <class States, class Claims>
  void value_claims(const States& x, Claims& out) const {
    if (disjoint.disjoint()) {
      disjoint.apply(x, out);
    } else if (nested.nested()) {
      nested.apply(x, out);
    } else {
      out.matrix().noalias() = payoffs * x.matrix();
    }
  }

  /// P' y: what the maker owes by state for one number a claim.
  template <class Claims, class States>
  void owe(const Claims& y, States& out) const {
    if (disjoint.disjoint()) {
      for (Eigen::Index i = 0; i < disjoint.states(); ++i) {
        out[i] = disjoint.at(y, i);
      }
    } else if (nested.nested()) {
      nested.apply_transposed(y, out);
    } else {
      out.matrix().noalias() = payoffs.transpose() * y.matrix();
    }
  }

  /// Both for the step of an iteration, whose last digits the next one makes up for.
  template <class States, class Claims>
  void value_step(const States& x, Claims& out) const {
    if (strikes.on_strikes()) {
      strikes.apply(x, out);
    } else {
      value_claims(x, out);
    }
  }
  template <class Claims, class States>
  void owe_step(const Claims& y, States& out) const {
    if (strikes.on_strikes()) {
      strikes.apply_transposed(y, out);
    } else {
      owe(y, out);
    }
  }

  /// What the maker owes in one state.
  template <class Claims>
  double owed(const Claims& y, Eigen::Index state) const {
    return disjoint.disjoint() ? disjoint.at(y, state) : payoffs.col(state).dot(y.matrix());
  }

  double scale = 1.0;          ///< money per unit: sum over claims of span times volume
  double inventory_floor = 0;  ///< money: the least inventory, taken out of `inventory`
  std::vector<int> original;   ///< (claims) index in the caller's market
  Array offset;                ///< (claims) least payoff, money per share
  Array span;                  ///< (claims) payoff range, money per share
  Matrix payoffs;              ///< (claims, states) in [0, 1]
  Matrix by_state;             ///< its transpose, of many claims on strikes; see PriceBasis
  DisjointClaims disjoint;     ///< of the payoffs, where it pays to solve along them
  DisjointClaims few_sets;     ///< of fewer claims, whose prices are sums all the same
  NestedClaims nested;         ///< the same where they are not disjoint
  StrikeClaims strikes;        ///< the same where they are no sets
  bool narrow = false;         ///< so many claims per state that systems are solved by states
  Array prior;                 ///< (states)
  Array inventory;             ///< (states) >= 0
  double risk_aversion = 1.0;  ///< alpha times scale
  double ambiguity = 0.0;      ///< Omega
  Ambiguity kind = Ambiguity::kNone;

 private:
  ScaledMarket() = default;
};

/// From so many claims per state on, and so many claims, a market is narrow: factors of a size in
/// proportion to the states are faster than factors with a row per claim.
constexpr int kNarrow = 5;
constexpr Eigen::Index kNarrowClaims = 24;

/// From so many claims on strikes on the simplex methods keep a small basis: with fewer a tableau
/// is as fast.
constexpr Eigen::Index kSmallBasis = 64;

/// A row for each claim, or none where a step's systems are solved without.
inline MatrixSlice rows_unless(bool structured, const ScaledMarket& market, Eigen::Index columns,
                               Arena& arena) {
  return arena.matrix(structured ? 0 : market.claims(), columns);
}

/// A row and a column for each claim, likewise.
inline MatrixSlice square_unless(bool structured, const ScaledMarket& market, Arena& arena) {
  const Eigen::Index claims = structured || market.narrow ? 0 : market.claims();
  return arena.matrix(claims, claims);
}

/// A ball of this radius times the least prior probability moves no certainty equivalent by more
/// than rounding: no p / q by more than sqrt(2 Omega / q).
constexpr double kNegligibleAmbiguity = 1e-32;

}  // namespace kpm
