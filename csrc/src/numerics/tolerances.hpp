// The tolerances that more than one part of the core relies on, and how they relate.
//
// Money is scaled: one is the notional that can trade. Prices are shares of their claim's payoff
// range. Constants that only one file uses, such as the damping of a Newton step, are in that file.
#pragma once

#include <algorithm>
#include <limits>

namespace kpm {

// Prices.

/// Claim prices that miss their ranges, or the state prices, by no more than this are valid.
/// Published clearings satisfy it, and so does every clearing that is compared with others.
constexpr double kPriceTolerance = 1e-12;

/// A claim price this far outside the range of its piece belongs to another: the sum over the
/// states that it is cannot be wrong by as much.
constexpr double kOffPiece = 1e-13;

/// Prices that agree to this are on their limits, as exactly as a sum over states tells.
constexpr double kPricesAgree = 1e-15;

/// Rounding changes a claim price by less than this.
constexpr double kPriceRounding = 1e-12;
static_assert(kPriceRounding <= kPriceTolerance);  // else a right price would fail the check

/// Accuracy to which the simplex method brings prices into their ranges.
constexpr double kSimplexTolerance = 5e-13;

/// Least separation, per unit of multipliers, that proves by Farkas' lemma that no state prices
/// reach the ranges of a few hundred claims: rounding cannot explain it.
constexpr double kSeparation = 2e-13;

/// The same for any number of claims: both of its sums may err by half a unit for each of them.
constexpr double separation_beyond_rounding(int claims) {
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  return std::max(kSeparation, (claims + 2) * kEpsilon);
}

// Ranges that the simplex method reaches must not be declared unreachable.
static_assert(kSeparation < kSimplexTolerance && kSimplexTolerance < kPriceTolerance);
// Prices that are polished beyond validity are told from those that are not.
static_assert(kPricesAgree < kOffPiece && kOffPiece < kPriceTolerance);

// Money.

/// Clearings whose certainty equivalents differ by no more than this are equally good.
constexpr double kTie = 1e-11;

/// A choice among optima may weaken the proof of the one published by no more than this.
constexpr double kOfAProof = kTie / 10;

/// Gap to which the cells of candidates are solved.
constexpr double kCandidateTolerance = 1e-12;

/// A bound this close to the best clearing determines which cells tie with it.
constexpr double kTightBound = 100 * kTie;

// Ties are decided by values that are known more precisely than that.
static_assert(kCandidateTolerance <= kTie / 10);

/// Revenue per unit of price below which states earn equally.
constexpr double kEqualRevenue = 1e-11;

/// A gap below this, times the largest loss, cannot be distinguished from rounding.
constexpr double kGapRounding = 64 * std::numeric_limits<double>::epsilon();

/// Least money at stake that the first complementarity products of a program are made for.
constexpr double kLeastStake = 1e-3;

// Demand, as shares of a step's width.

/// Demand this close to the end of its step is there.
constexpr double kStepEnd = 1e-7;

/// The same for heuristics, which only suggest cells to look at.
constexpr double kRoughStepEnd = 1e-6;

/// The same where demand is read off the solution of a convex rule's program.
constexpr double kAuctionStepEnd = 1e-11;

/// The same of the demand that a convex rule publishes.
constexpr double kPublishedStepEnd = 1e-9;

static_assert(kAuctionStepEnd < kPublishedStepEnd && kPublishedStepEnd < kStepEnd);

// Directions in which demand is left open, of length one.

/// State prices below this do not pin their state's payoff.
constexpr double kPinningStatePrice = 1e-9;

/// Below this a state may lose more at no cost, where the risk is smooth.
constexpr double kIdleStatePrice = 1e-13;
static_assert(kIdleStatePrice < kPinningStatePrice);

/// Relative singular value of a condition that does not bind a direction.
constexpr double kDependentDirection = 1e-8;

/// The same of equations between state prices and losses at a kink, whose entries are exact.
constexpr double kIdleCondition = 1e-11;

/// Entries of a direction that are rounding.
constexpr double kDirectionRounding = 1e-12;

// A binding condition is distinguished from the rounding of its entries.
static_assert(kDirectionRounding < kIdleCondition && kIdleCondition < kDependentDirection);

// Linear algebra.

/// Pivots of a Cholesky factor, relative to their diagonal, below which a row is redundant, in
/// programs whose prices may have hardly any room: small pivots are genuine there.
constexpr double kRedundantRow = 1e-15;

}  // namespace kpm
